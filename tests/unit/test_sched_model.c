/*
 * The model test of the scheduler: graphs, outcomes, cancels and times are drawn from a seed; support/sched_world.h says what
 * must hold after every event. After a failure: FLOW_MODEL_SEED=<seed> FLOW_MODEL_CASES=1 test_sched_model.
 * FLOW_MODEL_CASES=1000000 looks further.
 */
#include "../support/sched_world.h"

#include <stdio.h>
#include <unistd.h>

#include "../support/random_dag.h"

#define MODEL_CASES    20000u
#define RUNS_OF_A_DAG  5u  /* making the graph costs more than a run of it */
#define STEPS_MAX      20000u

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
	int64_t waits[RANDOM_TASKS_MAX];
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
		p->waits[i] = dice_one_in(d, 5) ? dice_below(d, 9000) : 0;
		p->done[i] = !has_past ? 0 : dice_one_in(d, 4) ? 1 : dice_one_in(d, 30) ? 2 : 0;
	}
	*c = (struct sched_config){ .done = p->done,
		.cost_ms = has_costs ? p->cost : NULL,
		.not_before_ms = dice_one_in(d, 3) ? p->waits : NULL,
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_of_the_model_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
