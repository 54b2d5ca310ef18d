#include "store/runs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/db.h"
#include "store/project.h"
#include "store/rows.h"

#define PREFIX_MIN 4
#define NAMED_MAX  5 /* candidates of an ambiguous prefix that are named */

#define COLUMNS                                                                                    \
	"SELECT id, pid, began_ms, coalesce(ended_ms, 0), ran, reused, failed, dirty, "            \
	"coalesce(pinned_ms, 0), uuid, "                                                           \
	"state, cause, dag_path, dag_name, params, changed, commit_id, branch, source_note, "      \
	"host, boot_id, version, note, (SELECT coalesce(group_concat(name, ' '), '') FROM "        \
	"(SELECT name "                                                                            \
	"FROM tag WHERE tag.run = run.id ORDER BY name)), dag_digest, patch_digest, reuse_digest " \
	"FROM run "

static int not_found(const char *ref, struct err *e)
{
	err_set(e, ERR_NOTFOUND, "no run `%.80s`", ref);
	return err_hint(e, "`flow runs` lists them");
}

/* The id that a query for one gives. */
static int ask_id(
	struct db *db, struct sqlite3_stmt *s, int64_t *id, const char *ref, struct err *e)
{
	int rc = db_step(db, s, e);

	if (rc > 0)
		*id = db_int(s, 0);
	return rc < 0 ? rc : rc == 0 ? not_found(ref, e) : 0;
}

static int by_place(struct db *db, int64_t back, const char *ref, int64_t *id, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db,
		"SELECT id FROM run WHERE removed_ms IS NULL ORDER BY id DESC LIMIT 1 OFFSET ?", &s,
		e);

	if (rc == 0) {
		db_bind_int(s, 1, back);
		rc = ask_id(db, s, id, ref, e);
	}
	db_finish(s);
	return rc;
}

static int last_success(struct db *db, const char *ref, int64_t *id, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db,
		"SELECT id FROM run WHERE state = 'SUCCEEDED' AND removed_ms IS NULL ORDER BY id "
		"DESC LIMIT 1",
		&s, e);

	if (rc == 0)
		rc = ask_id(db, s, id, ref, e);
	db_finish(s);
	return rc;
}

/* "@{3}" -> 3; -1: it is not of that form. */
static int64_t places_back(const char *ref)
{
	char *end;
	long n;

	if (strncmp(ref, "@{", 2) != 0 || !isdigit((unsigned char)ref[2]))
		return -1;
	errno = 0;
	n = strtol(ref + 2, &end, 10);
	return errno == 0 && strcmp(end, "}") == 0 ? n : -1;
}

/* Can it be the beginning of a uuid? Written in lower case to `prefix` then. */
static bool is_prefix(const char *ref, char prefix[37])
{
	size_t len = strlen(ref), i;

	if (len < PREFIX_MIN || len > 36)
		return false;
	for (i = 0; i < len; i++) {
		if (!isxdigit((unsigned char)ref[i]) && ref[i] != '-')
			return false;
		prefix[i] = (char)tolower((unsigned char)ref[i]);
	}
	prefix[len] = '\0';
	return true;
}

static int ambiguous(const char *ref, const char *names, bool more, struct err *e)
{
	err_set(e, ERR_USAGE, "`%s` is the beginning of several runs: %s%s", ref, names,
		more ? ", ..." : "");
	return err_hint(e, "type more of it");
}

static int by_prefix(struct db *db, const char *ref, const char *prefix, int64_t *id, struct err *e)
{
	int shown = strlen(prefix) >= RUN_NAME - 1 ? 36 : RUN_NAME - 1;
	char names[NAMED_MAX * 40] = "";
	struct sqlite3_stmt *s = NULL;
	size_t count = 0, at = 0;
	int rc;

	/* `~` sorts behind everything a uuid is made of. */
	rc = db_query(db,
		"SELECT id, uuid FROM run WHERE uuid >= ?1 AND uuid < ?1 || '~' AND (removed_ms IS "
		"NULL OR uuid = ?1) "
		"ORDER BY id DESC LIMIT 6",
		&s, e);
	if (rc == 0)
		db_bind_text(s, 1, prefix);
	while (rc == 0 && (rc = db_step(db, s, e)) > 0) {
		if (count++ == 0)
			*id = db_int(s, 0);
		if (count <= NAMED_MAX)
			at += (size_t)snprintf(names + at, sizeof names - at, "%s%.*s",
				count > 1 ? ", " : "", shown, db_text(s, 1));
		rc = 0;
	}
	db_finish(s);
	if (rc < 0)
		return rc;
	if (count == 0)
		return not_found(ref, e);
	return count == 1 ? 0 : ambiguous(ref, names, count > NAMED_MAX, e);
}

static int by_tag(struct db *db, const char *ref, int64_t *id, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db, "SELECT run FROM tag WHERE name = ?", &s, e);

	if (rc == 0) {
		db_bind_text(s, 1, ref);
		rc = ask_id(db, s, id, ref, e);
	}
	db_finish(s);
	return rc;
}

int runs_resolve(struct db *db, const char *ref, int64_t *id, struct err *e)
{
	int64_t back = places_back(ref);
	char prefix[37];

	if (strcmp(ref, "@last") == 0)
		return by_place(db, 0, ref, id, e);
	if (strcmp(ref, "@last-ok") == 0)
		return last_success(db, ref, id, e);
	if (back >= 0)
		return by_place(db, back, ref, id, e);
	if (is_prefix(ref, prefix))
		return by_prefix(db, ref, prefix, id, e);
	return by_tag(db, ref, id, e);
}

static void read_run(struct sqlite3_stmt *s, struct arena *a, struct run_record *r)
{
	const char **texts[] = { &r->uuid, &r->state, &r->cause, &r->dag_path, &r->dag_name,
		&r->params, &r->changed, &r->commit_id, &r->branch, &r->note, &r->host, &r->boot_id,
		&r->version, &r->remark, &r->tags };
	int64_t *numbers[] = { &r->id, &r->pid, &r->began_ms, &r->ended_ms, &r->ran, &r->reused,
		&r->failed, &r->dirty, &r->pinned_ms };
	int column = 0;
	size_t i;

	for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
		*numbers[i] = db_int(s, column++);
	r->began_ms = row_time(r->began_ms);
	r->ended_ms = row_time(r->ended_ms);
	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = arena_strdup(a, db_text(s, column++));
	(void)db_digest(s, column++, &r->dag_digest);
	(void)db_digest(s, column++, &r->patch);
	(void)db_digest(s, column, &r->reuse);
	(void)snprintf(r->name, sizeof r->name, "%s", r->uuid);
}

int run_get(struct db *db, int64_t id, struct arena *a, struct run_record *out, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db, COLUMNS "WHERE id = ?", &s, e);

	if (rc == 0) {
		db_bind_int(s, 1, id);
		rc = db_step(db, s, e);
		if (rc > 0)
			read_run(s, a, out);
		else if (rc == 0)
			rc = err_set(e, ERR_NOTFOUND, "the journal has no run %lld", (long long)id);
	}
	db_finish(s);
	return rc < 0 ? rc : 0;
}

int run_find(struct db *db, const char *ref, struct arena *a, struct run_record *out, struct err *e)
{
	int64_t id;
	int rc = runs_resolve(db, ref, &id, e);

	return rc < 0 ? rc : run_get(db, id, a, out, e);
}

int runs_newest(struct db *db, const char *state, uint32_t limit, struct arena *a,
	struct run_list *out, struct err *e)
{
	struct run_list found = { 0 };
	struct sqlite3_stmt *s = NULL;
	int rc;

	rc = db_query(db,
		state != NULL ? COLUMNS "WHERE removed_ms IS NULL AND state = ?2 ORDER BY id DESC LIMIT ?1"
			      : COLUMNS "WHERE removed_ms IS NULL ORDER BY id DESC LIMIT ?1",
		&s, e);
	if (rc == 0)
		db_bind_int(s, 1, limit == 0 ? -1 : (int64_t)limit);
	if (rc == 0 && state != NULL)
		db_bind_text(s, 2, state);
	while (rc == 0 && (rc = db_step(db, s, e)) > 0) {
		struct run_record r = { 0 };

		read_run(s, a, &r);
		vec_push(&found, r);
		rc = 0;
	}
	db_finish(s);
	if (rc == 0)
		rows_keep(out, &found, a);
	rows_drop(&found);
	return rc;
}

bool run_is(const struct run_record *r, const char *state)
{
	return strcmp(r->state, state) == 0;
}

int64_t run_took_ms(const struct run_record *r, int64_t now_ms)
{
	int64_t end = r->ended_ms != 0 ? r->ended_ms : now_ms;

	return r->began_ms >= 0 && end > r->began_ms ? end - r->began_ms : 0;
}

/* The pid written into writer.lock while somebody holds it; 0: nobody does. */
static int64_t holder(const struct project *p)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char text[32];
	ssize_t n = 0;
	int fd = openat(p->flow_fd, "writer.lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return 0;
	if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		n = pread(fd, text, sizeof text - 1, 0);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? strtol(text, NULL, 10) : 0;
}

static bool is_of_this_boot(const struct run_record *r)
{
	char boot[37];

	return strcmp(r->boot_id, boot_id(boot)) == 0 && r->pid > 0 && r->pid <= INT_MAX;
}

bool run_holds_project(const struct project *p, const struct run_record *r)
{
	return is_of_this_boot(r) && holder(p) == r->pid;
}

bool run_is_alive(const struct project *p, const struct run_record *r)
{
	int64_t pid = is_of_this_boot(r) ? holder(p) : 0;

	if (pid == 0)
		return false;
	return pid == r->pid || kill((pid_t)r->pid, 0) == 0 || errno == EPERM;
}
