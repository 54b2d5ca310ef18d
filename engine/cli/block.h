/*
 * cli/block.h - the lines at the bottom of the terminal: what runs now, and how far the run is.
 *
 *     block_make(&b, &view, &eta);      b.text, without a line end behind the last line
 *     block_rows(&b, columns)           rows it takes on a terminal that has become narrower since
 *     block_release(&b)
 *
 * Or line by line, at most BLOCK_LINES:
 *     struct screen line = block_begin(&screen);
 *     screen_printf(&line, ...);
 *     block_end(&b, &line, room);       cut at so many columns
 *
 * No line is wider than the terminal. A zeroed block is an empty one.
 */
#ifndef FLOW_CLI_BLOCK_H
#define FLOW_CLI_BLOCK_H

#include <stdint.h>

#include "base/buf.h"

struct eta;
struct screen;
struct view;

#define BLOCK_TASKS 8 /* lines for running tasks; at most a third of the terminal */
#define BLOCK_LINES (BLOCK_TASKS + 1)
#define BLOCK_ECHO  3 /* columns that the last line leaves for the `^C` that a terminal writes after it */

struct block {
	struct buf text;
	unsigned count;                   /* lines */
	unsigned widths[BLOCK_LINES]; /* of each, in columns */
};

struct screen block_begin(const struct screen *like);
void block_end(struct block *b, struct screen *line, unsigned room);
/* Whole seconds: a figure that changes with each frame makes the eye tired, and each frame a write. */
const char *block_elapsed(int64_t ms, char text[32]);

void block_make(struct block *b, struct view *v, const struct eta *eta);
unsigned block_rows(const struct block *b, unsigned columns);
void block_release(struct block *b);

#endif
