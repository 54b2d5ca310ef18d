/* From a raw table to a model that holds the recipe, and back: training and serving see the same numbers. */
#include "nn/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/safetensors.h"
#include "evaluate/evaluate.h"
#include "select/select.h"
#include "support/stage_case.h"
#include "table/table.h"
#include "train/train.h"
#include "transform/transform.h"

#define ROWS 300

static const char *path_of(flow_ctx *host, const char *name)
{
	return stage_host_path(host, name);
}

/* weight and colour tell the kind. from: which row comes first, and with it which label is met first. */
static void write_table(flow_ctx *host, const char *name, int from)
{
	static const char *const colours[] = { "red", "green", "blue" };
	char *csv = malloc(ROWS * 60), *at = csv;

	at += sprintf(at, "weight,colour,note,kind\n");
	for (int i = 0; i < ROWS; i++) {
		unsigned row = (unsigned)((i + from) % ROWS);
		int heavy = row * 2654435761u >> 30 & 1, colour = (int)(row * 40503u % 3);

		if (row % 17 == 3)
			at += sprintf(at, ",%s,%u,%s\n", colours[colour], row,
				colour == 2 ? "good" : "bad");
		else
			at += sprintf(at, "%d.%u,%s,%u,%s\n", heavy ? 80 : 20, row % 10,
				colours[colour], row, heavy || colour == 2 ? "good" : "bad");
	}
	stage_host_dep(host, "data", stage_host_write(host, "raw.csv", csv, (size_t)(at - csv)));
	free(csv);
	stage_host_out(host, "table", path_of(host, name));
	must_run_of(host, &stage_table);
}

/* steps: of the weight. Makes NAME.shard and NAME.json. */
static void transform(flow_ctx *host, const char *name, const char *steps)
{
	char with[200], file[60];

	(void)snprintf(with, sizeof with, "{\"weight\": %s, \"colour\": \"onehot\"}", steps);
	stage_host_dep(host, "table", path_of(host, "raw.shard"));
	stage_host_with(host, "columns", with);
	stage_host_with(host, "into", "\"x\"");
	(void)snprintf(file, sizeof file, "%s.shard", name);
	stage_host_out(host, "table", path_of(host, file));
	(void)snprintf(file, sizeof file, "%s.json", name);
	stage_host_out(host, "recipe", path_of(host, file));
	must_run_of(host, &stage_transform);
	stage_host_with(host, "columns", NULL);
	stage_host_with(host, "into", NULL);
}

static void train(flow_ctx *host, const char *table, const char *recipe)
{
	stage_host_dep(host, "table", path_of(host, table));
	stage_host_dep(host, "recipe", recipe != NULL ? path_of(host, recipe) : NULL);
	stage_host_out(host, "model", path_of(host, "model"));
	stage_host_with(host, "model", "\"mlp\"");
	stage_host_with(host, "hidden", "[8]");
	stage_host_with(host, "epochs", "20");
	stage_host_with(host, "batch_size", "16");
	stage_host_with(host, "lr", "0.02");
	stage_host_with(host, "target", "\"kind\"");
	stage_host_with(host, "inputs", "[\"x\"]");
}

static int set_up(void **state)
{
	flow_ctx *host = stage_host_new();

	write_table(host, "raw.shard", 0);
	write_table(host, "turned.shard", 7);
	transform(host, "made", "[\"impute\", \"standardize\"]");
	transform(host, "other", "[\"impute\", \"minmax\"]");
	*state = host;
	return 0;
}

/* report and predictions of a table, in memory. */
struct judged {
	char *report, *predictions;
	size_t size;
};

static void evaluate(struct judged *j, flow_ctx *host, const char *table)
{
	stage_host_with(host, "target", NULL);
	stage_host_dep(host, "model", path_of(host, "model"));
	stage_host_dep(host, "table", path_of(host, table));
	stage_host_out(host, "report", path_of(host, "report"));
	stage_host_out(host, "predictions", path_of(host, "predictions"));
	if (j == NULL)
		return;
	must_run_of(host, &stage_evaluate);
	j->report = stage_host_read(path_of(host, "report"), NULL);
	j->predictions = stage_host_read(path_of(host, "predictions"), &j->size);
}

static void judged_release(struct judged *j)
{
	free(j->report);
	free(j->predictions);
}

static void raw_rows_score_as_the_transformed_ones(void **state)
{
	struct judged made, raw;

	train(*state, "made.shard", "made.json");
	must_run_of(*state, &stage_train);
	evaluate(&made, *state, "made.shard");
	evaluate(&raw, *state, "raw.shard");
	assert_string_equal(made.report, raw.report);
	assert_int_equal(made.size, raw.size);
	assert_memory_equal(made.predictions, raw.predictions, raw.size);
	assert_non_null(strstr(raw.report, "\"name\": \"good\""));
	judged_release(&made);
	judged_release(&raw);
}

/* A table that meets its labels in another order numbers them otherwise. */
static void labels_are_what_they_are_called(void **state)
{
	struct judged raw, turned;
	double first = 0, second = 0;

	train(*state, "made.shard", "made.json");
	must_run_of(*state, &stage_train);
	evaluate(&raw, *state, "raw.shard");
	assert_true(stage_host_metric(*state, "accuracy", -1, &first));
	evaluate(&turned, *state, "turned.shard");
	assert_true(stage_host_metric(*state, "accuracy", -1, &second));
	assert_true(first > 0.9 && first == second);
	assert_memory_not_equal(raw.predictions, turned.predictions, raw.size);
	judged_release(&raw);
	judged_release(&turned);
}

static void the_model_holds_the_recipe_to_the_byte(void **state)
{
	struct origin origin;
	struct fault fault;
	size_t size;
	char *json;

	train(*state, "made.shard", "made.json");
	must_run_of(*state, &stage_train);
	assert_int_equal(origin_read(&origin, path_of(*state, "model"), &fault), 0);
	json = stage_host_read(path_of(*state, "made.json"), &size);
	assert_int_equal(origin.recipe.length, size);
	assert_memory_equal(origin.recipe.data, json, size);
	assert_string_equal(origin.target, "kind");
	assert_string_equal(origin.inputs.data, "[\"x\"]");
	assert_int_equal(origin.names, 2);
	origin_release(&origin);
	free(json);
}

static void what_another_recipe_made_is_refused(void **state)
{
	train(*state, "made.shard", "other.json");
	expect_failure_of(*state, &stage_train, "was not made by the recipe '");
	train(*state, "raw.shard", "made.json");
	stage_host_with(*state, "inputs", "[\"note\"]");
	expect_failure_of(*state, &stage_train, "was not made by the recipe '");
	train(*state, "made.shard", "made.json");
	must_run_of(*state, &stage_train);
	evaluate(NULL, *state, "other.shard");
	expect_failure_of(*state, &stage_evaluate,
		"other.shard' was transformed by another recipe than the one in the model");
	train(*state, "made.shard", NULL);
	must_run_of(*state, &stage_train);
	evaluate(NULL, *state, "other.shard");
	expect_failure_of(*state, &stage_evaluate,
		"other.shard' was transformed by another recipe than what the model learned from");
	evaluate(NULL, *state, "raw.shard");
	expect_failure_of(*state, &stage_evaluate, "give `train` the dep `recipe`");
}

static void columns_that_are_chosen_are_still_of_the_recipe(void **state)
{
	struct judged raw, chosen;

	stage_host_dep(*state, "table", path_of(*state, "made.shard"));
	stage_host_out(*state, "table", path_of(*state, "chosen.shard"));
	stage_host_with(*state, "except", "[\"x\", \"kind\"]");
	must_run_of(*state, &stage_select);
	stage_host_with(*state, "except", NULL);
	train(*state, "chosen.shard", "made.json");
	must_run_of(*state, &stage_train);
	evaluate(&chosen, *state, "chosen.shard");
	evaluate(&raw, *state, "raw.shard");
	assert_string_equal(chosen.report, raw.report);
	judged_release(&chosen);
	judged_release(&raw);
}

static void a_label_nobody_learned_is_named(void **state)
{
	const char text[] = "weight,colour,note,kind\n20.5,red,1,bad\n80.5,red,2,ugly\n";

	train(*state, "made.shard", "made.json");
	must_run_of(*state, &stage_train);
	stage_host_dep(*state, "data", stage_host_write(*state, "u.csv", text, sizeof text - 1));
	stage_host_out(*state, "table", path_of(*state, "ugly.shard"));
	must_run_of(*state, &stage_table);
	evaluate(NULL, *state, "ugly.shard");
	expect_failure_of(*state, &stage_evaluate, "ugly.shard' has the label 'ugly', which the model");
}

static void a_model_that_lies_about_its_table_is_refused(void **state)
{
	static const char *const lies[] = { "{}", "{\"target\": 3}", "{\"target\": \"kind\"}",
		"{\"target\": \"kind\", \"inputs\": [1]}", "{\"state\": \"xyz\"}", "{\"more\": \"\"}",
		"[", "{\"inputs\": [], \"inputs\": []}", "{\"classes\": [\"a\"], \"classes\": []}" };
	struct fault fault;

	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		const uint64_t shape = strlen(lies[i]);
		struct tensors file = { 0 };
		struct origin origin;

		tensors_add(&file, "input.table", TENSOR_U8, &shape, 1, lies[i]);
		assert_int_equal(tensors_write(&file, path_of(*state, "lie"), &fault), 0);
		tensors_release(&file);
		assert_int_equal(origin_read(&origin, path_of(*state, "lie"), &fault), -1);
		assert_non_null(strstr(fault.text, "tensor 'input.table'"));
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(raw_rows_score_as_the_transformed_ones),
		CASE(labels_are_what_they_are_called),
		CASE(the_model_holds_the_recipe_to_the_byte),
		CASE(what_another_recipe_made_is_refused),
		CASE(columns_that_are_chosen_are_still_of_the_recipe),
		CASE(a_label_nobody_learned_is_named),
		CASE(a_model_that_lies_about_its_table_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
