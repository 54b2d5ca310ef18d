#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "dag/diag.h"
#include "dag/dot.h"
#include "dag/graph.h"
#include "dag/select.h"
#include "fuzz.h"
#include "plan/key.h"
#include "plan/plan.h"

#define NODES_LOOKED_AT 100u  /* one by one; a graph may have a million */
#define NODES_READ      5000u /* in larger graphs nothing is read: it would take the time of a thousand others */

static const char params_file[] = "lr: 0.1\nlist: [1, two]\nsub: {a: b}\n";

static int read_file(void *user, const char *path, struct buf *out, struct err *e)
{
	(void)user;
	if (strstr(path, "absent.yaml") != NULL)
		return err_set(e, ERR_NOTFOUND, "no such file");
	if (strstr(path, "params.yaml") != NULL)
		buf_str(out, params_file);
	return 0;
}

static const char *variable(void *user, const char *name)
{
	(void)user;
	return strcmp(name, "UNSET") != 0 ? "it's set" : NULL;
}

struct dag_input fuzz_input(const char *text, size_t len)
{
	return (struct dag_input){
		.path = "dag.yaml", .text = text, .len = len, .read = read_file, .getenv = variable
	};
}

/* -- a past in which nothing ever ran -------------------------------------------------------- */

static int source(void *user, const char *path, struct digest *out, struct err *e)
{
	(void)user;
	if (strlen(path) % 7 == 6)
		return err_set(e, ERR_NOTFOUND, "not there");
	digest_of(out, path, strlen(path));
	return 0;
}

static int code(void *user, uint32_t node, const struct code_file **files, size_t *count, struct err *e)
{
	static const struct code_file none;

	(void)user;
	(void)node;
	(void)e;
	*files = &none;
	*count = 0;
	return 0;
}

static const struct record *latest(void *user, uint32_t node)
{
	(void)user;
	(void)node;
	return NULL;
}

static const struct record *by_key(void *user, const struct digest *key, uint32_t out_count)
{
	(void)user;
	(void)key;
	(void)out_count;
	return NULL;
}

static int parts(void *user, int64_t attempt, const void **data, size_t *len, struct err *e)
{
	(void)user;
	(void)data;
	(void)len;
	return err_set(e, ERR_NOTFOUND, "no attempt %lld", (long long)attempt);
}

static enum presence presence(void *user, const char *path, const struct made *want)
{
	(void)user;
	(void)path;
	(void)want;
	return PRESENT_MISSING;
}

static bool stored(void *user, const struct made *want)
{
	(void)user;
	(void)want;
	return false;
}

static enum last_try last_try(void *user, uint32_t node, const char **why)
{
	(void)user;
	*why = "`in` was changed while it ran";
	return (enum last_try)(node % 3);
}

static const struct record *nearest(void *user, uint32_t node, const void *now, size_t len, const void **then,
	size_t *then_len)
{
	(void)user;
	(void)node;
	(void)now;
	(void)len;
	(void)then;
	(void)then_len;
	return NULL;
}

static bool failed_with(void *user, uint32_t node, const struct digest *key)
{
	(void)user;
	(void)key;
	return node % 2 == 0;
}

static const struct past no_past = { NULL, source, code, latest, by_key, parts, presence, stored,
	last_try, nearest, failed_with };

/* -- readers ------------------------------------------------------------------------------------ */

static bool exists(void *user, uint32_t dep)
{
	(void)user;
	return dep % 2 == 0;
}

static void check_deps(const struct graph *g)
{
	struct arena arena = { 0 };
	struct diags diags = { .arena = &arena };

	dag_check_deps(g, exists, NULL, &diags);
	arena_release(&arena);
}

static void draw(const struct graph *g)
{
	struct buf text = { 0 };
	int format;

	for (format = DOT_GRAPHVIZ; format <= DOT_JSON; format++) {
		dot_write(&text, g, (enum dot_format)format, DOT_AUTO);
		dot_write(&text, g, (enum dot_format)format, DOT_STAGES);
	}
	FUZZ_CHECK(strlen(buf_text(&text)) == text.len);
	buf_release(&text);
}

static void select_node(const struct graph *g, uint32_t node)
{
	const char *name = node_name(g, node);
	const struct selection_wish wishes[] = { { .names = &name, .count = 1 }, { .from = name },
		{ .until = name, .from = name }, { .only = name } };
	struct err e;
	size_t i;

	for (i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
		struct selection s = { 0 };

		if (selection_make(&s, g, &wishes[i], &e) == 0)
			FUZZ_CHECK(s.count <= g->node_count);
		selection_release(&s);
	}
}

static void key_node(const struct graph *g, uint32_t node)
{
	static const struct digest unknown;
	uint32_t deps = g->nodes[node].deps.count, i;
	const struct digest **inputs = mem_grow(NULL, deps + 1u, sizeof *inputs);
	struct key_subject subject = { .graph = g, .node = node, .inputs = inputs };
	struct part_view view;
	struct buf tree = { 0 };
	size_t at = 0;

	for (i = 0; i < deps; i++)
		inputs[i] = &unknown;
	key_parts(&tree, &subject);
	while (parts_next(tree.data, tree.len, &at, &view))
		FUZZ_CHECK(view.part >= PART_FORMAT);
	FUZZ_CHECK(at == tree.len);
	buf_release(&tree);
	free(inputs);
}

static void plan_all(const struct graph *g)
{
	static const struct plan_options options;
	struct plan plan;
	struct err e;
	uint32_t i;

	if (plan_make(&plan, g, &no_past, &options, &e) < 0)
		return;
	for (i = 0; i < g->node_count && i < NODES_LOOKED_AT; i++)
		(void)choice_text(&plan, &plan.choices[i]);
	(void)plan_estimate_ms(&plan);
	plan_release(&plan);
}

void fuzz_read_graph(const struct graph *g)
{
	uint32_t i;

	check_deps(g);
	draw(g);
	for (i = 0; i < g->node_count && i < NODES_LOOKED_AT; i++) {
		select_node(g, i);
		key_node(g, i);
	}
	plan_all(g);
	(void)graph_name(g);
}

/* A frozen graph is one that graph_map() takes. */
static void map_again(const struct graph *g)
{
	void *copy = mem_alloc(g->size);
	struct graph again;
	struct err e;

	memcpy(copy, g->block, g->size);
	FUZZ_CHECK(graph_map(&again, copy, g->size, false, &e) == 0);
	graph_release(&again);
}

void fuzz_load(const struct dag_input *input)
{
	struct arena arena = { 0 };
	struct diags diags = { .arena = &arena };
	struct graph g = { 0 };
	struct err e;
	size_t i;
	int rc = dag_load(&g, input, &diags, &e);

	if (rc == 0) {
		FUZZ_CHECK(diags.count == 0);
		map_again(&g);
		if (g.node_count <= NODES_READ)
			fuzz_read_graph(&g);
	} else {
		FUZZ_CHECK(rc == ERR_INPUT && diags.count > 0 && g.block == NULL);
	}
	for (i = 0; i < diags.count; i++)
		FUZZ_CHECK(diags.items[i].message[0] != '\0');
	graph_release(&g);
	arena_release(&arena);
}
