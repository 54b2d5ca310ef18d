#include "trees/columns.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/jsonout.h"
#include "common/text.h"
#include "nn/samples.h"

static int is_category(float value)
{
	return value >= 0 && value < COLUMNS_CATEGORIES_MAX && floorf(value) >= value;
}

static int take_column(struct columns *c, struct jsonin *in, float categories, struct fault *fault)
{
	uint64_t column;

	if (jsonin_integer(in, &column, fault) < 0)
		return -1;
	if (column >= c->features)
		return fault_set(fault, "column %llu, but there are columns 0 to %zu",
			(unsigned long long)column, c->features - 1);
	if (c->categories[column] > 0)
		return fault_set(fault, "column %llu twice", (unsigned long long)column);
	c->categories[column] = categories;
	return 0;
}

void columns_init(struct columns *c, size_t features)
{
	*c = (struct columns){ .features = features };
}

void columns_mark(struct columns *c, size_t column)
{
	if (c->categories == NULL)
		c->categories = array_new(c->features, sizeof *c->categories);
	c->categories[column] = 1;
}

void columns_release(struct columns *c)
{
	free(c->categories);
	*c = (struct columns){ .features = 0 };
}

static int no_category(size_t row, size_t column, float value, struct fault *fault)
{
	return fault_set(fault,
		"row %zu, column %zu is %g; a category is a whole number from 0 to %d", row, column,
		(double)value, COLUMNS_CATEGORIES_MAX - 1);
}

static int check_rows(struct columns *c, const struct samples *s, const int64_t *rows, size_t count,
	int is_training, struct fault *fault)
{
	for (size_t j = 0; j < c->features; j++) {
		float most = c->categories[j];

		for (size_t i = 0; most > 0 && i < count; i++) {
			float value = (float)samples_value(s, (size_t)rows[i], j);

			if (isnan(value))
				continue;
			if (!is_category(value))
				return no_category((size_t)rows[i], j, value, fault);
			if (is_training && value + 1 > c->categories[j])
				c->categories[j] = value + 1;
		}
	}
	return 0;
}

int columns_count(struct columns *c, const struct samples *s, struct fault *fault)
{
	if (c->categories == NULL)
		return 0;
	if (check_rows(c, s, s->row, s->count, 1, fault) < 0)
		return -1;
	return check_rows(c, s, s->valid, s->valid_count, 0, fault);
}

static int take_categories(const struct columns *c, size_t row, float *values, struct fault *fault)
{
	for (size_t j = 0; j < c->features; j++) {
		if (c->categories[j] <= 0 || isnan(values[j]))
			continue;
		if (!is_category(values[j]))
			return no_category(row, j, values[j], fault);
		if (values[j] >= c->categories[j])
			values[j] = NAN;
	}
	return 0;
}

int columns_gather(const struct columns *c, const struct samples *s, const int64_t *rows,
	size_t count, float *values, struct fault *fault)
{
	for (size_t i = 0; i < count; i++, values += s->features) {
		if (s->is_bytes)
			for (size_t j = 0; j < s->features; j++)
				values[j] = (float)samples_value(s, (size_t)rows[i], j);
		else
			samples_fetch(s, rows + i, 1, values);
		if (c->categories != NULL && take_categories(c, (size_t)rows[i], values, fault) < 0)
			return -1;
	}
	return 0;
}

void columns_text(const struct columns *c, struct text *text)
{
	struct jsonout json = { .out = text, .compact = 1 };

	jsonout_open(&json, '[');
	for (size_t j = 0; c->categories != NULL && j < c->features; j++) {
		if (c->categories[j] <= 0)
			continue;
		jsonout_open(&json, '[');
		jsonout_integer(&json, j);
		jsonout_integer(&json, (uint64_t)c->categories[j]);
		jsonout_close(&json);
	}
	jsonout_close(&json);
}

/* "[column, categories]" */
static int take_pair(struct columns *c, struct jsonin *in, struct fault *fault)
{
	struct jsonin column;
	uint64_t categories;

	if (jsonin_enter(in, '[', fault) < 0 || jsonin_item(in, fault) != 1)
		return fault_set(fault, "no pair of numbers");
	column = *in;
	if (jsonin_integer(in, &categories, fault) < 0 || jsonin_item(in, fault) != 1 ||
		jsonin_integer(in, &categories, fault) < 0 || jsonin_item(in, fault) != 0)
		return fault_set(fault, "no pair of numbers");
	if (categories == 0 || categories > COLUMNS_CATEGORIES_MAX)
		return fault_set(fault, "%llu categories", (unsigned long long)categories);
	return take_column(c, &column, (float)categories, fault);
}

int columns_take(struct columns *c, size_t features, const char *text, struct fault *fault)
{
	struct columns made = { .features = features };
	struct jsonin in;
	int more = 0;

	made.categories = array_new(features, sizeof *made.categories);
	jsonin_open(&in, text, '[');
	while (more == 0 && (more = jsonin_item(&in, fault)) == 1)
		more = take_pair(&made, &in, fault);
	if (more < 0) {
		columns_release(&made);
		return fault_context(fault, "categories");
	}
	*c = made;
	return 0;
}
