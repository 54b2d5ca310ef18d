#include "nn/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/option.h"
#include "common/text.h"
#include "nn/samples.h"

static int add_input(struct table *t, size_t column, struct fault *fault)
{
	const struct column *c = &t->shard.column[column];
	struct table_input *in = &t->input[t->inputs];

	if (c->type == COLUMN_TIME || (!column_is_number(c->type) && c->type != COLUMN_BOOLEAN &&
					      c->type != COLUMN_CATEGORY))
		return fault_set(fault,
			"column '%s' is %s; a model takes numbers and categories: make them with "
			"transform, or leave it out of with.inputs",
			c->name, column_type_name(c->type));
	*in = (struct table_input){ .column = column, .width = c->width, .type = c->type };
	in->part = array_new(t->shard.groups, sizeof *in->part);
	for (size_t g = 0; g < t->shard.groups; g++)
		shard_part(&in->part[g], &t->shard, g, column);
	t->inputs++;
	t->features += c->width;
	return 0;
}

static int add_listed(struct table *t, const char *json, struct fault *fault)
{
	char name[COLUMN_NAME_MAX + 1];
	struct jsonin in;
	int more;

	jsonin_open(&in, json, '[');
	while ((more = jsonin_item(&in, fault)) == 1) {
		size_t column;

		if (jsonin_string(&in, name, sizeof name, fault) < 0)
			return -1;
		column = shard_find(&t->shard, name);
		if (column == t->shard.columns)
			return fault_set(fault, "the table has no column '%s'", name);
		if (column == t->target)
			return fault_set(fault, "column '%s' is the target", name);
		for (size_t i = 0; i < t->inputs; i++)
			if (t->input[i].column == column)
				return fault_set(fault, "column '%s' twice", name);
		if (add_input(t, column, fault) < 0)
			return -1;
	}
	return more;
}

static int add_inputs(struct table *t, const char *json, struct fault *fault)
{
	t->input = array_new(t->shard.columns, sizeof *t->input);
	if (json != NULL && strcmp(json, "[]") != 0)
		return option_read("inputs", add_listed(t, json, fault), fault);
	for (size_t c = 0; c < t->shard.columns; c++)
		if (c != t->target && add_input(t, c, fault) < 0)
			return -1;
	return 0;
}

/* One column may be images; several are a row of numbers. */
static void shape(struct table *t)
{
	const struct column *c = &t->shard.column[t->input[0].column];

	t->rows = t->shard.rows;
	t->height = t->width = 1;
	t->channels = t->features;
	t->is_bytes = t->inputs == 1 && c->type == COLUMN_UINT8 && !t->may_miss;
	if (t->inputs != 1 || c->dimensions < 2 || c->dimensions > 3)
		return;
	t->height = c->dimension[0];
	t->width = c->dimension[1];
	t->channels = c->dimensions == 3 ? c->dimension[2] : 1;
}

static int verify(const struct table *t, struct fault *fault)
{
	for (size_t g = 0; g < t->shard.groups; g++) {
		if (shard_verify(&t->shard, g, t->target, fault) < 0)
			return -1;
		for (size_t i = 0; i < t->inputs; i++)
			if (shard_verify(&t->shard, g, t->input[i].column, fault) < 0)
				return -1;
	}
	return 0;
}

static int open_columns(struct table *t, const struct table_wanted *wanted, struct fault *fault)
{
	t->target = shard_find(&t->shard, wanted->target);
	if (t->target == t->shard.columns)
		return fault_set(fault, "the table has no column '%s' (with.target)", wanted->target);
	if (add_inputs(t, wanted->inputs, fault) < 0)
		return -1;
	if (t->inputs == 0)
		return fault_set(fault, "the table has no column beside the target");
	shape(t);
	return verify(t, fault);
}

int table_open(struct table *t, const char *path, const struct table_wanted *wanted,
	struct fault *fault)
{
	struct table made = { .may_miss = wanted->may_miss };

	if (shard_open(&made.shard, path, fault) < 0)
		return -1;
	if (open_columns(&made, wanted, fault) < 0) {
		table_close(&made);
		return fault_context(fault, "'%s'", path);
	}
	*t = made;
	return 0;
}

void table_close(struct table *t)
{
	for (size_t i = 0; i < t->inputs; i++) {
		free(t->input[i].part);
		free(t->input[i].code);
	}
	free(t->input);
	shard_close(&t->shard);
	*t = (struct table){ .inputs = 0 };
}

int table_check(const struct table *t, size_t row, struct fault *fault)
{
	size_t group = row / t->shard.group_rows, at = row % t->shard.group_rows;

	for (size_t i = 0; i < t->inputs && !t->may_miss; i++)
		if (!shard_present(&t->input[i].part[group], at))
			return fault_set(fault,
				"row %zu has no '%s'; a step `impute` of transform fills it in",
				row, t->shard.column[t->input[i].column].name);
	return 0;
}

/* A category of one cell, by the number it is given. */
static float code_of(const struct table_input *in, uint32_t category)
{
	if (in->code != NULL && category != CATEGORY_MISSING)
		category = in->code[category];
	return category != CATEGORY_MISSING ? (float)category : NAN;
}

static void put_floats(float *to, const struct table_input *in, const void *cells, size_t index)
{
	enum { AT_ONCE = 64 };
	double number[AT_ONCE];

	if (in->type == COLUMN_CATEGORY) {
		*to = code_of(in, ((const uint32_t *)cells)[index]);
		return;
	}
	if (in->type == COLUMN_FLOAT32) {
		memcpy(to, (const float *)cells + index, in->width * sizeof *to);
		return;
	}
	for (size_t first = 0; first < in->width; first += AT_ONCE) {
		size_t count = in->width - first < AT_ONCE ? in->width - first : AT_ONCE;

		column_numbers(number, in->type, cells, index + first, count);
		for (size_t j = 0; j < count; j++)
			to[first + j] = (float)number[j];
	}
}

/* A row's cells of one input. */
static void put_cells(float *to, const struct table *t, const struct table_input *in, size_t group,
	size_t at)
{
	const struct shard_part *part = &in->part[group];

	if (t->may_miss && !shard_present(part, at))
		for (size_t j = 0; j < in->width; j++)
			to[j] = NAN;
	else
		put_floats(to, in, part->data, at * in->width);
}

void table_fetch(const struct table *t, const int64_t *rows, size_t count, void *values)
{
	for (size_t i = 0; i < count; i++) {
		size_t group = (size_t)rows[i] / t->shard.group_rows;
		size_t at = (size_t)rows[i] % t->shard.group_rows;
		float *to = (float *)values + i * t->features;

		if (t->is_bytes) {
			memcpy((uint8_t *)values + i * t->features,
				(const uint8_t *)t->input[0].part[group].data + at * t->features,
				t->features);
			continue;
		}
		for (size_t k = 0; k < t->inputs; k++) {
			const struct table_input *in = &t->input[k];

			put_cells(to, t, in, group, at);
			to += in->width;
		}
	}
}

double table_value(const struct table *t, size_t row, size_t feature)
{
	size_t group = row / t->shard.group_rows, at = row % t->shard.group_rows, cell;
	const struct table_input *in = table_input_of(t, feature, &cell);
	const struct shard_part *part = &in->part[group];

	/* As a fetched row has it. */
	if (t->may_miss && !shard_present(part, at))
		return (double)NAN;
	if (in->type == COLUMN_CATEGORY)
		return (double)code_of(in, ((const uint32_t *)part->data)[at]);
	return (double)(float)column_number(in->type, part->data, at * in->width + cell);
}

const struct table_input *table_input_of(const struct table *t, size_t feature, size_t *cell)
{
	const struct table_input *in = t->input;

	for (; feature >= in->width; in++)
		feature -= in->width;
	*cell = feature;
	return in;
}

void table_expect(const struct table *t, size_t first, size_t rows)
{
	while (rows > 0) {
		size_t group = first / t->shard.group_rows, at = first % t->shard.group_rows;
		size_t left = shard_group_rows(&t->shard, group) - at;
		size_t count = rows < left ? rows : left;

		for (size_t i = 0; i < t->inputs; i++) {
			const struct table_input *in = &t->input[i];
			size_t size = in->width * column_cell_size(in->type);

			mapped_expect((const char *)in->part[group].data + at * size, count * size);
		}
		first += count;
		rows -= count;
	}
}

static int take_class(float *to, double value, size_t row, size_t *classes, struct fault *fault)
{
	if (!(value >= 0 && value < CLASSES_MAX))
		return fault_set(fault,
			"row %zu of the target has class %.0f; from 0 to %d are possible; of numbers "
			"to be predicted the stage `table` makes floats, columns: {NAME: float64}",
			row, value, CLASSES_MAX - 1);
	*to = (float)value;
	if ((size_t)value >= *classes)
		*classes = (size_t)value + 1;
	return 0;
}

static int take_part(float *to, const struct shard_part *p, size_t first, size_t *classes,
	struct fault *fault)
{
	int is_class = p->type != COLUMN_FLOAT32 && p->type != COLUMN_FLOAT64;

	for (size_t i = 0; i < p->rows; i++)
		for (size_t j = 0; j < p->width; j++, to++) {
			double value = p->type == COLUMN_CATEGORY
					       ? (double)((const uint32_t *)p->data)[i]
					       : column_number(p->type, p->data, i * p->width + j);

			if (!shard_present(p, i))
				*to = NAN;
			else if (!is_class)
				*to = (float)value;
			else if (take_class(to, value, first + i, classes, fault) < 0)
				return -1;
		}
	return 0;
}

float *table_targets(const struct table *t, size_t *width, size_t *classes, struct fault *fault)
{
	const struct column *c = &t->shard.column[t->target];
	int is_number = c->type == COLUMN_FLOAT32 || c->type == COLUMN_FLOAT64;
	float *target;

	if (column_has_length(c->type) || c->type == COLUMN_TIME || (!is_number && c->width != 1)) {
		(void)fault_set(fault,
			"column '%s' is %s; a target is a category, a whole number or numbers",
			c->name, column_type_name(c->type));
		return NULL;
	}
	*width = c->width;
	*classes = 0;
	target = array_new(t->rows * c->width, sizeof *target);
	for (size_t g = 0; g < t->shard.groups; g++) {
		size_t first = g * (size_t)t->shard.group_rows;
		struct shard_part part;

		shard_part(&part, &t->shard, g, t->target);
		if (take_part(target + first * c->width, &part, first, classes, fault) < 0) {
			free(target);
			return NULL;
		}
	}
	return target;
}
