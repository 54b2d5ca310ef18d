#include "run/sched.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "run/priority.h"

#define PASS_LIMIT 64 /* starts that may go past a first in line that does not fit */
#define LOOK_LIMIT 64 /* ready tasks looked at for one that fits */

/* -- the ready heap: longest way first, then the order of dag.yaml ------------------------------------------------- */

static bool goes_first(const struct sched *s, uint32_t a, uint32_t b)
{
	if (s->priority[a] != s->priority[b])
		return s->priority[a] > s->priority[b];
	return a < b;
}

static void heap_push(struct sched *s, uint32_t task)
{
	size_t i;

	vec_push(&s->ready, task);
	for (i = s->ready.count - 1; i > 0 && goes_first(s, task, s->ready.items[(i - 1) / 2]);
		i = (i - 1) / 2)
		s->ready.items[i] = s->ready.items[(i - 1) / 2];
	s->ready.items[i] = task;
}

static uint32_t heap_pop(struct sched *s)
{
	uint32_t top = s->ready.items[0], last = s->ready.items[--s->ready.count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < s->ready.count) {
		if (child + 1 < s->ready.count &&
			goes_first(s, s->ready.items[child + 1], s->ready.items[child]))
			child++;
		if (!goes_first(s, s->ready.items[child], last))
			break;
		s->ready.items[i] = s->ready.items[child];
		i = child;
	}
	if (s->ready.count > 0)
		s->ready.items[i] = last;
	return top;
}

/* -- moves ----------------------------------------------------------------------------------------------------------- */

static void act(struct actions *out, struct action action)
{
	vec_push(out, action);
}

static void move_to(
	struct sched *s, uint32_t task, enum task_state state, int64_t at_ms, struct actions *out)
{
	assert(task_move_is_legal((enum task_state)s->state[task], state));
	s->state[task] = (uint8_t)state;
	if (task_state_is_end(state))
		s->unfinished--;
	if (state != TASK_READY)
		act(out, (struct action){ .kind = ACTION_STATE,
				 .task = task,
				 .state = state,
				 .at_ms = at_ms });
}

static void settle(struct sched *s, uint32_t task, struct actions *out)
{
	s->settling[task] = 1;
	s->settling_count++;
	act(out, (struct action){ .kind = ACTION_SETTLE, .task = task });
}

/* Tell the readers of a task that it is done. */
static void release_readers(struct sched *s, uint32_t task, struct actions *out)
{
	const struct graph *g = s->config.graph;
	struct span after = g->nodes[task].after;
	uint32_t i;

	for (i = 0; i < after.count; i++) {
		uint32_t reader = g->links[after.first + i];

		assert(s->waits_for[reader] > 0);
		if (--s->waits_for[reader] == 0 && s->state[reader] == TASK_PENDING &&
			!s->settling[reader])
			settle(s, reader, out);
	}
}

/* Does an out of the producer lie at, in or above this path? */
static bool makes_part_of(const struct graph *g, uint32_t producer, const char *path)
{
	struct span outs = g->nodes[producer].outs;
	uint32_t i;

	for (i = 0; i < outs.count; i++) {
		const char *out = graph_text(g, g->outs[outs.first + i].path);

		if (path_is_inside(out, path) || path_is_inside(path, out))
			return true;
	}
	return false;
}

static bool reads_from(const struct graph *g, uint32_t reader, uint32_t producer)
{
	struct span deps = g->nodes[reader].deps;
	uint32_t i;

	for (i = 0; i < deps.count; i++) {
		const struct dep *d = &g->deps[deps.first + i];

		if (d->producer == producer)
			return true;
		/* A folder that several tasks write into names only the first of them. */
		if (d->producer != NO_NODE && d->out == NO_OUT &&
			makes_part_of(g, producer, graph_text(g, d->path)))
			return true;
	}
	return false;
}

/* Everything that needs `task` cannot run. Iterative: a graph may be a million tasks deep. */
static void block_readers(struct sched *s, uint32_t task, struct actions *out)
{
	const struct graph *g = s->config.graph;

	s->scratch.count = 0;
	vec_push(&s->scratch, task);
	while (s->scratch.count > 0) {
		uint32_t at = s->scratch.items[--s->scratch.count], i;
		struct span after = g->nodes[at].after;

		for (i = 0; i < after.count; i++) {
			uint32_t reader = g->links[after.first + i];

			if (s->state[reader] != TASK_PENDING)
				continue;
			move_to(s, reader, TASK_BLOCKED, 0, out);
			vec_push(&s->scratch, reader);
		}
	}
}

/* A task that may fail: who only waits for it goes on, who reads what it should have made is blocked. */
static void forgive(struct sched *s, uint32_t task, struct actions *out)
{
	const struct graph *g = s->config.graph;
	struct span after = g->nodes[task].after;
	uint32_t i;

	for (i = 0; i < after.count; i++) {
		uint32_t reader = g->links[after.first + i];

		if (s->state[reader] == TASK_PENDING && reads_from(g, reader, task)) {
			move_to(s, reader, TASK_BLOCKED, 0, out);
			block_readers(s, reader, out);
		}
	}
	release_readers(s, task, out);
}

static void fail(struct sched *s, uint32_t task, struct actions *out)
{
	move_to(s, task, TASK_FAILED, 0, out);
	if ((node_stage(s->config.graph, task)->flags & STAGE_ALLOW_FAILURE) != 0) {
		forgive(s, task, out);
		return;
	}
	s->failed = true;
	if (!s->config.keep_going)
		s->draining = true;
	block_readers(s, task, out);
}

/* -- starting -------------------------------------------------------------------------------------------------------- */

static uint32_t stage_live(const struct sched *s, uint32_t stage)
{
	uint32_t count = 0, i;

	for (i = 0; i < s->live_count; i++)
		count += s->config.graph->nodes[s->live[i].task].stage == stage;
	return count;
}

static uint32_t cpu_of(const struct sched *s, const struct stage *stage)
{
	return stage->cpu_milli < s->config.cpu_milli ? stage->cpu_milli : s->config.cpu_milli;
}

uint64_t sched_mem(const struct sched *s, uint32_t task)
{
	const struct stage *stage = node_stage(s->config.graph, task);
	uint64_t mem = (uint64_t)retry_scaled(
		(int64_t)stage->mem_bytes, stage->retry.scale_mem, s->retries[task]);

	return s->config.mem_bytes != 0 && mem > s->config.mem_bytes && stage->mem_bytes <= s->config.mem_bytes
		       ? s->config.mem_bytes
		       : mem;
}

int64_t sched_timeout_ms(const struct sched *s, uint32_t task)
{
	const struct stage *stage = node_stage(s->config.graph, task);

	return retry_scaled(stage->timeout_ms, stage->retry.scale_timeout, s->retries[task]);
}

static bool fits(const struct sched *s, uint32_t task)
{
	const struct stage *stage = node_stage(s->config.graph, task);
	uint64_t cpu = cpu_of(s, stage), mem = sched_mem(s, task);
	uint32_t i;

	for (i = 0; i < s->live_count; i++) {
		const struct stage *other = node_stage(s->config.graph, s->live[i].task);

		cpu += cpu_of(s, other);
		mem += sched_mem(s, s->live[i].task);
	}
	if (cpu > s->config.cpu_milli)
		return false;
	return s->config.mem_bytes == 0 || mem <= s->config.mem_bytes || s->live_count == 0;
}

static bool is_full(const struct sched *s, uint32_t stage)
{
	uint32_t limit = s->config.graph->stages[stage].max_parallel;

	return limit != 0 && stage_live(s, stage) >= limit;
}

/* Instances of a full stage wait apart, in order, so that they neither hold back the others nor have to be looked at. */
static void park(struct sched *s, uint32_t task)
{
	struct parked *p = &s->parked[s->config.graph->nodes[task].stage];

	s->next_parked[task] = NO_NODE;
	if (p->first == NO_NODE)
		p->first = task;
	else
		s->next_parked[p->last] = task;
	p->last = task;
}

/* An attempt of the stage has ended: room for one more. */
static void unpark(struct sched *s, uint32_t stage)
{
	struct parked *p = &s->parked[stage];
	uint32_t task = p->first;

	if (task == NO_NODE)
		return;
	p->first = s->next_parked[task];
	heap_push(s, task);
}

static void start(struct sched *s, uint32_t task, int64_t now_ms, struct actions *out)
{
	int64_t timeout_ms = sched_timeout_ms(s, task);

	s->attempts[task]++;
	s->live[s->live_count++] = (struct live){ .task = task,
		.deadline_ms = timeout_ms > 0 ? now_ms + timeout_ms : INT64_MAX,
		.stop_at_ms = INT64_MAX };
	s->state[task] = TASK_RUNNING;
	act(out, (struct action){
			 .kind = ACTION_START, .task = task, .attempt = s->attempts[task] });
}

/* Start what fits, in order; what does not fit is put back. */
static void start_ready(struct sched *s, int64_t now_ms, struct actions *out)
{
	size_t i;

	s->scratch.count = 0;
	while (!s->draining && s->live_count < s->config.jobs && s->ready.count > 0 &&
		s->scratch.count < LOOK_LIMIT) {
		uint32_t task = heap_pop(s);
		bool first = s->scratch.count == 0;

		if (is_full(s, s->config.graph->nodes[task].stage)) {
			park(s, task);
			continue;
		}
		if (!fits(s, task)) {
			vec_push(&s->scratch, task);
			if (s->passed_over >= PASS_LIMIT)
				break;
			continue;
		}
		s->passed_over = first ? 0 : s->passed_over + 1;
		start(s, task, now_ms, out);
	}
	for (i = 0; i < s->scratch.count; i++)
		heap_push(s, s->scratch.items[i]);
}

/* -- events ---------------------------------------------------------------------------------------------------------- */

static void begin(struct sched *s, struct actions *out)
{
	const struct graph *g = s->config.graph;
	uint32_t i;

	for (i = 0; i < g->node_count; i++)
		if (s->config.done[i] == 2) {
			move_to(s, i, TASK_BLOCKED, 0, out);
			s->failed = true;
		}
	for (i = 0; i < g->node_count; i++)
		if (s->config.done[i] == 2)
			block_readers(s, i, out);
	for (i = 0; i < g->node_count; i++)
		if (s->state[i] == TASK_PENDING && s->waits_for[i] == 0)
			settle(s, i, out);
}

static void settled(struct sched *s, const struct event *ev, struct actions *out)
{
	uint32_t task = ev->task;

	assert(s->settling[task]);
	s->settling[task] = 0;
	s->settling_count--;
	if (s->state[task] != TASK_PENDING)
		return;
	if (ev->settled == SETTLED_REUSE) {
		move_to(s, task, TASK_REUSED, 0, out);
		release_readers(s, task, out);
	} else if (ev->settled == SETTLED_BLOCKED) {
		move_to(s, task, TASK_BLOCKED, 0, out);
		s->failed = true;
		block_readers(s, task, out);
	} else {
		move_to(s, task, TASK_READY, 0, out);
		if (s->config.not_before_ms != NULL && s->config.not_before_ms[task] > ev->now_ms) {
			s->not_before[task] = s->config.not_before_ms[task];
			vec_push(&s->backoff, task);
		} else {
			heap_push(s, task);
		}
	}
}

static double draw(struct sched *s)
{
	s->random = s->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(s->random >> 11) / 9007199254740992.0;
}

/* A failed attempt: again, at once or later, or never. */
static void retry_or_fail(struct sched *s, const struct event *ev, struct actions *out)
{
	const struct retry *r = &node_stage(s->config.graph, ev->task)->retry;
	uint32_t task = ev->task;
	int64_t at_ms = ev->now_ms;

	if (ev->outcome == OUTCOME_LOST)
		s->losses[task]++;
	if (s->draining ||
		!retry_allows(r, ev->outcome, ev->exit_code, s->retries[task], s->losses[task])) {
		fail(s, task, out);
		return;
	}
	if (ev->outcome != OUTCOME_LOST) {
		s->retries[task]++;
		at_ms += retry_delay_ms(r, s->retries[task], draw(s));
	}
	s->not_before[task] = at_ms;
	vec_push(&s->backoff, task);
	move_to(s, task, TASK_BACKOFF, at_ms, out);
}

static void ended(struct sched *s, const struct event *ev, struct actions *out)
{
	uint32_t i;

	for (i = 0; i < s->live_count && s->live[i].task != ev->task; i++)
		;
	assert(i < s->live_count);
	s->live[i] = s->live[--s->live_count];
	unpark(s, s->config.graph->nodes[ev->task].stage);
	if (ev->outcome == OUTCOME_SUCCEEDED) {
		move_to(s, ev->task, TASK_SUCCEEDED, 0, out);
		release_readers(s, ev->task, out);
	} else if (ev->outcome == OUTCOME_CANCELLED) {
		move_to(s, ev->task, TASK_SKIPPED, 0, out);
	} else {
		retry_or_fail(s, ev, out);
	}
}

/* The next, stronger signal to an attempt that is to end. */
static void stop(struct sched *s, struct live *l, int stage, int64_t now_ms, struct actions *out)
{
	static const int signals[] = { 0, SIGINT, SIGTERM, SIGKILL };

	int64_t grace_ms = s->config.grace_ms;

	if (l->why == STOP_CANCEL) /* is asked twice: INT, then TERM at half of it */
		grace_ms /= 2;
	l->stage = stage;
	l->stop_at_ms = stage < 3 ? now_ms + grace_ms : INT64_MAX;
	act(out, (struct action){ .kind = ACTION_STOP,
			 .task = l->task,
			 .signal = signals[stage],
			 .why = l->why });
}

static void cancel(struct sched *s, const struct event *ev, struct actions *out)
{
	size_t i;

	s->draining = s->cancelled = true;
	for (i = 0; i < s->live_count; i++) {
		struct live *l = &s->live[i];

		if (l->stage == 0)
			l->why = STOP_CANCEL;
		if (ev->level >= 2 && l->stage < 3)
			stop(s, l, 3, ev->now_ms, out);
		else if (l->stage == 0)
			stop(s, l, 1, ev->now_ms, out);
	}
	for (i = 0; i < s->backoff.count; i++)
		move_to(s, s->backoff.items[i], TASK_SKIPPED, 0, out);
	s->backoff.count = 0;
}

static void watch_live(struct sched *s, int64_t now_ms, struct actions *out)
{
	uint32_t i;

	for (i = 0; i < s->live_count; i++) {
		struct live *l = &s->live[i];

		if (l->stage > 0 && now_ms >= l->stop_at_ms) {
			stop(s, l, l->stage + 1, now_ms, out);
		} else if (l->stage == 0 && now_ms >= l->deadline_ms) {
			l->why = STOP_TIMEOUT;
			stop(s, l, 2, now_ms, out);
		}
	}
}

static void watch_backoff(struct sched *s, int64_t now_ms)
{
	size_t i = 0;

	while (i < s->backoff.count) {
		uint32_t task = s->backoff.items[i];

		if (now_ms < s->not_before[task] || s->draining) {
			i++;
			continue;
		}
		s->backoff.items[i] = s->backoff.items[--s->backoff.count];
		heap_push(s, task); /* still BACKOFF until it starts */
	}
}

static int64_t next_time(const struct sched *s)
{
	int64_t at = INT64_MAX;
	size_t i;

	for (i = 0; i < s->live_count; i++) {
		const struct live *l = &s->live[i];
		int64_t due = l->stage > 0 ? l->stop_at_ms : l->deadline_ms;

		at = due < at ? due : at;
	}
	for (i = 0; i < s->backoff.count && !s->draining; i++)
		if (s->not_before[s->backoff.items[i]] < at)
			at = s->not_before[s->backoff.items[i]];
	return at;
}

/* Whatever was not started when the run ends early is skipped: the next run takes it up. */
static void finish(struct sched *s, struct actions *out)
{
	uint32_t i;

	for (i = 0; i < s->config.graph->node_count; i++)
		if (!task_state_is_end((enum task_state)s->state[i]) && s->state[i] != TASK_RUNNING)
			move_to(s, i, TASK_SKIPPED, 0, out);
	s->finished = true;
	act(out, (struct action){ .kind = ACTION_FINISH });
}

void sched_step(struct sched *s, const struct event *ev, struct actions *out)
{
	int64_t at;

	assert(!s->finished);
	switch (ev->kind) {
	case EVENT_BEGIN: begin(s, out); break;
	case EVENT_SETTLED: settled(s, ev, out); break;
	case EVENT_ENDED: ended(s, ev, out); break;
	case EVENT_CANCEL: cancel(s, ev, out); break;
	case EVENT_TICK: watch_live(s, ev->now_ms, out); break;
	}
	watch_backoff(s, ev->now_ms);
	if (s->settling_count > 0)
		return; /* the answers come in the same turn: start in the right order */
	start_ready(s, ev->now_ms, out);
	if (s->live_count == 0 && (s->unfinished == 0 || s->draining)) {
		finish(s, out);
		return;
	}
	at = next_time(s);
	if (at != INT64_MAX)
		act(out, (struct action){ .kind = ACTION_WAIT, .at_ms = at });
}

/* -- life ------------------------------------------------------------------------------------------------------------ */

static void count_waits(struct sched *s)
{
	const struct graph *g = s->config.graph;
	uint32_t i, k;

	for (i = 0; i < g->node_count; i++) {
		struct span before = g->nodes[i].before;

		if (s->config.done[i] == 1) {
			s->state[i] = TASK_REUSED;
			s->unfinished--;
		}
		for (k = 0; k < before.count; k++)
			s->waits_for[i] += s->config.done[g->links[before.first + k]] != 1;
	}
}

void sched_init(struct sched *s, const struct sched_config *config)
{
	size_t n = config->graph->node_count + 1, i;

	memset(s, 0, sizeof *s);
	s->config = *config;
	s->state = mem_zalloc(n);
	s->settling = mem_zalloc(n);
	s->losses = mem_zalloc(n);
	s->attempts = mem_zalloc(n * sizeof *s->attempts);
	s->retries = mem_zalloc(n * sizeof *s->retries);
	s->waits_for = mem_zalloc(n * sizeof *s->waits_for);
	s->priority = mem_zalloc(n * sizeof *s->priority);
	s->not_before = mem_zalloc(n * sizeof *s->not_before);
	s->live = mem_zalloc(config->jobs * sizeof *s->live);
	s->next_parked = mem_alloc(n * sizeof *s->next_parked);
	s->parked = mem_alloc((config->graph->stage_count + 1) * sizeof *s->parked);
	for (i = 0; i < config->graph->stage_count; i++)
		s->parked[i] = (struct parked){ NO_NODE, NO_NODE };
	s->unfinished = config->graph->node_count;
	s->random = config->seed;
	priorities_set(config->graph, config->cost_ms, s->priority);
	count_waits(s);
}

void sched_release(struct sched *s)
{
	free(s->state);
	free(s->settling);
	free(s->losses);
	free(s->attempts);
	free(s->retries);
	free(s->waits_for);
	free(s->priority);
	free(s->not_before);
	free(s->live);
	free(s->next_parked);
	free(s->parked);
	vec_release(&s->ready);
	vec_release(&s->backoff);
	vec_release(&s->scratch);
	memset(s, 0, sizeof *s);
}
