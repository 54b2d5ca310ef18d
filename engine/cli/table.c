#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/vec.h"
#include "cli/screen.h"

void table_cell(struct table *t, enum paint paint, const char *fmt, ...)
{
	struct table_cell cell = { .paint = paint };
	va_list ap;

	va_start(ap, fmt);
	cell.text = arena_vprintf(t->arena, fmt, ap);
	va_end(ap);
	vec_push(&t->cells, cell);
}

static void measure(const struct table *t, unsigned *widths)
{
	size_t i;

	for (i = 0; i < t->cells.count; i++) {
		unsigned width = text_columns(t->cells.items[i].text);

		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
	}
}

static bool is_last(const struct table *t, size_t i)
{
	size_t column = i % t->columns;

	/* What follows is empty up to the end of the row. */
	for (i++, column++; column < t->columns && i < t->cells.count; i++, column++)
		if (t->cells.items[i].text[0] != '\0')
			return false;
	return true;
}

static void write_cell(
	const struct table *t, struct screen *o, size_t i, unsigned width, unsigned at)
{
	const struct table_cell *cell = &t->cells.items[i];
	unsigned own = text_columns(cell->text), room = o->columns > at ? o->columns - at : 1;
	bool right = (t->right >> i % t->columns & 1) != 0;
	struct screen part = *o;

	if (right && own < width)
		buf_repeat(&o->text, ' ', width - own);
	if (o->tty && is_last(t, i) && own > room) {
		part.text = (struct buf){ 0 };
		screen_cut(&part, cell->text, room);
		screen_paint(o, cell->paint, buf_text(&part.text));
		buf_release(&part.text);
		return;
	}
	screen_paint(o, cell->paint, cell->text);
	if (!right && own < width && !is_last(t, i))
		buf_repeat(&o->text, ' ', width - own);
}

void table_write(struct table *t, struct screen *o)
{
	unsigned *widths = arena_zalloc(t->arena, (t->columns + 1) * sizeof *widths), at = 0;
	size_t i;

	measure(t, widths);
	for (i = 0; i < t->cells.count; i++) {
		size_t column = i % t->columns;

		if (column == 0)
			at = 0;
		write_cell(t, o, i, widths[column], at);
		at += widths[column] + 2;
		if (is_last(t, i)) {
			buf_char(&o->text, '\n');
			i += t->columns - 1 - column;
		} else {
			buf_str(&o->text, "  ");
		}
	}
	vec_release(&t->cells);
}
