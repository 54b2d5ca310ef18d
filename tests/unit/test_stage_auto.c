/* The model auto of the stage `train`: several models, and the best of them. */
#include "train/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/npy.h"
#include "evaluate/evaluate.h"

#define STAGE stage_train
#include "support/stage_case.h"

#define ROWS    600
#define TRAIN   450
#define COLUMNS 4

static float value[ROWS * COLUMNS];
static int64_t class[ROWS];

static void give(flow_ctx *host)
{
	stage_host_dep(host, "features", write_npy(host, "x.npy", NPY_FLOAT32, value, ROWS, COLUMNS));
	stage_host_dep(host, "labels", write_npy(host, "y.npy", NPY_INT64, class, ROWS, 0));
}

/* Steps, which trees see and a line does not. */
static int set_up(void **state)
{
	flow_ctx *host = stage_host_new();

	for (unsigned i = 0; i < ROWS * COLUMNS; i++)
		value[i] = noise_at(i);
	for (unsigned i = 0; i < ROWS; i++)
		class[i] = (value[i * COLUMNS] > 0.1f) ^ (value[i * COLUMNS + 1] > -0.2f);
	give(host);
	stage_host_dep(host, "rows", write_rows(host, "train.npy", 0, TRAIN));
	stage_host_dep(host, "valid_rows", write_rows(host, "valid.npy", TRAIN, ROWS));
	stage_host_out(host, "model", stage_host_path(host, "model"));
	stage_host_out(host, "leaderboard", stage_host_path(host, "board.json"));
	stage_host_with(host, "model", "\"auto\"");
	stage_host_with(host, "time_budget", "\"10m\"");
	stage_host_seed(host, 5);
	*state = host;
	return 0;
}

static void expect_board(flow_ctx *host, const char *piece)
{
	char *text = stage_host_read(stage_host_path(host, "board.json"), NULL);
	int found;

	assert_non_null(text);
	found = strstr(text, piece) != NULL;
	if (!found)
		print_error("%s\n", text);
	free(text);
	assert_true(found);
}

static void the_best_is_the_model(void **state)
{
	double best, unused;

	must_run(*state);
	best = metric(*state, "best_valid_loss", -1);
	assert_true(best <= metric(*state, "linear/best_valid_loss", -1));
	assert_true(best <= metric(*state, "gbdt/best_valid_loss", -1));
	assert_true(best <= metric(*state, "mlp/best_valid_loss", -1));
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.95);
	assert_true(metric(*state, "gbdt/valid_loss", 1) > 0);
	assert_true(metric(*state, "mlp/seconds", -1) > 0);
	assert_int_equal(stage_host_metric(*state, "loss", 1, &unused), 0);
	expect_board(*state, "\"best\": \"gbdt\"");
	expect_board(*state, "{\"model\": \"linear\", \"valid_loss\": ");
	stage_host_dep(*state, "model", stage_host_path(*state, "model"));
	stage_host_dep(*state, "rows", stage_host_path(*state, "valid.npy"));
	stage_host_out(*state, "report", stage_host_path(*state, "report"));
	assert_int_equal(stage_host_run(*state, &stage_evaluate), 0);
	assert_true(fabs(metric(*state, "log_loss", -1) - best) < 1e-6);
}

/* What a line tells apart stays linear, unless a later model is better. */
static void numbers_have_a_best_model_too(void **state)
{
	float target[ROWS];

	for (unsigned i = 0; i < ROWS; i++)
		target[i] = 3 * value[i * COLUMNS] - 2 * value[i * COLUMNS + 1] + 1;
	stage_host_dep(*state, "labels", write_npy(*state, "t.npy", NPY_FLOAT32, target, ROWS, 0));
	must_run(*state);
	assert_true(metric(*state, "best_valid_rmse", -1) < 0.1);
	expect_board(*state, "\"best\": \"linear\"");
}

static void a_model_that_cannot_be_is_left_out_with_its_reason(void **state)
{
	value[6] = NAN;
	give(*state);
	must_run(*state);
	expect_board(*state, "\"best\": \"gbdt\"");
	expect_board(*state, "{\"model\": \"linear\", \"left_out\": \"row 1, column 2 of");
	stage_host_with(*state, "loss", "\"mse\"");
	expect_failure(*state, "no model could be trained; linear: ");
}

static void the_budget_ends_it(void **state)
{
	stage_host_with(*state, "time_budget", "\"0.000001s\"");
	must_run(*state);
	expect_board(*state, "\"best\": \"linear\"");
	expect_board(*state, "{\"model\": \"mlp\", \"left_out\": \"the time budget was over\"");
}

/* Where time did not decide, all is the same: with other threads, and after it was stopped anywhere. */
static void what_time_does_not_cut_is_the_same(void **state)
{
	size_t size, again;
	char *whole, *parts;

	stage_host_with(*state, "fast_dev_run", "true");
	must_run(*state);
	whole = model_bytes(*state, &size);
	for (long questions = 0; questions < 3; questions++) {
		(void)stage_host_checkpoint(*state, "kept");
		stage_host_cancel_after(*state, questions);
		expect_failure(*state, "stopped while");
		stage_host_cancel_after(*state, -2);
		stage_host_threads(*state, 1 + (unsigned)questions);
		must_run(*state);
		parts = model_bytes(*state, &again);
		assert_int_equal(size, again);
		assert_memory_equal(whole, parts, size);
		free(parts);
	}
	free(whole);
}

static void mistakes_are_named(void **state)
{
	stage_host_with(*state, "hidden", "[3]");
	expect_failure(*state, "with.hidden: auto has no such option; it is for mlp, cnn, text");
	stage_host_with(*state, "hidden", NULL);
	stage_host_with(*state, "time_budget", NULL);
	expect_failure(*state, "auto needs with.time_budget, such as 10m");
	stage_host_with(*state, "time_budget", "\"soon\"");
	expect_failure(*state, "with.time_budget: 'soon' is no time");
	stage_host_with(*state, "time_budget", "\"1m\"");
	stage_host_with(*state, "class_weights", "[1, 2, 3]");
	expect_failure(*state, "3 weights for 2 outputs");
	stage_host_dep(*state, "init_from", stage_host_path(*state, "model"));
	expect_failure(*state, "init_from is for one network");
	stage_host_dep(*state, "init_from", NULL);
	stage_host_dep(*state, "valid_rows", NULL);
	expect_failure(*state, "needs a dep named 'valid_rows'");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_best_is_the_model),
		TEST(numbers_have_a_best_model_too),
		TEST(a_model_that_cannot_be_is_left_out_with_its_reason),
		TEST(the_budget_ends_it),
		TEST(what_time_does_not_cut_is_the_same),
		TEST(mistakes_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
