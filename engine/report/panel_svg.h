/*
 * report/panel_svg.h - curves as a picture that stands alone: SVG without scripts and without anything from elsewhere.
 *
 *     struct panel_svg svg = { 0 };
 *     for each: panel_svg_add(&svg, &panel, 300);
 *     panel_svg_write(&svg, "run 01a1fd98-1ae0", &out);
 *     panel_svg_release(&svg);
 *
 * Panels stand below each other, each with its title, a grid of round numbers, its curves, and a legend of those that have a label. It is
 * light or dark as its reader prefers. Texts may be anybody's: what XML cannot hold is replaced, what is too long is cut.
 */
#ifndef FLOW_REPORT_PANEL_SVG_H
#define FLOW_REPORT_PANEL_SVG_H

#include "base/buf.h"

struct panel;

struct panel_svg {
	struct buf body;
	unsigned height; /* so far */
};

void panel_svg_add(struct panel_svg *svg, struct panel *p, unsigned height); /* of the drawing alone; sets the panel's axes */
void panel_svg_write(const struct panel_svg *svg, const char *title, struct buf *out);
void panel_svg_release(struct panel_svg *svg);

#endif
