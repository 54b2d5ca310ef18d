#include "train/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/dataset.h"
#include "common/fault.h"
#include "common/philox.h"
#include "common/softmax.h"
#include "common/seconds.h"
#include "common/text.h"
#include "train/gradient.h"

/*
 * A pixel that hardly ever changes would be blown up by its tiny spread, and its weight would
 * follow a handful of images; no spread is taken to be less than this (of 1 = black to white).
 */
#define SPREAD_MIN 0.1

#define SCORE_ROWS   256 /* validation rows at a time */
#define BATCHES_SEEN 32  /* batches between two looks at the host */

void fit_standardise(struct linear *model, const struct dataset *train)
{
	size_t features = model->features;
	uint64_t *sum = array_new(features, sizeof *sum),
		 *square = array_new(features, sizeof *square);
	float *mean = array_new(features, sizeof *mean),
	      *spread = array_new(features, sizeof *spread);

	for (size_t i = 0; i < train->count; i++) {
		const uint8_t *pixel = dataset_pixels(train, train->row[i]);

		for (size_t j = 0; j < features; j++) {
			sum[j] += pixel[j];
			square[j] += (uint64_t)pixel[j] * pixel[j];
		}
	}
	for (size_t j = 0; j < features; j++) {
		double middle = (double)sum[j] / (double)train->count;
		double variance = (double)square[j] / (double)train->count - middle * middle;
		double deviation = sqrt(variance > 0 ? variance : 0) / 255;

		mean[j] = (float)(middle / 255);
		spread[j] = (float)(deviation > SPREAD_MIN ? deviation : SPREAD_MIN);
	}
	linear_standardise(model, mean, spread);
	free(sum);
	free(square);
	free(mean);
	free(spread);
}

/* All that fit_run() keeps while it runs. */
struct fit {
	struct linear *model;
	const struct dataset *train, *valid;
	const struct fit_options *options;
	const flow_host *host;
	flow_ctx *ctx;
	struct gradient gradient;
	struct scorer scorer;
	int64_t *order; /* training rows in the epoch's order */
	float *best_weight, *best_bias;
	struct fit_result *result;
	char line[120]; /* what the last epoch came to, for progress */
};

/* The rate of a step that lies `done` (0 to 1) of the way through training. */
static double rate_at(const struct fit_options *options, double done)
{
	const double pi = 3.14159265358979323846;

	return options->is_cosine ? options->rate * 0.5 * (1 + cos(pi * done)) : options->rate;
}

static int diverged(const struct fit *fit, long epoch, double loss, struct fault *fault)
{
	if (!isfinite(loss))
		return fault_set(fault,
			"training diverged in epoch %ld: the loss is no longer a number; lower lr "
			"(it is %g)",
			epoch, fit->options->rate);
	return fault_set(fault,
		"training diverged in epoch %ld: loss %g, where guessing gives %.3g; lower lr "
		"(it is %g)",
		epoch, loss, log((double)fit->model->classes), fit->options->rate);
}

/* One walk over the training rows; *loss is their mean loss, each at the weights of its batch. */
static int run_epoch(struct fit *fit, long epoch, double *loss, struct fault *fault)
{
	const struct fit_options *options = fit->options;
	const double epochs = (double)options->epochs;
	size_t count = fit->train->count, batch = 0, size;
	double sum = 0, of_batch, done;

	memcpy(fit->order, fit->train->row, count * sizeof *fit->order);
	philox_order(fit->order, count, options->seed, PHILOX_SHUFFLE, (uint32_t)epoch);
	for (size_t first = 0; first < count; first += size, batch++) {
		size = count - first < options->batch_size ? count - first : options->batch_size;
		done = (double)(epoch - 1) + (double)first / (double)count;
		if (batch % BATCHES_SEEN == 0) {
			if (fit->host->cancelled(fit->ctx))
				return fault_set(fault, "stopped in epoch %ld", epoch);
			fit->host->progress(fit->ctx, done, epochs, fit->line);
		}
		of_batch = gradient_batch(&fit->gradient, fit->train, fit->order + first, size);
		if (!isfinite(of_batch))
			return diverged(fit, epoch, of_batch, fault);
		gradient_step(&fit->gradient, fit->model, (float)rate_at(options, done / epochs),
			(float)options->momentum, (float)options->decay, (float)options->l1);
		sum += of_batch;
	}
	*loss = sum / (double)count;
	if (*loss > 2 * log((double)fit->model->classes))
		return diverged(fit, epoch, *loss, fault);
	return 0;
}

static void validate(struct fit *fit, double *loss, double *accuracy)
{
	const struct dataset *d = fit->valid;
	size_t right = 0, size;

	*loss = 0;
	for (size_t first = 0; first < d->count; first += size) {
		float *score;

		size = d->count - first < SCORE_ROWS ? d->count - first : SCORE_ROWS;
		score = scorer_run(&fit->scorer, d, d->row + first, size);
		for (size_t i = 0; i < size; i++, score += fit->model->lanes) {
			size_t label = dataset_label(d, d->row[first + i]);

			right += softmax_best(score, fit->model->classes) == label;
			*loss += softmax_row(score, fit->model->classes, label);
		}
	}
	*loss /= (double)d->count;
	*accuracy = (double)right / (double)d->count;
}

static void keep_best(struct fit *fit, long epoch, double loss, double accuracy)
{
	const struct linear *model = fit->model;

	memcpy(fit->best_weight, model->weight, model->inputs * model->lanes * sizeof(float));
	memcpy(fit->best_bias, model->bias, model->lanes * sizeof(float));
	fit->result->best_epoch = epoch;
	fit->result->valid_loss = loss;
	fit->result->valid_accuracy = accuracy;
}

static void restore_best(struct fit *fit)
{
	struct linear *model = fit->model;

	memcpy(model->weight, fit->best_weight, model->inputs * model->lanes * sizeof(float));
	memcpy(model->bias, fit->best_bias, model->lanes * sizeof(float));
}

/* Validate after an epoch, if there is anything to validate on. 1: it is time to stop. */
static int judge(struct fit *fit, long epoch, double train_loss)
{
	double loss, accuracy;

	if (fit->valid == NULL) {
		fit->result->best_epoch = epoch;
		(void)snprintf(
			fit->line, sizeof fit->line, "epoch %ld: loss %.4f", epoch, train_loss);
		return 0;
	}
	validate(fit, &loss, &accuracy);
	fit->host->metric(fit->ctx, "valid_loss", loss, epoch);
	fit->host->metric(fit->ctx, "valid_accuracy", accuracy, epoch);
	(void)snprintf(fit->line, sizeof fit->line,
		"epoch %ld: loss %.4f, valid loss %.4f, valid accuracy %.4f", epoch, train_loss,
		loss, accuracy);
	if (fit->result->best_epoch == 0 || loss < fit->result->valid_loss)
		keep_best(fit, epoch, loss, accuracy);
	return fit->options->patience > 0 &&
	       epoch - fit->result->best_epoch >= fit->options->patience;
}

static int run_epochs(struct fit *fit, struct fault *fault)
{
	const struct fit_options *options = fit->options;

	for (long epoch = 1; epoch <= options->epochs; epoch++) {
		double began = seconds(), loss = 0, took;
		int stop;

		if (run_epoch(fit, epoch, &loss, fault) < 0)
			return -1;
		took = seconds() - began;
		fit->result->epochs = epoch;
		fit->host->metric(fit->ctx, "loss", loss, epoch);
		fit->host->metric(fit->ctx, "lr",
			rate_at(options, (double)(epoch - 1) / (double)options->epochs), epoch);
		if (took > 0)
			fit->host->metric(fit->ctx, "samples_per_second",
				(double)fit->train->count / took, epoch);
		stop = judge(fit, epoch, loss);
		fit->host->log(fit->ctx, fit->line);
		fit->host->progress(fit->ctx, (double)epoch, (double)options->epochs, fit->line);
		if (stop)
			break;
	}
	return 0;
}

int fit_run(struct linear *model, const struct dataset *train, const struct dataset *valid,
	const struct fit_options *options, const flow_host *host, flow_ctx *ctx,
	struct fit_result *result, struct fault *fault)
{
	struct fit fit = { .model = model,
		.train = train,
		.valid = valid,
		.options = options,
		.host = host,
		.ctx = ctx,
		.result = result };
	int rc;

	*result = (struct fit_result){ .epochs = 0 };
	gradient_init(&fit.gradient, model, options->batch_size);
	scorer_init(&fit.scorer, model, SCORE_ROWS);
	fit.order = array_new(train->count, sizeof *fit.order);
	fit.best_weight = array_new(model->inputs * model->lanes, sizeof(float));
	fit.best_bias = array_new(model->lanes, sizeof(float));
	rc = run_epochs(&fit, fault);
	if (rc == 0 && valid != NULL)
		restore_best(&fit);
	gradient_release(&fit.gradient);
	scorer_release(&fit.scorer);
	free(fit.order);
	free(fit.best_weight);
	free(fit.best_bias);
	return rc;
}
