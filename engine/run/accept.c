#include "run/accept.h"

#include <poll.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "plan/key.h"
#include "run/engine.h"
#include "run/session.h"
#include "run/sources.h"
#include "store/journal.h"
#include "store/runs.h"
#include "store/source.h"
#include "store/tasks.h"

/* What the journal's writers want to know of a run. */
static struct engine engine_for(struct acceptance *a)
{
	return (struct engine){
		.s = a->session, .graph = &a->session->graph, .result = &a->result, .run = a->run
	};
}

/* The commit of today, whose code makes the key of today. */
static int record_commit(struct engine *n, struct err *e)
{
	struct source_answer answer = {
		.commit = "", .branch = "", .patch = "", .note = "git did not say"
	};
	int64_t until = clock_mono_ms() + SOURCES_WAIT_MS;
	struct source source = { .fd = -1, .pid = -1 };
	struct err unknown;
	int rc = sources_ask(n->s, &source, &unknown);

	while (rc == 0 && clock_mono_ms() < until) {
		struct pollfd ready = { .fd = source.fd, .events = POLLIN };

		(void)poll(&ready, 1, 1000);
		rc = source_read(&source, &answer, &n->arena, &unknown);
	}
	source_close(&source);
	rc = record_source(n, &answer, true, e);
	source_answer_release(&answer);
	return rc;
}

int accept_begin(struct acceptance *a, struct session *s, struct err *e)
{
	struct engine n;
	int rc;

	*a = (struct acceptance){ .session = s };
	n = engine_for(a);
	uuid7(clock_wall_ms(), a->result.uuid);
	rc = secrets_open(&n.secrets, s, false, e);
	if (rc == 0)
		rc = record_run(&n, e);
	a->run = n.run;
	if (rc == 0)
		rc = journal_run_cause(&s->db, n.run, "accept", e);
	if (rc == 0)
		rc = record_commit(&n, e);
	secrets_release(&n.secrets);
	buf_release(&n.scratch);
	arena_release(&n.arena);
	return rc;
}

static int refuse(struct acceptance *a, uint32_t node, const char *why, const char *hint, struct err *e)
{
	err_set(e, ERR_USAGE, "`%s` %s", node_name(&a->session->graph, node), why);
	return err_hint(e, "%s", hint);
}

/* Is it a change of its components that makes it run, and are its outs still the same ones? */
static int check_choice(struct acceptance *a, uint32_t node, struct err *e)
{
	static const enum reason acceptable[] = { REASON_INPUT_CHANGED, REASON_INPUT_ADDED,
		REASON_INPUT_REMOVED, REASON_PARAM_CHANGED, REASON_CODE_CHANGED,
		REASON_PLUGIN_CHANGED, REASON_ENV_CHANGED, REASON_WITH_CHANGED };
	const struct choice *c = &a->session->plan.choices[node];
	size_t i;

	if (c->verdict == VERDICT_REUSE)
		return refuse(a, node, "is cached: there is nothing to accept",
			"`flow explain TASK` says why", e);
	if (c->verdict != VERDICT_RUN || !c->keyed)
		return refuse(a, node, "waits for tasks that come before it",
			"run or accept those first", e);
	for (i = 0; i < sizeof acceptable / sizeof *acceptable; i++)
		if (c->reason == acceptable[i])
			return 0;
	return refuse(a, node, "has no earlier success that it differs from only in code or values",
		"`flow explain TASK` says why it runs", e);
}

/* Can each out be had, from the work tree or from the store? */
static int check_outs(struct acceptance *a, uint32_t node, const struct record *r, struct err *e)
{
	const struct past *past = &a->session->history.past;
	const struct graph *g = &a->session->graph;
	const struct node *n = &g->nodes[node];
	uint32_t i;

	for (i = 0; i < r->out_count; i++) {
		const char *path = graph_text(g, g->outs[n->outs.first + i].path);

		if ((r->outs[i].mode & MADE_ABSENT) != 0 ||
			past->presence(past->user, path, &r->outs[i]) == PRESENT_SAME ||
			past->stored(past->user, &r->outs[i]))
			continue;
		err_set(e, ERR_USAGE, "the out `%s` of `%s` is gone, and not in the store", path,
			node_name(g, node));
		return err_hint(e, "run the task");
	}
	return 0;
}

/* The success whose outs are kept; NULL: its outs were others. */
static const struct record *kept_record(struct acceptance *a, uint32_t node)
{
	struct session *s = a->session;
	const struct record *near = s->plan.choices[node].past;
	const void *then;
	size_t len;
	struct err e;

	if (s->history.past.parts(&s->history, near->attempt, &then, &len, &e) < 0 ||
		!parts_same_outs(then, len, buf_text(&s->plan.parts), s->plan.parts.len))
		return NULL;
	return s->history.past.by_key(&s->history, &near->key, s->graph.nodes[node].outs.count);
}

static int record_kept(struct acceptance *a, uint32_t node, const struct record *r,
	const struct kept_outs *kept, struct err *e)
{
	struct session *s = a->session;
	const char *task = node_name(&s->graph, node);
	struct attempt_accept row = { .run = a->run,
		.task = task,
		.key = s->plan.choices[node].key,
		.parts = &s->plan.parts,
		.kept = r->attempt };
	const char *why = arena_printf(
		&s->plan.arena, "accepted: %s; outs of run %s kept", kept->change, kept->run);
	int64_t id;

	if (journal_task_new(&s->db, a->run, task, "accepted", why, e) < 0 ||
		journal_attempt_accept(&s->db, &row, &id, e) < 0 ||
		journal_task_state(&s->db, a->run, task, "REUSED", id, e) < 0)
		return e->code;
	return journal_latest(
		&s->db, task, id, &row.key, r->outs, r->out_count, r->took_ms, e);
}

/* The run in which the outs were made: an acceptance made none. */
static int run_of(struct session *s, int64_t id, struct run_record *run, struct err *e)
{
	struct attempt_record attempt;

	if (attempt_get(&s->db, id, &s->arena, &attempt, e) < 0)
		return e->code;
	if (attempt.accepted != 0 &&
		attempt_get(&s->db, attempt.accepted, &s->arena, &attempt, e) < 0)
		return e->code;
	return run_get(&s->db, attempt.run, &s->arena, run, e);
}

int accept_task(struct acceptance *a, uint32_t node, struct kept_outs *kept, struct err *e)
{
	struct session *s = a->session;
	struct plan *plan = &s->plan;
	const struct record *r;
	struct run_record run;

	/* What it waited for may have been accepted a moment ago. */
	if (plan_settle(plan, node, e) < 0 || check_choice(a, node, e) < 0)
		return e->code;
	r = kept_record(a, node);
	if (r == NULL)
		return refuse(a, node, "declares other outs than the success it would keep",
			"run the task", e);
	if (check_outs(a, node, r, e) < 0 || run_of(s, r->attempt, &run, e) < 0)
		return e->code;
	kept->change = choice_text(plan, &plan->choices[node]);
	kept->run = arena_strdup(&plan->arena, run.name);
	if (record_kept(a, node, r, kept, e) < 0)
		return e->code;
	plan_made(plan, node, r->outs);
	a->count++;
	return 0;
}

/* The run has what a `flow run` would have found to be reused, so that one can compare it with others. */
static int record_rest(struct acceptance *a, struct err *e)
{
	struct {
		int64_t *items;
		size_t count, cap;
	} reused = { 0 };
	struct plan *plan = &a->session->plan;
	uint32_t i;
	int rc = 0;

	for (i = 0; i < plan->graph->node_count && rc == 0; i++) {
		struct choice *c = &plan->choices[i];

		if (c->verdict == VERDICT_MAYBE)
			rc = plan_settle(plan, i, e);
		if (c->verdict == VERDICT_REUSE && c->reason == REASON_SAME_KEY && c->past != NULL)
			vec_push(&reused, c->past->attempt);
	}
	a->result.reused = a->count + (uint32_t)reused.count;
	if (rc == 0)
		rc = journal_run_reuse(&a->session->db, a->run, reused.items, reused.count, e);
	vec_release(&reused);
	return rc;
}

int accept_end(struct acceptance *a, struct err *e)
{
	struct engine n = engine_for(a);

	if (record_rest(a, e) < 0 || record_end(&n, "SUCCEEDED", e) < 0)
		return e->code;
	return db_commit(&a->session->db, e);
}

void accept_drop(struct acceptance *a)
{
	db_rollback(&a->session->db);
}
