/*
 * cli/plugin_check.h - does a plugin offer what dag.yaml uses, and does dag.yaml give it what it needs?
 *
 *     struct plugin_faults faults = { 0 };
 *     plugin_check(&faults, answer.text, &graph, node, entry, &arena);      text: what `flow-worker --describe` said
 *     ...faults.items[i].code, .text...  vec_release(&faults)
 *
 * Texts live in the arena. What the plugin itself prints while it is loaded may stand before its description. A text without one
 * gives no faults.
 */
#ifndef FLOW_CLI_PLUGIN_CHECK_H
#define FLOW_CLI_PLUGIN_CHECK_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct graph;
struct json_t; /* jansson */

struct plugin_fault {
	const char *code, *text;
	const char *key; /* of `with:`, that it is about; NULL: none */
};

struct plugin_faults {
	struct plugin_fault *items;
	size_t count, cap;
};

/* entry: the stage's name behind `#`; "": the first of the plugin's. */
void plugin_check(struct plugin_faults *out, const char *text, const struct graph *g, uint32_t node, const char *entry,
	struct arena *a);

/* What the worker said, as JSON: json_decref() it. NULL: there is no description in it. */
struct json_t *plugin_description(const char *text);

#endif
