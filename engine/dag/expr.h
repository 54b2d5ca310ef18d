/*
 * dag/expr.h - ${...}: values of parameters and names, put into texts.
 *
 *     ${params.train.lr}  ${env.HOME}  ${item} ${item.field} ${key}  ${deps.NAME} ${outs.NAME}
 *     $${ is a plain ${
 * Each function takes a node of the YAML tree and reports what it cannot resolve, with the place
 * inside the text, to build->diags; it returns -1 (NULL) then. Parameters that are met are marked
 * in `used`, variables that come from the environment are noted in build->sources.
 */
#ifndef FLOW_DAG_EXPR_H
#define FLOW_DAG_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dag/build.h"
#include "dag/diag.h"

struct arena;
struct buf;
struct params;
struct yaml;

/* Names and texts, such as a node's deps. */
struct binding {
	const char *name, *value;
	uint32_t origin; /* text: "dag.yaml:6"; 0: not kept */
};

struct bindings {
	struct binding *items;
	size_t count, cap;
};

struct scope {
	struct build *build;
	struct arena *arena; /* where results live */
	const struct params *params;
	unsigned char *used;     /* a flag a param: met so far; NULL: do not mark */
	const struct yaml *item; /* NULL: not inside foreach or matrix */
	const char *key;
	const struct bindings *env;  /* NULL: not known yet, only the process environment */
	const struct bindings *deps; /* NULL: may not be used here */
	const struct bindings *outs;
};

bool expr_present(const char *text); /* has a `${` */

/* Report that a variable holds a secret, which no text may. */
void expr_refuse_secret(struct build *b, struct place at, const char *name);

/* A variable of the process environment, or NULL; noted as a source at its first use. */
const char *expr_process_env(struct build *b, const char *name);

/* The text with its values. Lists and maps are refused, or written as JSON when `may_be_json`. */
int expr_text(struct scope *s, const struct yaml *node, bool may_be_json, struct buf *out);

/* The same for a shell command: values are quoted, lists and maps become JSON. */
int expr_shell(struct scope *s, const struct yaml *node, struct buf *out);

/* The node with every text in it resolved; a text that is one `${...}` becomes that value with
 * its type. */
const struct yaml *expr_value(struct scope *s, const struct yaml *node);

#endif
