#include "../support/past_runs.h"

#include <jansson.h>

#include "report/runlist.h"

static void metrics_that_runs_share_get_a_column(void **state)
{
	struct runlist list;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	GOOD(runlist_make(&list, p.db, p.project, NULL, 20, &p.arena, &e));
	assert_int_equal(list.count, 2);
	assert_int_equal(list.metric_count, 2);
	assert_string_equal(list.metrics[0], "accuracy");
	assert_string_equal(list.metrics[1], "loss");
	assert_true(list.rows[0].values[0] > 0.98 && list.rows[1].values[0] < 0.91);
	assert_true(isnan(list.rows[0].values[1]));
	assert_true(list.rows[1].values[1] < 0.31);
	past_runs_close(&p);
}

static void a_metric_of_several_tasks_gets_none(void **state)
{
	struct runlist list;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	past_metric(&p, p.prep, "accuracy", -1, 0.1);
	GOOD(runlist_make(&list, p.db, p.project, NULL, 20, &p.arena, &e));
	assert_int_equal(list.metric_count, 1);
	assert_string_equal(list.metrics[0], "loss");
	past_runs_close(&p);
}

static void states_have_words(void **state)
{
	struct run_record r = { .state = "RUNNING" };

	(void)state;
	assert_string_equal(run_word(&r, true), "running");
	assert_string_equal(run_word(&r, false), "interrupted");
	r.state = "SUCCEEDED";
	assert_string_equal(run_word(&r, false), "ok");
	assert_string_equal(run_state_of("failed"), "FAILED");
	assert_string_equal(run_state_of("ok"), "SUCCEEDED");
	assert_null(run_state_of("odd"));
}

static size_t in_state(struct past_runs *p, const char *state, uint32_t limit)
{
	struct runlist list;
	struct err e;

	GOOD(runlist_make(&list, p->db, p->project, state, limit, &p->arena, &e));
	return list.count;
}

/* The journal calls it RUNNING until the next run looks at it. */
static void a_run_whose_process_is_gone_is_listed_as_interrupted(void **state)
{
	char sql[200], boot[37];
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	past_run_end(&p, past_run(&p, "019aa3b2-8001-7000-8000-000000000003", "{}", ""), "INTERRUPTED", 0, 0, 0);
	(void)past_run(&p, "019aa3b2-8002-7000-8000-000000000004", "{}", "");
	assert_int_equal(in_state(&p, "INTERRUPTED", 20), 2);
	assert_int_equal(in_state(&p, "INTERRUPTED", 1), 1);
	assert_int_equal(in_state(&p, "RUNNING", 20), 0);
	(void)snprintf(sql, sizeof sql, "UPDATE run SET pid = %d, boot_id = '%s' WHERE state = 'RUNNING'", (int)getpid(),
		boot_id(boot));
	GOOD(store_do(&p.store, sql, &e));
	assert_int_equal(in_state(&p, "INTERRUPTED", 20), 1);
	assert_int_equal(in_state(&p, "RUNNING", 20), 1);
	assert_int_equal(in_state(&p, NULL, 20), 4);
	past_runs_close(&p);
}

static void the_list_is_valid_json(void **state)
{
	struct buf text = { 0 };
	struct runlist list;
	struct past_runs p;
	const json_t *run;
	json_t *root;
	struct err e;

	(void)state;
	past_runs_open(&p);
	GOOD(store_do(&p.store, "UPDATE run SET host = x'ff220a5c', commit_id = char(27) WHERE id = 2", &e));
	GOOD(runlist_make(&list, p.db, p.project, NULL, 20, &p.arena, &e));
	runlist_json(&text, &list, PAST_BEGAN);
	root = json_loadb(text.data, text.len, 0, NULL);
	assert_non_null(root);
	run = json_array_get(json_object_get(root, "runs"), 0);
	assert_string_equal(json_string_value(json_object_get(run, "id")), past_uuid[1]);
	assert_string_equal(json_string_value(json_object_get(run, "began")), "2026-09-21T14:13:20.000Z");
	assert_string_equal(json_string_value(json_array_get(json_object_get(run, "changed"), 0)), "train.lr=0.003");
	assert_int_equal(json_integer_value(json_object_get(run, "took_ms")), 60000);
	json_decref(root);
	buf_release(&text);
	past_runs_close(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_that_runs_share_get_a_column),
		cmocka_unit_test(a_metric_of_several_tasks_gets_none),
		cmocka_unit_test(states_have_words),
		cmocka_unit_test(a_run_whose_process_is_gone_is_listed_as_interrupted),
		cmocka_unit_test(the_list_is_valid_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
