/*
 * dag/select.h - which tasks a run is about.
 *
 *     struct selection_wish wish = { .names = names, .count = n };
 *     selection_make(&s, g, &wish, e)  ...selection_has(&s, node)...  selection_release(&s);
 * No wish at all selects every task. Names are those of stages (all their instances) or tasks.
 * Several wishes narrow each other. An unknown name is ERR_USAGE, with the nearest name as hint.
 */
#ifndef FLOW_DAG_SELECT_H
#define FLOW_DAG_SELECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct graph;

struct selection_wish {
	const char *const *names; /* targets: they and everything above them */
	size_t count;
	const char *from;  /* it and everything below it; NULL: not wished, as the next two */
	const char *until; /* it and everything above it */
	const char *only;  /* it alone */
};

struct selection {
	uint64_t *bits; /* bit n % 64 of word n / 64: node n is selected */
	uint32_t count; /* of selected nodes */
	uint32_t nodes;
};

int selection_make(struct selection *s, const struct graph *g, const struct selection_wish *wish,
	struct err *e);
void selection_release(struct selection *s);

static inline bool selection_has(const struct selection *s, uint32_t node)
{
	return (s->bits[node / 64] >> (node % 64) & 1) != 0;
}

#endif
