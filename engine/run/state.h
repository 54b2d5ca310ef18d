/*
 * run/state.h - the states of tasks and which moves are legal; the same table as in store/schema.sql.
 */
#ifndef FLOW_RUN_STATE_H
#define FLOW_RUN_STATE_H

#include <stdbool.h>

enum task_state {
	TASK_PENDING,   /* waits for other tasks, or to be settled */
	TASK_READY,     /* could start: waits for a slot or a resource */
	TASK_RUNNING,   /* an attempt is live */
	TASK_BACKOFF,   /* failed, waits for its next attempt; holds nothing */
	TASK_SUCCEEDED,
	TASK_REUSED,
	TASK_FAILED,
	TASK_SKIPPED,   /* was not started because the run ended first */
	TASK_BLOCKED,   /* something it needs did not succeed */
};

#define TASK_STATES 9

const char *task_state_name(enum task_state state);
bool task_state_is_end(enum task_state state);
bool task_move_is_legal(enum task_state from, enum task_state to);

#endif
