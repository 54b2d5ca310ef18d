/*
 * train/coefficients.h - what each column adds to the scores of a linear model.
 *
 *     coefficients_write(&recipe, &samples, &scaling, model, host->out(ctx, "importance"), fault);
 *
 * The coefficient of a column is how far its part of a score spreads over the training rows (the
 * standard deviation), the mean over all outputs. Of a number that is its weight, without the sign,
 * in units of the column's deviation: the standardised coefficient; of a category it is the spread
 * of what its embedding comes to. Of softmax only differences between classes count. The weights are
 * read from the model's file: they are what will be used.
 */
#ifndef FLOW_STAGES_TRAIN_COEFFICIENTS_H
#define FLOW_STAGES_TRAIN_COEFFICIENTS_H

struct fault;
struct recipe;
struct samples;
struct scaling;

int coefficients_write(const struct recipe *recipe, const struct samples *samples,
	const struct scaling *scaling, const char *model, const char *path, struct fault *fault);

#endif
