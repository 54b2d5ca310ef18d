#include "store/marks.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "store/db.h"
#include "store/runs.h"

/* One statement of two numbers and a text, committed. */
static int change(
	struct db *db, const char *sql, int64_t one, int64_t two, const char *text, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_begin(db, e);

	if (rc == 0)
		rc = db_query(db, sql, &s, e);
	if (rc == 0) {
		db_bind_int(s, 1, one);
		db_bind_int(s, 2, two);
		db_bind_text(s, 3, text);
		rc = db_run(db, s, e);
	}
	db_finish(s);
	if (rc == 0)
		return db_commit(db, e);
	db_rollback(db);
	return rc;
}

/* The run that has the name: 1, or 0 and none. */
static int tagged(struct db *db, const char *name, int64_t *run, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(db, "SELECT run FROM tag WHERE name = ?", &s, e);

	if (rc == 0) {
		db_bind_text(s, 1, name);
		rc = db_step(db, s, e);
		if (rc > 0)
			*run = db_int(s, 0);
	}
	db_finish(s);
	return rc;
}

/* Could it be taken for the beginning of an id? */
static bool looks_like_an_id(const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; i < len; i++)
		if (!isxdigit((unsigned char)name[i]) && name[i] != '-')
			return false;
	return len >= 4;
}

int mark_check_tag(const char *name, struct err *e)
{
	if (!name_is_valid(name) || strlen(name) > TAG_MAX) {
		err_set(e, ERR_USAGE, "`%.80s` cannot be a tag", name);
		if (name[0] == '@')
			return err_hint(e, "the tag comes first: flow runs tag TAG %.20s", name);
		return err_hint(e, "letters, digits, `_`, `.` and `-`, at most %d", TAG_MAX);
	}
	if (looks_like_an_id(name)) {
		err_set(e, ERR_USAGE,
			"`%.80s` cannot be a tag: it could be the beginning of a run's id", name);
		return err_hint(e, "put a letter behind `f` into it");
	}
	return 0;
}

int mark_tag(
	struct db *db, const struct run_record *run, const char *name, bool move, struct err *e)
{
	int64_t other = 0;

	if (mark_check_tag(name, e) < 0 || tagged(db, name, &other, e) < 0)
		return e->code;
	if (other != 0 && other != run->id && !move) {
		err_set(e, ERR_POLICY, "another run has the tag `%s`", name);
		return err_hint(e, "`flow runs tag %s RUN --move` takes it from there", name);
	}
	return change(db,
		"INSERT INTO tag(run, made_ms, name) VALUES(?, ?, ?) ON CONFLICT(name) DO UPDATE "
		"SET run = excluded.run, "
		"made_ms = excluded.made_ms",
		run->id, clock_wall_ms(), name, e);
}

int mark_untag(struct db *db, const char *name, struct err *e)
{
	int64_t run;
	int rc = tagged(db, name, &run, e);

	if (rc == 0) {
		err_set(e, ERR_NOTFOUND, "no run has the tag `%.80s`", name);
		return err_hint(e, "`flow runs` shows which there are");
	}
	return rc < 0 ? rc
		      : change(db, "DELETE FROM tag WHERE name = ?3 AND ?1 = ?2", 0, 0, name, e);
}

int mark_note(struct db *db, const struct run_record *run, const char *text, struct err *e)
{
	if (strlen(text) > NOTE_MAX)
		return err_set(e, ERR_USAGE, "a note has at most %d bytes, this one has %zu",
			NOTE_MAX, strlen(text));
	return change(db, "UPDATE run SET note = ?3 WHERE id = ?1 AND ?2 = 0", run->id, 0, text, e);
}

int mark_pin(struct db *db, const struct run_record *run, bool pinned, struct err *e)
{
	return change(db,
		pinned ? "UPDATE run SET pinned_ms = coalesce(pinned_ms, ?2) WHERE id = ?1 AND ?3 "
			 "IS NULL"
		       : "UPDATE run SET pinned_ms = NULL WHERE id = ?1 AND ?2 >= 0 AND ?3 IS NULL",
		run->id, clock_wall_ms(), NULL, e);
}

int mark_removed(struct db *db, const struct run_record *run, bool removed, struct err *e)
{
	if (removed && (run->pinned_ms != 0 || run->tags[0] != '\0')) {
		err_set(e, ERR_POLICY, "run %s is %s", run->name,
			run->pinned_ms != 0 ? "pinned" : "tagged");
		return err_hint(e,
			run->pinned_ms != 0 ? "`flow runs pin %s --remove` first"
					    : "`flow runs tag TAG --remove` first",
			run->name);
	}
	if (removed && run->ended_ms == 0)
		return err_set(e, ERR_POLICY, "run %s has not ended", run->name);
	return change(db,
		removed ? "UPDATE run SET removed_ms = ?2 WHERE id = ?1 AND ?3 IS NULL"
			: "UPDATE run SET removed_ms = NULL WHERE id = ?1 AND ?2 >= 0 AND ?3 IS "
			  "NULL",
		run->id, clock_wall_ms(), NULL, e);
}
