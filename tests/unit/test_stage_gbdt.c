/* The model gbdt of the stage `train`, and what `evaluate` makes of it. */
#include "train/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/file.h"
#include "common/npy.h"
#include "evaluate/evaluate.h"

#define STAGE stage_train
#include "support/stage_case.h"

#define ROWS    400
#define TRAIN   300
#define COLUMNS 4

static float value[ROWS * COLUMNS];
static int64_t class[ROWS];

static void give_values(flow_ctx *host)
{
	stage_host_dep(host, "features", write_npy(host, "x.npy", NPY_FLOAT32, value, ROWS, COLUMNS));
}

static void give_classes(flow_ctx *host)
{
	stage_host_dep(host, "labels", write_npy(host, "y.npy", NPY_INT64, class, ROWS, 0));
}

/* Is a point inside a ring? */
static int set_up(void **state)
{
	flow_ctx *host = stage_host_new();

	for (unsigned i = 0; i < ROWS * COLUMNS; i++)
		value[i] = noise_at(i);
	for (unsigned i = 0; i < ROWS; i++) {
		const float *x = value + i * COLUMNS;

		class[i] = x[0] * x[0] + x[1] * x[1] < 0.5f;
	}
	give_values(host);
	give_classes(host);
	stage_host_dep(host, "rows", write_rows(host, "train.npy", 0, TRAIN));
	stage_host_dep(host, "valid_rows", write_rows(host, "valid.npy", TRAIN, ROWS));
	stage_host_out(host, "model", stage_host_path(host, "model"));
	stage_host_with(host, "model", "\"gbdt\"");
	stage_host_with(host, "rounds", "40");
	stage_host_with(host, "patience", "0");
	stage_host_seed(host, 5);
	*state = host;
	return 0;
}

/* The model that was just trained, on the rows that it was validated on. */
static void measure(flow_ctx *host)
{
	stage_host_dep(host, "model", stage_host_path(host, "model"));
	stage_host_dep(host, "rows", stage_host_path(host, "valid.npy"));
	stage_host_out(host, "report", stage_host_path(host, "report"));
	stage_host_out(host, "predictions", stage_host_path(host, "p.npy"));
	if (stage_host_run(host, &stage_evaluate) != 0)
		fail_msg("%s", stage_host_failure(host));
	stage_host_dep(host, "rows", stage_host_path(host, "train.npy"));
}

static void what_no_line_separates_is_learned(void **state)
{
	must_run(*state);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.9);
	assert_true(metric(*state, "loss", 40) < 0.5 * metric(*state, "loss", 1));
	assert_int_equal((long)metric(*state, "rounds", -1), 40);
	assert_int_equal((long)metric(*state, "rows", -1), TRAIN);
}

static void every_way_of_boosting_learns(void **state)
{
	static const struct {
		const char *key, *value;
	} way[] = {
		{ "subsample", "0.7" }, { "column_sample", "0.75" }, { "class_weights", "\"balanced\"" },
		{ "class_weights", "[1, 2]" }, { "loss", "\"sigmoid\"" }, { "depth", "3" },
		{ "l1", "0.5" }, { "l2", "0" }, { "min_gain", "0.1" }, { "min_child_weight", "3" },
		{ "bins", "16" }, { "lr", "0.3" },
	};

	for (size_t i = 0; i < sizeof way / sizeof way[0]; i++) {
		stage_host_with(*state, way[i].key, way[i].value);
		must_run(*state);
		if (metric(*state, "best_valid_accuracy", -1) < 0.85)
			fail_msg("with %s: %s only %g", way[i].key, way[i].value,
				metric(*state, "best_valid_accuracy", -1));
		stage_host_with(*state, way[i].key, NULL);
	}
}

static void validation_and_evaluation_agree(void **state)
{
	double valid;

	for (int classes = 2; classes < 4; classes++) {
		for (unsigned i = 0; classes == 3 && i < ROWS; i++)
			class[i] += value[i * COLUMNS + 2] > 0.3f;
		give_classes(*state);
		must_run(*state);
		valid = metric(*state, "best_valid_loss", -1);
		assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.85);
		measure(*state);
		if (fabs(metric(*state, "log_loss", -1) - valid) > 1e-6)
			fail_msg("%d classes: %.9g is not %.9g", classes,
				metric(*state, "log_loss", -1), valid);
	}
}

static void numbers_are_learned(void **state)
{
	static const char *const losses[] = { "\"auto\"", "\"huber\"" };
	float target[ROWS];

	for (unsigned i = 0; i < ROWS; i++)
		target[i] = 1000 + value[i * COLUMNS] * fabsf(value[i * COLUMNS + 1]) * 3;
	stage_host_dep(*state, "labels", write_npy(*state, "t.npy", NPY_FLOAT32, target, ROWS, 0));
	stage_host_with(*state, "rounds", "100");
	for (size_t i = 0; i < 2; i++) {
		stage_host_with(*state, "loss", losses[i]);
		must_run(*state);
		assert_true(metric(*state, "best_valid_rmse", -1) < 0.3);
		assert_true(metric(*state, "best_valid_rmse", -1) > 0.01);
	}
	stage_host_dep(*state, "model", stage_host_path(*state, "model"));
	stage_host_out(*state, "report", stage_host_path(*state, "report"));
	give_classes(*state);
	expect_failure_of(*state, &stage_evaluate, "holds whole numbers, which are classes, but the model gives 1 numbers");
}

static void values_may_be_missing(void **state)
{
	for (unsigned i = 0; i < ROWS; i++)
		if (class[i] == 1)
			value[i * COLUMNS + 3] = NAN; /* what is missing tells */
	give_values(*state);
	must_run(*state);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.99);
	measure(*state);
	assert_true(metric(*state, "accuracy", -1) >= 0.99);
}

/* Half of the categories mean class 1, without an order that a threshold could use. */
static void give_categories(flow_ctx *host)
{
	for (unsigned i = 0; i < ROWS; i++) {
		unsigned category = (i * 2654435761u >> 20) % 32;

		value[i * COLUMNS + 3] = (float)category;
		class[i] = (category * 7 + category * category) % 5 < 2;
	}
	give_values(host);
	give_classes(host);
	stage_host_with(host, "categories", "[3]");
}

static void categories_have_no_order(void **state)
{
	double with, without;

	give_categories(*state);
	stage_host_with(*state, "depth", "1");
	stage_host_with(*state, "rounds", "8");
	must_run(*state);
	with = metric(*state, "best_valid_accuracy", -1);
	stage_host_with(*state, "categories", NULL);
	must_run(*state);
	without = metric(*state, "best_valid_accuracy", -1);
	assert_true(with >= 0.95);
	assert_true(without < 0.9);
}

static float *predictions(flow_ctx *host, size_t row)
{
	struct npy_array array;
	struct fault fault;
	static float pair[2];

	assert_int_equal(npy_open(&array, stage_host_path(host, "p.npy"), &fault), 0);
	memcpy(pair, (const float *)array.data + 2 * row, sizeof pair);
	npy_close(&array);
	return pair;
}

static void a_category_unseen_in_training_counts_as_missing(void **state)
{
	float unseen, missing;

	give_categories(*state);
	must_run(*state);
	value[TRAIN * COLUMNS + 3] = 77;
	give_values(*state);
	measure(*state);
	unseen = predictions(*state, 0)[0];
	value[TRAIN * COLUMNS + 3] = NAN;
	give_values(*state);
	measure(*state);
	missing = predictions(*state, 0)[0];
	assert_memory_equal(&unseen, &missing, sizeof missing);
	value[TRAIN * COLUMNS + 3] = 2.5f;
	give_values(*state);
	expect_failure(*state, "row 300, column 3 is 2.5; a category is a whole number from 0 to 65535");
	stage_host_dep(*state, "rows", stage_host_path(*state, "valid.npy"));
	expect_failure_of(*state, &stage_evaluate, "row 300, column 3 is 2.5");
}

/* What is hard to take up: rows and columns that are drawn, categories, missing values, many classes. */
static void make_it_hard(flow_ctx *host)
{
	give_categories(host);
	for (unsigned i = 0; i < ROWS; i++) {
		class[i] += value[i * COLUMNS] > 0.2f;
		if (i % 7 == 0)
			value[i * COLUMNS + 1] = NAN;
	}
	give_values(host);
	give_classes(host);
	stage_host_with(host, "subsample", "0.6");
	stage_host_with(host, "column_sample", "0.5");
	stage_host_with(host, "class_weights", "\"balanced\"");
	stage_host_with(host, "rounds", "12");
}

static void expect_same_model(flow_ctx *host, const char *bytes, size_t size)
{
	size_t again;
	char *now = model_bytes(host, &again);

	assert_int_equal(size, again);
	assert_memory_equal(bytes, now, size);
	free(now);
}

static void threads_change_no_bit_and_the_seed_does(void **state)
{
	size_t size, again;
	char *one, *other;

	make_it_hard(*state);
	must_run(*state);
	one = model_bytes(*state, &size);
	for (unsigned threads = 2; threads < 6; threads++) {
		stage_host_threads(*state, threads);
		must_run(*state);
		expect_same_model(*state, one, size);
	}
	stage_host_seed(*state, 6);
	must_run(*state);
	other = model_bytes(*state, &again);
	assert_true(size != again || memcmp(one, other, size) != 0);
	free(one);
	free(other);
}

/* Stopped wherever it is stopped, it comes to the same model and the same losses. */
static void boosting_taken_up_comes_to_the_same_bits(void **state)
{
	double loss, valid;
	size_t size;
	char *whole;

	make_it_hard(*state);
	must_run(*state);
	whole = model_bytes(*state, &size);
	loss = metric(*state, "loss", 12);
	valid = metric(*state, "valid_loss", 12);
	stage_host_with(*state, "checkpoint_every", "2");
	for (long questions = 2; questions < 12; questions += 3) {
		(void)stage_host_checkpoint(*state, "kept");
		stage_host_cancel_after(*state, questions);
		expect_failure(*state, "stopped in round");
		stage_host_cancel_after(*state, -2);
		must_run(*state);
		assert_int_equal(stage_host_metric(*state, "loss", 1, &(double){ 0 }), 0);
		expect_same_model(*state, whole, size);
		assert_true(metric(*state, "loss", 12) - loss == 0.0);
		assert_true(metric(*state, "valid_loss", 12) - valid == 0.0);
	}
	free(whole);
}

static void checkpoints_of_another_model_or_damaged_are_not_used(void **state)
{
	const char *folder;
	char path[300];
	size_t size;
	char *fresh;

	make_it_hard(*state);
	must_run(*state);
	fresh = model_bytes(*state, &size);
	stage_host_with(*state, "checkpoint_every", "4");
	folder = stage_host_checkpoint(*state, "kept");
	stage_host_with(*state, "depth", "2");
	must_run(*state);
	stage_host_with(*state, "depth", NULL);
	must_run(*state); /* the folder holds checkpoints of depth 2 only */
	assert_true(metric(*state, "loss", 1) > 0);
	expect_same_model(*state, fresh, size);
	for (int round = 8; round <= 12; round += 4) {
		(void)snprintf(path, sizeof path, "%s/rounds-%d.ubj", folder, round);
		assert_int_equal(truncate(path, 500 * round), 0);
	}
	must_run(*state);
	assert_true(metric(*state, "loss", 1) > 0);
	expect_same_model(*state, fresh, size);
	free(fresh);
}

static void patience_ends_it_and_the_best_round_stays(void **state)
{
	double best;

	for (unsigned i = 0; i < ROWS; i++)
		class[i] = noise_at(i * 7) > 0; /* nothing to learn */
	give_classes(*state);
	stage_host_with(*state, "rounds", "500");
	stage_host_with(*state, "patience", "3");
	(void)stage_host_checkpoint(*state, "kept");
	must_run(*state);
	best = metric(*state, "best_round", -1);
	assert_int_equal((long)metric(*state, "rounds", -1), (long)best + 3);
	assert_int_equal((long)metric(*state, "trees", -1), (long)best);
	must_run(*state); /* it has ended: nothing is grown on top */
	assert_int_equal((long)metric(*state, "rounds", -1), (long)best + 3);
	assert_int_equal(stage_host_metric(*state, "loss", (long)best + 3, &best), 0);
}

static void limits_of_time_hold(void **state)
{
	double unused;

	stage_host_with(*state, "rounds", "100000");
	stage_host_with(*state, "max_time", "\"0.1s\"");
	must_run(*state);
	assert_int_equal(stage_host_metric(*state, "loss", 100000, &unused), 0);
	stage_host_with(*state, "max_time", NULL);
	stage_host_with(*state, "fast_dev_run", "true");
	must_run(*state);
	assert_int_equal((long)metric(*state, "rounds", -1), 1);
}

static int holds(const char *bytes, size_t size, const char *piece)
{
	size_t length = strlen(piece);

	for (size_t i = 0; i + length <= size; i++)
		if (memcmp(bytes + i, piece, length) == 0)
			return 1;
	return 0;
}

static void a_model_says_what_its_scores_are(void **state)
{
	size_t size;
	char *bytes;

	stage_host_with(*state, "loss", "\"sigmoid\"");
	(void)stage_host_checkpoint(*state, "kept");
	must_run(*state);
	bytes = model_bytes(*state, &size);
	assert_true(holds(bytes, size, "flow.loss"));
	assert_true(holds(bytes, size, "sigmoid"));
	assert_true(holds(bytes, size, "binary:logistic"));
	assert_false(holds(bytes, size, "flow.recipe"));
	assert_false(holds(bytes, size, "flow.cursor"));
	free(bytes);
}

/* A small model with categories in it, and evaluation ready to be given another in its place. */
static char *small_model(flow_ctx *host, size_t *size)
{
	give_categories(host);
	stage_host_with(host, "rounds", "3");
	must_run(host);
	stage_host_out(host, "report", stage_host_path(host, "report"));
	stage_host_dep(host, "model", stage_host_path(host, "other"));
	return model_bytes(host, size);
}

/* Measured with these bytes in place of the model; the path is the dep's. */
static int measured_with(flow_ctx *host, const char *path, const char *bytes, size_t size)
{
	struct fault fault;

	assert_int_equal(output_file(path, bytes, size, &fault), 0);
	return stage_host_run(host, &stage_evaluate);
}

static void a_model_cut_short_or_of_others_is_refused(void **state)
{
	static const char empty[] = "{L\0\0\0\0\0\0\0\7learner{}}";
	const char *path = stage_host_path(*state, "other");
	size_t size;
	char *bytes = small_model(*state, &size);

	for (size_t cut = 1; cut < size; cut += 1 + size / 200)
		assert_int_equal(measured_with(*state, path, bytes, cut), -1);
	assert_int_equal(measured_with(*state, path, bytes, size - 1), -1);
	assert_non_null(strstr(stage_host_failure(*state), "the model is cut short"));
	assert_int_equal(measured_with(*state, path, empty, sizeof empty - 1), -1);
	assert_non_null(strstr(stage_host_failure(*state), "the model is damaged"));
	free(bytes);
	stage_host_dep(*state, "model", stage_host_path(*state, "model"));
	stage_host_dep(*state, "features",
		write_npy(*state, "narrow.npy", NPY_FLOAT32, value, ROWS, COLUMNS - 1));
	expect_failure_of(*state, &stage_evaluate, "the model takes 4 values, but the rows have 3");
}

/* Whichever byte is wrong: it is refused, or it is another model. */
static void a_damaged_model_harms_nothing(void **state)
{
	const char *path = stage_host_path(*state, "other");
	size_t size, refused = 0;
	char *bytes = small_model(*state, &size);

	for (size_t at = 0; at < size; at += 1 + size / 1000) {
		char was = bytes[at];

		bytes[at] = (char)(was ^ (at % 3 == 0 ? 0x40 : at % 3 == 1 ? 0x7f : 1));
		refused += measured_with(*state, path, bytes, size) != 0;
		bytes[at] = was;
	}
	assert_true(refused > 100);
	free(bytes);
}

static void mistakes_in_the_options_are_named(void **state)
{
	static const struct {
		const char *key, *value, *says;
	} bad[] = {
		{ "hidden", "[16]", "with.hidden: gbdt has no such option; it is for mlp, cnn, text" },
		{ "epochs", "3", "with.epochs: gbdt has no such option; it is for softmax, mlp, cnn, text" },
		{ "loss", "\"quantile\"", "gbdt has no quantile; it has: softmax, sigmoid, mse, huber" },
		{ "loss", "\"mse\"", "mse wants numbers, but the targets are classes" },
		{ "depth", "17", "with.depth" },
		{ "depth", "0", "with.depth" },
		{ "subsample", "0", "with.subsample" },
		{ "subsample", "1.5", "with.subsample" },
		{ "lr", "2", "with.lr" },
		{ "categories", "[4]", "with.categories names column 4, but there are columns 0 to 3" },
		{ "categories", "[1, 1]", "with.categories names column 1 twice" },
		{ "categories", "{\"0\": 0}", "column 0 has 0 categories" },
		{ "categories", "[0]", "row 0, column 0 is -1; a category is a whole number" },
		{ "class_weights", "[1, 2, 3]", "3 weights for 2 outputs" },
		{ "max_time", "\"10\"", "write 90s, 10m or 2h" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		stage_host_with(*state, bad[i].key, bad[i].value);
		expect_failure(*state, bad[i].says);
		stage_host_with(*state, bad[i].key, NULL);
	}
}

static void mistakes_in_the_data_are_named(void **state)
{
	float target[ROWS * 2] = { 0 };

	target[7] = NAN;
	stage_host_dep(*state, "labels", write_npy(*state, "t.npy", NPY_FLOAT32, target, ROWS, 0));
	expect_failure(*state, "row 7, column 0 of");
	expect_failure(*state, "has no target");
	stage_host_dep(*state, "labels", write_npy(*state, "t.npy", NPY_FLOAT32, target + 100, ROWS / 2, 2));
	expect_failure(*state, "has 400 rows, but");
	target[7] = 0;
	stage_host_dep(*state, "labels", write_npy(*state, "t.npy", NPY_FLOAT32, target, ROWS, 2));
	expect_failure(*state, "gbdt learns one number a row, but the labels have 2");
	memset(class, 0, sizeof class);
	class[TRAIN] = 1; /* which is not trained on */
	give_classes(*state);
	expect_failure(*state, "the training rows have only one class");
	stage_host_dep(*state, "init_from", stage_host_path(*state, "model"));
	expect_failure(*state, "init_from is for networks");
	stage_host_dep(*state, "init_from", NULL);
	class[3] = 1; /* a class with one row is told, and learned as far as it goes */
	give_classes(*state);
	must_run(*state);
	value[5] = INFINITY;
	give_values(*state);
	expect_failure(*state, "row 1, column 1 of");
	expect_failure(*state, "is infinite");
}

static void a_lease_that_does_not_fit_is_refused(void **state)
{
	stage_host_threads(*state, 0);
	expect_failure(*state, "holds no CPU core: give the stage resources: {cpu: 1}");
	stage_host_threads(*state, 1);
	assert_int_equal(setenv("CUDA_VISIBLE_DEVICES", "0", 1), 0);
	expect_failure(*state, "gbdt works on the CPU by design, and this attempt holds a GPU");
	assert_int_equal(setenv("CUDA_VISIBLE_DEVICES", "", 1), 0);
	must_run(*state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_no_line_separates_is_learned),
		TEST(every_way_of_boosting_learns),
		TEST(validation_and_evaluation_agree),
		TEST(numbers_are_learned),
		TEST(values_may_be_missing),
		TEST(categories_have_no_order),
		TEST(a_category_unseen_in_training_counts_as_missing),
		TEST(threads_change_no_bit_and_the_seed_does),
		TEST(boosting_taken_up_comes_to_the_same_bits),
		TEST(checkpoints_of_another_model_or_damaged_are_not_used),
		TEST(patience_ends_it_and_the_best_round_stays),
		TEST(limits_of_time_hold),
		TEST(a_model_says_what_its_scores_are),
		TEST(a_model_cut_short_or_of_others_is_refused),
		TEST(a_damaged_model_harms_nothing),
		TEST(mistakes_in_the_options_are_named),
		TEST(mistakes_in_the_data_are_named),
		TEST(a_lease_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
