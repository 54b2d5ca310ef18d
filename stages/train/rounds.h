/*
 * train/rounds.h - boosting from the first round to the last, that can be left and taken up.
 *
 *     struct rounds r;
 *     rounds_init(&r, &recipe, &samples, host, ctx, fault);
 *     rounds_run(&r, fault);            the booster has all trees, r.at says which round is best
 *     rounds_release(&r);
 *
 * libxgboost finds the trees, from slopes that are ours (train/slopes.h); and the rows and columns
 * that a round looks at are ours, too, functions of (seed, round, row or column). So a round depends
 * on the trees before it and nothing else: a booster that is saved and read again goes on with the
 * same trees, whatever the library's own generator has drawn, and however many threads there are.
 *
 * Metrics by round: loss, samples_per_second and, with validation rows, valid_loss and
 * valid_accuracy (classes) or valid_rmse.
 */
#ifndef FLOW_STAGES_TRAIN_ROUNDS_H
#define FLOW_STAGES_TRAIN_ROUNDS_H

#include <flow/plugin.h>

#include <stddef.h>
#include <stdint.h>

#include "train/slopes.h"
#include "trees/library.h"

struct fault;
struct gbdt_recipe;
struct pool;
struct samples;

/* Where boosting is: all numbers, so that a checkpoint can name them. */
struct rounds_at {
	double round;      /* done */
	double best_round; /* 0: none yet */
	double best_loss, best_quality;
	double seconds; /* spent, by all attempts */
};

struct rounds {
	const struct gbdt_recipe *recipe;
	const struct samples *samples;
	const flow_host *host;
	flow_ctx *ctx;
	const struct library *lib;
	BoosterHandle booster;
	DMatrixHandle train, valid;
	struct pool *pool;
	struct slopes slopes;
	float *chosen;   /* [features]: of a round's columns; NULL: it looks at all of them */
	int64_t *column; /* [features] */
	struct rounds_at at;
	double loss;                            /* after the last round */
	double round_began, kept_at, kept_took; /* seconds: the last checkpoint, and what it took */
	int has_ended;                          /* max_time is over */
};

int rounds_init(struct rounds *r, const struct gbdt_recipe *recipe, const struct samples *samples,
	const flow_host *host, flow_ctx *ctx, struct fault *fault);
int rounds_run(struct rounds *r, struct fault *fault);
void rounds_release(struct rounds *r); /* zeroed: nothing */

/* A booster without trees, with the parameters of the recipe. */
int rounds_booster(const struct rounds *r, BoosterHandle *booster, struct fault *fault);
/* The parameters: again, after a model was read into the booster. */
int rounds_configure(const struct rounds *r, BoosterHandle booster, struct fault *fault);

const char *rounds_quality_name(const struct rounds *r); /* of the metric */

#endif
