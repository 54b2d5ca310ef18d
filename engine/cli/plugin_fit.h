/*
 * cli/plugin_fit.h - does dag.yaml use what a plugin offers, and give it what it asks for?
 *
 *     struct plugin_fit fit;
 *     struct plugin_faults faults = { 0 };
 *     plugin_fit_read(&fit, text, "count", &arena)      text: its description (stage/description.h); false: it has no such stage
 *     plugin_fit_ports(&faults, &fit, &graph, node)      of a task that uses it: its deps and outs
 *     plugin_fit_with(&faults, &fit, &graph, node)       what it is given under `with:`
 *     ...faults.items[i].code, .text...  vec_release(&faults)
 *
 * Pure. All lives in the arena, but for the list of the faults. What the stage finds when it starts is worded as here.
 */
#ifndef FLOW_CLI_PLUGIN_FIT_H
#define FLOW_CLI_PLUGIN_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct graph;

/* A dep or an out that must be declared is all that is asked of them: a stage may take more than it names. */
struct plugin_ports {
	const char **required;
	size_t count;
};

/* One stage of a plugin. */
struct plugin_fit {
	struct arena *arena;
	const char *near;                /* there is no such stage: the name that was perhaps meant, or NULL */
	struct plugin_ports deps, outs;
	struct plugin_option *options;   /* NULL: any key */
	size_t option_count;
};

struct plugin_fault {
	const char *code, *text;
	const char *key;   /* of `with:`, that it is about; NULL: none */
	bool is_unknown;   /* it is the key itself that is wrong, not its value */
};

struct plugin_faults {
	struct plugin_fault *items;
	size_t count, cap;
};

/* entry: the stage's name behind `#`; "": the first of the plugin's. */
bool plugin_fit_read(struct plugin_fit *f, const char *text, const char *entry, struct arena *a);
void plugin_fit_ports(struct plugin_faults *out, const struct plugin_fit *f, const struct graph *g, uint32_t node);
void plugin_fit_with(struct plugin_faults *out, const struct plugin_fit *f, const struct graph *g, uint32_t node);

#endif
