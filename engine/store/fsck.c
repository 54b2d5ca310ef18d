#include "store/fsck.h"

#include <stddef.h>

#include <sqlite3.h>

#include "base/err.h"
#include "store/db.h"

/* Each gives the faults it finds in words, one a row. */
static const char *const checks[] = {
	"SELECT 'the file: ' || integrity_check FROM pragma_integrity_check WHERE integrity_check "
	"<> 'ok'",
	"SELECT 'a row of ' || \"table\" || ' refers to one of ' || parent || ' that is not there' "
	"FROM pragma_foreign_key_check",
	"SELECT 'run ' || substr(uuid, 1, 13) || ' is ' || state || ' and has no end' FROM run "
	"WHERE state NOT IN ('CREATED','RUNNING') AND ended_ms IS NULL",
	"SELECT 'run ' || substr(uuid, 1, 13) || ' is ' || state || ' and has an end' FROM run "
	"WHERE state IN ('CREATED','RUNNING') AND ended_ms IS NOT NULL",
	"SELECT 'task ' || name || ' is still ' || task.state || ', and its run ' || substr(uuid, "
	"1, 13) || ' is over' "
	"FROM task JOIN run ON run.id = task.run "
	"WHERE run.ended_ms IS NOT NULL AND task.state IN ('PENDING','READY','RUNNING','BACKOFF')",
	"SELECT 'attempt ' || number || ' of ' || task || ' is still ' || a.state || ', and its "
	"run ' || "
	"substr(uuid, 1, 13) || ' is over' FROM attempt a JOIN run ON run.id = a.run "
	"WHERE a.state IN ('STARTING','RUNNING') AND run.ended_ms IS NOT NULL",
	"SELECT 'task ' || task || ' succeeded ' || count(*) || ' times in one run' FROM attempt "
	"WHERE state = 'SUCCEEDED' GROUP BY run, task HAVING count(*) > 1",
	"SELECT 'task ' || t.name || ' succeeded without an attempt that did' FROM task t WHERE "
	"t.state = 'SUCCEEDED' "
	"AND NOT EXISTS(SELECT 1 FROM attempt a WHERE a.run = t.run AND a.task = t.name AND "
	"a.state = 'SUCCEEDED')",
	"SELECT 'task ' || t.name || ' has the outs of an attempt that is not there' FROM task t "
	"WHERE t.attempt IS NOT NULL AND NOT EXISTS(SELECT 1 FROM attempt a WHERE a.id = "
	"t.attempt)",
	"SELECT 'the last success of ' || l.task || ' is none' FROM latest l LEFT JOIN attempt a "
	"ON a.id = l.attempt "
	"WHERE a.state IS NOT 'SUCCEEDED' OR a.key IS NOT l.key",
	"SELECT 'out ' || path || ' has no digest' FROM artifact WHERE length(digest) <> 32 OR "
	"size < 0",
	"SELECT 'run ' || substr(uuid, 1, 13) || ' is ' || r.state || ', and its last event says ' "
	"|| e.state "
	"FROM run r JOIN (SELECT run, state, max(seq) FROM event WHERE task IS NULL AND attempt IS "
	"NULL GROUP BY run) e "
	"ON e.run = r.id WHERE e.state <> r.state",
	"SELECT 'attempt ' || a.number || ' of ' || a.task || ' is ' || a.state || ', and its last "
	"event says ' || e.state "
	"FROM attempt a JOIN (SELECT attempt, state, max(seq) FROM event WHERE attempt IS NOT NULL "
	"GROUP BY attempt) e "
	"ON e.attempt = a.id WHERE e.state <> a.state",
};

static int check(struct db *db, const char *sql, fsck_found *found, void *user, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	int rc = db_query(db, sql, &q, e);

	while (rc == 0 && (rc = db_step(db, q, e)) > 0) {
		found(user, db_text(q, 0));
		rc = 0;
	}
	db_finish(q);
	return rc;
}

/* Tables, indexes and triggers that a new journal has: a rule that is gone is no longer kept. */
static int check_schema(struct db *db, fsck_found *found, void *user, struct err *e)
{
	sqlite3 *fresh = NULL;
	sqlite3_stmt *want = NULL, *have = NULL;
	int rc = sqlite3_open(":memory:", &fresh);

	if (rc == SQLITE_OK)
		rc = schema_make(fresh);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(fresh,
			"SELECT name, 'the ' || type || ' ' || name || ' is not there' FROM "
			"sqlite_schema",
			-1, &want, NULL);
	if (rc == SQLITE_OK)
		rc = db_query(db, "SELECT 1 FROM sqlite_schema WHERE name = ?", &have, e);
	while (rc == 0 && sqlite3_step(want) == SQLITE_ROW) {
		db_bind_text(have, 1, db_text(want, 0));
		rc = db_step(db, have, e);
		if (rc == 0)
			found(user, db_text(want, 1));
		rc = rc < 0 ? rc : 0;
		db_reset(have);
	}
	db_finish(have);
	db_finish(want);
	(void)sqlite3_close(fresh);
	return rc > 0 ? err_set(e, ERR_SYSTEM, "cannot make a schema to compare with") : rc;
}

int fsck_database(struct db *db, fsck_found *found, void *user, struct err *e)
{
	size_t i;

	if (check_schema(db, found, user, e) < 0)
		return e->code;
	for (i = 0; i < sizeof checks / sizeof *checks; i++)
		if (check(db, checks[i], found, user, e) < 0)
			return e->code;
	return 0;
}
