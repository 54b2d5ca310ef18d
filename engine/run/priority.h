/*
 * run/priority.h - which task is urgent: the longest way from it to an end of the graph, by expected duration.
 *
 * Starting the head of the longest way first is critical-path scheduling (Graham 1969: never worse than twice the best). Pure.
 */
#ifndef FLOW_RUN_PRIORITY_H
#define FLOW_RUN_PRIORITY_H

#include <stdint.h>

struct graph;

/* priority[node] = 1 + cost_ms[node] + the largest among its readers; cost_ms NULL: all the same. */
void priorities_set(const struct graph *g, const int64_t *cost_ms, int64_t *priority);

#endif
