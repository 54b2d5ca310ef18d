/*
 * dag/secrets.h - `secrets:` of dag.yaml, by name. Values never come near the graph: it is recorded.
 *
 *     secrets_check(&reader, &spec)          where each comes from, and that stages list only what there is
 *     secrets_put(&build, &spec)             into build->sources: "secret:TOKEN", "env:HF_TOKEN"; before anything is resolved
 *     secrets_of_stage(&build, list)         names as a span of build->words
 *     secret_is_variable(&build, "HOME")     may this variable of the environment not be used in texts?
 *
 *     for (at = 0; secret_next(&graph, &at, &secret);) ...   from the finished graph
 */
#ifndef FLOW_DAG_SECRETS_H
#define FLOW_DAG_SECRETS_H

#include <stdbool.h>
#include <stdint.h>

#include "dag/graph.h"

struct build;
struct reader;
struct spec;
struct yaml;

enum secret_kind { SECRET_ENV, SECRET_FILE, SECRET_COMMAND };

struct secret {
	const char *name;
	enum secret_kind kind;
	const char *from;   /* variable, path or command */
	const char *origin; /* "dag.yaml:4" */
};

void secrets_check(struct reader *r, const struct spec *s);
void secrets_put(struct build *b, const struct spec *s);
struct span secrets_of_stage(struct build *b, const struct yaml *list);
bool secret_is_variable(const struct build *b, const char *variable);
bool secret_is_named(const struct build *b, const char *name);

/* The next secret of a graph from source *at on; false: there is none. */
bool secret_next(const struct graph *g, uint32_t *at, struct secret *out);

#endif
