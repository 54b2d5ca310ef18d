/*
 * train/gbdt_recipe.h - how boosted trees are to be grown: the keys of `with:`, read once.
 *
 *     struct gbdt_recipe r = { .rounds = 0 };
 *     gbdt_recipe_read(&r, host, ctx, fault);  gbdt_recipe_fit(&r, &samples, fault);
 *     ...r.depth, r.outputs, r.columns...  gbdt_recipe_text(&r, &samples, &text);
 *     gbdt_recipe_release(&r);
 *
 * As train/recipe.h: reading takes what is written, fitting decides what depends on the data, and
 * two trainings with the same text make the same trees. A key that means nothing to trees is an
 * error here: it would be a wish that nobody hears.
 */
#ifndef FLOW_STAGES_TRAIN_GBDT_RECIPE_H
#define FLOW_STAGES_TRAIN_GBDT_RECIPE_H

#include <flow/plugin.h>

#include <stddef.h>

#include "train/recipe.h"
#include "trees/columns.h"

struct gbdt_recipe {
	struct recipe rules; /* loss, weights of classes, patience, time, checkpoints, seed */
	long rounds, depth, bins;
	double rate, row_sample, column_sample;
	double child_weight, gain, l1, l2;
	struct categories categories; /* as written */
	/* Of the data. */
	struct columns columns;
	size_t outputs;         /* scores of a row, and trees of a round */
	size_t columns_a_round; /* that a round looks at */
};

/* -1 also when a getter has told the host already. */
int gbdt_recipe_read(
	struct gbdt_recipe *r, const flow_host *host, flow_ctx *ctx, struct fault *fault);
int gbdt_recipe_fit(struct gbdt_recipe *r, const struct samples *samples, struct fault *fault);
void gbdt_recipe_text(
	const struct gbdt_recipe *r, const struct samples *samples, struct text *text);
void gbdt_recipe_release(struct gbdt_recipe *r); /* zeroed: nothing */

#endif
