/*
 * report/panel.h - curves that are drawn together, on the same axes, with characters (cli/plot.h) or as a picture (report/panel_svg.h).
 *
 *     struct panel p = { .curves = curves, .count = 2, .log = false };
 *     panel_axes(&p, 5);        sets p.x, p.y
 *
 * A value that is not finite is a gap. Any values and steps are welcome, also none.
 */
#ifndef FLOW_REPORT_PANEL_H
#define FLOW_REPORT_PANEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/axis.h"
#include "store/measures.h"

#define PANEL_CURVES_MAX 26u /* a letter for each */

struct panel_curve {
	const struct point *points; /* ascending by step; with `log` of the panel no finite value is zero or less */
	size_t count;
	char letter;                /* at its last point; 0: none */
	const char *label;          /* of the legend of a picture; "": none */
};

struct panel {
	const char *title, *note;   /* note: beside the title, dimmer */
	const struct panel_curve *curves;
	size_t count;               /* at most PANEL_CURVES_MAX */
	bool log;                   /* the vertical axis is logarithmic */

	struct axis x, y;
	int64_t first, last;        /* step */
};

void panel_axes(struct panel *p, unsigned ticks);

/* The last point of a curve that is drawn; NULL: none is. */
const struct point *panel_end(const struct panel_curve *curve);

#endif
