#include "train/gbdt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/text.h"
#include "nn/origin.h"
#include "nn/samples.h"
#include "train/data.h"
#include "train/gains.h"
#include "train/gbdt_checkpoint.h"
#include "train/gbdt_recipe.h"
#include "train/rounds.h"
#include "trees/forest.h"

/* What people look at comes first: a run's last line shows as much as there is place for. */
static void tell(const struct rounds *r)
{
	const struct rounds_at *at = &r->at;
	char name[60];

	if (r->valid != NULL) {
		(void)snprintf(name, sizeof name, "best_%s", rounds_quality_name(r));
		r->host->metric(r->ctx, name, at->best_quality, -1);
		r->host->metric(r->ctx, "best_valid_loss", at->best_loss, -1);
	}
	r->host->metric(r->ctx, "best_round", at->best_round, -1);
	r->host->metric(r->ctx, "rounds", at->round, -1);
	r->host->metric(r->ctx, "trees", at->best_round * (double)r->recipe->outputs, -1);
	r->host->metric(r->ctx, "seconds", at->seconds, -1);
	r->host->metric(r->ctx, "rows", (double)r->samples->count, -1);
}

/* The trees up to the best round. */
static int cut(struct rounds *r, struct fault *fault)
{
	BoosterHandle best;

	if (r->at.best_round >= r->at.round)
		return 0;
	if (library_check(r->lib,
		    r->lib->XGBoosterSlice(r->booster, 0, (int)r->at.best_round, 1, &best),
		    fault) < 0)
		return -1;
	(void)r->lib->XGBoosterFree(r->booster);
	r->booster = best;
	return 0;
}

/* What the model knows of its table. */
static int keep_origin(struct rounds *r, struct origin *origin, struct fault *fault)
{
	int rc = 0;

	if (origin->target == NULL)
		return 0;
	origin_write(origin);
	rc = library_check(r->lib,
		r->lib->XGBoosterSetAttr(r->booster, FOREST_TABLE, origin->json.data), fault);
	if (rc == 0 && origin->recipe.data != NULL)
		rc = library_check(r->lib,
			r->lib->XGBoosterSetAttr(r->booster, FOREST_RECIPE, origin->recipe.data),
			fault);
	return rc;
}

/* Nothing goes into the file that differs from one run to the next with the same inputs. */
static int save(struct rounds *r, struct origin *origin, const char *path, struct fault *fault)
{
	struct text categories = { 0 };
	char score[40];
	const struct {
		const char *key, *text;
	} attributes[] = { { "flow.loss", recipe_loss_name(r->slopes.loss) },
		{ "best_score", r->valid != NULL ? score : NULL } };
	int rc = cut(r, fault);

	if (rc == 0)
		rc = gbdt_checkpoint_clear(r, fault);
	(void)snprintf(score, sizeof score, "%.17g", r->at.best_loss);
	for (size_t i = 0; rc == 0 && i < sizeof attributes / sizeof attributes[0]; i++)
		rc = library_check(r->lib,
			r->lib->XGBoosterSetAttr(r->booster, attributes[i].key, attributes[i].text),
			fault);
	if (rc == 0 && r->recipe->columns.categories != NULL) {
		columns_text(&r->recipe->columns, &categories);
		rc = library_check(r->lib,
			r->lib->XGBoosterSetAttr(r->booster, "flow.categories", categories.data),
			fault);
		text_release(&categories);
	}
	if (rc == 0)
		rc = keep_origin(r, origin, fault);
	return rc == 0 ? forest_write(r->lib, r->booster, path, 0, fault) : rc;
}

/* Who reserves a GPU for trees keeps it from somebody who can use it. */
static int check_lease(struct fault *fault)
{
	const char *gpus = getenv("CUDA_VISIBLE_DEVICES");

	if (gpus == NULL || gpus[0] == '\0' || strcmp(gpus, "-1") == 0)
		return 0;
	return fault_set(fault,
		"gbdt works on the CPU by design, and this attempt holds a GPU that it would leave "
		"idle (CUDA_VISIBLE_DEVICES is '%.40s'): take `gpu` out of the stage's resources, "
		"or write env: {CUDA_VISIBLE_DEVICES: \"\"}",
		gpus);
}

static int train(const struct gbdt_recipe *recipe, const struct samples *samples,
	struct origin *origin, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	struct rounds rounds = { .lib = NULL };
	int rc = rounds_init(&rounds, recipe, samples, host, ctx, fault);

	if (rc == 0)
		rc = rounds_run(&rounds, fault);
	if (rc == 0)
		rc = save(&rounds, origin, host->out(ctx, "model"), fault);
	if (rc == 0 && host->out(ctx, "importance") != NULL)
		rc = gains_write(rounds.lib, rounds.booster, samples, host->out(ctx, "importance"),
			fault);
	if (rc == 0)
		tell(&rounds);
	rounds_release(&rounds);
	return rc;
}

int gbdt_train(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	struct gbdt_recipe recipe = { .rounds = 0 };
	struct samples samples = { .rows = 0 };
	struct origin origin = { .target = NULL };

	if (host->out(ctx, "model") == NULL)
		return host->fail(ctx, "needs an out named 'model'");
	if (check_lease(&fault) < 0 || gbdt_recipe_read(&recipe, host, ctx, &fault) < 0 ||
		data_open(&samples, 1, host, ctx, &fault) < 0 ||
		data_origin(&origin, &samples, host, ctx, &fault) < 0 ||
		gbdt_recipe_fit(&recipe, &samples, &fault) < 0)
		goto out;
	data_tell_rare(&samples, host, ctx);
	if (host->checkpoint(ctx) != NULL)
		samples_digest(&samples); /* a checkpoint is of these data */
	(void)train(&recipe, &samples, &origin, host, ctx, &fault);
out:
	origin_release(&origin);
	samples_close(&samples);
	gbdt_recipe_release(&recipe);
	if (fault.text[0] != '\0')
		return host->fail(ctx, fault.text);
	return host->failed(ctx) ? -1 : 0;
}
