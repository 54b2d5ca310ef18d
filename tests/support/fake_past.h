/*
 * tests/support/fake_past.h - a project without a disk or a database: a past out of tables, and runs that make it.
 *
 *     struct fake f = { 0 };
 *     fake_write(&f, "raw.csv", "1,2");             the work tree
 *     fake_load(&f, "stages: ...", sets);           dag.yaml; again after an edit
 *     fake_plan(&f, NULL);  expect(&f, "train", VERDICT_RUN, REASON_NEVER_RUN);
 *     fake_run(&f);                                 does what was planned, settling as it goes
 *     fake_close(&f);
 * A task writes the text of its key into its outs, so that another key makes other bytes; unless the test has said what it
 * writes with fake_makes(), or that it fails with fake_fails().
 */
#ifndef FLOW_TESTS_FAKE_PAST_H
#define FLOW_TESTS_FAKE_PAST_H

#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "dag_text.h"
#include "plan/key.h"
#include "plan/nearest.h"
#include "plan/plan.h"

#define FAKE_FILES   64u
#define FAKE_RECORDS 256u

struct fake_text {
	char name[80];
	char text[128];
};

struct fake_texts {
	struct fake_text items[FAKE_FILES];
	size_t count;
};

struct fake_record {
	struct record record;
	struct made outs[4];
	char task[64];
	struct buf parts;
};

struct fake {
	struct loaded l;
	bool is_loaded, is_planned;
	struct past past;
	struct plan plan;
	struct fake_texts disk, makes, code, stored; /* stored: by digest */
	struct fake_record records[FAKE_RECORDS];
	size_t record_count;
	const char *fails;       /* a task that fails, or NULL */
	char failed[64];         /* whose last attempt failed, */
	struct digest failed_key; /* with this key */
	const char *disowned;    /* NULL; or why that attempt succeeded and is not trusted */
	bool lost_parts;         /* the records' component trees are gone */
	bool is_storeless;       /* nothing is kept in the store */
	struct code_file code_files[2];
	struct digest code_digests[2];
	char ran[256];           /* tasks the last run ran, each with a blank behind it */
};

/* -- tables ------------------------------------------------------------------------------------- */

static inline struct fake_text *fake_find(struct fake_texts *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (strcmp(t->items[i].name, name) == 0)
			return &t->items[i];
	return NULL;
}

static inline void fake_put(struct fake_texts *t, const char *name, const char *text)
{
	struct fake_text *at = fake_find(t, name);

	if (at == NULL) {
		assert_true(t->count < FAKE_FILES);
		at = &t->items[t->count++];
	}
	(void)snprintf(at->name, sizeof at->name, "%s", name);
	(void)snprintf(at->text, sizeof at->text, "%s", text);
}

static inline void fake_drop(struct fake_texts *t, const char *name)
{
	struct fake_text *at = fake_find(t, name);

	if (at != NULL)
		*at = t->items[--t->count];
}

static inline void fake_write(struct fake *f, const char *path, const char *text)
{
	fake_put(&f->disk, path, text);
}

static inline void fake_remove(struct fake *f, const char *path)
{
	fake_drop(&f->disk, path);
}

/* What the task writes from now on into each of its outs; NULL: what depends on its key. */
static inline void fake_makes(struct fake *f, const char *task, const char *text)
{
	if (text != NULL)
		fake_put(&f->makes, task, text);
	else
		fake_drop(&f->makes, task);
}

/* The plugin or script of a stage. */
static inline void fake_code(struct fake *f, const char *uses, const char *text)
{
	fake_put(&f->code, uses, text);
}

/* -- the past ----------------------------------------------------------------------------------- */

static inline int fake_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A file's text, or the names and texts of all that lies in a folder. */
static inline int fake_source(void *user, const char *path, struct digest *out, struct err *e)
{
	struct fake *f = user;
	struct fake_text *file = fake_find(&f->disk, path);
	const char *inside[FAKE_FILES];
	struct buf all = { 0 };
	size_t count = 0, i;

	if (file != NULL) {
		digest_of(out, file->text, strlen(file->text));
		return 0;
	}
	for (i = 0; i < f->disk.count; i++)
		if (strncmp(f->disk.items[i].name, path, strlen(path)) == 0 &&
			f->disk.items[i].name[strlen(path)] == '/')
			inside[count++] = f->disk.items[i].name;
	if (count == 0)
		return err_set(e, ERR_NOTFOUND, "`%s` is not there", path);
	qsort(inside, count, sizeof *inside, fake_compare);
	for (i = 0; i < count; i++)
		buf_printf(&all, "%s=%s\n", inside[i], fake_find(&f->disk, inside[i])->text);
	digest_of(out, all.data, all.len);
	buf_release(&all);
	return 0;
}

static inline int fake_code_of(void *user, uint32_t node, const struct code_file **files, size_t *count,
	struct err *e)
{
	struct fake *f = user;
	const char *uses = graph_text(&f->l.graph, f->l.graph.nodes[node].uses);
	struct fake_text *text = fake_find(&f->code, uses);
	bool is_plugin = node_stage(&f->l.graph, node)->kind == STAGE_PLUGIN;

	if (text == NULL)
		return err_set(e, ERR_INPUT, "`%s` is not there", uses);
	digest_of(&f->code_digests[0], text->text, strlen(text->text));
	f->code_files[0] = (struct code_file){ is_plugin ? "plugin it" : text->name, &f->code_digests[0] };
	*files = f->code_files;
	*count = 1;
	return 0;
}

static inline const struct record *fake_latest(void *user, uint32_t node)
{
	struct fake *f = user;
	size_t i;

	for (i = f->record_count; i-- > 0;)
		if (strcmp(f->records[i].task, node_name(&f->l.graph, node)) == 0)
			return &f->records[i].record;
	return NULL;
}

static inline const struct record *fake_by_key(void *user, const struct digest *key, uint32_t out_count)
{
	struct fake *f = user;
	size_t i;

	for (i = f->record_count; i-- > 0;)
		if (digest_same(&f->records[i].record.key, key) && f->records[i].record.out_count == out_count)
			return &f->records[i].record;
	return NULL;
}

static inline int fake_parts(void *user, int64_t attempt, const void **data, size_t *len, struct err *e)
{
	struct fake *f = user;

	if (f->lost_parts)
		return err_set(e, ERR_NOTFOUND, "no attempt %lld", (long long)attempt);
	*data = f->records[attempt - 1].parts.data;
	*len = f->records[attempt - 1].parts.len;
	return 0;
}

static inline enum presence fake_presence(void *user, const char *path, const struct made *want)
{
	struct digest d;
	struct err e;

	if (fake_source(user, path, &d, &e) < 0)
		return PRESENT_MISSING;
	return digest_same(&d, &want->digest) ? PRESENT_SAME : PRESENT_OTHER;
}

static inline bool fake_stored(void *user, const struct made *want)
{
	struct fake *f = user;
	char hex[DIGEST_HEX];

	return fake_find(&f->stored, digest_hex(&want->digest, hex)) != NULL;
}

static inline enum last_try fake_last_try(void *user, uint32_t node, const char **why)
{
	struct fake *f = user;

	*why = f->disowned;
	if (strcmp(f->failed, node_name(&f->l.graph, node)) != 0)
		return LAST_NONE;
	return f->disowned != NULL ? LAST_DISOWNED : LAST_FAILED;
}

static inline const struct record *fake_nearest(void *user, uint32_t node, const void *now, size_t len,
	const void **then, size_t *then_len)
{
	struct fake *f = user;
	const struct record *best = NULL;
	uint32_t least = UINT32_MAX;
	size_t i;

	for (i = f->record_count; i-- > 0 && !f->lost_parts;) {
		const struct fake_record *r = &f->records[i];
		uint32_t distance;

		if (strcmp(r->task, node_name(&f->l.graph, node)) != 0)
			continue;
		distance = parts_distance(r->parts.data, r->parts.len, now, len, least);
		if (distance >= least)
			continue;
		least = distance;
		best = &r->record;
		*then = r->parts.data;
		*then_len = r->parts.len;
	}
	return best;
}

static inline bool fake_failed_with(void *user, uint32_t node, const struct digest *key)
{
	struct fake *f = user;

	return strcmp(f->failed, node_name(&f->l.graph, node)) == 0 && digest_same(&f->failed_key, key);
}

/* -- the present ---------------------------------------------------------------------------------- */

static inline void fake_unload(struct fake *f)
{
	if (f->is_planned)
		plan_release(&f->plan);
	if (f->is_loaded)
		loaded_release(&f->l);
	f->is_planned = f->is_loaded = false;
}

static inline void fake_load(struct fake *f, const char *text, const char *const *sets)
{
	fake_unload(f);
	load_world(&f->l, text, NULL, NULL, sets);
	if (f->l.rc < 0)
		fail_msg("%s", f->l.diags.count > 0 ? f->l.diags.items[0].message : f->l.e.text);
	f->is_loaded = true;
	f->past = (struct past){ f, fake_source, fake_code_of, fake_latest, fake_by_key, fake_parts,
		fake_presence, fake_stored, fake_last_try, fake_nearest, fake_failed_with };
}

static inline void fake_plan(struct fake *f, const struct plan_options *options)
{
	static const struct plan_options none;
	struct err e;

	if (f->is_planned)
		plan_release(&f->plan);
	f->is_planned = true;
	if (plan_make(&f->plan, &f->l.graph, &f->past, options != NULL ? options : &none, &e) < 0)
		fail_msg("%s", e.text);
}

static inline void fake_store(struct fake *f, const struct made *made, const char *text)
{
	char hex[DIGEST_HEX];

	if (!f->is_storeless)
		fake_put(&f->stored, digest_hex(&made->digest, hex), text);
}

/* The task runs: its outs are written, it is recorded. */
static inline void fake_attempt(struct fake *f, uint32_t node)
{
	const struct graph *g = &f->l.graph;
	const char *name = node_name(g, node);
	struct fake_record *r = &f->records[f->record_count++];
	struct fake_text *makes = fake_find(&f->makes, name);
	char hex[DIGEST_HEX];
	const char *text;
	uint32_t i;
	struct err e;

	assert_true(f->record_count < FAKE_RECORDS);
	(void)snprintf(r->task, sizeof r->task, "%s", name);
	assert_int_equal(plan_parts(&f->plan, node, &e), 0);
	buf_add(&r->parts, f->plan.parts.data, f->plan.parts.len);
	r->record = (struct record){ .attempt = (int64_t)f->record_count,
		.outs = r->outs,
		.out_count = g->nodes[node].outs.count,
		.took_ms = 100 };
	key_digest(&r->record.key, &r->parts);
	assert_true(f->plan.choices[node].keyed && digest_same(&r->record.key, &f->plan.choices[node].key));
	text = makes != NULL ? makes->text : digest_hex(&r->record.key, hex);
	for (i = 0; i < r->record.out_count; i++) {
		const char *path = graph_text(g, g->outs[g->nodes[node].outs.first + i].path);

		if (strcmp(text, "(nothing)") == 0) {
			r->outs[i].mode = MADE_ABSENT;
			fake_remove(f, path);
			continue;
		}
		fake_write(f, path, text);
		assert_int_equal(fake_source(f, path, &r->outs[i].digest, &e), 0);
		r->outs[i].mode = 0644;
		fake_store(f, &r->outs[i], text);
	}
	plan_made(&f->plan, node, r->outs);
	(void)snprintf(f->ran + strlen(f->ran), sizeof f->ran - strlen(f->ran), "%s ", name);
}

static inline void fake_restore(struct fake *f, uint32_t node)
{
	const struct graph *g = &f->l.graph;
	const struct record *r = f->plan.choices[node].past;
	char hex[DIGEST_HEX];
	uint32_t i;

	for (i = 0; i < r->out_count; i++) {
		struct fake_text *object = fake_find(&f->stored, digest_hex(&r->outs[i].digest, hex));

		if ((r->outs[i].mode & MADE_ABSENT) == 0 && object != NULL)
			fake_write(f, graph_text(g, g->outs[g->nodes[node].outs.first + i].path), object->text);
	}
	plan_made(&f->plan, node, r->outs);
}

static inline void fake_do(struct fake *f, uint32_t node)
{
	const struct choice *c = &f->plan.choices[node];
	struct err e;

	if (c->verdict == VERDICT_LEFT_OUT)
		return;
	if (plan_settle(&f->plan, node, &e) < 0)
		fail_msg("%s", e.text);
	if (c->verdict == VERDICT_REUSE && c->restore)
		fake_restore(f, node);
	if (c->verdict != VERDICT_RUN)
		return;
	if (f->fails == NULL || strcmp(f->fails, node_name(&f->l.graph, node)) != 0) {
		fake_attempt(f, node);
		return;
	}
	(void)snprintf(f->failed, sizeof f->failed, "%s", f->fails);
	f->failed_key = c->key;
}

/* Tasks in dag.yaml's order, which tests write so that producers come first. A failure ends the run. */
static inline void fake_run(struct fake *f)
{
	uint32_t i;

	f->failed[0] = f->ran[0] = '\0';
	for (i = 0; i < f->l.graph.node_count && f->failed[0] == '\0'; i++)
		fake_do(f, i);
}

static inline void fake_close(struct fake *f)
{
	size_t i;

	fake_unload(f);
	for (i = 0; i < f->record_count; i++)
		buf_release(&f->records[i].parts);
}

/* -- what is expected ------------------------------------------------------------------------------- */

static inline const struct choice *choice_of(const struct fake *f, const char *task)
{
	return &f->plan.choices[node_of(&f->l, task)];
}

static inline void expect(const struct fake *f, const char *task, enum verdict verdict, enum reason reason)
{
	const struct choice *c = choice_of(f, task);

	if (c->verdict != verdict || c->reason != reason)
		fail_msg("%s: %s (%s) instead of %s (%s)", task, verdict_name((enum verdict)c->verdict),
			reason_name((enum reason)c->reason), verdict_name(verdict), reason_name(reason));
}

static inline void expect_text(struct fake *f, const char *task, const char *text)
{
	assert_string_equal(choice_text(&f->plan, choice_of(f, task)), text);
}

/* Four tasks, one after the other. */
static const char chain[] = "params: {train: {lr: 0.01}}\n"
			    "stages:\n"
			    "  prep: {cmd: 'prep > data', deps: [raw], outs: [data]}\n"
			    "  train: {cmd: 'train > model', deps: [data], outs: [model], params: [train.lr]}\n"
			    "  eval: {cmd: 'eval > score', deps: [model], outs: [score]}\n"
			    "  report: {cmd: 'report > page', deps: [score], outs: [page]}\n";

/* A run that went well, and the plan of the next one. */
static inline void fake_run_once(struct fake *f, const char *text)
{
	fake_load(f, text, NULL);
	fake_plan(f, NULL);
	fake_run(f);
	fake_plan(f, NULL);
}

#endif
