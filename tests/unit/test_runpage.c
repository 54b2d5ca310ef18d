#include "../support/past_runs.h"

#include <jansson.h>

#include "report/runpage.h"

static void page(struct past_runs *p, struct runpage *page, const char *ref)
{
	struct err e;

	GOOD(runpage_make(page, p->db, p->project, ref, &p->arena, &e));
}

static void a_run_has_the_artifacts_it_made_and_took_over(void **state)
{
	struct runpage run;
	struct past_runs p;

	(void)state;
	past_runs_open(&p);
	page(&p, &run, "@last");
	assert_int_equal(run.artifacts.count, 3);
	assert_string_equal(run.artifacts.items[0].path, "data/train.npy");
	assert_string_equal(run.artifact_tasks[0], "prep");
	assert_string_equal(run.artifacts.items[1].path, "reports/notes");
	assert_true(artifact_is_folder(&run.artifacts.items[1]));
	assert_string_equal(run.artifacts.items[2].path, "models/m.bin");
	assert_int_equal(run.artifacts.items[2].attempt, p.train_again);
	past_runs_close(&p);
}

static void metrics_are_those_of_its_last_attempts(void **state)
{
	struct runpage run;
	struct past_runs p;

	(void)state;
	past_runs_open(&p);
	past_metric(&p, p.check_failed, "seen", -1, 1);
	page(&p, &run, "@last");
	assert_int_equal(run.measures.count, 2);
	assert_string_equal(run.measure_tasks[0], "train");
	assert_string_equal(run.measures.items[1].name, "seen");
	assert_string_equal(run.measure_tasks[1], "check");
	past_runs_close(&p);
}

static void parameters_that_were_set_are_marked(void **state)
{
	struct runpage run;
	struct past_runs p;

	(void)state;
	past_runs_open(&p);
	page(&p, &run, "@last");
	assert_int_equal(run.params.count, 2);
	assert_string_equal(run_params_find(&run.params, "train.lr")->value, "0.003");
	assert_true(run_params_find(&run.params, "train.lr")->set);
	assert_false(run_params_find(&run.params, "train.epochs")->set);
	assert_null(run_params_find(&run.params, "train"));
	past_runs_close(&p);
}

static void parameters_are_read_whatever_they_hold(void **state)
{
	struct arena a = { 0 };
	struct run_params p;

	(void)state;
	run_params_read(&p, "{\"a\":[1,2.50,\"x\",null,true],\"b\":{\"c\":-0.1},\"d\":9007199254740993}", "b.c=1\na.x=2", &a);
	assert_int_equal(p.count, 3);
	assert_string_equal(p.items[0].value, "[1,2.5,\"x\",null,true]");
	assert_string_equal(p.items[1].value, "{\"c\":-0.1}");
	assert_string_equal(p.items[2].value, "9007199254740993");
	assert_false(p.items[0].set);
	run_params_read(&p, "[1]", "", &a);
	assert_true(p.damaged && p.count == 0 && run_params_find(&p, "a") == NULL);
	run_params_read(&p, "", "", &a);
	assert_true(p.damaged);
	arena_release(&a);
}

static void a_page_is_valid_json_and_has_every_step_when_asked(void **state)
{
	struct buf text = { 0 };
	struct runpage run;
	struct past_runs p;
	json_t *root, *loss;
	struct err e;

	(void)state;
	past_runs_open(&p);
	page(&p, &run, "@{1}");
	runpage_json(&text, &run, PAST_BEGAN);
	root = json_loadb(text.data, text.len, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_array_size(json_object_get(root, "tasks")), 4);
	assert_int_equal(json_array_size(json_object_get(root, "artifacts")), 4);
	json_decref(root);
	buf_clear(&text);
	GOOD(measures_json(&text, &run, p.db, true, PAST_BEGAN, &e));
	root = json_loadb(text.data, text.len, 0, NULL);
	assert_non_null(root);
	loss = json_array_get(json_object_get(root, "metrics"), 1);
	assert_int_equal(json_array_size(json_object_get(loss, "points")), 3);
	json_decref(root);
	buf_release(&text);
	past_runs_close(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_has_the_artifacts_it_made_and_took_over),
		cmocka_unit_test(metrics_are_those_of_its_last_attempts),
		cmocka_unit_test(parameters_that_were_set_are_marked),
		cmocka_unit_test(parameters_are_read_whatever_they_hold),
		cmocka_unit_test(a_page_is_valid_json_and_has_every_step_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
