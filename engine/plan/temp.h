/*
 * plan/temp.h - outs of `kind: temp`: they are dropped when their last reader is done, and made again only for a reader that runs.
 *
 *     temp_is_droppable(g, node, out)      every reader takes it as it is, and there is one
 *     temp_find_needs(p, order)            after all tasks are decided: whose dropped outs are needed; true: decide again
 *     temp_settle(p, node, e)              during a run, once a task is to be reused whose temp out is gone: do its readers need it?
 *
 * A task whose temp out is gone is REUSE with `lacks` set: its digest is known from the record, which is all that a reader's key asks for.
 * Who runs needs the bytes. A reader that is MAYBE counts as one that runs, unless what it lacks is known to be the same.
 */
#ifndef FLOW_PLAN_TEMP_H
#define FLOW_PLAN_TEMP_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct graph;
struct plan;

bool temp_is_droppable(const struct graph *g, uint32_t node, uint32_t out);
bool temp_find_needs(struct plan *p, const uint32_t *order);
int temp_settle(struct plan *p, uint32_t node, struct err *e);

#endif
