/*
 * train/fit.h - epochs of descent, watched.
 *
 * fit_standardise() gives the model the mean and spread of each pixel over the training rows; then
 * fit_run() changes its weights. With validation rows the weights of the best epoch are the ones
 * that are left, and training stops when no epoch has been better for `patience` of them. Order of
 * rows, and so every bit of the weights, follows from the seed.
 *
 * Every epoch records the metrics loss, lr, samples_per_second and, with validation rows,
 * valid_loss and valid_accuracy. fit_run() returns -1 when training diverges, which it tells by
 * naming lr, and when the host asks it to stop.
 */
#ifndef FLOW_STAGES_TRAIN_FIT_H
#define FLOW_STAGES_TRAIN_FIT_H

#include <flow/plugin.h>

#include <stddef.h>
#include <stdint.h>

struct dataset;
struct fault;
struct linear;

struct fit_options {
	long epochs;
	size_t batch_size;
	double rate; /* lr: the rate of the first step */
	double momentum;
	double decay;  /* weight_decay: L2 */
	double l1;     /* by a soft threshold after each step (Duchi and Singer 2009) */
	long patience; /* 0: never stop early */
	int is_cosine; /* the rate falls to 0 along a cosine; else it stays */
	uint64_t seed;
};

struct fit_result {
	long epochs;     /* that were run */
	long best_epoch; /* the one whose weights are left; the last without validation rows */
	double valid_loss, valid_accuracy; /* of it; 0 without validation rows */
};

void fit_standardise(struct linear *model, const struct dataset *train);

/* valid: NULL for none. */
int fit_run(struct linear *model, const struct dataset *train, const struct dataset *valid,
	const struct fit_options *options, const flow_host *host, flow_ctx *ctx,
	struct fit_result *result, struct fault *fault);

#endif
