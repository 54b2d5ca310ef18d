/*
 * plan/origin.h - where the value of a component of today's key was written.
 *
 *     origin_of(&plan, &view)     "params.yaml:6", "-p train.lr", "dag.yaml:12", "made by `prep`"; "" when nobody can tell
 *
 * Of the node that was keyed last (plan.parts_node). In the plan's arena, or borrowed from the graph.
 */
#ifndef FLOW_PLAN_ORIGIN_H
#define FLOW_PLAN_ORIGIN_H

struct part_view;
struct plan;

const char *origin_of(struct plan *p, const struct part_view *v);

#endif
