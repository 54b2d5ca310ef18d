#include "cli/unused.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "dag/graph.h"

static void collect_used(struct map *used, const struct graph *g)
{
	uint32_t i, j;

	for (i = 0; i < g->node_count; i++) {
		struct span params = g->nodes[i].params;

		/* Instances of a stage mostly share one span: look at it once. */
		if (i > 0 && params.first == g->nodes[i - 1].params.first)
			continue;
		for (j = 0; j < params.count; j++)
			(void)map_put(used, graph_text(g, g->fields[params.first + j].name), 1);
	}
}

/* Does `${params.NAME}` stand in the text, for the name or one it is part of? */
static bool stands_in(const char *text, const char *name, struct arena *a)
{
	char *part = arena_printf(a, "params.%s}", name), *dot;

	for (;;) {
		if (strstr(text, part) != NULL)
			return true;
		dot = strrchr(part, '.');
		if (dot == NULL || dot - part <= (ptrdiff_t)strlen("params"))
			return false;
		memcpy(dot, "}", 2);
	}
}

void unused_find(struct unused *out, const struct graph *g, const char *text, struct arena *a)
{
	struct map used = { 0 };
	uint32_t i;

	out->items = arena_alloc(a, (g->param_count + 1) * sizeof *out->items);
	out->count = 0;
	collect_used(&used, g);
	for (i = 0; i < g->param_count; i++) {
		const char *name = graph_text(g, g->params[i].name);

		if (map_get(&used, name) == NULL && !stands_in(text, name, a))
			out->items[out->count++] = &g->params[i];
	}
	map_release(&used);
}
