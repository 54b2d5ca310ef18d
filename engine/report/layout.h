/*
 * report/layout.h - a graph drawn with characters, for terminals.
 *
 *     struct layout_style style = { .width = 80, .utf8 = true };  layout_draw(&buf, g, &style)
 *
 *     prepare ─┬─> train (x27) ─┬─> evaluate ──> report
 *              └─> baseline ────┘
 * Stages stand in columns by depth, instances of a stage together. Lines that meet belong together;
 * where a line only passes behind another it is interrupted. When the picture would be wider than
 * the terminal, would have over LAYOUT_STAGES_MAX stages, or could be misread, an indented list is
 * written instead. The same graph gives the same text. Returns which.
 */
#ifndef FLOW_REPORT_LAYOUT_H
#define FLOW_REPORT_LAYOUT_H

#include <stdbool.h>

struct buf;
struct graph;

#define LAYOUT_STAGES_MAX 40

enum layout_form { LAYOUT_EMPTY, LAYOUT_PICTURE, LAYOUT_LIST };

struct layout_style {
	unsigned width; /* columns; 0: no limit */
	bool utf8;      /* else plain ASCII */
};

int layout_draw(struct buf *out, const struct graph *g, const struct layout_style *style);

#endif
