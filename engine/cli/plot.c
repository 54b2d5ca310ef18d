#include "cli/plot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "report/panel.h"

#define COLUMNS_LEAST 12 /* of the drawing, however narrow the screen is */
#define COLUMNS_MOST  400
#define ROWS_MOST     100
#define LETTERS_APART 5 /* columns that are kept for letters that would stand on each other */
#define TICKS         5
#define TICKS_FEW     4 /* where there are fewer than ROWS_MANY */
#define ROWS_MANY     10
#define STEP          "step "

/* One character of the drawing. */
struct cell {
	unsigned char dots;  /* braille: bits as in Unicode; else 1 where a line is */
	unsigned char curve; /* that was here last */
	char letter;         /* instead of dots; 0: none */
};

struct canvas {
	const struct panel *panel;
	const struct screen *screen;
	unsigned columns, rows, right; /* right: columns for letters, beside the dots */
	int wide, high;                /* dots */
	struct cell *cells;
};

static struct cell *cell_at(const struct canvas *c, unsigned column, unsigned row)
{
	return &c->cells[row * (c->columns + c->right) + column];
}

static void put_dot(struct canvas *c, int x, int y, size_t curve)
{
	static const unsigned char bits[4][2] = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 },
		{ 0x40, 0x80 } };
	bool utf8 = c->screen->utf8;
	struct cell *cell = cell_at(c, (unsigned)(utf8 ? x / 2 : x), (unsigned)(utf8 ? y / 4 : y));

	cell->dots |= utf8 ? bits[y % 4][x % 2] : 1;
	cell->curve = (unsigned char)curve;
}

/* Bresenham's line. */
static void put_line(struct canvas *c, int x, int y, int to_x, int to_y, size_t curve)
{
	int wide = abs(to_x - x), high = -abs(to_y - y), off = wide + high;
	int right = x < to_x ? 1 : -1, down = y < to_y ? 1 : -1;

	for (;;) {
		int twice = 2 * off;

		put_dot(c, x, y, curve);
		if (x == to_x && y == to_y)
			return;
		if (twice >= high) {
			off += high;
			x += right;
		}
		if (twice <= wide) {
			off += wide;
			y += down;
		}
	}
}

/* -- the axes ------------------------------------------------------------------------------------------------------- */

static int dot_x(const struct canvas *c, int64_t step)
{
	return (int)lround(axis_place(&c->panel->x, (long double)step) * (c->wide - 1));
}

static int dot_y(const struct canvas *c, long double value)
{
	return c->high - 1 - (int)lround(axis_place(&c->panel->y, value) * (c->high - 1));
}

/* The tick whose place is in this row; the number of ticks: none. */
static unsigned tick_of_row(const struct canvas *c, unsigned row)
{
	unsigned i;

	for (i = 0; i < c->panel->y.count; i++)
		if (dot_y(c, c->panel->y.ticks[i]) / (c->high / (int)c->rows) == (int)row)
			break;
	return i;
}

/* -- the curves ----------------------------------------------------------------------------------------------------- */

/* Behind the last point, in that row or the nearest one with room. */
static void put_letter(struct canvas *c, const struct point *last, size_t curve)
{
	int column = dot_x(c, last->step) / (c->wide / (int)c->columns) + 1;
	int row = dot_y(c, (long double)last->value) / (c->high / (int)c->rows);
	int away, side, at;

	for (away = 0; away < (int)c->rows; away++)
		for (side = 0; side < 2; side++) {
			int there = side == 0 ? row + away : row - away;

			if (there < 0 || there >= (int)c->rows)
				continue;
			for (at = column; at < (int)(c->columns + c->right); at++) {
				struct cell *cell = cell_at(c, (unsigned)at, (unsigned)there);

				if (cell->letter != 0)
					continue;
				cell->letter = c->panel->curves[curve].letter;
				cell->curve = (unsigned char)curve;
				return;
			}
		}
}

static void put_curve(struct canvas *c, size_t curve)
{
	const struct panel_curve *of = &c->panel->curves[curve];
	int x, y, old_x = 0, old_y = 0;
	bool joins = false;
	size_t i;

	for (i = 0; i < of->count; i++) {
		if (!isfinite(of->points[i].value)) {
			joins = false;
			continue;
		}
		x = dot_x(c, of->points[i].step);
		y = dot_y(c, (long double)of->points[i].value);
		put_line(c, joins ? old_x : x, joins ? old_y : y, x, y, curve);
		old_x = x;
		old_y = y;
		joins = true;
	}
}

static void put_curves(struct canvas *c)
{
	const struct point *end;
	size_t i;

	for (i = 0; i < c->panel->count; i++)
		put_curve(c, i);
	for (i = 0; i < c->panel->count; i++) {
		end = panel_end(&c->panel->curves[i]);
		if (end != NULL && c->panel->curves[i].letter != 0)
			put_letter(c, end, i);
	}
}

/* -- as text -------------------------------------------------------------------------------------------------------- */

enum paint plot_paint(size_t curve)
{
	static const enum paint paints[] = { PAINT_CYAN, PAINT_YELLOW, PAINT_GREEN, PAINT_RED,
		PAINT_BLUE };

	return paints[curve % (sizeof paints / sizeof *paints)];
}

static void cell_text(const struct canvas *c, const struct cell *cell, struct buf *out)
{
	char letter = c->panel->curves[cell->curve].letter;

	if (cell->letter != 0)
		buf_char(out, cell->letter);
	else if (cell->dots == 0)
		buf_char(out, ' ');
	else if (!c->screen->utf8)
		buf_char(out, letter != 0 ? letter : '*');
	else
		buf_printf(out, "\xe2%c%c", 0xa0 + (cell->dots >> 6), 0x80 + (cell->dots & 0x3f));
}

static bool is_empty(const struct cell *cell)
{
	return cell->dots == 0 && cell->letter == 0;
}

/* Cells of one curve that follow each other are painted together. */
static void write_cells(struct screen *o, const struct canvas *c, unsigned row)
{
	unsigned count = c->columns + c->right, i;
	const struct cell *cells = cell_at(c, 0, row);
	struct buf part = { 0 };

	while (count > 0 && is_empty(&cells[count - 1]))
		count--;
	for (i = 0; i < count; i++) {
		bool ends = i + 1 == count || is_empty(&cells[i]) != is_empty(&cells[i + 1]) ||
			    cells[i].curve != cells[i + 1].curve;

		cell_text(c, &cells[i], &part);
		if (!ends)
			continue;
		screen_paint(o, is_empty(&cells[i]) ? PAINT_NONE : plot_paint(cells[i].curve),
			buf_text(&part));
		buf_clear(&part);
	}
	buf_release(&part);
}

static void write_rows(struct screen *o, const struct canvas *c, unsigned labels)
{
	unsigned row, before = c->panel->y.count;
	char text[32];

	for (row = 0; row < c->rows; row++) {
		unsigned tick = tick_of_row(c, row);
		bool has_tick = tick < c->panel->y.count && tick != before;

		screen_printf(o, "%*s ", (int)labels,
			has_tick ? axis_label(&c->panel->y, tick, text) : "");
		screen_str(o, has_tick ? (o->utf8 ? "┤" : "+") : o->utf8 ? "│" : "|");
		write_cells(o, c, row);
		screen_str(o, "\n");
	}
}

/* The axis of steps, and below its ends the first and the last one; or the only one, where it is. */
static void write_foot(struct screen *o, const struct canvas *c, unsigned labels)
{
	unsigned ends = labels + 2 + c->columns, from = labels + 2, i;
	char first[40], last[32] = "";

	screen_printf(o, "%*s %s", (int)labels, "", o->utf8 ? "└" : "+");
	for (i = 0; i < c->columns; i++)
		screen_str(o, o->utf8 ? "─" : "-");
	(void)snprintf(first, sizeof first, STEP "%lld", (long long)c->panel->first);
	if (c->panel->last > c->panel->first)
		(void)snprintf(last, sizeof last, "%lld", (long long)c->panel->last);
	else
		from += c->columns / 2;
	from = from > strlen(STEP) ? from - (unsigned)strlen(STEP) : 0;
	screen_printf(o, "\n%*s%s", (int)from, "", first);
	if (from + strlen(first) + strlen(last) < ends && last[0] != '\0')
		screen_printf(o, "%*s", (int)(ends - from - strlen(first)), last);
	screen_str(o, "\n");
}

void plot_draw(struct screen *o, struct panel *p, unsigned columns, unsigned rows)
{
	struct canvas c = { .panel = p, .screen = o };
	struct arena arena = { 0 };
	unsigned labels, around;
	size_t i;

	panel_axes(p, rows < ROWS_MANY ? TICKS_FEW : TICKS);
	labels = axis_label_length(&p->y);
	for (i = 0; i < p->count && c.right < LETTERS_APART; i++)
		c.right += p->curves[i].letter != 0;
	around = labels + 2 + c.right;
	c.columns = columns > around + COLUMNS_LEAST ? columns - around : COLUMNS_LEAST;
	c.columns = c.columns < COLUMNS_MOST ? c.columns : COLUMNS_MOST;
	c.rows = rows > ROWS_MOST ? ROWS_MOST : rows > 0 ? rows : 1;
	c.wide = (int)c.columns * (o->utf8 ? 2 : 1);
	c.high = (int)c.rows * (o->utf8 ? 4 : 1);
	c.cells = arena_zalloc(&arena, (c.columns + c.right) * c.rows * sizeof *c.cells);
	put_curves(&c);
	write_rows(o, &c, labels);
	write_foot(o, &c, labels);
	arena_release(&arena);
}
