/* What each way of training does beside learning, and that each can be taken up. */
#include "train/recipe.h"

#include <glob.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/safetensors.h"
#include "support/ring.h"

static void only_the_trick(flow_ctx *host)
{
	stage_host_with(host, "weight_decay", "0");
	stage_host_with(host, "schedule", "\"constant\"");
	stage_host_dep(host, "valid_rows", NULL);
}

/* The head's weights after one step, with `ema` or without. */
static void after_one_step(flow_ctx *host, const char *ema, const char *rate, float weight[32])
{
	struct tensors file = { .count = 0 };
	struct fault fault;

	stage_host_with(host, "fast_dev_run", "true");
	stage_host_with(host, "ema", ema);
	stage_host_with(host, "lr", rate);
	must_run(host);
	assert_int_equal(tensors_read(&file, stage_host_path(host, "model"), &fault), 0);
	memcpy(weight, tensors_find(&file, "head.weight")->data, 32 * sizeof *weight);
	tensors_release(&file);
}

static void the_average_begins_with_less_of_the_first_weights(void **state)
{
	float first[32], plain[32], average[32];

	only_the_trick(*state);
	after_one_step(*state, "0", "1e-12", first);
	after_one_step(*state, "0", "0.01", plain);
	after_one_step(*state, "0.99", "0.01", average);
	for (unsigned i = 0; i < 32; i++) /* it keeps min(0.99, 1 / 10) */
		assert_true(fabsf(average[i] - (first[i] + 0.9f * (plain[i] - first[i]))) < 1e-6f);
	after_one_step(*state, "0.05", "0.01", average);
	for (unsigned i = 0; i < 32; i++)
		assert_true(fabsf(average[i] - (first[i] + 0.95f * (plain[i] - first[i]))) < 1e-6f);
}

static void a_plateau_cuts_the_rate(void **state)
{
	int64_t class[RING_ROWS];

	for (unsigned i = 0; i < RING_ROWS; i++)
		class[i] = noise_at(i * 7) > 0; /* nothing to learn */
	stage_host_dep(*state, "labels", write_npy(*state, "y2.npy", NPY_INT64, class, RING_ROWS, 0));
	stage_host_with(*state, "schedule", "\"plateau\"");
	stage_host_with(*state, "step_every", "2");
	stage_host_with(*state, "factor", "0.5");
	stage_host_with(*state, "epochs", "30");
	must_run(*state);
	assert_true(fabs(metric(*state, "lr", 1) - 0.01) < 1e-12);
	for (long epoch = 2; epoch <= 30; epoch++) {
		double share = metric(*state, "lr", epoch) / metric(*state, "lr", epoch - 1);

		assert_true(fabs(share - 1) < 1e-9 || fabs(share - 0.5) < 1e-9);
	}
	assert_true(metric(*state, "lr", 30) < 0.01 / 4);
}

static void smoothed_labels_have_a_least_loss(void **state)
{
	/* Half is spread over two classes: 3/4 and 1/4, whose entropy no loss is below. */
	const double least = -0.75 * log(0.75) - 0.25 * log(0.25);

	only_the_trick(*state);
	must_run(*state);
	assert_true(metric(*state, "loss", 40) < 0.3);
	stage_host_with(*state, "label_smoothing", "0.5");
	must_run(*state);
	assert_true(metric(*state, "loss", 40) >= least - 1e-6);
	assert_true(metric(*state, "loss", 40) < least + 0.1);
}

static void a_class_without_weight_is_not_learned(void **state)
{
	double others = 0;

	for (unsigned i = RING_TRAIN; i < RING_ROWS; i++)
		others += ring_class(i) == 0;
	stage_host_with(*state, "class_weights", "[1, 0]");
	must_run(*state);
	assert_true(fabs(metric(*state, "best_valid_accuracy", -1) -
			 others / (RING_ROWS - RING_TRAIN)) < 1e-9);
}

/* Of the weights of the hidden layer that are exactly 0. */
static double share_of_zeros(flow_ctx *host)
{
	struct tensors file = { .count = 0 };
	const struct tensor *weights;
	struct fault fault;
	size_t zeros = 0, count;

	must_run(host);
	assert_int_equal(tensors_read(&file, stage_host_path(host, "model"), &fault), 0);
	weights = tensors_find(&file, "hidden.0.linear.weight");
	count = weights->size / sizeof(float);
	for (size_t i = 0; i < count; i++) {
		float weight;

		memcpy(&weight, (const char *)weights->data + i * sizeof weight, sizeof weight);
		zeros += weight == 0;
	}
	tensors_release(&file);
	return (double)zeros / (double)count;
}

static void l1_leaves_weights_out(void **state)
{
	double some, most;

	only_the_trick(*state);
	assert_true(share_of_zeros(*state) <= 0);
	stage_host_with(*state, "l1", "0.01");
	some = share_of_zeros(*state);
	assert_true(some > 0 && some < 1);
	stage_host_with(*state, "l1", "0.1");
	most = share_of_zeros(*state);
	assert_true(most > some);
	stage_host_with(*state, "optimizer", "\"sgd\"");
	stage_host_with(*state, "l1", "10");
	assert_true(share_of_zeros(*state) >= 1);
}

static void divergence_may_be_allowed(void **state)
{
	stage_host_with(*state, "lr", "30");
	stage_host_with(*state, "epochs", "2");
	expect_failure(*state, "training diverged in epoch 1: loss");
	stage_host_with(*state, "diverge", "1e12");
	must_run(*state);
	stage_host_with(*state, "diverge", "0");
	must_run(*state);
}

/* Left in the middle and taken up, with each way of training there is. */
static void every_way_taken_up_comes_to_the_same_bits(void **state)
{
	static const struct {
		const char *key, *value;
	} way[] = {
		{ "accumulate", "3" }, { "ema", "0.9" }, { "dropout", "0.3" },
		{ "norm", "\"batch\"" }, { "norm", "\"layer\"" }, { "schedule", "\"plateau\"" },
		{ "schedule", "\"one_cycle\"" }, { "schedule", "\"step\"" }, { "warmup", "1.5" },
		{ "clip", "0.5" }, { "optimizer", "\"sgd\"" }, { "residual", "true" },
		{ "overfit_batches", "5" }, { "lr_groups", "{\"head.*\": 2}" },
		{ "freeze", "[\"hidden.0.linear.weight\"]" }, { "batch_size", "\"auto\"" },
		{ "class_weights", "\"balanced\"" }, { "label_smoothing", "0.1" },
		{ "l1", "0.01" },
	};

	stage_host_with(*state, "epochs", "4");
	stage_host_with(*state, "step_every", "1");
	for (size_t i = 0; i < sizeof way / sizeof way[0]; i++) {
		char folder[20];
		size_t size, again;
		char *whole, *parts;

		stage_host_with(*state, way[i].key, way[i].value);
		stage_host_with(*state, "checkpoint_every", "0");
		(void)stage_host_checkpoint(*state, NULL);
		must_run(*state);
		whole = model_bytes(*state, &size);
		stage_host_with(*state, "checkpoint_every", "2");
		(void)snprintf(folder, sizeof folder, "kept%zu", i);
		(void)stage_host_checkpoint(*state, folder);
		stage_host_cancel_after(*state, 0);
		expect_failure(*state, "stopped in epoch");
		stage_host_cancel_after(*state, -2);
		must_run(*state);
		parts = model_bytes(*state, &again);
		assert_int_equal(size, again);
		if (memcmp(whole, parts, size) != 0)
			fail_msg("%s: %s is another model when it is taken up", way[i].key,
				way[i].value);
		free(whole);
		free(parts);
		stage_host_with(*state, way[i].key,
			strcmp(way[i].key, "batch_size") == 0 ? "16" : NULL);
	}
}

static int has_state(const char *folder)
{
	char pattern[300];
	glob_t found;
	int rc;

	(void)snprintf(pattern, sizeof pattern, "%s/state-*", folder);
	rc = glob(pattern, 0, NULL, &found);
	globfree(&found);
	return rc == 0;
}

/* kill -9 in the middle of whatever it is: a step, a copy, a file that is being written. */
static void killed_at_any_moment_it_comes_to_the_same_bits(void **state)
{
	size_t size, again;
	char *whole, *parts;
	const char *folder;
	double unused;

	stage_host_with(*state, "accumulate", "2");
	stage_host_with(*state, "batch_size", "8");
	stage_host_with(*state, "norm", "\"batch\"");
	stage_host_with(*state, "ema", "0.9");
	stage_host_with(*state, "dropout", "0.1");
	stage_host_with(*state, "lr", "\"auto\"");
	stage_host_with(*state, "lr_groups", "{\"head.*\": 2}");
	stage_host_with(*state, "epochs", "100");
	must_run(*state);
	whole = model_bytes(*state, &size);
	stage_host_with(*state, "checkpoint_every", "1");
	folder = stage_host_checkpoint(*state, "kept");
	for (long moment = 10000000; moment < 100000000 || !has_state(folder); moment += 10000000) {
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			_exit(stage_host_run(*state, &stage_train) != 0);
		(void)nanosleep(&(struct timespec){ moment / 1000000000, moment % 1000000000 }, NULL);
		(void)kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	stage_host_with(*state, "checkpoint_every", "0"); /* as long as the last attempt takes */
	must_run(*state);
	assert_int_equal(stage_host_metric(*state, "range_lr", 1, &unused), 0); /* it was taken up */
	parts = model_bytes(*state, &again);
	assert_int_equal(size, again);
	assert_memory_equal(whole, parts, size);
	free(whole);
	free(parts);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_average_begins_with_less_of_the_first_weights),
		TEST(a_plateau_cuts_the_rate),
		TEST(smoothed_labels_have_a_least_loss),
		TEST(a_class_without_weight_is_not_learned),
		TEST(l1_leaves_weights_out),
		TEST(divergence_may_be_allowed),
		TEST(every_way_taken_up_comes_to_the_same_bits),
		TEST(killed_at_any_moment_it_comes_to_the_same_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
