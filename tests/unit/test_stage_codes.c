/* Trees on a table: categories by their names, missing values as they are, and the same from another table. */
#include "nn/codes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/npy.h"
#include "evaluate/evaluate.h"
#include "support/stage_case.h"
#include "table/table.h"
#include "train/train.h"
#include "transform/transform.h"

#define ROWS   600
#define TURNED 89 /* where another city and another kind come first */

static const char *path_of(flow_ctx *host, const char *name)
{
	return stage_host_path(host, name);
}

static int may_miss = 1; /* do rows lack values? */

/* City and a weight, which is missing where it would be large, tell the kind; no order of cities does. from:
 * which row comes first, and with it which city and kind is met first. */
static void write_table(flow_ctx *host, const char *name, unsigned from)
{
	static const char *const cities[] = { "Rome", "Oslo", "Bern", "Riga", "Kyiv" };
	char *csv = malloc(ROWS * 60), *at = csv;

	at += sprintf(at, "city,weight,rooms,kind\n");
	for (unsigned i = 0; i < ROWS; i++) {
		unsigned row = (i + from) % ROWS, bits = row * 2654435761u >> 12;
		unsigned city = bits % 5, weight = bits / 5 % 100, rooms = bits / 500 % 7;
		int good = weight > 80 ? 1 : city % 2 == 0;

		at += sprintf(at, may_miss && row % 13 == 7 ? "," : "%s,", cities[city]);
		at += may_miss && weight > 80 ? sprintf(at, ",") : sprintf(at, "%u.5,", weight);
		at += sprintf(at, "%u,%s\n", rooms, good ? "good" : "bad");
	}
	stage_host_dep(host, "data", stage_host_write(host, "raw.csv", csv, (size_t)(at - csv)));
	free(csv);
	stage_host_out(host, "table", path_of(host, name));
	must_run_of(host, &stage_table);
}

static void give_rows(flow_ctx *host, const char *dep, const char *name, int64_t first, int64_t end)
{
	int64_t rows[ROWS];
	struct fault fault;

	for (int64_t i = first; i < end; i++)
		rows[i - first] = i;
	assert_int_equal(
		npy_write(path_of(host, name), NPY_INT64, rows, (size_t)(end - first), 0, &fault), 0);
	stage_host_dep(host, dep, path_of(host, name));
}

static int set_up(void **state)
{
	flow_ctx *host = stage_host_new();

	write_table(host, "turned.shard", TURNED);
	write_table(host, "raw.shard", 0);
	give_rows(host, "rows", "train.npy", 0, 450);
	give_rows(host, "valid_rows", "valid.npy", 450, ROWS);
	stage_host_dep(host, "table", path_of(host, "raw.shard"));
	stage_host_out(host, "model", path_of(host, "model"));
	stage_host_with(host, "model", "\"gbdt\"");
	stage_host_with(host, "target", "\"kind\"");
	stage_host_with(host, "rounds", "40");
	*state = host;
	return 0;
}

static void evaluate(flow_ctx *host, const char *table, const char *rows)
{
	stage_host_with(host, "target", NULL);
	stage_host_dep(host, "model", path_of(host, "model"));
	stage_host_dep(host, "table", path_of(host, table));
	stage_host_dep(host, "rows", rows != NULL ? path_of(host, rows) : NULL);
	stage_host_out(host, "report", path_of(host, "report"));
}

static void trees_take_a_table_as_it_is(void **state)
{
	double valid;

	must_run_of(*state, &stage_train);
	valid = metric(*state, "best_valid_loss", -1);
	assert_true(metric(*state, "best_valid_accuracy", -1) > 0.9);
	evaluate(*state, "raw.shard", "valid.npy");
	must_run_of(*state, &stage_evaluate);
	assert_true(fabs(metric(*state, "log_loss", -1) - valid) < 1e-6);
}

/* The other table has the same rows in another order, and so other numbers for its cities and kinds. */
static void another_table_means_the_same_by_its_names(void **state)
{
	double loss;

	must_run_of(*state, &stage_train);
	evaluate(*state, "raw.shard", NULL);
	must_run_of(*state, &stage_evaluate);
	loss = metric(*state, "log_loss", -1);
	evaluate(*state, "turned.shard", NULL);
	must_run_of(*state, &stage_evaluate);
	assert_true(fabs(metric(*state, "log_loss", -1) - loss) < 1e-6);
}

static void table_of(flow_ctx *host, const char *name, const char *csv)
{
	stage_host_dep(host, "data", stage_host_write(host, "small.csv", csv, strlen(csv)));
	stage_host_out(host, "table", path_of(host, name));
	must_run_of(host, &stage_table);
}

static float *predictions_of(flow_ctx *host, const char *table)
{
	char *bytes;
	float *p = malloc(4 * sizeof *p);

	evaluate(host, table, NULL);
	stage_host_out(host, "predictions", path_of(host, "p.npy"));
	must_run_of(host, &stage_evaluate);
	bytes = stage_host_read(path_of(host, "p.npy"), NULL);
	memcpy(p, bytes + 128, 4 * sizeof *p);
	free(bytes);
	return p;
}

static void a_category_that_was_never_met_counts_as_missing(void **state)
{
	float *p;

	must_run_of(*state, &stage_train);
	stage_host_with(*state, "columns", "{\"city\": \"category\", \"kind\": \"category\"}");
	table_of(*state, "new.shard", "city,weight,rooms,kind\nLima,30.5,2,good\n,30.5,2,bad\n");
	stage_host_with(*state, "columns", NULL);
	p = predictions_of(*state, "new.shard");
	assert_true(p[0] == p[2] && p[1] == p[3]);
	free(p);
}

static void a_column_of_another_kind_is_an_error(void **state)
{
	must_run_of(*state, &stage_train);
	table_of(*state, "new.shard", "city,weight,rooms,kind\n1,30.5,2,good\n2,30.5,2,bad\n");
	evaluate(*state, "new.shard", NULL);
	expect_failure_of(*state, &stage_evaluate,
		"column 'city' is int64, but the model has learned categories");
	table_of(*state, "new.shard", "city,weight,rooms,kind\nRome,30.5,many,good\nOslo,3,few,bad\n");
	expect_failure_of(*state, &stage_evaluate,
		"column 'rooms' is a category, but the model has learned none");
	table_of(*state, "new.shard", "city,weight,kind\nRome,30.5,good\nOslo,3,bad\n");
	expect_failure_of(*state, &stage_evaluate, "the table has no column 'rooms'");
}

static void the_same_table_gives_the_same_bytes(void **state)
{
	size_t size, again;
	char *first, *second;

	must_run_of(*state, &stage_train);
	first = stage_host_read(path_of(*state, "model"), &size);
	stage_host_threads(*state, 3);
	must_run_of(*state, &stage_train);
	second = stage_host_read(path_of(*state, "model"), &again);
	assert_int_equal(size, again);
	assert_memory_equal(first, second, size);
	free(first);
	free(second);
}

static void columns_may_be_chosen(void **state)
{
	stage_host_with(*state, "inputs", "[\"city\", \"weight\"]");
	must_run_of(*state, &stage_train);
	assert_true(metric(*state, "best_valid_accuracy", -1) > 0.9);
	stage_host_with(*state, "inputs", "[\"rooms\"]");
	must_run_of(*state, &stage_train);
	assert_true(metric(*state, "best_valid_accuracy", -1) < 0.8);
	stage_host_with(*state, "inputs", "[\"floor\"]");
	expect_failure_of(*state, &stage_train, "the table has no column 'floor'");
}

/* The recipe that made the training table is in the model; evaluate gets the raw one. */
static void a_recipe_goes_into_trees_too(void **state)
{
	double loss;

	stage_host_with(*state, "numbers", "[\"standardize\"]");
	stage_host_with(*state, "target", NULL);
	stage_host_out(*state, "table", path_of(*state, "made.shard"));
	stage_host_out(*state, "recipe", path_of(*state, "recipe.json"));
	must_run_of(*state, &stage_transform);
	stage_host_with(*state, "numbers", NULL);
	stage_host_with(*state, "target", "\"kind\"");
	stage_host_dep(*state, "table", path_of(*state, "made.shard"));
	stage_host_dep(*state, "recipe", path_of(*state, "recipe.json"));
	must_run_of(*state, &stage_train);
	evaluate(*state, "made.shard", "valid.npy");
	must_run_of(*state, &stage_evaluate);
	loss = metric(*state, "log_loss", -1);
	evaluate(*state, "raw.shard", "valid.npy");
	must_run_of(*state, &stage_evaluate);
	assert_true(fabs(metric(*state, "log_loss", -1) - loss) < 1e-6);
}

static void auto_tries_what_can_take_the_table(void **state)
{
	stage_host_with(*state, "model", "\"auto\"");
	stage_host_with(*state, "rounds", NULL);
	stage_host_with(*state, "time_budget", "\"5m\"");
	stage_host_out(*state, "leaderboard", path_of(*state, "board.json"));
	must_run_of(*state, &stage_train);
	evaluate(*state, "turned.shard", NULL);
	must_run_of(*state, &stage_evaluate);
	assert_true(metric(*state, "accuracy", -1) > 0.9);
}

static int holds(const char *bytes, size_t size, const char *piece)
{
	size_t length = strlen(piece);

	for (size_t i = 0; i + length <= size; i++)
		if (memcmp(bytes + i, piece, length) == 0)
			return 1;
	return 0;
}

/* rooms is a number of the table; that it is a category is said by name. */
static void columns_are_categories_by_name(void **state)
{
	static const struct {
		const char *list, *says;
	} bad[] = { { "[\"floor\"]", "the table has no column 'floor'; it has: city, weight, rooms, kind" },
		{ "[\"kind\"]", "column 'kind' is not one that is learned from" },
		{ "[\"rooms\", 2]", "with.categories names column 2 twice" },
		{ "{\"rooms\": 3}", "column 2 has category 6; from 0 to 2 are declared" } };
	char *model;
	size_t size;

	stage_host_with(*state, "categories", "{\"rooms\": 9}");
	must_run_of(*state, &stage_train);
	model = stage_host_read(path_of(*state, "model"), &size);
	assert_true(holds(model, size, "[[0,5],[2,9]]")); /* flow.categories */
	free(model);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		stage_host_with(*state, "categories", bad[i].list);
		expect_failure_of(*state, &stage_train, bad[i].says);
	}
}

/* Without weights, some of which are missing: that is for trees. */
static void train_network(flow_ctx *host)
{
	stage_host_with(host, "model", "\"mlp\"");
	stage_host_with(host, "rounds", NULL);
	stage_host_with(host, "hidden", "[8]");
	stage_host_with(host, "lr", "0.03");
	stage_host_with(host, "batch_size", "16");
	stage_host_with(host, "inputs", "[\"city\", \"rooms\"]");
	write_table(host, "turned.shard", TURNED);
	write_table(host, "raw.shard", 0);
	stage_host_dep(host, "table", path_of(host, "raw.shard"));
	stage_host_out(host, "table", NULL);
	must_run_of(host, &stage_train);
}

static int set_up_whole(void **state)
{
	may_miss = 0;
	return set_up(state);
}

static int tear_down_whole(void **state)
{
	may_miss = 1;
	return tear_down(state);
}

static void a_network_embeds_the_categories_of_a_table(void **state)
{
	double loss;
	float *p, *q;

	train_network(*state);
	assert_true(metric(*state, "best_valid_accuracy", -1) > 0.75); /* a fifth is told by the weight */
	evaluate(*state, "raw.shard", NULL);
	must_run_of(*state, &stage_evaluate);
	loss = metric(*state, "log_loss", -1);
	evaluate(*state, "turned.shard", NULL);
	must_run_of(*state, &stage_evaluate);
	assert_true(fabs(metric(*state, "log_loss", -1) - loss) < 1e-6);
	stage_host_with(*state, "columns", "{\"city\": \"category\", \"kind\": \"category\"}");
	table_of(*state, "new.shard", "city,rooms,kind\nLima,2,good\nQuito,2,bad\n");
	p = predictions_of(*state, "new.shard");
	table_of(*state, "new.shard", "city,rooms,kind\nRome,2,good\nOslo,2,bad\n");
	q = predictions_of(*state, "new.shard");
	assert_true(p[0] == p[2] && p[1] == p[3]);
	assert_true(q[0] != q[2] && q[0] != p[0]);
	free(p);
	free(q);
}

static void numbers_of_categories_are_those_of_their_table(void **state)
{
	train_network(*state);
	stage_host_dep(*state, "init_from", path_of(*state, "model"));
	expect_failure_of(*state, &stage_train, "init_from: the table has columns of categories");
}

static void texts_are_no_categories(void **state)
{
	stage_host_with(*state, "columns", "{\"city\": \"text\"}");
	table_of(*state, "new.shard", "city,kind\nLima,good\nQuito,bad\n");
	stage_host_with(*state, "columns", NULL);
	stage_host_dep(*state, "table", path_of(*state, "new.shard"));
	expect_failure_of(*state, &stage_train,
		"column 'city' is text; a model takes numbers and categories");
}

static void what_is_no_list_of_names_is_refused(void **state)
{
	static const char *const bad[] = { "{}", "[[]]", "[[1]]", "[\"city\"]", "[[\"a\", \"x\", \"x\"]]",
		"[[\"a\", \"x\"", "[[\"a\", 3]]" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct codes c = { .count = 0 };
		struct jsonin in;
		struct fault fault;

		jsonin_begin(&in, bad[i], strlen(bad[i]));
		if (codes_read(&c, &in, &fault) == 0)
			fail_msg("%s was taken", bad[i]);
		codes_release(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(trees_take_a_table_as_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			another_table_means_the_same_by_its_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_category_that_was_never_met_counts_as_missing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_column_of_another_kind_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_same_table_gives_the_same_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(columns_may_be_chosen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_recipe_goes_into_trees_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			auto_tries_what_can_take_the_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(columns_are_categories_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_network_embeds_the_categories_of_a_table,
			set_up_whole, tear_down_whole),
		cmocka_unit_test_setup_teardown(numbers_of_categories_are_those_of_their_table,
			set_up_whole, tear_down_whole),
		cmocka_unit_test_setup_teardown(texts_are_no_categories, set_up, tear_down),
		cmocka_unit_test(what_is_no_list_of_names_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
