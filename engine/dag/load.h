/*
 * dag/load.h - dag.yaml -> GRAPH, all steps in order.
 *
 *     dag_load(&graph, &input, &diags, e)
 *
 * text -> yaml tree -> spec -> expand (foreach, matrix, ${...}) -> edges -> check -> freeze. No disk and no clock: the text
 * of the dag is given, included files come through input.read. Returns 0 and the graph; or ERR_INPUT with at least one diagnostic in `diags`; or another code with *e.
 */
#ifndef FLOW_DAG_LOAD_H
#define FLOW_DAG_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct graph;
struct diags;
struct err;
struct buf;

#define DAG_TEXT_MAX (64u * 1024u * 1024u) /* bytes of dag.yaml */

struct dag_input {
	const char *path;         /* of dag.yaml as the user typed it, for messages */
	const char *text;
	size_t len;
	const char *const *sets;  /* "train.lr=0.1": -p options, in order */
	size_t set_count;
	const char *const *files; /* --params FILE, in order; read through `read`, after dag.yaml's own includes */
	size_t file_count;
	/* Append the text of a file to *out. A relative path is relative to dag.yaml's folder. */
	int (*read)(void *user, const char *path, struct buf *out, struct err *e);
	/* Value of an environment variable for ${env.X} and `env: {X: }` pass-through, or NULL. Lives until dag_load returns. */
	const char *(*getenv)(void *user, const char *name);
	/* What a bare name after `uses:` is: an enum stage_kind, or -1 when no built-in stage has it. NULL: STAGE_PLUGIN. */
	int (*builtin)(void *user, const char *name);
	const char *const *builtins; /* names for "did you mean", NULL at the end; may be NULL */
	void *user;
};

int dag_load(struct graph *g, const struct dag_input *input, struct diags *d, struct err *e);

/* Deps that no task makes and that are not there: E0204 each, with who makes something of a similar name. Apart from dag_load
 * because it looks at the disk (through `exists`) and must be asked again when the graph comes from a cache. */
void dag_check_deps(const struct graph *g, bool (*exists)(void *user, uint32_t dep_index), void *user,
	struct diags *d);

/* Write the graph's block to memory a cache can keep, and take it back. graph_map checks magic, version, size and checksum;
 * it returns ERR_CORRUPT for anything it would not have written itself. The block must stay mapped while g is used. */
int graph_map(struct graph *g, void *block, size_t size, bool mapped, struct err *e);

#endif
