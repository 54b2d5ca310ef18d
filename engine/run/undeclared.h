/*
 * run/undeclared.h - what an isolated attempt wrote beside its outs.
 *
 *     undeclared_find(&found, flow_fd, "work/.../upper", &graph, node, &arena, e)
 *
 * Looks through the upper folder of its private view: files and links that are no out and lie in none, and files of the project that
 * it removed. None of them becomes visible; the user is told, since a stage that writes more than it declares is seldom meant.
 */
#ifndef FLOW_RUN_UNDECLARED_H
#define FLOW_RUN_UNDECLARED_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct graph;

#define UNDECLARED_NAMED 5

struct undeclared {
	const char *named[UNDECLARED_NAMED]; /* paths, in no order */
	size_t count;                        /* may be more than are named */
};

int undeclared_find(struct undeclared *found, int flow_fd, const char *upper, const struct graph *g, uint32_t node,
	struct arena *a, struct err *e);

/* "wrote a.log, b.log and 3 more that are not outs: they were left out"; "" for none. */
const char *undeclared_text(const struct undeclared *u, struct arena *a);

#endif
