/*
 * dag/shape.h - the graph of stages: the graph of tasks with the instances of each stage drawn
 * together.
 *
 *     struct shape s;  shape_make(&s, g, by_stage);  ...s.before...  shape_release(&s);
 * Used by everything that draws. With by_stage false a vertex is a task. Stages without instances
 * have no vertex's edges.
 */
#ifndef FLOW_DAG_SHAPE_H
#define FLOW_DAG_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "dag/graph.h"

struct vertex {
	const char *name;
	uint32_t stage;
	uint32_t instances; /* of the stage; 1 for a task */
	struct span before; /* over shape.links: vertices, ascending */
};

struct shape {
	struct vertex *vertices;
	uint32_t count;
	uint32_t *links;
	uint32_t link_count;
};

void shape_make(struct shape *s, const struct graph *g, bool by_stage);
void shape_release(struct shape *s);

#endif
