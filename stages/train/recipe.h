/*
 * train/recipe.h - how a network is to be built and trained: the keys of `with:`, read once.
 *
 *     struct recipe r;
 *     recipe_read(&r, host, ctx, fault);  recipe_fit(&r, &samples, fault);
 *     ...r.design, r.epochs...  text = recipe_text(&r, &samples);  recipe_release(&r);
 *
 * recipe_read() takes what is written; recipe_fit() decides what depends on the data: shape of the
 * input, outputs, the loss that `auto` means, weights of classes. recipe_text() is all of it in one
 * line a key: two trainings with the same text have the same losses, and a checkpoint of another
 * text is not used.
 */
#ifndef FLOW_STAGES_TRAIN_RECIPE_H
#define FLOW_STAGES_TRAIN_RECIPE_H

#include <flow/plugin.h>

#include <stddef.h>
#include <stdint.h>

#include "common/fitted.h"
#include "nn/net.h"
#include "train/augment.h"
#include "train/categories.h"
#include "train/groups.h"

struct fault;
struct samples;
struct text;

enum optimiser { OPTIMISER_ADAMW, OPTIMISER_SGD };
enum schedule {
	SCHEDULE_CONSTANT,
	SCHEDULE_STEP,
	SCHEDULE_COSINE,
	SCHEDULE_ONE_CYCLE,
	SCHEDULE_PLATEAU
};
enum class_weights { WEIGHTS_NONE, WEIGHTS_BALANCED, WEIGHTS_LISTED };

struct recipe {
	struct net_design design;
	struct fitted_step tokens; /* text: what becomes of a text, */
	const char *column;        /* in which column */
	struct augment augment; /* cnn */
	int loss;     /* enum nn_loss_kind, -1: by the targets */
	double delta; /* of Huber, or the quantile */
	enum optimiser optimiser;
	int is_rate_written, is_rate_tested; /* neither: the usual one; `auto` */
	double rate, momentum, beta, decay, l1, clip, smoothing, average;
	int nesterov;
	enum schedule schedule;
	double warmup;     /* epochs */
	double step_every; /* epochs: of `step`, and how long `plateau` waits */
	double factor;
	enum class_weights class_weights;
	float *weight;       /* [outputs], NULL: all 1 */
	size_t weight_count; /* listed */
	long epochs, patience, metric_every, checkpoint_every, overfit_batches;
	size_t batch_size;        /* 0: auto, until range_batch() */
	long accumulate;          /* batches a step */
	double diverge, max_time; /* 0: never */
	int fast_dev_run, standardize;
	long shuffle_rows;                  /* drawn from one stretch of the data; 0: from all */
	long decode_threads, batches_ahead; /* nn/feed.h; -1: as the data are */
	uint64_t seed;
	struct categories categories;
	struct groups groups;
	uint64_t init_digest; /* of the file whose weights are the first; 0: none */
};

/* What every model has: loss, weights of classes, patience, time, checkpoints, seed; the rest is zero.
 * -1 also when a getter has told the host already. */
int recipe_read_rules(struct recipe *r, const flow_host *host, flow_ctx *ctx, struct fault *fault);
/* All of a network. */
int recipe_read(struct recipe *r, const flow_host *host, flow_ctx *ctx, struct fault *fault);
int recipe_fit(struct recipe *r, const struct samples *samples, struct fault *fault);
void recipe_text(const struct recipe *r, const struct samples *samples, struct text *text);
void recipe_release(struct recipe *r); /* zeroed: nothing */

/* "10m", "90s", "2h" -> seconds; NULL and "" -> 0. key: of `with:`, for the message. */
int recipe_time(double *seconds, const char *key, const char *given, struct fault *fault);

/* What the loss is called in `with.loss` and in a model file. */
const char *recipe_loss_name(int loss);

#endif
