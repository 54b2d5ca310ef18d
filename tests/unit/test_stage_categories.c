/* Columns that are names: learned by tables of numbers, and what becomes of names never seen. */
#include "train/categories.h"

#include <math.h>
#include <stdio.h>

#include "common/safetensors.h"
#include "evaluate/evaluate.h"
#include "support/ring.h"

enum { COLUMNS = 3, CODES = 6 };

static float value[RING_ROWS * COLUMNS];

/* Names 1, 2 and 5 of column 1 are of class 1: no order of them tells it. Training rows have no name
 * 4; some validation rows have, or one that is beyond. */
static int with_names(void **state)
{
	int64_t class[RING_ROWS];
	flow_ctx *host;

	assert_int_equal(ring_set_up(state), 0);
	host = *state;
	for (unsigned i = 0; i < RING_ROWS; i++) {
		unsigned code = (i + i / 6) % CODES;

		if (code == 4)
			code = i < RING_TRAIN ? 0 : i % 2 == 0 ? 4 : 77;
		value[i * COLUMNS] = noise_at(i);
		value[i * COLUMNS + 1] = (float)code;
		value[i * COLUMNS + 2] = (float)(i % 3);
		class[i] = code == 1 || code == 2 || code == 5;
	}
	stage_host_dep(host, "features",
		write_npy(host, "x.npy", NPY_FLOAT32, value, RING_ROWS, COLUMNS));
	stage_host_dep(host, "labels", write_npy(host, "y.npy", NPY_INT64, class, RING_ROWS, 0));
	stage_host_with(host, "categories", "[2, 1]");
	stage_host_with(host, "hidden", "[8]");
	return 0;
}

static void read_model(flow_ctx *host, struct tensors *file)
{
	struct fault fault;

	*file = (struct tensors){ .count = 0 };
	assert_int_equal(tensors_read(file, stage_host_path(host, "model"), &fault), 0);
}

static double sum_of_row(const struct tensors *file, const char *name, size_t row)
{
	const struct tensor *tensor = tensors_find(file, name);
	size_t width = tensor->shape[1];
	double sum = 0;
	float number;

	for (size_t k = 0; k < width; k++) {
		memcpy(&number, (const char *)tensor->data + (row * width + k) * sizeof number,
			sizeof number);
		sum += fabs((double)number);
	}
	return sum;
}

static void names_are_learned(void **state)
{
	const struct tensor *tensor;
	struct tensors file;

	must_run(*state);
	assert_true(metric(*state, "loss", 40) < 0.05);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.8); /* a sixth was never seen */
	read_model(*state, &file);
	tensor = tensors_find(&file, "embedding.0.weight"); /* of column 1: by column, not as written */
	assert_non_null(tensor);
	assert_int_equal(tensor->shape[0], CODES + 1);
	assert_int_equal(tensor->shape[1], 4); /* 1.6 * 6 ^ 0.56 */
	tensor = tensors_find(&file, "embedding.1.weight");
	assert_int_equal(tensor->shape[0], 3 + 1);
	tensor = tensors_find(&file, "hidden.0.linear.weight");
	assert_int_equal(tensor->shape[1], 1 + 4 + 3);
	assert_string_equal(tensors_note(&file, "categories"), "[1,6,4,2,3,3]");
	tensors_release(&file);
}

/* Neither the first weights nor decay nor anything else gives a name that was not seen a meaning. */
static void a_name_never_seen_is_nothing(void **state)
{
	static const char *const optimizer[] = { "\"adamw\"", "\"sgd\"" };
	struct tensors file;

	for (int i = 0; i < 2; i++) {
		stage_host_with(*state, "optimizer", optimizer[i]);
		must_run(*state);
		read_model(*state, &file);
		assert_true(sum_of_row(&file, "embedding.0.weight", 3) > 0.01);
		assert_true(sum_of_row(&file, "embedding.0.weight", 4) <= 0);
		assert_true(sum_of_row(&file, "embedding.0.weight", CODES) <= 0);
		tensors_release(&file);
	}
}

static void how_many_there_are_may_be_declared(void **state)
{
	struct tensors file;

	stage_host_with(*state, "categories", "{\"1\": 80}");
	stage_host_with(*state, "category_width", "5");
	must_run(*state);
	read_model(*state, &file);
	assert_int_equal(tensors_find(&file, "embedding.0.weight")->shape[0], 81);
	assert_int_equal(tensors_find(&file, "embedding.0.weight")->shape[1], 5);
	assert_null(tensors_find(&file, "embedding.1.weight"));
	tensors_release(&file);
}

static void a_model_with_names_is_evaluated(void **state)
{
	double trained, evaluated;

	must_run(*state);
	trained = metric(*state, "best_valid_accuracy", -1);
	stage_host_dep(*state, "model", stage_host_path(*state, "model"));
	stage_host_dep(*state, "rows", write_rows(*state, "valid.npy", RING_TRAIN, RING_ROWS));
	stage_host_out(*state, "report", stage_host_path(*state, "report"));
	assert_int_equal(stage_host_run(*state, &stage_evaluate), 0);
	evaluated = metric(*state, "accuracy", -1);
	assert_true(fabs(trained - evaluated) < 1e-9);
}

static void names_taken_up_come_to_the_same_bits(void **state)
{
	size_t size, again;
	char *whole, *parts;

	stage_host_with(*state, "freeze", "[\"embedding.1.*\"]");
	stage_host_with(*state, "dropout", "0.1");
	stage_host_with(*state, "epochs", "5");
	must_run(*state);
	whole = model_bytes(*state, &size);
	stage_host_with(*state, "checkpoint_every", "3");
	(void)stage_host_checkpoint(*state, "kept");
	stage_host_cancel_after(*state, 2);
	expect_failure(*state, "stopped in epoch");
	stage_host_cancel_after(*state, -2);
	stage_host_threads(*state, 3);
	must_run(*state);
	parts = model_bytes(*state, &again);
	assert_int_equal(size, again);
	assert_memory_equal(whole, parts, size);
	free(whole);
	free(parts);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *key, *value, *says;
	} bad[] = {
		{ "categories", "[0]", "column 0 of the features is " },
		{ "categories", "[3]", "there is no column 3; there are 3" },
		{ "categories", "[1, 1]", "with.categories names column 1 twice" },
		{ "categories", "{\"1\": 5}",
			"column 1 of the features is 5; a whole number from 0 to 4 is wanted" },
		{ "categories", "{\"1\": 0}", "column 1 has 0 categories" },
		{ "categories", "{\"1\": 100000}", "column 1 has 100000 categories" },
		{ "categories", "{\"name\": 7}", "'name' is no number of a column; names are for a dep named 'table'" },
		{ "categories", "\"1\"", "with.categories" },
		{ "category_width", "601", "with.category_width" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		stage_host_with(*state, bad[i].key, bad[i].value);
		expect_failure(*state, bad[i].says);
		stage_host_with(*state, bad[i].key,
			strcmp(bad[i].key, "categories") == 0 ? "[1]" : NULL);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_names, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_learned),
		TEST(a_name_never_seen_is_nothing),
		TEST(how_many_there_are_may_be_declared),
		TEST(a_model_with_names_is_evaluated),
		TEST(names_taken_up_come_to_the_same_bits),
		TEST(mistakes_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
