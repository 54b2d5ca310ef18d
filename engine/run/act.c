/*
 * What the scheduler has decided is done: counted, recorded, told, and given to the files that know how.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "run/engine.h"
#include "run/session.h"
#include "run/state.h"
#include "store/journal.h"

static void count_state(struct engine *n, const struct action *a)
{
	struct run_result *r = n->result;
	const struct choice *c = &n->s->plan.choices[a->task];
	struct told t = { .task = a->task, .text = "" };

	switch (a->state) {
	case TASK_SUCCEEDED: r->ran++; return;
	case TASK_FAILED: r->failed++; return;
	case TASK_REUSED:
		r->reused++;
		if (c->past != NULL)
			r->saved_ms += c->past->took_ms;
		t.kind = TOLD_REUSED;
		vec_push(&n->reused, a->task);
		break;
	case TASK_BLOCKED:
		r->blocked++;
		t.kind = TOLD_BLOCKED;
		break;
	case TASK_SKIPPED:
		r->skipped++;
		t.kind = TOLD_SKIPPED;
		break;
	case TASK_PENDING:
	case TASK_READY:
	case TASK_RUNNING:
	case TASK_BACKOFF: return;
	}
	t.text = choice_text(&n->s->plan, c);
	engine_tell(n, &t);
}

static int set_state(struct engine *n, const struct action *a, struct err *e)
{
	const struct choice *c = &n->s->plan.choices[a->task];
	int64_t attempt = a->state == TASK_REUSED && c->past != NULL ? c->past->attempt : 0;

	count_state(n, a);
	if (a->state == TASK_SUCCEEDED)
		return 0; /* recorded with the attempt's own success */
	if (engine_writes(n, e) < 0)
		return e->code;
	if (a->state == TASK_BACKOFF &&
		journal_task_not_before(&n->s->db, n->run, node_name(n->graph, a->task),
			clock_wall_ms() + a->at_ms - clock_mono_ms(), e) < 0)
		return e->code;
	return journal_task_state(&n->s->db, n->run, node_name(n->graph, a->task),
		task_state_name(a->state), attempt, e);
}

static int do_action(struct engine *n, const struct action *a, struct err *e)
{
	switch (a->kind) {
	case ACTION_SETTLE: return engine_settle(n, a->task, e);
	case ACTION_START: return attempt_prepare(n, a->task, a->attempt, e);
	case ACTION_STOP: return attempt_stop(n, a->task, a->signal, a->why, e);
	case ACTION_STATE: return set_state(n, a, e);
	case ACTION_WAIT: n->wait_ms = a->at_ms; return 0;
	case ACTION_FINISH: n->finished = true; return 0;
	}
	return 0;
}

/* Doing an action may add further ones. */
int engine_act(struct engine *n, struct err *e)
{
	for (; n->acted < n->actions.count; n->acted++) {
		struct action a = n->actions.items[n->acted];

		if (do_action(n, &a, e) < 0)
			return e->code;
	}
	n->actions.count = n->acted = 0;
	return 0;
}
