#include "store/measures.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "store/db.h"
#include "store/rows.h"
#include "store/tasks.h"

static double value_at(struct sqlite3_stmt *s, int column)
{
	return db_is_null(s, column) ? (double)NAN : db_real(s, column);
}

static void fold(struct measure *m, int64_t step, double value)
{
	if (step < 0) {
		m->value = value;
		m->whole = true;
		return;
	}
	if (!m->whole)
		m->value = value;
	if (m->steps == 0 || isnan(m->least) || value < m->least) {
		m->least = value;
		m->least_step = step;
	}
	if (m->steps == 0 || isnan(m->most) || value > m->most) {
		m->most = value;
		m->most_step = step;
	}
	m->last_step = step;
	m->steps++;
}

/* All metrics of one attempt; its rows come by name, then by step. */
static int add_attempt(struct db *db, struct sqlite3_stmt *rows, int64_t attempt, struct arena *a,
	struct measure_list *found, struct err *e)
{
	size_t first = found->count;
	int rc;

	db_bind_int(rows, 1, attempt);
	while ((rc = db_step(db, rows, e)) > 0) {
		const char *name = db_text(rows, 0);

		if (found->count == first ||
			strcmp(found->items[found->count - 1].name, name) != 0) {
			struct measure m = { .attempt = attempt, .name = arena_strdup(a, name) };

			if (found->count >= MEASURES_MAX)
				break;
			vec_push(found, m);
		}
		fold(&found->items[found->count - 1], db_int(rows, 1), value_at(rows, 2));
	}
	db_reset(rows);
	return rc < 0 ? rc : 0;
}

/* The first attempt from `from` on that has metrics; 0: none. */
static int next_with(
	struct db *db, struct sqlite3_stmt *seek, int64_t from, int64_t *attempt, struct err *e)
{
	int rc;

	db_bind_int(seek, 1, from);
	rc = db_step(db, seek, e);
	*attempt = rc > 0 ? db_int(seek, 0) : 0;
	db_reset(seek);
	if (rc > 0 && *attempt < from) { /* text sorts behind every number; a damaged page sorts anyhow */
		err_set(e, ERR_CORRUPT, "cannot read metrics: flow.db is damaged: one is of no attempt");
		err_hint(e, "move .flow/flow.db away to start a new journal; objects are kept");
		return err_id(e, "E0503");
	}
	return rc < 0 ? rc : 0;
}

int measures_of(struct db *db, const struct id_list *ids, struct arena *a, struct measure_list *out,
	struct err *e)
{
	struct sqlite3_stmt *seek = NULL, *rows = NULL;
	struct measure_list found = { 0 };
	int64_t with = 0;
	size_t i = 0;
	int rc;

	rc = db_query(db, "SELECT attempt FROM metric WHERE attempt >= ? ORDER BY attempt LIMIT 1",
		&seek, e);
	if (rc == 0)
		rc = db_query(db,
			"SELECT name, step, value FROM metric WHERE attempt = ? ORDER BY name, "
			"step",
			&rows, e);
	/* Two ascending lists: each in turn jumps to where the other one is. */
	while (rc == 0 && i < ids->count) {
		rc = next_with(db, seek, ids->items[i], &with, e);
		if (rc < 0 || with == 0)
			break;
		while (i < ids->count && ids->items[i] < with)
			i++;
		if (i < ids->count && ids->items[i] == with) {
			rc = add_attempt(db, rows, with, a, &found, e);
			i++;
		}
	}
	db_finish(seek);
	db_finish(rows);
	if (rc == 0)
		rows_keep(out, &found, a);
	rows_drop(&found);
	return rc;
}

/* The last step of the first name behind `after`; 0: there is none. */
static int latest_behind(struct db *db, struct sqlite3_stmt *next, const char *after,
	struct measure *m, struct arena *a, struct err *e)
{
	int rc;

	db_bind_int(next, 1, m->attempt);
	db_bind_text(next, 2, after);
	rc = db_step(db, next, e);
	if (rc > 0) {
		m->name = arena_strdup(a, db_text(next, 0));
		m->last_step = db_int(next, 1);
		m->value = value_at(next, 2);
		m->whole = m->last_step < 0;
	}
	db_reset(next);
	return rc;
}

int measures_latest(struct db *db, int64_t attempt, uint32_t limit, struct arena *a,
	struct measure_list *out, struct err *e)
{
	struct measure_list found = { 0 };
	struct sqlite3_stmt *next = NULL;
	struct measure m = { .attempt = attempt, .name = "" };
	int rc = db_query(db,
		"SELECT name, step, value FROM metric WHERE attempt = ?1 AND name = "
		"(SELECT min(name) FROM metric WHERE attempt = ?1 AND name > ?2) "
		"ORDER BY step DESC LIMIT 1",
		&next, e);

	while (rc == 0 && found.count < limit &&
		(rc = latest_behind(db, next, m.name, &m, a, e)) > 0) {
		vec_push(&found, m);
		rc = 0;
	}
	db_finish(next);
	if (rc == 0)
		rows_keep(out, &found, a);
	rows_drop(&found);
	return rc;
}

int measure_points(struct db *db, int64_t attempt, const char *name, struct arena *a,
	struct point_list *out, struct err *e)
{
	struct point_list found = { 0 };
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db,
		"SELECT step, at_ms, value FROM metric WHERE attempt = ? AND name = ? AND step >= "
		"0 "
		"ORDER BY step LIMIT ?",
		&s, e);

	if (rc == 0) {
		db_bind_int(s, 1, attempt);
		db_bind_text(s, 2, name);
		db_bind_int(s, 3, MEASURE_POINTS_MAX);
	}
	while (rc == 0 && (rc = db_step(db, s, e)) > 0) {
		struct point p = { db_int(s, 0), db_int(s, 1), value_at(s, 2) };

		vec_push(&found, p);
		rc = 0;
	}
	db_finish(s);
	if (rc == 0)
		rows_keep(out, &found, a);
	rows_drop(&found);
	return rc;
}
