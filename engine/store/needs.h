/*
 * store/needs.h - the attempts whose outs gc must leave alone, and why.
 *
 *     struct keep_rule rule = { .last = 5, .since_ms = 0 };
 *     needs_make(&n, &db, root_fd, &rule, e)
 *     if (needs_why(&n, attempt) != KEPT_NOT) ...
 *     needs_release(&n)
 *
 * Kept is what a pinned or tagged run made or took over, the same of the last runs and of those since a time, what lies in the work
 * tree, and what made the inputs of all these. The last run is kept whatever the rule.
 */
#ifndef FLOW_STORE_NEEDS_H
#define FLOW_STORE_NEEDS_H

#include <stdbool.h>
#include <stdint.h>

struct db;
struct err;

/* In the order in which they are named when several hold. */
enum kept {
	KEPT_NOT,
	KEPT_PINNED,
	KEPT_TAGGED,
	KEPT_LAST,      /* one of the last runs has it */
	KEPT_SINCE,     /* a run that is young enough has it */
	KEPT_TREE,      /* it lies in the work tree */
	KEPT_INPUT,     /* something kept was made from it */
	KEPT_COUNT,
	KEPT_EVICTED,   /* gc gave it up */
};

struct keep_rule {
	unsigned last;      /* runs; 0 counts as 1 */
	int64_t since_ms;   /* wall time; 0: no such rule */
};

struct needs {
	uint8_t *why;       /* enum kept, by attempt */
	int64_t top;        /* highest attempt */
	uint8_t *is_run_kept; /* by run: a rule names it */
	int64_t run_top;
	unsigned runs[KEPT_COUNT]; /* of those four kinds */
	uint64_t attempts[KEPT_COUNT];
};

int needs_make(struct needs *n, struct db *db, int root_fd, const struct keep_rule *rule, struct err *e);
bool needs_run(const struct needs *n, int64_t run); /* is it kept for its own sake? */
enum kept needs_why(const struct needs *n, int64_t attempt);
bool needs_keep(const struct needs *n, int64_t attempt);
const char *kept_text(enum kept why); /* "pinned runs" */
const char *kept_word(enum kept why); /* "pinned" */
void needs_release(struct needs *n);

#endif
