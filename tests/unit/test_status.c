#include "../support/past_runs.h"

#include <jansson.h>

#include "report/status.h"

static void status(struct past_runs *p, struct status *s)
{
	struct err e;

	GOOD(status_make(s, p->db, p->project, &p->arena, &e));
}

static void what_failed_last_is_told(void **state)
{
	struct past_runs p;
	struct status s;

	(void)state;
	past_runs_open(&p);
	status(&p, &s);
	assert_false(s.is_active || s.is_dead);
	assert_int_equal(s.runs.count, 2);
	assert_int_equal(s.runs.items[0].id, p.run[1]);
	assert_int_equal(s.failed.count, 1);
	assert_string_equal(s.failed.items[0].name, "check");
	assert_string_equal(s.failed.items[0].last.error, "exit 1");
	assert_int_equal(s.run_count, 2);
	assert_int_equal(s.attempt_count, 7);
	assert_int_equal(s.artifact_count, 5);
	past_runs_close(&p);
}

static void a_run_at_work_shows_what_runs(void **state)
{
	struct buf text = { 0 };
	struct past_runs p;
	struct status s;
	json_t *root;

	(void)state;
	past_runs_open(&p);
	(void)past_third(&p, true);
	status(&p, &s);
	assert_true(s.is_active && !s.is_dead);
	assert_int_equal(s.running.count, 1);
	assert_string_equal(s.running.items[0].task, "train");
	assert_int_equal(s.waiting, 1);
	assert_int_equal(s.reused, 1);
	assert_int_equal(s.succeeded, 0);
	status_json(&text, &s, PAST_BEGAN);
	root = json_loadb(text.data, text.len, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_array_size(json_object_get(json_object_get(root, "active"), "running")), 1);
	json_decref(root);
	buf_release(&text);
	past_runs_close(&p);
}

static void a_run_whose_process_is_gone_is_dead(void **state)
{
	struct past_runs p;
	struct status s;

	(void)state;
	past_runs_open(&p);
	(void)past_third(&p, false);
	status(&p, &s);
	/* This process holds the project, as a later run would that has not looked at the dead one yet: its pid is another one. */
	assert_true(s.is_dead && !s.is_active);
	past_runs_close(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_failed_last_is_told),
		cmocka_unit_test(a_run_at_work_shows_what_runs),
		cmocka_unit_test(a_run_whose_process_is_gone_is_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
