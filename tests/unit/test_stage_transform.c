#include "transform/transform.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/npy.h"
#include "common/shard.h"
#include "table/table.h"

#define STAGE stage_transform
#include "support/stage_case.h"

/* Rows 0 to 3 are learnt from. */
#define PEOPLE                                                                                     \
	"age,income,kind,note,label\n10,100,a,The cat,1\n20,,b,the dog; the cat,0\n,300,a,,1\n30," \
	"200,?,Dog,0\n1000,1e9,new,cat cat,1\n"

static int set_up(void **state)
{
	flow_ctx *host = stage_host_new();
	const int64_t rows[4] = { 0, 1, 2, 3 };
	struct fault fault;

	stage_host_dep(host, "data", stage_host_write(host, "p.csv", PEOPLE, strlen(PEOPLE)));
	stage_host_out(host, "table", stage_host_path(host, "p.shard"));
	stage_host_with(host, "columns", "{\"note\": \"text\", \"income\": \"float64\"}");
	stage_host_with(host, "missing", "[\"\", \"?\"]");
	if (stage_host_run(host, &stage_table) != 0)
		fail_msg("%s", stage_host_failure(host));
	stage_host_with(host, "columns", NULL);
	stage_host_with(host, "missing", NULL);
	assert_int_equal(
		npy_write(stage_host_path(host, "rows.npy"), NPY_INT64, rows, 4, 0, &fault), 0);
	stage_host_dep(host, "table", stage_host_path(host, "p.shard"));
	stage_host_dep(host, "rows", stage_host_path(host, "rows.npy"));
	stage_host_out(host, "table", stage_host_path(host, "out.shard"));
	stage_host_out(host, "recipe", stage_host_path(host, "recipe.json"));
	*state = host;
	return 0;
}

static void expect(flow_ctx *host, const char *columns, const char *name, const char *values)
{
	struct shard shard;
	struct shard_part part;
	struct fault fault = { "" };
	char all[2000] = "";
	size_t column;

	stage_host_with(host, "columns", columns);
	if (stage_host_run(host, &stage_transform) != 0)
		fail_msg("%s", stage_host_failure(host));
	if (shard_open(&shard, stage_host_path(host, "out.shard"), &fault) < 0)
		fail_msg("%s", fault.text);
	column = shard_find(&shard, name);
	assert_true(column < shard.columns);
	shard_part(&part, &shard, 0, column);
	for (size_t i = 0; i < part.rows * part.width; i++)
		(void)snprintf(all + strlen(all), sizeof all - strlen(all), "%s%.4g",
			i == 0 ? "" : " ",
			shard_present(&part, i / part.width)
				? column_number(part.type, part.data, i)
				: -99);
	shard_close(&shard);
	assert_string_equal(all, values);
}

static void steps_are_fitted_on_the_rows_to_learn_from(void **state)
{
	expect(*state, "{\"age\": \"standardize\"}", "age", "-1.225 0 -99 1.225 120");
	expect(*state, "{\"age\": [\"impute\", \"minmax\"]}", "age", "0 0.5 0.5 1 49.5");
	expect(*state, "{\"age\": [\"impute 7\"]}", "age", "10 20 7 30 1000");
	expect(*state, "{\"age\": [\"impute median\", \"clip 12 25\"]}", "age", "12 20 20 25 25");
	expect(*state, "{\"age\": [\"clip 0% 50%\"]}", "age", "10 20 -99 20 20");
	expect(*state, "{\"income\": [\"log\"]}", "income", "4.615 -99 5.707 5.303 20.72");
	expect(*state, "{\"kind\": \"onehot\"}", "kind", "1 0 0 1 1 0 0 0 0 0");
	expect(*state, "{\"kind\": \"ordinal\"}", "kind", "1 2 1 0 0");
	expect(*state, "{\"label\": \"onehot\"}", "label", "1 0 0 1 1 0 0 1 1 0");
}

static void texts_become_counts(void **state)
{
	struct shard shard;
	struct shard_part part;
	struct fault fault;
	const float *cells;

	expect(*state, "{\"kind\": \"hash 2\"}", "kind", "1 1 1 0 1");
	stage_host_with(*state, "columns", "{\"note\": \"tfidf 64 1 1\"}");
	assert_int_equal(stage_host_run(*state, &stage_transform), 0);
	assert_int_equal(shard_open(&shard, stage_host_path(*state, "out.shard"), &fault), 0);
	shard_part(&part, &shard, 0, shard_find(&shard, "note"));
	assert_int_equal(part.width, 64);
	cells = part.data;
	for (size_t row = 0; row < 5; row++) {
		double square = 0;
		int used = 0;

		for (size_t i = 0; i < 64; i++) {
			square += (double)cells[row * 64 + i] * (double)cells[row * 64 + i];
			used += cells[row * 64 + i] > 0;
		}
		assert_true(row == 2 ? square == 0 : fabs(square - 1) < 1e-6);
		assert_int_equal(used, row == 2 ? 0 : row == 0 ? 2 : row == 1 ? 3 : 1);
	}
	shard_close(&shard);
}

static void columns_can_be_put_side_by_side(void **state)
{
	stage_host_with(*state, "numbers", "[\"impute\", \"minmax\"]");
	stage_host_with(*state, "categories", "[\"onehot\"]");
	stage_host_with(*state, "except", "[\"label\"]");
	stage_host_with(*state, "into", "\"x\"");
	expect(*state, NULL, "x", "0 0 1 0 0.5 0.5 0 1 0.5 1 1 0 1 0.5 0 0 49.5 5e+06 0 0");
	expect(*state, NULL, "label", "1 0 1 0 1");
}

static void a_recipe_gives_the_same_bytes_again(void **state)
{
	size_t size, again;
	char *first, *second;

	stage_host_with(*state, "into", "\"x\"");
	expect(*state,
		"{\"age\": [\"impute\", \"standardize\"], \"kind\": \"onehot\", \"note\": \"tfidf "
		"32\"}",
		"label", "1 0 1 0 1");
	stage_host_with(*state, "into", NULL); /* the recipe knows it */
	first = stage_host_read(stage_host_path(*state, "out.shard"), &size);
	stage_host_dep(*state, "recipe", stage_host_path(*state, "recipe.json"));
	stage_host_out(*state, "recipe", stage_host_path(*state, "again.json"));
	expect(*state, NULL, "label", "1 0 1 0 1");
	second = stage_host_read(stage_host_path(*state, "out.shard"), &again);
	assert_int_equal(size, again);
	assert_memory_equal(first, second, size);
	free(first);
	free(second);
	first = stage_host_read(stage_host_path(*state, "recipe.json"), NULL);
	second = stage_host_read(stage_host_path(*state, "again.json"), NULL);
	assert_string_equal(first, second);
	free(first);
	free(second);
	stage_host_with(*state, "numbers", "[\"impute\"]");
	expect_failure(*state, "with a dep `recipe` the steps are known");
}

/* A table knows by which recipe it was made, and a recipe to which table it was fitted. */
static void a_recipe_is_not_applied_to_what_was_transformed_otherwise(void **state)
{
	const char *once = stage_host_path(*state, "once.shard");

	stage_host_out(*state, "table", once);
	stage_host_with(*state, "columns", "{\"age\": \"impute\"}");
	assert_int_equal(stage_host_run(*state, &stage_transform), 0);
	stage_host_with(*state, "columns", NULL);
	stage_host_dep(*state, "recipe", stage_host_path(*state, "recipe.json"));
	stage_host_out(*state, "recipe", stage_host_path(*state, "same.json"));
	stage_host_dep(*state, "table", once);
	stage_host_out(*state, "table", stage_host_path(*state, "out.shard"));
	expect_failure(*state, "once.shard' was transformed by other steps than the table that");
	stage_host_dep(*state, "recipe", NULL);
	stage_host_out(*state, "recipe", stage_host_path(*state, "second.json"));
	stage_host_with(*state, "columns", "{\"age\": \"log\"}");
	assert_int_equal(stage_host_run(*state, &stage_transform), 0);
	stage_host_with(*state, "columns", NULL);
	stage_host_dep(*state, "recipe", stage_host_path(*state, "second.json"));
	assert_int_equal(stage_host_run(*state, &stage_transform), 0);
}

static void steps_that_do_not_fit_are_named(void **state)
{
	static const struct {
		const char *columns, *says;
	} bad[] = {
		{ "{\"ages\": \"log\"}", "the table has no column 'ages'" },
		{ "{\"age\": \"scale\"}", "'scale' is no step" },
		{ "{\"age\": \"impute most\"}", "'most' is no number" },
		{ "{\"age\": \"clip 3 2\"}", "must be less" },
		{ "{\"age\": \"clip 3\"}", "clip LOW HIGH" },
		{ "{\"kind\": \"log\"}", "is category; log is for numbers" },
		{ "{\"income\": \"onehot\"}", "onehot is for texts" },
		{ "{\"kind\": [\"onehot\", \"log\"]}", "goes alone" },
		{ "{\"note\": \"tfidf\"}", "how many cells" },
		{ "{\"note\": \"tfidf 1\"}", "cells are 2 to" },
		{ "{\"age\": \"log 3\"}", "takes no words" },
		{ "{\"age\": []}", "no column gets a step" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		stage_host_with(*state, "columns", bad[i].columns);
		expect_failure(*state, bad[i].says);
	}
	stage_host_with(*state, "columns", "{\"age\": \"log\"}");
	stage_host_with(*state, "into", "\"x\"");
	expect_failure(*state, "row 2 has no 'age'; give it a step `impute`");
	stage_host_with(*state, "into", "\"kind\"");
	expect_failure(*state, "there is a column 'kind' already");
	stage_host_with(*state, "into", NULL);
	stage_host_dep(
		*state, "recipe", stage_host_write(*state, "bad.json", "{\"format\": 2}", 13));
	stage_host_with(*state, "columns", NULL);
	expect_failure(*state, "the recipe: format 2, this reads 1");
}

static void values_that_cannot_be_fitted_are_named(void **state)
{
	const char text[] = "a,b,c\n1,,inf\n1,,2\n1,,3\n1,,4\n";

	stage_host_dep(*state, "data", stage_host_write(*state, "b.csv", text, sizeof text - 1));
	stage_host_out(*state, "table", stage_host_path(*state, "b.shard"));
	assert_int_equal(stage_host_run(*state, &stage_table), 0);
	stage_host_dep(*state, "table", stage_host_path(*state, "b.shard"));
	stage_host_out(*state, "table", stage_host_path(*state, "out.shard"));
	expect(*state, "{\"a\": \"standardize\"}", "a", "0 0 0 0");
	expect(*state, "{\"a\": \"minmax\"}", "a", "0 0 0 0");
	stage_host_with(*state, "columns", "{\"b\": \"standardize\"}");
	expect_failure(*state, "column 'b' has no value on the rows it is fitted on");
	stage_host_with(*state, "columns", "{\"c\": \"standardize\"}");
	expect_failure(*state, "row 0 of column 'c' is infinite; clip it first");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(steps_are_fitted_on_the_rows_to_learn_from),
		CASE(texts_become_counts),
		CASE(columns_can_be_put_side_by_side),
		CASE(a_recipe_gives_the_same_bytes_again),
		CASE(a_recipe_is_not_applied_to_what_was_transformed_otherwise),
		CASE(steps_that_do_not_fit_are_named),
		CASE(values_that_cannot_be_fitted_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
