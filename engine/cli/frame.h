/*
 * cli/frame.h - what is on the terminal: lines that scroll away, and below them a block that is drawn again and again.
 *
 *     struct frame f = { 0 };
 *     frame_draw(&f, &screen, text, len, &next, again)    the old block away, the text, the new block: one write
 *     frame_draw(&f, &screen, text, len, &none, again)    an empty block: the last frame
 *
 * frame_draw() takes the block. Nothing is written when all would be as it was. again: what was drawn is elsewhere, draw all of it.
 */
#ifndef FLOW_CLI_FRAME_H
#define FLOW_CLI_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/block.h"

struct screen;

struct frame {
	struct block block; /* on the screen */
	unsigned columns;   /* of the terminal when it was drawn */
};

void frame_draw(struct frame *f, struct screen *o, const char *text, size_t len, struct block *next, bool again);

#endif
