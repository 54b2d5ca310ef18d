/*
 * cli/eta.h - when will a run be over? From how long its tasks took last time.
 *
 *     eta_open(&eta, &plan, jobs);  eta_done(&eta, node) when a task has ended;  eta_ms(&eta, ...)  eta_close(&eta)
 *
 * The longer of two: the longest chain of tasks that is left, and all that is left shared among the jobs. A task that was never
 * timed makes it unknown: no figure is better than a wrong one.
 */
#ifndef FLOW_CLI_ETA_H
#define FLOW_CLI_ETA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plan;

struct eta {
	const struct plan *plan;
	uint32_t jobs, unknown;   /* unknown: tasks not done of which nothing is known */
	int64_t *task_ms;         /* per node; 0: nothing to do, or done; -1: unknown */
	int64_t *way_ms;          /* per node: of the longest chain from its start to the end of the graph */
	bool *is_done;
	bool *is_running;         /* scratch of eta_ms() */
};

void eta_open(struct eta *eta, const struct plan *plan, uint32_t jobs);
void eta_done(struct eta *eta, uint32_t node);
int64_t eta_of_task(const struct eta *eta, uint32_t node); /* what it is expected to take; -1: unknown */

struct eta_running {
	uint32_t node;
	int64_t elapsed_ms;
};

/* -1: unknown. */
int64_t eta_ms(const struct eta *eta, const struct eta_running *running, size_t count);
void eta_close(struct eta *eta);

#endif
