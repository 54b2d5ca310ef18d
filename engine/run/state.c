#include "run/state.h"

#define BIT(s) (1u << (s))

static const unsigned moves[TASK_STATES] = {
	[TASK_PENDING] = BIT(TASK_READY) | BIT(TASK_RUNNING) | BIT(TASK_REUSED) |
			 BIT(TASK_SKIPPED) | BIT(TASK_BLOCKED) | BIT(TASK_FAILED),
	[TASK_READY] = BIT(TASK_RUNNING) | BIT(TASK_REUSED) | BIT(TASK_SKIPPED) |
		       BIT(TASK_BLOCKED) | BIT(TASK_PENDING),
	[TASK_RUNNING] = BIT(TASK_SUCCEEDED) | BIT(TASK_FAILED) | BIT(TASK_BACKOFF) |
			 BIT(TASK_PENDING) | BIT(TASK_SKIPPED),
	[TASK_BACKOFF] = BIT(TASK_RUNNING) | BIT(TASK_FAILED) | BIT(TASK_PENDING) |
			 BIT(TASK_SKIPPED) | BIT(TASK_REUSED),
};

const char *task_state_name(enum task_state state)
{
	static const char *const names[TASK_STATES] = { "PENDING", "READY", "RUNNING", "BACKOFF",
		"SUCCEEDED", "REUSED", "FAILED", "SKIPPED", "BLOCKED" };

	return names[state];
}

bool task_state_is_end(enum task_state state)
{
	return state >= TASK_SUCCEEDED;
}

bool task_move_is_legal(enum task_state from, enum task_state to)
{
	return (moves[from] & BIT(to)) != 0;
}
