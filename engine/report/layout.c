#include "report/layout.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "dag/shape.h"
#include "report/wires.h"

#define NONE        UINT32_MAX
#define PICTURE_MAX 4000 /* columns of a picture when no width is given */

/* What stands in a column of the picture: a stage, or a line that passes by on its way to a
 * later column. */
struct item {
	uint32_t vertex; /* the stage, or the one the line comes from */
	uint32_t column;
	uint32_t row;
	bool is_line;
};

struct items {
	struct item *items;
	size_t count, cap;
};

struct drawing {
	const struct shape *shape;
	uint32_t *depth; /* of each vertex */
	uint32_t *reach; /* the deepest vertex it leads to, or its own depth */
	uint32_t columns, rows;
	struct items items;
	struct wires *wires;  /* between column c and c + 1 */
	uint32_t *at, *width; /* of each column, in characters */
	unsigned char *cells; /* rows * total: arms, or 0 */
	char *names;          /* rows * total: characters of names, or 0 */
	uint32_t total;
};

enum arm { ARM_UP = 1, ARM_DOWN = 2, ARM_LEFT = 4, ARM_RIGHT = 8, ARM_HEAD = 16 };

/* Depths by longest way. false: the stages wait for each other in a circle, though their
 * instances do not. */
static bool find_depths(struct drawing *d)
{
	const struct shape *s = d->shape;
	uint32_t round, i, j;
	bool moved = true;

	for (round = 0; moved && round <= s->count; round++) {
		moved = false;
		for (i = 0; i < s->count; i++) {
			struct span before = s->vertices[i].before;

			for (j = before.first; j < before.first + before.count; j++) {
				if (d->depth[i] > d->depth[s->links[j]])
					continue;
				d->depth[i] = d->depth[s->links[j]] + 1;
				moved = true;
			}
		}
	}
	return !moved;
}

static void find_reach(struct drawing *d)
{
	const struct shape *s = d->shape;
	uint32_t i, j;

	for (i = 0; i < s->count; i++) {
		d->reach[i] = d->depth[i];
		if (d->columns <= d->depth[i])
			d->columns = d->depth[i] + 1;
	}
	for (i = 0; i < s->count; i++) {
		struct span before = s->vertices[i].before;

		for (j = before.first; j < before.first + before.count; j++)
			if (d->reach[s->links[j]] < d->depth[i])
				d->reach[s->links[j]] = d->depth[i];
	}
}

static bool is_before(const struct shape *s, uint32_t from, uint32_t to)
{
	struct span before = s->vertices[to].before;
	uint32_t i;

	for (i = before.first; i < before.first + before.count; i++)
		if (s->links[i] == from)
			return true;
	return false;
}

/* Whether item a leads to item b of the next column. */
static bool leads(const struct drawing *d, const struct item *a, const struct item *b)
{
	if (b->is_line)
		return a->vertex == b->vertex;
	return is_before(d->shape, a->vertex, b->vertex);
}

/* The highest row that leads to an item: where it would best stand. */
static uint32_t best_row(const struct drawing *d, const struct item *item)
{
	uint32_t best = NONE;
	size_t i;

	for (i = 0; i < d->items.count; i++) {
		const struct item *other = &d->items.items[i];

		if (other->column + 1 == item->column && leads(d, other, item) && other->row < best)
			best = other->row;
	}
	return best == NONE ? 0 : best;
}

static int by_row(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	if (x->is_line != y->is_line)
		return x->is_line ? 1 : -1;
	return (x->vertex > y->vertex) - (x->vertex < y->vertex);
}

/* The items of a column from top to bottom, each as near as can be to what leads to it. */
static void fill_column(struct drawing *d, uint32_t column)
{
	struct items found = { 0 };
	uint32_t i, next = 0;

	for (i = 0; i < d->shape->count; i++) {
		struct item item = { .vertex = i, .column = column };

		item.is_line = d->depth[i] < column;
		if (d->depth[i] > column || d->reach[i] < column ||
			(item.is_line && d->reach[i] == column))
			continue;
		item.row = best_row(d, &item);
		vec_push(&found, item);
	}
	qsort(found.items, found.count, sizeof *found.items, by_row);
	for (i = 0; i < found.count; i++) {
		if (found.items[i].row < next)
			found.items[i].row = next;
		next = found.items[i].row + 1;
		vec_push(&d->items, found.items[i]);
	}
	if (d->rows < next)
		d->rows = next;
	vec_release(&found);
}

static int join_columns(struct drawing *d, uint32_t column)
{
	struct wire *list = mem_zalloc(d->items.count * sizeof *list);
	uint32_t count = 0;
	size_t i, j;
	int rc;

	for (i = 0; i < d->items.count; i++) {
		const struct item *from = &d->items.items[i];

		if (from->column != column)
			continue;
		list[count].row = from->row;
		for (j = 0; j < d->items.count; j++)
			if (d->items.items[j].column == column + 1 &&
				leads(d, from, &d->items.items[j]))
				rows_set(&list[count].targets, d->items.items[j].row);
		count++;
	}
	rc = wires_make(&d->wires[column], list, count);
	free(list);
	return rc;
}

static const char *label_of(const struct vertex *v, char *text, size_t size)
{
	if (v->instances == 1)
		return v->name;
	(void)snprintf(text, size, "%s (x%u)", v->name, v->instances);
	return text;
}

static uint32_t label_width(const struct vertex *v)
{
	char text[160];

	return (uint32_t)strlen(label_of(v, text, sizeof text));
}

/* Columns side by side: names, then " -" + vertical lines + "-> ". */
static void measure(struct drawing *d)
{
	uint32_t c;
	size_t i;

	for (i = 0; i < d->items.count; i++) {
		const struct item *item = &d->items.items[i];
		uint32_t width = label_width(&d->shape->vertices[item->vertex]);

		if (!item->is_line && d->width[item->column] < width)
			d->width[item->column] = width;
	}
	for (c = 0; c < d->columns; c++) {
		d->at[c] = d->total;
		d->total += d->width[c];
		if (c + 1 < d->columns)
			d->total += 5 + d->wires[c].columns;
	}
}

static unsigned char *cell(struct drawing *d, uint32_t row, uint32_t x)
{
	return &d->cells[(size_t)row * d->total + x];
}

static void draw_line(struct drawing *d, uint32_t row, uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		*cell(d, row, from) |= ARM_LEFT | ARM_RIGHT;
}

/* Only asked for where there is one. */
static const struct item *item_at(const struct drawing *d, uint32_t column, uint32_t row)
{
	const struct item *item = d->items.items;

	while (item->column != column || item->row != row) {
		item++;
		assert(item < d->items.items + d->items.count);
	}
	return item;
}

/* From the end of an item's name (or the start of a line's column) to x. */
static void draw_source(struct drawing *d, uint32_t column, uint32_t row, uint32_t x)
{
	const struct item *item = item_at(d, column, row);
	uint32_t from = d->at[column];

	if (!item->is_line)
		from += label_width(&d->shape->vertices[item->vertex]) + 1;
	draw_line(d, row, from, x);
}

/* From x to the arrow's head before an item, or to the end of the gap before a line. */
static void draw_target(struct drawing *d, uint32_t column, uint32_t row, uint32_t x)
{
	const struct item *item = item_at(d, column, row);
	uint32_t end = d->at[column];

	if (item->is_line) {
		draw_line(d, row, x, end);
		return;
	}
	draw_line(d, row, x, end - 2);
	*cell(d, row, end - 2) = ARM_HEAD;
}

static void draw_horizontal(struct drawing *d, uint32_t column, const struct net *net)
{
	uint32_t start = d->at[column] + d->width[column] + 2, row;
	uint32_t x = start + net->column;

	for (row = net->low; row <= net->high; row++) {
		if (rows_has(&net->sources, row))
			draw_source(d, column, row, net->is_straight ? start : x);
		if (rows_has(&net->targets, row))
			draw_target(d, column + 1, row, net->is_straight ? start : x + 1);
	}
}

/* The vertical line: joined in the rows of its ends, in front of every other line elsewhere. */
static void draw_vertical(struct drawing *d, uint32_t column, const struct net *net)
{
	uint32_t x = d->at[column] + d->width[column] + 2 + net->column, row;

	for (row = net->low; row <= net->high && !net->is_straight; row++) {
		unsigned arms = (row > net->low ? ARM_UP : 0u) | (row < net->high ? ARM_DOWN : 0u);

		if (rows_has(&net->sources, row))
			arms |= ARM_LEFT;
		if (rows_has(&net->targets, row))
			arms |= ARM_RIGHT | (*cell(d, row, x) & ARM_LEFT);
		*cell(d, row, x) = (unsigned char)arms;
	}
}

static void draw(struct drawing *d)
{
	char text[160];
	uint32_t c, i;
	size_t k;

	d->cells = mem_zalloc((size_t)d->rows * d->total + 1);
	d->names = mem_zalloc((size_t)d->rows * d->total + 1);
	for (c = 0; c + 1 < d->columns; c++)
		for (i = 0; i < d->wires[c].count; i++)
			draw_horizontal(d, c, &d->wires[c].nets[i]);
	for (c = 0; c + 1 < d->columns; c++)
		for (i = 0; i < d->wires[c].count; i++)
			draw_vertical(d, c, &d->wires[c].nets[i]);
	for (k = 0; k < d->items.count; k++) {
		const struct item *item = &d->items.items[k];
		const char *label;

		if (item->is_line)
			continue;
		label = label_of(&d->shape->vertices[item->vertex], text, sizeof text);
		memcpy(d->names + (size_t)item->row * d->total + d->at[item->column], label,
			strlen(label));
	}
}

static void put_cell(struct buf *out, unsigned char arms, bool utf8)
{
	static const char *const glyphs[16] = { " ", "│", "│", "│", "─", "┘", "┐", "┤", "─", "└",
		"┌", "├", "─", "┴", "┬", "┼" };

	if (arms == ARM_HEAD)
		buf_char(out, '>');
	else if (utf8)
		buf_str(out, glyphs[arms & 15]);
	else if ((arms & (ARM_LEFT | ARM_RIGHT)) == 0)
		buf_char(out, (arms & 3) != 0 ? '|' : ' ');
	else
		buf_char(out, (arms & 3) != 0 ? '+' : '-');
}

static void print(struct buf *out, const struct drawing *d, bool utf8)
{
	uint32_t row, x, end;

	for (row = 0; row < d->rows; row++) {
		const unsigned char *cells = d->cells + (size_t)row * d->total;
		const char *names = d->names + (size_t)row * d->total;

		for (end = d->total; end > 0 && cells[end - 1] == 0 && names[end - 1] == 0;)
			end--;
		for (x = 0; x < end; x++) {
			if (names[x] != 0)
				buf_char(out, names[x]);
			else
				put_cell(out, cells[x], utf8);
		}
		buf_char(out, '\n');
	}
}

static void release(struct drawing *d)
{
	uint32_t c;

	for (c = 0; d->wires != NULL && c < d->columns; c++)
		wires_release(&d->wires[c]);
	vec_release(&d->items);
	free(d->depth);
	free(d->reach);
	free(d->wires);
	free(d->at);
	free(d->width);
	free(d->cells);
	free(d->names);
}

/* Place everything. -1: it cannot be drawn so that it is read rightly, or not in that width. */
static int arrange(struct drawing *d, const struct layout_style *style)
{
	uint32_t c;

	if (d->shape->count > LAYOUT_STAGES_MAX || !find_depths(d))
		return -1;
	find_reach(d);
	d->wires = mem_zalloc(d->columns * sizeof *d->wires);
	d->at = mem_zalloc(d->columns * sizeof *d->at);
	d->width = mem_zalloc(d->columns * sizeof *d->width);
	for (c = 0; c < d->columns; c++)
		fill_column(d, c);
	if (d->rows > WIRE_ROWS)
		return -1;
	for (c = 0; c + 1 < d->columns; c++)
		if (join_columns(d, c) < 0)
			return -1;
	measure(d);
	return d->total > (style->width > 0 ? style->width : PICTURE_MAX) ? -1 : 0;
}

/* Cut the line that began at `start`. Names are ASCII, so a byte is a column. */
static void end_line(struct buf *out, size_t start, unsigned width)
{
	if (width > 3 && out->len - start > width) {
		out->len = start + width - 3;
		buf_str(out, "...");
	}
	buf_char(out, '\n');
}

static void write_list(struct buf *out, const struct drawing *d, unsigned width)
{
	const struct shape *s = d->shape;
	char text[160];
	uint32_t i, j;

	for (i = 0; i < s->count; i++) {
		struct span before = s->vertices[i].before;
		uint32_t indent = before.count > 0 ? 2 : 0;
		size_t start = out->len;

		buf_repeat(out, ' ', indent);
		buf_str(out, label_of(&s->vertices[i], text, sizeof text));
		for (j = 0; j < before.count; j++)
			buf_printf(out, "%s%s", j > 0 ? ", " : " <- ",
				s->vertices[s->links[before.first + j]].name);
		end_line(out, start, width);
	}
}

int layout_draw(struct buf *out, const struct graph *g, const struct layout_style *style)
{
	struct drawing d = { 0 };
	struct shape shape;
	int form = LAYOUT_EMPTY;

	shape_make(&shape, g, true);
	d.shape = &shape;
	d.depth = mem_zalloc((shape.count + 1) * sizeof *d.depth);
	d.reach = mem_zalloc((shape.count + 1) * sizeof *d.reach);
	if (shape.count > 0 && arrange(&d, style) == 0) {
		draw(&d);
		print(out, &d, style->utf8);
		form = LAYOUT_PICTURE;
	} else if (shape.count > 0) {
		write_list(out, &d, style->width);
		form = LAYOUT_LIST;
	}
	release(&d);
	shape_release(&shape);
	return form;
}
