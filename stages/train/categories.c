#include "train/categories.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/text.h"
#include "nn/netfile.h"
#include "nn/samples.h"

#define WIDTH_MOST 600

/* One more; columns may be written in any order. */
static int add(struct categories *list, uint64_t column, uint64_t codes, struct fault *fault)
{
	size_t at = list->count;

	if (list->count == NET_CATEGORIES_MAX)
		return fault_set(
			fault, "with.categories has more than %d columns", NET_CATEGORIES_MAX);
	while (at > 0 && list->item[at - 1].column > column) {
		list->item[at] = list->item[at - 1];
		at--;
	}
	if (at > 0 && list->item[at - 1].column == column)
		return fault_set(fault, "with.categories names column %llu twice",
			(unsigned long long)column);
	list->item[at] = (struct net_category){ .column = column, .codes = codes };
	list->count++;
	return 0;
}

/* [0, 3] */
static int read_list(struct categories *list, struct jsonin *in, struct fault *fault)
{
	uint64_t column;
	int more;

	while ((more = jsonin_item(in, fault)) == 1)
		if (jsonin_integer(in, &column, fault) < 0 || add(list, column, 0, fault) < 0)
			return -1;
	return more;
}

/* {"0": 12, "3": 7} */
static int read_map(struct categories *list, struct jsonin *in, struct fault *fault)
{
	uint64_t column, codes;
	char key[20];
	int more;

	while ((more = jsonin_key(in, key, sizeof key, fault)) == 1) {
		struct jsonin number;

		jsonin_begin(&number, key, strlen(key));
		if (jsonin_integer(&number, &column, fault) < 0 ||
			jsonin_finish(&number, fault) < 0)
			return fault_set(fault, "'%s' is no number of a column", key);
		if (jsonin_integer(in, &codes, fault) < 0 || add(list, column, codes, fault) < 0)
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
	struct jsonin in;
	int rc;

	list->width = (size_t)host->integer(ctx, "category_width", 0, 0, WIDTH_MOST);
	if (json == NULL)
		return 0;
	jsonin_begin(&in, json, strlen(json));
	if (jsonin_peek(&in) == '{')
		rc = jsonin_enter(&in, '{', fault) < 0 ? -1 : read_map(list, &in, fault);
	else
		rc = jsonin_enter(&in, '[', fault) < 0 ? -1 : read_list(list, &in, fault);
	return rc < 0 ? fault_context(fault, "with.categories") : 0;
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

int categories_fit(const struct categories *list, const struct samples *samples,
	struct net_design *design, struct fault *fault)
{
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
