#include "report/artifactpage.h"

#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/path.h"
#include "plan/key.h"
#include "report/origins.h"
#include "report/rows_json.h"
#include "store/db.h"
#include "store/objects.h"
#include "store/project.h"
#include "store/rows.h"

/* Is this component an input that is the artifact, or a file inside it, or a folder around it? */
static bool is_use(const struct part_view *v, const struct artifact_record *r, const char *path)
{
	if (v->part != PART_INPUT || v->value_len != DIGEST_SIZE)
		return false;
	if (strcmp(path, r->path) == 0)
		return memcmp(v->value, r->made.digest.bytes, DIGEST_SIZE) == 0;
	return path_is_inside(path, r->path) || path_is_inside(r->path, path);
}

struct searcher {
	struct attempt_reader reader;
	struct origins origins;
	const struct artifact_record *artifact;
	struct arena *arena;
	struct user_list found;
};

/* The same bytes may have been made at that path before: was it this attempt whose outs the user's run had? */
static int is_origin(
	struct searcher *s, const struct attempt_record *user, const char *path, struct err *e)
{
	const struct artifact_record *r = s->artifact;
	bool is_itself = strcmp(path, r->path) == 0;
	struct artifact_record origin;
	int rc = origins_find(
		&s->origins, user, r->path, is_itself ? &r->made.digest : NULL, &origin, e);

	return rc > 0 ? origin.attempt == r->attempt : rc;
}

static int look_at(struct searcher *s, int64_t id, struct err *e)
{
	struct user_record user = { 0 };
	struct arena scratch = { 0 };
	struct part_view view;
	const void *parts;
	size_t len, at = 0;
	int rc = attempt_read(&s->reader, id, &scratch, &user.attempt, &parts, &len, e);

	while (rc == 0 && parts_next(parts, len, &at, &view)) {
		const char *path = arena_strndup(&scratch, view.name, view.name_len);

		if (is_use(&view, s->artifact, path))
			rc = is_origin(s, &user.attempt, path, e);
		if (rc <= 0)
			continue;
		rc = attempt_read(&s->reader, id, s->arena, &user.attempt, &parts, &len, e);
		user.path = arena_strdup(s->arena, path);
		vec_push(&s->found, user);
		break;
	}
	arena_release(&scratch);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Only later attempts than its maker can have read it; skip those of `but`, they were looked at. */
static int look_among(
	struct searcher *s, const struct id_list *ids, const struct id_list *but, struct err *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < ids->count && rc == 0; i++)
		if (ids->items[i] > s->artifact->attempt && !id_list_has(but, ids->items[i]))
			rc = look_at(s, ids->items[i], e);
	return rc;
}

static int find_users(struct artifactpage *page, struct db *db, struct arena *a, struct err *e)
{
	struct searcher s = { .artifact = &page->artifact, .arena = a };
	struct id_list own = { 0 }, latest = { 0 }, none = { 0 };
	struct run_list last = { 0 };
	int rc = attempt_reader_open(&s.reader, db, e);

	if (rc == 0)
		rc = origins_open(&s.origins, db, e);
	if (rc == 0)
		rc = attempts_of_run(db, &page->run, a, &own, e);
	if (rc == 0)
		rc = runs_newest(db, NULL, 1, a, &last, e);
	if (rc == 0 && last.count > 0)
		rc = attempts_of_run(db, &last.items[0], a, &latest, e);
	if (rc == 0)
		rc = look_among(&s, &own, &none, e);
	if (rc == 0)
		rc = look_among(&s, &latest, &own, e);
	attempt_reader_close(&s.reader);
	origins_close(&s.origins);
	if (rc == 0)
		rows_keep(&page->users, &s.found, a);
	rows_drop(&s.found);
	return rc;
}

int artifactpage_make(struct artifactpage *out, struct db *db, const struct project *p,
	const struct artifact_record *artifact, struct arena *a, struct err *e)
{
	struct objects objects = objects_of(p);
	struct artifactpage page = { .artifact = *artifact };

	if (attempt_get(db, artifact->attempt, a, &page.attempt, e) < 0 ||
		run_get(db, page.attempt.run, a, &page.run, e) < 0 ||
		find_users(&page, db, a, e) < 0)
		return e->code;
	page.stored = !artifact_is_absent(artifact) && object_has(&objects, &artifact->made);
	*out = page;
	return 0;
}

void artifactpage_json(struct buf *out, const struct artifactpage *page, int64_t now_ms)
{
	struct json j;
	size_t i;

	json_init(&j, out);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	artifact_members(&j, &page->artifact);
	json_key_bool(&j, "stored", page->stored);
	json_key(&j, "made_by");
	attempt_json(&j, &page->attempt, now_ms);
	json_key(&j, "run");
	run_json(&j, &page->run, false, now_ms);
	json_key(&j, "used_by");
	json_open_array(&j);
	for (i = 0; i < page->users.count; i++) {
		json_open_object(&j);
		json_key_string(&j, "task", page->users.items[i].attempt.task);
		json_key_int(&j, "attempt", page->users.items[i].attempt.number);
		json_key_string(&j, "path", page->users.items[i].path);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
}
