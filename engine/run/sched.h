/*
 * run/sched.h - the scheduler: from what happened to what to do next. Pure.
 *
 *     sched_init(&s, &config);
 *     sched_step(&s, &event, &actions);    one event in, any number of actions appended
 *     ...do the actions, feed back what comes of them...
 *     sched_release(&s);
 *
 * No clock, file, print or process in here: event.now_ms is the only time there is. The caller does the actions in order.
 *
 *   event     BEGIN    start; tasks whose choice is REUSE count as done at once
 *             SETTLED  answer to ACTION_SETTLE: run it, it is reused, or it is blocked
 *             ENDED    a live attempt is over (and published, when it succeeded)
 *             CANCEL   stop: level 1 asks running attempts to end, level 2 kills them
 *             TICK     time has passed
 *   action    SETTLE   all producers of the task are done: decide whether it runs
 *             START    begin attempt number `attempt` of the task
 *             STOP     ask a live attempt to end with this signal; `why` says whose idea it was
 *             STATE    the task has moved to `state` (record it); READY is not told
 *             WAIT     send a TICK at `at_ms`, or earlier
 *             FINISH   nothing is left to do
 *
 * A task holds resources only while an attempt of it is live: what is free is worked out from the live attempts each time, not
 * counted up and down. Of the ready tasks the one with the longest way to the end of the graph goes first; when it does not
 * fit, smaller ones may pass it, but not for ever. Instances of a stage that is at its max_parallel wait apart and hold back
 * nobody.
 */
#ifndef FLOW_RUN_SCHED_H
#define FLOW_RUN_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run/retry.h"
#include "run/state.h"

struct graph;

enum event_kind { EVENT_BEGIN, EVENT_SETTLED, EVENT_ENDED, EVENT_CANCEL, EVENT_TICK };
enum settled { SETTLED_RUN, SETTLED_REUSE, SETTLED_BLOCKED };

struct event {
	enum event_kind kind;
	int64_t now_ms;
	uint32_t task;             /* SETTLED, ENDED */
	enum settled settled;
	enum outcome outcome;      /* ENDED */
	int exit_code;             /* ENDED, of OUTCOME_ERROR; else -1 */
	int level;                 /* CANCEL */
};

enum action_kind { ACTION_SETTLE, ACTION_START, ACTION_STOP, ACTION_STATE, ACTION_WAIT, ACTION_FINISH };
enum stop_why { STOP_TIMEOUT, STOP_CANCEL };

struct action {
	enum action_kind kind;
	uint32_t task;
	uint32_t attempt;          /* START: 1 for the first */
	int signal;                /* STOP */
	enum stop_why why;
	enum task_state state;     /* STATE */
	int64_t at_ms;             /* WAIT; STATE BACKOFF: when the next attempt may begin */
};

struct actions {
	struct action *items;
	size_t count, cap;
};

struct sched_config {
	const struct graph *graph;
	const uint8_t *done;       /* per node: 1 = nothing to do (reused or left out), 2 = blocked from the start */
	const int64_t *cost_ms;    /* per node: expected duration, for the order; NULL: all the same */
	const int64_t *not_before_ms; /* per node: a wait that an earlier run left; NULL: none */
	uint32_t jobs;             /* attempts at once */
	uint32_t cpu_milli;        /* cores the attempts may hold together; a task that wants more gets all */
	uint64_t mem_bytes;        /* 0: not limited */
	bool keep_going;           /* after a failure start what does not depend on it */
	int64_t grace_ms;          /* from first asking an attempt to end until it is killed */
	uint64_t seed;             /* of the jitter */
};

struct live {                  /* one running attempt */
	uint32_t task;
	int64_t deadline_ms;       /* of its timeout; INT64_MAX: none */
	int64_t stop_at_ms;        /* when the next, stronger signal is due; INT64_MAX: not stopping */
	int stage;                 /* signals sent: 0 none, 1 SIGINT, 2 SIGTERM, 3 SIGKILL */
	enum stop_why why;
};

struct parked {                /* ready instances of a stage that is at its max_parallel, first come first */
	uint32_t first, last;  /* NO_NODE: none */
};

struct sched {
	struct sched_config config;
	uint8_t *state;            /* enum task_state, per node */
	uint8_t *settling;         /* per node: SETTLE was sent and not answered */
	uint8_t *losses;           /* per node */
	uint16_t *attempts;        /* per node: started so far */
	uint16_t *retries;         /* per node: made because of a failure */
	uint32_t *waits_for;       /* per node: tasks in `before` that are not done */
	int64_t *priority;         /* per node: length of the longest way to an end of the graph */
	struct { uint32_t *items; size_t count, cap; } ready;   /* heap by priority */
	struct { uint32_t *items; size_t count, cap; } backoff; /* tasks waiting for their time */
	struct { uint32_t *items; size_t count, cap; } scratch;
	int64_t *not_before;       /* per node: of tasks in back-off */
	struct parked *parked;     /* per stage */
	uint32_t *next_parked;     /* per node: behind it in its stage's queue */
	struct live *live;         /* config.jobs of them */
	uint32_t live_count;
	uint32_t settling_count;
	uint32_t unfinished;       /* tasks not in an end state */
	uint32_t passed_over;      /* starts since the first in line did not fit */
	uint64_t random;
	bool draining;             /* start nothing more: a failure, or a cancel */
	bool cancelled, finished, failed;
};

void sched_init(struct sched *s, const struct sched_config *config);
void sched_step(struct sched *s, const struct event *event, struct actions *out);
/* What the next attempt of the task, or the live one, gets: as declared, grown by `retry.scale`. */
uint64_t sched_mem(const struct sched *s, uint32_t task);
int64_t sched_timeout_ms(const struct sched *s, uint32_t task);
void sched_release(struct sched *s);

#endif
