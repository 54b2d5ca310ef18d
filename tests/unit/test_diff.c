#include "../support/past_runs.h"

#include <jansson.h>

#include "report/diff.h"

static void compare(struct past_runs *p, struct diff *d, const char *a, const char *b)
{
	struct err e;

	GOOD(diff_make(d, p->db, p->project, a, b, &p->arena, &e));
}

static void two_runs_differ_in_what_went_in_and_came_out(void **state)
{
	struct past_runs p;
	struct diff d;

	(void)state;
	past_runs_open(&p);
	compare(&p, &d, "@{1}", "@last");
	assert_true(d.differs);
	assert_int_equal(d.params.count, 1);
	assert_string_equal(d.params.items[0].name, "train.lr");
	assert_string_equal(d.params.items[0].was, "0.01");
	assert_string_equal(d.params.items[0].is, "0.003");
	assert_int_equal(d.same_params, 1);
	assert_int_equal(d.source.count, 1);
	assert_string_equal(d.source.items[0].name, "patch");
	assert_null(d.source.items[0].was);
	assert_int_equal(d.tasks.count, 1);
	assert_string_equal(d.tasks.items[0].task, "check");
	assert_string_equal(d.tasks.items[0].was, "ok");
	assert_string_equal(d.tasks.items[0].is, "FAILED");
	assert_int_equal(d.same_tasks, 2);
	past_runs_close(&p);
}

static void code_metrics_outs_and_times_are_compared_by_task(void **state)
{
	struct past_runs p;
	struct diff d;

	(void)state;
	past_runs_open(&p);
	compare(&p, &d, "@{1}", "@last");
	assert_int_equal(d.code.count, 1);
	assert_string_equal(d.code.items[0].task, "train");
	assert_string_equal(d.code.items[0].kind, "code");
	assert_string_equal(d.code.items[0].name, "plugin train");
	assert_int_equal(d.metrics.count, 2);
	assert_string_equal(d.metrics.items[0].name, "accuracy");
	assert_true(d.metrics.items[0].is > 0.98);
	assert_string_equal(d.metrics.items[1].name, "loss");
	assert_true(isnan(d.metrics.items[1].is));
	assert_int_equal(d.outs.count, 1);
	assert_string_equal(d.outs.items[0].name, "models/m.bin");
	assert_int_equal(d.timings.count, 1);
	assert_true(d.timings.items[0].was > 1999.0 && d.timings.items[0].is < 1001.0);
	past_runs_close(&p);
}

static void a_run_does_not_differ_from_itself(void **state)
{
	struct past_runs p;
	struct diff d;

	(void)state;
	past_runs_open(&p);
	compare(&p, &d, "@last", "@last");
	assert_false(d.differs);
	assert_int_equal(d.same_tasks, 4);
	past_runs_close(&p);
}

static void the_same_change_in_many_tasks_is_one_line(void **state)
{
	static const char *const tasks[] = { "fit@1", "fit@2", "fit@3" };
	struct buf parts = { 0 };
	struct past_runs p;
	struct diff d;
	size_t i, k;

	(void)state;
	past_runs_open(&p);
	for (i = 0; i < 2; i++)
		for (k = 0; k < 3; k++) {
			int64_t id;

			past_task(&p, p.run[i], tasks[k], "never-run", "");
			past_task_state(&p, p.run[i], tasks[k], "RUNNING", 0);
			part_text(&parts, PART_COMMAND, "", i == 0 ? "old" : "new");
			id = past_attempt(&p, p.run[i], tasks[k], 1, &parts, "", 0);
			past_attempt_end(&p, id, "SUCCEEDED", 1, NULL, 0, 0);
			past_task_state(&p, p.run[i], tasks[k], "SUCCEEDED", id);
		}
	compare(&p, &d, "@{1}", "@last");
	assert_int_equal(d.code.count, 2);
	assert_string_equal(d.code.items[0].task, "fit@1 (and 2 others)");
	assert_string_equal(d.code.items[0].was, "old");
	assert_string_equal(d.code.items[0].is, "new");
	assert_string_equal(d.code.items[1].task, "train");
	buf_release(&parts);
	past_runs_close(&p);
}

/* A task of both runs whose trees have one component that is not the same. */
static void give_pair(struct past_runs *p, enum part part, const char *name, const char *was, const char *is)
{
	struct buf parts = { 0 };
	size_t i;

	for (i = 0; i < 2; i++) {
		int64_t id;

		past_task(p, p->run[i], "fit", "never-run", "");
		past_task_state(p, p->run[i], "fit", "RUNNING", 0);
		if (part == PART_INPUT)
			part_digest(&parts, part, name, i == 0 ? was : is);
		else
			part_text(&parts, part, name, i == 0 ? was : is);
		id = past_attempt(p, p->run[i], "fit", 1, &parts, "", 0);
		past_attempt_end(p, id, "SUCCEEDED", 1, NULL, 0, 0);
		past_task_state(p, p->run[i], "fit", "SUCCEEDED", id);
	}
	buf_release(&parts);
}

static void of_long_commands_the_part_that_differs_is_shown(void **state)
{
	struct past_runs p;
	struct diff d;

	(void)state;
	past_runs_open(&p);
	give_pair(&p, PART_COMMAND, "", "python a_rather_long_script.py --with many --options=here --and --lr 0.01 --more --and more",
		"python a_rather_long_script.py --with many --options=here --and --lr 0.003");
	compare(&p, &d, "@{1}", "@last");
	assert_string_equal(d.code.items[0].was, "...and --lr 0.01 --more --and more");
	assert_string_equal(d.code.items[0].is, "...and --lr 0.003");
	past_runs_close(&p);
}

static void a_source_file_that_changed_is_named_and_an_out_is_not(void **state)
{
	struct past_runs p;
	struct diff d;

	(void)state;
	past_runs_open(&p);
	give_pair(&p, PART_INPUT, "raw.csv", "one", "two");
	compare(&p, &d, "@{1}", "@last");
	assert_int_equal(d.code.count, 2); /* models/m.bin of `check` is not among them */
	assert_string_equal(d.code.items[0].kind, "input");
	assert_string_equal(d.code.items[0].name, "raw.csv");
	assert_string_equal(d.code.items[1].kind, "code");
	past_runs_close(&p);
}

static void damaged_rows_are_survived(void **state)
{
	static const char *const damages[] = { "UPDATE attempt SET parts = x'0102'", "UPDATE run SET params = '[1'",
		"UPDATE run SET params = '{\"a\": {\"b\": [1, {\"c\": 1e999}]}}'", "UPDATE run SET params = x'00ff'",
		"UPDATE artifact SET digest = x'00'", "UPDATE reuse SET attempts = x'ffff'", "UPDATE metric SET value = 9e999" };
	struct buf text = { 0 };
	struct past_runs p;
	struct diff d;
	json_t *root;
	struct err e;
	size_t i;

	(void)state;
	past_runs_open(&p);
	for (i = 0; i < sizeof damages / sizeof *damages; i++) {
		GOOD(store_do(&p.store, damages[i], &e));
		compare(&p, &d, "@{1}", "@last");
		buf_clear(&text);
		diff_json(&text, &d, PAST_BEGAN);
		root = json_loadb(text.data, text.len, 0, NULL);
		assert_non_null(root);
		json_decref(root);
	}
	buf_release(&text);
	past_runs_close(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_runs_differ_in_what_went_in_and_came_out),
		cmocka_unit_test(code_metrics_outs_and_times_are_compared_by_task),
		cmocka_unit_test(a_run_does_not_differ_from_itself),
		cmocka_unit_test(the_same_change_in_many_tasks_is_one_line),
		cmocka_unit_test(of_long_commands_the_part_that_differs_is_shown),
		cmocka_unit_test(a_source_file_that_changed_is_named_and_an_out_is_not),
		cmocka_unit_test(damaged_rows_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
