/*
 * plan/explain.h - a difference between two component trees, in words.
 */
#ifndef FLOW_PLAN_EXPLAIN_H
#define FLOW_PLAN_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan;
struct choice;
struct err;

/* One row of `flow explain`: a component that is the same or not. Texts live in the plan's arena. */
struct explained {
	const char *change;  /* "changed", "added", "removed", "unknown", "same" */
	const char *kind;    /* "param", "input", "code", "command", "with", "env", "out", "cwd", "dep", "format" */
	const char *name, *was, *is;
	const char *origin;  /* where the value of today comes from: "params.yaml:6", "made by `prep`"; or "" */
	const char *diff;    /* of a text of several lines: those that differ, each behind "- " or "+ "; or "" */
	uint8_t reason;      /* enum reason: as if it were the only change */
	bool follows;        /* it differs only by the value of a parameter, which has a row of its own */
};

struct explanation {
	struct explained *items;
	size_t count, cap;
	uint32_t same;       /* components that did not change */
	bool lists_same;     /* set by the caller: rows for them too, after the others */
	bool wants_diff;     /* set by the caller: fill in `diff` */
};

/* Set reason, name, was, is and origin of *c from the first component in which p->parts differs from `then`, and the others of
 * *c from the rest; leaves the reason alone when only unknown inputs differ. */
void explain_choice(struct plan *p, struct choice *c, const void *then, size_t len);

/* All differences between p->parts and `then` (NULL: everything is new). Release items with free(). */
void explain_all(struct plan *p, const void *then, size_t len, struct explanation *out);

/* The same between two stored trees, without a graph to name origins. */
void explain_two(struct plan *p, const void *then, size_t then_len, const void *now, size_t now_len,
	struct explanation *out);

#endif
