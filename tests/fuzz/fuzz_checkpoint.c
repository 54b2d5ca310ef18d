/*
 * The input is what happens to a checkpoint before a training is taken up. Its first byte says which training's, and to which of the two
 * files: state or weights; the rest how (tensorfile.h). What is taken is something to go on from; what is not changes nothing.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fault.h"
#include "fuzz.h"
#include "mapped.h"
#include "nn/samples.h"
#include "tensorfile.h"
#include "train/checkpoint.h"
#include "train/recipe.h"
#include "train/session.h"

#define TRAININGS 2
#define STEP      7

static const char *const file_names[] = { "state", "weights" };

static struct training {
	struct recipe recipe;
	struct net net;
	struct session session;
	char folder[300], path[2][340];
	struct tensorfile file[2];
} trainings[TRAININGS];

static const struct samples samples = { .rows = 9, .count = 7, .valid_count = 2, .digest = 1 };

/* With batch norm and AdamW it has every run that there is; the other one has a momentum only. */
static const struct recipe recipes[TRAININGS] = {
	{ .design = { .kind = NET_MLP, .height = 1, .width = 1, .channels = 4, .outputs = 3, .hidden = { 3 }, .hidden_count = 1,
		  .norm = NET_NORM_BATCH, .category = { { 1, 3, 2 } }, .category_count = 1 },
		.average = 0.9, .epochs = 5, .batch_size = 4, .accumulate = 1 },
	{ .design = { .kind = NET_CNN, .height = 4, .width = 4, .channels = 1, .outputs = 2, .stages = { 2 }, .stage_count = 1 },
		.optimiser = OPTIMISER_SGD, .epochs = 5, .batch_size = 4, .accumulate = 1 },
};

static const char *host_checkpoint(flow_ctx *ctx)
{
	return ((struct training *)(void *)ctx)->folder;
}

static void host_log(flow_ctx *ctx, const char *line)
{
	FUZZ_CHECK(ctx != NULL && line[0] != '\0');
}

static const flow_host host = { .abi = FLOW_ABI, .size = sizeof host, .checkpoint = host_checkpoint, .log = host_log };

static float *run_of(const struct net *net, float value)
{
	float *run = net->ops->alloc(net->device, net->weight_count * sizeof *run);

	for (size_t i = 0; i < net->weight_count; i++)
		run[i] = value * (float)i;
	return run;
}

static void make_session(struct training *t)
{
	const int has_all = t->recipe.optimiser == OPTIMISER_ADAMW;
	const struct net *net = &t->net;

	t->session = (struct session){ .recipe = &t->recipe, .samples = &samples, .net = &t->net, .host = &host,
		.ctx = (flow_ctx *)(void *)t, .at = { .epoch = 2, .taken = 1, .step = STEP, .loss = 1, .rows = 4, .rate = 0.1 } };
	t->session.first = run_of(net, 0.5f);
	if (!has_all)
		return;
	t->session.second = run_of(net, 0.25f);
	t->session.average = run_of(net, 2);
	t->session.best = run_of(net, 3);
	t->session.best_running = run_of(net, 4);
	FUZZ_CHECK(net->running_count <= net->weight_count);
}

/* From now on nothing is in the folder but names. */
static void make(struct training *t, size_t which)
{
	struct fault fault;

	t->recipe = recipes[which];
	FUZZ_CHECK(net_init(&t->net, &t->recipe.design, &nn_ref, 1, &fault) == 0);
	net_draw(&t->net, which);
	(void)snprintf(t->folder, sizeof t->folder, "%s/%zu", fuzz_folder(NULL), which);
	make_session(t);
	FUZZ_CHECK(checkpoint_write(&t->session, &fault) == 0 && checkpoint_wait(&t->session, &fault) == 0);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(t->path[i], sizeof t->path[i], "%s/%s-%d.safetensors", t->folder, file_names[i], STEP);
		tensorfile_keep(&t->file[i], t->path[i]);
	}
}

static void release(void)
{
	for (size_t i = 0; i < TRAININGS; i++) {
		struct training *t = &trainings[i];
		float *runs[] = { t->session.first, t->session.second, t->session.average, t->session.best, t->session.best_running };

		for (size_t j = 0; j < sizeof runs / sizeof runs[0]; j++)
			t->net.ops->release(t->net.device, runs[j]);
		checkpoint_release(&t->session);
		net_release(&t->net);
		tensorfile_release(&t->file[0]);
		tensorfile_release(&t->file[1]);
	}
}

static void check_finite(const float *run, size_t count)
{
	for (size_t i = 0; run != NULL && i < count; i++)
		FUZZ_CHECK(isfinite(run[i]));
}

static void check_taken(const struct session *s)
{
	const double counts[] = { s->at.epoch, s->at.taken, s->at.step, s->at.best_epoch, s->at.cuts, s->at.cut_epoch };
	const float *runs[] = { s->net->weight, s->first, s->second, s->average, s->best };

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		FUZZ_CHECK(counts[i] >= 0 && counts[i] <= UINT32_MAX && counts[i] - floor(counts[i]) <= 0);
	FUZZ_CHECK(s->at.epoch >= 1 && s->at.epoch <= (double)s->recipe->epochs + 1 && s->at.best_epoch < s->at.epoch);
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++)
		check_finite(runs[i], s->net->weight_count);
	check_finite(s->net->running, s->net->running_count);
	check_finite(s->best_running, s->net->running_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cursor nowhere = { .epoch = 0 };
	struct tensorfile changed;
	struct training *t;
	int which;

	if (trainings[0].net.layer == NULL) {
		for (size_t i = 0; i < TRAININGS; i++)
			make(&trainings[i], i);
		FUZZ_CHECK(atexit(release) == 0);
	}
	if (size == 0)
		return 0;
	t = &trainings[data[0] / 2 % TRAININGS];
	which = data[0] % 2;
	tensorfile_change(&changed, &t->file[which], data + 1, size - 1);
	mapped_show(t->path[which], changed.data, changed.size);
	mapped_show(t->path[!which], t->file[!which].data, t->file[!which].size);
	t->session.at = nowhere;
	checkpoint_read(&t->session);
	if (memcmp(&t->session.at, &nowhere, sizeof nowhere) != 0)
		check_taken(&t->session);
	tensorfile_release(&changed);
	return 0;
}
