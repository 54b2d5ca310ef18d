/*
 * cli/dag_place.h - where in dag.yaml that stands which is wrong.
 *
 *     struct dag_text t = { .session = &s, .arena = &arena };
 *     diag_add(&s.diags, "E0703", place_of_with(&t, stage, "rounds", false), ...)
 *
 * The graph knows where its stages are. For more, the text is read again, once, and only when somebody asks: something is wrong then.
 */
#ifndef FLOW_CLI_DAG_PLACE_H
#define FLOW_CLI_DAG_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "dag/diag.h"
#include "dag/yaml.h"

struct arena;
struct session;

struct dag_text {
	const struct session *session;
	struct arena *arena;
	struct yaml_file file;   /* text NULL: not read yet */
	const struct yaml *root; /* NULL: that, or it could not be read */
};

struct place place_of_stage(const struct session *s, uint32_t stage);
/* A key of `with:`, or its value; of one that is not there, or NULL, the stage. */
struct place place_of_with(struct dag_text *t, uint32_t stage, const char *key, bool is_key);
/* The line-th of an inline script. */
struct place place_of_script(const struct session *s, uint32_t stage, const char *script, uint32_t line);

#endif
