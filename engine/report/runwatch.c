#include "report/runwatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "store/db.h"

int runwatch_open(struct runwatch *w, struct db *db, const struct project *p, const struct run_record *run, struct err *e)
{
	*w = (struct runwatch){ .db = db, .project = p, .run = *run, .last_seen = -1 };
	w->alive = run_is_alive(p, run);
	return db_query(db, "PRAGMA data_version", &w->version, e);
}

void runwatch_close(struct runwatch *w)
{
	db_finish(w->version);
	vec_release(&w->were_open);
	w->version = NULL;
}

bool runwatch_is_over(const struct runwatch *w)
{
	return w->run.ended_ms != 0 || !w->alive;
}

uint32_t runwatch_total(const struct runwatch *w)
{
	uint32_t total = 0;
	size_t i;

	for (i = 0; i < COUNT_OF_ALL; i++)
		total += w->count[i];
	return total;
}

int runwatch_news(struct runwatch *w, struct err *e)
{
	int64_t version = w->version_seen;
	bool alive = run_is_alive(w->project, &w->run);
	int rc = db_step(w->db, w->version, e);

	if (rc > 0)
		version = db_int(w->version, 0);
	db_reset(w->version);
	if (rc < 0)
		return rc;
	rc = version != w->version_seen || alive != w->alive;
	w->version_seen = version;
	w->alive = alive; /* asked before the look, which so sees all that the process has written */
	return rc;
}

static int count_tasks(struct runwatch *w, struct err *e)
{
	static const struct {
		const char *state;
		enum runwatch_count count;
	} states[] = { { "SUCCEEDED", COUNT_RAN }, { "REUSED", COUNT_CACHED },
		{ "FAILED", COUNT_FAILED }, { "RUNNING", COUNT_RUNNING },
		{ "PENDING", COUNT_WAITING }, { "READY", COUNT_WAITING },
		{ "BACKOFF", COUNT_BACKOFF }, { "BLOCKED", COUNT_BLOCKED },
		{ "SKIPPED", COUNT_SKIPPED } };
	struct sqlite3_stmt *s = NULL;
	size_t i;
	int rc = db_query(
		w->db, "SELECT state, count(*) FROM task WHERE run = ? GROUP BY state", &s, e);

	memset(w->count, 0, sizeof w->count);
	if (rc == 0)
		db_bind_int(s, 1, w->run.id);
	while (rc == 0 && (rc = db_step(w->db, s, e)) > 0) {
		for (i = 0; i < sizeof states / sizeof *states; i++)
			if (strcmp(db_text(s, 0), states[i].state) == 0)
				w->count[states[i].count] += (uint32_t)db_int(s, 1);
		rc = 0;
	}
	db_finish(s);
	return rc;
}

/* The list of what was reused as planned may be long, and hardly ever changes. */
static int count_planned(struct runwatch *w, struct arena *a, struct err *e)
{
	uint32_t rows = w->count[COUNT_RAN] + w->count[COUNT_CACHED];
	struct id_list outs = { 0 };

	if (digest_same(&w->reuse, &w->run.reuse))
		return 0;
	if (outs_of_run(w->db, &w->run, a, &outs, e) < 0)
		return e->code;
	w->planned = outs.count > rows ? (uint32_t)(outs.count - rows) : 0;
	w->reuse = w->run.reuse;
	return 0;
}

static int usual_ms(struct runwatch *w, const char *task, int64_t *ms, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(w->db, "SELECT took_ms FROM latest WHERE task = ?", &s, e);

	if (rc == 0) {
		db_bind_text(s, 1, task);
		rc = db_step(w->db, s, e);
	}
	*ms = rc > 0 ? db_int(s, 0) : 0;
	db_finish(s);
	return rc < 0 ? rc : 0;
}

static bool is_open(const struct attempt_list *open, int64_t id)
{
	size_t i;

	for (i = 0; i < open->count; i++)
		if (open->items[i].id == id)
			return true;
	return false;
}

static int by_end(const void *x, const void *y)
{
	const struct attempt_record *a = x, *b = y;

	if (a->ended_ms != b->ended_ms)
		return a->ended_ms < b->ended_ms ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* Those that ran at the last look and do not now, then those that came and went in between. */
static int find_ended(
	struct runwatch *w, const struct attempt_list *open, struct arena *a, struct err *e)
{
	bool is_first = w->last_seen < 0;
	struct attempt_list newest = { 0 };
	size_t i, count = 0;

	if (is_first && runwatch_is_over(w)) { /* they may be a long way back */
		w->ended = (struct attempt_list){ 0 };
		return 0;
	}
	if (attempts_newest(w->db, w->run.id, is_first ? 0 : w->last_seen,
		    is_first ? RUNWATCH_CONTEXT : UINT32_MAX, a, &newest, e) < 0)
		return e->code;
	w->ended.items = arena_alloc(
		a, (w->were_open.count + newest.count + 1) * sizeof *w->ended.items);
	for (i = 0; i < w->were_open.count; i++) {
		struct attempt_record *at = &w->ended.items[count];

		*at = (struct attempt_record){ 0 };
		if (is_open(open, w->were_open.items[i]))
			continue;
		if (attempt_get(w->db, w->were_open.items[i], a, at, e) < 0)
			return e->code;
		count++;
	}
	for (i = 0; i < newest.count; i++)
		if (!attempt_is_open(&newest.items[i]))
			w->ended.items[count++] = newest.items[i];
	qsort(w->ended.items, count, sizeof *w->ended.items, by_end);
	w->ended.count = w->ended.cap = count;
	w->last_seen = newest.count > 0 ? newest.items[newest.count - 1].id
		       : is_first	? 0
					: w->last_seen;
	return 0;
}

static int find_open(
	struct runwatch *w, const struct attempt_list *open, struct arena *a, struct err *e)
{
	size_t i;

	w->open.items = arena_zalloc(a, (open->count + 1) * sizeof *w->open.items);
	w->open.count = open->count;
	w->were_open.count = 0;
	for (i = 0; i < open->count; i++) {
		struct watched *to = &w->open.items[i];

		to->attempt = open->items[i];
		vec_push(&w->were_open, to->attempt.id);
		if (usual_ms(w, to->attempt.task, &to->usual_ms, e) < 0 ||
			measures_latest(w->db, to->attempt.id, RUNWATCH_METRICS, a, &to->metrics,
				e) < 0)
			return e->code;
	}
	return 0;
}

int runwatch_look(struct runwatch *w, struct arena *a, struct err *e)
{
	struct attempt_list open = { 0 };

	if (run_get(w->db, w->run.id, a, &w->run, e) < 0 || count_tasks(w, e) < 0 ||
		count_planned(w, a, e) < 0 || attempts_open(w->db, w->run.id, a, &open, e) < 0 ||
		find_ended(w, &open, a, e) < 0 || find_open(w, &open, a, e) < 0)
		return e->code;
	w->count[COUNT_CACHED] += w->planned;
	return 0;
}
