#include "transform/transform.h"

#include <stdlib.h>
#include <string.h>

#include "common/applied.h"
#include "common/fault.h"
#include "common/file.h"
#include "common/fitted.h"
#include "common/rows.h"
#include "common/shard.h"
#include "common/text.h"
#include "transform/fit.h"
#include "transform/steps.h"

struct transform {
	const flow_host *host;
	flow_ctx *ctx;
	struct shard shard;
	struct fitted recipe;
	uint64_t state; /* of the recipe */
	uint8_t *learn;
};

static void note(void *context, const char *line)
{
	struct transform *t = context;

	t->host->log(t->ctx, line);
}

static int read_recipe(struct transform *t, const char *path, struct fault *fault)
{
	struct mapped file;
	const char *json;
	int rc;

	if (t->host->has(t->ctx, "columns") || t->host->has(t->ctx, "numbers") ||
		t->host->has(t->ctx, "categories") || t->host->has(t->ctx, "except") ||
		t->host->has(t->ctx, "into"))
		return fault_set(fault,
			"with a dep `recipe` the steps are known; with.columns, numbers, "
			"categories, except and into do not go with it");
	if (mapped_open(&file, path, fault) < 0)
		return -1;
	json = file.data != NULL ? (const char *)file.data : "";
	rc = fitted_read(&t->recipe, json, file.size, fault);
	t->state = fitted_state(json, file.size);
	mapped_close(&file);
	return rc < 0 ? rc
		      : applied_check(&t->recipe, &t->shard, t->host->dep(t->ctx, "table"), fault);
}

static int fit_table(struct transform *t, struct fault *fault)
{
	const char *into = t->host->text(t->ctx, "into", ""), *rows = t->host->dep(t->ctx, "rows");

	if (steps_read(&t->recipe, &t->shard, t->host, t->ctx, fault) < 0 ||
		rows_mark(&t->learn, t->shard.rows, rows, fault) < 0)
		return -1;
	if (rows == NULL)
		note(t, "no dep `rows`: fitted on all rows");
	t->recipe.from = t->shard.state;
	if (into != NULL && into[0] != '\0')
		t->recipe.into = text_copy(into, strlen(into));
	return fit_recipe(&t->recipe, &t->shard, t->learn, t->host->seed(t->ctx), note, t, fault);
}

/* The steps, and what they are called. */
static int make_recipe(struct transform *t, struct fault *fault)
{
	const char *given = t->host->dep(t->ctx, "recipe"), *path = t->host->out(t->ctx, "recipe");
	struct text json = { 0 };
	int rc = given != NULL ? read_recipe(t, given, fault) : fit_table(t, fault);

	if (rc == 0) {
		fitted_write(&t->recipe, &json);
		if (given == NULL)
			t->state = fitted_state(json.data, json.length);
		if (path != NULL)
			rc = output_file(path, json.data, json.length, fault);
	}
	text_release(&json);
	return rc;
}

static int go_on(void *context, size_t done, size_t groups)
{
	struct transform *t = context;

	t->host->progress(t->ctx, (double)done, (double)groups, "groups");
	return !t->host->cancelled(t->ctx);
}

static int write_table(struct transform *t, const char *path, struct fault *fault)
{
	const struct applied how = {
		.recipe = &t->recipe, .state = t->state, .context = t, .go_on = go_on
	};

	return applied_write(&how, &t->shard, path, fault);
}

static void transform_release(struct transform *t)
{
	free(t->learn);
	fitted_release(&t->recipe);
	shard_close(&t->shard);
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	struct transform t = { .host = host, .ctx = ctx };
	const char *table = host->dep(ctx, "table"), *out = host->out(ctx, "table");
	int rc;

	if (table == NULL || out == NULL)
		return host->fail(ctx, "needs a dep and an out named 'table'");
	if (shard_open(&t.shard, table, &fault) < 0)
		return host->fail(ctx, fault.text);
	rc = make_recipe(&t, &fault);
	if (rc == 0)
		rc = write_table(&t, out, &fault);
	if (rc == 0)
		host->metric(ctx, "rows", (double)t.shard.rows, -1);
	transform_release(&t);
	return rc < 0 ? host->fail(ctx, fault.text) : 0;
}

static const flow_port deps[] = {
	{ "table", "a shard", 1 },
	{ "rows", "row numbers to fit on, NPY int64, as split makes them; without it all rows", 0 },
	{ "recipe", "instead of fitting: what another transform has fitted", 0 },
	{ NULL, NULL, 0 },
};

static const flow_port outs[] = {
	{ "table", "the table, all its rows", 1 },
	{ "recipe", "the fitted steps, JSON; `train` puts them into the model", 0 },
	{ NULL, NULL, 0 },
};

static const flow_option options[] = {
	{ "columns", "map", "{}",
		"steps of single columns, one or a list. Numbers: impute mean|median|NUMBER, "
		"standardize, minmax, clip LOW HIGH (numbers, or 1% 99%), log. Texts, categories "
		"and "
		"whole numbers, one alone: onehot, ordinal, hash SIZE, words SIZE [LOW HIGH], "
		"tfidf "
		"SIZE [LOW HIGH], chars SIZE [LOW HIGH]" },
	{ "numbers", "list", "[]", "steps of all other columns of numbers" },
	{ "categories", "list", "[]", "steps of all other columns of categories" },
	{ "except", "list", "[]", "columns that numbers and categories do not mean, as the label" },
	{ "into", "text", "",
		"put all columns of float32 that come of steps side by side into this one" },
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_transform = { sizeof(flow_stage), "transform", "2",
	"scale, fill in and encode columns, fitted on the training rows only", deps, outs, options,
	run };
