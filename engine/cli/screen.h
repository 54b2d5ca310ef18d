/*
 * cli/screen.h - writing to a terminal, a pipe or a log.
 *
 *     screen_open(&o, 1, SCREEN_COLOR_AUTO);
 *     screen_printf(&o, ...);  screen_paint(&o, PAINT_GREEN, "ok");  screen_glyph(&o, GLYPH_OK);
 *     return screen_end(&o);                 one write; exit status: 0, or EXIT_MACHINE when the text could not be written
 *
 * Text is collected in o.text and written by screen_flush() or screen_end(). A reader that has gone away (EPIPE) is no error.
 * Colour, first that applies: --color, FLOW_COLOR, NO_COLOR not empty (off), FORCE_COLOR or CLICOLOR_FORCE not empty (on), TERM=dumb or
 * unset (off), else whether it is a terminal. Sixteen colours only, and never the only sign of a meaning.
 * Glyphs are UTF-8 where the locale is (LC_ALL, LC_CTYPE, LANG), else ASCII.
 */
#ifndef FLOW_CLI_SCREEN_H
#define FLOW_CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct arena;
struct diags;
struct err;

enum screen_color { SCREEN_COLOR_AUTO, SCREEN_COLOR_ALWAYS, SCREEN_COLOR_NEVER };
enum paint { PAINT_NONE, PAINT_BOLD, PAINT_DIM, PAINT_RED, PAINT_GREEN, PAINT_YELLOW, PAINT_BLUE, PAINT_CYAN };
enum glyph { GLYPH_OK, GLYPH_FAIL, GLYPH_RUNNING, GLYPH_WAITING, GLYPH_AGAIN, GLYPH_ARROW, GLYPH_ELLIPSIS };

struct screen {
	int fd;
	bool tty, color, utf8, broken;
	unsigned columns, rows;    /* of the terminal; 80 and 24 when unknown */
	struct buf text;
};

void screen_open(struct screen *o, int fd, enum screen_color color);
void screen_size(struct screen *o); /* ask the terminal for its size again */
void screen_printf(struct screen *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void screen_str(struct screen *o, const char *s);
void screen_paint(struct screen *o, enum paint paint, const char *s);
void screen_glyph(struct screen *o, enum glyph glyph);
const char *glyph_text(const struct screen *o, enum glyph glyph);
int screen_flush(struct screen *o, struct err *e);
int screen_end(struct screen *o);

/* Columns that a text takes on a terminal (utf8proc widths; escape sequences count nothing). screen_cut: at most `columns` of it, with an
 * ellipsis when it was longer. Control characters of foreign text are shown as `?`: screen_foreign. */
unsigned text_columns(const char *s);
unsigned text_step(const char *s, size_t *len); /* columns and bytes of the one character at s */
void screen_cut(struct screen *o, const char *s, unsigned columns);
void screen_foreign(struct screen *o, const char *s);

/* A number with so many digits, those before the point never cut: "0.8441", "54000", "1234567". */
const char *short_number(double x, int digits, char text[32]);

/* A table: cells left to right, row after row; columns as wide as their widest cell, two spaces between, the last one cut at the
 * terminal's edge when it is one. Texts are copied. */
struct table {
	struct arena *arena;
	unsigned columns;
	unsigned right;            /* bit i: column i is aligned to the right */
	struct table_cells { struct table_cell *items; size_t count, cap; } cells;
};
struct table_cell {
	const char *text;
	enum paint paint;
};
void table_cell(struct table *t, enum paint paint, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void table_write(struct table *t, struct screen *o); /* and empties it; rows are complete */

/* error[E0107]: ... with file:line:col, the source line and a caret. Source lines are read from disk. */
void screen_err(struct screen *o, const struct err *e);
void screen_diags(struct screen *o, struct diags *d, const char *dag);

#endif
