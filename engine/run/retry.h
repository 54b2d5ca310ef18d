/*
 * run/retry.h - is a failed attempt tried again, and when. Pure.
 */
#ifndef FLOW_RUN_RETRY_H
#define FLOW_RUN_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry;

/* How an attempt ended. */
enum outcome {
	OUTCOME_SUCCEEDED,
	OUTCOME_ERROR,       /* non-zero exit status, or a plugin or script said so */
	OUTCOME_SIGNAL,
	OUTCOME_TIMEOUT,
	OUTCOME_OOM,
	OUTCOME_LOST,        /* its worker died: no fault of the task */
	OUTCOME_MISSING_OUT, /* exit 0 without a declared out */
	OUTCOME_UNSTARTABLE, /* command not found, plugin refused: trying again will not help */
	OUTCOME_CANCELLED,
};

#define LOST_BUDGET 3 /* attempts of a task that may be lost before it counts as failed */

/* Delay before retry number `number` (1 for the first), in ms: delay * backoff^(number-1), at most max_delay, then drawn from
 * [1 - jitter, 1] of it by `draw` in [0, 1). "Full jitter" is jitter 1 (Brooker 2015, "Exponential backoff and jitter"). */
int64_t retry_delay_ms(const struct retry *r, uint32_t number, double draw);

/* `value` after `retries` retries, each of which multiplies it by `factor`. Never less, never over a quarter of the type. */
int64_t retry_scaled(int64_t value, double factor, uint32_t retries);

/* May an attempt that ended so be retried, when `retries` were made already? LOST has a budget of its own: `losses`. */
bool retry_allows(const struct retry *r, enum outcome outcome, int exit_code, uint32_t retries, uint32_t losses);

#endif
