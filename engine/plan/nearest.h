/*
 * plan/nearest.h - which of a task's earlier attempts is most like what it is now.
 *
 *     parts_distance(then, then_len, now, now_len, most)
 *
 * How many components differ. An input whose digest is not known yet (32 zero bytes in `now`) counts as the same. Counting ends
 * at `most`, so that a list of attempts costs little once a near one was found.
 */
#ifndef FLOW_PLAN_NEAREST_H
#define FLOW_PLAN_NEAREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct part_view;

uint32_t parts_distance(const void *then, size_t then_len, const void *now, size_t now_len, uint32_t most);

/* The digest of an input that an upstream task has yet to make. */
bool part_is_unknown(const struct part_view *v);

#endif
