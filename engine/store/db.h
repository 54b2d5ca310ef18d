/*
 * store/db.h - the SQLite connection to .flow/flow.db.
 *
 *     db_open(&db, &project, PROJECT_WRITE, e)   makes or migrates the schema in one transaction
 *     db_begin(db) ... db_commit(db, e)          one transaction a turn of the run's loop
 *     db_empty_log(db, e), db_close(db)
 *
 * One writing connection a project, ever: it is opened under writer.lock only (Debian 12's SQLite has a WAL fault that needs
 * two writers at once). Readers open read-only and never checkpoint. Statements are prepared once and kept: db_prepare() with
 * a slot number of the caller's. A failed step is reported once, with SQLite's words; a full disk becomes ERR_SYSTEM/ENOSPC.
 */
#ifndef FLOW_STORE_DB_H
#define FLOW_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/project.h"
#include "store/schema.h"

struct digest;
struct err;
struct sqlite3;
struct sqlite3_stmt;

#define DB_VERSION SCHEMA_VERSION
#define DB_SLOTS   48

struct db {
	struct sqlite3 *handle;
	struct sqlite3_stmt *slots[DB_SLOTS];
	bool in_transaction;
	bool writes;
	int flow_fd;               /* the project's */
	int wal_pages;             /* in the write-ahead log after the last commit; */
	int brought_pages;         /* so many of them a checkpoint has seen */
};

int db_open(struct db *db, const struct project *p, enum project_mode mode, struct err *e);
void db_close(struct db *db);

int db_begin(struct db *db, struct err *e);  /* does nothing inside a transaction */
int db_commit(struct db *db, struct err *e); /* does nothing outside one */
void db_rollback(struct db *db);
int db_strict(struct db *db, struct err *e); /* from now on a commit that returns is on the disk */

/* The statement of a slot, reset and ready for binding; prepared at first use. */
int db_prepare(struct db *db, unsigned slot, const char *sql, struct sqlite3_stmt **out, struct err *e);

/* A statement of its own, to be finalised by the caller with db_finish(). */
int db_query(struct db *db, const char *sql, struct sqlite3_stmt **out, struct err *e);
void db_finish(struct sqlite3_stmt *s);

/* One step: 1 a row, 0 the end, or an error. db_run: steps to the end and resets. */
int db_step(struct db *db, struct sqlite3_stmt *s, struct err *e);
int db_run(struct db *db, struct sqlite3_stmt *s, struct err *e);
/* Done with a kept statement before or at its end: it can be bound again. (db_run at the end would run it once more.) */
void db_reset(struct sqlite3_stmt *s);

int64_t db_last_id(const struct db *db);

/* Binding by position from 1, and columns from 0. Texts and blobs are copied by SQLite only while the step runs: they must
 * stay put until then. A NULL text binds NULL. db_text never gives NULL. */
void db_bind_int(struct sqlite3_stmt *s, int at, int64_t value);
void db_bind_real(struct sqlite3_stmt *s, int at, double value);
void db_bind_text(struct sqlite3_stmt *s, int at, const char *text);
void db_bind_blob(struct sqlite3_stmt *s, int at, const void *data, size_t len);
void db_bind_digest(struct sqlite3_stmt *s, int at, const struct digest *d); /* zero digest: NULL */
int64_t db_int(struct sqlite3_stmt *s, int column);
double db_real(struct sqlite3_stmt *s, int column);
bool db_is_null(struct sqlite3_stmt *s, int column);
const char *db_text(struct sqlite3_stmt *s, int column);
const void *db_blob(struct sqlite3_stmt *s, int column, size_t *len);
bool db_digest(struct sqlite3_stmt *s, int column, struct digest *out); /* false, and zero, when it is none */

/*
 * Bring the write-ahead log into the database when it has grown large; does nothing inside a transaction, waits for no reader. Only a
 * sync that failed is an error: what could not be moved stays in the log and is as good there.
 */
int db_checkpoint(struct db *db, struct err *e); /* between turns */
int db_empty_log(struct db *db, struct err *e);  /* at the end, when that is worth it: whoever opens the journal next reads all of its log */
void db_sync_no_more(struct db *db);             /* after a sync that failed, of whatever file */

#endif
