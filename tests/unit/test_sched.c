/*
 * The model test draws graphs, outcomes, cancels and times from a seed; tests/support/sched_world.h says what must hold. After
 * a failure: FLOW_MODEL_SEED=<seed> FLOW_MODEL_CASES=1 test_sched. FLOW_MODEL_CASES=1000000 looks further.
 */
#include "../support/sched_world.h"

#include <stdio.h>
#include <unistd.h>

#include "../support/random_dag.h"

#define MODEL_CASES    20000u
#define RUNS_OF_A_DAG  5u  /* making the graph costs more than a run of it */
#define STEPS_MAX      20000u

/* -- the model ---------------------------------------------------------------------------------- */

/* What this case likes to do: chances are one in so many, 0 never. */
struct habits {
	uint32_t fails, loses, cancels, reuses, blocks, stubborn, lags;
};

struct player {
	struct world world;
	struct habits habits;
	struct dice dice;
	uint8_t done[RANDOM_TASKS_MAX];
	int64_t cost[RANDOM_TASKS_MAX];
	int level; /* of the last cancel */
};

static uint64_t running_seed;

/* An assert() inside the scheduler says nothing of the seed. */
static void tell_seed(int signo)
{
	char text[64];
	int n = snprintf(text, sizeof text, "seed %llu: ", (unsigned long long)running_seed);

	(void)signo;
	(void)!write(2, text, (size_t)n);
	(void)signal(SIGABRT, SIG_DFL);
}

static bool chance(struct player *p, uint32_t one_in)
{
	return one_in != 0 && dice_one_in(&p->dice, one_in);
}

static uint32_t either(struct dice *d, uint32_t one, uint32_t other)
{
	return dice_one_in(d, 2) ? one : other;
}

static void draw_habits(struct habits *h, struct dice *d)
{
	*h = (struct habits){ .fails = either(d, 0, dice_between(d, 2, 12)),
		.loses = either(d, 0, dice_between(d, 2, 12)),
		.cancels = dice_one_in(d, 4) ? dice_between(d, 5, 60) : 0,
		.reuses = either(d, 0, dice_between(d, 2, 6)),
		.blocks = dice_one_in(d, 4) ? dice_between(d, 5, 20) : 0,
		.stubborn = either(d, 0, 3),
		.lags = either(d, 0, 8) };
}

static void draw_config(struct player *p, struct sched_config *c, uint32_t nodes)
{
	struct dice *d = &p->dice;
	bool is_loose = dice_one_in(d, 2), has_costs = dice_one_in(d, 2), has_past = dice_one_in(d, 2);
	uint32_t i;

	for (i = 0; i < nodes; i++) {
		p->cost[i] = dice_below(d, 5000);
		p->done[i] = !has_past ? 0 : dice_one_in(d, 4) ? 1 : dice_one_in(d, 30) ? 2 : 0;
	}
	*c = (struct sched_config){ .done = p->done,
		.cost_ms = has_costs ? p->cost : NULL,
		.jobs = either(d, 1, dice_between(d, 1, 8)),
		.cpu_milli = is_loose ? 1000000 : dice_between(d, 500, 8000),
		.mem_bytes = is_loose || dice_one_in(d, 2) ? 0 : (uint64_t)dice_between(d, 1, 8000) << 20,
		.keep_going = dice_one_in(d, 2),
		.grace_ms = dice_between(d, 0, 5) * 1000,
		.seed = dice_next(d) };
	p->world.is_loose = is_loose;
}

/* One of the tasks that are live, or NO_NODE. */
static uint32_t some_live(struct player *p)
{
	const struct world *w = &p->world;
	uint32_t at, i;

	if (w->live == 0)
		return NO_NODE;
	at = dice_below(&p->dice, w->live);
	for (i = 0; i < w->graph->node_count; i++)
		if (w->tasks[i].is_live && at-- == 0)
			return i;
	return NO_NODE;
}

static void end_by_itself(struct player *p, uint32_t task)
{
	static const enum outcome failures[] = { OUTCOME_ERROR, OUTCOME_ERROR, OUTCOME_SIGNAL, OUTCOME_OOM,
		OUTCOME_MISSING_OUT, OUTCOME_UNSTARTABLE };
	enum outcome outcome = OUTCOME_SUCCEEDED;

	if (chance(p, p->habits.loses))
		outcome = OUTCOME_LOST;
	else if (chance(p, p->habits.fails))
		outcome = failures[dice_below(&p->dice, 6)];
	world_end(&p->world, task, outcome,
		outcome != OUTCOME_ERROR ? -1 : (int)either(&p->dice, 1, 75));
}

static void end_some(struct player *p)
{
	uint32_t task = some_live(p);
	const struct world_task *t = task != NO_NODE ? &p->world.tasks[task] : NULL;

	if (t == NULL)
		return;
	if (t->stage > 0 && (t->stage == 3 || !chance(p, p->habits.stubborn)))
		world_end(&p->world, task, t->why == STOP_TIMEOUT ? OUTCOME_TIMEOUT : OUTCOME_CANCELLED, -1);
	else if (dice_one_in(&p->dice, 3))
		end_by_itself(p, task);
}

static enum settled draw_answer(struct player *p)
{
	if (chance(p, p->habits.reuses))
		return SETTLED_REUSE;
	return chance(p, p->habits.blocks) ? SETTLED_BLOCKED : SETTLED_RUN;
}

/* Something happens: a moment passes, or the time comes that the scheduler waits for. */
static void happen(struct player *p)
{
	struct world *w = &p->world;
	int64_t then = w->now + dice_below(&p->dice, 1500);

	if (w->asked.count > 0 && !chance(p, p->habits.lags)) {
		world_answer(w, w->asked.items[dice_below(&p->dice, (uint32_t)w->asked.count)], draw_answer(p));
	} else if (chance(p, p->habits.cancels) && p->level < 2) {
		world_cancel(w, p->level += (int)dice_between(&p->dice, 1, 2 - (uint32_t)p->level));
	} else if (then >= w->wait_at || w->live == 0) {
		world_tick(w, then < w->wait_at || w->now > w->wait_at ? then : w->wait_at);
	} else if (dice_one_in(&p->dice, 8)) {
		world_tick(w, then);
	} else {
		w->now = then;
		end_some(p);
	}
}

/* Everything that could be done has been done. */
static void check_result(const struct world *w)
{
	uint32_t i;

	for (i = 0; i < w->graph->node_count; i++) {
		const struct world_task *t = &w->tasks[i];

		if (w->is_cancelled || (w->has_failed && !w->config.keep_going && w->is_draining))
			continue;
		HOLDS(w, t->state != TASK_SKIPPED);
		HOLDS(w, t->state == TASK_BLOCKED || !world_is_below_failure(w, i) || w->config.done[i] == 1);
		if (t->state == TASK_BLOCKED)
			HOLDS(w, world_is_below_failure(w, i) || w->config.done[i] == 2 ||
					 (t->is_answered && t->answer == SETTLED_BLOCKED));
	}
}

static void play(struct player *p, const struct graph *g, uint64_t seed)
{
	struct sched_config config;
	bool is_loose;

	running_seed = seed;
	memset(p, 0, sizeof *p);
	p->dice.state = seed;
	draw_habits(&p->habits, &p->dice);
	draw_config(p, &config, g->node_count);
	is_loose = p->world.is_loose;
	world_open(&p->world, g, &config, seed);
	p->world.is_loose = is_loose;
	world_begin(&p->world);
	while (!p->world.finished) {
		HOLDS(&p->world, p->world.steps < STEPS_MAX);
		happen(p);
	}
	check_result(&p->world);
	world_close(&p->world);
}

static void every_case_of_the_model_holds(void **state)
{
	uint64_t first = dice_setting("FLOW_MODEL_SEED", 1), cases = dice_setting("FLOW_MODEL_CASES", MODEL_CASES);
	uint64_t seed, steps = 0, tasks = 0;
	struct buf text = { 0 };
	struct loaded l = { 0 };
	struct player p;

	(void)state;
	(void)signal(SIGABRT, tell_seed);
	for (seed = first; seed < first + cases; seed++) {
		struct dice d = { seed / RUNS_OF_A_DAG };

		if (l.graph.block == NULL || seed % RUNS_OF_A_DAG == 0) {
			loaded_release(&l);
			random_dag(&text, &d);
			load_good(&l, buf_text(&text));
		}
		play(&p, &l.graph, seed);
		steps += p.world.steps;
		tasks += l.graph.node_count;
	}
	loaded_release(&l);
	buf_release(&text);
	print_message("seeds %llu to %llu: %llu tasks, %llu events\n", (unsigned long long)first,
		(unsigned long long)(seed - 1), (unsigned long long)tasks, (unsigned long long)steps);
}

/* -- by hand ------------------------------------------------------------------------------------ */

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
		cmocka_unit_test(longest_way_goes_first),
		cmocka_unit_test(task_that_wants_more_than_there_is_runs_alone),
		cmocka_unit_test(large_task_is_not_passed_over_for_ever),
		cmocka_unit_test(full_stage_holds_nobody_back),
		cmocka_unit_test(blocked_from_the_start_blocks_what_is_below),
		cmocka_unit_test(every_case_of_the_model_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
