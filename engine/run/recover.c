#include "run/recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/move.h"
#include "base/path.h"
#include "base/vec.h"
#include "plan/key.h"
#include "run/exec.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/objects.h"
#include "store/project.h"
#include "store/stats.h"

#define SWEEP_MS 5000
#define TICK_MS  10 /* file times are that coarse */

struct salvage {
	const struct project *project;
	struct db *db;
	struct stats *stats;
	struct recovery *found;
	uint32_t put_aside; /* damaged objects */
	struct arena arena;
	bool brought_back;
};

/* A run, or an attempt, that the journal believes to be going on. */
struct open_row {
	int64_t id, began_ms;
	const char *name; /* uuid; task */
	const char *boot, *folder;
	const char *earlier; /* where the folder of the attempt before went when that had failed; "": it is the first */
	const void *parts;
	size_t parts_len;
};

struct open_rows {
	struct open_row *items;
	size_t count, cap;
};

/* -- outs ------------------------------------------------------------------------------------------------------------- */

/* A previous out that lies in the work folder comes back: prev-<i>, whose place is told by the link path-<i>.<attempt>. */
static int bring_back(struct salvage *v, const char *folder, const char *link, struct err *e)
{
	const struct project *p = v->project;
	char path[4096], name[512];
	ssize_t len;

	(void)snprintf(name, sizeof name, "%s/%s", folder, link);
	len = readlinkat(p->flow_fd, name, path, sizeof path - 1);
	if (len < 0 && errno != EINVAL && errno != ENOENT)
		return err_system(e, "cannot read where a previous out belongs");
	if (len <= 0)
		return 0; /* the stage's own file of that name */
	path[len] = '\0';
	(void)snprintf(name, sizeof name, "%s/prev-%.*s", folder, (int)strcspn(link + 5, "."), link + 5);
	if (path_leaves(path) || !file_exists(p->flow_fd, name))
		return 0;
	if (tree_remove(p->root_fd, path, e) < 0 ||
		folder_make_parents(p->root_fd, path, 0777, e) < 0)
		return e->code;
	if (FAILPOINT("recover.bring-back", e) < 0 || tree_move(p->flow_fd, name, p->root_fd, path, e) < 0)
		return err_context(e, "previous out");
	stats_forget(v->stats, path);
	v->brought_back = true;
	return 0;
}

/* Does the link path-<i>.<attempt> belong to an attempt that has succeeded? Then what it replaced is of the past. The folder is
 * work/<uuid of the run>.<number>: after a power loss the same attempt number may be that of another run.
 */
static int is_of_success(struct salvage *v, const char *folder, const char *link, bool *is, struct err *e)
{
	const char *attempt = strchr(link, '.'), *run = strchr(folder, '/');
	struct sqlite3_stmt *s = NULL;
	int rc;

	*is = false;
	if (attempt == NULL || run == NULL)
		return 0;
	if (db_query(v->db,
		    "SELECT 1 FROM attempt JOIN run ON run.id = attempt.run "
		    "WHERE attempt.id = ? AND attempt.state = 'SUCCEEDED' AND run.uuid = ?",
		    &s, e) < 0)
		return e->code;
	db_bind_int(s, 1, strtoll(attempt + 1, NULL, 10));
	db_bind_text(s, 2, arena_strndup(&v->arena, run + 1, strcspn(run + 1, ".")));
	rc = db_step(v->db, s, e);
	*is = rc > 0;
	db_finish(s);
	return rc < 0 ? rc : 0;
}

static int bring_all_back(struct salvage *v, const char *folder, struct err *e)
{
	struct dirent *entry;
	bool is = false;
	int fd, rc = 0;
	DIR *dir;

	(void)fchmodat(v->project->flow_fd, folder, 0700, AT_SYMLINK_NOFOLLOW); /* its stage may have closed it */
	fd = openat(v->project->flow_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL && errno != ENOENT && errno != ENOTDIR)
		return err_system(e, "cannot open `.flow/%s`", folder);
	if (dir == NULL)
		return 0; /* it was cleared away already */
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, "path-", 5) == 0 &&
			(rc = is_of_success(v, folder, entry->d_name, &is, e)) == 0 && !is)
			rc = bring_back(v, folder, entry->d_name, e);
	closedir(dir);
	return rc;
}

/* What a lost attempt had written in place, when nothing was there before: younger than the attempt itself. */
static int remove_partial(struct salvage *v, const char *path, int64_t began_ms, struct err *e)
{
	struct stat st;

	if (path_leaves(path) || fstatat(v->project->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (st.st_ctim.tv_sec * INT64_C(1000) + st.st_ctim.tv_nsec / 1000000 < began_ms - TICK_MS)
		return 0;
	stats_forget(v->stats, path);
	return tree_remove(v->project->root_fd, path, e);
}

/* Is the out's place told by a link path-<i> of the folder? Then something lay there before, and lies there again. */
static bool was_moved(struct salvage *v, const char *folder, const char *path)
{
	int fd = openat(v->project->flow_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	char target[4096];
	bool found = dir == NULL && errno != ENOENT; /* who cannot tell leaves alone what lies there */

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		ssize_t len = strncmp(entry->d_name, "path-", 5) == 0
				      ? readlinkat(dirfd(dir), entry->d_name, target, sizeof target)
				      : -1;

		found = len > 0 && (size_t)len == strlen(path) &&
			memcmp(target, path, (size_t)len) == 0;
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* The folder that tells it is the attempt's own, or that of one before it: kept for inspection, unless the power took that move. */
static bool was_moved_by_any(struct salvage *v, const struct open_row *a, const char *path)
{
	int fd = openat(v->project->flow_fd, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	bool found = was_moved(v, a->earlier, path) || dir == NULL;

	while (!found && (entry = readdir(dir)) != NULL)
		found = entry->d_name[0] != '.' &&
			was_moved(v, arena_printf(&v->arena, "work/%s", entry->d_name), path);
	if (dir != NULL)
		closedir(dir);
	return found;
}

/* The value of a PART_OUT is its path, then words behind NULs; a checkpoint stays. */
static int remove_partials(struct salvage *v, const struct open_row *a, struct err *e)
{
	struct part_view view;
	size_t at = 0;

	/* It went when the attempt was over and its outs were put back, or recovered from, and only the record of that is missing: what lies
	 * there may be the user's. */
	if (!file_exists(v->project->flow_fd, a->folder))
		return 0;
	while (parts_next(a->parts, a->parts_len, &at, &view)) {
		const char *path = arena_strndup(&v->arena, view.value, view.value_len);

		if (view.part != PART_OUT ||
			memmem(view.value, view.value_len, "\0checkpoint", 11) != NULL ||
			was_moved_by_any(v, a, path))
			continue;
		if (remove_partial(v, path, a->began_ms, e) < 0)
			return e->code;
	}
	return 0;
}

/* -- rows ------------------------------------------------------------------------------------------------------------- */

static int read_rows(
	struct salvage *v, const char *sql, int64_t run, struct open_rows *rows, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(v->db, sql, &s, e);

	if (rc == 0)
		db_bind_int(s, 1, run);
	while (rc == 0 && (rc = db_step(v->db, s, e)) > 0) {
		struct open_row row = { .id = db_int(s, 0),
			.name = arena_strdup(&v->arena, db_text(s, 1)),
			.boot = arena_strdup(&v->arena, db_text(s, 2)),
			.folder = arena_strdup(&v->arena, db_text(s, 3)),
			.began_ms = db_int(s, 4),
			.earlier = arena_strdup(&v->arena, db_text(s, 6)) };
		const void *parts = db_blob(s, 5, &row.parts_len);

		row.parts = arena_dup(&v->arena, parts, row.parts_len);
		vec_push(rows, row);
		rc = 0;
	}
	db_finish(s);
	return rc;
}

static int lose_attempt(struct salvage *v, const struct open_row *a, struct err *e)
{
	struct attempt_end end = { .attempt = a->id,
		.ended_ms = clock_wall_ms(),
		.state = "LOST",
		.error = "flow ended before it did",
		.exit_code = -1,
		.signal = -1 };
	struct sqlite3_stmt *s = NULL;
	struct stat st;

	v->found->attempts++;
	if (FAILPOINT("recover.attempt", e) < 0 || bring_all_back(v, a->folder, e) < 0 ||
		FAILPOINT("recover.partials", e) < 0 || remove_partials(v, a, e) < 0)
		return e->code;
	/* What it logged is kept: to the end of the slot's file. */
	if (db_query(v->db, "SELECT log_from, log FROM attempt WHERE id = ?", &s, e) < 0)
		return e->code;
	db_bind_int(s, 1, a->id);
	if (db_step(v->db, s, e) > 0) {
		end.log_from = (uint64_t)db_int(s, 0);
		end.log_to = fstatat(v->project->flow_fd, db_text(s, 1), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
					     (uint64_t)st.st_size > end.log_from
				     ? (uint64_t)st.st_size
				     : end.log_from;
	}
	db_finish(s);
	return journal_attempt_end(v->db, &end, e);
}

static int close_run(struct salvage *v, const struct open_row *run, struct err *e)
{
	static const char open_attempts[] =
		"SELECT a.id, a.task, '', a.folder, a.began_ms, a.parts, "
		"CASE a.number WHEN 1 THEN '' "
		"ELSE 'runs/' || run.uuid || '/' || a.task || '/' || (a.number - 1) END "
		"FROM attempt a JOIN run ON run.id = a.run "
		"WHERE a.run = ? AND a.state IN ('STARTING','RUNNING')";
	struct open_rows attempts = { 0 };
	struct run_end end = { .state = "INTERRUPTED", .ended_ms = clock_wall_ms() };
	struct sqlite3_stmt *s = NULL;
	char boot[37];
	size_t i;
	int rc;

	v->found->runs++;
	if (FAILPOINT("recover.run", e) < 0)
		return e->code;
	if (strcmp(run->boot, boot_id(boot)) == 0)
		v->found->processes += exec_sweep(run->name, SWEEP_MS);
	rc = FAILPOINT("recover.swept", e) < 0 ? e->code : read_rows(v, open_attempts, run->id, &attempts, e);
	for (i = 0; i < attempts.count && rc == 0; i++)
		rc = lose_attempt(v, &attempts.items[i], e);
	vec_release(&attempts);
	if (rc == 0)
		rc = db_query(v->db,
			"UPDATE task SET state = 'SKIPPED' WHERE run = ? AND state IN "
			"('PENDING','READY','RUNNING','BACKOFF')",
			&s, e);
	if (rc == 0) {
		db_bind_int(s, 1, run->id);
		rc = db_run(v->db, s, e);
		db_finish(s);
	}
	if (rc == 0 && (rc = db_query(v->db,
				"SELECT count(*) FILTER (WHERE state = 'SUCCEEDED'), "
				"count(*) FILTER (WHERE state = 'REUSED'), "
				"count(*) FILTER (WHERE state = 'FAILED') FROM task WHERE run = ?",
				&s, e)) == 0) {
		db_bind_int(s, 1, run->id);
		if (db_step(v->db, s, e) > 0)
			end.ran = (uint32_t)db_int(s, 0), end.reused = (uint32_t)db_int(s, 1),
			end.failed = (uint32_t)db_int(s, 2);
		db_finish(s);
	}
	if (rc == 0)
		rc = FAILPOINT("recover.closed", e);
	return rc == 0 ? journal_run_end(v->db, run->id, &end, e) : rc;
}

/* -- after a reboot --------------------------------------------------------------------------------------------------- */

/* The out in the work tree may have come through where its object did not: then it is taken again. */
static bool take_again(struct salvage *v, const struct objects *o, const char *path, const struct made *made)
{
	struct digest now;
	struct made again;
	struct stat_id id;
	struct err e;

	return stats_digest(v->stats, o->root_fd, path, &now, &e) == 0 && digest_same(&now, &made->digest) &&
	       object_take(o, o->root_fd, path, &again, &id, &e) == 0;
}

/* Outs that were committed but perhaps not on the disk when the power went: the damaged are put aside, so that their tasks run
 * again. */
static int check_young(struct salvage *v, int64_t durable, struct err *e)
{
	struct objects o = objects_of(v->project);
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(
		v->db, "SELECT DISTINCT digest, size, mode, path FROM artifact WHERE attempt > ? AND gone = ''", &s, e);

	if (rc == 0)
		db_bind_int(s, 1, durable);
	while (rc == 0 && (rc = db_step(v->db, s, e)) > 0) {
		struct made made = { .size = (uint64_t)db_int(s, 1),
			.mode = (uint32_t)db_int(s, 2) };

		rc = 0;
		if (!db_digest(s, 0, &made.digest) || object_check(&o, &made))
			continue;
		v->put_aside++;
		v->found->damaged += !take_again(v, &o, db_text(s, 3), &made);
	}
	db_finish(s);
	return rc;
}

/* The one number that a query has for an answer. */
static int ask(struct salvage *v, const char *sql, int64_t *number, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(v->db, sql, &s, e);

	*number = 0;
	if (rc == 0 && (rc = db_step(v->db, s, e)) > 0)
		*number = db_int(s, 0);
	db_finish(s);
	return rc < 0 ? rc : 0;
}

static int check_after_reboot(struct salvage *v, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int64_t durable, last;
	bool rebooted;
	char boot[37];

	if (journal_rebooted(v->db, &rebooted, e) < 0)
		return e->code;
	if (!rebooted)
		return 0;
	if (ask(v, "SELECT attempt FROM durable", &durable, e) < 0 || ask(v, "SELECT max(id) FROM attempt", &last, e) < 0 ||
		check_young(v, durable, e) < 0)
		return e->code;
	/* What was put aside must stay away, and what was taken again be there, before the journal says that all is well: the power may go
	 * again. */
	if (v->put_aside > 0 && project_sync(v->project) < 0)
		return err_system(e, "the disk could not be made to keep what was put aside");
	if (db_begin(v->db, e) < 0 || db_query(v->db, "DELETE FROM file", &s, e) < 0)
		return e->code;
	if (db_run(v->db, s, e) < 0) {
		db_finish(s);
		return e->code;
	}
	db_finish(s);
	/* What is to be made again comes under the names that old records know: not durable until the next sync. */
	return journal_durable(v->db, boot_id(boot), v->found->damaged > 0 ? durable : last, e);
}

/* -- folders ---------------------------------------------------------------------------------------------------------- */

static bool is_any(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* What file_write_atomic had not renamed yet. */
static bool is_temporary(const char *name)
{
	return strstr(name, ".tmp.") != NULL;
}

/* Rid the folder of what a process left that died outside a run's rows: before its first commit, after its last. */
static int clear_folder(
	struct salvage *v, const char *folder, bool (*goes)(const char *name), struct err *e)
{
	int fd = openat(v->project->flow_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return folder_make(v->project->flow_fd, folder, 0700, e);
	}
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (goes(entry->d_name))
			rc = tree_remove(dirfd(dir), entry->d_name, e);
	closedir(dir);
	return rc;
}

/* Back with what lay in the place of outs: the power may have taken the row of the attempt that had put it, perhaps the user's own file,
 * into its folder. Then the folder goes at once, not bit by bit: without its links it would be that of an attempt that had moved nothing.
 */
static int clear_work(struct salvage *v, const char *name, struct err *e)
{
	const char *folder = arena_printf(&v->arena, "work/%s", name), *to = arena_printf(&v->arena, "objects/tmp/%s", name);
	int flow = v->project->flow_fd;

	if (bring_all_back(v, folder, e) < 0 || tree_remove(flow, to, e) < 0 || folder_make_parents(flow, to, 0700, e) < 0)
		return e->code;
	return renameat(flow, folder, flow, to) < 0 ? err_system(e, "cannot clear `.flow/%s`", folder) : 0;
}

static int clear_all_work(struct salvage *v, struct err *e)
{
	int fd = openat(v->project->flow_fd, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (dir == NULL)
		return folder_make(v->project->flow_fd, "work", 0700, e);
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (is_any(entry->d_name))
			rc = clear_work(v, entry->d_name, e);
	closedir(dir);
	return rc;
}

static int clear_folders(struct salvage *v, struct err *e)
{
	if (clear_all_work(v, e) < 0 || clear_folder(v, "objects/tmp", is_any, e) < 0)
		return e->code;
	return clear_folder(v, ".", is_temporary, e);
}

int recover(const struct project *p, struct db *db, struct stats *stats, struct recovery *found,
	struct err *e)
{
	static const char open_runs[] =
		"SELECT id, uuid, boot_id, '', began_ms, '', '', '' FROM run "
		"WHERE state IN ('CREATED','RUNNING') AND id > ? ORDER BY id";
	struct salvage v = { .project = p, .db = db, .stats = stats, .found = found };
	struct open_rows runs = { 0 };
	size_t i;
	int rc;

	*found = (struct recovery){ .runs = 0 };
	rc = read_rows(&v, open_runs, 0, &runs, e);
	if (rc == 0 && runs.count > 0)
		rc = db_begin(db, e);
	for (i = 0; i < runs.count && rc == 0; i++)
		rc = close_run(&v, &runs.items[i], e);
	if (rc == 0)
		rc = check_after_reboot(&v, e);
	if (rc == 0)
		rc = FAILPOINT("recover.recorded", e) < 0 ? e->code : db_commit(db, e);
	if (rc == 0)
		rc = FAILPOINT("recover.clear", e) < 0 ? e->code : clear_folders(&v, e);
	if (rc < 0)
		db_rollback(db);
	/* An attempt that begins now and is lost at once must find what came back older than itself. */
	if (v.brought_back)
		(void)nanosleep(&(struct timespec){ 0, 2 * TICK_MS * 1000000 }, NULL);
	vec_release(&runs);
	arena_release(&v.arena);
	return rc;
}
