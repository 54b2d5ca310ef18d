#include "report/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"
#include "base/vec.h"
#include "plan/key.h"
#include "report/origins.h"
#include "store/db.h"

struct tracer {
	struct trace *trace;
	struct db *db;
	struct attempt_reader reader;
	struct origins origins;
	struct map step_of; /* attempt -> step */
	struct map run_of;  /* run -> index into runs */
};

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
static int add_within(struct tracer *t, const struct trace_step *s, size_t folder, struct err *e)
{
	struct artifact_list list = { 0 };
	size_t i;

	if (origins_below(&t->origins, &s->attempt, t->trace->inputs.items[folder].path,
		    &t->trace->arena, &list, e) < 0)
		return e->code;
	for (i = 0; i < list.count; i++) {
		const struct artifact_record *r = &list.items[i];
		struct trace_input in = { .path = r->path,
			.digest = r->made.digest,
			.within = true,
			.size = r->made.size };

		in.maker = step_for(t, r->attempt);
		vec_push(&t->trace->inputs, in);
	}
	if (list.count > 0)
		t->trace->inputs.items[folder].maker = TRACE_PARTLY;
	return 0;
}

static int add_input(struct tracer *t, const struct trace_step *s, const char *path,
	const struct digest *d, struct err *e)
{
	struct trace_input in = { .path = path, .digest = *d, .maker = TRACE_SOURCE };
	struct artifact_record found;
	int rc = origins_find(&t->origins, &s->attempt, path, d, &found, e);

	if (rc == 0) {
		rc = origins_find_around(&t->origins, &s->attempt, path, &found, e);
		in.folder = rc > 0 ? arena_strdup(&t->trace->arena, found.path) : NULL;
	}
	if (rc < 0)
		return rc;
	if (rc > 0) {
		in.maker = step_for(t, found.attempt);
		in.size = in.folder == NULL ? found.made.size : 0;
	}
	vec_push(&t->trace->inputs, in);
	return rc > 0 ? 0 : add_within(t, s, t->trace->inputs.count - 1, e);
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
		rc = origins_open(&t.origins, db, e);
	if (rc == 0)
		(void)step_for(&t, artifact->attempt);
	for (i = 0; i < trace->steps.count && rc == 0; i++)
		rc = expand(&t, i, e);
	attempt_reader_close(&t.reader);
	origins_close(&t.origins);
	map_release(&t.step_of);
	map_release(&t.run_of);
	if (rc < 0)
		trace_release(trace);
	return rc;
}

int trace_of_attempt(struct trace *t, struct db *db, int64_t attempt, struct err *e)
{
	struct artifact_record any = { .attempt = attempt, .name = "", .path = "" };

	return trace_make(t, db, &any, e);
}

void trace_release(struct trace *t)
{
	vec_release(&t->steps);
	vec_release(&t->inputs);
	vec_release(&t->runs);
	arena_release(&t->arena);
	memset(t, 0, sizeof *t);
}
