/*
 * evaluate/curve.h - what all thresholds at once say of scores: one sort, one walk.
 *
 *     struct curve c;
 *     curve_measure(&c, probabilities, stride, truths, count);    truths: 1 for the positive, 0
 *     ...c.roc_auc, c.average_precision, c.best_f1, c.best_threshold...
 *
 * Definitions are those of scikit-learn. With equal scores a pair of a positive and a negative
 * counts half in roc_auc, and average_precision takes them as one step: sum over thresholds of
 * (recall - recall before) * precision. Without positives all four are NaN, without negatives
 * roc_auc is.
 */
#ifndef FLOW_STAGES_EVALUATE_CURVE_H
#define FLOW_STAGES_EVALUATE_CURVE_H

#include <stddef.h>
#include <stdint.h>

struct curve {
	double roc_auc, average_precision;
	double best_f1, best_threshold; /* the highest of those that are equally good */
};

/* probability[i * stride] is that of row i. */
void curve_measure(struct curve *c, const float *probability, size_t stride, const uint8_t *truth,
	size_t count);

#endif
