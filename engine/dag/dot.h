/*
 * dag/dot.h - a graph as text for other programs: Graphviz, Mermaid, JSON.
 *
 *     dot_write(&buf, g, DOT_MERMAID, DOT_AUTO)
 * Every name is escaped for the format. DOT_AUTO draws tasks up to 60 of them and stages beyond.
 * Note that the graph of stages can have circles that the graph of tasks has not (a@1 -> b@1 ->
 * a@2).
 */
#ifndef FLOW_DAG_DOT_H
#define FLOW_DAG_DOT_H

struct buf;
struct graph;

enum dot_format { DOT_GRAPHVIZ, DOT_MERMAID, DOT_JSON };
enum dot_level { DOT_AUTO, DOT_STAGES, DOT_TASKS };

#define DOT_TASKS_MAX 60

void dot_write(
	struct buf *out, const struct graph *g, enum dot_format format, enum dot_level level);

#endif
