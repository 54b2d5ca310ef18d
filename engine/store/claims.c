#include "store/claims.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "plan/key.h"
#include "plan/past.h"
#include "store/changed_files.h"
#include "store/db.h"
#include "store/needs.h"
#include "store/shelf.h"

bool claims_read(struct sqlite3_stmt *q, int column, struct made *out)
{
	out->size = (uint64_t)db_int(q, column + 1);
	out->mode = (uint32_t)db_int(q, column + 2);
	return db_digest(q, column, &out->digest) || (out->mode & MADE_ABSENT) != 0;
}

static int of_artifacts(struct shelf *s, struct db *db, const struct needs *n, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	struct made made;
	int rc = db_query(db, "SELECT digest, size, mode, attempt, gone FROM artifact", &q, e);

	while (rc == 0 && (rc = db_step(db, q, e)) > 0) {
		if ((db_text(q, 4)[0] == '\0' || needs_keep(n, db_int(q, 3))) &&
			claims_read(q, 0, &made))
			shelf_claim(s, &made);
		rc = 0;
	}
	db_finish(q);
	return rc;
}

/* -- inputs ------------------------------------------------------------------------------------------------------------ */

int claims_inputs_open(struct input_claims *c, struct shelf *s, struct db *db, struct err *e)
{
	*c = (struct input_claims){ .shelf = s, .db = db };
	if (db_query(db, "SELECT parts FROM attempt WHERE id = ?", &c->parts, e) < 0)
		return e->code;
	return db_query(db, "SELECT 1 FROM artifact WHERE digest = ? LIMIT 1", &c->made, e);
}

void claims_inputs_close(struct input_claims *c)
{
	db_finish(c->parts);
	db_finish(c->made);
}

/* Unless a task made it. */
static int claim_input(
	struct input_claims *c, const struct part_view *input, bool give_up, struct err *e)
{
	struct digest d;
	int rc;

	if (input->value_len != DIGEST_SIZE)
		return 0;
	memcpy(d.bytes, input->value, DIGEST_SIZE);
	if (shelf_find(c->shelf, &d) == NULL)
		return 0;
	db_bind_blob(c->made, 1, d.bytes, DIGEST_SIZE);
	rc = db_step(c->db, c->made, e);
	db_reset(c->made);
	if (rc == 0)
		shelf_claim_source(c->shelf, &d, give_up);
	return rc < 0 ? rc : 0;
}

int claims_inputs(struct input_claims *c, int64_t attempt, bool give_up, struct err *e)
{
	struct part_view view;
	const void *parts;
	size_t len, at = 0;
	int rc;

	db_bind_int(c->parts, 1, attempt);
	rc = db_step(c->db, c->parts, e);
	if (rc > 0) {
		parts = db_blob(c->parts, 0, &len);
		rc = 0;
		while (rc == 0 && parts_next(parts, len, &at, &view))
			if (view.part == PART_INPUT || view.part == PART_CODE)
				rc = claim_input(c, &view, give_up, e);
	}
	db_reset(c->parts);
	return rc;
}

/* Of successes that are kept, or that have something in the store. */
static int of_attempts(struct shelf *s, struct db *db, const struct needs *n, struct err *e)
{
	struct input_claims c;
	struct sqlite3_stmt *q = NULL;
	int rc = claims_inputs_open(&c, s, db, e);

	if (rc == 0)
		rc = db_query(db,
			"SELECT id, EXISTS(SELECT 1 FROM artifact WHERE attempt = id AND gone = "
			"'') "
			"FROM attempt WHERE state = 'SUCCEEDED'",
			&q, e);
	while (rc == 0 && (rc = db_step(db, q, e)) > 0)
		rc = db_int(q, 1) != 0 || needs_keep(n, db_int(q, 0))
			     ? claims_inputs(&c, db_int(q, 0), false, e)
			     : 0;
	db_finish(q);
	claims_inputs_close(&c);
	return rc;
}

/* -- runs -------------------------------------------------------------------------------------------------------------- */

static void of_changed_files(struct shelf *s, const struct digest *patch, bool give_up)
{
	struct buf list = { 0 };
	struct changed_file file;
	struct digest d;
	bool bad = false;
	struct err e;
	char *at;

	if (changed_list(s->objects, patch, &list, &e) == 0) {
		digest_of(&d, buf_text(&list), list.len);
		shelf_claim_one(s, &d, give_up);
		at = list.data;
		while (changed_next(&at, &file, &bad))
			if (!digest_is_zero(&file.digest))
				shelf_claim_one(s, &file.digest, give_up);
	}
	buf_release(&list);
}

/* Text of the dag, the patch and the changed files of every run that is shown. */
static int of_runs(struct shelf *s, struct db *db, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	struct digest d;
	int rc = db_query(
		db, "SELECT dag_digest, patch_digest FROM run WHERE removed_ms IS NULL", &q, e);

	while (rc == 0 && (rc = db_step(db, q, e)) > 0) {
		if (db_digest(q, 0, &d))
			shelf_claim_one(s, &d, false);
		if (db_digest(q, 1, &d)) {
			shelf_claim_one(s, &d, false);
			of_changed_files(s, &d, false);
		}
		rc = 0;
	}
	db_finish(q);
	return rc;
}

/* Is anything left that the run made? One that made nothing is as `empty` says. */
static int is_live(struct db *db, struct sqlite3_stmt *q, int64_t run, const struct needs *n,
	bool empty, struct err *e)
{
	bool found = false;
	int rc, count = 0;

	db_bind_int(q, 1, run);
	for (; !found && (rc = db_step(db, q, e)) > 0; count++)
		found = needs_keep(n, db_int(q, 0)) ||
			(db_int(q, 1) != 0 && needs_why(n, db_int(q, 0)) != KEPT_EVICTED);
	db_reset(q);
	return found ? 1 : rc < 0 ? rc : count == 0 && empty;
}

int claims_of_dead_runs(
	struct shelf *s, struct db *db, const struct needs *n, bool spare_empty, struct err *e)
{
	struct sqlite3_stmt *q = NULL, *attempts = NULL;
	struct digest d;
	int rc = db_query(db,
		"SELECT id, patch_digest FROM run WHERE removed_ms IS NULL AND patch_digest IS NOT "
		"NULL",
		&q, e);

	if (rc == 0)
		rc = db_query(db,
			"SELECT id, EXISTS(SELECT 1 FROM artifact WHERE attempt = id AND gone = "
			"'') "
			"FROM attempt WHERE run = ? AND state = 'SUCCEEDED'",
			&attempts, e);
	while (rc == 0 && (rc = db_step(db, q, e)) > 0) {
		rc = needs_run(n, db_int(q, 0)) || !db_digest(q, 1, &d)
			     ? 1
			     : is_live(db, attempts, db_int(q, 0), n, spare_empty, e);
		if (rc == 0)
			of_changed_files(s, &d, true);
		rc = rc < 0 ? rc : 0;
	}
	db_finish(q);
	db_finish(attempts);
	return rc;
}

int claims_of(struct shelf *s, struct db *db, const struct needs *n, struct err *e)
{
	if (of_artifacts(s, db, n, e) < 0 || of_attempts(s, db, n, e) < 0)
		return e->code;
	return of_runs(s, db, e);
}

/* -- back again -------------------------------------------------------------------------------------------------------- */

struct place {
	int64_t attempt, position;
};

struct places {
	struct place *items;
	size_t count, cap;
};

static int find_back(
	struct shelf *s, struct db *db, const struct needs *n, struct places *found, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	struct made made;
	int rc = db_query(db,
		"SELECT digest, size, mode, attempt, position FROM artifact WHERE gone = 'evicted'",
		&q, e);

	while (rc == 0 && (rc = db_step(db, q, e)) > 0) {
		struct place at = { db_int(q, 3), db_int(q, 4) };

		if (needs_keep(n, at.attempt) && claims_read(q, 0, &made) &&
			shelf_find(s, &made.digest) != NULL)
			vec_push(found, at);
		rc = 0;
	}
	db_finish(q);
	return rc;
}

int claims_take_back(struct shelf *s, struct db *db, const struct needs *n, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	struct places found = { 0 };
	int rc = find_back(s, db, n, &found, e);
	size_t i;

	if (rc == 0)
		rc = db_query(db,
			"UPDATE artifact SET gone = '' WHERE attempt = ? AND position = ?", &q, e);
	for (i = 0; i < found.count && rc == 0; i++) {
		db_bind_int(q, 1, found.items[i].attempt);
		db_bind_int(q, 2, found.items[i].position);
		rc = db_run(db, q, e);
	}
	db_finish(q);
	vec_release(&found);
	return rc;
}
