#include "cli/probe.h"

#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/program.h"
#include "base/units.h"
#include "base/child.h"
#include "stage/registry.h"
#include "store/db.h"
#include "store/source.h"

#define GIT_LIMIT_MS 10000
#define DISK_WARN    ((uint64_t)2 << 30)
#define DISK_FAIL    ((uint64_t)64 << 20)
#define FOLDER       ".flow-doctor.XXXXXX"

static void set(struct finding *f, enum finding_state state, const char *what, const char *text,
	const char *help)
{
	*f = (struct finding){ state, what, text, help };
}

void probe_worker(struct finding *f, struct arena *a)
{
	const char *path = program_path(a, "flow-worker");
	const char *argv[] = { path, "--version", NULL };
	struct child_answer answer;
	struct err e;

	if (child_ask(&answer, a, argv, NULL, 0, CHILD_LIMIT_MS, &e) < 0) {
		set(f, FINDING_FAIL, "worker", arena_strdup(a, e.text),
			"build or install flow again");
		return;
	}
	answer.text = arena_strndup(a, answer.text, strcspn(answer.text, "\n"));
	if (answer.status == 0 && strcmp(answer.text, "flow-worker " FLOW_VERSION) == 0)
		set(f, FINDING_OK, "worker", path, "");
	else
		set(f, FINDING_FAIL, "worker",
			arena_printf(
				a, "%s says `%s`, not version " FLOW_VERSION, path, answer.text),
			"build or install flow again, all of it");
}

void probe_stages(struct finding *f, struct arena *a)
{
	const char *const *names = NULL;
	struct buf list = { 0 };
	struct registry r;
	size_t count, i;

	registry_open(&r, a, NULL);
	count = registry_names(&r, a, &names);
	for (i = 0; i < count; i++)
		buf_printf(&list, "%s%s", i > 0 ? " " : "", names[i]);
	if (count > 0)
		set(f, FINDING_OK, "stages", buf_in(&list, a), "");
	else
		set(f, FINDING_FAIL, "stages", "no built-in stage was found",
			"they lie in stages/ beside flow, or in ../lib/flow/stages");
	buf_release(&list);
}

/* Waits for the helper for a bounded time. */
static int ask_git(struct source_answer *answer, struct arena *a, struct err *e)
{
	int64_t until = clock_mono_ms() + GIT_LIMIT_MS, left;
	const char *helper = program_path(a, "flow-source");
	char *root = realpath(".", NULL);
	struct source s;
	int rc;

	if (root == NULL)
		return err_system(e, "cannot tell this folder");
	rc = source_ask(&s, helper, root, NULL, 0, e);
	free(root);
	if (rc < 0)
		return rc;
	while ((rc = source_read(&s, answer, a, e)) == 0 && (left = until - clock_mono_ms()) > 0) {
		struct pollfd ready = { .fd = s.fd, .events = POLLIN };

		(void)poll(&ready, 1, (int)left);
	}
	if (rc == 0)
		rc = err_set(e, ERR_SYSTEM, "`%s` did not answer within 10 s", helper);
	source_close(&s);
	return rc < 0 ? rc : 0;
}

void probe_git(struct finding *f, struct arena *a)
{
	struct source_answer answer;
	struct err e;

	if (ask_git(&answer, a, &e) < 0) {
		set(f, FINDING_FAIL, "git", arena_strdup(a, e.text), "build or install flow again");
		return;
	}
	if (answer.commit[0] == '\0') {
		set(f, FINDING_WARN, "git", answer.note[0] != '\0' ? answer.note : "no commit",
			"runs are recorded without a commit: `git init`, then commit");
		return;
	}
	set(f, FINDING_OK, "git",
		arena_printf(a, "%s%s%.7s, %u file%s not committed", answer.branch,
			answer.branch[0] != '\0' ? " @ " : "", answer.commit, answer.dirty,
			answer.dirty == 1 ? "" : "s"),
		"");
}

static int sqlite_failed(sqlite3 *handle, struct err *e)
{
	err_set(e, ERR_SYSTEM, "SQLite cannot work here: %s", sqlite3_errmsg(handle));
	(void)sqlite3_close(handle);
	return e->code;
}

static int try_sqlite(const char *folder, struct arena *a, struct err *e)
{
	const char *path = arena_printf(a, "%s/try.db", folder), *mode;
	sqlite3_stmt *s = NULL;
	sqlite3 *handle = NULL;
	bool is_wal;

	if (sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
			SQLITE_OK ||
		sqlite3_prepare_v2(handle, "PRAGMA journal_mode=WAL", -1, &s, NULL) != SQLITE_OK ||
		sqlite3_step(s) != SQLITE_ROW) {
		(void)sqlite3_finalize(s);
		return sqlite_failed(handle, e);
	}
	mode = (const char *)sqlite3_column_text(s, 0);
	is_wal = mode != NULL && strcmp(mode, "wal") == 0;
	(void)sqlite3_finalize(s);
	if (!is_wal) {
		(void)sqlite3_close(handle);
		return err_set(e, ERR_SYSTEM, "SQLite has no write-ahead log on this file system");
	}
	if (sqlite3_exec(handle, "CREATE TABLE t(x); INSERT INTO t VALUES(1)", NULL, NULL, NULL) !=
		SQLITE_OK)
		return sqlite_failed(handle, e);
	(void)sqlite3_close(handle);
	return 0;
}

static int try_lock(const char *folder, struct arena *a, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(arena_printf(a, "%s/lock", folder), O_RDWR | O_CREAT | O_CLOEXEC, 0600),
	    rc = 0;

	if (fd < 0)
		return err_system(e, "cannot write in `%s`", folder);
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		rc = err_system(e, "this file system has no locks");
	(void)close(fd);
	return rc;
}

void probe_folder(struct finding *f, struct arena *a)
{
	char folder[] = FOLDER;
	bool links;
	struct err e;
	int rc;

	if (mkdtemp(folder) == NULL) {
		err_system(&e, "this folder cannot be written");
		set(f, FINDING_FAIL, "folder", arena_strdup(a, e.text),
			"flow keeps .flow beside dag.yaml");
		return;
	}
	rc = try_lock(folder, a, &e);
	if (rc == 0)
		rc = try_sqlite(folder, a, &e);
	links = link(arena_printf(a, "%s/lock", folder), arena_printf(a, "%s/again", folder)) == 0;
	if (rc < 0)
		set(f, FINDING_FAIL, "folder", arena_strdup(a, e.text),
			"use a folder on a local disk");
	else if (!links)
		set(f, FINDING_WARN, "folder", "writable, without hard links",
			"outs are copied into the store, which takes their space twice");
	else
		set(f, FINDING_OK, "folder", "writable; locks, hard links and SQLite's WAL work",
			"");
	(void)tree_remove(AT_FDCWD, folder, &e);
}

void probe_journal(struct finding *f, struct arena *a)
{
	struct project p;
	struct db db;
	struct err e;
	int rc = project_open(&p, ".", PROJECT_READ, &e);

	if (rc == ERR_NOTFOUND) {
		set(f, FINDING_OK, "journal", "none yet: this folder had no run", "");
		return;
	}
	if (rc == 0) {
		rc = db_open(&db, &p, PROJECT_READ, &e);
		if (rc == 0)
			db_close(&db);
		project_close(&p);
	}
	if (rc < 0 && rc != ERR_NOTFOUND)
		set(f, FINDING_FAIL, "journal", arena_strdup(a, e.text), arena_strdup(a, e.hint));
	else
		set(f, FINDING_OK, "journal", ".flow/flow.db can be read", "");
}

void probe_disk(struct finding *f, struct arena *a)
{
	struct statvfs fs;
	char size[UNITS_TEXT];
	uint64_t left;

	if (statvfs(".", &fs) < 0) {
		set(f, FINDING_WARN, "disk", "cannot tell how much is free", "");
		return;
	}
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	set(f,
		left < DISK_FAIL   ? FINDING_FAIL
		: left < DISK_WARN ? FINDING_WARN
				   : FINDING_OK,
		"disk", arena_printf(a, "%s free", size_text(left, size)),
		left < DISK_WARN ? "outs are kept in .flow/objects" : "");
}

void probe_machine(struct finding *f, struct arena *a)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES);
	long page = sysconf(_SC_PAGESIZE);
	char size[UNITS_TEXT];

	set(f, FINDING_OK, "machine",
		arena_printf(a, "%ld core%s, %s of memory", cores, cores == 1 ? "" : "s",
			size_text((uint64_t)pages * (uint64_t)page, size)),
		"");
}
