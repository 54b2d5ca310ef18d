/*
 * report/blame.h - which of the changes on a path move a number: bisecting, as a pure function.
 *
 *     struct blame b = { .changes = 7, .was = 0.92, .is = 0.94 };
 *     blame_bisect(&b, run, user, e)        calls run() for as few points of the path as it can
 *     for (i = 0; i < b.parts.count; i++) ...b.parts.items[i]...
 *     blame_release(&b)
 *
 * A point n of the path has the first n changes made; the values at point 0 and at the last one are known. Where both ends of a stretch
 * have the same value its changes count as without effect, even if they should cancel each other out (b.all: every point is
 * tried). A point that cannot be run is passed over: then changes stay together that only work together.
 */
#ifndef FLOW_REPORT_BLAME_H
#define FLOW_REPORT_BLAME_H

#include <stdbool.h>
#include <stddef.h>

struct err;

/* Changes first .. first + count - 1, and the values before and after them. */
struct blame_part {
	size_t first, count;
	double was, is;
	bool stuck;            /* count > 1: no point between could be run */
};

struct blame {
	size_t changes;
	double was, is;
	bool all;
	size_t tried, failed;  /* points */
	struct { struct blame_part *items; size_t count, cap; } parts; /* in the order of the path */
};

/* 1: *value is that of the point; 0: it cannot be run; below 0: stop, *e is set. */
typedef int blame_run(void *user, size_t point, double *value, struct err *e);

int blame_bisect(struct blame *b, blame_run *run, void *user, struct err *e);
void blame_release(struct blame *b);

bool blame_same(double a, double b); /* two NaN are the same */

#endif
