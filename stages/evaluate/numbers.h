/*
 * evaluate/numbers.h - how far predicted numbers are from the true ones.
 *
 *     struct numbers n;
 *     numbers_init(&n, targets, quantile);               quantile: that the model predicts, NaN: none
 *     for each row: numbers_add(&n, truths, predictions);
 *     numbers_finish(&n);  ...n.mean.rmse, n.of_target[j].r2...
 *     numbers_write(&n, names, path, fault);  numbers_release(&n);
 *
 * Definitions are those of scikit-learn: mse is the mean of squares, rmse its root, mae the mean
 * distance, r2 = 1 - sum (y - f)^2 / sum (y - mean y)^2: of a truth that never changes 1 when each
 * row is met and else 0, of one row undefined (NaN). pinball is the mean of q (y - f) where y is
 * above f, and of (1 - q) (f - y) where it is below. coverage is the share of rows with y <= f: of
 * a good quantile, about q. Figures of several targets are the means of those of each.
 */
#ifndef FLOW_STAGES_EVALUATE_NUMBERS_H
#define FLOW_STAGES_EVALUATE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

struct fault;

struct distances {
	double mse, rmse, mae, r2;
	double pinball, coverage; /* of a quantile */
	double mean, spread;      /* of the truth: spread is the sum of squares around the mean */
};

struct numbers {
	size_t targets;
	uint64_t rows;
	double quantile; /* NaN: the model predicts means */
	struct distances *of_target;
	struct distances mean;
};

void numbers_init(struct numbers *n, size_t targets, double quantile);
void numbers_add(struct numbers *n, const float *truth, const float *predicted);
void numbers_finish(struct numbers *n); /* at least one row */
void numbers_release(struct numbers *n); /* zeroed: nothing */

/* names: one text a target, or NULL. */
int numbers_write(const struct numbers *n, const char *const *names, const char *path,
	struct fault *fault);

#endif
