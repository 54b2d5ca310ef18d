#include "table/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonout.h"
#include "common/shard.h"
#include "common/text.h"

#define CATEGORIES_SHOWN 1000

static void put_shape(struct jsonout *json, const struct column *column)
{
	if (column->dimensions == 0)
		return;
	jsonout_key(json, "shape");
	jsonout_open(json, '[');
	for (uint32_t i = 0; i < column->dimensions; i++)
		jsonout_integer(json, column->dimension[i]);
	jsonout_close(json);
}

static void put_figures(struct jsonout *json, const struct shard_column_record *r)
{
	if (r->infinite != 0) {
		jsonout_key(json, "infinite");
		jsonout_integer(json, r->infinite);
	}
	if (isnan(r->mean))
		return;
	jsonout_key(json, "min");
	jsonout_number(json, r->minimum);
	jsonout_key(json, "max");
	jsonout_number(json, r->maximum);
	jsonout_key(json, "mean");
	jsonout_number(json, r->mean);
	jsonout_key(json, "std");
	jsonout_number(json, r->deviation);
}

static void put_categories(struct jsonout *json, const struct shard *shard, size_t column)
{
	uint32_t count = shard->record[column].categories;
	uint64_t *rows = array_new(count, sizeof *rows);

	for (size_t g = 0; g < shard->groups; g++) {
		struct shard_part part;
		const uint32_t *code;

		shard_part(&part, shard, g, column);
		code = part.data;
		for (size_t i = 0; i < part.rows; i++)
			if (code[i] < count)
				rows[code[i]]++;
	}
	jsonout_key(json, "categories");
	jsonout_integer(json, count);
	jsonout_key(json, "rows");
	jsonout_open(json, '{');
	for (uint32_t c = 0; c < count && c < CATEGORIES_SHOWN; c++) {
		struct text name = { 0 };
		size_t length;
		const char *text = shard_category(shard, column, c, &length);

		text_add(&name, text, length);
		jsonout_key(json, name.data);
		jsonout_integer(json, rows[c]);
		text_release(&name);
	}
	jsonout_close(json);
	free(rows);
}

int summary_write(const char *path, const struct shard *shard, struct fault *fault)
{
	struct text text = { 0 };
	struct jsonout json = { .out = &text };

	jsonout_open(&json, '{');
	jsonout_key(&json, "rows");
	jsonout_integer(&json, shard->rows);
	jsonout_key(&json, "columns");
	jsonout_open_tall(&json, '[');
	for (size_t c = 0; c < shard->columns; c++) {
		const struct column *column = &shard->column[c];

		jsonout_open_flat(&json, '{');
		jsonout_text(&json, "name", column->name);
		jsonout_text(&json, "type", column_type_name(column->type));
		put_shape(&json, column);
		jsonout_key(&json, "missing");
		jsonout_integer(&json, shard->record[c].missing);
		put_figures(&json, &shard->record[c]);
		if (column->type == COLUMN_CATEGORY)
			put_categories(&json, shard, c);
		jsonout_close(&json);
	}
	jsonout_close(&json);
	jsonout_close(&json);
	return jsonout_save(&json, path, fault);
}
