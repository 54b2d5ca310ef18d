#include "../support/past_runs.h"

#include "report/runwatch.h"

static void look(struct runwatch *w, struct past_runs *p)
{
	struct err e;

	GOOD(runwatch_look(w, &p->arena, &e));
}

static void watch(struct runwatch *w, struct past_runs *p, const char *ref)
{
	struct run_record run;
	struct err e;

	GOOD(run_find(p->db, ref, &p->arena, &run, &e));
	GOOD(runwatch_open(w, p->db, p->project, &run, &e));
	assert_int_equal(runwatch_news(w, &e), 1); /* nothing is known yet */
	look(w, p);
}

static void what_runs_is_shown_until_it_ends(void **state)
{
	struct runwatch w;
	struct past_runs p;
	int64_t train;

	(void)state;
	past_runs_open(&p);
	train = past_third(&p, true);
	past_metric(&p, train, "loss", 0, 0.9);
	past_metric(&p, train, "loss", 10, 0.5);
	past_metric(&p, train, "lr", 10, 0.01);
	watch(&w, &p, "@last");
	assert_false(runwatch_is_over(&w));
	assert_int_equal(w.count[COUNT_RUNNING], 1);
	assert_int_equal(w.count[COUNT_WAITING], 1);
	assert_int_equal(w.count[COUNT_CACHED], 1);
	assert_int_equal(runwatch_total(&w), 3);
	assert_int_equal(w.ended.count, 0);
	assert_int_equal(w.open.count, 1);
	assert_int_equal(w.open.items[0].attempt.id, train);
	assert_int_equal(w.open.items[0].metrics.count, 2);
	assert_string_equal(w.open.items[0].metrics.items[0].name, "loss");
	assert_int_equal(w.open.items[0].metrics.items[0].last_step, 10);
	assert_true(w.open.items[0].metrics.items[0].value == 0.5);
	past_attempt_end(&p, train, "SUCCEEDED", 500, "", 0, 0);
	past_task_state(&p, w.run.id, "train", "SUCCEEDED", train);
	look(&w, &p);
	assert_int_equal(w.open.count, 0);
	assert_int_equal(w.ended.count, 1);
	assert_int_equal(w.ended.items[0].id, train);
	assert_int_equal(w.count[COUNT_RAN], 1);
	assert_int_equal(w.count[COUNT_CACHED], 1);
	look(&w, &p);
	assert_int_equal(w.ended.count, 0); /* told once */
	past_run_end(&p, w.run.id, "SUCCEEDED", 1, 1, 0);
	look(&w, &p);
	assert_true(runwatch_is_over(&w));
	runwatch_close(&w);
	past_runs_close(&p);
}

/* Begun and ended between two looks. */
static void what_came_and_went_is_told(void **state)
{
	struct buf parts = { 0 };
	struct runwatch w;
	struct past_runs p;
	int64_t check;

	(void)state;
	past_runs_open(&p);
	(void)past_third(&p, true);
	watch(&w, &p, "@last");
	past_task_state(&p, w.run.id, "check", "RUNNING", 0);
	check = past_attempt(&p, w.run.id, "check", 1, &parts, "", 0);
	past_attempt_end(&p, check, "FAILED", 5, "", 0, 0);
	past_task_state(&p, w.run.id, "check", "FAILED", 0);
	look(&w, &p);
	assert_int_equal(w.ended.count, 1);
	assert_int_equal(w.ended.items[0].id, check);
	assert_int_equal(w.open.count, 1);
	assert_int_equal(w.count[COUNT_FAILED], 1);
	buf_release(&parts);
	runwatch_close(&w);
	past_runs_close(&p);
}

static void a_run_that_has_ended_is_over(void **state)
{
	struct runwatch w;
	struct past_runs p;

	(void)state;
	past_runs_open(&p);
	watch(&w, &p, past_uuid[1]);
	assert_true(runwatch_is_over(&w));
	assert_int_equal(w.ended.count, 0);
	assert_int_equal(w.count[COUNT_FAILED], 1);
	assert_int_equal(w.count[COUNT_CACHED], 2); /* one as planned, one by a row of its own */
	runwatch_close(&w);
	past_runs_close(&p);
}

static void a_run_whose_process_is_gone_is_over(void **state)
{
	struct runwatch w;
	struct past_runs p;

	(void)state;
	past_runs_open(&p);
	(void)past_third(&p, false);
	watch(&w, &p, "@last");
	assert_true(runwatch_is_over(&w));
	assert_int_equal(w.run.ended_ms, 0);
	runwatch_close(&w);
	past_runs_close(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_runs_is_shown_until_it_ends),
		cmocka_unit_test(what_came_and_went_is_told),
		cmocka_unit_test(a_run_that_has_ended_is_over),
		cmocka_unit_test(a_run_whose_process_is_gone_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
