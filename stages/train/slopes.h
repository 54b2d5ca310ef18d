/*
 * train/slopes.h - what boosting asks of the data: the slope and the curve of each row's loss at its
 * score, and how good the scores are.
 *
 *     struct slopes s = { .loss = ..., .outputs = ..., .pool = pool, ... };
 *     loss = slopes_take(&s, scores, round);          s.slope, s.curve: [count][outputs]
 *     loss = slopes_judge(&s, scores, rows, count, &quality);      of other rows
 *
 * Both are rounded to a grid so coarse that sums of them in double precision are exact: then a sum
 * is the same in whatever order and by however many threads it is made, and so are the trees. The
 * grid has 2^24 steps up to the largest slope there can be, which is what a float has anyway.
 * Rows that a round leaves out have slope and curve 0.
 */
#ifndef FLOW_STAGES_TRAIN_SLOPES_H
#define FLOW_STAGES_TRAIN_SLOPES_H

#include <stddef.h>
#include <stdint.h>

struct pool;
struct samples;

struct slopes {
	int loss;       /* enum nn_loss_kind */
	size_t outputs; /* 1, or one a class; softmax of two classes is one score, of class 1 */
	const float *weight; /* softmax: of each class; sigmoid: of class 1; NULL: all 1 */
	size_t weight_count;
	double delta; /* huber */
	const struct samples *samples;
	struct pool *pool;
	uint64_t seed;
	double row_sample; /* share of the rows that a round looks at */
	float *slope, *curve;
};

/* The mean loss of the training rows, weights counted. Not finite: the scores are not. */
double slopes_take(struct slopes *s, const float *scores, uint32_t round);

/* Mean loss without weights; quality: share of rows named rightly, or root mean squared error. */
double slopes_judge(const struct slopes *s, const float *scores, const int64_t *rows, size_t count,
	double *quality);

#endif
