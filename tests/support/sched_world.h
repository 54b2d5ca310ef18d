/*
 * tests/support/sched_world.h - a simulated caller of the scheduler that believes nothing it is told.
 *
 *     struct world w;  world_open(&w, &graph, &config, seed);
 *     world_begin(&w);  world_answer(&w, task, SETTLED_RUN);  world_end(&w, task, OUTCOME_ERROR, 1);  world_tick(&w, ms);
 *     world_cancel(&w, 1);  ...w.tasks[i].state, w.finished...  world_close(&w);
 *
 * It keeps its own account of every task and after every event compares it with what the scheduler did. What does not hold
 * fails the test with the seed. READY tasks, live attempts and what they hold are worked out here a second time.
 */
#ifndef FLOW_TESTS_SCHED_WORLD_H
#define FLOW_TESTS_SCHED_WORLD_H

#include <math.h>
#include <signal.h>

#include "base/path.h"
#include "base/vec.h"
#include "dag_text.h"
#include "run/sched.h"

#define NEVER INT64_MAX

/* What is known of a task from outside. */
struct world_task {
	enum task_state state;
	bool is_asked, is_live;
	uint32_t attempts, retries, losses;
	int64_t backoff_until;
	int64_t deadline;       /* of the live attempt */
	int64_t stopped_at;     /* last signal to the live attempt */
	int stage;              /* strongest signal it got: 1 INT, 2 TERM, 3 KILL */
	uint32_t stopped_step;  /* when it got its last signal */
	enum stop_why why;
	int64_t way;            /* longest way to an end of the graph */
	enum settled answer;    /* what it was told to do, when is_answered */
	bool is_answered;
};

struct world {
	struct sched s;
	struct sched_config config;
	const struct graph *graph;
	struct actions out;
	struct world_task *tasks;
	struct { uint32_t *items; size_t count, cap; } asked; /* not answered yet */
	const struct event *event; /* being handled */
	uint64_t seed;
	int64_t now, wait_at;
	uint32_t live, steps;
	bool is_loose;             /* cores and memory never hold anything back */
	bool is_draining, is_cancelled, has_failed, finished;
};

#define HOLDS(w, condition)                                                                        \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("seed %llu, step %u: %s does not hold (line %d)",                  \
				(unsigned long long)(w)->seed, (w)->steps, #condition, __LINE__);  \
	} while (0)

static inline const struct stage *world_stage(const struct world *w, uint32_t task)
{
	return node_stage(w->graph, task);
}

/* Does the reader read what the producer makes, or only wait for it? */
static inline bool world_reads(const struct world *w, uint32_t reader, uint32_t producer)
{
	const struct graph *g = w->graph;
	struct span deps = g->nodes[reader].deps, outs = g->nodes[producer].outs;
	uint32_t i, k;

	for (i = deps.first; i < deps.first + deps.count; i++) {
		for (k = outs.first; k < outs.first + outs.count; k++) {
			const char *dep = graph_text(g, g->deps[i].path);
			const char *out = graph_text(g, g->outs[k].path);

			if (path_is_inside(dep, out) || path_is_inside(out, dep))
				return true;
		}
	}
	return false;
}

static inline bool world_is_done(const struct world *w, uint32_t reader, uint32_t producer)
{
	switch (w->tasks[producer].state) {
	case TASK_SUCCEEDED:
	case TASK_REUSED: return true;
	case TASK_FAILED:
		return (world_stage(w, producer)->flags & STAGE_ALLOW_FAILURE) != 0 &&
		       !world_reads(w, reader, producer);
	case TASK_PENDING:
	case TASK_READY:
	case TASK_RUNNING:
	case TASK_BACKOFF:
	case TASK_SKIPPED:
	case TASK_BLOCKED: break;
	}
	return false;
}

static inline bool world_needs_are_done(const struct world *w, uint32_t task)
{
	struct span before = w->graph->nodes[task].before;
	uint32_t i;

	for (i = before.first; i < before.first + before.count; i++)
		if (!world_is_done(w, task, w->graph->links[i]))
			return false;
	return true;
}

/* Is something above the task over without having succeeded? */
static inline bool world_is_below_failure(const struct world *w, uint32_t task)
{
	struct span before = w->graph->nodes[task].before;
	uint32_t i;

	for (i = before.first; i < before.first + before.count; i++) {
		enum task_state state = w->tasks[w->graph->links[i]].state;

		if ((state == TASK_FAILED || state == TASK_BLOCKED) &&
			!world_is_done(w, task, w->graph->links[i]))
			return true;
	}
	return false;
}

/* Until when a task that has all it needs must wait, for a try that failed in this run or in the one before. */
static inline int64_t world_waits_until(const struct world *w, uint32_t task)
{
	const struct world_task *t = &w->tasks[task];

	if (t->state == TASK_BACKOFF)
		return t->backoff_until;
	return w->config.not_before_ms != NULL ? w->config.not_before_ms[task] : 0;
}

static inline bool world_is_willing(const struct world *w, uint32_t task)
{
	return w->tasks[task].state == TASK_READY || w->tasks[task].state == TASK_BACKOFF;
}

/* Could it start if there were room? */
static inline bool world_is_startable(const struct world *w, uint32_t task)
{
	return world_is_willing(w, task) && world_waits_until(w, task) <= w->now;
}

/* What `retry.scale` makes of a value after the retries made so far: a second reading. */
static inline double world_scaled(const struct world *w, uint32_t task, double value, double factor)
{
	uint32_t i;

	for (i = 0; i < w->tasks[task].retries; i++)
		value *= factor;
	return value;
}

static inline bool world_goes_first(const struct world *w, uint32_t a, uint32_t b)
{
	return w->tasks[a].way != w->tasks[b].way ? w->tasks[a].way > w->tasks[b].way : a < b;
}

static inline uint32_t world_stage_live(const struct world *w, uint32_t task)
{
	struct span nodes = world_stage(w, task)->nodes;
	uint32_t count = 0, i;

	for (i = nodes.first; i < nodes.first + nodes.count; i++)
		count += w->tasks[i].is_live;
	return count;
}

static inline bool world_stage_is_full(const struct world *w, uint32_t task)
{
	uint32_t limit = world_stage(w, task)->max_parallel;

	return limit != 0 && world_stage_live(w, task) >= limit;
}

/* -- what must hold --------------------------------------------------------------------------- */

static inline void world_check_room(const struct world *w)
{
	uint64_t cpu = 0, mem = 0, grown;
	uint32_t live = 0, i;

	for (i = 0; i < w->graph->node_count; i++) {
		const struct stage *stage = world_stage(w, i);

		HOLDS(w, w->tasks[i].is_live == (w->tasks[i].state == TASK_RUNNING));
		if (!w->tasks[i].is_live)
			continue;
		live++;
		cpu += stage->cpu_milli < w->config.cpu_milli ? stage->cpu_milli : w->config.cpu_milli;
		grown = (uint64_t)world_scaled(w, i, (double)stage->mem_bytes, stage->retry.scale_mem);
		/* A try that has grown beyond the machine gets all of it. */
		if (stage->mem_bytes <= w->config.mem_bytes && grown > w->config.mem_bytes)
			grown = w->config.mem_bytes;
		mem += grown;
		HOLDS(w, stage->max_parallel == 0 || world_stage_live(w, i) <= stage->max_parallel);
	}
	HOLDS(w, live == w->live && live == w->s.live_count && live <= w->config.jobs);
	HOLDS(w, cpu <= w->config.cpu_milli);
	HOLDS(w, w->config.mem_bytes == 0 || mem <= w->config.mem_bytes || live == 1);
}

/* Nothing is left lying that could run. */
static inline void world_check_work(const struct world *w)
{
	uint32_t i;

	if (w->finished || w->is_draining || w->asked.count > 0 || w->live == w->config.jobs)
		return;
	for (i = 0; i < w->graph->node_count; i++)
		if (world_is_startable(w, i) && (w->is_loose || w->live == 0))
			HOLDS(w, world_stage_is_full(w, i));
}

/* When a live attempt is due for its next signal. */
static inline int64_t world_due(const struct world *w, const struct world_task *t)
{
	switch (t->stage) {
	case 0: return t->deadline;
	case 1:
	case 2: return t->stopped_at + w->config.grace_ms / (t->why == STOP_TIMEOUT ? 1 : 2);
	default: return NEVER;
	}
}

static inline void world_check_times(const struct world *w)
{
	int64_t earliest = NEVER, due;
	uint32_t i;

	for (i = 0; i < w->graph->node_count; i++) {
		const struct world_task *t = &w->tasks[i];

		if (t->is_live) {
			due = world_due(w, t);
			HOLDS(w, w->event->kind != EVENT_TICK || due > w->now || t->stopped_step == w->steps);
			earliest = due < earliest ? due : earliest;
		} else if (world_is_willing(w, i) && world_waits_until(w, i) > w->now && !w->is_draining) {
			due = world_waits_until(w, i);
			earliest = due < earliest ? due : earliest;
		}
	}
	if (!w->finished && w->asked.count == 0)
		HOLDS(w, w->wait_at == earliest);
}

static inline void world_check(const struct world *w)
{
	uint32_t unfinished = 0, i;

	for (i = 0; i < w->graph->node_count; i++)
		unfinished += !task_state_is_end(w->tasks[i].state);
	HOLDS(w, unfinished == w->s.unfinished);
	HOLDS(w, w->asked.count == w->s.settling_count);
	HOLDS(w, w->has_failed == w->s.failed && w->is_cancelled == w->s.cancelled);
	HOLDS(w, w->is_draining == w->s.draining);
	world_check_room(w);
	world_check_work(w);
	world_check_times(w);
	/* A stall: nothing is live, nothing is asked, no time is awaited, and it is not over. */
	HOLDS(w, w->finished || w->live > 0 || w->asked.count > 0 || w->wait_at != NEVER);
}

/* -- actions ---------------------------------------------------------------------------------- */

static inline void world_settle(struct world *w, uint32_t task)
{
	struct world_task *t = &w->tasks[task];

	HOLDS(w, t->state == TASK_PENDING && !t->is_asked);
	HOLDS(w, world_needs_are_done(w, task));
	t->is_asked = true;
	vec_push(&w->asked, task);
}

static inline void world_start(struct world *w, const struct action *a)
{
	struct world_task *t = &w->tasks[a->task];
	const struct stage *stage = world_stage(w, a->task);
	int64_t timeout = (int64_t)world_scaled(
		w, a->task, (double)stage->timeout_ms, stage->retry.scale_timeout);
	uint32_t i;

	HOLDS(w, !w->is_draining && !t->is_live);
	HOLDS(w, world_is_startable(w, a->task));
	HOLDS(w, world_needs_are_done(w, a->task));
	HOLDS(w, a->attempt == t->attempts + 1);
	for (i = 0; i < w->graph->node_count && w->config.jobs == 1 && w->is_loose; i++)
		HOLDS(w, i == a->task || !world_is_startable(w, i) || world_goes_first(w, a->task, i));
	t->attempts++;
	HOLDS(w, t->attempts == 1 + t->retries + t->losses);
	t->is_live = true;
	t->state = TASK_RUNNING;
	t->stage = 0;
	t->deadline = timeout > 0 ? w->now + timeout : NEVER;
	w->live++;
}

static inline void world_stop(struct world *w, const struct action *a)
{
	struct world_task *t = &w->tasks[a->task];
	int stage = a->signal == SIGINT ? 1 : a->signal == SIGTERM ? 2 : a->signal == SIGKILL ? 3 : 0;

	HOLDS(w, t->is_live && stage > t->stage);
	if (w->event->kind == EVENT_CANCEL) {
		HOLDS(w, stage == (w->event->level >= 2 ? 3 : 1));
		HOLDS(w, a->why == (t->stage == 0 ? STOP_CANCEL : t->why));
	} else {
		HOLDS(w, w->event->kind == EVENT_TICK && world_due(w, t) <= w->now);
		HOLDS(w, stage == (t->stage == 0 ? 2 : t->stage + 1));
		HOLDS(w, a->why == (t->stage == 0 ? STOP_TIMEOUT : t->why));
	}
	t->why = a->why;
	t->stopped_at = w->now;
	t->stage = stage;
	t->stopped_step = w->steps;
}

/* May a failure be tried again? A second reading of what dag.yaml says. */
static inline bool world_may_retry(const struct world *w, uint32_t task, const struct event *ev)
{
	static const uint32_t bits[] = { [OUTCOME_ERROR] = RETRY_ERROR, [OUTCOME_SIGNAL] = RETRY_SIGNAL,
		[OUTCOME_TIMEOUT] = RETRY_TIMEOUT, [OUTCOME_OOM] = RETRY_OOM,
		[OUTCOME_MISSING_OUT] = RETRY_MISSING_OUT };
	const struct retry *r = &world_stage(w, task)->retry;
	const struct world_task *t = &w->tasks[task];
	bool is_listed;

	if (w->is_draining || ev->outcome == OUTCOME_UNSTARTABLE)
		return false;
	if (ev->outcome == OUTCOME_LOST)
		return t->losses + 1 < LOST_BUDGET;
	is_listed = (r->on & bits[ev->outcome]) != 0 ||
		    (ev->outcome == OUTCOME_ERROR &&
			    (r->exit_codes[ev->exit_code / 64] & UINT64_C(1) << (ev->exit_code % 64)) != 0);
	return is_listed && t->retries < r->limit;
}

static inline void world_backoff(struct world *w, const struct action *a)
{
	struct world_task *t = &w->tasks[a->task];
	const struct retry *r = &world_stage(w, a->task)->retry;
	double delay = (double)r->delay_ms * pow(r->backoff, t->retries);

	HOLDS(w, w->event->kind == EVENT_ENDED && w->event->task == a->task);
	HOLDS(w, world_may_retry(w, a->task, w->event));
	if (w->event->outcome == OUTCOME_LOST) {
		t->losses++;
		HOLDS(w, a->at_ms == w->now);
	} else {
		t->retries++;
		delay = delay < (double)r->max_delay_ms ? delay : (double)r->max_delay_ms;
		HOLDS(w, (double)(a->at_ms - w->now) <= delay);
		HOLDS(w, (double)(a->at_ms - w->now) >= delay * (1 - r->jitter) - 1);
	}
	t->backoff_until = a->at_ms;
}

static inline void world_failure(struct world *w, uint32_t task)
{
	HOLDS(w, w->event->kind == EVENT_ENDED && w->event->task == task);
	HOLDS(w, w->event->outcome != OUTCOME_SUCCEEDED && w->event->outcome != OUTCOME_CANCELLED);
	HOLDS(w, !world_may_retry(w, task, w->event));
	if ((world_stage(w, task)->flags & STAGE_ALLOW_FAILURE) != 0)
		return;
	w->has_failed = true;
	w->is_draining = w->is_draining || !w->config.keep_going;
}

static inline void world_state(struct world *w, const struct action *a)
{
	struct world_task *t = &w->tasks[a->task];
	const struct event *ev = w->event;
	bool is_mine = ev->task == a->task;

	HOLDS(w, task_move_is_legal(t->state, a->state));
	switch (a->state) {
	case TASK_SUCCEEDED:
		HOLDS(w, is_mine && ev->kind == EVENT_ENDED && ev->outcome == OUTCOME_SUCCEEDED);
		break;
	case TASK_REUSED:
		HOLDS(w, is_mine && ev->kind == EVENT_SETTLED && ev->settled == SETTLED_REUSE);
		break;
	case TASK_BACKOFF: world_backoff(w, a); break;
	case TASK_FAILED: world_failure(w, a->task); break;
	case TASK_BLOCKED:
		if ((is_mine && ev->kind == EVENT_SETTLED && ev->settled == SETTLED_BLOCKED) ||
			(ev->kind == EVENT_BEGIN && w->config.done[a->task] == 2))
			w->has_failed = true;
		else
			HOLDS(w, world_is_below_failure(w, a->task));
		break;
	case TASK_SKIPPED:
		HOLDS(w, w->is_draining || (is_mine && ev->kind == EVENT_ENDED &&
						   ev->outcome == OUTCOME_CANCELLED));
		break;
	case TASK_PENDING:
	case TASK_READY:
	case TASK_RUNNING: HOLDS(w, a->state == TASK_BACKOFF); break; /* these are not told */
	}
	t->state = a->state;
}

static inline void world_finish(struct world *w)
{
	uint32_t i;

	HOLDS(w, !w->finished && w->live == 0);
	for (i = 0; i < w->graph->node_count; i++)
		HOLDS(w, task_state_is_end(w->tasks[i].state));
	w->finished = true;
}

static inline void world_act(struct world *w, const struct action *a)
{
	HOLDS(w, !w->finished);
	switch (a->kind) {
	case ACTION_SETTLE: world_settle(w, a->task); break;
	case ACTION_START: world_start(w, a); break;
	case ACTION_STOP: world_stop(w, a); break;
	case ACTION_STATE: world_state(w, a); break;
	case ACTION_WAIT: w->wait_at = a->at_ms; break;
	case ACTION_FINISH: world_finish(w); break;
	}
}

/* -- events ----------------------------------------------------------------------------------- */

static inline void world_send(struct world *w, const struct event *event)
{
	struct event ev = *event;
	size_t i;

	ev.now_ms = w->now;
	w->event = &ev;
	w->steps++;
	w->out.count = 0;
	w->wait_at = NEVER;
	sched_step(&w->s, &ev, &w->out);
	for (i = 0; i < w->out.count; i++)
		world_act(w, &w->out.items[i]);
	world_check(w);
	w->event = NULL;
}

static inline void world_begin(struct world *w)
{
	world_send(w, &(struct event){ .kind = EVENT_BEGIN, .task = NO_NODE });
}

static inline void world_answer(struct world *w, uint32_t task, enum settled settled)
{
	struct world_task *t = &w->tasks[task];
	size_t i;

	for (i = 0; i < w->asked.count && w->asked.items[i] != task; i++)
		;
	HOLDS(w, i < w->asked.count);
	for (; i + 1 < w->asked.count; i++)
		w->asked.items[i] = w->asked.items[i + 1];
	w->asked.count--;
	t->answer = settled;
	t->is_answered = true;
	if (settled == SETTLED_RUN && t->state == TASK_PENDING)
		t->state = TASK_READY;
	world_send(w, &(struct event){ .kind = EVENT_SETTLED, .task = task, .settled = settled });
}

static inline void world_end(struct world *w, uint32_t task, enum outcome outcome, int exit_code)
{
	struct world_task *t = &w->tasks[task];
	uint32_t attempts = t->attempts;

	HOLDS(w, t->is_live);
	t->is_live = false;
	w->live--;
	world_send(w, &(struct event){ .kind = EVENT_ENDED, .task = task, .outcome = outcome, .exit_code = exit_code });
	HOLDS(w, t->attempts > attempts || t->state != TASK_RUNNING);
	if (outcome == OUTCOME_SUCCEEDED)
		HOLDS(w, t->state == TASK_SUCCEEDED);
}

static inline void world_tick(struct world *w, int64_t now)
{
	w->now = now;
	world_send(w, &(struct event){ .kind = EVENT_TICK, .task = NO_NODE });
}

static inline void world_cancel(struct world *w, int level)
{
	uint32_t i;

	w->is_draining = w->is_cancelled = true;
	world_send(w, &(struct event){ .kind = EVENT_CANCEL, .task = NO_NODE, .level = level });
	for (i = 0; i < w->graph->node_count; i++)
		HOLDS(w, !w->tasks[i].is_live || w->tasks[i].stage >= (level >= 2 ? 3 : 1));
}

/* Every question that is open is answered with RUN. */
static inline void world_run_asked(struct world *w)
{
	while (w->asked.count > 0)
		world_answer(w, w->asked.items[0], SETTLED_RUN);
}

static inline void world_measure(struct world *w)
{
	uint32_t count = w->graph->node_count, depth, i, k;

	for (depth = count + 1; depth-- > 0;) {
		for (i = 0; i < count; i++) {
			struct span after = w->graph->nodes[i].after;
			int64_t longest = 0;

			if (w->graph->nodes[i].depth != depth)
				continue;
			for (k = after.first; k < after.first + after.count; k++)
				if (w->tasks[w->graph->links[k]].way > longest)
					longest = w->tasks[w->graph->links[k]].way;
			w->tasks[i].way = longest + 1 +
					  (w->config.cost_ms != NULL ? w->config.cost_ms[i] : 0);
		}
	}
}

static inline void world_open(struct world *w, const struct graph *g, const struct sched_config *config,
	uint64_t seed)
{
	uint32_t i;

	memset(w, 0, sizeof *w);
	w->config = *config;
	w->config.graph = g;
	w->graph = g;
	w->seed = seed;
	w->wait_at = NEVER;
	w->tasks = mem_zalloc((g->node_count + 1) * sizeof *w->tasks);
	for (i = 0; i < g->node_count; i++)
		if (config->done[i] == 1)
			w->tasks[i].state = TASK_REUSED;
	world_measure(w);
	sched_init(&w->s, &w->config);
}

static inline void world_close(struct world *w)
{
	sched_release(&w->s);
	vec_release(&w->out);
	vec_release(&w->asked);
	free(w->tasks);
}

#endif
