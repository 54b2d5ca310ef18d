/* flow shards ls: what is in a shard, from its directory alone. */
#include "shards/shards.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonout.h"
#include "common/shard.h"
#include "common/text.h"
#include "shards/cell.h"

#define GRID_COLUMNS_MAX 8

/* Texts in columns, as wide as the widest. */
struct grid {
	size_t columns, count;
	struct text *cell; /* [count] */
	unsigned right;    /* bit i: column i is aligned to the right */
};

static struct text *add(struct grid *g)
{
	struct text *wider;

	if ((g->count & (g->count - 1)) == 0) {
		wider = array_new(g->count != 0 ? 2 * g->count : 16, sizeof *wider);
		if (g->count != 0)
			memcpy(wider, g->cell, g->count * sizeof *wider);
		free(g->cell);
		g->cell = wider;
	}
	return &g->cell[g->count++];
}

/* Characters, as UTF-8 counts them. */
static size_t width_of(const struct text *t)
{
	size_t width = 0;

	for (size_t i = 0; i < t->length; i++)
		width += (t->data[i] & 0xc0) != 0x80;
	return width;
}

static void grid_write(struct grid *g, struct text *out)
{
	size_t width[GRID_COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < g->count; i++)
		if (width_of(&g->cell[i]) > width[i % g->columns])
			width[i % g->columns] = width_of(&g->cell[i]);
	for (size_t i = 0; i < g->count; i++) {
		const struct text *cell = &g->cell[i];
		int pad = (int)(width[i % g->columns] - width_of(cell));
		int is_last = (i + 1) % g->columns == 0;
		int is_right = g->right >> i % g->columns & 1;

		text_format(out, "%*s%s%*s", is_right ? pad : 0, "",
			cell->data != NULL ? cell->data : "", is_right ? 0 : pad, "");
		while (is_last && out->data[out->length - 1] == ' ')
			out->length--;
		text_format(out, is_last ? "\n" : "  ");
	}
	for (size_t i = 0; i < g->count; i++)
		text_release(&g->cell[i]);
	free(g->cell);
	*g = (struct grid){ 0 };
}

static void put_size(struct text *to, uint64_t bytes)
{
	static const char *const unit[] = { "B", "K", "M", "G", "T" };
	double size = (double)bytes;
	int i = 0;

	for (; size >= 1000 && i < 4; i++)
		size /= 1024;
	text_format(to, i == 0 || size >= 99.5 ? "%.0f%s" : "%.1f%s", size, unit[i]);
}

static void put_figure(struct text *to, const struct column *column, double number)
{
	if (isnan(number))
		return;
	if (column->type == COLUMN_TIME)
		cell_time(to, (int64_t)number);
	else
		text_format(to, "%.6g", number);
}

static void put_column(struct grid *g, const struct shard *s, size_t c)
{
	const struct shard_column_record *r = &s->record[c];
	const struct column *column = &s->column[c];
	struct text *cell;
	uint64_t bytes = 0;

	cell_name(add(g), column->name);
	cell = add(g);
	text_format(cell, "%s", column_type_name(column->type));
	if (column->type == COLUMN_CATEGORY)
		text_format(cell, " of %u", r->categories);
	for (uint32_t i = 0; i < column->dimensions; i++)
		text_format(cell, i == 0 ? " %u" : "x%u", column->dimension[i]);
	for (size_t i = 0; i < s->groups; i++)
		bytes += s->part[i * s->columns + c].size;
	put_size(add(g), bytes);
	text_format(add(g), "%llu", (unsigned long long)r->missing);
	put_figure(add(g), column, r->minimum);
	put_figure(add(g), column, r->maximum);
	put_figure(add(g), column, r->mean);
	cell = add(g);
	if (column->type != COLUMN_TIME)
		put_figure(cell, column, r->deviation);
}

static uint64_t group_size(const struct shard *s, size_t group)
{
	uint64_t bytes = 0;

	for (size_t c = 0; c < s->columns; c++)
		bytes += s->part[group * s->columns + c].size;
	return bytes;
}

static void put_groups(struct text *out, const struct shard *s)
{
	struct grid g = { .columns = 4, .right = 15 };
	static const char *const heads[] = { "GROUP", "FIRST ROW", "ROWS", "SIZE" };

	for (int i = 0; i < 4; i++)
		text_format(add(&g), "%s", heads[i]);
	for (size_t i = 0; i < s->groups; i++) {
		text_format(add(&g), "%zu", i + 1);
		text_format(add(&g), "%llu", (unsigned long long)(i * s->group_rows));
		text_format(add(&g), "%zu", shard_group_rows(s, i));
		put_size(add(&g), group_size(s, i));
	}
	text_add(out, "\n", 1);
	grid_write(&g, out);
}

static void put_text(struct text *out, const struct shard *s, const char *path, int groups)
{
	static const char *const heads[] = { "COLUMN", "TYPE", "SIZE", "MISSING", "MIN", "MAX",
		"MEAN", "STD" };
	struct grid g = { .columns = 8, .right = 0xfc };

	cell_name(out, path);
	text_format(out, ": %llu row%s, %zu group%s of %llu, ", (unsigned long long)s->rows,
		s->rows == 1 ? "" : "s", s->groups, s->groups == 1 ? "" : "s",
		(unsigned long long)s->group_rows);
	put_size(out, s->file.size);
	if (s->state != 0)
		text_format(out, ", transformed (recipe %016llx)", (unsigned long long)s->state);
	text_add(out, "\n", 1);
	for (int i = 0; i < 8; i++)
		text_format(add(&g), "%s", heads[i]);
	for (size_t c = 0; c < s->columns; c++)
		put_column(&g, s, c);
	grid_write(&g, out);
	if (groups)
		put_groups(out, s);
}

/* NaN: there is none. */
static void json_figure(struct text *out, const char *key, double number)
{
	text_format(out, ",\"%s\":", key);
	if (isfinite(number))
		cell_number(out, number);
	else
		text_format(out, isnan(number) ? "null" : number > 0 ? "\"inf\"" : "\"-inf\"");
}

static void json_column(struct text *out, const struct shard *s, size_t c)
{
	const struct shard_column_record *r = &s->record[c];
	const struct column *column = &s->column[c];

	text_format(out, c == 0 ? "{\"name\":" : ",{\"name\":");
	cell_json_text(out, column->name, strlen(column->name));
	text_format(out, ",\"type\":\"%s\",\"shape\":[", column_type_name(column->type));
	for (uint32_t i = 0; i < column->dimensions; i++)
		text_format(out, i == 0 ? "%u" : ",%u", column->dimension[i]);
	text_format(out, "],\"categories\":[");
	for (uint32_t i = 0; i < r->categories; i++) {
		size_t length;
		const char *name = shard_category(s, c, i, &length);

		text_add(out, ",", i > 0);
		cell_json_text(out, name, length);
	}
	text_format(out, "],\"missing\":%llu,\"infinite\":%llu", (unsigned long long)r->missing,
		(unsigned long long)r->infinite);
	json_figure(out, "min", r->minimum);
	json_figure(out, "max", r->maximum);
	json_figure(out, "mean", r->mean);
	json_figure(out, "std", r->deviation);
	text_add(out, "}", 1);
}

static void json_group(struct text *out, const struct shard *s, size_t group)
{
	text_format(out, "%s{\"first\":%llu,\"rows\":%zu,\"bytes\":%llu,\"parts\":[",
		group == 0 ? "" : ",", (unsigned long long)(group * s->group_rows),
		shard_group_rows(s, group), (unsigned long long)group_size(s, group));
	for (size_t c = 0; c < s->columns; c++) {
		const struct shard_part_record *p = &s->part[group * s->columns + c];

		text_format(out, "%s{\"bytes\":%llu,\"missing\":%llu", c == 0 ? "" : ",",
			(unsigned long long)p->size, (unsigned long long)p->missing);
		json_figure(out, "min", p->minimum);
		json_figure(out, "max", p->maximum);
		text_add(out, "}", 1);
	}
	text_add(out, "]}", 2);
}

static void put_json(struct text *out, const struct shard *s, const char *path)
{
	text_format(out, "{\"file\":");
	cell_json_text(out, path, strlen(path));
	text_format(out, ",\"rows\":%llu,\"group_rows\":%llu,\"bytes\":%zu,\"recipe\":",
		(unsigned long long)s->rows, (unsigned long long)s->group_rows, s->file.size);
	if (s->state != 0)
		text_format(out, "\"%016llx\"", (unsigned long long)s->state);
	else
		text_add(out, "null", 4);
	text_format(out, ",\"columns\":[");
	for (size_t c = 0; c < s->columns; c++)
		json_column(out, s, c);
	text_format(out, "],\"groups\":[");
	for (size_t g = 0; g < s->groups; g++)
		json_group(out, s, g);
	text_add(out, "]}", 2);
}

int shards_list(const struct shards *s)
{
	struct text out = { 0 };
	int rc = 0, status;

	if (s->json)
		text_format(&out, "{\"v\":1,\"shards\":[");
	for (size_t i = 0; i < s->files && rc == 0; i++) {
		struct shard shard;
		struct fault fault;

		rc = shards_look(s->file[i]);
		if (rc == 0 && shard_open(&shard, s->file[i], &fault) < 0)
			rc = shards_fail(SHARDS_DAMAGED, "%s", fault.text);
		if (rc != 0)
			break;
		text_add(&out, s->json ? "," : "\n", i > 0);
		if (s->json)
			put_json(&out, &shard, s->file[i]);
		else
			put_text(&out, &shard, s->file[i], s->groups);
		shard_close(&shard);
	}
	if (s->json && rc == 0)
		text_format(&out, "]}\n");
	if ((rc == 0 || !s->json) && shards_write(&out, &status) < 0)
		rc = status;
	text_release(&out);
	return rc;
}
