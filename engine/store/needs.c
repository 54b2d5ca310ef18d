#include "store/needs.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/vec.h"
#include "plan/key.h"
#include "store/db.h"
#include "store/journal.h"

struct search {
	struct needs *needs;
	struct db *db;
	struct sqlite3_stmt *tasks, *reuse, *parts, *maker, *folder;
	struct {
		int64_t *items;
		size_t count, cap;
	} found, ids; /* kept attempts in the order they were found; of one list */
};

static void keep(struct search *s, int64_t attempt, enum kept why)
{
	struct needs *n = s->needs;

	if (attempt <= 0 || attempt > n->top || n->why[attempt] != KEPT_NOT)
		return;
	n->why[attempt] = (uint8_t)why;
	n->attempts[why]++;
	vec_push(&s->found, attempt);
}

/* -- runs ------------------------------------------------------------------------------------------------------------- */

static int keep_tasks(struct search *s, int64_t run, enum kept why, struct err *e)
{
	int rc;

	db_bind_int(s->tasks, 1, run);
	while ((rc = db_step(s->db, s->tasks, e)) > 0)
		keep(s, db_int(s->tasks, 0), why);
	db_reset(s->tasks);
	return rc;
}

/* What it took over as planned. */
static int keep_reused(struct search *s, int64_t run, enum kept why, struct err *e)
{
	const void *data;
	size_t len, count, i;
	int rc;

	db_bind_int(s->reuse, 1, run);
	rc = db_step(s->db, s->reuse, e);
	if (rc > 0) {
		data = db_blob(s->reuse, 0, &len);
		vec_reserve(&s->ids, len + 1); /* a byte an id at least */
		count = ids_unpack(s->ids.items, len, data, len);
		for (i = 0; i < count; i++)
			keep(s, s->ids.items[i], why);
	}
	db_reset(s->reuse);
	return rc < 0 ? rc : 0;
}

static int keep_run(struct search *s, int64_t run, enum kept why, struct err *e)
{
	s->needs->runs[why]++;
	if (run > 0 && run <= s->needs->run_top)
		s->needs->is_run_kept[run] = 1;
	return keep_tasks(s, run, why, e) < 0 ? e->code : keep_reused(s, run, why, e);
}

/* Each run of a query that takes one number. */
static int keep_runs(
	struct search *s, const char *sql, int64_t number, enum kept why, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	int rc = db_query(s->db, sql, &q, e);

	if (rc == 0)
		db_bind_int(q, 1, number);
	while (rc == 0 && (rc = db_step(s->db, q, e)) > 0)
		rc = keep_run(s, db_int(q, 0), why, e);
	db_finish(q);
	return rc;
}

static int keep_by_rule(struct search *s, const struct keep_rule *rule, struct err *e)
{
	if (keep_runs(s, "SELECT id FROM run WHERE pinned_ms IS NOT NULL AND ?1 = 0", 0,
		    KEPT_PINNED, e) < 0 ||
		keep_runs(s, "SELECT DISTINCT run FROM tag WHERE ?1 = 0", 0, KEPT_TAGGED, e) < 0 ||
		keep_runs(s, "SELECT id FROM run WHERE removed_ms IS NULL ORDER BY id DESC LIMIT ?",
			rule->last > 0 ? rule->last : 1, KEPT_LAST, e) < 0)
		return e->code;
	if (rule->since_ms == 0)
		return 0;
	return keep_runs(s, "SELECT id FROM run WHERE removed_ms IS NULL AND began_ms >= ?",
		rule->since_ms, KEPT_SINCE, e);
}

/* -- the work tree, and inputs ---------------------------------------------------------------------------------------- */

static int keep_tree(struct search *s, int root_fd, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	int rc = db_query(s->db,
		"SELECT l.attempt, a.path FROM latest l JOIN artifact a ON a.attempt = l.attempt",
		&q, e);

	while (rc == 0 && (rc = db_step(s->db, q, e)) > 0) {
		if (file_exists(root_fd, db_text(q, 1)))
			keep(s, db_int(q, 0), KEPT_TREE);
		rc = 0;
	}
	db_finish(q);
	return rc;
}

/* The attempt before `before` that made the input with this digest, or else the folder that it lies in. */
static int keep_maker(
	struct search *s, const struct part_view *input, int64_t before, struct err *e)
{
	struct arena a = { 0 };
	char *path = arena_strndup(&a, input->name, input->name_len), *slash;
	int rc;

	db_bind_text(s->maker, 1, path);
	db_bind_blob(s->maker, 2, input->value, input->value_len);
	db_bind_int(s->maker, 3, before);
	rc = db_step(s->db, s->maker, e);
	if (rc > 0)
		keep(s, db_int(s->maker, 0), KEPT_INPUT);
	db_reset(s->maker);
	while (rc == 0 && (slash = strrchr(path, '/')) != NULL) {
		*slash = '\0';
		db_bind_text(s->folder, 1, path);
		db_bind_int(s->folder, 2, before);
		rc = db_step(s->db, s->folder, e);
		if (rc > 0)
			keep(s, db_int(s->folder, 0), KEPT_INPUT);
		db_reset(s->folder);
	}
	arena_release(&a);
	return rc < 0 ? rc : 0;
}

static int keep_inputs(struct search *s, int64_t attempt, struct err *e)
{
	struct part_view view;
	size_t len, at = 0;
	const void *parts;
	int rc;

	db_bind_int(s->parts, 1, attempt);
	rc = db_step(s->db, s->parts, e);
	if (rc > 0) {
		parts = db_blob(s->parts, 0, &len);
		rc = 0;
		while (rc == 0 && parts_next(parts, len, &at, &view))
			if (view.part == PART_INPUT)
				rc = keep_maker(s, &view, attempt, e);
	}
	db_reset(s->parts);
	return rc;
}

/* Those of what is kept for a reason of its own: an input's own inputs are not needed to run a kept task again. */
static int keep_all_inputs(struct search *s, struct err *e)
{
	size_t count = s->found.count, i;

	for (i = 0; i < count; i++)
		if (keep_inputs(s, s->found.items[i], e) < 0)
			return e->code;
	return 0;
}

/* -- all ------------------------------------------------------------------------------------------------------------------ */

static int prepare(struct search *s, struct err *e)
{
	struct db *db = s->db;

	if (db_query(db, "SELECT attempt FROM task WHERE run = ? AND attempt IS NOT NULL",
		    &s->tasks, e) < 0 ||
		db_query(db,
			"SELECT attempts FROM run JOIN reuse ON digest = reuse_digest WHERE id = ?",
			&s->reuse, e) < 0 ||
		db_query(db, "SELECT parts FROM attempt WHERE id = ?", &s->parts, e) < 0 ||
		db_query(db,
			"SELECT attempt FROM artifact WHERE path = ? AND +digest = ? AND attempt < "
			"? "
			"ORDER BY attempt DESC LIMIT 1",
			&s->maker, e) < 0)
		return e->code;
	return db_query(db,
		"SELECT attempt FROM artifact WHERE path = ? AND attempt < ? ORDER BY attempt DESC "
		"LIMIT 1",
		&s->folder, e);
}

/* The highest id of a table. Ids are given one after the other; a damaged one must not claim all the memory. */
static int highest(struct db *db, const char *sql, int64_t *top, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	int rc = db_query(db, sql, &q, e);

	if (rc == 0 && (rc = db_step(db, q, e)) > 0)
		*top = db_int(q, 0) < 0 ? 0 : db_int(q, 0);
	if (rc > 0 && *top > 64 * (db_int(q, 1) + (1 << 20))) {
		err_set(e, ERR_CORRUPT, "flow.db is damaged: a row has number %lld",
			(long long)*top);
		rc = err_id(e, "E0503");
	}
	db_finish(q);
	return rc < 0 ? rc : 0;
}

static int make_room(struct needs *n, struct db *db, struct err *e)
{
	if (highest(db, "SELECT max(id), count(*) FROM attempt", &n->top, e) < 0 ||
		highest(db, "SELECT max(id), count(*) FROM run", &n->run_top, e) < 0)
		return e->code;
	n->why = mem_zalloc((size_t)n->top + 1);
	n->is_run_kept = mem_zalloc((size_t)n->run_top + 1);
	return 0;
}

int needs_make(
	struct needs *n, struct db *db, int root_fd, const struct keep_rule *rule, struct err *e)
{
	struct search s = { .needs = n, .db = db };
	int rc;

	*n = (struct needs){ .why = NULL };
	rc = make_room(n, db, e);
	if (rc == 0)
		rc = prepare(&s, e);
	if (rc == 0)
		rc = keep_by_rule(&s, rule, e);
	if (rc == 0)
		rc = keep_tree(&s, root_fd, e);
	if (rc == 0)
		rc = keep_all_inputs(&s, e);
	db_finish(s.tasks);
	db_finish(s.reuse);
	db_finish(s.parts);
	db_finish(s.maker);
	db_finish(s.folder);
	vec_release(&s.found);
	vec_release(&s.ids);
	if (rc < 0)
		needs_release(n);
	return rc;
}

bool needs_run(const struct needs *n, int64_t run)
{
	return run > 0 && run <= n->run_top && n->is_run_kept[run] != 0;
}

enum kept needs_why(const struct needs *n, int64_t attempt)
{
	return attempt > 0 && attempt <= n->top ? (enum kept)n->why[attempt] : KEPT_NOT;
}

bool needs_keep(const struct needs *n, int64_t attempt)
{
	enum kept why = needs_why(n, attempt);

	return why != KEPT_NOT && why != KEPT_EVICTED;
}

const char *kept_text(enum kept why)
{
	static const char *const texts[] = { "nothing", "pinned runs", "tagged runs",
		"the last runs", "runs of that time", "the work tree", "inputs of these" };

	return why < KEPT_COUNT ? texts[why] : "";
}

const char *kept_word(enum kept why)
{
	static const char *const words[] = { "not", "pinned", "tagged", "last", "since", "tree",
		"input" };

	return why < KEPT_COUNT ? words[why] : "";
}

void needs_release(struct needs *n)
{
	free(n->why);
	free(n->is_run_kept);
	n->why = n->is_run_kept = NULL;
}
