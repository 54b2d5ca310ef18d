#include "report/diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/program.h"
#include "report/code_changes.h"
#include "report/run_params.h"
#include "report/runlist.h"
#include "store/artifacts.h"
#include "store/measures.h"
#include "store/rows.h"
#include "store/tasks.h"

#define SHORT_HEX      12
#define TIMING_LEAST   100 /* ms */
#define TIMING_PERCENT 10

/* A task of either run: what it was in each. */
struct pair {
	const char *task;
	const struct task_record *a, *b; /* NULL: that run has no such task */
	int64_t a_attempt, b_attempt;    /* that it had last; 0: none */
};

struct pairs {
	struct pair *items;
	size_t count, cap;
};

/* What one run has of the tasks that are not the same attempt in both. */
struct side {
	struct id_list attempts;
	struct measure_list measures;
	struct artifact_list artifacts;
};

struct differ {
	struct diff *diff;
	struct db *db;
	struct arena *arena;
	struct pairs pairs;
	struct side a, b;
	struct attempt_reader reader;
	struct code_changes code;
};

static const char *short_hex(struct arena *a, const struct digest *d)
{
	char hex[DIGEST_HEX];

	return digest_is_zero(d) ? NULL : arena_strndup(a, digest_hex(d, hex), SHORT_HEX);
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Adds the change if it is one. */
static bool compare(struct text_changes *list, const char *task, const char *name, const char *was,
	const char *is)
{
	struct change_text change = {
		.task = task, .kind = "", .name = name, .was = was, .is = is
	};

	if (same_text(was, is))
		return false;
	vec_push(list, change);
	return true;
}

static void compare_params(struct differ *x)
{
	struct diff *d = x->diff;
	struct run_params a, b;
	size_t i = 0, k = 0;

	run_params_read(&a, d->a.params, d->a.changed, x->arena);
	run_params_read(&b, d->b.params, d->b.changed, x->arena);
	while (i < a.count || k < b.count) {
		int order = i == a.count   ? 1
			    : k == b.count ? -1
					   : strcmp(a.items[i].name, b.items[k].name);
		const char *name = order <= 0 ? a.items[i].name : b.items[k].name;
		const char *was = order <= 0 ? a.items[i++].value : NULL;
		const char *is = order >= 0 ? b.items[k++].value : NULL;

		if (!compare(&d->params, "", name, was, is))
			d->same_params++;
	}
}

static const char *text_or_null(const char *text, size_t len, struct arena *a)
{
	return text[0] != '\0' ? arena_strndup(a, text, strnlen(text, len)) : NULL;
}

static void compare_source(struct differ *x)
{
	struct diff *d = x->diff;
	struct arena *a = x->arena;

	/* A run in which nothing ran did not ask git: that it has no commit is no difference. */
	if (d->a.commit_id[0] != '\0' && d->b.commit_id[0] != '\0') {
		(void)compare(&d->source, "", "commit", text_or_null(d->a.commit_id, SHORT_HEX, a),
			text_or_null(d->b.commit_id, SHORT_HEX, a));
		(void)compare(&d->source, "", "branch", text_or_null(d->a.branch, SIZE_MAX, a),
			text_or_null(d->b.branch, SIZE_MAX, a));
		(void)compare(&d->source, "", "patch", short_hex(a, &d->a.patch), short_hex(a, &d->b.patch));
	}
	(void)compare(&d->source, "", d->b.dag_path, short_hex(a, &d->a.dag_digest),
		short_hex(a, &d->b.dag_digest));
}

static int by_name(const void *x, const void *y)
{
	return strcmp(((const struct task_record *)x)->name, ((const struct task_record *)y)->name);
}

static int64_t attempt_of(const struct task_record *t)
{
	if (t == NULL)
		return 0;
	return t->last.id != 0 && strcmp(t->state, "REUSED") != 0 ? t->last.id : t->outs_of;
}

static int load_pairs(struct differ *x, struct err *e)
{
	struct task_list a = { 0 }, b = { 0 };
	size_t i = 0, k = 0;

	if (tasks_of_run(x->db, &x->diff->a, x->arena, &a, e) < 0 ||
		tasks_of_run(x->db, &x->diff->b, x->arena, &b, e) < 0)
		return e->code;
	if (a.count > 1)
		qsort(a.items, a.count, sizeof *a.items, by_name);
	if (b.count > 1)
		qsort(b.items, b.count, sizeof *b.items, by_name);
	while (i < a.count || k < b.count) {
		int order = i == a.count   ? 1
			    : k == b.count ? -1
					   : strcmp(a.items[i].name, b.items[k].name);
		struct pair p = { .task = order <= 0 ? a.items[i].name : b.items[k].name };

		p.a = order <= 0 ? &a.items[i++] : NULL;
		p.b = order >= 0 ? &b.items[k++] : NULL;
		p.a_attempt = attempt_of(p.a);
		p.b_attempt = attempt_of(p.b);
		vec_push(&x->pairs, p);
	}
	return 0;
}

static int by_number(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return a < b ? -1 : a > b;
}

static int load_side(struct differ *x, struct side *s, bool is_b, struct err *e)
{
	struct id_list ids = { 0 };
	size_t i;
	int rc;

	for (i = 0; i < x->pairs.count; i++) {
		const struct pair *p = &x->pairs.items[i];
		int64_t id = is_b ? p->b_attempt : p->a_attempt;

		if (id != 0 && p->a_attempt != p->b_attempt)
			vec_push(&ids, id);
	}
	if (ids.count > 1)
		qsort(ids.items, ids.count, sizeof *ids.items, by_number);
	rows_keep(&s->attempts, &ids, x->arena);
	rc = measures_of(x->db, &s->attempts, x->arena, &s->measures, e);
	if (rc == 0)
		rc = artifacts_of_all(x->db, &s->attempts, x->arena, &s->artifacts, e);
	return rc;
}

/* "ok" is "ok", whether it ran or was reused. */
static const char *state_of(const struct task_record *t)
{
	if (t == NULL)
		return NULL;
	return strcmp(t->state, "SUCCEEDED") == 0 || strcmp(t->state, "REUSED") == 0 ? "ok"
										     : t->state;
}

/* The first of an attempt's rows; both lists are in the order of attempts. */
static size_t first_measure(const struct measure_list *list, int64_t attempt)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->items[middle].attempt < attempt)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t first_artifact(const struct artifact_list *list, int64_t attempt)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->items[middle].attempt < attempt)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool same_number(double a, double b)
{
	return (isnan(a) && isnan(b)) || !(a < b || a > b || isnan(a) || isnan(b));
}

static void compare_metrics(struct differ *x, const struct pair *p)
{
	const struct measure_list *a = &x->a.measures, *b = &x->b.measures;
	size_t i = first_measure(a, p->a_attempt), k = first_measure(b, p->b_attempt);

	for (;;) {
		bool has_a =
			p->a_attempt != 0 && i < a->count && a->items[i].attempt == p->a_attempt;
		bool has_b =
			p->b_attempt != 0 && k < b->count && b->items[k].attempt == p->b_attempt;
		struct change_number c = { p->task, "", (double)NAN, (double)NAN };
		int order;

		if (!has_a && !has_b)
			return;
		order = !has_a ? 1 : !has_b ? -1 : strcmp(a->items[i].name, b->items[k].name);
		c.name = order <= 0 ? a->items[i].name : b->items[k].name;
		if (order <= 0)
			c.was = a->items[i++].value;
		if (order >= 0)
			c.is = b->items[k++].value;
		if (same_number(c.was, c.is))
			x->diff->same_metrics++;
		else
			vec_push(&x->diff->metrics, c);
	}
}

static const struct artifact_record *find_out(
	const struct artifact_list *list, int64_t attempt, const char *name)
{
	size_t i;

	for (i = first_artifact(list, attempt);
		i < list->count && list->items[i].attempt == attempt; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

/* Outs by their path, of tasks that have results in both runs. */
static void compare_outs(struct differ *x, const struct pair *p)
{
	const struct artifact_list *a = &x->a.artifacts, *b = &x->b.artifacts;
	const struct artifact_record *other;
	size_t i;

	for (i = first_artifact(a, p->a_attempt);
		i < a->count && a->items[i].attempt == p->a_attempt; i++) {
		const struct artifact_record *r = &a->items[i];

		other = find_out(b, p->b_attempt, r->name);
		if (!compare(&x->diff->outs, p->task, other != NULL ? other->path : r->path,
			    short_hex(x->arena, &r->made.digest),
			    other != NULL ? short_hex(x->arena, &other->made.digest) : NULL))
			x->diff->same_outs++;
	}
	for (i = first_artifact(b, p->b_attempt);
		i < b->count && b->items[i].attempt == p->b_attempt; i++)
		if (find_out(a, p->a_attempt, b->items[i].name) == NULL)
			(void)compare(&x->diff->outs, p->task, b->items[i].path, NULL,
				short_hex(x->arena, &b->items[i].made.digest));
}

static int compare_code(struct differ *x, const struct pair *p, struct attempt_record *was,
	struct attempt_record *is, struct err *e)
{
	const void *then, *now;
	size_t then_len, now_len;
	int rc = attempt_read(&x->reader, p->a_attempt, x->arena, was, &then, &then_len, e);

	if (rc == 0)
		rc = attempt_read(&x->reader, p->b_attempt, x->arena, is, &now, &now_len, e);
	if (rc == 0)
		code_changes_add(&x->code, p->task, then, then_len, now, now_len);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static void compare_times(struct differ *x, const struct pair *p, const struct attempt_record *a,
	const struct attempt_record *b)
{
	int64_t was = attempt_took_ms(a, a->began_ms), is = attempt_took_ms(b, b->began_ms);
	int64_t apart = was > is ? was - is : is - was;
	struct change_number c = { p->task, "", (double)was, (double)is };

	if (a->ended_ms != 0 && b->ended_ms != 0 && apart > TIMING_LEAST &&
		apart > was / (100 / TIMING_PERCENT))
		vec_push(&x->diff->timings, c);
}

static int compare_pair(struct differ *x, const struct pair *p, struct err *e)
{
	struct attempt_record was = { 0 }, is = { 0 };

	(void)compare(&x->diff->tasks, p->task, "", state_of(p->a), state_of(p->b));
	if (p->a_attempt == p->b_attempt) {
		x->diff->same_tasks++;
		return 0;
	}
	compare_metrics(x, p);
	if (p->a_attempt == 0 || p->b_attempt == 0)
		return 0;
	if (p->a->outs_of != 0 && p->b->outs_of != 0)
		compare_outs(x, p);
	if (compare_code(x, p, &was, &is, e) < 0)
		return e->code;
	compare_times(x, p, &was, &is);
	return 0;
}

/* Lists grew on the heap; what the caller gets is the arena's. */
static void keep_lists(struct diff *out, struct diff *d, struct arena *a)
{
	*out = *d;
	rows_keep(&out->params, &d->params, a);
	rows_keep(&out->source, &d->source, a);
	rows_keep(&out->code, &d->code, a);
	rows_keep(&out->tasks, &d->tasks, a);
	rows_keep(&out->outs, &d->outs, a);
	rows_keep(&out->metrics, &d->metrics, a);
	rows_keep(&out->timings, &d->timings, a);
	out->differs = out->params.count + out->source.count + out->code.count + out->tasks.count +
			       out->outs.count + out->metrics.count >
		       0;
}

static void release(struct differ *x)
{
	attempt_reader_close(&x->reader);
	vec_release(&x->pairs);
	code_changes_release(&x->code);
}

static int compare_all(struct differ *x, struct err *e)
{
	size_t i;
	int rc = load_pairs(x, e);

	compare_params(x);
	compare_source(x);
	if (rc == 0)
		rc = load_side(x, &x->a, false, e);
	if (rc == 0)
		rc = load_side(x, &x->b, true, e);
	for (i = 0; i < x->a.artifacts.count; i++)
		code_changes_made(&x->code, x->a.artifacts.items[i].path);
	for (i = 0; i < x->b.artifacts.count; i++)
		code_changes_made(&x->code, x->b.artifacts.items[i].path);
	if (rc == 0)
		rc = attempt_reader_open(&x->reader, x->db, e);
	for (i = 0; i < x->pairs.count && rc == 0; i++)
		rc = compare_pair(x, &x->pairs.items[i], e);
	code_changes_list(&x->code, &x->diff->code);
	return rc;
}

int diff_make(struct diff *out, struct db *db, const struct project *p, const char *a_ref,
	const char *b_ref, struct arena *a, struct err *e)
{
	struct diff d = { 0 }, kept;
	struct differ x = { .diff = &d, .db = db, .arena = a, .code = { .arena = a } };
	int rc;

	if (run_find(db, a_ref, a, &d.a, e) < 0 || run_find(db, b_ref, a, &d.b, e) < 0)
		return e->code;
	d.a_alive = d.a.ended_ms == 0 && run_is_alive(p, &d.a);
	d.b_alive = d.b.ended_ms == 0 && run_is_alive(p, &d.b);
	rc = compare_all(&x, e);
	keep_lists(&kept, &d, a);
	release(&x);
	if (rc == 0)
		*out = kept;
	return rc;
}

void diff_log(struct diff *d, const char *root, struct arena *a)
{
	struct err e;

	if (d->a.commit_id[0] == '\0' || d->b.commit_id[0] == '\0' ||
		strcmp(d->a.commit_id, d->b.commit_id) == 0)
		return;
	d->has_log = source_log(program_path(a, "flow-source"), root, d->a.commit_id,
			     d->b.commit_id, a, &d->log, &e) == 0;
}
