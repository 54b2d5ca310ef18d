#include "../support/sched_world.h"

static const uint8_t nothing_done[128];

static const struct sched_config plain = { .done = nothing_done, .jobs = 4, .cpu_milli = 1000000, .grace_ms = 10000 };

struct scene {
	struct loaded l;
	struct world w;
};

static void scene_open(struct scene *s, const char *text, const struct sched_config *config)
{
	load_good(&s->l, text);
	world_open(&s->w, &s->l.graph, config, 0);
	world_begin(&s->w);
	world_run_asked(&s->w);
}

static void scene_close(struct scene *s)
{
	world_close(&s->w);
	loaded_release(&s->l);
}

static enum task_state state_of(const struct scene *s, const char *task)
{
	return s->w.tasks[node_of(&s->l, task)].state;
}

static void end_task(struct scene *s, const char *task, enum outcome outcome)
{
	world_end(&s->w, node_of(&s->l, task), outcome, outcome == OUTCOME_ERROR ? 1 : -1);
	world_run_asked(&s->w);
}

static void end_all_live(struct scene *s)
{
	uint32_t i;

	for (i = 0; i < s->l.graph.node_count; i++) {
		if (s->w.tasks[i].is_live)
			world_end(&s->w, i, OUTCOME_SUCCEEDED, -1);
		world_run_asked(&s->w);
	}
}

static void nothing_to_do_finishes_at_once(void **state)
{
	struct sched_config config = plain;
	uint8_t done[2] = { 1, 1 };
	struct scene s;

	(void)state;
	config.done = done;
	scene_open(&s, "stages: {a: {cmd: x}, b: {cmd: x, needs: [a]}}", &config);
	assert_true(s.w.finished);
	assert_int_equal(s.w.out.count, 1);
	scene_close(&s);
}

static void chain_runs_one_after_the_other(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "stages: {a: {cmd: x}, b: {cmd: x, needs: [a]}, c: {cmd: x, needs: [b]}}", &plain);
	assert_int_equal(s.w.live, 1);
	end_task(&s, "a", OUTCOME_SUCCEEDED);
	assert_int_equal(state_of(&s, "b"), TASK_RUNNING);
	end_task(&s, "b", OUTCOME_SUCCEEDED);
	end_task(&s, "c", OUTCOME_SUCCEEDED);
	assert_true(s.w.finished);
	scene_close(&s);
}

static void failure_stops_what_has_not_started(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "stages: {a: {cmd: x}, b: {cmd: x, needs: [a]}, c: {cmd: x}, d: {cmd: x, needs: [c]}}", &plain);
	end_task(&s, "a", OUTCOME_ERROR);
	assert_int_equal(state_of(&s, "b"), TASK_BLOCKED);
	assert_int_equal(state_of(&s, "c"), TASK_RUNNING);
	end_task(&s, "c", OUTCOME_SUCCEEDED);
	assert_int_equal(state_of(&s, "d"), TASK_SKIPPED);
	assert_true(s.w.finished);
	scene_close(&s);
}

static void keep_going_leaves_out_only_what_is_below(void **state)
{
	struct sched_config config = plain;
	struct scene s;

	(void)state;
	config.keep_going = true;
	scene_open(&s, "stages: {a: {cmd: x}, b: {cmd: x, needs: [a]}, c: {cmd: x}, d: {cmd: x, needs: [c]}}", &config);
	end_task(&s, "a", OUTCOME_ERROR);
	end_task(&s, "c", OUTCOME_SUCCEEDED);
	end_task(&s, "d", OUTCOME_SUCCEEDED);
	assert_true(s.w.finished);
	assert_int_equal(state_of(&s, "b"), TASK_BLOCKED);
	assert_int_equal(state_of(&s, "d"), TASK_SUCCEEDED);
	scene_close(&s);
}

static void allowed_failure_blocks_readers_only(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "stages:\n"
		       "  a: {cmd: x, outs: [o], allow_failure: true}\n"
		       "  reads: {cmd: x, deps: [o]}\n"
		       "  below: {cmd: x, needs: [reads]}\n"
		       "  waits: {cmd: x, needs: [a]}\n",
		&plain);
	end_task(&s, "a", OUTCOME_ERROR);
	assert_int_equal(state_of(&s, "reads"), TASK_BLOCKED);
	assert_int_equal(state_of(&s, "below"), TASK_BLOCKED);
	assert_int_equal(state_of(&s, "waits"), TASK_RUNNING);
	end_task(&s, "waits", OUTCOME_SUCCEEDED);
	assert_true(s.w.finished);
	assert_false(s.w.s.failed);
	scene_close(&s);
}

/* `r` reads the folder that `a` and `b` write into; `f` only comes before it. */
static void allowed_failure_spares_readers_of_other_folders(void **state)
{
	static const char text[] = "stages:\n"
				   "  a: {cmd: x, outs: [d/a]}\n"
				   "  b: {cmd: x, outs: [d/b], allow_failure: true}\n"
				   "  f: {cmd: x, outs: [e/f], allow_failure: true}\n"
				   "  r: {cmd: x, deps: [d], needs: [f]}\n";
	struct scene s;

	(void)state;
	scene_open(&s, text, &plain);
	end_task(&s, "f", OUTCOME_ERROR);
	end_task(&s, "a", OUTCOME_SUCCEEDED);
	end_task(&s, "b", OUTCOME_SUCCEEDED);
	assert_int_equal(state_of(&s, "r"), TASK_RUNNING);
	scene_close(&s);
	scene_open(&s, text, &plain);
	end_task(&s, "b", OUTCOME_ERROR);
	assert_int_equal(state_of(&s, "r"), TASK_BLOCKED);
	scene_close(&s);
}

static const char retrying[] = "stages:\n"
			       "  a: {cmd: x, retry: {limit: 2, delay: 10s, backoff: 3, jitter: 0}}\n"
			       "  b: {cmd: x}\n";

static void retry_waits_and_holds_nothing(void **state)
{
	struct sched_config config = plain;
	struct scene s;

	(void)state;
	config.jobs = 1;
	scene_open(&s, retrying, &config);
	end_task(&s, "a", OUTCOME_ERROR);
	assert_int_equal(state_of(&s, "b"), TASK_RUNNING); /* in the slot that `a` left */
	assert_int_equal(s.w.wait_at, 10000);
	end_task(&s, "b", OUTCOME_SUCCEEDED);
	assert_false(s.w.finished);
	world_tick(&s.w, 9999);
	assert_int_equal(state_of(&s, "a"), TASK_BACKOFF);
	world_tick(&s.w, 10000);
	assert_int_equal(state_of(&s, "a"), TASK_RUNNING);
	end_task(&s, "a", OUTCOME_SIGNAL);
	assert_int_equal(s.w.wait_at, 40000);
	world_tick(&s.w, 40000);
	end_task(&s, "a", OUTCOME_ERROR);
	assert_int_equal(state_of(&s, "a"), TASK_FAILED);
	assert_int_equal(s.w.tasks[0].attempts, 3);
	scene_close(&s);
}

static void retry_is_not_made_when_the_run_ends_early(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, retrying, &plain);
	end_task(&s, "b", OUTCOME_ERROR);
	end_task(&s, "a", OUTCOME_ERROR);
	assert_int_equal(state_of(&s, "a"), TASK_FAILED);
	assert_true(s.w.finished);
	scene_close(&s);
	scene_open(&s, retrying, &plain);
	end_task(&s, "a", OUTCOME_ERROR);
	end_task(&s, "b", OUTCOME_ERROR);
	assert_int_equal(state_of(&s, "a"), TASK_SKIPPED);
	assert_true(s.w.finished);
	scene_close(&s);
}

static void lost_attempts_have_a_budget_of_their_own(void **state)
{
	struct scene s;
	int i;

	(void)state;
	scene_open(&s, "stages: {a: {cmd: x, retry: {limit: 0}}}", &plain);
	for (i = 1; i < LOST_BUDGET; i++) {
		end_task(&s, "a", OUTCOME_LOST);
		assert_int_equal(state_of(&s, "a"), TASK_RUNNING); /* at once */
		assert_int_equal(s.w.tasks[0].attempts, i + 1);
	}
	end_task(&s, "a", OUTCOME_LOST);
	assert_int_equal(state_of(&s, "a"), TASK_FAILED);
	scene_close(&s);
}

static void cancel_asks_then_insists_then_kills(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "stages: {a: {cmd: x}, b: {cmd: x, needs: [a]}}", &plain);
	s.w.now = 1000;
	world_cancel(&s.w, 1);
	assert_int_equal(s.w.out.items[0].signal, SIGINT);
	assert_int_equal(s.w.wait_at, 6000);
	world_cancel(&s.w, 1); /* once is enough */
	assert_int_equal(s.w.tasks[0].stage, 1);
	world_tick(&s.w, 6000);
	assert_int_equal(s.w.out.items[0].signal, SIGTERM);
	world_tick(&s.w, 11000);
	assert_int_equal(s.w.out.items[0].signal, SIGKILL);
	assert_int_equal(s.w.wait_at, NEVER);
	end_task(&s, "a", OUTCOME_CANCELLED);
	assert_int_equal(state_of(&s, "a"), TASK_SKIPPED);
	assert_int_equal(state_of(&s, "b"), TASK_SKIPPED);
	assert_true(s.w.finished);
	scene_close(&s);
}

static void second_cancel_kills_at_once(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "stages: {a: {cmd: x}, b: {cmd: x}}", &plain);
	world_cancel(&s.w, 1);
	end_task(&s, "a", OUTCOME_SUCCEEDED); /* in time */
	world_cancel(&s.w, 2);
	assert_int_equal(s.w.out.items[0].signal, SIGKILL);
	assert_int_equal(s.w.tasks[1].why, STOP_CANCEL);
	end_task(&s, "b", OUTCOME_CANCELLED);
	assert_true(s.w.finished);
	assert_int_equal(state_of(&s, "a"), TASK_SUCCEEDED);
	scene_close(&s);
}

static void timeout_terminates_and_kills_after_the_grace(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "stages: {a: {cmd: x, timeout: 5s, retry: {limit: 1, delay: 0s}}}", &plain);
	assert_int_equal(s.w.wait_at, 5000);
	world_tick(&s.w, 5000);
	assert_int_equal(s.w.out.items[0].signal, SIGTERM);
	assert_int_equal(s.w.out.items[0].why, STOP_TIMEOUT);
	assert_int_equal(s.w.wait_at, 15000);
	world_tick(&s.w, 15000);
	assert_int_equal(s.w.out.items[0].signal, SIGKILL);
	end_task(&s, "a", OUTCOME_TIMEOUT);
	assert_int_equal(state_of(&s, "a"), TASK_RUNNING); /* again, with a deadline of its own */
	assert_int_equal(s.w.wait_at, 20000);
	scene_close(&s);
}

static void further_tries_get_more_time_and_memory(void **state)
{
	struct scene s;
	uint32_t a;

	(void)state;
	scene_open(&s,
		"stages: {a: {cmd: x, timeout: 5s, resources: {mem: 1M}, "
		"retry: {limit: 2, delay: 0s, scale: {timeout: 3, mem: 1.5}}}}",
		&plain);
	a = node_of(&s.l, "a");
	assert_int_equal(s.w.wait_at, 5000);
	assert_int_equal(sched_mem(&s.w.s, a), 1 << 20);
	end_task(&s, "a", OUTCOME_TIMEOUT);
	assert_int_equal(s.w.wait_at, 15000);
	assert_int_equal(sched_mem(&s.w.s, a), 3 << 19);
	end_task(&s, "a", OUTCOME_LOST); /* no fault of its own: no more than before */
	assert_int_equal(s.w.wait_at, 15000);
	end_task(&s, "a", OUTCOME_SUCCEEDED);
	scene_close(&s);
}

static void wait_of_an_earlier_run_is_kept(void **state)
{
	static const int64_t not_before[] = { 3000, 0 };
	struct sched_config config = plain;
	struct scene s;

	(void)state;
	config.not_before_ms = not_before;
	scene_open(&s, "stages: {a: {cmd: x}, b: {cmd: x}}", &config);
	assert_int_equal(state_of(&s, "b"), TASK_RUNNING);
	assert_int_not_equal(state_of(&s, "a"), TASK_RUNNING);
	assert_int_equal(s.w.wait_at, 3000);
	end_task(&s, "b", OUTCOME_SUCCEEDED);
	assert_false(s.w.finished);
	world_tick(&s.w, 3000);
	assert_int_equal(state_of(&s, "a"), TASK_RUNNING);
	end_task(&s, "a", OUTCOME_SUCCEEDED);
	assert_true(s.w.finished);
	scene_close(&s);
}

static void longest_way_goes_first(void **state)
{
	static const int64_t cost[] = { 1, 100, 1, 1 };
	struct sched_config config = plain;
	struct scene s;

	(void)state;
	config.jobs = 1;
	scene_open(&s, "stages: {a: {cmd: x}, b: {cmd: x}, c: {cmd: x}, d: {cmd: x, needs: [c]}}", &config);
	assert_int_equal(state_of(&s, "c"), TASK_RUNNING);
	scene_close(&s);
	config.cost_ms = cost;
	scene_open(&s, "stages: {a: {cmd: x}, b: {cmd: x}, c: {cmd: x}, d: {cmd: x, needs: [c]}}", &config);
	assert_int_equal(state_of(&s, "b"), TASK_RUNNING);
	scene_close(&s);
}

static void task_that_wants_more_than_there_is_runs_alone(void **state)
{
	struct sched_config config = plain;
	struct scene s;

	(void)state;
	config.cpu_milli = 2000;
	config.mem_bytes = (uint64_t)1 << 30;
	scene_open(&s, "stages:\n"
		       "  cpu: {cmd: x, resources: {cpu: 64}}\n"
		       "  mem: {cmd: x, resources: {mem: 8G}}\n"
		       "  small: {cmd: x}\n",
		&config);
	assert_int_equal(s.w.live, 1);
	end_all_live(&s);
	assert_true(s.w.finished);
	scene_close(&s);
}

/* 1 + 90 tasks of a core each, and one of four: it is passed over, but not by all of them. */
static void large_task_is_not_passed_over_for_ever(void **state)
{
	struct sched_config config = plain;
	struct buf text = { 0 };
	struct scene s;
	uint32_t i, starts = 0;

	(void)state;
	config.cpu_milli = 4000;
	buf_str(&text, "stages:\n  first: {cmd: x}\n  large: {cmd: x, resources: {cpu: 4}}\n"
		       "  end: {cmd: x, needs: [large]}\n  small: {cmd: x, foreach: [0");
	for (i = 1; i < 300; i++)
		buf_printf(&text, ", %u", i);
	buf_str(&text, "]}\n");
	load_good(&s.l, buf_text(&text));
	config.done = calloc(s.l.graph.node_count, 1);
	assert_non_null(config.done);
	world_open(&s.w, &s.l.graph, &config, 0);
	world_begin(&s.w);
	while (s.w.asked.count > 0) /* the small ones are known first */
		world_answer(&s.w, s.w.asked.items[s.w.asked.count - 1], SETTLED_RUN);
	for (i = 0; state_of(&s, "large") != TASK_RUNNING && i < s.l.graph.node_count; i++)
		if (s.w.tasks[i].is_live) {
			world_end(&s.w, i, OUTCOME_SUCCEEDED, -1);
			starts++;
		}
	assert_int_equal(state_of(&s, "large"), TASK_RUNNING);
	assert_true(starts < 120);
	free((void *)(size_t)config.done);
	scene_close(&s);
	buf_release(&text);
}

/* A stage that is full must not hold back the others, however many instances of it wait. */
static void full_stage_holds_nobody_back(void **state)
{
	struct sched_config config = plain;
	struct buf text = { 0 };
	uint8_t done[512] = { 0 };
	struct scene s;
	uint32_t i, rounds;

	(void)state;
	config.done = done;
	buf_str(&text, "stages:\n  slow: {cmd: x, max_parallel: 1, foreach: [0");
	for (i = 1; i < 200; i++)
		buf_printf(&text, ", %u", i);
	buf_str(&text, "]}\n  end: {cmd: x, needs: [slow]}\n  other: {cmd: x, foreach: [0");
	for (i = 1; i < 200; i++)
		buf_printf(&text, ", %u", i);
	buf_str(&text, "]}\n");
	scene_open(&s, buf_text(&text), &config);
	s.w.is_loose = true;
	for (rounds = 0; rounds < 190; rounds++) {
		assert_int_equal(s.w.live, 4);
		for (i = node_of(&s.l, "other@0"); !s.w.tasks[i].is_live; i++)
			;
		world_end(&s.w, i, OUTCOME_SUCCEEDED, -1);
	}
	while (!s.w.finished)
		end_all_live(&s);
	scene_close(&s);
	buf_release(&text);
}

static void blocked_from_the_start_blocks_what_is_below(void **state)
{
	struct sched_config config = plain;
	uint8_t done[4] = { 2, 0, 0, 0 };
	struct scene s;

	(void)state;
	config.done = done;
	scene_open(&s, "stages: {a: {cmd: x}, b: {cmd: x, needs: [a]}, c: {cmd: x, needs: [b]}, d: {cmd: x}}", &config);
	assert_int_equal(state_of(&s, "c"), TASK_BLOCKED);
	assert_int_equal(state_of(&s, "d"), TASK_RUNNING);
	end_task(&s, "d", OUTCOME_SUCCEEDED);
	assert_true(s.w.finished && s.w.s.failed);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_do_finishes_at_once),
		cmocka_unit_test(chain_runs_one_after_the_other),
		cmocka_unit_test(failure_stops_what_has_not_started),
		cmocka_unit_test(keep_going_leaves_out_only_what_is_below),
		cmocka_unit_test(allowed_failure_blocks_readers_only),
		cmocka_unit_test(allowed_failure_spares_readers_of_other_folders),
		cmocka_unit_test(retry_waits_and_holds_nothing),
		cmocka_unit_test(retry_is_not_made_when_the_run_ends_early),
		cmocka_unit_test(lost_attempts_have_a_budget_of_their_own),
		cmocka_unit_test(cancel_asks_then_insists_then_kills),
		cmocka_unit_test(second_cancel_kills_at_once),
		cmocka_unit_test(timeout_terminates_and_kills_after_the_grace),
		cmocka_unit_test(further_tries_get_more_time_and_memory),
		cmocka_unit_test(wait_of_an_earlier_run_is_kept),
		cmocka_unit_test(longest_way_goes_first),
		cmocka_unit_test(task_that_wants_more_than_there_is_runs_alone),
		cmocka_unit_test(large_task_is_not_passed_over_for_ever),
		cmocka_unit_test(full_stage_holds_nobody_back),
		cmocka_unit_test(blocked_from_the_start_blocks_what_is_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
