/*
 * Settling: the producers of a task are done, so what its plan left open can be decided now.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "dag/graph.h"
#include "run/engine.h"
#include "run/session.h"
#include "store/journal.h"

static int restore_outs(struct engine *n, uint32_t node, const char **failed, struct err *e)
{
	struct choice *c = &n->s->plan.choices[node];
	struct span outs = n->graph->nodes[node].outs;
	struct session *s = n->s;
	uint32_t i;

	for (i = 0; i < outs.count && c->past != NULL; i++) {
		const char *path = graph_text(n->graph, n->graph->outs[outs.first + i].path);
		const struct made *want = &c->past->outs[i];
		struct stat_id id;

		if ((want->mode & MADE_ABSENT) != 0 ||
			s->history.past.presence(&s->history, path, want) == PRESENT_SAME)
			continue;
		*failed = path;
		if (object_restore(&s->history.objects, want, path, &id, e) < 0)
			return e->code;
		if ((want->mode & MADE_FOLDER) != 0)
			stats_forget(&s->stats, path);
		else
			stats_note(&s->stats, path, &id, &want->digest);
	}
	if (c->past != NULL)
		plan_made(&s->plan, node, c->past->outs);
	return 0;
}

/* Reused: bring back what is not there. An object that turns out to be damaged makes the task run instead. */
static int settle_reuse(struct engine *n, uint32_t node, enum settled *answer, struct err *e)
{
	struct choice *c = &n->s->plan.choices[node];
	const char *failed = "";

	*answer = SETTLED_REUSE;
	if (!c->restore)
		return 0;
	if (FAILPOINT("settle.restore", e) == 0 && restore_outs(n, node, &failed, e) == 0) {
		c->restored = true;
		return 0;
	}
	if (e->code == ERR_SYSTEM)
		return e->code;
	c->verdict = VERDICT_RUN;
	c->reason = e->code == ERR_CORRUPT ? REASON_OUTPUT_DAMAGED : REASON_OUTPUT_MISSING;
	c->name = e->code == ERR_CORRUPT ? "" : failed;
	*answer = SETTLED_RUN;
	return 0;
}

/* Somebody wrote into a hard link: out of the store with it, before the task makes the same object again. */
static void put_aside(struct engine *n, const struct choice *c)
{
	uint32_t i;

	for (i = 0; c->past != NULL && i < c->past->out_count; i++)
		(void)object_check(&n->s->history.objects, &c->past->outs[i]);
}

int engine_settle(struct engine *n, uint32_t node, struct err *e)
{
	struct choice *c = &n->s->plan.choices[node];
	struct event event = { .kind = EVENT_SETTLED, .task = node, .settled = SETTLED_RUN };
	enum reason reason = (enum reason)c->reason;
	const char *name = c->name;
	bool planned = (c->verdict == VERDICT_REUSE && !c->waits) ||
		       (c->verdict == VERDICT_RUN && c->keyed);

	if (!planned && plan_settle(&n->s->plan, node, e) < 0)
		return e->code;
	if (c->verdict == VERDICT_RUN && c->reason == REASON_OUTPUT_DAMAGED)
		put_aside(n, c);
	if (c->verdict == VERDICT_BLOCKED)
		event.settled = SETTLED_BLOCKED;
	else if (c->verdict == VERDICT_REUSE && settle_reuse(n, node, &event.settled, e) < 0)
		return e->code;
	if (reason != (enum reason)c->reason || strcmp(name, c->name) != 0) {
		if (engine_writes(n, e) < 0 ||
			journal_task_why(&n->s->db, n->run, node_name(n->graph, node),
				reason_name((enum reason)c->reason), choice_text(&n->s->plan, c),
				e) < 0)
			return e->code;
	}
	if (event.settled == SETTLED_RUN && n->sched.config.not_before_ms[node] > clock_mono_ms())
		engine_tell(n, &(struct told){ .kind = TOLD_WAITING, .task = node, .text = "",
					.at_ms = n->sched.config.not_before_ms[node] });
	engine_step(n, event);
	return 0;
}
