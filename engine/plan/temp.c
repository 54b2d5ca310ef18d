#include "plan/temp.h"

#include "base/err.h"
#include "base/path.h"
#include "dag/graph.h"
#include "plan/plan.h"

static bool overlap(const char *a, const char *b)
{
	return path_is_inside(a, b) || path_is_inside(b, a);
}

bool temp_is_droppable(const struct graph *g, uint32_t node, uint32_t out)
{
	const struct span after = g->nodes[node].after;
	const char *path = graph_text(g, g->outs[out].path);
	bool is_read = false;
	uint32_t i, k;

	if (g->outs[out].kind != OUT_TEMP)
		return false;
	for (i = 0; i < after.count; i++) {
		struct span deps = g->nodes[g->links[after.first + i]].deps;

		for (k = 0; k < deps.count; k++) {
			const struct dep *dep = &g->deps[deps.first + k];

			if (dep->out == out)
				is_read = true;
			else if (overlap(graph_text(g, dep->path), path))
				return false; /* a part of it, or a folder that it lies in */
		}
	}
	return is_read;
}

/* Does this task read a temp out of `producer`? */
static bool reads_temp_of(const struct graph *g, uint32_t reader, uint32_t producer)
{
	struct span deps = g->nodes[reader].deps;
	uint32_t i;

	for (i = 0; i < deps.count; i++) {
		const struct dep *dep = &g->deps[deps.first + i];

		if (dep->producer == producer && dep->out != NO_OUT &&
			g->outs[dep->out].kind == OUT_TEMP)
			return true;
	}
	return false;
}

static bool will_run(const struct choice *c)
{
	return c->verdict == VERDICT_RUN || c->verdict == VERDICT_MAYBE;
}

/* Readers first: a task that has to run for its reader needs what it reads itself. */
bool temp_find_needs(struct plan *p, const uint32_t *order)
{
	const struct graph *g = p->graph;
	bool found = false;
	uint32_t i, k;

	for (i = g->node_count; i > 0; i--) {
		uint32_t reader = order[i - 1];
		struct span before = g->nodes[reader].before;

		for (k = 0; will_run(&p->choices[reader]) && k < before.count; k++) {
			uint32_t producer = g->links[before.first + k];
			struct choice *c = &p->choices[producer];

			if (c->verdict != VERDICT_REUSE || !c->lacks ||
				!reads_temp_of(g, reader, producer))
				continue;
			p->needed_by[producer] = reader + 1;
			c->verdict = VERDICT_RUN;
			found = true;
		}
	}
	return found;
}

/* What the reader would do if the task were reused. Anything but a plain reuse needs the bytes. */
static int reader_needs(struct plan *p, uint32_t reader, bool *needs, struct err *e)
{
	struct choice *c = &p->choices[reader], before = *c;

	*needs = false;
	if (!will_run(c))
		return 0;
	if (plan_decide(p, reader, e) < 0)
		return e->code;
	*needs = c->verdict != VERDICT_REUSE || c->lacks;
	if (*needs)
		*c = before;
	return 0;
}

int temp_settle(struct plan *p, uint32_t node, struct err *e)
{
	struct span after = p->graph->nodes[node].after;
	bool needs;
	uint32_t i;

	for (i = 0; i < after.count; i++) {
		uint32_t reader = p->graph->links[after.first + i];

		if (!reads_temp_of(p->graph, reader, node))
			continue;
		if (reader_needs(p, reader, &needs, e) < 0)
			return e->code;
		if (needs) {
			p->needed_by[node] = reader + 1;
			return plan_decide(p, node, e);
		}
	}
	return 0;
}
