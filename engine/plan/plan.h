/*
 * plan/plan.h - GRAPH and the past -> PLAN: what must run, and why.
 *
 *     plan_make(&plan, &graph, &past, &options, e)    every task decided as far as it can be now
 *     plan_settle(&plan, node, e)                     during a run: decide one task whose producers are done
 *     plan_made(&plan, node, outs)                    during a run: tell what a task made
 *     plan_release(&plan)
 *
 * A choice is RUN, REUSE, MAYBE (it depends on what an upstream task will make: early cut-off) or BLOCKED, with a reason code
 * and the two values that differ. plan_make() is frozen once made; settling works on the same structure but writes only the
 * parts that were not known: a choice never goes from REUSE back to RUN.
 */
#ifndef FLOW_PLAN_PLAN_H
#define FLOW_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "plan/past.h"

struct graph;
struct err;

enum verdict { VERDICT_RUN, VERDICT_REUSE, VERDICT_MAYBE, VERDICT_BLOCKED, VERDICT_LEFT_OUT };

enum reason {
	REASON_NONE,
	REASON_NEVER_RUN,
	REASON_INPUT_CHANGED,
	REASON_INPUT_ADDED,
	REASON_INPUT_REMOVED,
	REASON_PARAM_CHANGED,
	REASON_CODE_CHANGED,    /* command text, script */
	REASON_PLUGIN_CHANGED,
	REASON_ENV_CHANGED,
	REASON_WITH_CHANGED,
	REASON_OUT_CHANGED,     /* declared outs are others */
	REASON_OUTPUT_MISSING,  /* recorded, but neither in the work tree nor in the store */
	REASON_OUTPUT_DAMAGED,  /* `name` was written to in place, or (name "") what the store had was damaged */
	REASON_UPSTREAM_RAN,    /* MAYBE: depends on `name` */
	REASON_FAILED_BEFORE,
	REASON_NOT_TRUSTED,     /* its only success is not to be reused; name: "`in` was changed while it ran" */
	REASON_FORCED,
	REASON_VOLATILE,        /* cache: false */
	REASON_KEY_FORMAT,
	REASON_INPUT_MISSING,   /* BLOCKED: nobody makes it and it is not there */
	REASON_UPSTREAM_BLOCKED,
	REASON_FROZEN,          /* REUSE; or BLOCKED: `name` is not there */
	REASON_SAME_KEY,        /* REUSE */
	REASON_TEMP_NEEDED,     /* a temp out of it was dropped, and `name` reads it */
};

struct choice {
	uint8_t verdict;          /* enum verdict */
	uint8_t reason;           /* enum reason */
	bool restore;             /* REUSE: at least one out must be brought back from the store */
	bool restored;            /* REUSE: that was done */
	bool waits;               /* REUSE: something above it has to be brought back, and may turn out to be damaged: then it is decided anew */
	bool keyed;               /* `key` is known */
	bool spoiled;             /* an out is a hard link to its object, and was written to */
	bool lacks;               /* REUSE: a temp out of it is gone; nobody who runs needs it */
	struct digest key;
	const struct record *past; /* REUSE: whose outs; RUN, MAYBE: the earlier success that is nearest; or NULL */
	const char *name;         /* what differs: "train.lr", "data/x.csv", an upstream task; or "" */
	const char *was, *is;     /* the two values, for people; or "" */
	const char *origin;       /* where the new value comes from: "params.yaml:6"; or "" */
	const char *const *others; /* what else differs, each a line like choice_line()'s */
	uint32_t other_count;
};

/* Reused, and nothing that the run does can change that: it is as if it were done. */
static inline bool choice_stands(const struct choice *c)
{
	return c->verdict == VERDICT_REUSE && !c->restore && !c->waits;
}

struct plan_options {
	const bool *chosen;       /* per node: part of this run; NULL: all */
	const bool *forced;       /* per node: run even if nothing changed; NULL: none */
};

struct plan {
	const struct graph *graph;
	const struct past *past;
	struct choice *choices;    /* per node */
	struct made *made;         /* per out of the graph: what is known of it */
	bool *known;               /* per out of the graph */
	const bool *forced;        /* from the options; borrowed */
	uint32_t *needed_by;       /* per node: who needs a temp out of it that may be gone, plus one; or 0 */
	struct arena arena;
	struct buf parts;          /* scratch: component tree of the node last keyed, */
	uint32_t parts_node;       /* which is this one */
	uint32_t count[5];         /* per verdict */
};

int plan_make(struct plan *p, const struct graph *g, const struct past *past,
	const struct plan_options *options, struct err *e);
void plan_release(struct plan *p);

/* All producers of `node` are done: decide RUN, REUSE or BLOCKED. After a RUN, p->parts is the node's component tree. */
int plan_settle(struct plan *p, uint32_t node, struct err *e);

/* The same, whether or not a reader needs a temp out of it that is gone (plan/temp.h). */
int plan_decide(struct plan *p, uint32_t node, struct err *e);

/* Build the node's component tree into p->parts from what is known now. */
int plan_parts(struct plan *p, uint32_t node, struct err *e);

/* What the task made; from now on it counts as done and its outs as being in the work tree. */
void plan_made(struct plan *p, uint32_t node, const struct made *outs);

/* Stable names: "run" "cached" "maybe" "blocked" "left-out"; "param-changed" ... */
const char *verdict_name(enum verdict verdict);
const char *reason_name(enum reason reason);

/* One line for people: "param train.lr 0.01 -> 0.1 (params.yaml:6)", the first of what differs. In the plan's arena. */
const char *choice_line(struct plan *p, const struct choice *c);
/* All that differs, "; " between. */
const char *choice_text(struct plan *p, const struct choice *c);

/* Sum of the recorded durations of what would run; -1 when a task was never timed. */
int64_t plan_estimate_ms(const struct plan *p);

#endif
