#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "store/schema.h"

#define WAL_PAGES   4096 /* 16 MiB: what a checkpoint is worth its syncs for */
#define EMPTY_PAGES 256  /* 1 MiB: the same at the end */

/* SQLite forgets why it could not make a file. */
static bool disk_is_full(const struct db *db)
{
	struct statvfs disk;

	return fstatvfs(db->flow_fd, &disk) == 0 &&
	       (disk.f_bavail == 0 || (disk.f_files > 0 && disk.f_favail == 0));
}

static int fail_full(const char *what, struct err *e)
{
	err_set(e, ERR_SYSTEM, "%s: the disk is full", what);
	e->sys = ENOSPC;
	err_hint(e, "free some space and run again: what is done stays done");
	return err_id(e, "E0502");
}

static int fail(struct db *db, int rc, const char *what, struct err *e)
{
	int sys = db->handle != NULL ? sqlite3_system_errno(db->handle) : 0;
	const char *text = db->handle != NULL ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);

	switch (rc & 0xff) {
	case SQLITE_FULL: return fail_full(what, e);
	case SQLITE_CONSTRAINT: /* a guard of the tables has seen what cannot be */
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		err_set(e, ERR_CORRUPT, "%s: flow.db is damaged: %s", what, text);
		err_hint(e, "move .flow/flow.db away to start a new journal; objects are kept");
		return err_id(e, "E0503");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		err_set(e, ERR_BUSY, "%s: flow.db is held by another program", what);
		return err_id(e, "E0506");
	case SQLITE_READONLY: /* it falls back to reading when a file cannot be opened for writing */
		err_set(e, ERR_SYSTEM, "%s: cannot open flow.db, or a file beside it, for writing",
			what);
		err_hint(e, "look for a read-only disk, permissions, or too many open files");
		return err_id(e, "E0501");
	default:
		if (db->writes && (rc & 0xff) != SQLITE_NOMEM && (sys == ENOSPC || disk_is_full(db)))
			return fail_full(what, e);
		err_set(e, ERR_SYSTEM, "%s: %s%s%s", what, text, sys != 0 ? ": " : "",
			sys != 0 ? strerror(sys) : "");
		e->sys = sys;
		return err_id(e, "E0501");
	}
}

static int execute(struct db *db, const char *sql, const char *what, struct err *e)
{
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fail(db, rc, what, e);
}

static int read_version(struct db *db, int64_t *version, struct err *e)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc != SQLITE_ROW) {
		rc = fail(db, rc, "cannot read flow.db", e);
		sqlite3_finalize(s);
		return rc;
	}
	*version = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return 0;
}

/* New, of this version, or of another one: asked before anything of it is changed. */
static int check_version(struct db *db, enum project_mode mode, int64_t *version, struct err *e)
{
	if (read_version(db, version, e) < 0)
		return e->code;
	if (*version > DB_VERSION || *version < 0) {
		err_set(e, ERR_CORRUPT,
			"flow.db was made by a newer flow (format %lld, this one knows %d)",
			(long long)*version, DB_VERSION);
		err_hint(e, "use that flow, or work in another checkout; nothing was changed");
		return err_id(e, "E0504");
	}
	if (*version == 0 && mode == PROJECT_READ)
		return err_set(e, ERR_NOTFOUND, "the project has no runs yet");
	return 0;
}

/* Whole or not at all. */
static int make_tables(struct db *db, int64_t version, struct err *e)
{
	int rc = version == 0 ? schema_make(db->handle) : schema_migrate(db->handle, version);

	if (rc != SQLITE_OK) {
		rc = fail(db, rc,
			version == 0 ? "cannot make flow.db" : "cannot bring flow.db up to date",
			e);
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
		return rc;
	}
	return 0;
}

static int count_pages(void *user, sqlite3 *handle, const char *name, int pages)
{
	struct db *db = user;

	(void)handle;
	(void)name;
	if (pages < db->wal_pages)
		db->brought_pages = 0; /* the log began anew */
	db->wal_pages = pages;
	return SQLITE_OK;
}

/* What holds for every connection. */
static void harden(struct db *db)
{
	(void)sqlite3_busy_timeout(db->handle, 5000);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_extended_result_codes(db->handle, 1);
}

static int configure_reader(struct db *db, int64_t version, struct err *e)
{
	int rc;

	if (version < DB_VERSION) {
		rc = schema_view(&db->handle, version);
		if (rc != SQLITE_OK)
			return fail(db, rc, "cannot read flow.db of an older flow", e);
		harden(db);
	}
	return execute(db,
		"PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;"
		"PRAGMA query_only=ON; PRAGMA wal_autocheckpoint=0",
		"cannot read flow.db", e);
}

static int configure(struct db *db, enum project_mode mode, struct err *e)
{
	int64_t version = 0;

	harden(db);
	if (check_version(db, mode, &version, e) < 0)
		return e->code;
	if (mode == PROJECT_READ)
		return configure_reader(db, version, e);
	(void)sqlite3_wal_hook(db->handle, count_pages, db);
	if (execute(db,
		    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=0;"
		    "PRAGMA cell_size_check=ON; PRAGMA cache_size=-8192;"
		    "PRAGMA temp_store=MEMORY",
		    "cannot open flow.db", e) < 0)
		return e->code;
	return version < DB_VERSION ? make_tables(db, version, e) : 0;
}

static int check_file(const struct project *p, struct err *e)
{
	struct stat st;

	if (fstatat(p->flow_fd, "flow.db", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_system(e, "cannot stat flow.db");
	if (!S_ISREG(st.st_mode)) {
		err_set(e, ERR_POLICY, "`%s/.flow/flow.db` is not a regular file", p->root);
		return err_id(e, "E0508");
	}
	return 0;
}

/* Where .flow really is: it may be a link to another disk, and SQLite is told to follow none. */
static int path_of(const struct project *p, char *path, size_t room, struct err *e)
{
	char magic[40];
	ssize_t len;

	(void)snprintf(magic, sizeof magic, "/proc/self/fd/%d", p->flow_fd);
	len = readlink(magic, path, room - sizeof "/flow.db");
	if (len <= 0)
		return err_system(e, "cannot find the path of `%s/.flow`", p->root);
	if ((size_t)len == room - sizeof "/flow.db")
		return err_set(e, ERR_INPUT, "path of the project is too long");
	memcpy(path + len, "/flow.db", sizeof "/flow.db");
	return 0;
}

int db_open(struct db *db, const struct project *p, enum project_mode mode, struct err *e)
{
	char path[4096];
	int flags = mode == PROJECT_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
					  : SQLITE_OPEN_READONLY;
	mode_t mask;
	int rc;

	memset(db, 0, sizeof *db);
	db->writes = mode == PROJECT_WRITE;
	db->flow_fd = p->flow_fd;
	if (check_file(p, e) < 0)
		return e->code;
	if (mode == PROJECT_READ && faccessat(p->flow_fd, "flow.db", F_OK, 0) < 0)
		return err_set(e, ERR_NOTFOUND, "the project has no runs yet");
	if (path_of(p, path, sizeof path, e) < 0)
		return e->code;
	mask = umask(077);
	rc = sqlite3_open_v2(
		path, &db->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
	if (rc != SQLITE_OK)
		rc = fail(db, rc, "cannot open flow.db", e);
	else
		rc = configure(db, mode, e);
	umask(mask);
	if (rc < 0)
		db_close(db);
	return rc;
}

void db_close(struct db *db)
{
	size_t i;

	for (i = 0; i < DB_SLOTS; i++)
		(void)sqlite3_finalize(db->slots[i]);
	(void)sqlite3_close(db->handle);
	memset(db, 0, sizeof *db);
}

int db_prepare(struct db *db, unsigned slot, const char *sql, sqlite3_stmt **out, struct err *e)
{
	if (db->slots[slot] == NULL) {
		int rc = sqlite3_prepare_v3(
			db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &db->slots[slot], NULL);

		if (rc != SQLITE_OK)
			return fail(db, rc, "cannot prepare a statement", e);
	}
	/* A step that ended in a row, or in none, leaves it bound: it must not be taken for the last question. */
	(void)sqlite3_reset(db->slots[slot]);
	*out = db->slots[slot];
	return 0;
}

int db_query(struct db *db, const char *sql, sqlite3_stmt **out, struct err *e)
{
	int rc = sqlite3_prepare_v2(db->handle, sql, -1, out, NULL);

	return rc == SQLITE_OK ? 0 : fail(db, rc, "cannot prepare a query", e);
}

void db_finish(sqlite3_stmt *s)
{
	(void)sqlite3_finalize(s);
}

int db_step(struct db *db, sqlite3_stmt *s, struct err *e)
{
	int rc = sqlite3_step(s);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	rc = fail(db, rc, db->writes ? "cannot write the journal" : "cannot read the journal", e);
	(void)sqlite3_reset(s);
	return rc;
}

int db_run(struct db *db, sqlite3_stmt *s, struct err *e)
{
	int rc;

	do
		rc = db_step(db, s, e);
	while (rc > 0);
	(void)sqlite3_reset(s);
	return rc;
}

void db_reset(sqlite3_stmt *s)
{
	(void)sqlite3_reset(s);
}

int db_begin(struct db *db, struct err *e)
{
	sqlite3_stmt *s = NULL;

	if (db->in_transaction)
		return 0;
	if (db_prepare(db, 0, "BEGIN IMMEDIATE", &s, e) < 0 || db_run(db, s, e) < 0)
		return e->code;
	db->in_transaction = true;
	return 0;
}

int db_commit(struct db *db, struct err *e)
{
	sqlite3_stmt *s = NULL;

	if (!db->in_transaction)
		return 0;
	if (FAILPOINT("db.commit", e) < 0 || db_prepare(db, 1, "COMMIT", &s, e) < 0 || db_run(db, s, e) < 0)
		return e->code;
	db->in_transaction = false;
	return FAILPOINT("db.committed", e);
}

void db_rollback(struct db *db)
{
	if (db->in_transaction)
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	db->in_transaction = false;
}

int db_strict(struct db *db, struct err *e)
{
	return execute(db, "PRAGMA synchronous=FULL", "cannot write the journal", e);
}

int64_t db_last_id(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

void db_bind_int(sqlite3_stmt *s, int at, int64_t value)
{
	(void)sqlite3_bind_int64(s, at, value);
}

void db_bind_real(sqlite3_stmt *s, int at, double value)
{
	(void)sqlite3_bind_double(s, at, value);
}

void db_bind_text(sqlite3_stmt *s, int at, const char *text)
{
	(void)sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
}

void db_bind_blob(sqlite3_stmt *s, int at, const void *data, size_t len)
{
	(void)sqlite3_bind_blob64(s, at, data != NULL ? data : "", len, SQLITE_STATIC);
}

void db_bind_digest(sqlite3_stmt *s, int at, const struct digest *d)
{
	if (digest_is_zero(d))
		(void)sqlite3_bind_null(s, at);
	else
		(void)sqlite3_bind_blob(s, at, d->bytes, DIGEST_SIZE, SQLITE_STATIC);
}

int64_t db_int(sqlite3_stmt *s, int column)
{
	return sqlite3_column_int64(s, column);
}

double db_real(sqlite3_stmt *s, int column)
{
	return sqlite3_column_double(s, column);
}

bool db_is_null(sqlite3_stmt *s, int column)
{
	return sqlite3_column_type(s, column) == SQLITE_NULL;
}

const char *db_text(sqlite3_stmt *s, int column)
{
	const unsigned char *text = sqlite3_column_text(s, column);

	return text != NULL ? (const char *)text : "";
}

const void *db_blob(sqlite3_stmt *s, int column, size_t *len)
{
	const void *data = sqlite3_column_blob(s, column);

	*len = (size_t)sqlite3_column_bytes(s, column);
	return data != NULL ? data : "";
}

bool db_digest(sqlite3_stmt *s, int column, struct digest *out)
{
	size_t len;
	const void *data = db_blob(s, column, &len);

	memset(out, 0, sizeof *out);
	if (len != DIGEST_SIZE)
		return false;
	memcpy(out, data, DIGEST_SIZE);
	return true;
}

static int checkpoint(struct db *db, int mode, struct err *e)
{
	int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, NULL, NULL);

	if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
		return fail(db, rc, "the disk could not be made to keep the journal", e);
	return 0;
}

int db_checkpoint(struct db *db, struct err *e)
{
	if (db->in_transaction || db->wal_pages - db->brought_pages < WAL_PAGES)
		return 0;
	db->brought_pages = db->wal_pages;
	return checkpoint(db, SQLITE_CHECKPOINT_PASSIVE, e);
}

int db_empty_log(struct db *db, struct err *e)
{
	if (db->in_transaction || db->wal_pages < EMPTY_PAGES)
		return 0;
	(void)sqlite3_busy_timeout(db->handle, 0);
	return checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE, e);
}

void db_sync_no_more(struct db *db)
{
	(void)sqlite3_exec(db->handle, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
}
