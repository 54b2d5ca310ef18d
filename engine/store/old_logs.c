#include "store/old_logs.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "base/file.h"
#include "base/path.h"
#include "base/vec.h"
#include "store/db.h"
#include "store/needs.h"

#define PATH_ROOM 160

static const char *const folders[] = { "logs", "runs", NULL };

static const char *path_of(char path[PATH_ROOM], const char *folder, const char *run)
{
	(void)snprintf(path, PATH_ROOM, "%s/%s", folder, run);
	return path;
}

/* Has one of its attempts made what is kept? */
static int made_kept(struct db *db, struct sqlite3_stmt *attempts, int64_t run, const struct needs *needs, struct err *e)
{
	int rc, is_kept = 0;

	db_bind_int(attempts, 1, run);
	while ((rc = db_step(db, attempts, e)) > 0)
		is_kept |= needs_keep(needs, db_int(attempts, 0));
	db_reset(attempts);
	return rc < 0 ? rc : is_kept;
}

static void look(struct old_logs *l, int flow_fd, const char *run)
{
	char path[PATH_ROOM];
	bool has = false;
	size_t i;

	if (!name_is_valid(run)) /* of a damaged journal: it might lead out of the folder */
		return;
	for (i = 0; folders[i] != NULL; i++)
		if (file_exists(flow_fd, path_of(path, folders[i], run))) {
			l->bytes += tree_bytes(flow_fd, path);
			has = true;
		}
	if (has)
		vec_push(&l->runs, arena_strdup(&l->arena, run));
}

int old_logs_find(struct old_logs *l, int flow_fd, struct db *db, const struct needs *needs, struct err *e)
{
	struct sqlite3_stmt *runs = NULL, *attempts = NULL;
	int rc = db_query(db, "SELECT id, uuid FROM run WHERE ended_ms IS NOT NULL", &runs, e);

	if (rc == 0)
		rc = db_query(db, "SELECT id FROM attempt WHERE run = ?", &attempts, e);
	while (rc == 0 && (rc = db_step(db, runs, e)) > 0) {
		int kept = needs_run(needs, db_int(runs, 0)) ? 1 : made_kept(db, attempts, db_int(runs, 0), needs, e);

		if (kept == 0)
			look(l, flow_fd, db_text(runs, 1));
		rc = kept < 0 ? kept : 0;
	}
	db_finish(attempts);
	db_finish(runs);
	return rc < 0 ? rc : 0;
}

int old_logs_remove(const struct old_logs *l, int flow_fd, struct err *e)
{
	char path[PATH_ROOM];
	size_t i, k;

	for (i = 0; i < l->runs.count; i++)
		for (k = 0; folders[k] != NULL; k++)
			if (tree_remove(flow_fd, path_of(path, folders[k], l->runs.items[i]), e) < 0)
				return e->code;
	return 0;
}

void old_logs_release(struct old_logs *l)
{
	vec_release(&l->runs);
	arena_release(&l->arena);
}
