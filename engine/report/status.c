#include "report/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "report/rows_json.h"
#include "store/db.h"
#include "store/rows.h"

static int newest_first(const void *x, const void *y)
{
	const struct run_record *a = x, *b = y;

	return a->id > b->id ? -1 : a->id < b->id;
}

/* The newest run of each state. */
static int find_runs(struct status *s, struct db *db, struct arena *a, struct err *e)
{
	static const char *const states[STATUS_STATES] = { "RUNNING", "SUCCEEDED", "FAILED",
		"CANCELLED", "INTERRUPTED" };
	struct run_list found = { 0 };
	size_t i;
	int rc = 0;

	for (i = 0; i < STATUS_STATES && rc == 0; i++) {
		struct run_list one = { 0 };

		rc = runs_newest(db, states[i], 1, a, &one, e);
		if (rc == 0 && one.count > 0)
			vec_push(&found, one.items[0]);
	}
	if (found.count > 1)
		qsort(found.items, found.count, sizeof *found.items, newest_first);
	if (rc == 0)
		rows_keep(&s->runs, &found, a);
	rows_drop(&found);
	return rc;
}

static bool is_state(const struct task_record *t, const char *state)
{
	return strcmp(t->state, state) == 0;
}

/* The tasks of the last run: which failed, and of one at work which run and how far it is. */
static int sort_out(struct status *s, struct db *db, struct arena *a, struct err *e)
{
	struct task_list tasks = { 0 }, failed = { 0 };
	struct attempt_list running = { 0 };
	struct id_list outs = { 0 };
	size_t i;

	if (tasks_with_rows(db, s->runs.items[0].id, a, &tasks, e) < 0 ||
		outs_of_run(db, &s->runs.items[0], a, &outs, e) < 0)
		return e->code;
	for (i = 0; i < tasks.count; i++) {
		const struct task_record *t = &tasks.items[i];

		s->succeeded += is_state(t, "SUCCEEDED");
		s->waiting +=
			is_state(t, "PENDING") || is_state(t, "READY") || is_state(t, "BACKOFF");
		if (is_state(t, "FAILED"))
			vec_push(&failed, *t);
		if (is_state(t, "RUNNING") && attempt_is_open(&t->last))
			vec_push(&running, t->last);
	}
	s->reused = outs.count > s->succeeded ? (uint32_t)(outs.count - s->succeeded) : 0;
	rows_keep(&s->failed, &failed, a);
	rows_keep(&s->running, &running, a);
	return 0;
}

static int count(struct db *db, const char *sql, int64_t *n, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db, sql, &s, e);

	if (rc == 0)
		rc = db_step(db, s, e);
	if (rc > 0)
		*n = db_int(s, 0);
	db_finish(s);
	return rc < 0 ? rc : 0;
}

int status_make(
	struct status *out, struct db *db, const struct project *p, struct arena *a, struct err *e)
{
	struct status s = { 0 };
	const struct run_record *last;

	if (find_runs(&s, db, a, e) < 0 ||
		count(db, "SELECT count(*) FROM run", &s.run_count, e) < 0 ||
		count(db, "SELECT count(*) FROM attempt", &s.attempt_count, e) < 0 ||
		count(db, "SELECT count(*) FROM artifact", &s.artifact_count, e) < 0)
		return e->code;
	if (s.runs.count > 0) {
		last = &s.runs.items[0];
		s.is_active = last->ended_ms == 0 && run_is_alive(p, last);
		s.is_dead = last->ended_ms == 0 && !s.is_active;
		if (sort_out(&s, db, a, e) < 0)
			return e->code;
	}
	*out = s;
	return 0;
}

static void active_json(struct json *j, const struct status *s, int64_t now_ms)
{
	size_t i;

	json_key(j, "active");
	if (!s->is_active) {
		json_nothing(j);
		return;
	}
	json_open_object(j);
	run_members(j, &s->runs.items[0], true, now_ms);
	json_key_int(j, "succeeded", s->succeeded);
	json_key_int(j, "taken_over", s->reused);
	json_key_int(j, "waiting", s->waiting);
	json_key(j, "running");
	json_open_array(j);
	for (i = 0; i < s->running.count; i++)
		attempt_json(j, &s->running.items[i], now_ms);
	json_end(j);
	json_end(j);
}

static void failed_json(struct json *j, const struct status *s, int64_t now_ms)
{
	size_t i;

	json_key(j, "failed");
	json_open_array(j);
	for (i = 0; i < s->failed.count; i++) {
		const struct task_record *t = &s->failed.items[i];

		json_open_object(j);
		json_key_string(j, "task", t->name);
		json_key_string(j, "why", t->why);
		last_attempt_json(j, t, now_ms);
		json_end(j);
	}
	json_end(j);
}

void status_json(struct buf *out, const struct status *s, int64_t now_ms)
{
	struct json j;
	size_t i;

	json_init(&j, out);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	active_json(&j, s, now_ms);
	json_key(&j, "runs");
	json_open_array(&j);
	for (i = 0; i < s->runs.count; i++)
		run_json(&j, &s->runs.items[i], s->is_active && i == 0, now_ms);
	json_end(&j);
	failed_json(&j, s, now_ms);
	json_key(&j, "recorded");
	json_open_object(&j);
	json_key_int(&j, "runs", s->run_count);
	json_key_int(&j, "attempts", s->attempt_count);
	json_key_int(&j, "artifacts", s->artifact_count);
	json_end(&j);
	json_end(&j);
}
