/*
 * tests/support/dag_text.h - a graph out of text written in a test.
 *
 *     struct loaded l;  load_text(&l, "stages: {a: {cmd: x}}");  ...l.graph, l.diags...
 *     loaded_release(&l);
 * `files` and `variables` stand for the disk and the environment: name, text, name, text ..., NULL.
 */
#ifndef FLOW_TESTS_DAG_TEXT_H
#define FLOW_TESTS_DAG_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "dag/diag.h"
#include "dag/graph.h"
#include "dag/load.h"

struct loaded {
	struct arena arena;
	struct diags diags;
	struct graph graph;
	struct err e;
	int rc;
};

struct text_world {
	const char *const *files, *const *variables;
};

static inline const char *text_find(const char *const *pairs, const char *name)
{
	for (; pairs != NULL && *pairs != NULL; pairs += 2)
		if (strcmp(pairs[0], name) == 0)
			return pairs[1];
	return NULL;
}

static inline int text_read(void *user, const char *path, struct buf *out, struct err *e)
{
	const char *text = text_find(((const struct text_world *)user)->files, path);

	if (text == NULL)
		return err_set(e, ERR_NOTFOUND, "no such file");
	buf_str(out, text);
	return 0;
}

static inline const char *text_getenv(void *user, const char *name)
{
	return text_find(((const struct text_world *)user)->variables, name);
}

/* The diags point into the result's arena, so the result must not be copied: it is filled in
 * place. */
static inline void load_input(struct loaded *l, struct dag_input *input)
{
	memset(l, 0, sizeof *l);
	l->diags.arena = &l->arena;
	input->path = "dag.yaml";
	l->rc = dag_load(&l->graph, input, &l->diags, &l->e);
}

static inline void load_world(struct loaded *l, const char *text, const char *const *files,
	const char *const *variables, const char *const *sets)
{
	struct text_world world = { files, variables };
	struct dag_input input = { .text = text,
		.len = strlen(text),
		.sets = sets,
		.read = text_read,
		.getenv = text_getenv,
		.user = &world };

	for (; sets != NULL && sets[input.set_count] != NULL;)
		input.set_count++;
	load_input(l, &input);
}

static inline void load_text(struct loaded *l, const char *text)
{
	load_world(l, text, NULL, NULL, NULL);
}

static inline void loaded_release(struct loaded *l)
{
	graph_release(&l->graph);
	arena_release(&l->arena);
}

/* Load what must be right; on failure show what was said. */
static inline void load_good(struct loaded *l, const char *text)
{
	load_text(l, text);
	if (l->rc < 0 && l->diags.count > 0)
		fail_msg("%s at %u:%u: %s", l->diags.items[0].code, l->diags.items[0].line,
			l->diags.items[0].col, l->diags.items[0].message);
	assert_int_equal(l->rc, 0);
}

static inline uint32_t node_of(const struct loaded *l, const char *name)
{
	uint32_t node = graph_find(&l->graph, name);

	if (node == NO_NODE)
		fail_msg("no task `%s`", name);
	return node;
}

static inline const char *command_of(const struct loaded *l, const char *name)
{
	return graph_text(&l->graph, l->graph.nodes[node_of(l, name)].text);
}

/* Value of a field of a span, or "(none)". */
static inline const char *field_of(const struct loaded *l, struct span span, const char *name)
{
	uint32_t i;

	for (i = span.first; i < span.first + span.count; i++)
		if (strcmp(graph_text(&l->graph, l->graph.fields[i].name), name) == 0)
			return graph_text(&l->graph, l->graph.fields[i].value);
	return "(none)";
}

/* What a text that is wrong must be told. Parts of texts are enough; NULL: not looked at. */
struct wrong_text {
	const char *name, *text, *code;
	uint32_t line, col;
	const char *message, *label, *note;
};

static inline void check_part(
	const char *name, const char *what, const char *text, const char *part)
{
	if (part != NULL && strstr(text, part) == NULL)
		fail_msg("%s: the %s `%s` lacks `%s`", name, what, text, part);
}

static inline void check_diag(const struct wrong_text *w, const struct diag *d)
{
	if (strcmp(d->code, w->code) != 0 || d->line != w->line || d->col != w->col)
		fail_msg("%s: %s at %u:%u instead of %s at %u:%u: %s", w->name, d->code, d->line,
			d->col, w->code, w->line, w->col, d->message);
	check_part(w->name, "message", d->message, w->message);
	check_part(w->name, "label", d->label, w->label);
	check_part(w->name, "note", d->note, w->note);
}

static inline void check_wrong(const struct wrong_text *w)
{
	struct loaded l;

	load_text(&l, w->text);
	if (l.rc != ERR_INPUT || l.diags.count == 0)
		fail_msg("%s: was taken as right", w->name);
	check_diag(w, &l.diags.items[0]);
	loaded_release(&l);
}

#endif
