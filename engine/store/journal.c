#include "store/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "plan/past.h"
#include "store/db.h"
#include "store/project.h"
#include "store/slots.h"

/* A statement used once a run is not worth a slot: prepare, bind by the caller, run, finish. */
static int run_once(struct db *db, struct sqlite3_stmt *s, struct err *e)
{
	int rc = db_run(db, s, e);

	db_finish(s);
	return rc;
}

int journal_run_begin(struct db *db, const struct run_row *row, int64_t *id, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_query(db,
		    "INSERT INTO run(uuid, state, began_ms, dag_path, dag_name, dag_digest, "
		    "params, "
		    "changed, host, boot_id, pid, version) "
		    "VALUES(?,'RUNNING',?,?,?,?,?,?,?,?,?,?)",
		    &s, e) < 0)
		return e->code;
	db_bind_text(s, 1, row->uuid);
	db_bind_int(s, 2, row->began_ms);
	db_bind_text(s, 3, row->dag_path);
	db_bind_text(s, 4, row->dag_name);
	db_bind_digest(s, 5, &row->dag_digest);
	db_bind_text(s, 6, row->params);
	db_bind_text(s, 7, row->changed);
	db_bind_text(s, 8, row->host);
	db_bind_text(s, 9, row->boot_id);
	db_bind_int(s, 10, row->pid);
	db_bind_text(s, 11, row->version);
	if (run_once(db, s, e) < 0)
		return e->code;
	*id = db_last_id(db);
	return 0;
}

int journal_run_cause(struct db *db, int64_t run, const char *cause, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_query(db, "UPDATE run SET cause = ? WHERE id = ?", &s, e) < 0)
		return e->code;
	db_bind_text(s, 1, cause);
	db_bind_int(s, 2, run);
	return run_once(db, s, e);
}

int journal_run_source(struct db *db, int64_t run, const struct source_row *row, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_query(db,
		    "UPDATE run SET commit_id = ?, branch = ?, dirty = ?, patch_digest = ?, "
		    "source_note = ? WHERE id = ?",
		    &s, e) < 0)
		return e->code;
	db_bind_text(s, 1, row->commit_id);
	db_bind_text(s, 2, row->branch);
	db_bind_int(s, 3, row->dirty);
	db_bind_digest(s, 4, &row->patch);
	db_bind_text(s, 5, row->note);
	db_bind_int(s, 6, run);
	return run_once(db, s, e);
}

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int journal_run_reuse(struct db *db, int64_t run, int64_t *attempts, size_t count, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	struct buf list = { 0 };
	struct digest d;
	int rc;

	if (count == 0)
		return 0;
	qsort(attempts, count, sizeof *attempts, by_id);
	ids_pack(&list, attempts, count);
	digest_of(&d, list.data, list.len);
	rc = db_query(db, "INSERT OR IGNORE INTO reuse(digest, attempts) VALUES(?,?)", &s, e);
	if (rc == 0) {
		db_bind_digest(s, 1, &d);
		db_bind_blob(s, 2, list.data, list.len);
		rc = run_once(db, s, e);
	}
	if (rc == 0)
		rc = db_query(db, "UPDATE run SET reuse_digest = ? WHERE id = ?", &s, e);
	if (rc == 0) {
		db_bind_digest(s, 1, &d);
		db_bind_int(s, 2, run);
		rc = run_once(db, s, e);
	}
	buf_release(&list);
	return rc;
}

int journal_run_end(struct db *db, int64_t run, const struct run_end *end, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_query(db,
		    "UPDATE run SET state = ?, ended_ms = ?, ran = ?, reused = ?, failed = ? WHERE "
		    "id = ?",
		    &s, e) < 0)
		return e->code;
	db_bind_text(s, 1, end->state);
	db_bind_int(s, 2, end->ended_ms);
	db_bind_int(s, 3, end->ran);
	db_bind_int(s, 4, end->reused);
	db_bind_int(s, 5, end->failed);
	db_bind_int(s, 6, run);
	return run_once(db, s, e);
}

int journal_task_new(struct db *db, int64_t run, const char *task, const char *reason,
	const char *why, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_prepare(db, SLOT_TASK_NEW,
		    "INSERT INTO task(run, name, state, reason, why) VALUES(?,?,'PENDING',?,?)", &s,
		    e) < 0)
		return e->code;
	db_bind_int(s, 1, run);
	db_bind_text(s, 2, task);
	db_bind_text(s, 3, reason);
	db_bind_text(s, 4, why);
	return db_run(db, s, e);
}

int journal_task_state(struct db *db, int64_t run, const char *task, const char *state,
	int64_t attempt, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_prepare(db, SLOT_TASK_STATE,
		    "UPDATE task SET state = ?1, attempt = CASE ?2 WHEN 0 THEN attempt ELSE ?2 END "
		    "WHERE run = ?3 AND name = ?4",
		    &s, e) < 0)
		return e->code;
	db_bind_text(s, 1, state);
	db_bind_int(s, 2, attempt);
	db_bind_int(s, 3, run);
	db_bind_text(s, 4, task);
	return db_run(db, s, e);
}

int journal_task_not_before(
	struct db *db, int64_t run, const char *task, int64_t at_ms, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_query(db, "UPDATE task SET not_before_ms = ? WHERE run = ? AND name = ?", &s, e) < 0)
		return e->code;
	db_bind_int(s, 1, at_ms);
	db_bind_int(s, 2, run);
	db_bind_text(s, 3, task);
	return run_once(db, s, e);
}

int journal_waiting(struct db *db, int64_t run, int64_t now_ms, waiting_found *found, void *user,
	struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db,
		"SELECT t.name, t.not_before_ms FROM task t, (SELECT id, state FROM run WHERE id < ? "
		"ORDER BY id DESC LIMIT 1) r WHERE r.state = 'INTERRUPTED' AND t.run = r.id "
		"AND t.not_before_ms > ?",
		&s, e);

	if (rc < 0)
		return rc;
	db_bind_int(s, 1, run);
	db_bind_int(s, 2, now_ms);
	while ((rc = db_step(db, s, e)) > 0)
		found(user, db_text(s, 0), db_int(s, 1));
	db_finish(s);
	return rc;
}

int journal_task_why(struct db *db, int64_t run, const char *task, const char *reason,
	const char *why, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_prepare(db, SLOT_TASK_DONE,
		    "UPDATE task SET reason = ?, why = ? WHERE run = ? AND name = ?", &s, e) < 0)
		return e->code;
	db_bind_text(s, 1, reason);
	db_bind_text(s, 2, why);
	db_bind_int(s, 3, run);
	db_bind_text(s, 4, task);
	return db_run(db, s, e);
}

int journal_attempt_begin(struct db *db, const struct attempt_begin *a, int64_t *id, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_prepare(db, SLOT_ATTEMPT_NEW,
		    "INSERT INTO attempt(run, task, number, state, key, parts, began_ms, log, "
		    "log_from, folder) VALUES(?,?,?,'STARTING',?,?,?,?,?,?)",
		    &s, e) < 0)
		return e->code;
	db_bind_int(s, 1, a->run);
	db_bind_text(s, 2, a->task);
	db_bind_int(s, 3, a->number);
	db_bind_blob(s, 4, a->key.bytes, DIGEST_SIZE);
	db_bind_blob(s, 5, a->parts->data, a->parts->len);
	db_bind_int(s, 6, a->began_ms);
	db_bind_text(s, 7, a->log);
	db_bind_int(s, 8, (int64_t)a->log_from);
	db_bind_text(s, 9, a->folder);
	if (db_run(db, s, e) < 0)
		return e->code;
	*id = db_last_id(db);
	return 0;
}

int journal_attempt_running(struct db *db, int64_t attempt, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_prepare(db, SLOT_ATTEMPT_STATE,
		    "UPDATE attempt SET state = 'RUNNING' WHERE id = ? AND state = 'STARTING'", &s,
		    e) < 0)
		return e->code;
	db_bind_int(s, 1, attempt);
	return db_run(db, s, e);
}

static void bind_or_null(struct sqlite3_stmt *s, int at, int value)
{
	if (value >= 0)
		db_bind_int(s, at, value);
	else
		db_bind_text(s, at, NULL);
}

int journal_attempt_end(struct db *db, const struct attempt_end *a, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_prepare(db, SLOT_ATTEMPT_END,
		    "UPDATE attempt SET state = ?1, ended_ms = ?2, exit_code = ?3, signal = ?4, "
		    "error = ?5, log = coalesce(?6, log), folder = coalesce(?7, folder), "
		    "log_from = ?8, log_to = ?9, user_us = ?10, system_us = ?11, "
		    "peak_rss_kib = ?12, strays = ?13 WHERE id = ?14",
		    &s, e) < 0)
		return e->code;
	db_bind_text(s, 1, a->state);
	db_bind_int(s, 2, a->ended_ms);
	bind_or_null(s, 3, a->exit_code);
	bind_or_null(s, 4, a->signal);
	db_bind_text(s, 5, a->error);
	db_bind_text(s, 6, a->log);
	db_bind_text(s, 7, a->folder);
	db_bind_int(s, 8, (int64_t)a->log_from);
	db_bind_int(s, 9, (int64_t)a->log_to);
	db_bind_int(s, 10, (int64_t)a->user_us);
	db_bind_int(s, 11, (int64_t)a->system_us);
	db_bind_int(s, 12, (int64_t)a->peak_rss_kib);
	db_bind_int(s, 13, a->strays);
	db_bind_int(s, 14, a->attempt);
	return db_run(db, s, e);
}

/* What is kept may itself be an acceptance: the row names the attempt that ran. */
int journal_attempt_accept(
	struct db *db, const struct attempt_accept *a, int64_t *id, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_query(db,
		    "INSERT INTO attempt(run, task, key, parts, accepted, number, state, began_ms, "
		    "ended_ms, exit_code, signal, log, log_from, log_to, user_us, system_us, "
		    "peak_rss_kib) SELECT ?, ?, ?, ?, coalesce(accepted, id), 1, 'SUCCEEDED', "
		    "began_ms, ended_ms, exit_code, signal, log, log_from, log_to, user_us, "
		    "system_us, peak_rss_kib FROM attempt WHERE id = ?",
		    &s, e) < 0)
		return e->code;
	db_bind_int(s, 1, a->run);
	db_bind_text(s, 2, a->task);
	db_bind_digest(s, 3, &a->key);
	db_bind_blob(s, 4, a->parts->data, a->parts->len);
	db_bind_int(s, 5, a->kept);
	if (run_once(db, s, e) < 0)
		return e->code;
	*id = db_last_id(db);
	if (db_query(db,
		    "INSERT INTO artifact(attempt, position, name, path, digest, size, mode) "
		    "SELECT ?, position, name, path, digest, size, mode FROM artifact WHERE "
		    "attempt = ?",
		    &s, e) < 0)
		return e->code;
	db_bind_int(s, 1, *id);
	db_bind_int(s, 2, a->kept);
	if (run_once(db, s, e) < 0)
		return e->code;
	if (db_query(db,
		    "INSERT INTO metric(attempt, name, step, value, at_ms) SELECT ?, name, step, "
		    "value, at_ms FROM metric WHERE attempt = ?",
		    &s, e) < 0)
		return e->code;
	db_bind_int(s, 1, *id);
	db_bind_int(s, 2, a->kept);
	return run_once(db, s, e);
}

int journal_attempt_disown(struct db *db, int64_t attempt, const char *why, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_query(db, "UPDATE attempt SET key = randomblob(32), error = ? WHERE id = ?", &s, e) <
		0)
		return e->code;
	db_bind_text(s, 1, why);
	db_bind_int(s, 2, attempt);
	return run_once(db, s, e);
}

int journal_artifact(struct db *db, int64_t attempt, uint32_t position, const char *name,
	const char *path, const struct made *made, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_prepare(db, SLOT_ARTIFACT_NEW,
		    "INSERT INTO artifact(attempt, position, name, path, digest, size, mode) "
		    "VALUES(?,?,?,?,?,?,?)",
		    &s, e) < 0)
		return e->code;
	db_bind_int(s, 1, attempt);
	db_bind_int(s, 2, position);
	db_bind_text(s, 3, name);
	db_bind_text(s, 4, path);
	db_bind_blob(s, 5, made->digest.bytes, DIGEST_SIZE);
	db_bind_int(s, 6, (int64_t)made->size);
	db_bind_int(s, 7, made->mode);
	return db_run(db, s, e);
}

int journal_artifact_gone(
	struct db *db, int64_t attempt, uint32_t position, const char *why, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_prepare(db, SLOT_ARTIFACT_GONE,
		    "UPDATE artifact SET gone = ? WHERE attempt = ? AND position = ?", &s, e) < 0)
		return e->code;
	db_bind_text(s, 1, why);
	db_bind_int(s, 2, attempt);
	db_bind_int(s, 3, position);
	return db_run(db, s, e);
}

int journal_latest(struct db *db, const char *task, int64_t attempt, const struct digest *key,
	const struct made *outs, uint32_t count, int64_t took_ms, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	struct buf packed = { 0 };
	int rc;

	if (db_prepare(db, SLOT_LATEST_PUT,
		    "INSERT OR REPLACE INTO latest(task, attempt, key, outs, took_ms) "
		    "VALUES(?,?,?,?,?)",
		    &s, e) < 0)
		return e->code;
	made_pack(&packed, outs, count);
	db_bind_text(s, 1, task);
	db_bind_int(s, 2, attempt);
	db_bind_blob(s, 3, key->bytes, DIGEST_SIZE);
	db_bind_blob(s, 4, packed.data, packed.len);
	db_bind_int(s, 5, took_ms);
	rc = db_run(db, s, e);
	buf_release(&packed);
	return rc;
}

int journal_metric(struct db *db, int64_t attempt, const char *name, int64_t step, double value,
	int64_t at_ms, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_prepare(db, SLOT_METRIC_PUT,
		    "INSERT OR REPLACE INTO metric(attempt, name, step, value, at_ms) "
		    "VALUES(?,?,?,?,?)",
		    &s, e) < 0)
		return e->code;
	db_bind_int(s, 1, attempt);
	db_bind_text(s, 2, name);
	db_bind_int(s, 3, step);
	db_bind_real(s, 4, value);
	db_bind_int(s, 5, at_ms);
	return db_run(db, s, e);
}

int journal_rebooted(struct db *db, bool *rebooted, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	char boot[37];
	int rc = db_query(db, "SELECT boot_id FROM run ORDER BY id DESC LIMIT 1", &s, e);

	if (rc == 0)
		rc = db_step(db, s, e);
	*rebooted = rc > 0 && strcmp(db_text(s, 0), boot_id(boot)) != 0;
	db_finish(s);
	return rc < 0 ? rc : 0;
}

int journal_durable(struct db *db, const char *boot, int64_t attempt, struct err *e)
{
	struct sqlite3_stmt *s = NULL;

	if (db_prepare(db, SLOT_DURABLE, "UPDATE durable SET boot_id = ?, attempt = ? WHERE id = 1",
		    &s, e) < 0)
		return e->code;
	db_bind_text(s, 1, boot);
	db_bind_int(s, 2, attempt);
	return db_run(db, s, e);
}
