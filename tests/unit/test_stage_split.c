#include "split/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/npy.h"
#include "common/shardout.h"

#define STAGE stage_split
#include "support/stage_case.h"

#define ROWS 1000

/* Row i has label 0, 1 or 2 in the proportion 6 : 3 : 1. */
static void make_labels(unsigned char labels[ROWS])
{
	for (int i = 0; i < ROWS; i++)
		labels[i] = (unsigned char)(i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2);
}

static int set_up(void **state)
{
	flow_ctx *host = stage_host_new();
	unsigned char labels[ROWS], pixels[ROWS] = { 0 };

	make_labels(labels);
	stage_host_dep(host, "labels",
		stage_host_idx(host, "labels", (const unsigned[]){ ROWS }, 1, labels));
	stage_host_dep(host, "images",
		stage_host_idx(host, "images", (const unsigned[]){ ROWS, 1, 1 }, 3, pixels));
	stage_host_out(host, "train", stage_host_path(host, "train.npy"));
	stage_host_out(host, "valid", stage_host_path(host, "valid.npy"));
	stage_host_seed(host, 42);
	*state = host;
	return 0;
}

/* Add one to seen[row] for each listed row, and to of_class[label]. */
static size_t count_rows(flow_ctx *host, const char *name, int seen[ROWS], int of_class[3])
{
	struct npy_rows rows;
	struct fault fault;
	unsigned char labels[ROWS];
	size_t count;

	make_labels(labels);
	assert_int_equal(npy_read_rows(&rows, stage_host_path(host, name), &fault), 0);
	for (size_t i = 0; i < rows.count; i++) {
		assert_true(i == 0 || rows.row[i] > rows.row[i - 1]);
		seen[rows.row[i]]++;
		of_class[labels[rows.row[i]]]++;
	}
	count = rows.count;
	npy_close_rows(&rows);
	return count;
}

static void every_row_is_in_one_part_and_classes_keep_their_share(void **state)
{
	int seen[ROWS] = { 0 }, train[3] = { 0 }, valid[3] = { 0 };
	double metric;

	assert_int_equal(stage_host_run(*state, &stage_split), 0);
	assert_int_equal(count_rows(*state, "train.npy", seen, train), 900);
	assert_int_equal(count_rows(*state, "valid.npy", seen, valid), 100);
	for (int i = 0; i < ROWS; i++)
		assert_int_equal(seen[i], 1);
	assert_int_equal(valid[0], 60);
	assert_int_equal(valid[1], 30);
	assert_int_equal(valid[2], 10);
	assert_int_equal(stage_host_metric(*state, "rows.valid", -1, &metric), 1);
	assert_int_equal((int)metric, 100);
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
	size_t size, again;
	char *first, *second, *other;

	assert_int_equal(stage_host_run(*state, &stage_split), 0);
	first = stage_host_read(stage_host_path(*state, "valid.npy"), &size);
	assert_int_equal(stage_host_run(*state, &stage_split), 0);
	second = stage_host_read(stage_host_path(*state, "valid.npy"), &again);
	stage_host_seed(*state, 43);
	assert_int_equal(stage_host_run(*state, &stage_split), 0);
	other = stage_host_read(stage_host_path(*state, "valid.npy"), NULL);
	assert_int_equal(size, again);
	assert_memory_equal(first, second, size);
	assert_memory_not_equal(first, other, size);
	free(first);
	free(second);
	free(other);
}

static void the_rest_is_what_the_other_parts_leave(void **state)
{
	int seen[ROWS] = { 0 }, of_class[3] = { 0 };

	stage_host_with(*state, "parts", "{\"train\": \"rest\", \"valid\": 0.25}");
	assert_int_equal(stage_host_run(*state, &stage_split), 0);
	assert_int_equal(count_rows(*state, "train.npy", seen, of_class), 750);
}

static void remainders_go_where_they_are_owed(void **state)
{
	static const double halves[2] = { 0.5, 0.5 };
	unsigned char part[50];
	uint32_t labels[50];
	struct fault fault;
	int first = 0;

	(void)state;
	for (int i = 0; i < 50; i++) /* ten classes of five rows: 2.5 each way */
		labels[i] = (uint32_t)(i / 5);
	assert_int_equal(split_rows(part, labels, 50, 10, halves, 2, 1, &fault), 0);
	for (int i = 0; i < 50; i++)
		first += part[i] == 0;
	assert_int_equal(first, 25);
}

static void every_part_gets_every_class(void **state)
{
	static const double shares[3] = { 0.98, 0.01, 0.01 };
	const uint32_t labels[7] = { 4, 4, 4, 9, 9, 9, 9 };
	unsigned char part[7];
	int count[3][2] = { { 0 } };
	struct fault fault;

	(void)state;
	assert_int_equal(split_rows(part, labels, 7, 10, shares, 3, 1, &fault), 0);
	for (int i = 0; i < 7; i++)
		count[part[i]][labels[i] == 9]++;
	assert_int_equal(count[0][1], 2);
	for (int p = 0; p < 3; p++)
		assert_true(count[p][0] >= 1 && count[p][1] >= 1);
}

static void a_class_with_one_row_is_an_error(void **state)
{
	const unsigned char labels[5] = { 0, 0, 0, 7, 0 };

	stage_host_dep(*state, "images", NULL);
	stage_host_dep(*state, "labels",
		stage_host_idx(*state, "few", (const unsigned[]){ 5 }, 1, labels));
	expect_failure(*state, "class 7 has 1 row, but each of the 2 parts needs one");
}

static void shares_that_make_no_sense_are_named(void **state)
{
	static const struct {
		const char *parts, *says;
	} bad[] = {
		{ "{\"train\": 0.9, \"valid\": 0.2}", "sum to 1.1, not to 1" },
		{ "{\"train\": 0.9, \"valid\": 0}", "part 'valid' must be between 0 and 1" },
		{ "{\"train\": 0.9, \"valid\": -0.1}", "part 'valid' must be between 0 and 1" },
		{ "{\"train\": \"rest\", \"valid\": \"rest\"}", "only one part" },
		{ "{\"train\": \"most\", \"valid\": 0.1}", "part 'train' must be a number" },
		{ "{\"train\": true, \"valid\": 0.1}", "part 'train'" },
		{ "{\"train\": \"rest\"}", "two parts" },
		{ "[0.9, 0.1]", "a map is wanted" },
		{ "{\"train\": 0.8, \"valid\": 0.1, \"test\": 0.1}", "part 'test' needs an out" },
		{ "{\"valid\": 0.8, \"test\": 0.2}", "part 'test' needs an out" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		stage_host_with(*state, "parts", bad[i].parts);
		expect_failure(*state, bad[i].says);
	}
}

static void an_out_that_is_no_part_is_named(void **state)
{
	stage_host_out(*state, "test", stage_host_path(*state, "test.npy"));
	expect_failure(*state, "out 'test' is none of the parts");
}

static void images_and_labels_must_be_as_many(void **state)
{
	const unsigned char pixels[3] = { 0 };

	stage_host_dep(*state, "images",
		stage_host_idx(*state, "three", (const unsigned[]){ 3, 1, 1 }, 3, pixels));
	expect_failure(*state, "there are 3 images, but 1000 labels");
}

static void labels_are_needed(void **state)
{
	stage_host_dep(*state, "labels", NULL);
	expect_failure(*state, "needs either a dep named 'table' or one named 'labels'");
}

/* What npy_read_rows() must not believe. */
static void hostile_npy_files_are_refused(void **state)
{
	static const struct {
		const char *header;
		size_t data;
		const char *says;
	} bad[] = {
		{ "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", 8,
			"64-bit integers" },
		{ "{'descr': '>i8', 'fortran_order': False, 'shape': (1,), }", 8,
			"64-bit integers" },
		{ "{'descr': '<i8', 'fortran_order': True, 'shape': (1,), }", 8, "C order" },
		{ "{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1), }", 8, "one-dim" },
		{ "{'descr': '<i8', 'fortran_order': False, }", 8, "one-dim" },
		{ "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", 8, "should hold 2" },
		{ "{'descr': '<i8', 'fortran_order': False, 'shape': (99999999999999999999,), }", 8,
			"one-dim" },
	};
	struct npy_rows rows;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char bytes[256] = "\x93NUMPY\x01";
		struct fault fault = { "" };

		memset(bytes + 10, ' ', 118);
		bytes[8] = 118;
		memcpy(bytes + 10, bad[i].header, strlen(bad[i].header));
		assert_int_equal(
			npy_read_rows(&rows,
				stage_host_write(*state, "x", bytes, 128 + bad[i].data), &fault),
			-1);
		if (strstr(fault.text, bad[i].says) == NULL)
			fail_msg("'%s' does not say '%s'", fault.text, bad[i].says);
	}
}

/* 600 rows: kind a, b, c; user of ten rows each; time backwards, two rows each. */
static void give_table(flow_ctx *host)
{
	static const struct column columns[3] = {
		{ .name = "kind", .type = COLUMN_CATEGORY, .width = 1 },
		{ .name = "user", .type = COLUMN_INT64, .width = 1 },
		{ .name = "when", .type = COLUMN_TIME, .width = 1 }
	};
	struct cells cells[3] = { { 0 } };
	struct shardout out;
	struct fault fault;

	for (int c = 0; c < 3; c++)
		cells_begin(&cells[c], &columns[c]);
	for (int i = 0; i < 600; i++) {
		cells_add_number(&cells[0], i % 6 == 0 ? 2 : i % 2);
		cells_add_number(&cells[1], i * 7 % 600 / 10);
		cells_add_number(&cells[2], 1000 - i / 2);
	}
	assert_int_equal(
		shardout_open(&out, stage_host_path(host, "t.shard"), columns, 3, 100, &fault), 0);
	shardout_add(&out, cells, 0, 600);
	for (int i = 0; i < 3; i++)
		shardout_category(&out, 0, &"abc"[i], 1);
	assert_int_equal(shardout_commit(&out, &fault), 0);
	for (int c = 0; c < 3; c++)
		cells_release(&cells[c]);
	stage_host_dep(host, "table", stage_host_path(host, "t.shard"));
	stage_host_dep(host, "labels", NULL);
	stage_host_dep(host, "images", NULL);
}

/* in[row] = 1 for the rows of a part; returns how many. */
static size_t read_rows(flow_ctx *host, const char *name, unsigned char in[600])
{
	struct npy_rows rows;
	struct fault fault;
	size_t count;

	memset(in, 0, 600);
	assert_int_equal(npy_read_rows(&rows, stage_host_path(host, name), &fault), 0);
	for (size_t i = 0; i < rows.count; i++)
		in[rows.row[i]] = 1;
	count = rows.count;
	npy_close_rows(&rows);
	return count;
}

static void run_split(flow_ctx *host)
{
	if (stage_host_run(host, &stage_split) != 0)
		fail_msg("%s", stage_host_failure(host));
}

static void tables_are_split_by_class_group_or_time(void **state)
{
	unsigned char train[600], valid[600];
	int of_kind = 0;

	give_table(*state);
	run_split(*state);
	assert_int_equal(read_rows(*state, "valid.npy", valid), 60);
	stage_host_with(*state, "column", "\"kind\"");
	run_split(*state);
	assert_int_equal(read_rows(*state, "valid.npy", valid), 60);
	for (int i = 0; i < 600; i += 6)
		of_kind += valid[i];
	assert_int_equal(of_kind, 10);
	stage_host_with(*state, "by", "\"group\"");
	stage_host_with(*state, "column", "\"user\"");
	run_split(*state);
	(void)read_rows(*state, "train.npy", train);
	assert_int_equal(read_rows(*state, "valid.npy", valid), 60);
	for (int i = 0; i < 600; i++)
		for (int k = 0; k < i; k++)
			assert_false(i * 7 % 600 / 10 == k * 7 % 600 / 10 && train[i] && valid[k]);
	stage_host_with(*state, "by", "\"time\"");
	stage_host_with(*state, "column", "\"when\"");
	stage_host_with(*state, "parts", "{\"train\": 0.8983, \"valid\": \"rest\"}");
	run_split(*state);
	assert_int_equal(read_rows(*state, "valid.npy", valid), 60);
	for (int i = 0; i < 600; i++)
		assert_int_equal(valid[i], i < 60);
}

static void folds_cover_every_row_once(void **state)
{
	static const char *const fold[] = { "1", "2", "3", "4" };
	unsigned char train[600], valid[600], seen[600] = { 0 };

	give_table(*state);
	stage_host_with(*state, "folds", "4");
	for (int f = 0; f < 4; f++) {
		stage_host_with(*state, "fold", fold[f]);
		stage_host_seed(*state, (unsigned long)f);
		run_split(*state);
		assert_int_equal(read_rows(*state, "train.npy", train), 450);
		assert_int_equal(read_rows(*state, "valid.npy", valid), 150);
		for (int i = 0; i < 600; i++) {
			assert_int_equal(train[i] + valid[i], 1);
			seen[i] = (unsigned char)(seen[i] + valid[i]);
		}
	}
	for (int i = 0; i < 600; i++)
		assert_int_equal(seen[i], 1);
	stage_host_with(*state, "by", "\"time\"");
	stage_host_with(*state, "column", "\"when\"");
	stage_host_with(*state, "fold", "1");
	run_split(*state);
	assert_int_equal(read_rows(*state, "train.npy", train), 120);
	assert_int_equal(read_rows(*state, "valid.npy", valid), 120);
	assert_true(train[599] && valid[479]);
}

static void columns_that_cannot_divide_are_named(void **state)
{
	give_table(*state);
	stage_host_with(*state, "column", "\"kinds\"");
	expect_failure(*state, "has no column 'kinds'");
	stage_host_with(*state, "column", NULL);
	stage_host_with(*state, "by", "\"group\"");
	expect_failure(*state, "with.by: group needs with.column");
	stage_host_with(*state, "by", "\"luck\"");
	expect_failure(*state, "'luck' is not known; known are: random");
	stage_host_with(*state, "by", "\"time\"");
	stage_host_with(*state, "column", "\"kind\"");
	expect_failure(*state, "'kind' is category, a time or a number is wanted");
	stage_host_with(*state, "by", NULL);
	stage_host_with(*state, "fold", "3");
	expect_failure(*state, "with.folds is 2 or more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_row_is_in_one_part_and_classes_keep_their_share, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_same_seed_gives_the_same_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_rest_is_what_the_other_parts_leave, set_up, tear_down),
		cmocka_unit_test(remainders_go_where_they_are_owed),
		cmocka_unit_test(every_part_gets_every_class),
		cmocka_unit_test_setup_teardown(
			a_class_with_one_row_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			shares_that_make_no_sense_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_out_that_is_no_part_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			images_and_labels_must_be_as_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(labels_are_needed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_npy_files_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			tables_are_split_by_class_group_or_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(folds_cover_every_row_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			columns_that_cannot_divide_are_named, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
