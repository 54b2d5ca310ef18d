#include "dag/graph.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"
#include "base/mem.h"
#include "dag/freeze.h"
#include "dag/load.h"

const char *graph_name(const struct graph *g)
{
	return g->text + g->head->name;
}

uint32_t graph_find(const struct graph *g, const char *task)
{
	uint32_t i;

	for (i = 0; i < g->node_count; i++)
		if (strcmp(node_name(g, i), task) == 0)
			return i;
	return NO_NODE;
}

void graph_release(struct graph *g)
{
	if (g->block != NULL && g->mapped)
		(void)munmap(g->block, g->size);
	else
		free(g->block);
	memset(g, 0, sizeof *g);
}

static bool span_ok(struct span span, uint32_t count)
{
	return span.first <= count && span.count <= count - span.first;
}

static bool fields_ok(const struct field *fields, uint64_t count, uint32_t text)
{
	uint64_t i;
	uint32_t highest = 0;

	for (i = 0; i < count; i++) {
		highest |= fields[i].name >= text || fields[i].value >= text ||
			   fields[i].origin >= text;
	}
	return highest == 0;
}

static bool stages_ok(const struct graph *g)
{
	const struct graph_head *h = g->head;
	uint32_t i, next = 0;

	for (i = 0; i < h->stages; i++) {
		const struct stage *s = &g->stages[i];

		if (s->name >= h->text || s->at.file >= h->text || s->kind > STAGE_INLINE ||
			s->nodes.first != next || !span_ok(s->nodes, h->nodes) ||
			!span_ok(s->secrets, h->words))
			return false;
		next = s->nodes.first + s->nodes.count;
	}
	return next == h->nodes;
}

static bool ports_ok(const struct graph *g)
{
	const struct graph_head *h = g->head;
	uint32_t i;

	for (i = 0; i < h->deps; i++) {
		const struct dep *d = &g->deps[i];

		if (d->name >= h->text || d->path >= h->text || d->at.file >= h->text ||
			(d->producer >= h->nodes && d->producer != NO_NODE) ||
			(d->out >= h->outs && d->out != NO_OUT))
			return false;
	}
	for (i = 0; i < h->outs; i++) {
		const struct out *o = &g->outs[i];

		if (o->name >= h->text || o->path >= h->text || o->at.file >= h->text ||
			o->kind > OUT_CHECKPOINT)
			return false;
	}
	return true;
}

static bool node_ok(const struct graph_head *h, const struct node *n)
{
	return n->name < h->text && n->text < h->text && n->uses < h->text && n->cwd < h->text &&
	       n->stage < h->stages && span_ok(n->argv, h->words) && span_ok(n->with, h->fields) &&
	       span_ok(n->params, h->fields) && span_ok(n->env, h->fields) &&
	       span_ok(n->deps, h->deps) && span_ok(n->outs, h->outs) &&
	       span_ok(n->before, h->links) && span_ok(n->after, h->links);
}

/* Each out is that of one task, and each task stands in the stage that counts it. */
static bool shares_ok(const struct graph *g)
{
	uint32_t i, next = 0;

	for (i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		struct span stage = g->stages[n->stage].nodes;

		if (n->outs.first != next || i < stage.first || i - stage.first >= stage.count)
			return false;
		next += n->outs.count;
	}
	return next == g->head->outs;
}

/* Who comes before `node` is less deep and knows that it comes after: so there is no circle. met[n] of n's `after` were met. */
static bool before_ok(const struct graph *g, uint32_t node, uint32_t *met)
{
	const struct node *n = &g->nodes[node];
	uint32_t i;

	for (i = 0; i < n->before.count; i++) {
		uint32_t from = g->links[n->before.first + i];
		struct span after = g->nodes[from].after;

		if (g->nodes[from].depth >= n->depth || met[from] >= after.count ||
			g->links[after.first + met[from]++] != node)
			return false;
	}
	return n->depth < g->node_count;
}

static bool order_ok(const struct graph *g)
{
	uint32_t *met = mem_zalloc(((size_t)g->node_count + 1) * sizeof *met), i;
	bool ok = true;

	for (i = 0; i < g->node_count && ok; i++)
		ok = before_ok(g, i, met);
	for (i = 0; i < g->node_count && ok; i++)
		ok = met[i] == g->nodes[i].after.count;
	free(met);
	return ok;
}

static bool tables_ok(const struct graph *g)
{
	const struct graph_head *h = g->head;
	uint32_t i, wrong = 0;

	if (h->text == 0 || g->text[h->text - 1] != '\0' || g->text[0] != '\0' ||
		h->name >= h->text)
		return false;
	for (i = 0; i < h->nodes; i++)
		if (!node_ok(h, &g->nodes[i]))
			return false;
	for (i = 0; i < h->links; i++)
		wrong |= g->links[i] >= h->nodes;
	for (i = 0; i < h->words; i++)
		wrong |= g->words[i] >= h->text;
	return wrong == 0 && stages_ok(g) && ports_ok(g) && shares_ok(g) && order_ok(g) &&
	       fields_ok(g->fields, (uint64_t)h->fields + h->params + h->sources, h->text);
}

int graph_map(struct graph *g, void *block, size_t size, bool mapped, struct err *e)
{
	const struct graph_head *head = block;
	struct graph found;

	if (size < sizeof *head || memcmp(head->magic, GRAPH_MAGIC, sizeof head->magic) != 0)
		return err_set(e, ERR_CORRUPT, "not a compiled graph");
	if (head->format != GRAPH_FORMAT || head->layout != graph_layout())
		return err_set(e, ERR_CORRUPT, "a compiled graph of another version");
	if (head->size != size || graph_tables(&found, head) != size)
		return err_set(e, ERR_CORRUPT, "a compiled graph that was cut short");
	if (head->checksum != graph_checksum(head) || !tables_ok(&found))
		return err_set(e, ERR_CORRUPT, "a damaged compiled graph");
	*g = found;
	g->block = block;
	g->size = size;
	g->mapped = mapped;
	return 0;
}
