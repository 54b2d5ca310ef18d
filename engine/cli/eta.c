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
	eta->is_running = mem_zalloc(g->node_count + 1);
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

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t eta_ms(const struct eta *eta, const struct eta_running *running, size_t count)
{
	int64_t longest = 0, sum = 0;
	uint32_t node;
	size_t i;

	if (eta->unknown > 0)
		return -1;
	for (i = 0; i < count; i++)
		eta->is_running[running[i].node] = true;
	for (node = 0; node < eta->plan->graph->node_count; node++) {
		sum += eta->is_done[node] ? 0 : eta->task_ms[node];
		if (!eta->is_done[node] && !eta->is_running[node])
			longest = larger(longest, eta->way_ms[node]);
	}
	/* The chain of a task that has begun is shorter by what it has done. */
	for (i = 0; i < count; i++) {
		int64_t own = eta->task_ms[running[i].node], used = running[i].elapsed_ms;

		used = used < own ? used : own;
		longest = larger(longest, eta->way_ms[running[i].node] - used);
		sum -= used;
		eta->is_running[running[i].node] = false;
	}
	return larger(longest, sum / eta->jobs);
}

void eta_close(struct eta *eta)
{
	free(eta->task_ms);
	free(eta->way_ms);
	free(eta->is_done);
	free(eta->is_running);
	*eta = (struct eta){ 0 };
}
