/* Whole networks: gradients by finite differences, the oracle beside the CPU, files. */
#include "nn/net.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/safetensors.h"
#include "common/text.h"
#include "nn/netfile.h"

#define ROWS 6

static struct fault fault;

static struct net_design design_of(unsigned number)
{
	static const struct net_design designs[] = {
		{ .kind = NET_MLP, .height = 1, .width = 1, .channels = 7, .outputs = 3,
			.hidden = { 9, 9 }, .hidden_count = 2, .activation = NN_GELU,
			.norm = NET_NORM_LAYER, .residual = 1 },
		{ .kind = NET_MLP, .height = 1, .width = 1, .channels = 5, .outputs = 2,
			.hidden = { 8, 8, 4 }, .hidden_count = 3, .norm = NET_NORM_BATCH,
			.residual = 1, .activation = NN_GELU, .dropout = 0.3f },
		{ .kind = NET_CNN, .height = 6, .width = 5, .channels = 2, .outputs = 3,
			.hidden = { 7 }, .hidden_count = 1, .stages = { 3, 4 }, .stage_count = 2,
			.norm = NET_NORM_BATCH, .residual = 1, .activation = NN_GELU },
		{ .kind = NET_CNN, .height = 5, .width = 5, .channels = 1, .outputs = 2,
			.stages = { 4 }, .stage_count = 1, .norm = NET_NORM_NONE,
			.activation = NN_GELU },
		{ .kind = NET_MLP, .height = 1, .width = 1, .channels = 7, .outputs = 3,
			.hidden = { 9, 6 }, .hidden_count = 2, .activation = NN_RELU },
		{ .kind = NET_CNN, .height = 6, .width = 6, .channels = 1, .outputs = 3,
			.hidden = { 7, 7 }, .hidden_count = 2, .stages = { 3, 3 }, .stage_count = 2,
			.norm = NET_NORM_BATCH, .residual = 1, .activation = NN_RELU,
			.dropout = 0.2f },
		{ .kind = NET_MLP, .height = 1, .width = 1, .channels = 5, .outputs = 3,
			.category = { { 1, 4, 3 }, { 3, 2, 2 } }, .category_count = 2,
			.hidden = { 8, 8 }, .hidden_count = 2, .residual = 1,
			.activation = NN_GELU },
	};

	return designs[number];
}

enum { DESIGNS = 7 };

/* Those that have a slope everywhere. */
static const unsigned smooth[] = { 0, 1, 2, 3, 6 };

enum freezing { FROZEN_NONE, FROZEN_HALF, FROZEN_BIASES, FROZEN_EVEN, FROZEN_NORMS };

static const struct net_mode training = { .is_training = 1, .seed = 3, .step = 5 };

static void make(struct net *net, unsigned design, const struct nn_ops *ops, unsigned threads)
{
	const struct net_design wanted = design_of(design);

	assert_int_equal(net_init(net, &wanted, ops, threads, &fault), 0);
	assert_int_equal(net_reserve(net, ROWS, 1, &fault), 0);
	net_draw(net, 11);
	for (size_t i = 0; i < ROWS * net->features; i++)
		net->input[i] = (float)((i * 37 + 11) % 64) / 32 - 1;
	for (size_t i = 0; i < ROWS * net->design.category_count; i++) { /* codes, and one more */
		const struct net_category *c = &net->design.category[i / ROWS];

		net->input[i % ROWS * net->features + c->column] = (float)(i % (c->codes + 1));
	}
}

/* The sum over the scores, each times a number of its own. */
static double value_of(struct net *net)
{
	float *running = array_new(net->running_count + 1, sizeof *running);
	const float *score;
	double sum = 0;

	memcpy(running, net->running, net->running_count * sizeof *running);
	score = net_forward(net, ROWS, &training);
	memcpy(net->running, running, net->running_count * sizeof *running);
	free(running);
	for (size_t i = 0; i < ROWS * net->design.outputs; i++)
		sum += (double)score[i] * (double)(i % 5 + 1) / 5;
	return sum;
}

static void differentiate(struct net *net)
{
	float *score = net_forward(net, ROWS, &training);

	for (size_t i = 0; i < ROWS * net->design.outputs; i++)
		score[i] = (float)(i % 5 + 1) / 5;
	net_backward(net, ROWS, &training);
}

/* Are the layer's weights frozen (which 0), its biases (1)? */
static int is_frozen(enum freezing freezing, size_t layer, size_t layers, int which)
{
	switch (freezing) {
	case FROZEN_HALF: return layer < layers / 2;
	case FROZEN_BIASES: return which == 1;
	case FROZEN_EVEN: return layer % 2 == 0;
	case FROZEN_NORMS: return layer % 3 != 0;
	case FROZEN_NONE: break;
	}
	return 0;
}

static void freeze(struct net *net, enum freezing freezing)
{
	for (size_t i = 0; i < net->layer_count; i++) {
		struct net_tensor tensor;

		for (unsigned which = 0; net_tensor_of(&net->layer[i], which, &tensor); which++)
			if (which < 2 && is_frozen(freezing, i, net->layer_count, (int)which))
				net_freeze(net, i, which);
	}
	for (size_t i = 0; i < net->running_count; i++) /* what a frozen batch norm uses */
		net->running[i] += (float)(i % 7) / 8;
}

/* Does the weight at that place learn? */
static int learns(const struct net *net, size_t place)
{
	for (size_t i = 0; i < net->layer_count; i++) {
		const struct layer *l = &net->layer[i];

		for (size_t t = 0; t < l->table_count; t++) {
			size_t end = l->table[t].weight + l->table[t].rows * l->table[t].width;

			if (place >= l->weight + l->table[t].weight && place < l->weight + end)
				return !l->table[t].is_frozen && place < l->weight + end - l->table[t].width;
		}
		if (place >= l->weight && place < l->weight + layer_weights(l))
			return !l->is_weight_frozen;
		if (place >= l->bias && place < l->bias + layer_biases(l))
			return !l->is_bias_frozen;
	}
	return 0;
}

static void check_gradients(unsigned design, enum freezing freezing)
{
	struct net net;
	float *gradient;

	make(&net, design, &nn_ref, 1);
	freeze(&net, freezing);
	differentiate(&net);
	gradient = array_new(net.weight_count, sizeof *gradient);
	memcpy(gradient, net.gradient, net.weight_count * sizeof *gradient);
	for (size_t i = 0; i < net.weight_count; i += 1 + i % 3) {
		const float kept = net.weight[i], step = 5e-4f;
		double above, below, found = 0;

		if (learns(&net, i)) {
			net.weight[i] = kept + step;
			above = value_of(&net);
			net.weight[i] = kept - step;
			below = value_of(&net);
			net.weight[i] = kept;
			found = (above - below) / (2 * (double)step);
		} else {
			assert_true(fabs((double)gradient[i]) <= 0);
		}
		if (!(fabs(found - (double)gradient[i]) <= 0.02 * fabs(found) + 0.02))
			fail_msg("design %u, freezing %d, weight %zu: %g, by differences %g", design,
				(int)freezing, i, (double)gradient[i], found);
	}
	free(gradient);
	net_release(&net);
}

static void gradients_agree_with_finite_differences(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof smooth / sizeof smooth[0]; i++)
		for (int freezing = FROZEN_NONE; freezing <= FROZEN_NORMS; freezing++)
			check_gradients(smooth[i], (enum freezing)freezing);
}

static void close_to(const float *is, const float *should, size_t count, const char *what)
{
	double off = 0, size = 0;

	for (size_t i = 0; i < count; i++) {
		off += pow((double)is[i] - (double)should[i], 2);
		size += pow((double)should[i], 2);
	}
	if (!(sqrt(off) <= 2e-4 * sqrt(size) + 1e-9))
		fail_msg("%s: off by %g of %g", what, sqrt(off), sqrt(size));
}

static void the_cpu_is_as_the_oracle_and_threads_change_no_bit(void **state)
{
	(void)state;
	for (unsigned design = 0; design < DESIGNS; design++) {
		struct net ref, one, three;

		make(&ref, design, &nn_ref, 1);
		make(&one, design, &nn_cpu, 1);
		make(&three, design, &nn_cpu, 3);
		differentiate(&ref);
		differentiate(&one);
		differentiate(&three);
		close_to(one.gradient, ref.gradient, ref.weight_count, "gradient");
		close_to(one.running, ref.running, ref.running_count, "running");
		assert_memory_equal(
			one.gradient, three.gradient, one.weight_count * sizeof *one.gradient);
		net_release(&ref);
		net_release(&one);
		net_release(&three);
	}
}

static void the_layout_goes_to_pytorch_and_back(void **state)
{
	(void)state;
	for (unsigned design = 0; design < DESIGNS; design++) {
		struct net net;
		float *rows, *back;

		make(&net, design, &nn_ref, 1);
		rows = array_new(net.weight_count, sizeof *rows);
		back = array_new(net.weight_count, sizeof *back);
		net_to_rows(&net, rows, net.weight);
		net_from_rows(&net, back, rows);
		assert_memory_equal(back, net.weight, net.weight_count * sizeof *back);
		if (design == 4) /* a linear layer: [out][in] */
			assert_true(rows[1 * 7 + 2] - net.weight[2 * 9 + 1] == 0.0f);
		free(rows);
		free(back);
		net_release(&net);
	}
}

static char path[] = "/tmp/flow-test-net-XXXXXX";

static void save(struct net *net, struct scaling *scaling, const char *loss)
{
	struct tensors notes = { .count = 0 };

	scaling_init(scaling, net->features, 0.25f);
	scaling->mean[1] = 3;
	tensors_describe(&notes, "loss", loss);
	assert_int_equal(netfile_save(net, NULL, scaling, &notes, path, &fault), 0);
	tensors_release(&notes);
}

static void a_saved_network_scores_as_the_one_in_memory(void **state)
{
	const struct net_mode use = { .is_training = 0 };
	char loss[20];

	(void)state;
	for (unsigned design = 0; design < DESIGNS; design++) {
		struct scaling scaling, back;
		struct net net, loaded;
		float *score;

		make(&net, design, &nn_cpu, 1);
		(void)value_of(&net);
		save(&net, &scaling, "softmax");
		assert_int_equal(netfile_load(&loaded, &back, loss, &nn_cpu, 1, path, &fault), 0);
		assert_string_equal(loss, "softmax");
		assert_true(back.mean[1] - 3 == 0.0f && back.unit - 0.25f == 0.0f);
		assert_int_equal(net_reserve(&loaded, ROWS, 0, &fault), 0);
		memcpy(loaded.input, net.input, ROWS * net.features * sizeof(float));
		score = net_forward(&net, ROWS, &use);
		assert_memory_equal(net_forward(&loaded, ROWS, &use), score,
			ROWS * net.design.outputs * sizeof *score);
		scaling_release(&scaling);
		scaling_release(&back);
		net_release(&net);
		net_release(&loaded);
	}
}

/* Replace text in the file by text of the same length. */
static void damage(const char *what, const char *by)
{
	static char bytes[1 << 20];
	FILE *f = fopen(path, "r+b");
	size_t size = fread(bytes, 1, sizeof bytes, f);
	size_t at = 0, length = strlen(what);

	while (at + length < size && memcmp(bytes + at, what, length) != 0)
		at++;
	assert_true(at + length < size);
	assert_int_equal(length, strlen(by));
	memcpy(bytes + at, by, length);
	rewind(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static void a_model_file_that_lies_is_refused(void **state)
{
	static const struct {
		const char *what, *by, *says;
	} lie[] = {
		/* Of a net with categories; the rest is of another. */
		{ "[1,4,3,3,2,2]", "[1,4,3,3,222]", "has 5 entries, not three for each" },
		{ "[1,4,3,3,2,2]", "[1,4,3,1,2,2]", "column 1 cannot be the next category" },
		{ "[1,4,3,3,2,2]", "[1,4,3,3,9,2]", "tensor 'embedding.1.weight' has not the type" },
		{ "\"hidden\":\"[9,6]\"", "\"hidden\":\"[9,7]\"", "has not the type and shape" },
		{ "\"hidden\":\"[9,6]\"", "\"hidden\":\"[9,0]\"", "a width of 0" },
		{ "\"hidden\":\"[9,6]\"", "\"hidden\":\"[99,]\"", "hidden" },
		{ "\"input_shape\":\"[1,1,7]\"", "\"input_shape\":\"[9,9,9]\"", "more than the" },
		{ "\"model\":\"mlp\"", "\"model\":\"cnn\"", "a cnn needs at least one stage" },
		{ "\"model\":\"mlp\"", "\"model\":\"gbm\"", "which is not known" },
		{ "\"norm\":\"none\"", "\"norm\":\"batc\"", "which is not known" },
		{ "\"dropout\":\"0\"", "\"dropout\":\"7\"", "dropout is 7" },
		{ "head.bias", "head.bios", "no tensor 'head.bias'" },
		{ "\"unit\":\"0.25\"", "\"unut\":\"0.25\"", "no 'unit'" },
		{ "\"loss\"", "\"lost\"", "no 'loss'" },
	};
	struct scaling scaling, back;
	struct net net, loaded;
	char loss[20];

	(void)state;
	make(&net, 6, &nn_cpu, 1);
	for (size_t i = 0; i < sizeof lie / sizeof lie[0]; i++) {
		if (i == 3) {
			net_release(&net);
			make(&net, 4, &nn_cpu, 1);
		}
		save(&net, &scaling, "softmax");
		scaling_release(&scaling);
		damage(lie[i].what, lie[i].by);
		assert_int_equal(netfile_load(&loaded, &back, loss, &nn_cpu, 1, path, &fault), -1);
		if (strstr(fault.text, lie[i].says) == NULL)
			fail_msg("'%s' does not say '%s'", fault.text, lie[i].says);
	}
	net.weight[5] = NAN;
	save(&net, &scaling, "softmax");
	scaling_release(&scaling);
	assert_int_equal(netfile_load(&loaded, &back, loss, &nn_cpu, 1, path, &fault), -1);
	assert_non_null(strstr(fault.text, "not finite"));
	net_release(&net);
}

static void designs_that_cannot_be_are_refused(void **state)
{
	struct net_design design = design_of(2);
	struct net net;

	(void)state;
	design.norm = NET_NORM_LAYER;
	assert_int_equal(net_init(&net, &design, &nn_ref, 1, &fault), -1);
	design = design_of(0);
	design.hidden[1] = NET_WIDTH_MAX + 1;
	assert_int_equal(net_init(&net, &design, &nn_ref, 1, &fault), -1);
	design.hidden[0] = design.hidden[1] = NET_WIDTH_MAX;
	design.channels = 1 << 24;
	assert_int_equal(net_init(&net, &design, &nn_ref, 1, &fault), -1);
	assert_non_null(strstr(fault.text, "weights there may be"));
	design = design_of(6);
	design.category[1].column = 1;
	assert_int_equal(net_init(&net, &design, &nn_ref, 1, &fault), -1);
	assert_non_null(strstr(fault.text, "column 1 cannot be the next category"));
	design = design_of(6);
	design.category[1].codes = NET_CODES_MAX + 1;
	assert_int_equal(net_init(&net, &design, &nn_ref, 1, &fault), -1);
	assert_non_null(strstr(fault.text, "column 3 has 65537 categories"));
	make(&net, 0, &nn_ref, 1);
	assert_int_equal(net_reserve(&net, (size_t)1 << 40, 1, &fault), -1);
	assert_non_null(strstr(fault.text, "lower batch_size"));
	net_release(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gradients_agree_with_finite_differences),
		cmocka_unit_test(the_cpu_is_as_the_oracle_and_threads_change_no_bit),
		cmocka_unit_test(the_layout_goes_to_pytorch_and_back),
		cmocka_unit_test(a_saved_network_scores_as_the_one_in_memory),
		cmocka_unit_test(a_model_file_that_lies_is_refused),
		cmocka_unit_test(designs_that_cannot_be_are_refused),
	};
	int fd = mkstemp(path), rc;

	if (fd < 0)
		return 1;
	(void)close(fd);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return rc;
}
