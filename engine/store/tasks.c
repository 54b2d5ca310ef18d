#include "store/tasks.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/rows.h"
#include "store/runs.h"

#define ATTEMPT_COLUMNS 21
/* Why the task was run; of a further try, what had become of the one before. */
#define ATTEMPT_WHY                                                                           \
	"CASE WHEN a.number > 1 THEN (SELECT 'tried again after: ' || b.error FROM attempt b " \
	"WHERE b.task = a.task AND b.run = a.run AND b.number = a.number - 1) "                \
	"ELSE (SELECT k.why FROM task k WHERE k.run = a.run AND k.name = a.task) END"
#define ATTEMPT                                                                                   \
	"a.id, a.run, a.number, a.began_ms, coalesce(a.ended_ms, 0), coalesce(a.exit_code, -1), " \
	"coalesce(a.signal, -1), a.log_from, a.log_to, a.user_us, a.system_us, a.peak_rss_kib, "  \
	"a.strays, coalesce(a.accepted, 0), a.task, a.state, a.error, a.log, a.folder, " ATTEMPT_WHY ", a.key "

static void read_attempt(
	struct sqlite3_stmt *s, int column, struct arena *a, struct attempt_record *r)
{
	const char **texts[] = { &r->task, &r->state, &r->error, &r->log, &r->folder,
		&r->why };
	int64_t *numbers[] = { &r->id, &r->run, &r->number, &r->began_ms, &r->ended_ms,
		&r->exit_code, &r->signal, &r->log_from, &r->log_to, &r->user_us, &r->system_us,
		&r->peak_rss_kib, &r->strays, &r->accepted };
	size_t i;

	for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
		*numbers[i] = db_int(s, column++);
	r->began_ms = row_time(r->began_ms);
	r->ended_ms = row_time(r->ended_ms);
	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = arena_strdup(a, db_text(s, column++));
	(void)db_digest(s, column, &r->key);
}

int attempt_reader_open(struct attempt_reader *r, struct db *db, struct err *e)
{
	*r = (struct attempt_reader){ .db = db };
	return db_query(
		db, "SELECT " ATTEMPT ", a.parts FROM attempt a WHERE a.id = ?", &r->statement, e);
}

void attempt_reader_close(struct attempt_reader *r)
{
	db_finish(r->statement);
	r->statement = NULL;
}

int attempt_read(struct attempt_reader *r, int64_t id, struct arena *a, struct attempt_record *out,
	const void **parts, size_t *len, struct err *e)
{
	const void *blob;
	int rc;

	db_bind_int(r->statement, 1, id);
	rc = db_step(r->db, r->statement, e);
	if (rc > 0) {
		read_attempt(r->statement, 0, a, out);
		blob = db_blob(r->statement, ATTEMPT_COLUMNS, len);
		*parts = arena_strndup(a, blob, *len);
	}
	db_reset(r->statement);
	if (rc == 0)
		rc = err_set(e, ERR_NOTFOUND, "the journal has no attempt %lld", (long long)id);
	return rc < 0 ? rc : 0;
}

int attempt_get(
	struct db *db, int64_t id, struct arena *a, struct attempt_record *out, struct err *e)
{
	struct attempt_reader r;
	const void *parts;
	size_t len;
	int rc = attempt_reader_open(&r, db, e);

	if (rc == 0)
		rc = attempt_read(&r, id, a, out, &parts, &len, e);
	attempt_reader_close(&r);
	return rc;
}

int attempt_parts(
	struct db *db, int64_t id, struct arena *a, const void **parts, size_t *len, struct err *e)
{
	struct attempt_record unused = { 0 };
	struct attempt_reader r;
	int rc = attempt_reader_open(&r, db, e);

	if (rc == 0)
		rc = attempt_read(&r, id, a, &unused, parts, len, e);
	attempt_reader_close(&r);
	return rc;
}

/* All rows of a statement that is bound; it is finished. rc: how the binding went. */
static int read_attempts(int rc, struct db *db, struct sqlite3_stmt *s, struct arena *a,
	struct attempt_list *out, struct err *e)
{
	struct attempt_list found = { 0 };

	while (rc == 0 && (rc = db_step(db, s, e)) > 0) {
		struct attempt_record r = { 0 };

		read_attempt(s, 0, a, &r);
		vec_push(&found, r);
		rc = 0;
	}
	db_finish(s);
	if (rc == 0)
		rows_keep(out, &found, a);
	rows_drop(&found);
	return rc;
}

int attempts_of_task(struct db *db, int64_t run, const char *task, struct arena *a,
	struct attempt_list *out, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db,
		"SELECT " ATTEMPT "FROM attempt a WHERE a.task = ? AND a.run = ? ORDER BY a.number",
		&s, e);

	if (rc == 0) {
		db_bind_text(s, 1, task);
		db_bind_int(s, 2, run);
	}
	return read_attempts(rc, db, s, a, out, e);
}

int attempts_open(
	struct db *db, int64_t run, struct arena *a, struct attempt_list *out, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db,
		"SELECT " ATTEMPT "FROM attempt a WHERE a.run = ? AND a.state IN ('STARTING', "
		"'RUNNING') ORDER BY a.id",
		&s, e);

	if (rc == 0)
		db_bind_int(s, 1, run);
	return read_attempts(rc, db, s, a, out, e);
}

/* Backwards from the newest: a run that goes on has made those. */
int attempts_newest(struct db *db, int64_t run, int64_t after, uint32_t limit, struct arena *a,
	struct attempt_list *out, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db,
		"SELECT " ATTEMPT "FROM attempt a WHERE a.id IN (SELECT id FROM attempt WHERE id > "
		"? AND +run = ? ORDER BY id DESC LIMIT ?) ORDER BY a.id",
		&s, e);

	if (rc == 0) {
		db_bind_int(s, 1, after);
		db_bind_int(s, 2, run);
		db_bind_int(s, 3, limit);
	}
	return read_attempts(rc, db, s, a, out, e);
}

int64_t attempt_took_ms(const struct attempt_record *r, int64_t now_ms)
{
	int64_t end = r->ended_ms != 0 ? r->ended_ms : now_ms;

	return r->began_ms >= 0 && end > r->began_ms ? end - r->began_ms : 0;
}

bool attempt_is_open(const struct attempt_record *r)
{
	return strcmp(r->state, "RUNNING") == 0 || strcmp(r->state, "STARTING") == 0;
}

static int collect_rows(
	struct db *db, int64_t run, struct arena *a, struct task_list *found, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db,
		"SELECT t.name, t.state, t.reason, t.why, "
		"CASE WHEN t.state IN ('SUCCEEDED', 'REUSED') THEN coalesce(t.attempt, 0) ELSE 0 "
		"END, "
		"a.id IS NOT "
		"NULL, " ATTEMPT "FROM task t LEFT JOIN attempt a ON a.task = t.name AND a.run = "
		"t.run AND a.number = "
		"(SELECT max(b.number) FROM attempt b WHERE b.task = t.name AND b.run = t.run) "
		"WHERE t.run = ?",
		&s, e);

	if (rc == 0)
		db_bind_int(s, 1, run);
	while (rc == 0 && (rc = db_step(db, s, e)) > 0) {
		struct task_record t = { .name = arena_strdup(a, db_text(s, 0)),
			.state = arena_strdup(a, db_text(s, 1)),
			.reason = arena_strdup(a, db_text(s, 2)),
			.why = arena_strdup(a, db_text(s, 3)),
			.outs_of = db_int(s, 4) };

		if (db_int(s, 5) != 0)
			read_attempt(s, 6, a, &t.last);
		vec_push(found, t);
		rc = 0;
	}
	db_finish(s);
	return rc;
}

static int by_begin(const void *x, const void *y)
{
	const struct task_record *a = x, *b = y;

	if ((a->last.id == 0) != (b->last.id == 0))
		return a->last.id == 0 ? 1 : -1;
	if (a->last.began_ms != b->last.began_ms)
		return a->last.began_ms < b->last.began_ms ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void sort_tasks(struct task_list *list)
{
	if (list->count > 1)
		qsort(list->items, list->count, sizeof *list->items, by_begin);
}

int tasks_with_rows(
	struct db *db, int64_t run, struct arena *a, struct task_list *out, struct err *e)
{
	struct task_list found = { 0 };
	int rc = collect_rows(db, run, a, &found, e);

	sort_tasks(&found);
	if (rc == 0)
		rows_keep(out, &found, a);
	rows_drop(&found);
	return rc;
}

/* What the blob of the run's shared list says, onto the end of `ids`. */
static int add_planned(struct db *db, const struct digest *list, struct id_list *ids, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	const void *blob;
	size_t len, count;
	int rc;

	if (digest_is_zero(list))
		return 0;
	rc = db_query(db, "SELECT attempts FROM reuse WHERE digest = ?", &s, e);
	if (rc == 0) {
		db_bind_digest(s, 1, list);
		rc = db_step(db, s, e);
	}
	if (rc > 0) {
		blob = db_blob(s, 0, &len);
		count = ids_unpack(NULL, 0, blob, len);
		vec_reserve(ids, ids->count + count + 1);
		(void)ids_unpack(ids->items + ids->count, count, blob, len);
		ids->count += count;
	}
	db_finish(s);
	return rc < 0 ? rc : 0;
}

static int by_number(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return a < b ? -1 : a > b;
}

static void sort_ids(struct id_list *ids)
{
	size_t i, kept = 0;

	if (ids->count > 1)
		qsort(ids->items, ids->count, sizeof *ids->items, by_number);
	for (i = 0; i < ids->count; i++)
		if (ids->items[i] > 0 && (kept == 0 || ids->items[i] != ids->items[kept - 1]))
			ids->items[kept++] = ids->items[i];
	ids->count = kept;
}

bool id_list_has(const struct id_list *ids, int64_t id)
{
	return ids->count > 0 &&
	       bsearch(&id, ids->items, ids->count, sizeof *ids->items, by_number) != NULL;
}

/* The tasks of attempts that the run took over as planned. */
static int add_reused(struct db *db, const struct run_record *run, struct arena *a,
	struct task_list *found, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	struct id_list ids = { 0 };
	size_t i;
	int rc = add_planned(db, &run->reuse, &ids, e);

	sort_ids(&ids);
	if (rc == 0)
		rc = db_query(db, "SELECT task FROM attempt WHERE id = ?", &s, e);
	for (i = 0; i < ids.count && rc == 0; i++) {
		struct task_record t = {
			.state = "REUSED", .reason = "same-key", .why = "same key"
		};

		db_bind_int(s, 1, ids.items[i]);
		rc = db_step(db, s, e);
		if (rc > 0) {
			t.name = arena_strdup(a, db_text(s, 0));
			t.outs_of = ids.items[i];
			vec_push(found, t);
		}
		db_reset(s);
		rc = rc < 0 ? rc : 0;
	}
	db_finish(s);
	vec_release(&ids);
	return rc;
}

int tasks_of_run(struct db *db, const struct run_record *run, struct arena *a,
	struct task_list *out, struct err *e)
{
	struct task_list found = { 0 };
	int rc = collect_rows(db, run->id, a, &found, e);

	if (rc == 0)
		rc = add_reused(db, run, a, &found, e);
	sort_tasks(&found);
	if (rc == 0)
		rows_keep(out, &found, a);
	rows_drop(&found);
	return rc;
}

static int add_ids(struct db *db, const char *sql, int64_t run, struct id_list *ids, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db, sql, &s, e);

	if (rc == 0 && run != 0)
		db_bind_int(s, 1, run);
	while (rc == 0 && (rc = db_step(db, s, e)) > 0) {
		vec_push(ids, db_int(s, 0));
		rc = 0;
	}
	db_finish(s);
	return rc;
}

/* What a query finds for the run, and what the run took over as planned. */
static int ids_of_run(struct db *db, const char *sql, const struct run_record *run, struct arena *a,
	struct id_list *out, struct err *e)
{
	struct id_list ids = { 0 };
	int rc = add_ids(db, sql, run->id, &ids, e);

	if (rc == 0)
		rc = add_planned(db, &run->reuse, &ids, e);
	sort_ids(&ids);
	if (rc == 0)
		rows_keep(out, &ids, a);
	rows_drop(&ids);
	return rc;
}

int outs_of_run(struct db *db, const struct run_record *run, struct arena *a, struct id_list *out,
	struct err *e)
{
	return ids_of_run(db,
		"SELECT id FROM attempt WHERE run = ? AND state = 'SUCCEEDED' "
		"UNION SELECT attempt FROM task WHERE run = ?1 AND state IN ('REUSED', "
		"'SUCCEEDED') "
		"AND attempt IS NOT NULL",
		run, a, out, e);
}

int attempts_of_run(struct db *db, const struct run_record *run, struct arena *a,
	struct id_list *out, struct err *e)
{
	return ids_of_run(db,
		"SELECT coalesce((SELECT a.id FROM attempt a WHERE a.task = t.name AND a.run = "
		"t.run "
		"ORDER BY a.number DESC LIMIT 1), t.attempt, 0) FROM task t WHERE t.run = ?",
		run, a, out, e);
}

int outs_of_latest(struct db *db, struct arena *a, struct id_list *out, struct err *e)
{
	struct id_list ids = { 0 };
	int rc = add_ids(db, "SELECT attempt FROM latest", 0, &ids, e);

	sort_ids(&ids);
	if (rc == 0)
		rows_keep(out, &ids, a);
	rows_drop(&ids);
	return rc;
}

size_t stage_length(const char *task)
{
	return strcspn(task, "@");
}

bool task_is_of(const char *task, const char *name)
{
	size_t len = strlen(name);

	return strcmp(task, name) == 0 ||
	       (stage_length(task) == len && strncmp(task, name, len) == 0);
}
