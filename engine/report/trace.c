#include "report/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"
#include "base/vec.h"
#include "plan/key.h"
#include "store/db.h"

/* What is known of a path while a trace is made. */
struct known_path {
	struct artifact_record last; /* the artifact found last; attempt 0: none yet */
	bool never;                  /* no attempt ever made it */
	bool never_below;            /* nor anything below it */
	bool asked, asked_below;
};

struct known_paths {
	struct known_path *items;
	size_t count, cap;
};

struct tracer {
	struct trace *trace;
	struct db *db;
	struct attempt_reader reader;
	struct makers makers;
	struct map step_of;  /* attempt -> step */
	struct map run_of;   /* run -> index into runs */
	struct map known_of; /* path -> index into known */
	struct known_paths known;
	struct id_list outs; /* of run outs_run */
	int64_t outs_run;
};

static struct known_path *known_at(struct tracer *t, const char *path)
{
	uint32_t *at = map_put(&t->known_of, path, (uint32_t)t->known.count);
	struct known_path fresh = { 0 };

	if (at == NULL)
		vec_push(&t->known, fresh);
	return &t->known.items[at == NULL ? t->known.count - 1 : *at];
}

/* The artifact with this path and digest (NULL: any) that an attempt before `before` made: 1, 0, or an error. A file of 10,000
 * readers is asked for once: the one found last serves all that are later than it. */
static int find(struct tracer *t, const char *path, const struct digest *d, int64_t before,
	struct artifact_record *out, struct err *e)
{
	struct known_path *p = known_at(t, path);
	int rc;

	if (!p->asked) {
		rc = maker_find(&t->makers, path, NULL, INT64_MAX, &t->trace->arena, &p->last, e);
		if (rc < 0)
			return rc;
		p->asked = true;
		p->never = rc == 0;
	}
	if (p->never)
		return 0;
	if (d != NULL && p->last.attempt < before && digest_same(d, &p->last.made.digest)) {
		*out = p->last;
		return 1;
	}
	rc = maker_find(&t->makers, path, d, before, &t->trace->arena, out, e);
	if (rc > 0 && d != NULL)
		p->last = *out;
	return rc;
}

/* The folder around a path that was made as a whole, the nearest one. */
static int find_around(struct tracer *t, const char *path, int64_t before,
	struct artifact_record *out, struct err *e)
{
	char *folder = arena_strdup(&t->trace->arena, path), *slash;
	int rc;

	while ((slash = strrchr(folder, '/')) != NULL && slash != folder) {
		*slash = '\0';
		rc = find(t, arena_strdup(&t->trace->arena, folder), NULL, before, out, e);
		if (rc < 0 || (rc > 0 && artifact_is_folder(out)))
			return rc;
	}
	return 0;
}

static const char *id_key(struct tracer *t, int64_t id)
{
	return arena_printf(&t->trace->arena, "%lld", (long long)id);
}

/* The step of an attempt, new or not. Its inputs are looked at when its turn comes. */
static uint32_t step_for(struct tracer *t, int64_t attempt)
{
	struct trace_step fresh = { .attempt = { .id = attempt } };
	uint32_t *at;

	if (t->trace->steps.count >= TRACE_STEPS_MAX)
		return TRACE_CUT;
	at = map_put(&t->step_of, id_key(t, attempt), (uint32_t)t->trace->steps.count);
	if (at != NULL)
		return *at;
	vec_push(&t->trace->steps, fresh);
	return (uint32_t)t->trace->steps.count - 1;
}

static int load_run(struct tracer *t, int64_t id, uint32_t *index, struct err *e)
{
	uint32_t *at = map_put(&t->run_of, id_key(t, id), (uint32_t)t->trace->runs.count);
	struct run_record run = { 0 };

	*index = at != NULL ? *at : (uint32_t)t->trace->runs.count;
	if (at != NULL)
		return 0;
	if (run_get(t->db, id, &t->trace->arena, &run, e) < 0)
		return e->code;
	vec_push(&t->trace->runs, run);
	return 0;
}

/* Parts of a folder that earlier tasks of the same run wrote into, each alone. */
static int add_within(
	struct tracer *t, const char *folder, const struct trace_step *s, struct err *e)
{
	struct artifact_list list = { 0 };
	size_t i;

	if (t->outs_run != s->attempt.run) {
		t->outs_run = s->attempt.run;
		if (outs_of_run(t->db, &t->trace->runs.items[s->run], &t->trace->arena, &t->outs,
			    e) < 0)
			return e->code;
	}
	if (makers_below(&t->makers, folder, &t->outs, &t->trace->arena, &list, e) < 0)
		return e->code;
	for (i = 0; i < list.count; i++) {
		const struct artifact_record *r = &list.items[i];
		struct trace_input in = { .path = r->path,
			.digest = r->made.digest,
			.within = true,
			.size = r->made.size };

		if (r->attempt >= s->attempt.id)
			continue;
		in.maker = step_for(t, r->attempt);
		vec_push(&t->trace->inputs, in);
	}
	return 0;
}

static int is_partly_made(struct tracer *t, const char *path, struct err *e)
{
	struct known_path *p = known_at(t, path);
	int rc;

	if (!p->asked_below) {
		rc = maker_below_exists(&t->makers, path, e);
		if (rc < 0)
			return rc;
		p->asked_below = true;
		p->never_below = rc == 0;
	}
	return !p->never_below;
}

static int add_input(struct tracer *t, const struct trace_step *s, const char *path,
	const struct digest *d, struct err *e)
{
	struct trace_input in = { .path = path, .digest = *d, .maker = TRACE_SOURCE };
	struct artifact_record found;
	size_t at = t->trace->inputs.count;
	int rc = find(t, path, d, s->attempt.id, &found, e);

	if (rc == 0) {
		rc = find_around(t, path, s->attempt.id, &found, e);
		in.folder = rc > 0 ? found.path : NULL;
	}
	if (rc < 0)
		return rc;
	if (rc > 0) {
		in.maker = step_for(t, found.attempt);
		in.size = in.folder == NULL ? found.made.size : 0;
	}
	vec_push(&t->trace->inputs, in);
	if (rc > 0)
		return 0;
	rc = is_partly_made(t, path, e);
	if (rc > 0)
		rc = add_within(t, path, s, e);
	if (rc == 0 && t->trace->inputs.count > at + 1)
		t->trace->inputs.items[at].maker = TRACE_PARTLY;
	return rc;
}

/* Look at one step: who it was, and where each of its inputs came from. May add steps. */
static int expand(struct tracer *t, size_t index, struct err *e)
{
	struct trace_step s = t->trace->steps.items[index];
	struct part_view view;
	size_t at = 0;
	int rc;

	rc = attempt_read(
		&t->reader, s.attempt.id, &t->trace->arena, &s.attempt, &s.parts, &s.parts_len, e);
	if (rc == 0)
		rc = load_run(t, s.attempt.run, &s.run, e);
	s.first_input = (uint32_t)t->trace->inputs.count;
	while (rc == 0 && parts_next(s.parts, s.parts_len, &at, &view)) {
		struct digest d;

		if (view.part != PART_INPUT || view.value_len != DIGEST_SIZE)
			continue;
		memcpy(&d, view.value, DIGEST_SIZE);
		rc = add_input(
			t, &s, arena_strndup(&t->trace->arena, view.name, view.name_len), &d, e);
	}
	s.input_count = (uint32_t)t->trace->inputs.count - s.first_input;
	t->trace->steps.items[index] = s;
	return rc;
}

int trace_make(
	struct trace *trace, struct db *db, const struct artifact_record *artifact, struct err *e)
{
	struct tracer t = { .trace = trace, .db = db };
	size_t i;
	int rc;

	memset(trace, 0, sizeof *trace);
	trace->artifact = *artifact;
	rc = attempt_reader_open(&t.reader, db, e);
	if (rc == 0)
		rc = makers_open(&t.makers, db, e);
	if (rc == 0)
		(void)step_for(&t, artifact->attempt);
	for (i = 0; i < trace->steps.count && rc == 0; i++)
		rc = expand(&t, i, e);
	attempt_reader_close(&t.reader);
	makers_close(&t.makers);
	map_release(&t.step_of);
	map_release(&t.run_of);
	map_release(&t.known_of);
	vec_release(&t.known);
	if (rc < 0)
		trace_release(trace);
	return rc;
}

void trace_release(struct trace *t)
{
	vec_release(&t->steps);
	vec_release(&t->inputs);
	vec_release(&t->runs);
	arena_release(&t->arena);
	memset(t, 0, sizeof *t);
}
