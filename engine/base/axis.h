/*
 * base/axis.h - an axis of a plot: which values it shows, and the round numbers on it.
 *
 *     struct axis y;
 *     axis_make(&y, AXIS_LINEAR, least, most, 5);
 *     for (i = 0; i < y.count; i++)
 *             ...axis_place(&y, y.ticks[i])..., axis_label(&y, i, text)
 *
 * Round numbers are 1, 2 or 5 times a power of ten apart, as in Heckbert's "Nice Numbers for Graph Labels" (Graphics Gems, 1990); of a
 * logarithmic axis they are powers of ten, or 1, 2 and 5 times those. An axis ends where its data end. Where fewer than three of its round
 * numbers would lie between the ends it is widened to the next one. Where all values are the same, that value stands in the middle and is the
 * only number.
 * Any finite numbers are welcome: long double holds the difference of any two doubles, and a fraction of the least of them.
 */
#ifndef FLOW_BASE_AXIS_H
#define FLOW_BASE_AXIS_H

#include <stdint.h>

#define AXIS_TICKS_MAX 8u

enum axis_scale { AXIS_LINEAR, AXIS_LOG }; /* AXIS_LOG: of values above zero */

struct axis {
	enum axis_scale scale;
	long double low, high;                  /* its ends, low < high */
	long double ticks[AXIS_TICKS_MAX];      /* ascending, between the ends */
	unsigned count;
	long double unit;                       /* how far apart they are; 0: not evenly, or there is one */
};

/* From 3 to `most` ticks; a logarithmic axis may have two, one for a single value has it alone. */
void axis_make(struct axis *x, enum axis_scale scale, double least, double most_value, unsigned most);

/* Whole numbers from first to last, never widened. */
void axis_steps(struct axis *x, int64_t first, int64_t last, unsigned most);

double axis_place(const struct axis *x, long double value); /* 0 at the low end, 1 at the high one */
const char *axis_label(const struct axis *x, unsigned tick, char text[32]);
unsigned axis_label_length(const struct axis *x); /* of the longest */

#endif
