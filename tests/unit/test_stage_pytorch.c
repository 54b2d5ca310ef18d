/*
 * Model files score in PyTorch as they do here. PyTorch's scores are stored (support/pytorch_scores.h);
 * where it is installed, tests/support/pytorch.py compares with what it says now.
 *
 *     test_stage_pytorch FOLDER      writes the models, what goes into them and what comes out
 */
#include "nn/net.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/safetensors.h"
#include "common/text.h"
#include "nn/netfile.h"
#include "support/pytorch_scores.h"

#define ROWS 4

static const struct net_design designs[] = {
	{ .kind = NET_MLP, .height = 1, .width = 1, .channels = 5, .outputs = 3,
		.hidden = { 8, 8, 6 }, .hidden_count = 3, .norm = NET_NORM_BATCH, .residual = 1,
		.activation = NN_RELU, .dropout = 0.5f,
		.category = { { 1, 4, 3 }, { 3, 2, 2 } }, .category_count = 2 },
	{ .kind = NET_MLP, .height = 1, .width = 1, .channels = 7, .outputs = 2,
		.hidden = { 9, 9 }, .hidden_count = 2, .norm = NET_NORM_LAYER, .residual = 1,
		.activation = NN_GELU },
	{ .kind = NET_CNN, .height = 6, .width = 5, .channels = 2, .outputs = 3,
		.hidden = { 7 }, .hidden_count = 1, .stages = { 3, 4 }, .stage_count = 2,
		.norm = NET_NORM_BATCH, .residual = 1, .activation = NN_RELU },
	{ .kind = NET_CNN, .height = 5, .width = 5, .channels = 1, .outputs = 2,
		.stages = { 4 }, .stage_count = 1, .norm = NET_NORM_NONE, .activation = NN_GELU },
};

enum { DESIGNS = sizeof designs / sizeof designs[0] };

static struct fault fault;

/* A net with weights, running means and a scale of its own, and some rows. */
static float *make(struct net *net, struct scaling *scaling, unsigned number)
{
	const struct net_mode training = { .is_training = 1 };
	size_t features;
	float *value;

	assert_int_equal(net_init(net, &designs[number], &nn_cpu, 1, &fault), 0);
	assert_int_equal(net_reserve(net, ROWS, 1, &fault), 0);
	net_draw(net, 11 + number);
	features = net->features;
	scaling_init(scaling, features, 0.5f);
	value = array_new(ROWS * features, sizeof *value);
	for (size_t j = 0; j < features; j++) {
		scaling->mean[j] = (float)(j % 3) / 4;
		scaling->deviation[j] = 1 + (float)(j % 2);
	}
	for (size_t i = 0; i < ROWS * features; i++)
		value[i] = (float)((i * 37 + 11) % 64) / 16 - 2;
	for (size_t t = 0; t < net->design.category_count; t++) {
		size_t column = net->design.category[t].column;

		scaling->mean[column] = 0;
		scaling->deviation[column] = scaling->unit;
		for (size_t i = 0; i < ROWS; i++) /* the last is one too many */
			value[i * features + column] = (float)(i + t);
	}
	for (size_t i = 0; i < ROWS * features; i++)
		net->input[i] = value[i];
	for (int i = 0; i < 3; i++) /* running means and variances that are worth something */
		(void)net_forward(net, ROWS, &training);
	return value;
}

static const float *score(struct net *net, const struct scaling *scaling, const float *value)
{
	static const int64_t rows[ROWS] = { 0, 1, 2, 3 };
	const struct net_mode use = { .is_training = 0 };
	float *linear = array_new(2 * net->features, sizeof *linear);
	const float *made;

	scaling_linear(scaling, linear, linear + net->features);
	net->ops->gather(net->device, &(struct nn_gather){ .to = net->input,
					      .data = value,
					      .rows = rows,
					      .count = ROWS,
					      .columns = net->features,
					      .scale = linear,
					      .shift = linear + net->features });
	made = net_forward(net, ROWS, &use);
	free(linear);
	return made;
}

static void models_score_as_in_pytorch(void **state)
{
	const float *wanted = pytorch_scores;

	(void)state;
	for (unsigned number = 0; number < DESIGNS; number++) {
		struct scaling scaling;
		struct net net;
		float *value = make(&net, &scaling, number);
		const float *is = score(&net, &scaling, value);

		for (size_t i = 0; i < ROWS * net.design.outputs; i++, wanted++)
			if (!(fabsf(is[i] - *wanted) <= 2e-6f + 2e-5f * fabsf(*wanted)))
				fail_msg("design %u, score %zu: %.9g, PyTorch says %.9g", number, i,
					(double)is[i], (double)*wanted);
		free(value);
		scaling_release(&scaling);
		net_release(&net);
	}
	assert_ptr_equal(wanted, pytorch_scores + sizeof pytorch_scores / sizeof *pytorch_scores);
}

static int write_design(const char *folder, unsigned number)
{
	struct tensors notes = { .count = 0 }, rows = { .count = 0 };
	struct scaling scaling;
	struct net net;
	float *value = make(&net, &scaling, number);
	uint64_t shape[2] = { ROWS, net.features }, scores[2] = { ROWS, net.design.outputs };
	char path[300];
	int rc;

	(void)snprintf(path, sizeof path, "%s/%u.model", folder, number);
	tensors_describe(&notes, "loss", "softmax");
	rc = netfile_save(&net, NULL, &scaling, &notes, path, &fault);
	(void)snprintf(path, sizeof path, "%s/%u.rows", folder, number);
	tensors_add(&rows, "value", TENSOR_F32, shape, 2, value);
	tensors_add(&rows, "score", TENSOR_F32, scores, 2, score(&net, &scaling, value));
	rc = rc == 0 ? tensors_write(&rows, path, &fault) : rc;
	tensors_release(&notes);
	tensors_release(&rows);
	free(value);
	scaling_release(&scaling);
	net_release(&net);
	return rc;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(models_score_as_in_pytorch) };

	if (argc < 2)
		return cmocka_run_group_tests(tests, NULL, NULL);
	for (unsigned number = 0; number < DESIGNS; number++)
		if (write_design(argv[1], number) < 0)
			return 1;
	return 0;
}
