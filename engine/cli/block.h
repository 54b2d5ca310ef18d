/*
 * cli/block.h - the lines at the bottom of the terminal: what runs now, and how far the run is.
 *
 *     block_make(&b, &view, &eta);      b.text, without a line end behind the last line
 *     block_rows(&b, columns)           rows it takes on a terminal that has become narrower since
 *     block_release(&b)
 *
 * No line is wider than the terminal. A zeroed block is an empty one.
 */
#ifndef FLOW_CLI_BLOCK_H
#define FLOW_CLI_BLOCK_H

#include "base/buf.h"

struct eta;
struct view;

#define BLOCK_TASKS 8 /* lines for running tasks; at most a third of the terminal */

struct block {
	struct buf text;
	unsigned count;                   /* lines */
	unsigned widths[BLOCK_TASKS + 1]; /* of each, in columns */
};

void block_make(struct block *b, struct view *v, const struct eta *eta);
unsigned block_rows(const struct block *b, unsigned columns);
void block_release(struct block *b);

#endif
