#include "cli/eta.h"

#include <stdlib.h>

#include "base/mem.h"
#include "dag/graph.h"
#include "plan/plan.h"

static int64_t expected(const struct plan *p, uint32_t node)
{
	const struct choice *c = &p->choices[node];
	const struct record *r = c->past;

	if (c->verdict != VERDICT_RUN && c->verdict != VERDICT_MAYBE)
		return 0;
	if (r == NULL)
		r = p->past->latest(p->past->user, node);
	return r != NULL ? r->took_ms : -1;
}

/* Nodes from the deepest up, so that those after a node come before it. */
static uint32_t *from_the_end(const struct graph *g)
{
	uint32_t *order = mem_alloc((g->node_count + 1) * sizeof *order), *start, deepest = 0, i,
		 at = 0;

	for (i = 0; i < g->node_count; i++)
		if (g->nodes[i].depth > deepest)
			deepest = g->nodes[i].depth;
	start = mem_zalloc(((size_t)deepest + 1) * sizeof *start);
	for (i = 0; i < g->node_count; i++)
		start[deepest - g->nodes[i].depth]++;
	for (i = 0; i <= deepest; i++) {
		uint32_t count = start[i];

		start[i] = at;
		at += count;
	}
	for (i = 0; i < g->node_count; i++)
		order[start[deepest - g->nodes[i].depth]++] = i;
	free(start);
	return order;
}

static void measure_ways(struct eta *eta, const struct graph *g)
{
	uint32_t *order = from_the_end(g), i, j;

	for (i = 0; i < g->node_count; i++) {
		uint32_t node = order[i];
		struct span after = g->nodes[node].after;
		int64_t longest = 0;

		for (j = 0; j < after.count; j++)
			if (eta->way_ms[g->links[after.first + j]] > longest)
				longest = eta->way_ms[g->links[after.first + j]];
		eta->way_ms[node] = longest + (eta->task_ms[node] > 0 ? eta->task_ms[node] : 0);
	}
	free(order);
}

void eta_open(struct eta *eta, const struct plan *plan, uint32_t jobs)
{
	const struct graph *g = plan->graph;
	uint32_t i;

	*eta = (struct eta){ .plan = plan, .jobs = jobs > 0 ? jobs : 1 };
	eta->task_ms = mem_zalloc((g->node_count + 1) * sizeof *eta->task_ms);
	eta->way_ms = mem_zalloc((g->node_count + 1) * sizeof *eta->way_ms);
	eta->is_done = mem_zalloc(g->node_count + 1);
	for (i = 0; i < g->node_count; i++) {
		eta->task_ms[i] = expected(plan, i);
		eta->unknown += eta->task_ms[i] < 0;
		eta->is_done[i] = plan->choices[i].verdict != VERDICT_RUN &&
				  plan->choices[i].verdict != VERDICT_MAYBE;
	}
	measure_ways(eta, g);
}

void eta_done(struct eta *eta, uint32_t node)
{
	if (eta->is_done[node])
		return;
	eta->is_done[node] = true;
	eta->unknown -= eta->task_ms[node] < 0;
}

int64_t eta_of_task(const struct eta *eta, uint32_t node)
{
	return eta->task_ms[node] > 0 ? eta->task_ms[node] : -1;
}

int64_t eta_ms(const struct eta *eta, const struct eta_running *running, size_t count)
{
	int64_t longest = 0, sum = 0;
	size_t i;

	if (eta->unknown > 0)
		return -1;
	/* The chain of a task that has begun is shorter by what it has done. */
	for (i = 0; i < count; i++) {
		uint32_t node = running[i].node;
		int64_t own = eta->task_ms[node], used = running[i].elapsed_ms;

		used = used < own ? used : own;
		if (eta->way_ms[node] - used > longest)
			longest = eta->way_ms[node] - used;
		sum -= used;
	}
	for (i = 0; i < eta->plan->graph->node_count; i++)
		sum += eta->is_done[i] ? 0 : eta->task_ms[i];
	sum = sum > 0 ? sum / eta->jobs : 0;
	return longest > sum ? longest : sum;
}

void eta_close(struct eta *eta)
{
	free(eta->task_ms);
	free(eta->way_ms);
	free(eta->is_done);
	*eta = (struct eta){ 0 };
}
