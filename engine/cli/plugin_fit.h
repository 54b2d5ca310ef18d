/*
 * cli/with_check.h - do the values under `with:` fit what the plugin says of them?
 *
 *     with_check(&faults, stage, &graph, node, &arena);      stage: its description (cli/plugin_check.h)
 *     at = with_place(root, "train", "rounds");              root: of dag.yaml
 *
 * The same is asked again when the task starts. Texts live in the arena.
 */
#ifndef FLOW_CLI_WITH_CHECK_H
#define FLOW_CLI_WITH_CHECK_H

#include <stdint.h>

#include "dag/diag.h"

struct arena;
struct graph;
struct json_t; /* jansson */
struct plugin_faults;
struct yaml;

void with_check(struct plugin_faults *out, const struct json_t *stage, const struct graph *g, uint32_t node,
	struct arena *a);

/* Where the value of that key stands; line 0: it cannot be told. */
struct place with_place(const struct yaml *root, const char *stage, const char *key);

#endif
