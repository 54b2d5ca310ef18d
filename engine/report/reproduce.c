#include "report/reproduce.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/map.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "plan/key.h"
#include "report/run_params.h"
#include "store/db.h"
#include "store/project.h"
#include "store/stats.h"
#include "store/tree.h"

#define MANIFEST_MAX ((size_t)1 << 30)

static int by_attempt(const void *x, const void *y)
{
	const struct trace_step *const *a = x, *const *b = y;

	return (*a)->attempt.id < (*b)->attempt.id ? -1 : (*a)->attempt.id > (*b)->attempt.id;
}

static const char *out_name(struct reproduction *r, int64_t attempt, const char *path)
{
	return arena_printf(&r->arena, "%lld %s", (long long)attempt, path);
}

/* An input's maker is an earlier attempt than its reader: by their ids, attempts stand in the order they were made. */
static const struct trace_step **ordered_steps(struct reproduction *r)
{
	const struct trace_step **steps =
		arena_alloc(&r->arena, (r->trace.steps.count + 1) * sizeof *steps);
	size_t i;

	for (i = 0; i < r->trace.steps.count; i++)
		steps[i] = &r->trace.steps.items[i];
	qsort(steps, r->trace.steps.count, sizeof *steps, by_attempt);
	return steps;
}

/* An out that nobody on the way reads may be what it likes. */
static void mark_read(struct reproduction *r)
{
	struct map read = { 0 };
	size_t i;

	for (i = 0; i < r->trace.inputs.count; i++) {
		const struct trace_input *in = &r->trace.inputs.items[i];

		if (in->maker < r->trace.steps.count)
			(void)map_put(&read,
				out_name(r, r->trace.steps.items[in->maker].attempt.id,
					in->folder != NULL ? in->folder : in->path),
				0);
	}
	for (i = 0; i < r->outs.count; i++)
		r->outs.items[i].counts =
			i == r->target || map_get(&read, out_name(r, r->outs.items[i].attempt,
								 r->outs.items[i].path)) != NULL;
	map_release(&read);
}

static int list_outs(struct reproduction *r, struct err *e)
{
	const struct trace_step **steps = ordered_steps(r);
	struct artifact_list list = { 0 };
	size_t i, k;

	for (i = 0; i < r->trace.steps.count; i++) {
		if (artifacts_of(r->db, steps[i]->attempt.id, &r->arena, &list, e) < 0)
			return e->code;
		for (k = 0; k < list.count; k++) {
			const struct artifact_record *a = &list.items[k];
			struct remade out = { .task = steps[i]->attempt.task,
				.name = a->name,
				.path = a->path,
				.was = a->made,
				.attempt = a->attempt };

			if (a->attempt == r->trace.artifact.attempt &&
				strcmp(a->path, r->trace.artifact.path) == 0)
				r->target = r->outs.count;
			vec_push(&r->outs, out);
		}
	}
	mark_read(r);
	return 0;
}

int reproduce_open(struct reproduction *r, struct db *db, const struct project *p,
	const struct artifact_record *artifact, struct err *e)
{
	*r = (struct reproduction){ .db = db,
		.scratch = { .root_fd = -1, .lock_fd = -1, .project = p } };
	if (trace_make(&r->trace, db, artifact, e) < 0)
		return e->code;
	r->run = &r->trace.runs.items[r->trace.steps.items[0].run];
	r->task = r->trace.steps.items[0].attempt.task;
	return list_outs(r, e);
}

void reproduce_close(struct reproduction *r)
{
	if (r->scratch.lock_fd >= 0)
		scratch_close(&r->scratch);
	trace_release(&r->trace);
	past_params_release(&r->params);
	vec_release(&r->outs);
	arena_release(&r->arena);
}

/* -- before the run ------------------------------------------------------------------------------------------------- */

/* What a task made goes in as it was recorded. */
static int give_made(struct reproduction *r, int64_t attempt, const char *path, struct err *e)
{
	struct stat_id id;
	size_t i;

	for (i = 0; i < r->outs.count; i++) {
		const struct remade *out = &r->outs.items[i];
		int rc;

		if (out->attempt != attempt || strcmp(out->path, path) != 0)
			continue;
		rc = object_restore(&r->scratch.objects, &out->was, path, &id, e);
		if (rc == ERR_NOTFOUND || rc == ERR_CORRUPT) {
			err_context(e, "input `%s` is no longer stored", path);
			e->code = ERR_SYSTEM;
			return err_id(e, "E0515");
		}
		return rc;
	}
	return 0;
}

static int give_inputs(struct reproduction *r, const struct trace_step *s, struct err *e)
{
	uint32_t i;
	int rc = 0;

	for (i = 0; i < s->input_count && rc == 0; i++) {
		const struct trace_input *in = &r->trace.inputs.items[s->first_input + i];

		if (in->maker == TRACE_SOURCE && !digest_is_zero(&in->digest) &&
			!digest_same(&in->digest, &key_absent))
			rc = scratch_input(&r->scratch, in->path, &in->digest, e);
		else if (r->alone && in->maker < r->trace.steps.count)
			rc = give_made(r, r->trace.steps.items[in->maker].attempt.id,
				in->folder != NULL ? in->folder : in->path, e);
	}
	return rc;
}

/* Variables that a key holds have the value it holds. */
static void set_environment(struct reproduction *r, const struct trace_step *s)
{
	struct part_view v;
	size_t at = 0;

	while (parts_next(s->parts, s->parts_len, &at, &v))
		if (v.part == PART_ENV)
			(void)setenv(arena_strndup(&r->arena, v.name, v.name_len),
				arena_strndup(&r->arena, v.value, v.value_len), 1);
}

static int set_params(struct reproduction *r, struct err *e)
{
	struct run_params params;
	size_t i;

	run_params_read(&params, r->run->params, r->run->changed, &r->arena);
	r->params.file = arena_printf(&r->arena, "%s/params.json", r->scratch.top);
	for (i = 0; i < params.count; i++)
		past_params_add(
			&r->params, &params, r->run->changed, params.items[i].name, &r->arena);
	return past_params_make(&r->params, r->scratch.dag, &r->arena, e);
}

int reproduce_prepare(struct reproduction *r, bool alone, struct err *e)
{
	size_t i, count = alone ? 1 : r->trace.steps.count;
	int rc;

	r->alone = alone;
	rc = scratch_open(&r->scratch, r->scratch.project, e);
	if (rc == 0)
		rc = scratch_checkout(&r->scratch, r->run, e);
	for (i = 0; i < count && rc == 0; i++) {
		set_environment(r, &r->trace.steps.items[i]);
		rc = give_inputs(r, &r->trace.steps.items[i], e);
	}
	return rc == 0 ? set_params(r, e) : rc;
}

int reproduce_given(struct reproduction *r, const struct graph *g, struct err *e)
{
	size_t i;

	if (scratch_secrets(&r->scratch, g, e) < 0)
		return e->code;
	for (i = 0; i < r->outs.count; i++) {
		uint32_t node = graph_find(g, r->outs.items[i].task);

		if (node != NO_NODE && (node_stage(g, node)->flags & STAGE_FROZEN) != 0 &&
			give_made(r, r->outs.items[i].attempt, r->outs.items[i].path, e) < 0)
			return e->code;
	}
	return 0;
}

/* -- after it ------------------------------------------------------------------------------------------------------- */

static void compare(struct remade *out, const struct artifact_list *made)
{
	size_t i;

	out->is = (struct made){ .mode = MADE_ABSENT };
	for (i = 0; i < made->count; i++)
		if (strcmp(made->items[i].path, out->path) == 0)
			out->is = made->items[i].made;
	out->same = digest_same(&out->was.digest, &out->is.digest) &&
		    ((out->was.mode ^ out->is.mode) & (MADE_ABSENT | MADE_FOLDER)) == 0;
}

static int judge(struct reproduction *r, struct db *db, struct err *e)
{
	struct artifact_list made = { 0 };
	struct run_record run;
	struct id_list ids;
	size_t i;

	if (run_find(db, "@last", &r->arena, &run, e) < 0 ||
		outs_of_run(db, &run, &r->arena, &ids, e) < 0 ||
		artifacts_of_all(db, &ids, &r->arena, &made, e) < 0)
		return e->code;
	r->first = r->outs.count;
	for (i = 0; i < r->outs.count; i++) {
		if (r->alone && strcmp(r->outs.items[i].task, r->task) != 0)
			continue;
		compare(&r->outs.items[i], &made);
		if (r->outs.items[i].counts && !r->outs.items[i].same && r->first == r->outs.count)
			r->first = i;
	}
	return 0;
}

int reproduce_judge(struct reproduction *r, struct err *e)
{
	struct project p;
	struct db db;
	int rc = project_open(&p, r->scratch.root, PROJECT_READ, e);

	if (rc < 0)
		return rc;
	rc = db_open(&db, &p, PROJECT_READ, e);
	if (rc == 0) {
		rc = judge(r, &db, e);
		db_close(&db);
	}
	project_close(&p);
	return rc;
}

/* -- how two objects differ ----------------------------------------------------------------------------------------- */

/* In the user's store or the scratch's. Below 0: in neither. */
static int open_object(const struct reproduction *r, const struct digest *d)
{
	char path[80], whole[100];
	int fd = openat(r->scratch.project->store_fd, object_path(d, path),
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0)
		return fd;
	(void)snprintf(whole, sizeof whole, ".flow/%s", path);
	return openat(r->scratch.root_fd, whole, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static int compare_files(struct reproduction *r, const struct digest *was, const struct digest *is,
	struct difference *out, struct err *e)
{
	int a = open_object(r, was), b = open_object(r, is), rc = 0;

	if (a >= 0 && b >= 0)
		rc = difference_of(out, a, b, &r->arena, e) < 0 ? e->code : 1;
	if (a >= 0)
		close(a);
	if (b >= 0)
		close(b);
	return rc;
}

static bool load_manifest(struct reproduction *r, const struct digest *d, struct buf *text)
{
	int fd = open_object(r, d);
	struct err e;
	bool good = fd >= 0 && file_read_fd(text, fd, MANIFEST_MAX, &e) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

/* The first entry in which two folders differ. */
static int compare_folders(struct reproduction *r, struct buf *was, struct buf *is,
	struct difference *out, const char **where, struct err *e)
{
	struct manifest_line a, b;
	struct digest x, y;
	char *at_a = was->data, *at_b = is->data;
	bool has_a, has_b, bad = false;

	*out = (struct difference){ .format = "", .where = "", .other = "" };
	for (;;) {
		has_a = at_a != NULL && manifest_next(&at_a, &a, &bad);
		has_b = at_b != NULL && manifest_next(&at_b, &b, &bad);
		if (!has_a || !has_b || strcmp(a.path, b.path) != 0) {
			bool gone = has_a && (!has_b || strcmp(a.path, b.path) < 0);

			*where = has_a || has_b ? arena_strdup(&r->arena, gone ? a.path : b.path)
						: "";
			out->other = gone ? "is gone" : "is new";
			return 1;
		}
		if (a.mode != b.mode || strcmp(a.digest, b.digest) != 0)
			break;
	}
	*where = arena_strdup(&r->arena, a.path);
	if (digest_parse(&x, a.digest) && digest_parse(&y, b.digest) && !digest_same(&x, &y))
		return compare_files(r, &x, &y, out, e);
	out->other = "has another mode";
	return 1;
}

int reproduce_difference(struct reproduction *r, const struct made *was, const struct made *is,
	struct difference *out, const char **where, struct err *e)
{
	struct buf a = { 0 }, b = { 0 };
	int rc = 0;

	*where = "";
	if (((was->mode | is->mode) & MADE_ABSENT) != 0)
		return 0;
	if ((was->mode & is->mode & MADE_FOLDER) == 0)
		return compare_files(r, &was->digest, &is->digest, out, e);
	if (load_manifest(r, &was->digest, &a) && load_manifest(r, &is->digest, &b))
		rc = compare_folders(r, &a, &b, out, where, e);
	buf_release(&a);
	buf_release(&b);
	return rc;
}
