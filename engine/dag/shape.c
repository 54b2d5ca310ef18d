#include "dag/shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The stages before one, each once: seen[] tells which were met for this stage. */
static void put_stage(struct shape *s, const struct graph *g, uint32_t stage, uint32_t *seen)
{
	struct span nodes = g->stages[stage].nodes;
	struct vertex *v = &s->vertices[stage];
	uint32_t n, i;

	*v = (struct vertex){ .name = graph_text(g, g->stages[stage].name),
		.stage = stage,
		.instances = nodes.count,
		.before = { .first = s->link_count } };
	for (n = nodes.first; n < nodes.first + nodes.count; n++) {
		struct span before = g->nodes[n].before;

		for (i = before.first; i < before.first + before.count; i++) {
			uint32_t other = g->nodes[g->links[i]].stage;

			if (other == stage || seen[other] == stage + 1)
				continue;
			seen[other] = stage + 1;
			s->links[s->link_count++] = other;
		}
	}
	v->before.count = s->link_count - v->before.first;
	if (v->before.count > 1)
		qsort(s->links + v->before.first, v->before.count, sizeof *s->links, by_number);
}

static void put_task(struct shape *s, const struct graph *g, uint32_t n)
{
	struct span before = g->nodes[n].before;

	s->vertices[n] = (struct vertex){ .name = node_name(g, n),
		.stage = g->nodes[n].stage,
		.instances = 1,
		.before = { .first = s->link_count, .count = before.count } };
	memcpy(s->links + s->link_count, g->links + before.first, before.count * sizeof *s->links);
	s->link_count += before.count;
}

void shape_make(struct shape *s, const struct graph *g, bool by_stage)
{
	uint32_t *seen, i;
	size_t edges = 0;

	memset(s, 0, sizeof *s);
	for (i = 0; i < g->node_count; i++)
		edges += g->nodes[i].before.count;
	s->count = by_stage ? g->stage_count : g->node_count;
	s->vertices = mem_zalloc((s->count + 1) * sizeof *s->vertices);
	s->links = mem_alloc((edges + 1) * sizeof *s->links);
	seen = mem_zalloc((g->stage_count + 1) * sizeof *seen);
	for (i = 0; i < s->count; i++) {
		if (by_stage)
			put_stage(s, g, i, seen);
		else
			put_task(s, g, i);
	}
	free(seen);
}

void shape_release(struct shape *s)
{
	free(s->vertices);
	free(s->links);
	memset(s, 0, sizeof *s);
}
