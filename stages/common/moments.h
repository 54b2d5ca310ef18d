/*
 * common/moments.h - what is known of a column of numbers: how many, extremes, mean, deviation.
 *
 *     struct moments m = MOMENTS_NONE;
 *     moments_add(&m, numbers, present, count);  ...  moments_merge(&m, &other);
 *     ...m.mean, moments_deviation(&m)...
 *
 * Numbers that are not finite are counted apart and are in no other figure. Sums are made in blocks
 * of a fixed size, so that the same numbers in the same order give the same bits.
 */
#ifndef FLOW_STAGES_COMMON_MOMENTS_H
#define FLOW_STAGES_COMMON_MOMENTS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

struct moments {
	uint64_t count;    /* finite numbers */
	uint64_t missing;  /* not present, or NaN */
	uint64_t infinite; /* one of the two infinities */
	double minimum, maximum, mean;
	double squares; /* sum of (number - mean) squared */
};

#define MOMENTS_NONE ((struct moments){ .minimum = (double)INFINITY, .maximum = -(double)INFINITY })

/* present: a byte each, or NULL. */
void moments_add(struct moments *m, const double *numbers, const uint8_t *present, size_t count);
void moments_merge(struct moments *m, const struct moments *other);
double moments_deviation(const struct moments *m); /* of the population; 0 without numbers */

#endif
