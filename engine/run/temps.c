/*
 * Outs of `kind: temp` go when their last reader is done. They were never in the store: the record has their digest, and a reader that
 * has to run again has its producer run again, too (plan/temp.h). What a crash left is dropped by the next run that works.
 */
#include "base/err.h"
#include "base/file.h"
#include "dag/graph.h"
#include "plan/temp.h"
#include "run/engine.h"
#include "run/session.h"

bool temps_is(const struct engine *n, uint32_t node, uint32_t out)
{
	return temp_is_droppable(n->graph, node, n->graph->nodes[node].outs.first + out);
}

/* Its outs are recorded and in their places, in this run or before it. */
static bool is_done(const struct engine *n, uint32_t node)
{
	return choice_stands(&n->s->plan.choices[node]);
}

static bool readers_are_done(const struct engine *n, uint32_t node)
{
	struct span after = n->graph->nodes[node].after;
	uint32_t i;

	for (i = 0; i < after.count; i++)
		if (!is_done(n, n->graph->links[after.first + i]))
			return false;
	return true;
}

static int drop(struct engine *n, uint32_t node, struct err *e)
{
	struct span outs = n->graph->nodes[node].outs;
	uint32_t i;

	if (!is_done(n, node) || !readers_are_done(n, node))
		return 0;
	for (i = 0; i < outs.count; i++) {
		const char *path = graph_text(n->graph, n->graph->outs[outs.first + i].path);

		if (!temps_is(n, node, i) || !file_exists(n->s->root_fd, path))
			continue;
		if (tree_remove(n->s->root_fd, path, e) < 0)
			return err_context(e, "temp out of `%s`", node_name(n->graph, node));
		stats_forget(&n->s->stats, path);
	}
	return 0;
}

static bool has_temps(const struct engine *n, uint32_t node)
{
	struct span outs = n->graph->nodes[node].outs;
	uint32_t i;

	for (i = 0; i < outs.count; i++)
		if (n->graph->outs[outs.first + i].kind == OUT_TEMP)
			return true;
	return false;
}

/* What the task was the last to read. */
static int drop_before(struct engine *n, uint32_t node, struct err *e)
{
	struct span before = n->graph->nodes[node].before;
	uint32_t i;

	for (i = 0; i < before.count; i++) {
		uint32_t producer = n->graph->links[before.first + i];

		if (has_temps(n, producer) && drop(n, producer, e) < 0)
			return e->code;
	}
	return 0;
}

int temps_drop_done(struct engine *n, struct err *e)
{
	size_t i;

	for (i = 0; i < n->shows.count; i++)
		if (drop_before(n, n->attempts[n->shows.items[i]].node, e) < 0)
			return e->code;
	for (i = 0; i < n->reused.count; i++)
		if (drop_before(n, n->reused.items[i], e) < 0)
			return e->code;
	return 0;
}

int temps_drop_all(struct engine *n, struct err *e)
{
	uint32_t i;

	for (i = 0; i < n->graph->node_count; i++)
		if (has_temps(n, i) && drop(n, i, e) < 0)
			return e->code;
	return 0;
}
