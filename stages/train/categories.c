#include "train/categories.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/option.h"
#include "common/text.h"
#include "nn/netfile.h"
#include "nn/samples.h"

#define WIDTH_MOST 600

/* name NULL: it is given by number. */
static int add(struct categories *list, const char *name, uint64_t column, uint64_t codes,
	struct fault *fault)
{
	if (list->count == NET_CATEGORIES_MAX)
		return fault_set(fault, "more than %d columns", NET_CATEGORIES_MAX);
	list->item[list->count] = (struct net_category){ .column = column, .codes = codes };
	if (name != NULL)
		list->name[list->count] = text_copy(name, strlen(name));
	list->count++;
	return 0;
}

/* [0, 3], ["city"] */
static int read_list(struct categories *list, struct jsonin *in, struct fault *fault)
{
	char name[COLUMN_NAME_MAX + 1];
	uint64_t column = 0;
	int more;

	while ((more = jsonin_item(in, fault)) == 1) {
		int is_name = jsonin_peek(in) == '"';

		if ((is_name ? jsonin_string(in, name, sizeof name, fault)
			     : jsonin_integer(in, &column, fault)) < 0 ||
			add(list, is_name ? name : NULL, column, 0, fault) < 0)
			return -1;
	}
	return more;
}

static int is_number(const char *key, uint64_t *number)
{
	struct jsonin in;
	struct fault none;

	jsonin_begin(&in, key, strlen(key));
	return jsonin_integer(&in, number, &none) == 0 && jsonin_finish(&in, &none) == 0;
}

/* {"0": 12, "city": 7} */
static int read_map(struct categories *list, struct jsonin *in, struct fault *fault)
{
	char key[COLUMN_NAME_MAX + 1];
	uint64_t column = 0, codes;
	int more;

	while ((more = jsonin_key(in, key, sizeof key, fault)) == 1) {
		int is_name = !is_number(key, &column);

		if (jsonin_integer(in, &codes, fault) < 0 ||
			add(list, is_name ? key : NULL, column, codes, fault) < 0)
			return -1;
		if (codes == 0)
			return fault_set(fault, "column %s has 0 categories", key);
	}
	return more;
}

int categories_read(
	struct categories *list, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *json = host->json(ctx, "categories");
	int is_map = json != NULL && json[0] == '{';
	struct jsonin in;

	list->width = (size_t)host->integer(ctx, "category_width", 0, 0, WIDTH_MOST);
	jsonin_open(&in, json, is_map ? '{' : '[');
	return option_read("categories",
		is_map ? read_map(list, &in, fault) : read_list(list, &in, fault), fault);
}

/* All that the table has, as far as there is place for them. */
static int no_column(const struct table *t, const char *name, struct fault *fault)
{
	struct text known = { 0 };
	int rc;

	for (size_t i = 0; i < t->shard.columns && known.length < 500; i++)
		text_format(&known, i == 0 ? "%s" : ", %s", t->shard.column[i].name);
	rc = fault_set(fault, "with.categories: the table has no column '%s'; it has: %.600s", name,
		known.data);
	text_release(&known);
	return rc;
}

static int find_column(size_t *column, const char *name, const struct samples *s, struct fault *fault)
{
	const struct table *t = &s->table;
	size_t wanted, at = 0;

	if (!s->is_table)
		return fault_set(fault,
			"with.categories: '%s' is no number of a column; names are for a dep named "
			"'table'",
			name);
	wanted = shard_find(&t->shard, name);
	if (wanted == t->shard.columns)
		return no_column(t, name, fault);
	for (size_t i = 0; i < t->inputs; at += t->input[i++].width) {
		if (t->input[i].column != wanted)
			continue;
		*column = at;
		return t->input[i].width == 1
			       ? 0
			       : fault_set(fault,
					 "with.categories: column '%s' has %zu values a row; give "
					 "those that are categories by number, the first is %zu",
					 name, t->input[i].width, at);
	}
	return fault_set(
		fault, "with.categories: column '%s' is not one that is learned from", name);
}

static int compare(const void *first, const void *second)
{
	const struct net_category *a = first, *b = second;

	return (a->column > b->column) - (a->column < b->column);
}

int categories_find(struct categories *list, const struct samples *samples, struct fault *fault)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->name[i] != NULL &&
			find_column(&list->item[i].column, list->name[i], samples, fault) < 0)
			return -1;
	categories_release(list);
	qsort(list->item, list->count, sizeof *list->item, compare);
	for (size_t i = 1; i < list->count; i++)
		if (list->item[i].column == list->item[i - 1].column)
			return fault_set(fault, "with.categories names column %zu twice",
				list->item[i].column);
	return 0;
}

static int has(const struct categories *list, size_t column)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->item[i].column == column)
			return 1;
	return 0;
}

/* What the table has as categories; trees know by themselves. */
static int add_table(struct categories *list, const struct samples *s, struct fault *fault)
{
	size_t at = 0;

	for (size_t i = 0; !s->table.may_miss && i < s->table.inputs; at += s->table.input[i++].width)
		if (s->table.input[i].type == COLUMN_CATEGORY && !has(list, at) &&
			add(list, NULL, at, 0, fault) < 0)
			return -1;
	return categories_find(list, s, fault);
}

/* The highest code of the training rows; all of them must be codes. */
static int find_highest(const struct samples *s, const struct net_category *category,
	size_t *highest, struct fault *fault)
{
	size_t most = category->codes != 0 ? category->codes : NET_CODES_MAX;

	*highest = 0;
	for (size_t i = 0; i < s->count; i++) {
		double code = samples_value(s, (size_t)s->row[i], category->column);

		if (!(code >= 0 && code < (double)most) || code > floor(code))
			return fault_set(fault,
				"with.categories: row %lld, column %zu of the features is %g; a "
				"whole number from 0 to %zu is wanted",
				(long long)s->row[i], category->column, code, most - 1);
		if ((size_t)code > *highest)
			*highest = (size_t)code;
	}
	return 0;
}

/* What has proved good for tables (fastai). */
static size_t usual_width(size_t codes)
{
	double width = round(1.6 * pow((double)codes, 0.56));

	return width < WIDTH_MOST ? (size_t)width : WIDTH_MOST;
}

int categories_fit(struct categories *list, const struct samples *samples,
	struct net_design *design, struct fault *fault)
{
	if (categories_find(list, samples, fault) < 0 || add_table(list, samples, fault) < 0)
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		struct net_category *made = &design->category[i];
		size_t highest;

		*made = list->item[i];
		if (made->column >= samples->features)
			return fault_set(fault,
				"with.categories: there is no column %zu; there are %zu",
				made->column, samples->features);
		if (find_highest(samples, made, &highest, fault) < 0)
			return -1;
		if (made->codes == 0)
			made->codes = highest + 1;
		made->width = list->width != 0 ? list->width : usual_width(made->codes);
	}
	design->category_count = list->count;
	return 0;
}

/* The numbers of codes that no training row has become 0. */
static void forget(const struct nn_table *table, const struct samples *s, float *weight)
{
	char *seen = array_new(table->rows, 1);

	for (size_t i = 0; i < s->count; i++)
		seen[(size_t)samples_value(s, (size_t)s->row[i], table->column)] = 1;
	for (size_t code = 0; code < table->rows; code++)
		if (!seen[code])
			memset(weight + code * table->width, 0, table->width * sizeof *weight);
	free(seen);
}

void categories_begin(struct net *net, const struct samples *samples)
{
	const struct layer *layer = &net->layer[0];
	float *weight;

	for (size_t t = 0; t < layer->table_count; t++) {
		const struct nn_table *table = &layer->table[t];
		float *at = net->weight + layer->weight + table->weight;
		size_t bytes = table->rows * table->width * sizeof *weight;

		weight = array_new(table->rows * table->width, sizeof *weight);
		net->ops->download(net->device, weight, at, bytes);
		forget(table, samples, weight);
		net->ops->upload(net->device, at, weight, bytes);
		free(weight);
	}
}

void categories_scale(const struct net_design *design, struct scaling *scaling)
{
	for (size_t i = 0; i < design->category_count; i++) {
		scaling->mean[design->category[i].column] = 0;
		scaling->deviation[design->category[i].column] = scaling->unit;
	}
}

void categories_release(struct categories *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->name[i]);
		list->name[i] = NULL;
	}
}
