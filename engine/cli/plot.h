/*
 * cli/plot.h - curves drawn with characters.
 *
 *     plot_draw(&screen, &panel, 80, 15);
 *
 *      0.8 ┤⢄
 *          │ ⠑⠤⣀
 *      0.4 ┤    ⠉⠒⠤⢄⡀a
 *          └──────────
 *     step 1        30
 *
 * Two lines more than `rows`, none wider than `columns` if that leaves some for the drawing. Where the screen is UTF-8 a character is a cell of 2 x 4 dots (braille), else one
 * mark: the letter of its curve, or `*`. Points are joined by lines, except over a gap. A letter stands behind the last point of its curve.
 */
#ifndef FLOW_CLI_PLOT_H
#define FLOW_CLI_PLOT_H

#include <stddef.h>

#include "cli/screen.h"

struct panel;

void plot_draw(struct screen *o, struct panel *p, unsigned columns, unsigned rows); /* sets its axes */
enum paint plot_paint(size_t curve);                                                /* the colour of the nth */

#endif
