/* What `batch_size: auto` and `lr: auto` come to. */
#include "train/range.h"

#include <math.h>

#include "nn/net.h"
#include "support/ring.h"
#include "train/recipe.h"

static size_t batch_of(const struct net_design *design, size_t rows)
{
	struct recipe r = { .rate = 0.001 };
	struct fault fault;
	struct net net;

	assert_int_equal(net_init(&net, design, &nn_ref, 1, &fault), 0);
	range_batch(&r, &net, rows);
	assert_true(fabs(r.rate - 0.001 * sqrt((double)r.batch_size / 128)) < 1e-12);
	net_release(&net);
	return r.batch_size;
}

static void a_batch_follows_from_rows_and_net(void **state)
{
	const struct net_design small = { .kind = NET_MLP, .height = 1, .width = 1, .channels = 8,
		.outputs = 2, .hidden = { 16 }, .hidden_count = 1 };
	/* A row has 224 * 224 * (1 + 2 * 32 + 2 * 32 + 8 + ...) values: about 30 MB. */
	const struct net_design large = { .kind = NET_CNN, .height = 224, .width = 224,
		.channels = 1, .outputs = 2, .stages = { 32 }, .stage_count = 1 };

	(void)state;
	assert_int_equal(batch_of(&small, 5), 5);
	assert_int_equal(batch_of(&small, 150), 32);
	assert_int_equal(batch_of(&small, 64 * 128 - 1), 32);
	assert_int_equal(batch_of(&small, 64 * 128), 64);
	assert_int_equal(batch_of(&small, 55000), 256);
	assert_int_equal(batch_of(&small, 100000000), 1024);
	assert_int_equal(batch_of(&large, 100000000), 8);
}

static void a_rate_that_is_written_stays(void **state)
{
	stage_host_with(*state, "batch_size", "\"auto\"");
	must_run(*state);
	assert_int_equal((long)metric(*state, "chosen_batch_size", -1), 32);
	assert_true(fabs(metric(*state, "chosen_lr", -1) - 0.01) < 1e-12);
	stage_host_with(*state, "lr", NULL);
	must_run(*state);
	assert_true(fabs(metric(*state, "chosen_lr", -1) - 0.0005) < 1e-12);
	stage_host_with(*state, "batch_size", "\"most\"");
	expect_failure(*state, "batch_size");
}

static void a_rate_is_found_and_learns(void **state)
{
	static const char *const optimizer[] = { "\"adamw\"", "\"sgd\"" };

	stage_host_with(*state, "lr", "\"auto\"");
	for (int i = 0; i < 2; i++) {
		double rate;

		stage_host_with(*state, "optimizer", optimizer[i]);
		must_run(*state);
		rate = metric(*state, "chosen_lr", -1);
		assert_true(rate > 1e-4 && rate < 1);
		assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.85);
		assert_true(metric(*state, "range_lr", 2) > metric(*state, "range_lr", 1));
		assert_true(metric(*state, "range_loss", 1) > 0);
	}
}

/* The test leaves no trace: the same rate, written, gives the same model. */
static void what_the_test_changes_is_put_back(void **state)
{
	char rate[40];
	size_t size, again;
	char *found, *written;

	stage_host_with(*state, "lr", "\"auto\"");
	stage_host_with(*state, "norm", "\"batch\"");
	stage_host_with(*state, "dropout", "0.2");
	stage_host_with(*state, "ema", "0.9");
	stage_host_with(*state, "epochs", "3");
	must_run(*state);
	found = model_bytes(*state, &size);
	(void)snprintf(rate, sizeof rate, "%.17g", metric(*state, "chosen_lr", -1));
	stage_host_with(*state, "lr", rate);
	must_run(*state);
	written = model_bytes(*state, &again);
	assert_int_equal(size, again);
	assert_memory_equal(found, written, size);
	free(found);
	free(written);
}

static void a_training_taken_up_keeps_the_rate(void **state)
{
	size_t size, again;
	char *whole, *parts;
	double unused;

	stage_host_with(*state, "lr", "\"auto\"");
	stage_host_with(*state, "epochs", "6");
	must_run(*state);
	whole = model_bytes(*state, &size);
	(void)stage_host_checkpoint(*state, "kept");
	stage_host_with(*state, "checkpoint_every", "3");
	stage_host_cancel_after(*state, 103);
	expect_failure(*state, "stopped in epoch");
	stage_host_cancel_after(*state, -2);
	must_run(*state);
	assert_int_equal(stage_host_metric(*state, "range_lr", 1, &unused), 0);
	parts = model_bytes(*state, &again);
	assert_int_equal(size, again);
	assert_memory_equal(whole, parts, size);
	free(whole);
	free(parts);
	(void)stage_host_checkpoint(*state, "other");
	stage_host_cancel_after(*state, 3);
	expect_failure(*state, "stopped in the range test of lr");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_follows_from_rows_and_net),
		TEST(a_rate_that_is_written_stays),
		TEST(a_rate_is_found_and_learns),
		TEST(what_the_test_changes_is_put_back),
		TEST(a_training_taken_up_keeps_the_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
