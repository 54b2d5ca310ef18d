/*
 * dag/edges.h - who comes before whom: deps meet outs, needs meet names.
 *
 *     edges_make(build)
 * Sets dep.producer and dep.out, and `before` and `after` of every node. A dep is joined to the
 * task whose out is that path, or is a folder the path lies in; a dep that is a folder with outs
 * inside is joined to all their tasks, and dep.producer is then the first of them with dep.out
 * NO_OUT. One table over paths; the cost is linear in paths times their depth, plus edges. Reports
 * outs that are the same or lie in each other, deps on one's own outs, and unknown needs. Returns 0
 * or ERR_INPUT.
 */
#ifndef FLOW_DAG_EDGES_H
#define FLOW_DAG_EDGES_H

struct build;

int edges_make(struct build *b);

#endif
