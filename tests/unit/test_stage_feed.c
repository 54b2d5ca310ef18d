/* What a network is trained on, from a shard or from arrays: the data path of the stage `train`. */
#include "nn/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/npy.h"
#include "common/safetensors.h"
#include "common/shardout.h"
#include "nn/samples.h"
#include "train/order.h"
#include "train/train.h"

#define STAGE stage_train
#include "support/stage_case.h"


#define ROWS  530
#define TRAIN 400
#define WIDE  3

/* Of row i: a double, a whole number, three floats; whether they lie in a ball is its class. */
static double first_of(int i)
{
	return (double)noise_at(5 * (unsigned)i) + 1e-12;
}

static int64_t whole_of(int i)
{
	return (int64_t)(4 * noise_at(5 * (unsigned)i + 1));
}

static void wide_of(int i, float wide[WIDE])
{
	for (unsigned j = 0; j < WIDE; j++)
		wide[j] = noise_at(5 * (unsigned)i + 2 + j);
}

static int class_of(int i)
{
	float wide[WIDE];

	wide_of(i, wide);
	return wide[0] * wide[0] + wide[1] * wide[1] < 0.6f;
}

static const struct column columns[] = {
	{ .name = "kind", .type = COLUMN_CATEGORY, .width = 1 },
	{ .name = "first", .type = COLUMN_FLOAT64, .width = 1 },
	{ .name = "whole", .type = COLUMN_INT64, .width = 1 },
	{ .name = "wide", .type = COLUMN_FLOAT32, .width = WIDE, .dimensions = 1, .dimension = { WIDE } },
};

enum { COLUMNS = 4 };

/* missing: a row that lacks the whole number, or -1. */
static const char *write_table(flow_ctx *host, const char *name, int missing)
{
	const char *path = stage_host_path(host, name);
	struct cells cells[COLUMNS] = { { 0 } };
	struct shardout out;
	struct fault fault;

	for (int c = 0; c < COLUMNS; c++)
		cells_begin(&cells[c], &columns[c]);
	for (int i = 0; i < ROWS; i++) {
		float wide[WIDE];

		wide_of(i, wide);
		cells_add_number(&cells[0], class_of(i));
		cells_add_number(&cells[1], first_of(i));
		if (i == missing)
			cells_add_missing(&cells[2]);
		else
			cells_add_number(&cells[2], (double)whole_of(i));
		cells_add_row(&cells[3], wide);
	}
	assert_int_equal(shardout_open(&out, path, columns, COLUMNS, 100, &fault), 0);
	shardout_add(&out, cells, 0, ROWS);
	shardout_category(&out, 0, "out", 3);
	shardout_category(&out, 0, "in", 2);
	assert_int_equal(shardout_commit(&out, &fault), 0);
	shardout_abandon(&out);
	for (int c = 0; c < COLUMNS; c++)
		cells_release(&cells[c]);
	return path;
}

/* The same rows as arrays. */
static void write_arrays(flow_ctx *host)
{
	static float value[ROWS][2 + WIDE];
	int64_t class[ROWS];

	for (int i = 0; i < ROWS; i++) {
		value[i][0] = (float)first_of(i);
		value[i][1] = (float)whole_of(i);
		wide_of(i, value[i] + 2);
		class[i] = class_of(i);
	}
	(void)write_npy(host, "x.npy", NPY_FLOAT32, value, ROWS, 2 + WIDE);
	(void)write_npy(host, "y.npy", NPY_INT64, class, ROWS, 0);
}

static int set_up(void **state)
{
	flow_ctx *host = stage_host_new();

	(void)write_table(host, "t.shard", -1);
	write_arrays(host);
	stage_host_dep(host, "rows", write_rows(host, "train.npy", 0, TRAIN));
	stage_host_dep(host, "valid_rows", write_rows(host, "valid.npy", TRAIN, ROWS));
	stage_host_out(host, "model", stage_host_path(host, "model"));
	stage_host_with(host, "model", "\"mlp\"");
	stage_host_with(host, "hidden", "[16]");
	stage_host_with(host, "batch_size", "32");
	stage_host_with(host, "epochs", "4");
	stage_host_with(host, "target", "\"kind\"");
	stage_host_seed(host, 5);
	*state = host;
	return 0;
}

static void use_arrays(flow_ctx *host)
{
	stage_host_dep(host, "table", NULL);
	stage_host_with(host, "target", NULL);
	stage_host_dep(host, "features", stage_host_path(host, "x.npy"));
	stage_host_dep(host, "labels", stage_host_path(host, "y.npy"));
}

static void use_table(flow_ctx *host, const char *path)
{
	stage_host_dep(host, "features", NULL);
	stage_host_dep(host, "labels", NULL);
	stage_host_dep(host, "table", path);
	stage_host_with(host, "target", "\"kind\"");
}

/* Tensor by tensor: one that learned from a table has more, which say so. */
static void is_same_model(flow_ctx *host, const char *wanted, size_t wanted_size)
{
	const char *path = stage_host_write(host, "wanted", wanted, wanted_size);
	struct tensors made = { 0 }, first = { 0 };
	struct fault fault;
	size_t size;

	free(model_of(host, &size));
	assert_int_equal(tensors_read(&made, stage_host_path(host, "model"), &fault), 0);
	assert_int_equal(tensors_read(&first, path, &fault), 0);
	assert_true(first.count >= 6);
	for (size_t i = 0; i < first.count; i++) {
		const struct tensor *same = tensors_find(&made, first.tensor[i].name);

		assert_non_null(same);
		assert_int_equal(same->size, first.tensor[i].size);
		assert_memory_equal(same->data, first.tensor[i].data, same->size);
	}
	tensors_release(&made);
	tensors_release(&first);
}

static void threads_and_ring_change_no_bit_whatever_the_file(void **state)
{
	static const char *const threads[] = { "0", "1", "3" }, *const ahead[] = { "2", "64" },
					*const window[] = { "0", "96" };
	flow_ctx *host = *state;
	char *wanted[2];
	size_t size[2];

	use_arrays(host);
	for (int w = 0; w < 2; w++) {
		stage_host_with(host, "shuffle_rows", window[w]);
		wanted[w] = model_of(host, &size[w]);
	}
	assert_memory_not_equal(wanted[0], wanted[1], size[0]);
	for (int i = 0; i < 2 * 3 * 2 * 2; i++) {
		int w = i / 12;

		if (i % 2 == 0)
			use_table(host, stage_host_path(host, "t.shard"));
		else
			use_arrays(host);
		stage_host_with(host, "shuffle_rows", window[w]);
		stage_host_with(host, "decode_threads", threads[i / 2 % 3]);
		stage_host_with(host, "batches_ahead", ahead[i / 6 % 2]);
		stage_host_threads(host, 1 + (unsigned)i % 3);
		is_same_model(host, wanted[w], size[w]);
	}
	free(wanted[0]);
	free(wanted[1]);
}

static void a_training_that_is_stopped_leaves_its_threads(void **state)
{
	use_table(*state, stage_host_path(*state, "t.shard"));
	stage_host_with(*state, "decode_threads", "2");
	stage_host_cancel_after(*state, 1);
	expect_failure(*state, "stopped in epoch");
}

static void what_waiting_costs_is_told(void **state)
{
	double number = -1;
	size_t size;

	use_table(*state, stage_host_path(*state, "t.shard"));
	stage_host_with(*state, "decode_threads", "1");
	stage_host_with(*state, "metric_every", "5");
	free(model_of(*state, &size));
	assert_true(stage_host_metric(*state, "data_wait", 4, &number));
	assert_true(number >= 0 && number <= 100);
	assert_true(stage_host_metric(*state, "step_data_wait", 10, &number));
	assert_true(number >= 0 && number <= 100);
}

static void a_batch_nobody_foresaw_is_fetched_all_the_same(void **state)
{
	const struct samples_paths paths = { .table = stage_host_path(*state, "t.shard"),
		.columns = { .inputs = "[\"wide\"]", .target = "kind" } };
	const int64_t row[] = { 517, 3, 517 };
	struct feed_batch batch;
	struct samples s;
	struct fault fault;
	struct feed *feed;
	float wide[WIDE];

	assert_int_equal(samples_open(&s, &paths, &fault), 0);
	feed = feed_open(&s, &(struct feed_shape){ .batch = 10, .ahead = 3, .threads = 2 });
	for (int round = 0; round < 50; round++) {
		feed_begin(feed, s.row, s.count, round % 2 == 0 ? 0 : 100);
		for (size_t first = 0; first < (size_t)round * 10; first += 10) {
			feed_take(feed, s.row + first, 10, &batch);
			wide_of((int)first + 7, wide);
			assert_memory_equal((const float *)batch.values + batch.rows[7] * WIDE, wide,
				sizeof wide);
		}
		feed_take(feed, row, 3, &batch);
		wide_of(3, wide);
		assert_memory_equal(
			(const float *)batch.values + batch.rows[1] * WIDE, wide, sizeof wide);
		if (round % 3 == 0)
			feed_end(feed);
	}
	assert_true(feed_waited(feed) >= 0);
	feed_close(feed);
	samples_close(&s);
}

static void cores_fetch_what_does_not_lie_ready(void **state)
{
	const struct samples table = { .rows = 100, .features = 2, .is_table = 1 };
	const struct samples texts = { .rows = 100, .is_texts = 1 };

	(void)state;
	assert_int_equal(feed_threads(&table, 4), 1);
	assert_int_equal(feed_threads(&table, 3), 0);
	assert_int_equal(feed_threads(&texts, 4), 0);
}

static void windows_hold_all_rows_once_and_few_stretches(void **state)
{
	enum { COUNT = 1000, WINDOW = 160 };
	int64_t rows[COUNT], order[COUNT], again[COUNT];
	char seen[COUNT] = { 0 };

	(void)state;
	for (int64_t i = 0; i < COUNT; i++)
		rows[i] = i;
	order_epoch(order, rows, COUNT, WINDOW, 7, 1);
	order_epoch(again, rows, COUNT, WINDOW, 7, 2);
	assert_memory_not_equal(order, again, sizeof order);
	for (int i = 0; i < COUNT; i++)
		seen[order[i]]++;
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(seen[i], 1);
	for (int first = 0; first + WINDOW <= COUNT; first += WINDOW) {
		char block[COUNT / 10] = { 0 };
		int blocks = 0;

		for (int i = first; i < first + WINDOW; i++)
			if (!block[order[i] / 10]++)
				blocks++;
		assert_int_equal(blocks, 16);
		assert_true(order[first] % 10 != 0 || order[first + 1] != order[first] + 1);
	}
}

static void mistakes_in_a_table_are_named(void **state)
{
	flow_ctx *host = *state;
	const char *table = stage_host_path(host, "t.shard");
	size_t size;
	char *bytes;

	use_table(host, table);
	stage_host_with(host, "target", "\"knd\"");
	expect_failure(host, "has no column 'knd' (with.target)");
	stage_host_with(host, "target", "\"kind\"");
	stage_host_with(host, "inputs", "[\"first\", \"kind\"]");
	expect_failure(host, "with.inputs: column 'kind' is the target");
	stage_host_with(host, "inputs", "[\"first\", \"first\"]");
	expect_failure(host, "column 'first' twice");
	stage_host_with(host, "inputs", "[\"none\"]");
	expect_failure(host, "no column 'none'");
	stage_host_with(host, "inputs", NULL);
	stage_host_with(host, "decode_threads", "65");
	expect_failure(host, "decode_threads");
	stage_host_with(host, "decode_threads", NULL);
	stage_host_dep(host, "labels", stage_host_path(host, "y.npy"));
	expect_failure(host, "needs a dep named 'table', or");
	use_table(host, write_table(host, "m.shard", 3));
	expect_failure(host, "row 3 has no 'whole'; a step `impute`");
	bytes = stage_host_read(table, &size);
	bytes[4096 + 100]++; /* in the first part */
	use_table(host, stage_host_write(host, "d.shard", bytes, size));
	expect_failure(host, "group 1 of column 'kind' is damaged");
	free(bytes);
	stage_host_with(host, "model", "\"softmax\"");
	expect_failure(host, "with.hidden: softmax has no such option; it is for mlp, cnn, text");
	stage_host_with(host, "hidden", NULL);
	stage_host_with(host, "target", NULL);
	expect_failure(host, "`model: mlp`");
}

static void a_missing_row_that_does_not_count_is_no_fault(void **state)
{
	size_t size;

	use_table(*state, write_table(*state, "m.shard", 3));
	stage_host_dep(*state, "rows", write_rows(*state, "later.npy", 4, TRAIN));
	free(model_of(*state, &size));
}

static void without_hidden_layers_it_is_linear(void **state)
{
	size_t size;
	char *model;

	use_table(*state, stage_host_path(*state, "t.shard"));
	stage_host_with(*state, "hidden", "[]");
	model = model_of(*state, &size);
	assert_true(size < 2500);
	free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			threads_and_ring_change_no_bit_whatever_the_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_training_that_is_stopped_leaves_its_threads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_waiting_costs_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_batch_nobody_foresaw_is_fetched_all_the_same, set_up, tear_down),
		cmocka_unit_test(cores_fetch_what_does_not_lie_ready),
		cmocka_unit_test(windows_hold_all_rows_once_and_few_stretches),
		cmocka_unit_test_setup_teardown(mistakes_in_a_table_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_missing_row_that_does_not_count_is_no_fault, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			without_hidden_layers_it_is_linear, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
