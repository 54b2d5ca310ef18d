#include "run/priority.h"

#include <stdlib.h>

#include "base/mem.h"
#include "dag/graph.h"

/* Nodes by depth: a counting sort. */
static uint32_t *by_depth(const struct graph *g)
{
	uint32_t *order = mem_alloc((g->node_count + 1) * sizeof *order), *start, deepest = 0, i;

	for (i = 0; i < g->node_count; i++)
		deepest = g->nodes[i].depth > deepest ? g->nodes[i].depth : deepest;
	start = mem_zalloc(((size_t)deepest + 2) * sizeof *start);
	for (i = 0; i < g->node_count; i++)
		start[g->nodes[i].depth + 1]++;
	for (i = 0; i <= deepest; i++)
		start[i + 1] += start[i];
	for (i = 0; i < g->node_count; i++)
		order[start[g->nodes[i].depth]++] = i;
	free(start);
	return order;
}

void priorities_set(const struct graph *g, const int64_t *cost_ms, int64_t *priority)
{
	uint32_t *order = by_depth(g), i, k;

	/* Readers before what they read. */
	for (i = g->node_count; i-- > 0;) {
		struct span after = g->nodes[order[i]].after;
		int64_t longest = 0;

		for (k = 0; k < after.count; k++)
			if (priority[g->links[after.first + k]] > longest)
				longest = priority[g->links[after.first + k]];
		priority[order[i]] = longest + 1 + (cost_ms != NULL ? cost_ms[order[i]] : 0);
	}
	free(order);
}
