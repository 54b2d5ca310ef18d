#include "select/select.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/shard.h"
#include "common/shardout.h"

#define STAGE stage_select
#include "support/stage_case.h"

#define ROWS 500

static double noise(int i, int k)
{
	return (double)(((unsigned)i * 2654435761u + (unsigned)k * 40503u) >> 7 & 0xffff) / 65536;
}

/* kind is told by `tells`; `same` never changes; `twice` is 2 tells; wide has two cells. */
static int set_up(void **state)
{
	static const struct column columns[6] = {
		{ .name = "kind", .type = COLUMN_CATEGORY, .width = 1 },
		{ .name = "tells", .type = COLUMN_FLOAT64, .width = 1 },
		{ .name = "same", .type = COLUMN_INT64, .width = 1 },
		{ .name = "noise", .type = COLUMN_FLOAT32, .width = 1 },
		{ .name = "twice", .type = COLUMN_FLOAT64, .width = 1 },
		{ .name = "wide",
			.type = COLUMN_FLOAT32,
			.width = 2,
			.dimensions = 1,
			.dimension = { 2 } }
	};
	flow_ctx *host = stage_host_new();
	struct cells cells[6] = { { 0 } };
	struct shardout out;
	struct fault fault;

	for (int c = 0; c < 6; c++)
		cells_begin(&cells[c], &columns[c]);
	for (int i = 0; i < ROWS; i++) {
		double tells = i % 2 + 0.4 * noise(i, 1);
		float wide[2] = { 0.1f * (float)noise(i, 3), 7 };

		cells_add_number(&cells[0], i % 2);
		cells_add_number(&cells[1], tells);
		cells_add_number(&cells[2], 5);
		cells_add_number(&cells[3], noise(i, 2));
		cells_add_number(&cells[4], 2 * tells);
		cells_add_row(&cells[5], wide);
	}
	assert_int_equal(
		shardout_open(&out, stage_host_path(host, "t.shard"), columns, 6, 100, &fault), 0);
	shardout_add(&out, cells, 0, ROWS);
	shardout_category(&out, 0, "a", 1);
	shardout_category(&out, 0, "b", 1);
	assert_int_equal(shardout_commit(&out, &fault), 0);
	for (int c = 0; c < 6; c++)
		cells_release(&cells[c]);
	stage_host_dep(host, "table", stage_host_path(host, "t.shard"));
	stage_host_out(host, "table", stage_host_path(host, "out.shard"));
	stage_host_out(host, "report", stage_host_path(host, "report.json"));
	*state = host;
	return 0;
}

static void expect_columns(flow_ctx *host, const char *names)
{
	struct shard shard;
	struct fault fault = { "" };
	char all[500] = "";

	if (stage_host_run(host, &stage_select) != 0)
		fail_msg("%s", stage_host_failure(host));
	assert_int_equal(shard_open(&shard, stage_host_path(host, "out.shard"), &fault), 0);
	assert_int_equal(shard.rows, ROWS);
	for (size_t c = 0; c < shard.columns; c++) {
		for (size_t g = 0; g < shard.groups; g++)
			assert_int_equal(shard_verify(&shard, g, c, &fault), 0);
		(void)snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s:%u",
			c == 0 ? "" : " ", shard.column[c].name, shard.column[c].width);
	}
	shard_close(&shard);
	assert_string_equal(all, names);
}

static void columns_that_do_not_change_go(void **state)
{
	expect_columns(*state, "kind:1 tells:1 noise:1 twice:1 wide:1");
	stage_host_with(*state, "least", "0.2");
	expect_columns(*state, "kind:1 tells:1 twice:1");
	stage_host_with(*state, "except", "[\"wide\", \"same\"]");
	expect_columns(*state, "kind:1 tells:1 same:1 twice:1 wide:2");
	stage_host_with(*state, "least", "100");
	expect_failure(*state, "no column has a score above 100");
}

static void columns_that_tell_of_the_target_stay(void **state)
{
	stage_host_with(*state, "target", "\"kind\"");
	stage_host_with(*state, "method", "\"information\"");
	stage_host_with(*state, "keep", "2");
	expect_columns(*state, "kind:1 tells:1 twice:1");
	stage_host_with(*state, "method", "\"l1\"");
	stage_host_with(*state, "keep", "0");
	stage_host_with(*state, "penalty", "0.5");
	expect_columns(*state, "kind:1 tells:1"); /* one of the two is enough */
	stage_host_with(*state, "target", "\"twice\"");
	stage_host_with(*state, "method", "\"information\"");
	stage_host_with(*state, "keep", "1");
	expect_columns(*state, "kind:1 tells:1 twice:1");
}

static void main_axes_stand_for_all(void **state)
{
	struct shard shard;
	struct shard_part part;
	struct fault fault;
	double square = 0, mean = 0;

	stage_host_with(*state, "method", "\"pca\"");
	stage_host_with(*state, "keep", "2");
	expect_columns(*state, "kind:1 pca:2");
	assert_int_equal(shard_open(&shard, stage_host_path(*state, "out.shard"), &fault), 0);
	for (size_t g = 0; g < shard.groups; g++) {
		shard_part(&part, &shard, g, 1);
		for (size_t i = 0; i < part.rows; i++) {
			double along = (double)((const float *)part.data)[2 * i];

			mean += along / ROWS;
			square += along * along / ROWS;
		}
	}
	/* Nearly all lies along (tells, twice): five times the variance of tells. */
	if (fabs(mean) > 1e-6 || square < 1.2 || square > 1.5)
		fail_msg("mean %g, variance %g", mean, square);
	shard_close(&shard);
}

static void what_cannot_be_chosen_by_is_named(void **state)
{
	static const struct {
		const char *key, *value, *says;
	} bad[] = {
		{ "method", "\"best\"", "known are: variance" },
		{ "method", "\"l1\"", "l1 needs one" },
		{ "method", "\"pca\"", "pca needs the number" },
		{ "target", "\"kinds\"", "no column 'kinds'" },
		{ "target", "\"wide\"", "neither a category nor one number" },
		{ "except", "[\"x\"]", "no column 'x'" },
		{ "keep", "9", "a row has 6 numbers" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		stage_host_with(*state, bad[i].key, bad[i].value);
		expect_failure(*state, bad[i].says);
		stage_host_with(*state, bad[i].key, NULL);
	}
}

static void rows_that_are_not_there_are_named(void **state)
{
	const int64_t below[] = { 3, -1 };

	stage_host_dep(*state, "rows", write_npy(*state, "below.npy", NPY_INT64, below, 2, 0));
	expect_failure(*state, "below.npy' lists row -1, but there are 500 rows");
	stage_host_dep(*state, "rows", write_rows(*state, "far.npy", 0, ROWS + 1));
	expect_failure(*state, "far.npy' lists row 500, but there are 500 rows");
	stage_host_dep(*state, "rows", write_npy(*state, "none.npy", NPY_INT64, below, 0, 0));
	expect_failure(*state, "none.npy' lists no rows");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(columns_that_do_not_change_go),
		CASE(columns_that_tell_of_the_target_stay),
		CASE(main_axes_stand_for_all),
		CASE(what_cannot_be_chosen_by_is_named),
		CASE(rows_that_are_not_there_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
