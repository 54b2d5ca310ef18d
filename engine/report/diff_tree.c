#include "report/diff_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "report/code_changes.h"
#include "report/diff.h"
#include "report/run_params.h"
#include "run/session.h"
#include "store/artifacts.h"
#include "store/rows.h"
#include "store/tasks.h"

#define SHORT_HEX 12

struct differ {
	struct diff *diff;
	struct session *session;
	struct arena *arena;
	struct task_list tasks; /* of the run, by name */
	struct code_changes code;
};

static const char *short_hex(struct differ *x, const struct digest *d)
{
	char hex[DIGEST_HEX];

	return digest_is_zero(d) ? NULL : arena_strndup(x->arena, digest_hex(d, hex), SHORT_HEX);
}

static bool compare(struct text_changes *list, const char *task, const char *name, const char *was,
	const char *is)
{
	struct change_text change = {
		.task = task, .kind = "", .name = name, .was = was, .is = is
	};

	if (was == NULL || is == NULL ? was == is : strcmp(was, is) == 0)
		return false;
	vec_push(list, change);
	return true;
}

static const char *graph_params(struct differ *x)
{
	const struct graph *g = &x->session->graph;
	struct buf text = { 0 };
	struct json j;
	const char *kept;
	uint32_t i;

	json_init(&j, &text);
	json_open_object(&j);
	for (i = 0; i < g->param_count; i++) {
		json_key(&j, graph_text(g, g->params[i].name));
		json_raw(&j, graph_text(g, g->params[i].value));
	}
	json_end(&j);
	kept = buf_in(&text, x->arena);
	buf_release(&text);
	return kept;
}

static void compare_params(struct differ *x)
{
	struct diff *d = x->diff;
	struct run_params a, b;
	size_t i;

	run_params_read(&a, d->a.params, d->a.changed, x->arena);
	run_params_read(&b, d->b.params, "", x->arena);
	for (i = 0; i < a.count; i++) {
		const struct run_param *is = run_params_find(&b, a.items[i].name);

		if (!compare(&d->params, "", a.items[i].name, a.items[i].value,
			    is != NULL ? is->value : NULL))
			d->same_params++;
	}
	for (i = 0; i < b.count; i++)
		if (run_params_find(&a, b.items[i].name) == NULL)
			(void)compare(&d->params, "", b.items[i].name, NULL, b.items[i].value);
}

static int by_name(const void *x, const void *y)
{
	return strcmp(((const struct task_record *)x)->name, ((const struct task_record *)y)->name);
}

static int compare_outs(struct differ *x, const struct task_record *t, struct err *e)
{
	struct artifact_list list = { 0 };
	struct digest now;
	struct err none;
	size_t i;

	if (artifacts_of(&x->session->db, t->outs_of, x->arena, &list, e) < 0)
		return e->code;
	for (i = 0; i < list.count; i++) {
		const struct artifact_record *r = &list.items[i];

		if (stats_digest(&x->session->stats, x->session->root_fd, r->path, &now, &none) < 0)
			now = (struct digest){ { 0 } };
		if (!compare(&x->diff->outs, t->name, r->path, short_hex(x, &r->made.digest),
			    short_hex(x, &now)))
			x->diff->same_outs++;
	}
	return 0;
}

static int compare_task(struct differ *x, uint32_t node, struct err *e)
{
	struct session *s = x->session;
	struct task_record wanted = { .name = node_name(&s->graph, node) }, *t = NULL;
	const void *then;
	size_t len;

	if (x->tasks.count > 0)
		t = bsearch(&wanted, x->tasks.items, x->tasks.count, sizeof wanted, by_name);
	if (t == NULL) {
		(void)compare(&x->diff->tasks, wanted.name, "", NULL, "new");
		return 0;
	}
	x->diff->same_tasks++;
	if (t->outs_of == 0)
		return 0;
	if (plan_parts(&s->plan, node, e) < 0 ||
		attempt_parts(&s->db, t->outs_of, x->arena, &then, &len, e) < 0)
		return e->code;
	code_changes_add(&x->code, wanted.name, then, len, s->plan.parts.data, s->plan.parts.len);
	return compare_outs(x, t, e);
}

static int compare_tasks(struct differ *x, struct err *e)
{
	const struct graph *g = &x->session->graph;
	uint32_t i, k;
	int rc = tasks_of_run(&x->session->db, &x->diff->a, x->arena, &x->tasks, e);

	if (rc == 0 && x->tasks.count > 1)
		qsort(x->tasks.items, x->tasks.count, sizeof *x->tasks.items, by_name);
	for (i = 0; i < g->node_count; i++)
		for (k = 0; k < g->nodes[i].outs.count; k++)
			code_changes_made(
				&x->code, graph_text(g, g->outs[g->nodes[i].outs.first + k].path));
	for (i = 0; i < g->node_count && rc == 0; i++)
		rc = compare_task(x, i, e);
	for (i = 0; i < x->tasks.count && rc == 0; i++)
		if (graph_find(g, x->tasks.items[i].name) == NO_NODE)
			(void)compare(&x->diff->tasks, x->tasks.items[i].name, "", "there", NULL);
	code_changes_list(&x->code, &x->diff->code);
	return rc;
}

static void keep_lists(struct diff *out, struct diff *d, struct arena *a)
{
	*out = *d;
	rows_keep(&out->params, &d->params, a);
	rows_keep(&out->source, &d->source, a);
	rows_keep(&out->code, &d->code, a);
	rows_keep(&out->tasks, &d->tasks, a);
	rows_keep(&out->outs, &d->outs, a);
	out->differs = out->params.count + out->source.count + out->code.count + out->tasks.count +
			       out->outs.count >
		       0;
}

int diff_tree(
	struct diff *out, struct session *s, const char *a_ref, struct arena *a, struct err *e)
{
	struct diff d = { .is_tree = true }, kept;
	struct differ x = { .diff = &d, .session = s, .arena = a, .code = { .arena = a } };
	int rc;

	if (run_find(&s->db, a_ref, a, &d.a, e) < 0)
		return e->code;
	d.a_alive = d.a.ended_ms == 0 && run_is_alive(&s->project, &d.a);
	d.b.params = graph_params(&x);
	d.b.commit_id = d.b.changed = "";
	digest_of(&d.b.dag_digest, buf_text(&s->text), s->text.len);
	compare_params(&x);
	(void)compare(&d.source, "", d.a.dag_path, short_hex(&x, &d.a.dag_digest),
		short_hex(&x, &d.b.dag_digest));
	rc = compare_tasks(&x, e);
	keep_lists(&kept, &d, a);
	code_changes_release(&x.code);
	if (rc == 0)
		*out = kept;
	return rc;
}
