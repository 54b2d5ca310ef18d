#include "report/descent.h"

#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "plan/key.h"
#include "report/origins.h"
#include "report/rows_json.h"
#include "store/db.h"

/* An attempt that is the root or was found, by the paths it made. */
struct made_at {
	int64_t attempt;
	uint32_t step;
	uint32_t next; /* of the same path; UINT32_MAX: none */
};

struct descender {
	struct descent *out;
	struct db *db;
	struct origins origins;
	struct map paths;   /* that were made from it -> index in made */
	struct map folders; /* around such a path */
	struct {
		struct made_at *items;
		size_t count, cap;
	} made;
	struct map run_of;  /* run -> index into runs */
	const char *source; /* what is asked about, when no attempt made it; else NULL */
};

static void add_path(struct descender *x, const char *path, int64_t attempt, uint32_t step)
{
	char *folder = arena_strdup(&x->out->arena, path), *slash;
	struct made_at made = { attempt, step, UINT32_MAX };
	uint32_t *first = map_put(&x->paths, path, (uint32_t)x->made.count);

	if (first != NULL) {
		made.next = *first;
		*first = (uint32_t)x->made.count;
	}
	vec_push(&x->made, made);
	while ((slash = strrchr(folder, '/')) != NULL) {
		*slash = '\0';
		if (map_put(&x->folders, arena_strdup(&x->out->arena, folder), 0) != NULL)
			break;
	}
}

/* The step of an attempt that made this path. False: it is none of ours. */
static bool is_ours(const struct descender *x, const char *path, int64_t attempt, uint32_t *step)
{
	const uint32_t *first = map_get(&x->paths, path);
	uint32_t i;

	for (i = first != NULL ? *first : UINT32_MAX; i != UINT32_MAX; i = x->made.items[i].next)
		if (x->made.items[i].attempt == attempt) {
			*step = x->made.items[i].step;
			return true;
		}
	return false;
}

static void add_from(struct descender *x, const char *path, uint32_t step)
{
	struct descent_from from = { arena_strdup(&x->out->arena, path), step };

	vec_push(&x->out->froms, from);
}

/* Is the input inside a folder of ours? */
static bool may_lie_in(const struct descender *x, const char *path, char *folder)
{
	char *slash;

	memcpy(folder, path, strlen(path) + 1);
	while ((slash = strrchr(folder, '/')) != NULL && slash != folder) {
		*slash = '\0';
		if (map_get(&x->paths, folder) != NULL)
			return true;
	}
	return false;
}

/* A folder that was read, with outs of ours in it. */
static int look_below(
	struct descender *x, const struct attempt_record *reader, const char *path, struct err *e)
{
	struct artifact_list list = { 0 };
	uint32_t step;
	size_t i;

	if (origins_below(&x->origins, reader, path, &x->out->arena, &list, e) < 0)
		return e->code;
	for (i = 0; i < list.count; i++)
		if (is_ours(x, list.items[i].path, list.items[i].attempt, &step))
			add_from(x, list.items[i].path, step);
	return 0;
}

static int look_at_input(struct descender *x, const struct attempt_record *reader, const char *path,
	const struct digest *d, struct err *e)
{
	struct artifact_record found;
	char folder[65536];
	uint32_t step;
	int rc = 0;

	if (x->source != NULL && strncmp(path, x->source, strlen(x->source)) == 0 &&
		(path[strlen(x->source)] == '\0' || path[strlen(x->source)] == '/'))
		add_from(x, path, DESCENT_ROOT);
	if (map_get(&x->paths, path) != NULL)
		rc = origins_find(&x->origins, reader, path, d, &found, e);
	else if (may_lie_in(x, path, folder))
		rc = origins_find_around(&x->origins, reader, path, &found, e);
	if (rc > 0 && is_ours(x, found.path, found.attempt, &step))
		add_from(x, path, step);
	if (rc == 0 && map_get(&x->folders, path) != NULL)
		rc = look_below(x, reader, path, e);
	return rc < 0 ? rc : 0;
}

static int look_at_inputs(struct descender *x, const struct attempt_record *reader,
	const void *parts, size_t len, struct err *e)
{
	struct part_view v;
	char path[65536];
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && parts_next(parts, len, &at, &v)) {
		struct digest d;

		if (v.part != PART_INPUT || v.value_len != DIGEST_SIZE || v.name_len >= sizeof path)
			continue;
		memcpy(&d, v.value, DIGEST_SIZE);
		memcpy(path, v.name, v.name_len);
		path[v.name_len] = '\0';
		rc = look_at_input(x, reader, path, &d, e);
	}
	return rc;
}

static int add_step(struct descender *x, int64_t id, uint32_t first_from, struct err *e)
{
	struct descent *d = x->out;
	struct descent_step s = { .attempt = { .id = id },
		.first_from = first_from,
		.first_out = (uint32_t)d->outs.count };
	size_t i;

	if (maker_outs(&x->origins.makers, id, &d->arena, &d->outs, e) < 0)
		return e->code;
	for (i = s.first_out; i < d->outs.count; i++)
		if (!artifact_is_absent(&d->outs.items[i]))
			add_path(x, d->outs.items[i].path, id, (uint32_t)d->steps.count);
	s.from_count = (uint32_t)d->froms.count - first_from;
	s.out_count = (uint32_t)d->outs.count - s.first_out;
	vec_push(&d->steps, s);
	return 0;
}

static int scan(struct descender *x, int64_t after, struct err *e)
{
	struct sqlite3_stmt *s = NULL;
	int rc = db_query(x->db,
		"SELECT id, run, parts FROM attempt WHERE id > ? AND state = 'SUCCEEDED' ORDER BY "
		"id",
		&s, e);

	if (rc == 0)
		db_bind_int(s, 1, after);
	while (rc == 0 && (rc = db_step(x->db, s, e)) > 0) {
		struct attempt_record reader = { .id = db_int(s, 0), .run = db_int(s, 1) };
		uint32_t first = (uint32_t)x->out->froms.count;
		size_t len;
		const void *parts = db_blob(s, 2, &len);

		rc = look_at_inputs(x, &reader, parts, len, e);
		if (rc == 0 && x->out->froms.count > first)
			rc = add_step(x, reader.id, first, e);
	}
	db_finish(s);
	return rc;
}

static int load_run(struct descender *x, int64_t id, uint32_t *index, struct err *e)
{
	const char *key = arena_printf(&x->out->arena, "%lld", (long long)id);
	uint32_t *at = map_put(&x->run_of, key, (uint32_t)x->out->runs.count);
	struct run_record run = { 0 };

	*index = at != NULL ? *at : (uint32_t)x->out->runs.count;
	if (at != NULL)
		return 0;
	if (run_get(x->db, id, &x->out->arena, &run, e) < 0)
		return e->code;
	vec_push(&x->out->runs, run);
	return 0;
}

/* Who the attempts were that the scan has found. */
static int load_steps(struct descender *x, struct err *e)
{
	struct attempt_reader reader;
	const void *parts;
	size_t len, i;
	int rc = attempt_reader_open(&reader, x->db, e);

	for (i = 0; i < x->out->steps.count && rc == 0; i++) {
		struct descent_step *s = &x->out->steps.items[i];

		rc = attempt_read(
			&reader, s->attempt.id, &x->out->arena, &s->attempt, &parts, &len, e);
		if (rc == 0)
			rc = load_run(x, s->attempt.run, &s->run, e);
	}
	attempt_reader_close(&reader);
	return rc;
}

int descent_make(struct descent *d, struct db *db, const struct artifact_record *artifact,
	const char *path, struct err *e)
{
	struct descender x = { .out = d, .db = db, .source = path };
	int rc;

	memset(d, 0, sizeof *d);
	rc = origins_open(&x.origins, db, e);
	if (artifact != NULL)
		add_path(&x, artifact->path, artifact->attempt, DESCENT_ROOT);
	if (rc == 0)
		rc = scan(&x, artifact != NULL ? artifact->attempt : 0, e);
	if (rc == 0)
		rc = load_steps(&x, e);
	origins_close(&x.origins);
	map_release(&x.paths);
	map_release(&x.folders);
	map_release(&x.run_of);
	vec_release(&x.made);
	if (rc < 0)
		descent_release(d);
	return rc;
}

void descent_release(struct descent *d)
{
	vec_release(&d->steps);
	vec_release(&d->froms);
	vec_release(&d->outs);
	vec_release(&d->runs);
	arena_release(&d->arena);
	memset(d, 0, sizeof *d);
}

static void put_step(struct json *j, const struct descent *d, const struct descent_step *s)
{
	uint32_t i;

	json_open_object(j);
	json_key_string(j, "task", s->attempt.task);
	json_key_string(j, "run", d->runs.items[s->run].uuid);
	json_key_int(j, "attempt", s->attempt.number);
	json_key(j, "from");
	json_open_array(j);
	for (i = s->first_from; i < s->first_from + s->from_count; i++) {
		const struct descent_from *from = &d->froms.items[i];

		json_open_object(j);
		json_key_string(j, "path", from->path);
		if (from->step != DESCENT_ROOT)
			json_key_int(j, "made_by", from->step);
		json_end(j);
	}
	json_end(j);
	json_key(j, "made");
	json_open_array(j);
	for (i = s->first_out; i < s->first_out + s->out_count; i++) {
		json_open_object(j);
		artifact_members(j, &d->outs.items[i]);
		json_end(j);
	}
	json_end(j);
	json_end(j);
}

/* Steps in the order they were made; `made_by` counts them from 0. */
void descent_json(struct buf *out, const struct descent *d)
{
	struct json j;
	size_t i;

	json_init(&j, out);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key(&j, "steps");
	json_open_array(&j);
	for (i = 0; i < d->steps.count; i++)
		put_step(&j, d, &d->steps.items[i]);
	json_end(&j);
	json_end(&j);
}
