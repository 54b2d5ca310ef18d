#include "train/keys.h"
#include "train/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/dataset.h"
#include "common/fault.h"
#include "common/npy.h"
#include "common/safetensors.h"
#include "common/softmax.h"
#include "train/fit.h"
#include "train/gradient.h"

#define STAGE stage_train
#include "support/stage_case.h"

#define ROWS   300
#define SIDE   3
#define PIXELS (SIDE * SIDE)

/* A pixel that looks random and is the same everywhere. */
static unsigned char noise(unsigned i)
{
	return (unsigned char)((i * 2654435761u >> 16) & 0x3f);
}

/* Three classes that can be told apart: each has its own bright row of pixels. `swap` of every
 * hundred labels are wrong. */
static void make_data(flow_ctx *host, unsigned swap)
{
	unsigned char pixels[ROWS * PIXELS], labels[ROWS];

	for (unsigned i = 0; i < ROWS; i++) {
		unsigned truth = i % 3;

		labels[i] = (unsigned char)(i % 100 < swap ? (truth + 1) % 3 : truth);
		for (unsigned j = 0; j < PIXELS; j++)
			pixels[i * PIXELS + j] = (unsigned char)(noise(i * PIXELS + j) +
								 (j / SIDE == truth ? 150 : 20));
	}
	stage_host_dep(host, "images",
		stage_host_idx(host, "images", (const unsigned[]){ ROWS, SIDE, SIDE }, 3, pixels));
	stage_host_dep(host, "labels",
		stage_host_idx(host, "labels", (const unsigned[]){ ROWS }, 1, labels));
}

static int set_up(void **state)
{
	flow_ctx *host = stage_host_new();

	make_data(host, 0);
	stage_host_dep(host, "rows", write_rows(host, "train.npy", 0, 240));
	stage_host_dep(host, "valid_rows", write_rows(host, "valid.npy", 240, ROWS));
	stage_host_out(host, "model", stage_host_path(host, "model"));
	stage_host_with(host, "batch_size", "16");
	stage_host_with(host, "epochs", "10");
	stage_host_with(host, "lr", "0.1");
	stage_host_seed(host, 5);
	*state = host;
	return 0;
}

static void separable_data_is_learned_to_the_last_row(void **state)
{
	stage_host_with(*state, "patience", "0");
	assert_int_equal(stage_host_run(*state, &stage_train), 0);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 1);
	assert_true(metric(*state, "loss", 10) < metric(*state, "loss", 1));
	assert_true(metric(*state, "samples_per_second", 10) > 0);
	assert_true(metric(*state, "valid_loss", 10) < 0.1);
}

static void the_model_has_pytorch_names_and_shapes(void **state)
{
	struct tensors model = { 0 };
	const struct tensor *weight;
	struct fault fault;

	assert_int_equal(stage_host_run(*state, &stage_train), 0);
	assert_int_equal(tensors_read(&model, stage_host_path(*state, "model"), &fault), 0);
	weight = tensors_find(&model, "linear.weight");
	assert_non_null(weight);
	assert_int_equal(weight->dimensions, 2);
	assert_int_equal(weight->shape[0], 3);
	assert_int_equal(weight->shape[1], PIXELS);
	assert_int_equal(tensors_find(&model, "linear.bias")->shape[0], 3);
	assert_int_equal(tensors_find(&model, "input.mean")->shape[0], PIXELS);
	assert_int_equal(tensors_find(&model, "input.std")->shape[0], PIXELS);
	assert_string_equal(tensors_note(&model, "format"), "pt");
	tensors_release(&model);
}

/* The sum of |weight|; how many are 0. */
static double size_of_weights(flow_ctx *host, const char *l1, size_t *zeros)
{
	struct tensors model = { 0 };
	const struct tensor *weight;
	struct fault fault;
	double sum = 0;

	stage_host_with(host, "l1", l1);
	stage_host_with(host, "patience", "0");
	assert_int_equal(stage_host_run(host, &stage_train), 0);
	assert_int_equal(tensors_read(&model, stage_host_path(host, "model"), &fault), 0);
	weight = tensors_find(&model, "linear.weight");
	*zeros = 0;
	for (size_t i = 0; i < weight->size; i += sizeof(float)) {
		float value;

		memcpy(&value, (const char *)weight->data + i, sizeof value);
		sum += fabs((double)value);
		*zeros += value == 0;
	}
	assert_string_equal(tensors_note(&model, "l1") != NULL ? tensors_note(&model, "l1") : "0", l1);
	tensors_release(&model);
	return sum;
}

static void l1_draws_weights_to_zero(void **state)
{
	size_t zeros, of_some, of_all;
	double none = size_of_weights(*state, "0", &zeros), some = size_of_weights(*state, "0.25", &of_some);

	assert_true(some < none / 2);
	assert_true(zeros == 0 && of_some > 0);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 1);
	assert_true(size_of_weights(*state, "10", &of_all) <= 0);
	assert_int_equal(of_all, 3 * PIXELS);
}

static void a_saved_model_scores_as_the_one_in_memory(void **state)
{
	struct linear made, loaded;
	struct tensors notes = { 0 };
	struct fault fault;
	const float mean[5] = { 0.1f, 0.2f, 0.3f, 0.4f, 0.5f };
	const float spread[5] = { 1, 0.5f, 0.25f, 2, 1 };
	const char *path = stage_host_path(*state, "saved");

	linear_init(&made, 17, 5); /* more than one group of lanes, and features to round up */
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 17; j++)
			made.weight[i * made.lanes + j] = (float)(i * 100 + j);
	linear_standardise(&made, mean, spread);
	assert_int_equal(linear_save(&made, &notes, path, &fault), 0);
	assert_int_equal(linear_load(&loaded, path, &fault), 0);
	assert_memory_equal(
		made.weight, loaded.weight, made.inputs * made.lanes * sizeof *made.weight);
	assert_memory_equal(made.scale, loaded.scale, 5 * sizeof *made.scale);
	tensors_release(&notes);
	linear_release(&made);
	linear_release(&loaded);
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
	size_t size, again;
	char *first, *second, *other;

	assert_int_equal(stage_host_run(*state, &stage_train), 0);
	first = stage_host_read(stage_host_path(*state, "model"), &size);
	assert_int_equal(stage_host_run(*state, &stage_train), 0);
	second = stage_host_read(stage_host_path(*state, "model"), &again);
	stage_host_seed(*state, 6);
	assert_int_equal(stage_host_run(*state, &stage_train), 0);
	other = stage_host_read(stage_host_path(*state, "model"), NULL);
	assert_int_equal(size, again);
	assert_memory_equal(first, second, size);
	assert_memory_not_equal(first, other, size);
	free(first);
	free(second);
	free(other);
}

/* The mean loss of the first rows, at the weights as they are. */
static double mean_loss(struct gradient *gradient, const struct dataset *d, size_t count)
{
	return gradient_batch(gradient, d, d->row, count) / (double)count;
}

static double slope(struct gradient *gradient, const struct dataset *d, size_t count, float *weight)
{
	const float keep = *weight, step = 0.02f;
	double above, below;

	*weight = keep + step;
	above = mean_loss(gradient, d, count);
	*weight = keep - step;
	below = mean_loss(gradient, d, count);
	*weight = keep;
	return (above - below) / (2 * (double)step);
}

static void the_gradient_agrees_with_finite_differences(void **state)
{
	struct dataset d;
	struct linear model;
	struct gradient gradient;
	struct fault fault;
	float expected[PIXELS * 3], bias[3];
	const size_t count = 7; /* not a multiple of the kernel's block */

	assert_int_equal(dataset_open(&d, stage_host_path(*state, "images"),
				 stage_host_path(*state, "labels"), NULL, &fault),
		0);
	linear_init(&model, d.classes, d.features);
	fit_standardise(&model, &d);
	for (size_t i = 0; i < PIXELS * 3; i++)
		model.weight[i / 3 * model.lanes + i % 3] = 0.01f * (float)(i % 11) - 0.05f;
	gradient_init(&gradient, &model, 16);
	(void)mean_loss(&gradient, &d, count);
	for (size_t i = 0; i < PIXELS * 3; i++)
		expected[i] = gradient.weight[i / 3 * model.lanes + i % 3];
	memcpy(bias, gradient.bias, sizeof bias);
	for (size_t i = 0; i < PIXELS * 3; i++) {
		double found =
			slope(&gradient, &d, count, &model.weight[i / 3 * model.lanes + i % 3]);

		assert_true(fabs(found - (double)expected[i]) < 1e-3);
	}
	for (size_t j = 0; j < 3; j++)
		assert_true(
			fabs(slope(&gradient, &d, count, &model.bias[j]) - (double)bias[j]) < 1e-3);
	gradient_release(&gradient);
	linear_release(&model);
	dataset_close(&d);
}

static void the_exponential_is_close_to_the_library_one(void **state)
{
	(void)state;
	for (float x = 0; x > -90; x -= 0.37f) {
		double exact = exp((double)x);

		assert_true(fabs((double)softmax_exp(x) - exact) <= 2e-7 * exact + 1e-37);
	}
	assert_true(isnan(softmax_exp(NAN)));
	assert_true(softmax_exp(-INFINITY) <= 0);
}

static void a_hopeless_score_has_a_finite_loss(void **state)
{
	float row[3] = { 1000, 0, 0 };

	(void)state;
	assert_true(fabs(softmax_row(row, 3, 1) - 1000) < 1e-3);
	assert_true(row[0] >= 1 && row[1] <= 0);
}

static void training_stops_when_validation_gets_no_better(void **state)
{
	make_data(*state, 30); /* wrong labels in both parts: soon there is nothing more to learn */
	stage_host_with(*state, "epochs", "500");
	stage_host_with(*state, "patience", "3");
	stage_host_with(*state, "schedule", "\"constant\"");
	assert_int_equal(stage_host_run(*state, &stage_train), 0);
	assert_true(metric(*state, "epochs", -1) < 500);
	assert_int_equal(
		(long)metric(*state, "epochs", -1), (long)metric(*state, "best_epoch", -1) + 3);
}

static void patience_0_never_stops(void **state)
{
	make_data(*state, 30);
	stage_host_with(*state, "epochs", "60");
	stage_host_with(*state, "patience", "0");
	assert_int_equal(stage_host_run(*state, &stage_train), 0);
	assert_int_equal((long)metric(*state, "epochs", -1), 60);
}

static void training_needs_no_validation_rows(void **state)
{
	double value;

	stage_host_dep(*state, "rows", NULL);
	stage_host_dep(*state, "valid_rows", NULL);
	assert_int_equal(stage_host_run(*state, &stage_train), 0);
	assert_int_equal((long)metric(*state, "rows", -1), ROWS);
	assert_int_equal(stage_host_metric(*state, "valid_loss", 1, &value), 0);
}

static void a_rate_that_diverges_is_named(void **state)
{
	stage_host_with(*state, "lr", "1e10");
	expect_failure(*state, "lower lr (it is 1e+10)");
	make_data(*state, 30);
	stage_host_with(*state, "lr", "50");
	expect_failure(*state, "training diverged in epoch 1");
	stage_host_with(*state, "weight_decay", "1e6");
	expect_failure(*state, "no longer a number; lower lr");
}

static void a_failed_training_leaves_no_model(void **state)
{
	stage_host_with(*state, "lr", "1e10");
	assert_int_equal(stage_host_run(*state, &stage_train), -1);
	assert_null(stage_host_read(stage_host_path(*state, "model"), NULL));
	assert_null(stage_host_read(stage_host_path(*state, "model.part"), NULL));
}

static void training_ends_when_asked_to(void **state)
{
	stage_host_cancel_after(*state, 3);
	expect_failure(*state, "stopped in epoch 4");
}

static void mistakes_in_the_options_are_named(void **state)
{
	static const struct {
		const char *key, *value, *says;
	} bad[] = {
		{ "model", "\"gbm\"", "'gbm' is not known; known are: softmax, linear, gbdt, mlp, cnn, text, auto" },
		{ "schedule", "\"linear\"", "'linear' is not known to softmax; known are: cosine, constant" },
		{ "epochs", "0", "with.epochs" },
		{ "batch_size", "0", "with.batch_size" },
		{ "lr", "-1", "with.lr" },
		{ "momentum", "1", "with.momentum" },
		{ "depth", "3", "with.depth: softmax, the default model, has no such option; it is for gbdt" },
		{ "dropout", "0.1", "with.dropout: softmax, the default model, has no such option; it is for mlp, cnn, text" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		stage_host_with(*state, bad[i].key, bad[i].value);
		expect_failure(*state, bad[i].says);
		stage_host_with(*state, bad[i].key, NULL);
	}
}

static void every_option_is_of_some_model(void **state)
{
	static const char *const models[] = { "softmax", "linear", "gbdt", "mlp", "cnn", "text", "auto" };

	(void)state;
	for (const flow_option *option = stage_train.options; option->key != NULL; option++) {
		int count = 0;

		for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
			count += keys_has(models[i], option->key);
		if (count == 0)
			fail_msg("no model has %s", option->key);
	}
	assert_int_equal(keys_has("linear", "epochs"), keys_has("softmax", "epochs"));
}

static void mistakes_in_the_data_are_named(void **state)
{
	const unsigned char ones[ROWS] = { 0 };

	stage_host_dep(*state, "rows", write_rows(*state, "beyond.npy", 290, ROWS));
	stage_host_dep(*state, "labels",
		stage_host_idx(*state, "few", (const unsigned[]){ 295 }, 1, ones));
	expect_failure(*state, "has 300 images, but");
	stage_host_dep(*state, "labels",
		stage_host_idx(*state, "same", (const unsigned[]){ ROWS }, 1, ones));
	expect_failure(*state, "the training rows have only one class");
	make_data(*state, 0);
	stage_host_dep(*state, "rows", write_rows(*state, "none.npy", 5, 5));
	expect_failure(*state, "lists no rows");
	stage_host_dep(*state, "rows", write_rows(*state, "minus.npy", -1, 5));
	expect_failure(*state, "lists row -1, but there are 300 rows");
	stage_host_dep(*state, "images", NULL);
	expect_failure(*state, "needs deps named 'images' and 'labels'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			separable_data_is_learned_to_the_last_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_model_has_pytorch_names_and_shapes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(l1_draws_weights_to_zero, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_saved_model_scores_as_the_one_in_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_same_seed_gives_the_same_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_gradient_agrees_with_finite_differences, set_up, tear_down),
		cmocka_unit_test(the_exponential_is_close_to_the_library_one),
		cmocka_unit_test(a_hopeless_score_has_a_finite_loss),
		cmocka_unit_test_setup_teardown(
			training_stops_when_validation_gets_no_better, set_up, tear_down),
		cmocka_unit_test_setup_teardown(patience_0_never_stops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			training_needs_no_validation_rows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_rate_that_diverges_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_failed_training_leaves_no_model, set_up, tear_down),
		cmocka_unit_test_setup_teardown(training_ends_when_asked_to, set_up, tear_down),
		cmocka_unit_test(every_option_is_of_some_model),
		cmocka_unit_test_setup_teardown(
			mistakes_in_the_options_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mistakes_in_the_data_are_named, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
