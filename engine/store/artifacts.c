#include "store/artifacts.h"

#include <string.h>

#include "store/db.h"
#include "store/rows.h"
#include "store/tasks.h"

#define COLUMNS "SELECT attempt, name, path, digest, size, mode FROM artifact "

bool artifact_is_folder(const struct artifact_record *r)
{
	return (r->made.mode & MADE_FOLDER) != 0;
}

bool artifact_is_absent(const struct artifact_record *r)
{
	return (r->made.mode & MADE_ABSENT) != 0;
}

static void read_artifact(struct sqlite3_stmt *s, struct arena *a, struct artifact_record *r)
{
	r->attempt = db_int(s, 0);
	r->name = arena_strdup(a, db_text(s, 1));
	r->path = arena_strdup(a, db_text(s, 2));
	(void)db_digest(s, 3, &r->made.digest);
	r->made.size = (uint64_t)db_int(s, 4);
	r->made.mode = (uint32_t)db_int(s, 5);
}

/* All rows of a bound statement onto the end of `found`. */
static int collect(struct db *db, struct sqlite3_stmt *s, struct arena *a,
	struct artifact_list *found, struct err *e)
{
	int rc = 0;

	while (found->count < ARTIFACTS_MAX && (rc = db_step(db, s, e)) > 0) {
		struct artifact_record r;

		read_artifact(s, a, &r);
		vec_push(found, r);
	}
	return rc < 0 ? rc : 0;
}

static int finish(struct sqlite3_stmt *s, int rc, struct arena *a, struct artifact_list *found,
	struct artifact_list *out)
{
	db_finish(s);
	if (rc == 0)
		rows_keep(out, found, a);
	rows_drop(found);
	return rc;
}

int artifacts_of(
	struct db *db, int64_t attempt, struct arena *a, struct artifact_list *out, struct err *e)
{
	struct id_list one = { &attempt, 1, 1 };

	return artifacts_of_all(db, &one, a, out, e);
}

int artifacts_of_all(struct db *db, const struct id_list *attempts, struct arena *a,
	struct artifact_list *out, struct err *e)
{
	struct artifact_list found = { 0 };
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db, COLUMNS "WHERE attempt = ? ORDER BY position", &s, e);
	size_t i;

	for (i = 0; i < attempts->count && rc == 0; i++) {
		db_bind_int(s, 1, attempts->items[i]);
		rc = collect(db, s, a, &found, e);
		db_reset(s);
	}
	return finish(s, rc, a, &found, out);
}

int artifacts_at(
	struct db *db, const char *path, struct arena *a, struct artifact_list *out, struct err *e)
{
	struct artifact_list found = { 0 };
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db, COLUMNS "WHERE path = ? ORDER BY attempt DESC", &s, e);

	if (rc == 0) {
		db_bind_text(s, 1, path);
		rc = collect(db, s, a, &found, e);
	}
	return finish(s, rc, a, &found, out);
}

int artifacts_between(struct db *db, const struct digest *least, const struct digest *most,
	struct arena *a, struct artifact_list *out, struct err *e)
{
	struct artifact_list found = { 0 };
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db, COLUMNS "WHERE digest BETWEEN ? AND ? ORDER BY attempt DESC", &s, e);

	if (rc == 0) {
		db_bind_blob(s, 1, least->bytes, DIGEST_SIZE);
		db_bind_blob(s, 2, most->bytes, DIGEST_SIZE);
		rc = collect(db, s, a, &found, e);
	}
	return finish(s, rc, a, &found, out);
}

int makers_open(struct makers *m, struct db *db, struct err *e)
{
	int rc;

	*m = (struct makers){ .db = db };
	/* The plus keeps SQLite from walking all artifacts of a digest: empty files have many. */
	rc = db_query(db,
		COLUMNS "WHERE path = ? AND attempt < ? AND +digest = ? ORDER BY attempt DESC",
		&m->exact, e);
	if (rc == 0)
		rc = db_query(db, COLUMNS "WHERE path = ? AND attempt < ? ORDER BY attempt DESC",
			&m->newest, e);
	if (rc == 0)
		rc = db_query(db,
			COLUMNS
			"WHERE path > ? || '/' AND path < ?1 || '0' ORDER BY path, attempt DESC",
			&m->below, e);
	if (rc == 0)
		rc = db_query(db,
			"SELECT 1 FROM artifact WHERE path > ?1 || '/' AND path < ?1 || '0' LIMIT "
			"1",
			&m->any_below, e);
	if (rc == 0)
		rc = db_query(db, COLUMNS "WHERE attempt = ? ORDER BY position", &m->outs, e);
	if (rc < 0)
		makers_close(m);
	return rc;
}

void makers_close(struct makers *m)
{
	db_finish(m->exact);
	db_finish(m->newest);
	db_finish(m->below);
	db_finish(m->any_below);
	db_finish(m->outs);
	*m = (struct makers){ 0 };
}

int maker_outs(struct makers *m, int64_t attempt, struct arena *a, struct artifact_list *out,
	struct err *e)
{
	int rc;

	db_bind_int(m->outs, 1, attempt);
	rc = collect(m->db, m->outs, a, out, e);
	db_reset(m->outs);
	return rc;
}

int maker_find(struct makers *m, const char *path, const struct digest *d, int64_t before,
	const struct id_list *within, struct arena *a, struct artifact_record *out, struct err *e)
{
	struct sqlite3_stmt *s = d != NULL ? m->exact : m->newest;
	bool found = false, is_preferred = within == NULL;
	int rc = 0;

	db_bind_text(s, 1, path);
	db_bind_int(s, 2, before);
	if (d != NULL)
		db_bind_blob(s, 3, d->bytes, DIGEST_SIZE);
	while (!(found && is_preferred) && (rc = db_step(m->db, s, e)) > 0) {
		is_preferred = within == NULL || id_list_has(within, db_int(s, 0));
		if (!found || is_preferred)
			read_artifact(s, a, out);
		found = true;
	}
	db_reset(s);
	return rc < 0 ? rc : found;
}

int maker_below_exists(struct makers *m, const char *folder, struct err *e)
{
	int rc;

	db_bind_text(m->any_below, 1, folder);
	rc = db_step(m->db, m->any_below, e);
	db_reset(m->any_below);
	return rc;
}

int makers_below(struct makers *m, const char *folder, const struct id_list *within,
	struct arena *a, struct artifact_list *out, struct err *e)
{
	struct artifact_list found = { 0 };
	int rc = 0;

	db_bind_text(m->below, 1, folder);
	while (found.count < ARTIFACTS_MAX && (rc = db_step(m->db, m->below, e)) > 0) {
		struct artifact_record r;

		if (!id_list_has(within, db_int(m->below, 0)) ||
			(found.count > 0 && strcmp(found.items[found.count - 1].path,
						    db_text(m->below, 2)) == 0))
			continue;
		read_artifact(m->below, a, &r);
		vec_push(&found, r);
	}
	db_reset(m->below);
	return finish(NULL, rc < 0 ? rc : 0, a, &found, out);
}
