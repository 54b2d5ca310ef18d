#include "../support/past_runs.h"

#include "store/tasks.h"

static const struct task_record *task_named(const struct task_list *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	fail_msg("no task %s", name);
	return NULL;
}

static void tasks_of_a_run_include_those_reused_as_planned(void **state)
{
	const struct task_record *t;
	struct task_list tasks;
	struct run_record run;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	GOOD(run_get(p.db, p.run[1], &p.arena, &run, &e));
	GOOD(tasks_of_run(p.db, &run, &p.arena, &tasks, &e));
	assert_int_equal(tasks.count, 4);
	assert_string_equal(tasks.items[0].name, "check");
	assert_string_equal(tasks.items[1].name, "train");
	t = task_named(&tasks, "prep");
	assert_string_equal(t->state, "REUSED");
	assert_int_equal(t->outs_of, p.prep);
	assert_int_equal(t->last.id, 0);
	t = task_named(&tasks, "train");
	assert_string_equal(t->why, "param train.lr 0.01 -> 0.003");
	assert_int_equal(t->last.id, p.train_again);
	assert_int_equal(task_named(&tasks, "notes")->outs_of, p.notes);
	assert_int_equal(task_named(&tasks, "check")->outs_of, 0);
	GOOD(tasks_with_rows(p.db, run.id, &p.arena, &tasks, &e));
	assert_int_equal(tasks.count, 3);
	past_runs_close(&p);
}

static void attempts_of_a_task_come_in_order(void **state)
{
	struct attempt_list tries;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	GOOD(attempts_of_task(p.db, p.run[0], "train", &p.arena, &tries, &e));
	assert_int_equal(tries.count, 2);
	assert_string_equal(tries.items[0].state, "FAILED");
	assert_int_equal(tries.items[0].exit_code, 1);
	assert_int_equal(tries.items[0].signal, -1);
	assert_int_equal(tries.items[1].exit_code, 0);
	assert_int_equal(attempt_took_ms(&tries.items[1], 0), 2000);
	assert_false(attempt_is_open(&tries.items[1]));
	past_runs_close(&p);
}

static void outs_of_a_run_are_made_or_taken_over(void **state)
{
	struct run_record run;
	struct past_runs p;
	struct id_list ids;
	struct err e;

	(void)state;
	past_runs_open(&p);
	GOOD(run_get(p.db, p.run[1], &p.arena, &run, &e));
	GOOD(outs_of_run(p.db, &run, &p.arena, &ids, &e));
	assert_int_equal(ids.count, 3);
	assert_true(id_list_has(&ids, p.prep));
	assert_true(id_list_has(&ids, p.notes));
	assert_true(id_list_has(&ids, p.train_again));
	assert_false(id_list_has(&ids, p.train));
	assert_false(id_list_has(&ids, p.check_failed));
	past_runs_close(&p);
}

static void a_damaged_list_of_attempts_is_survived(void **state)
{
	static const char *const blobs[] = { "x''", "x'ff'", "x'ffffffffffffffffffffffffffffff'", "x'80808080'",
		"x'ffffffffffffffff7f01'", "x'0101010100000000'", "'text'", "x'ffffffffffffffffff01'" };
	struct task_list tasks;
	struct run_record run;
	struct past_runs p;
	struct id_list ids;
	char sql[200];
	struct err e;
	size_t i;

	(void)state;
	past_runs_open(&p);
	GOOD(run_get(p.db, p.run[1], &p.arena, &run, &e));
	for (i = 0; i < sizeof blobs / sizeof *blobs; i++) {
		(void)snprintf(sql, sizeof sql, "UPDATE reuse SET attempts = %s", blobs[i]);
		GOOD(store_do(&p.store, sql, &e));
		GOOD(outs_of_run(p.db, &run, &p.arena, &ids, &e));
		assert_true(id_list_has(&ids, p.train_again));
		GOOD(tasks_of_run(p.db, &run, &p.arena, &tasks, &e));
		assert_true(tasks.count >= 3);
	}
	past_runs_close(&p);
}

static void a_stage_has_the_tasks_of_its_name(void **state)
{
	(void)state;
	assert_true(task_is_of("train", "train"));
	assert_true(task_is_of("train@seed-2", "train"));
	assert_true(task_is_of("train@seed-2", "train@seed-2"));
	assert_false(task_is_of("train@seed-2", "train@seed"));
	assert_false(task_is_of("trainer", "train"));
	assert_false(task_is_of("train", "trainer"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_of_a_run_include_those_reused_as_planned),
		cmocka_unit_test(attempts_of_a_task_come_in_order),
		cmocka_unit_test(outs_of_a_run_are_made_or_taken_over),
		cmocka_unit_test(a_damaged_list_of_attempts_is_survived),
		cmocka_unit_test(a_stage_has_the_tasks_of_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
