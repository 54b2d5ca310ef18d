/*
 * The input is what happens to a checkpoint of trees before boosting is taken up. Its first byte says which training's, the rest are bytes
 * to change in the file (fuzz_patch). What is taken goes on: libxgboost, which looks at nothing twice, gives a score for each row.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "fuzz.h"
#include "mapped.h"
#include "nn/samples.h"
#include "tensorfile.h"
#include "train/gbdt_checkpoint.h"
#include "train/gbdt_recipe.h"
#include "train/rounds.h"

#define TRAININGS 2
#define ROWS      24
#define ROUNDS    2

static float value[ROWS][2], target[TRAININGS][ROWS], categories[] = { 0, 3 };
static int64_t row[ROWS];

/* Two classes and a column of categories; three classes. */
static struct training {
	struct samples samples;
	struct gbdt_recipe recipe;
	struct rounds rounds;
	char folder[300], path[340];
	struct tensorfile file;
} trainings[TRAININGS] = {
	{ .samples = { .classes = 2 }, .recipe = { .columns = { 2, categories }, .outputs = 1 } },
	{ .samples = { .classes = 3 }, .recipe = { .columns = { 2, NULL }, .outputs = 3 } },
};

static const char *host_checkpoint(flow_ctx *ctx)
{
	return ((struct training *)(void *)ctx)->folder;
}

static void host_line(flow_ctx *ctx, const char *line)
{
	FUZZ_CHECK(ctx != NULL && line[0] != '\0');
}

static void host_metric(flow_ctx *ctx, const char *name, double number, long step)
{
	FUZZ_CHECK(ctx != NULL && name[0] != '\0' && isfinite(number) && step <= ROUNDS);
}

static void host_progress(flow_ctx *ctx, double done, double total, const char *what)
{
	FUZZ_CHECK(ctx != NULL && done <= total && what[0] != '\0');
}

static int host_cancelled(flow_ctx *ctx)
{
	return ctx == NULL;
}

static unsigned host_threads(flow_ctx *ctx)
{
	return ctx != NULL;
}

static const flow_host host = { .abi = FLOW_ABI, .size = sizeof host, .metric = host_metric, .progress = host_progress, .log = host_line,
	.cancelled = host_cancelled, .checkpoint = host_checkpoint, .threads = host_threads };

static void make(struct training *t, size_t which)
{
	struct samples *s = &t->samples;
	struct gbdt_recipe *r = &t->recipe;
	struct fault fault;

	s->values = value;
	s->rows = s->count = ROWS;
	s->height = s->width = s->targets = 1;
	s->channels = s->features = 2;
	s->row = row;
	s->target = target[which];
	for (size_t i = 0; i < ROWS; i++) {
		row[i] = (int64_t)i;
		value[i][0] = (float)(i * 7 % ROWS);
		value[i][1] = (float)(i % 3);
		target[which][i] = (float)((i + i * 7 % ROWS / 8) % s->classes);
	}
	r->rounds = ROUNDS;
	r->depth = 3;
	r->bins = 16;
	r->rate = 0.5;
	r->row_sample = r->column_sample = 1;
	r->columns_a_round = 2;
	(void)snprintf(t->folder, sizeof t->folder, "%s/%zu", fuzz_folder(NULL), which);
	(void)snprintf(t->path, sizeof t->path, "%s/rounds-%d.ubj", t->folder, ROUNDS);
	FUZZ_CHECK(rounds_init(&t->rounds, r, s, &host, (flow_ctx *)(void *)t, &fault) == 0);
	FUZZ_CHECK(rounds_run(&t->rounds, &fault) == 0);
	tensorfile_keep(&t->file, t->path);
}

static void check_taken(const struct rounds *r)
{
	static const char how[] = "{\"type\": 1, \"training\": false, \"iteration_begin\": 0, \"iteration_end\": 0, \"strict_shape\": true}";
	const bst_ulong *shape;
	const float *scores;
	bst_ulong dimensions;

	FUZZ_CHECK(r->at.round >= 1 && r->at.round <= ROUNDS && r->at.best_round <= r->at.round);
	if (r->lib->XGBoosterPredictFromDMatrix(r->booster, r->train, how, &shape, &dimensions, &scores) != 0)
		return;
	FUZZ_CHECK(dimensions == 2 && shape[0] == ROWS && shape[1] == r->recipe->outputs);
	(void)fuzz_touch(scores, ROWS * r->recipe->outputs * sizeof *scores);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct training *t;
	unsigned char *changed;

	/* Until the process ends: what the library knows of its boosters goes before an atexit() function comes. */
	for (size_t i = 0; i < TRAININGS && trainings[i].file.data == NULL; i++)
		make(&trainings[i], i);
	if (size == 0)
		return 0;
	t = &trainings[data[0] % TRAININGS];
	changed = malloc(t->file.size);
	FUZZ_CHECK(changed != NULL);
	memcpy(changed, t->file.data, t->file.size);
	fuzz_patch(changed, t->file.size, data + 1, size - 1);
	mapped_show(t->path, changed, t->file.size);
	t->rounds.at = (struct rounds_at){ .round = 0 };
	gbdt_checkpoint_read(&t->rounds);
	if (t->rounds.at.round > 0)
		check_taken(&t->rounds);
	free(changed);
	return 0;
}
