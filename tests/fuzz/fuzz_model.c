/*
 * The input is what happens to a model file before it is loaded. Its first byte says which model, and how: the rest are bytes to change in
 * the file, or notes to write anew, which makes a lie of its design (tensorfile.h).
 */
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/linear.h"
#include "common/safetensors.h"
#include "fuzz.h"
#include "mapped.h"
#include "nn/netfile.h"
#include "tensorfile.h"

#define MODELS 7
#define ROWS   3

static const struct net_design designs[MODELS - 1] = {
	{ .kind = NET_MLP, .height = 1, .width = 1, .channels = 4, .outputs = 3 },
	{ .kind = NET_MLP, .height = 1, .width = 1, .channels = 4, .outputs = 2, .hidden = { 5, 5 }, .hidden_count = 2,
		.norm = NET_NORM_BATCH, .residual = 1, .dropout = 0.1f },
	{ .kind = NET_MLP, .height = 1, .width = 1, .channels = 2, .outputs = 1, .hidden = { 3 }, .hidden_count = 1,
		.norm = NET_NORM_LAYER, .activation = NN_GELU },
	{ .kind = NET_CNN, .height = 6, .width = 4, .channels = 1, .outputs = 2, .stages = { 2 }, .stage_count = 1 },
	{ .kind = NET_CNN, .height = 4, .width = 4, .channels = 2, .outputs = 2, .stages = { 2, 3 }, .stage_count = 2, .hidden = { 4 },
		.hidden_count = 1, .norm = NET_NORM_BATCH, .residual = 1 },
	{ .kind = NET_MLP, .height = 1, .width = 1, .channels = 3, .outputs = 2, .hidden = { 3 }, .hidden_count = 1,
		.category = { { 0, 4, 2 }, { 2, 2, 1 } }, .category_count = 2 },
};

static struct tensorfile models[MODELS]; /* the last is a linear model */
static char path[300];

static void make_network(size_t which)
{
	struct tensors notes = { .count = 0 };
	struct scaling scaling;
	struct fault fault;
	struct net net;

	FUZZ_CHECK(net_init(&net, &designs[which], &nn_ref, 1, &fault) == 0);
	net_draw(&net, which);
	scaling_init(&scaling, net.features, 1);
	tensors_describe(&notes, "loss", "softmax");
	FUZZ_CHECK(netfile_save(&net, NULL, &scaling, &notes, path, &fault) == 0);
	tensorfile_keep(&models[which], path);
	tensors_release(&notes);
	scaling_release(&scaling);
	net_release(&net);
}

static void make_linear(size_t which)
{
	static const float mean[3] = { 0 }, deviation[3] = { 1, 1, 1 };
	struct tensors notes = { .count = 0 };
	struct linear model;
	struct fault fault;

	linear_init(&model, 2, 3);
	linear_standardise(&model, mean, deviation);
	tensors_describe(&notes, "format", "pt");
	FUZZ_CHECK(linear_save(&model, &notes, path, &fault) == 0);
	tensorfile_keep(&models[which], path);
	tensors_release(&notes);
	linear_release(&model);
}

static void release(void)
{
	for (size_t i = 0; i < MODELS; i++)
		tensorfile_release(&models[i]);
}

static void start(void)
{
	(void)snprintf(path, sizeof path, "%s/model", fuzz_folder(NULL));
	for (size_t i = 0; i < MODELS - 1; i++)
		make_network(i);
	make_linear(MODELS - 1);
	FUZZ_CHECK(atexit(release) == 0);
}

/* What was loaded can be used. */
static void use_network(struct net *net, const struct scaling *scaling)
{
	const struct net_mode mode = { .is_training = 0 };
	struct fault fault;

	FUZZ_CHECK(scaling->features == net->features && net->features > 0);
	FUZZ_CHECK(net_reserve(net, ROWS, 0, &fault) == 0);
	memset(net->input, 0, ROWS * net->features * sizeof(float));
	(void)fuzz_touch(net_forward(net, ROWS, &mode), ROWS * net->design.outputs * sizeof(float));
}

static void load_network(void)
{
	struct scaling scaling;
	struct fault fault = { "" };
	struct net net;
	char loss[20];

	if (netfile_load(&net, &scaling, loss, &nn_ref, 1, path, &fault) < 0) {
		FUZZ_CHECK(fault.text[0] != '\0');
		return;
	}
	FUZZ_CHECK(strlen(loss) < sizeof loss);
	use_network(&net, &scaling);
	scaling_release(&scaling);
	net_release(&net);
}

static void load_linear(void)
{
	struct fault fault = { "" };
	struct linear model;

	if (linear_load(&model, path, &fault) < 0) {
		FUZZ_CHECK(fault.text[0] != '\0');
		return;
	}
	FUZZ_CHECK(model.classes <= model.lanes && model.features <= model.inputs);
	(void)fuzz_touch(model.weight, model.inputs * model.lanes * sizeof(float));
	(void)fuzz_touch(model.scale, model.features * sizeof(float));
	linear_release(&model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t which = size != 0 ? data[0] / 2u % MODELS : 0;
	struct tensorfile changed;

	if (models[0].data == NULL)
		start();
	tensorfile_change(&changed, &models[which], data, size);
	mapped_show(path, changed.data, changed.size);
	if (which == MODELS - 1)
		load_linear();
	else
		load_network();
	tensorfile_release(&changed);
	return 0;
}
