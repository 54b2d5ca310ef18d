/*
 * train/augment.h - images looked at a little differently each time, so that the net learns what does
 * not matter.
 *
 *     struct augment a;  augment_read(&a, json, fault);           with.augment
 *     augment_check(&a, height, width, fault);
 *     if (augment_is_on(&a))
 *             augment_views(&a, view, rows, count, height, width, seed, epoch);
 *
 * How a row is seen in an epoch is a function of seed, epoch and row: the same in whatever order and
 * by however many threads it is asked, and after a training was taken up.
 */
#ifndef FLOW_STAGES_TRAIN_AUGMENT_H
#define FLOW_STAGES_TRAIN_AUGMENT_H

#include <stddef.h>
#include <stdint.h>

struct fault;
struct nn_view;

struct augment {
	int mirrors;  /* left and right change places, half of the time */
	size_t shift; /* pixels in each direction, at most */
	double crop;  /* the least share of each side that is seen; 1: all */
};

/* json NULL: nothing is done. */
int augment_read(struct augment *a, const char *json, struct fault *fault);
int augment_check(const struct augment *a, size_t height, size_t width, struct fault *fault);
int augment_is_on(const struct augment *a);

void augment_views(const struct augment *a, struct nn_view *view, const int64_t *rows, size_t count,
	size_t height, size_t width, uint64_t seed, uint32_t epoch);

#endif
