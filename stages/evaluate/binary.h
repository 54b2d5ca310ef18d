/*
 * evaluate/binary.h - two classes, one of which is to be found.
 *
 *     struct binary b;
 *     binary_init(&b, rows, positive, threshold);
 *     for each row: predicted = binary_add(&b, truth, probabilities);
 *     binary_finish(&b);  ...b.curve.roc_auc, b.brier...  binary_release(&b);
 *
 * A row is predicted positive when the probability of that class is at least the threshold. How
 * well probabilities can be trusted: brier is the mean of (probability - truth) squared; ece splits
 * 0 to 1 into 15 bins of equal width and is the mean over rows of how far the share of positives in
 * a row's bin is from the mean probability in it.
 */
#ifndef FLOW_STAGES_EVALUATE_BINARY_H
#define FLOW_STAGES_EVALUATE_BINARY_H

#include <stddef.h>
#include <stdint.h>

#include "evaluate/curve.h"

#define BINARY_BINS 15

struct binary {
	size_t positive; /* 0 or 1 */
	double threshold;
	float *probability; /* of the positive class */
	uint8_t *truth;
	size_t rows;
	struct curve curve;
	double brier, ece;
};

void binary_init(struct binary *b, size_t rows, size_t positive, double threshold);
/* probabilities: of both classes. Returns the class that is predicted. */
size_t binary_add(struct binary *b, size_t truth, const float *probabilities);
void binary_finish(struct binary *b); /* at least one row */
void binary_release(struct binary *b); /* zeroed: nothing */

#endif
