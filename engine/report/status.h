/*
 * report/status.h - how the project stands, in one screen.
 *
 *     struct status status;
 *     status_make(&status, &db, &project, &arena, e)
 *     status_json(&buf, &status, clock_wall_ms())
 *
 * The journal alone answers, so that a coordinator that has died is reported as truly as one that lives. Everything is in the arena.
 */
#ifndef FLOW_REPORT_STATUS_H
#define FLOW_REPORT_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/runs.h"
#include "store/tasks.h"

struct arena;
struct buf;
struct db;
struct err;
struct project;

#define STATUS_STATES 5

struct status {
	struct run_list runs;              /* the newest of each state there is, the newest first; [0] is the last run */
	bool is_active;                    /* runs.items[0] is at work now */
	bool is_dead;                      /* runs.items[0] is called RUNNING and its process is gone */
	struct attempt_list running;       /* attempts of an active run, in the order they began */
	uint32_t succeeded, reused, waiting; /* tasks of an active run so far; those it reused as planned are in `reused` */
	struct task_list failed;           /* tasks of the last run that failed */
	int64_t run_count, attempt_count, artifact_count;
};

int status_make(struct status *out, struct db *db, const struct project *p, struct arena *a, struct err *e);
void status_json(struct buf *out, const struct status *s, int64_t now_ms);

#endif
