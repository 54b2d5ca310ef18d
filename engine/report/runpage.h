/*
 * report/runpage.h - all there is to say of one run.
 *
 *     struct runpage page;
 *     runpage_make(&page, &db, &project, "@last", &arena, e)
 *     runpage_json(&buf, &page, clock_wall_ms())
 *
 * Tasks that were tried come first, in the order they began; artifacts and metrics carry the name of their task.
 */
#ifndef FLOW_REPORT_RUNPAGE_H
#define FLOW_REPORT_RUNPAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "report/run_params.h"
#include "store/artifacts.h"
#include "store/measures.h"
#include "store/runs.h"
#include "store/tasks.h"

struct arena;
struct buf;
struct db;
struct err;
struct project;

struct runpage {
	struct run_record run;
	bool alive;
	struct task_list tasks;
	struct run_params params;
	struct measure_list measures;    /* of the last attempt of each task, also of one that failed */
	struct artifact_list artifacts;  /* what the run has, made or taken over */
	const char **measure_tasks;      /* beside measures.items */
	const char **artifact_tasks;     /* beside artifacts.items */
};

int runpage_make(struct runpage *out, struct db *db, const struct project *p, const char *ref, struct arena *a, struct err *e);
void runpage_json(struct buf *out, const struct runpage *page, int64_t now_ms);

/* The metrics alone: run, alive, tasks, measures and their tasks are set. steps: with every step. */
int runpage_measures(struct runpage *out, struct db *db, const struct project *p, const char *ref, struct arena *a, struct err *e);
int measures_json(struct buf *out, const struct runpage *page, struct db *db, bool steps, int64_t now_ms, struct err *e);

#endif
