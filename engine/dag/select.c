#include "dag/select.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/near.h"
#include "dag/graph.h"

enum direction { UP, DOWN, NOWHERE };

static void set(uint64_t *bits, uint32_t node)
{
	bits[node / 64] |= UINT64_C(1) << (node % 64);
}

static bool is_set(const uint64_t *bits, uint32_t node)
{
	return (bits[node / 64] >> (node % 64) & 1) != 0;
}

static size_t words_of(const struct graph *g)
{
	return (size_t)g->node_count / 64 + 1;
}

static int unknown(const struct graph *g, const char *name, struct err *e)
{
	struct near near;
	uint32_t i;

	near_start(&near, name);
	for (i = 0; i < g->stage_count; i++)
		near_offer(&near, graph_text(g, g->stages[i].name));
	for (i = 0; strchr(name, '@') != NULL && i < g->node_count; i++)
		near_offer(&near, node_name(g, i));
	(void)err_set(e, ERR_USAGE, "there is no stage `%.200s` in this pipeline", name);
	if (near.best != NULL)
		(void)err_hint(e, "did you mean `%.200s`?", near.best);
	return err_id(e, "E0213");
}

/* Set the nodes of a stage or the one task of that name. */
static int set_named(uint64_t *bits, const struct graph *g, const char *name, struct err *e)
{
	uint32_t i, j;

	for (i = 0; i < g->stage_count; i++) {
		struct span span = g->stages[i].nodes;

		if (strcmp(graph_text(g, g->stages[i].name), name) != 0)
			continue;
		for (j = span.first; j < span.first + span.count; j++)
			set(bits, j);
		return 0;
	}
	i = graph_find(g, name);
	if (i == NO_NODE)
		return unknown(g, name, e);
	set(bits, i);
	return 0;
}

/* Add everything that can be reached from what is set. Each node is queued once. */
static void spread(uint64_t *bits, const struct graph *g, enum direction direction)
{
	uint32_t *queue = mem_alloc((g->node_count + 1) * sizeof *queue), head, tail = 0, n, i;

	for (n = 0; n < g->node_count; n++)
		if (is_set(bits, n))
			queue[tail++] = n;
	for (head = 0; head < tail && direction != NOWHERE; head++) {
		const struct node *node = &g->nodes[queue[head]];
		struct span span = direction == UP ? node->before : node->after;

		for (i = span.first; i < span.first + span.count; i++) {
			if (is_set(bits, g->links[i]))
				continue;
			set(bits, g->links[i]);
			queue[tail++] = g->links[i];
		}
	}
	free(queue);
}

/* Keep only what the names reach. */
static int narrow(struct selection *s, const struct graph *g, const char *const *names,
	size_t count, enum direction direction, struct err *e)
{
	uint64_t *bits = mem_zalloc(words_of(g) * sizeof *bits);
	int rc = 0;
	size_t i;

	for (i = 0; i < count && rc == 0; i++)
		rc = set_named(bits, g, names[i], e);
	if (rc == 0)
		spread(bits, g, direction);
	for (i = 0; rc == 0 && i < words_of(g); i++)
		s->bits[i] &= bits[i];
	free(bits);
	return rc;
}

int selection_make(struct selection *s, const struct graph *g, const struct selection_wish *wish,
	struct err *e)
{
	struct selection found = { .nodes = g->node_count };
	uint32_t n;
	int rc = 0;

	found.bits = mem_zalloc(words_of(g) * sizeof *found.bits);
	for (n = 0; n < g->node_count; n++)
		set(found.bits, n);
	if (wish->count > 0)
		rc = narrow(&found, g, wish->names, wish->count, UP, e);
	if (rc == 0 && wish->from != NULL)
		rc = narrow(&found, g, &wish->from, 1, DOWN, e);
	if (rc == 0 && wish->until != NULL)
		rc = narrow(&found, g, &wish->until, 1, UP, e);
	if (rc == 0 && wish->only != NULL)
		rc = narrow(&found, g, &wish->only, 1, NOWHERE, e);
	if (rc < 0) {
		free(found.bits);
		return rc;
	}
	for (n = 0; n < g->node_count; n++)
		found.count += is_set(found.bits, n);
	*s = found;
	return 0;
}

void selection_release(struct selection *s)
{
	free(s->bits);
	memset(s, 0, sizeof *s);
}
