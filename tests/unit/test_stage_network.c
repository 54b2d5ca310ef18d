/* The models mlp and cnn of the stage `train`. */
#include "train/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/npy.h"
#include "nn/netfile.h"
#include "support/ring.h"
#include "train/recipe.h"
#include "train/schedule.h"

static void what_no_line_separates_is_learned(void **state)
{
	must_run(*state);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.9);
	assert_true(metric(*state, "loss", 40) < 0.5 * metric(*state, "loss", 1));
	assert_true(metric(*state, "step_gradient_norm", 100) > 0);
	assert_true(metric(*state, "step_data_wait", 100) >= 0);
	assert_true(metric(*state, "step_samples_per_second", 100) > 0);
	assert_true(metric(*state, "step_memory_peak", 100) > 1e6);
	assert_true(metric(*state, "memory_peak", -1) >= metric(*state, "step_memory_peak", 100));
	/* Weights, gradient, two moments, the best: five runs; and 16 rows of what a row has. */
	assert_int_equal((long)metric(*state, "memory_net", -1),
		4 * (5 * (4 * 16 + 16 + 16 * 16 + 16 + 16 * 2 + 2) + 16 * (4 + 16 + 16 + 2 + 2 * 16)));
}

/* Ten steps an epoch: what is told at the first step of an epoch is of the steps before it as well. */
static void rates_of_steps_are_those_of_epochs(void **state)
{
	double fastest = 0;

	stage_host_with(*state, "metric_every", "91");
	must_run(*state);
	for (long epoch = 1; epoch <= 10; epoch++)
		fastest = fmax(fastest, metric(*state, "samples_per_second", epoch));
	assert_true(metric(*state, "step_samples_per_second", 91) <= fastest * 2);
	assert_true(metric(*state, "step_samples_per_second", 91) > 0);
	assert_true(metric(*state, "step_data_wait", 91) <= 100);
}

static void every_way_of_training_learns(void **state)
{
	static const struct {
		const char *key, *value;
	} way[] = {
		{ "norm", "\"batch\"" }, { "norm", "\"layer\"" }, { "activation", "\"gelu\"" },
		{ "residual", "true" }, { "dropout", "0.1" }, { "ema", "0.9" },
		{ "schedule", "\"constant\"" }, { "schedule", "\"one_cycle\"" },
		{ "schedule", "\"step\"" }, { "schedule", "\"plateau\"" }, { "warmup", "2" },
		{ "clip", "1" }, { "label_smoothing", "0.1" }, { "class_weights", "\"balanced\"" },
		{ "class_weights", "[1, 2]" }, { "loss", "\"sigmoid\"" }, { "standardize", "false" },
	};

	for (size_t i = 0; i < sizeof way / sizeof way[0]; i++) {
		stage_host_with(*state, way[i].key, way[i].value);
		must_run(*state);
		if (metric(*state, "best_valid_accuracy", -1) < 0.85)
			fail_msg("with %s: %s only %g", way[i].key, way[i].value,
				metric(*state, "best_valid_accuracy", -1));
		stage_host_with(*state, way[i].key, NULL);
	}
	stage_host_with(*state, "optimizer", "\"sgd\"");
	stage_host_with(*state, "nesterov", "true");
	stage_host_with(*state, "lr", "0.1");
	must_run(*state);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.85);
}

static void numbers_are_learned(void **state)
{
	static const char *const loss[] = { "\"mse\"", "\"huber\"", "\"quantile\"", "\"auto\"" };
	float target[RING_ROWS * 2];

	for (unsigned i = 0; i < RING_ROWS; i++) {
		target[2 * i] = 3 * ring_value[i * RING_COLUMNS] - ring_value[i * RING_COLUMNS + 1] + 2;
		target[2 * i + 1] = ring_value[i * RING_COLUMNS + 2];
	}
	stage_host_dep(*state, "labels", write_npy(*state, "t.npy", NPY_FLOAT32, target, RING_ROWS, 2));
	for (size_t i = 0; i < sizeof loss / sizeof loss[0]; i++) {
		stage_host_with(*state, "loss", loss[i]);
		must_run(*state);
		assert_true(metric(*state, "best_valid_rmse", -1) < 0.5);
	}
}

static void several_labels_at_once_are_learned(void **state)
{
	float target[RING_ROWS * 2];

	for (unsigned i = 0; i < RING_ROWS; i++) {
		target[2 * i] = ring_value[i * RING_COLUMNS] > 0;
		target[2 * i + 1] = ring_value[i * RING_COLUMNS + 1] > 0;
	}
	stage_host_dep(*state, "labels", write_npy(*state, "t.npy", NPY_FLOAT32, target, RING_ROWS, 2));
	stage_host_with(*state, "loss", "\"sigmoid\"");
	must_run(*state);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.85);
	target[7] = 2;
	stage_host_dep(*state, "labels", write_npy(*state, "t.npy", NPY_FLOAT32, target, RING_ROWS, 2));
	expect_failure(*state, "row 3, column 1 of the targets is 2; sigmoid wants 0 to 1");
}

static void images_are_learned_by_a_cnn(void **state)
{
	enum { SIDE = 6, IMAGES = 200 };
	static unsigned char pixel[IMAGES * SIDE * SIDE], label[IMAGES];

	/* A bright bar somewhere: lying or standing. */
	for (unsigned i = 0; i < IMAGES; i++) {
		label[i] = noise_at(i) > 0;
		for (unsigned j = 0; j < SIDE * SIDE; j++)
			pixel[i * SIDE * SIDE + j] =
				(label[i] ? j / SIDE : j % SIDE) == i % SIDE ? 200 : (unsigned char)(j * i % 60);
	}
	stage_host_dep(*state, "features", NULL);
	stage_host_dep(*state, "images",
		stage_host_idx(*state, "i", (const unsigned[]){ IMAGES, SIDE, SIDE }, 3, pixel));
	stage_host_dep(*state, "labels",
		stage_host_idx(*state, "l", (const unsigned[]){ IMAGES }, 1, label));
	stage_host_with(*state, "model", "\"cnn\"");
	stage_host_with(*state, "stages", "[4, 4]");
	stage_host_with(*state, "epochs", "10");
	for (int residual = 0; residual < 2; residual++) {
		stage_host_with(*state, "residual", residual ? "true" : "false");
		must_run(*state);
		assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.95);
	}
	stage_host_with(*state, "hidden", "[]");
	must_run(*state);
}

/* Two batches of 16 make the step of one of 32: the last of 22 and the one alone as well. */
static void batches_add_up_to_the_step_of_a_larger_one(void **state)
{
	double loss, last;

	stage_host_with(*state, "epochs", "3");
	stage_host_with(*state, "batch_size", "32");
	must_run(*state);
	loss = metric(*state, "loss", 1);
	last = metric(*state, "valid_loss", 3);
	stage_host_with(*state, "accumulate", "2");
	stage_host_with(*state, "batch_size", "16");
	must_run(*state);
	assert_true(fabs(metric(*state, "loss", 1) - loss) < 1e-5);
	assert_true(fabs(metric(*state, "valid_loss", 3) - last) < 1e-4);
	stage_host_with(*state, "accumulate", "32");
	stage_host_with(*state, "batch_size", "1");
	must_run(*state);
	assert_true(fabs(metric(*state, "loss", 1) - loss) < 1e-5);
	assert_true(fabs(metric(*state, "valid_loss", 3) - last) < 1e-4);
	stage_host_with(*state, "accumulate", "0");
	expect_failure(*state, "with.accumulate");
}

/* What is hard to take up: dropout's numbers, running means, an average, momentum of both kinds. */
static void make_it_hard(flow_ctx *host)
{
	stage_host_with(host, "dropout", "0.2");
	stage_host_with(host, "norm", "\"batch\"");
	stage_host_with(host, "ema", "0.95");
	stage_host_with(host, "clip", "1");
	stage_host_with(host, "batch_size", "8");
	stage_host_with(host, "accumulate", "2");
	stage_host_with(host, "epochs", "6");
}

static void threads_change_no_bit(void **state)
{
	size_t size, again;
	char *one, *three;

	make_it_hard(*state);
	must_run(*state);
	one = model_bytes(*state, &size);
	stage_host_threads(*state, 3);
	must_run(*state);
	three = model_bytes(*state, &again);
	assert_int_equal(size, again);
	assert_memory_equal(one, three, size);
	free(one);
	free(three);
}

/* Stopped wherever it is stopped, it comes to the same model and the same losses. */
static void a_training_taken_up_comes_to_the_same_bits(void **state)
{
	double loss[7], valid[7];
	size_t size, again;
	char *whole, *parts;

	make_it_hard(*state);
	must_run(*state);
	whole = model_bytes(*state, &size);
	for (long epoch = 1; epoch <= 6; epoch++) {
		loss[epoch] = metric(*state, "loss", epoch);
		valid[epoch] = metric(*state, "valid_loss", epoch);
	}
	stage_host_with(*state, "checkpoint_every", "3");
	for (long questions = 0; questions < 3; questions++) {
		(void)stage_host_checkpoint(*state, "kept");
		stage_host_cancel_after(*state, questions);
		expect_failure(*state, "stopped in epoch");
		stage_host_cancel_after(*state, -2);
		must_run(*state);
		parts = model_bytes(*state, &again);
		assert_int_equal(size, again);
		assert_memory_equal(whole, parts, size);
		free(parts);
		assert_true(metric(*state, "loss", 6) - loss[6] == 0.0);
		for (long epoch = 1; epoch < 6; epoch++) { /* those that ended before are not told again */
			double now;

			if (stage_host_metric(*state, "loss", epoch, &now))
				assert_true(now - loss[epoch] == 0.0);
			if (stage_host_metric(*state, "valid_loss", epoch, &now))
				assert_true(now - valid[epoch] == 0.0);
		}
		assert_int_equal(stage_host_metric(*state, "loss", 1, loss), 0);
	}
	free(whole);
}

static void a_training_that_ended_by_patience_is_not_taken_further(void **state)
{
	double epochs;

	stage_host_with(*state, "patience", "2");
	stage_host_with(*state, "epochs", "500");
	(void)stage_host_checkpoint(*state, "kept");
	must_run(*state);
	epochs = metric(*state, "epochs", -1);
	assert_true(epochs < 500);
	must_run(*state);
	assert_true(metric(*state, "epochs", -1) - epochs == 0.0);
}

static void checkpoints_of_another_training_or_damaged_are_not_used(void **state)
{
	size_t size, again;
	char *fresh, *after;
	const char *folder;
	char path[300];

	stage_host_with(*state, "epochs", "3");
	must_run(*state);
	fresh = model_bytes(*state, &size);
	folder = stage_host_checkpoint(*state, "kept");
	stage_host_with(*state, "lr", "0.02");
	must_run(*state);
	stage_host_with(*state, "lr", "0.01");
	must_run(*state); /* the folder holds checkpoints of lr 0.02 only */
	after = model_bytes(*state, &again);
	assert_int_equal(size, again);
	assert_memory_equal(fresh, after, size);
	free(after);
	for (int step = 20; step <= 30; step += 10) {
		(void)snprintf(path, sizeof path, "%s/state-%d.safetensors", folder, step);
		assert_int_equal(truncate(path, 500), 0);
	}
	must_run(*state);
	after = model_bytes(*state, &again);
	assert_memory_equal(fresh, after, size);
	free(after);
	free(fresh);
}

/* It is written while training goes on; that it failed is told all the same. */
static void a_checkpoint_that_cannot_be_written_is_told(void **state)
{
	const char *folder;
	char path[300];

	stage_host_with(*state, "epochs", "3");
	folder = stage_host_checkpoint(*state, "kept");
	assert_int_equal(mkdir(folder, 0777), 0);
	(void)snprintf(path, sizeof path, "%s/state-30.safetensors", folder);
	assert_int_equal(mkdir(path, 0777), 0); /* of the last one */
	expect_failure(*state, "checkpoint: cannot");
	assert_int_equal(rmdir(path), 0);
	must_run(*state);
	assert_true(metric(*state, "checkpoint_stall", -1) >= 0);
}

static void patience_ends_it_and_the_best_epoch_stays(void **state)
{
	int64_t class[RING_ROWS];

	for (unsigned i = 0; i < RING_ROWS; i++)
		class[i] = noise_at(i * 7) > 0; /* nothing to learn */
	stage_host_dep(*state, "labels", write_npy(*state, "y2.npy", NPY_INT64, class, RING_ROWS, 0));
	stage_host_with(*state, "epochs", "500");
	stage_host_with(*state, "patience", "3");
	must_run(*state);
	assert_int_equal(
		(long)metric(*state, "epochs", -1), (long)metric(*state, "best_epoch", -1) + 3);
}

static void limits_of_time_and_batches_hold(void **state)
{
	double unused;

	stage_host_with(*state, "fast_dev_run", "true");
	must_run(*state);
	assert_int_equal((long)metric(*state, "rows", -1), 16);
	assert_int_equal((long)metric(*state, "epochs", -1), 1);
	stage_host_with(*state, "fast_dev_run", NULL);
	stage_host_with(*state, "overfit_batches", "2");
	stage_host_with(*state, "epochs", "200");
	stage_host_with(*state, "schedule", "\"constant\"");
	must_run(*state);
	assert_int_equal((long)metric(*state, "rows", -1), 32);
	assert_true(metric(*state, "loss", 200) < 0.1);
	stage_host_with(*state, "overfit_batches", NULL);
	stage_host_with(*state, "epochs", "1000000");
	stage_host_with(*state, "max_time", "\"0.05s\"");
	must_run(*state);
	assert_int_equal(stage_host_metric(*state, "loss", 1000000, &unused), 0);
}

static void a_rate_that_diverges_is_named(void **state)
{
	stage_host_with(*state, "lr", "1e12");
	expect_failure(*state, "the loss is no longer a number; lower lr (it is 1e+12)");
	stage_host_with(*state, "lr", "30");
	expect_failure(*state, "training diverged in epoch 1: loss");
}

static void mistakes_in_the_options_are_named(void **state)
{
	static const struct {
		const char *key, *value, *says;
	} bad[] = {
		{ "hidden", "[16, 0]", "with.hidden: a width of 0" },
		{ "hidden", "[1.5]", "with.hidden" },
		{ "stages", "[4]", "with.stages: mlp has no such option; it is for cnn" },
		{ "model", "\"cnn\"", "a cnn wants images" },
		{ "norm", "\"group\"", "known are: none, batch, layer" },
		{ "optimizer", "\"adam\"", "known are: adamw, sgd" },
		{ "schedule", "\"linear\"", "known are: constant, step, cosine, one_cycle, plateau" },
		{ "loss", "\"mse\"", "mse wants numbers, but the targets are classes" },
		{ "loss", "\"l1\"", "with.loss: 'l1' is not known" },
		{ "class_weights", "[1, 2, 3]", "3 weights for 2 outputs" },
		{ "class_weights", "\"even\"", "not none, balanced or a list" },
		{ "max_time", "\"10\"", "write 90s, 10m or 2h" },
		{ "lr", "0", "with.lr" },
		{ "dropout", "1", "with.dropout" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *before = strcmp(bad[i].key, "hidden") == 0  ? "[16, 16]"
				     : strcmp(bad[i].key, "lr") == 0    ? "0.01"
				     : strcmp(bad[i].key, "model") == 0 ? "\"mlp\""
									: NULL;

		stage_host_with(*state, bad[i].key, bad[i].value);
		expect_failure(*state, bad[i].says);
		stage_host_with(*state, bad[i].key, before);
	}
}

static void mistakes_in_the_data_are_named(void **state)
{
	int64_t class[RING_ROWS] = { 0 };
	float target[RING_ROWS] = { 0 };

	expect_failure((stage_host_dep(*state, "labels",
				write_npy(*state, "y1.npy", NPY_INT64, class, RING_ROWS, 0)),
			       *state),
		"the training rows have only one class");
	/* Others are among the rows to validate on. */
	class[RING_ROWS - 1] = 1;
	stage_host_dep(*state, "labels", write_npy(*state, "y1.npy", NPY_INT64, class, RING_ROWS, 0));
	expect_failure(*state, "the training rows have only one class");
	class[3] = -1;
	stage_host_dep(*state, "labels", write_npy(*state, "y1.npy", NPY_INT64, class, RING_ROWS, 0));
	expect_failure(*state, "has class -1; from 0 to 4095 are possible");
	stage_host_dep(*state, "labels", write_npy(*state, "y1.npy", NPY_INT64, class, RING_ROWS - 1, 0));
	class[3] = 1;
	stage_host_dep(*state, "labels", write_npy(*state, "y1.npy", NPY_INT64, class, RING_ROWS - 1, 0));
	expect_failure(*state, "has 200 rows, but");
	target[9] = NAN;
	stage_host_dep(*state, "labels", write_npy(*state, "y1.npy", NPY_FLOAT32, target, RING_ROWS, 0));
	expect_failure(*state, "row 9, column 0 of");
	target[9] = 0;
	stage_host_dep(*state, "labels", write_npy(*state, "y1.npy", NPY_FLOAT32, target, RING_ROWS, 0));
	ring_value[5 * RING_COLUMNS + 2] = INFINITY;
	stage_host_dep(*state, "features", write_npy(*state, "x.npy", NPY_FLOAT32, ring_value, RING_ROWS, RING_COLUMNS));
	expect_failure(*state, "row 5, column 2 of");
	stage_host_dep(*state, "features", NULL);
	expect_failure(*state, "one named 'images' or 'features'");
}

static void a_batch_larger_than_the_data_is_the_data(void **state)
{
	stage_host_with(*state, "batch_size", "65536");
	stage_host_with(*state, "norm", "\"batch\"");
	must_run(*state);
	stage_host_with(*state, "batch_size", "1");
	expect_failure(*state, "norm: batch needs batches of at least 2 rows");
	stage_host_dep(*state, "rows", write_rows(*state, "one.npy", 0, 1));
	expect_failure(*state, "the training rows have only one class");
}

static double rate(enum schedule schedule, double done)
{
	const struct recipe r = { .schedule = schedule, .epochs = 10, .warmup = 2,
		.step_every = 4, .factor = 0.5 };

	return schedule_rate(&r, 1, done, 3);
}

static void schedules_go_where_they_should(void **state)
{
	(void)state;
	assert_true(rate(SCHEDULE_COSINE, 0) < 0.01);
	assert_true(fabs(rate(SCHEDULE_COSINE, 1) - 0.5) < 0.01);
	assert_true(fabs(rate(SCHEDULE_COSINE, 2) - 1) < 1e-9);
	assert_true(fabs(rate(SCHEDULE_COSINE, 6) - 0.5) < 1e-9);
	assert_true(fabs(rate(SCHEDULE_COSINE, 10)) < 1e-9);
	assert_true(fabs(rate(SCHEDULE_STEP, 5.9) - 1) < 1e-9);
	assert_true(fabs(rate(SCHEDULE_STEP, 6) - 0.5) < 1e-9);
	assert_true(fabs(rate(SCHEDULE_PLATEAU, 6) - 0.125) < 1e-9);
	assert_true(fabs(rate(SCHEDULE_ONE_CYCLE, 2) - 0.04) < 1e-9);
	assert_true(fabs(rate(SCHEDULE_ONE_CYCLE, 2 + 8 * 0.3) - 1) < 1e-9);
	assert_true(fabs(rate(SCHEDULE_CONSTANT, 9) - 1) < 1e-9);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_no_line_separates_is_learned),
		TEST(rates_of_steps_are_those_of_epochs),
		TEST(every_way_of_training_learns),
		TEST(numbers_are_learned),
		TEST(several_labels_at_once_are_learned),
		TEST(images_are_learned_by_a_cnn),
		TEST(batches_add_up_to_the_step_of_a_larger_one),
		TEST(threads_change_no_bit),
		TEST(a_training_taken_up_comes_to_the_same_bits),
		TEST(a_training_that_ended_by_patience_is_not_taken_further),
		TEST(checkpoints_of_another_training_or_damaged_are_not_used),
		TEST(a_checkpoint_that_cannot_be_written_is_told),
		TEST(patience_ends_it_and_the_best_epoch_stays),
		TEST(limits_of_time_and_batches_hold),
		TEST(a_rate_that_diverges_is_named),
		TEST(mistakes_in_the_options_are_named),
		TEST(mistakes_in_the_data_are_named),
		TEST(a_batch_larger_than_the_data_is_the_data),
		cmocka_unit_test(schedules_go_where_they_should),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
