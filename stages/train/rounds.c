#include "train/rounds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/fault.h"
#include "common/philox.h"
#include "common/seconds.h"
#include "common/text.h"
#include "nn/pool.h"
#include "nn/samples.h"
#include "train/gbdt_checkpoint.h"
#include "train/gbdt_recipe.h"
#include "train/matrix.h"

#define ROUNDS_LOGGED 10 /* between two lines of the log */

static int is_named(const struct rounds *r)
{
	return r->slopes.loss == NN_SOFTMAX || r->slopes.loss == NN_SIGMOID;
}

const char *rounds_quality_name(const struct rounds *r)
{
	return is_named(r) ? "valid_accuracy" : "valid_rmse";
}

/* Where trees begin: the mean, or the share of class 1, as the weights count it. */
static double base_score(const struct rounds *r)
{
	const struct samples *s = r->samples;
	const struct recipe *rules = &r->recipe->rules;
	double sum = 0, weights = 0;

	if (r->recipe->outputs > 1)
		return 0.5;
	for (size_t i = 0; i < s->count; i++) {
		double target = (double)s->target[s->row[i]], weight = 1;

		if (rules->weight != NULL && rules->loss == NN_SOFTMAX)
			weight = (double)rules->weight[target > 0.5];
		else if (rules->weight != NULL && target > 0.5)
			weight = (double)rules->weight[0];
		sum += weight * target;
		weights += weight;
	}
	sum = weights > 0 ? sum / weights : 0.5;
	return is_named(r) ? fmin(fmax(sum, 1e-5), 1 - 1e-5) : sum;
}

static const char *objective_of(const struct rounds *r)
{
	if (!is_named(r))
		return "reg:squarederror";
	return r->recipe->outputs > 1 ? "multi:softprob" : "binary:logistic";
}

static int set(const struct rounds *r, BoosterHandle booster, const char *key, const char *value,
	struct fault *fault)
{
	return library_check(r->lib, r->lib->XGBoosterSetParam(booster, key, value), fault);
}

static int set_number(const struct rounds *r, BoosterHandle booster, const char *key, double value,
	struct fault *fault)
{
	char text[40];

	(void)snprintf(text, sizeof text, "%.9g", value);
	return set(r, booster, key, text, fault);
}

/* The seed of the library's own generator is always the same. All that is drawn from it is which
 * columns a round has, where weights have decided that already (choose_columns()). */
int rounds_configure(const struct rounds *r, BoosterHandle booster, struct fault *fault)
{
	const struct gbdt_recipe *recipe = r->recipe;
	const struct {
		const char *key;
		double value;
	} numbers[] = {
		{ "nthread", (double)r->host->threads(r->ctx) },
		{ "base_score", base_score(r) },
		{ "max_depth", (double)recipe->depth },
		{ "max_bin", (double)recipe->bins },
		{ "eta", recipe->rate },
		{ "min_child_weight", recipe->child_weight },
		{ "gamma", recipe->gain },
		{ "alpha", recipe->l1 },
		{ "lambda", recipe->l2 },
		{ "seed", 0 },
		{ "seed_per_iteration", 1 },
		{ "colsample_bytree", r->chosen == NULL ? 1
							: ((double)recipe->columns_a_round + 0.5) /
								  (double)r->samples->features },
	};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (set_number(r, booster, numbers[i].key, numbers[i].value, fault) < 0)
			return -1;
	if (recipe->outputs > 1 &&
		set_number(r, booster, "num_class", (double)recipe->outputs, fault) < 0)
		return -1;
	if (set(r, booster, "objective", objective_of(r), fault) < 0)
		return -1;
	return set(r, booster, "tree_method", "hist", fault);
}

int rounds_booster(const struct rounds *r, BoosterHandle *booster, struct fault *fault)
{
	DMatrixHandle matrices[1] = { r->train };
	BoosterHandle made = NULL;

	if (library_check(r->lib, r->lib->XGBoosterCreate(matrices, 1, &made), fault) < 0)
		return -1;
	if (rounds_configure(r, made, fault) < 0) {
		(void)r->lib->XGBoosterFree(made);
		return -1;
	}
	*booster = made;
	return 0;
}

static void init_slopes(struct rounds *r)
{
	const struct recipe *rules = &r->recipe->rules;
	size_t scores = r->samples->count * r->recipe->outputs;

	r->slopes = (struct slopes){ .loss = rules->loss,
		.outputs = r->recipe->outputs,
		.weight = rules->weight,
		.weight_count = rules->weight != NULL ? rules->design.outputs : 0,
		.delta = rules->delta,
		.samples = r->samples,
		.pool = r->pool,
		.seed = rules->seed,
		.row_sample = r->recipe->row_sample,
		.slope = array_new(scores, sizeof(float)),
		.curve = array_new(scores, sizeof(float)) };
}

int rounds_init(struct rounds *r, const struct gbdt_recipe *recipe, const struct samples *samples,
	const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	unsigned threads = host->threads(ctx);

	*r = (struct rounds){ .recipe = recipe, .samples = samples, .host = host, .ctx = ctx };
	r->lib = library_get(fault);
	if (r->lib == NULL)
		return -1;
	r->pool = pool_new(threads);
	init_slopes(r);
	if (recipe->columns_a_round < samples->features) {
		r->chosen = array_new(samples->features, sizeof *r->chosen);
		r->column = array_new(samples->features, sizeof *r->column);
	}
	if (matrix_bins(&r->train, r->lib, &recipe->columns, samples, recipe->bins, threads,
		    fault) < 0 ||
		(samples->valid_count != 0 && matrix_values(&r->valid, r->lib, &recipe->columns,
						      samples, threads, fault) < 0))
		return -1;
	return rounds_booster(r, &r->booster, fault);
}

void rounds_release(struct rounds *r)
{
	if (r->booster != NULL)
		(void)r->lib->XGBoosterFree(r->booster);
	if (r->train != NULL)
		(void)r->lib->XGDMatrixFree(r->train);
	if (r->valid != NULL)
		(void)r->lib->XGDMatrixFree(r->valid);
	pool_free(r->pool);
	free(r->slopes.slope);
	free(r->slopes.curve);
	free(r->chosen);
	free(r->column);
	*r = (struct rounds){ .lib = NULL };
}

/* Scores of all rows of a matrix, the library's until it is asked again. It remembers those of the
 * trees before and adds the new ones. */
static int scores_of(
	struct rounds *r, DMatrixHandle matrix, const float **scores, struct fault *fault)
{
	static const char how[] = "{\"type\": 1, \"training\": false, \"iteration_begin\": 0, "
				  "\"iteration_end\": 0, \"strict_shape\": true}";
	const bst_ulong *shape;
	bst_ulong dimensions;

	return library_check(r->lib,
		r->lib->XGBoosterPredictFromDMatrix(
			r->booster, matrix, how, &shape, &dimensions, scores),
		fault);
}

/* The slopes for the next round, and with them the loss after the last one. */
static int take_slopes(struct rounds *r, struct fault *fault)
{
	const float *scores;

	if (scores_of(r, r->train, &scores, fault) < 0)
		return -1;
	r->loss = slopes_take(&r->slopes, scores, (uint32_t)r->at.round);
	if (!isfinite(r->loss))
		return fault_set(fault,
			"boosting diverged in round %.0f: the loss is no longer a number; lower lr "
			"(it is %g)",
			r->at.round, r->recipe->rate);
	return 0;
}

/* Weighted so that the library takes these columns whatever it draws: to beat one that is chosen,
 * another would have to draw 1, or the chosen one 0, which its generator, at the seed that it has
 * here, does not do in the first 400 million numbers. */
static int choose_columns(struct rounds *r, struct fault *fault)
{
	size_t features = r->samples->features;

	if (r->chosen == NULL)
		return 0;
	for (size_t j = 0; j < features; j++) {
		r->column[j] = (int64_t)j;
		r->chosen[j] = 0;
	}
	philox_order(r->column, features, r->recipe->rules.seed, PHILOX_ROUND_COLUMNS,
		(uint32_t)r->at.round);
	for (size_t j = 0; j < r->recipe->columns_a_round; j++)
		r->chosen[r->column[j]] = 1e30f;
	return library_check(r->lib,
		r->lib->XGDMatrixSetFloatInfo(r->train, "feature_weights", r->chosen, features),
		fault);
}

static int grow(struct rounds *r, struct fault *fault)
{
	bst_ulong count = r->samples->count * r->recipe->outputs;

	if (choose_columns(r, fault) < 0 ||
		library_check(r->lib,
			r->lib->XGBoosterBoostOneIter(
				r->booster, r->train, r->slopes.slope, r->slopes.curve, count),
			fault) < 0)
		return -1;
	r->at.round++;
	return 0;
}

/* After a round: what it is worth on rows that it has not seen. */
static int judge(struct rounds *r, char *line, size_t room, struct fault *fault)
{
	long round = (long)r->at.round;
	const float *scores;
	double loss, quality;

	(void)snprintf(line, room, "round %ld: loss %.4f", round, r->loss);
	if (r->valid == NULL) {
		r->at.best_round = r->at.round;
		return 0;
	}
	if (scores_of(r, r->valid, &scores, fault) < 0)
		return -1;
	loss = slopes_judge(
		&r->slopes, scores, r->samples->valid, r->samples->valid_count, &quality);
	if (r->at.best_round < 1 || loss < r->at.best_loss) {
		r->at.best_round = r->at.round;
		r->at.best_loss = loss;
		r->at.best_quality = quality;
	}
	r->host->metric(r->ctx, "valid_loss", loss, round);
	r->host->metric(r->ctx, rounds_quality_name(r), quality, round);
	(void)snprintf(line, room, "round %ld: loss %.4f, valid loss %.4f, %s %.4f", round, r->loss,
		loss, rounds_quality_name(r), quality);
	return 0;
}

/* Are there more rounds to grow? It is asked of the cursor, so that who takes boosting up decides as
 * who left it. */
static int goes_on(const struct rounds *r)
{
	long patience = r->recipe->rules.patience;

	if (r->has_ended || r->at.round >= (double)r->recipe->rounds)
		return 0;
	return patience == 0 || r->at.round - r->at.best_round < (double)patience;
}

static int end_round(struct rounds *r, struct fault *fault)
{
	double now, took, most = r->recipe->rules.max_time;
	char line[160];

	if (take_slopes(r, fault) < 0 || judge(r, line, sizeof line, fault) < 0)
		return -1;
	now = seconds();
	took = now - r->round_began;
	r->round_began = now;
	r->at.seconds += took;
	r->has_ended = most > 0 && r->at.seconds > most;
	r->host->metric(r->ctx, "loss", r->loss, (long)r->at.round);
	if (took > 0)
		r->host->metric(r->ctx, "samples_per_second", (double)r->samples->count / took,
			(long)r->at.round);
	r->host->progress(r->ctx, r->at.round, (double)r->recipe->rounds + 1e-9, line);
	if ((long)r->at.round % ROUNDS_LOGGED == 0 || !goes_on(r))
		r->host->log(r->ctx, line);
	return 0;
}

/* Every checkpoint_every rounds; or, when that is not given, so seldom that it costs little. */
static int keep(struct rounds *r, struct fault *fault)
{
	long every = r->recipe->rules.checkpoint_every;
	double now = seconds();
	int rc;

	if (goes_on(r) && (every > 0 ? (long)r->at.round % every != 0
				     : now - r->kept_at < 1 + 20 * r->kept_took))
		return 0;
	rc = gbdt_checkpoint_write(r, fault);
	r->kept_at = seconds();
	r->kept_took = r->kept_at - now;
	return rc;
}

int rounds_run(struct rounds *r, struct fault *fault)
{
	r->round_began = r->kept_at = seconds();
	gbdt_checkpoint_read(r);
	if (take_slopes(r, fault) < 0)
		return -1;
	while (goes_on(r)) {
		if (r->host->cancelled(r->ctx))
			return fault_set(fault, "stopped in round %.0f", r->at.round + 1);
		if (grow(r, fault) < 0 || end_round(r, fault) < 0 || keep(r, fault) < 0)
			return -1;
	}
	return 0;
}
