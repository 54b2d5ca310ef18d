#include "report/path_of_changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/program.h"
#include "base/vec.h"
#include "plan/key.h"
#include "report/run_params.h"
#include "report/scratch.h"
#include "report/trace.h"
#include "store/project.h"
#include "store/source.h"

/* -- commits and files that differ from them ------------------------------------------------------------------------ */

static void add_source(
	struct path *p, const char *name, const char *summary, const struct run_record *state)
{
	struct path_change change = {
		.kind = PATH_SOURCE, .name = name, .is = summary, .source = *state
	};

	vec_push(&p->changes, change);
	p->sources++;
}

/* A commit as it is, without what a run had beside it. */
static struct run_record clean(const struct run_record *run, const char *commit)
{
	struct run_record state = *run;

	state.commit_id = commit;
	state.dirty = 0;
	state.patch = state.dag_digest = (struct digest){ { 0 } };
	return state;
}

static void add_commits(struct path *p, const struct source_log *log)
{
	bool back = strcmp(log->way, "back") == 0;
	struct run_record state;
	size_t i;

	if (!digest_is_zero(&p->a.patch)) {
		state = clean(&p->a, p->a.commit_id);
		add_source(p, "uncommitted changes undone", "", &state);
	}
	for (i = 0; i < log->commits.count; i++) {
		const struct source_commit *commit = &log->commits.items[i];
		const char *after = !back                        ? commit->id
				    : i + 1 < log->commits.count ? commit[1].id
								 : p->b.commit_id;

		state = clean(&p->b, after);
		add_source(p,
			arena_printf(&p->arena, "commit %.7s%s", commit->id, back ? " undone" : ""),
			commit->summary, &state);
	}
	if (log->commits.count == 0)
		add_source(p,
			arena_printf(
				&p->arena, "commits %.7s and %.7s", p->a.commit_id, p->b.commit_id),
			"", &p->b);
	else if (!digest_is_zero(&p->b.patch))
		add_source(p, "uncommitted changes", "", &p->b);
}

static void add_sources(struct path *p, const struct project *project)
{
	struct source_log log;
	struct err e;

	p->note = "";
	if (p->a.commit_id[0] == '\0' || p->b.commit_id[0] == '\0' ||
		strcmp(p->a.commit_id, p->b.commit_id) == 0) {
		if (!digest_same(&p->a.patch, &p->b.patch) ||
			!digest_same(&p->a.dag_digest, &p->b.dag_digest) ||
			strcmp(p->a.commit_id, p->b.commit_id) != 0)
			add_source(p, p->b.commit_id[0] != '\0' ? "uncommitted changes" : "files",
				"", &p->b);
		return;
	}
	if (source_log(program_path(&p->arena, "flow-source"), project->root, p->a.commit_id,
		    p->b.commit_id, &p->arena, &log, &e) < 0) {
		log = (struct source_log){ .way = "" };
		p->note = arena_printf(
			&p->arena, "the commits between cannot be told apart: %s", e.text);
	} else if (strcmp(log.way, "apart") == 0) {
		p->note = "neither commit comes after the other: they count as one change";
	}
	add_commits(p, &log);
}

/* -- what the tasks see --------------------------------------------------------------------------------------------- */

static struct path_change *seen(struct path *p, enum path_kind kind, const char *name)
{
	struct path_changes *list = &p->seen[kind];
	struct path_change fresh = { .kind = kind };
	uint32_t *at = map_get(&p->seen_at[kind], name);

	if (at != NULL)
		return &list->items[*at];
	fresh.name = arena_strdup(&p->arena, name);
	(void)map_put(&p->seen_at[kind], fresh.name, (uint32_t)list->count);
	vec_push(list, fresh);
	return &list->items[list->count - 1];
}

static void see_text(struct path *p, enum path_kind kind, const struct part_view *v, bool is_b)
{
	struct path_change *change = seen(p, kind, arena_strndup(&p->arena, v->name, v->name_len));
	const char *value = arena_strndup(&p->arena, v->value, v->value_len);

	if (is_b)
		change->is = value;
	else
		change->was = value;
}

static void see_step(struct path *p, const struct trace *t, const struct trace_step *s, bool is_b)
{
	struct part_view v;
	size_t at = 0;
	uint32_t i;

	while (parts_next(s->parts, s->parts_len, &at, &v))
		if (v.part == PART_ENV)
			see_text(p, PATH_VARIABLE, &v, is_b);
	for (i = 0; i < s->input_count; i++) {
		const struct trace_input *in = &t->inputs.items[s->first_input + i];

		if (in->maker != TRACE_SOURCE || digest_same(&in->digest, &key_absent))
			continue;
		if (is_b)
			seen(p, PATH_INPUT, in->path)->now = in->digest;
		else
			seen(p, PATH_INPUT, in->path)->then = in->digest;
	}
}

static int see(struct path *p, struct db *db, int64_t attempt, bool is_b, struct err *e)
{
	struct trace t;
	size_t i;

	if (trace_of_attempt(&t, db, attempt, e) < 0)
		return e->code;
	for (i = 0; i < t.steps.count; i++)
		see_step(p, &t, &t.steps.items[i], is_b);
	trace_release(&t);
	return 0;
}

/* All of them: which tasks there are may depend on one that no task reads. */
static void see_params(struct path *p)
{
	struct run_params a, b;
	size_t i;

	run_params_read(&a, p->a.params, "", &p->arena);
	run_params_read(&b, p->b.params, "", &p->arena);
	for (i = 0; i < a.count; i++)
		seen(p, PATH_PARAM, a.items[i].name)->was = a.items[i].value;
	for (i = 0; i < b.count; i++)
		seen(p, PATH_PARAM, b.items[i].name)->is = b.items[i].value;
}

static const char *short_text(struct path *p, const struct digest *d)
{
	char hex[DIGEST_HEX];

	return digest_is_zero(d) ? NULL : arena_strndup(&p->arena, digest_hex(d, hex), 12);
}

/* Inputs that do not come with the source, at either end. */
static int settle_inputs(struct path *p, struct scratch *s, struct err *e)
{
	struct path_changes *list = &p->seen[PATH_INPUT];
	size_t i, kept = 0;
	unsigned end;
	int rc = 0;

	for (end = 0; end < 2 && rc == 0 && list->count > 0; end++) {
		rc = scratch_checkout(s, end == 0 ? &p->a : &p->b, e);
		p->stands = end == 0 ? 1 : p->sources + 1;
		for (i = 0; i < list->count && rc == 0; i++) {
			struct path_change *in = &list->items[i];
			const struct digest *d = end == 0 ? &in->then : &in->now;

			if (!digest_is_zero(d) && !scratch_has(s, in->name, d))
				in->was = in->is = ""; /* it has to be given */
		}
	}
	for (i = 0; i < list->count; i++)
		if (list->items[i].was != NULL)
			list->items[kept++] = list->items[i];
	list->count = kept;
	for (i = 0; i < list->count; i++) {
		list->items[i].was = short_text(p, &list->items[i].then);
		list->items[i].is = short_text(p, &list->items[i].now);
	}
	return rc;
}

static bool differs(const struct path_change *c)
{
	if (c->kind == PATH_INPUT)
		return !digest_same(&c->then, &c->now);
	return c->was == NULL || c->is == NULL ? c->was != c->is : strcmp(c->was, c->is) != 0;
}

int path_make(struct path *p, struct db *db, struct scratch *s, const struct run_record *a,
	int64_t a_attempt, const struct run_record *b, int64_t b_attempt, struct err *e)
{
	unsigned kind;
	size_t i;
	int rc;

	*p = (struct path){ .a = *a, .b = *b };
	add_sources(p, s->project);
	rc = see(p, db, a_attempt, false, e);
	if (rc == 0)
		rc = see(p, db, b_attempt, true, e);
	see_params(p);
	if (rc == 0)
		rc = settle_inputs(p, s, e);
	for (kind = PATH_INPUT; kind <= PATH_PARAM; kind++)
		for (i = 0; i < p->seen[kind].count; i++)
			if (differs(&p->seen[kind].items[i]))
				vec_push(&p->changes, p->seen[kind].items[i]);
	return rc;
}

void path_release(struct path *p)
{
	unsigned kind;

	for (kind = 0; kind <= PATH_PARAM; kind++) {
		vec_release(&p->seen[kind]);
		map_release(&p->seen_at[kind]);
	}
	vec_release(&p->changes);
	past_params_release(&p->params);
	arena_release(&p->arena);
}

/* -- at a point of the path ----------------------------------------------------------------------------------------- */

/* Is that change made at the point? One that is no change is the same on either side. */
static bool is_made(const struct path *p, enum path_kind kind, const char *name, size_t point)
{
	size_t i;

	for (i = p->sources; i < point; i++)
		if (p->changes.items[i].kind == kind && strcmp(p->changes.items[i].name, name) == 0)
			return true;
	return false;
}

static int go_inputs(struct path *p, struct scratch *s, size_t point, struct err *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < p->seen[PATH_INPUT].count && rc == 0; i++) {
		const struct path_change *in = &p->seen[PATH_INPUT].items[i];
		const struct digest *d =
			is_made(p, PATH_INPUT, in->name, point) ? &in->now : &in->then;

		rc = digest_is_zero(d) ? scratch_drop(s, in->name, e)
				       : scratch_input(s, in->name, d, e);
	}
	return rc;
}

static void go_variables(struct path *p, size_t point)
{
	size_t i;

	for (i = 0; i < p->seen[PATH_VARIABLE].count; i++) {
		const struct path_change *v = &p->seen[PATH_VARIABLE].items[i];
		const char *value = is_made(p, PATH_VARIABLE, v->name, point) ? v->is : v->was;

		if (value != NULL)
			(void)setenv(v->name, value, 1);
		else
			(void)unsetenv(v->name);
	}
}

static int go_params(struct path *p, struct scratch *s, size_t point, struct err *e)
{
	struct run_params a, b;
	size_t i;

	run_params_read(&a, p->a.params, p->a.changed, &p->arena);
	run_params_read(&b, p->b.params, p->b.changed, &p->arena);
	p->params.file = arena_printf(&p->arena, "%s/params.json", s->top);
	p->params.wanted.count = 0;
	for (i = 0; i < p->seen[PATH_PARAM].count; i++) {
		const char *name = p->seen[PATH_PARAM].items[i].name;
		bool made = is_made(p, PATH_PARAM, name, point);

		past_params_add(&p->params, made ? &b : &a, made ? p->b.changed : p->a.changed,
			name, &p->arena);
	}
	return past_params_make(&p->params, s->dag, &p->arena, e);
}

int path_go(struct path *p, struct scratch *s, size_t point, struct err *e)
{
	size_t sources = point < p->sources ? point : p->sources;
	int rc = 0;

	if (p->stands != sources + 1) {
		p->stands = 0;
		rc = scratch_checkout(
			s, sources == 0 ? &p->a : &p->changes.items[sources - 1].source, e);
		if (rc == 0)
			p->stands = sources + 1;
	}
	if (rc == 0)
		rc = go_inputs(p, s, point, e);
	go_variables(p, point);
	return rc == 0 ? go_params(p, s, point, e) : rc;
}
