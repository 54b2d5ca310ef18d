/*
 * cli/unused.h - parameters that no stage depends on.
 *
 * One that is neither tracked nor substituted in any task, and whose name does not stand in dag.yaml as `${params.NAME}` either
 * (a `foreach` over a parameter leaves no other trace). The list is in the arena and points into the graph.
 */
#ifndef FLOW_CLI_UNUSED_H
#define FLOW_CLI_UNUSED_H

#include <stddef.h>

struct arena;
struct field;
struct graph;

struct unused {
	const struct field **items;
	size_t count;
};

void unused_find(struct unused *out, const struct graph *g, const char *text, struct arena *a);

#endif
