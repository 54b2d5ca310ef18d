/*
 * run/accept.h - keep the outs of a task after a change that the user declares to be cosmetic.
 *
 *     session_open(WRITE), session_load(), session_plan()
 *     accept_begin(&a, &session, e)
 *     accept_task(&a, node, &kept, e)   for each, producers first; ERR_USAGE: there is nothing that could be accepted
 *     accept_end(&a, e)                 commits; without it (accept_drop) nothing happened
 *
 * An acceptance is a run of its own (cause "accept") with an attempt a task: it has the key of today and the outs, times and log of
 * the success that is kept, so that whatever reads the journal finds it without knowing of acceptances. Its reason says what was
 * accepted, and whose outs they are.
 */
#ifndef FLOW_RUN_ACCEPT_H
#define FLOW_RUN_ACCEPT_H

#include <stdint.h>

#include "run/run.h"

struct err;
struct session;

struct acceptance {
	struct session *session;
	struct run_result result; /* uuid: of the run that records it */
	int64_t run;              /* 0: not begun */
	uint32_t count;           /* tasks accepted so far */
};

/* What was accepted, in words, in the plan's arena. */
struct kept_outs {
	const char *change; /* "code set -e -> set -eu (dag.yaml:5)" */
	const char *run;    /* whose outs are kept */
};

int accept_begin(struct acceptance *a, struct session *s, struct err *e);
int accept_task(struct acceptance *a, uint32_t node, struct kept_outs *kept, struct err *e);
int accept_end(struct acceptance *a, struct err *e);
void accept_drop(struct acceptance *a);

#endif
