/*
 * report/runlist.h - the newest runs, with the metrics they have in common.
 *
 *     struct runlist list;
 *     runlist_make(&list, &db, &project, NULL, 20, &arena, e)
 *     runlist_json(&buf, &list, clock_wall_ms())
 *
 * A metric gets a column when it is one number a run; the three that most runs have do. Everything lives in the arena.
 */
#ifndef FLOW_REPORT_RUNLIST_H
#define FLOW_REPORT_RUNLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "store/runs.h"

struct arena;
struct buf;
struct db;
struct err;
struct project;

#define RUNLIST_METRICS 3

struct runlist_row {
	struct run_record run;
	bool alive;                        /* RUNNING, and its process is there */
	double values[RUNLIST_METRICS];    /* NaN: it has none */
};

struct runlist {
	struct runlist_row *rows;
	size_t count;
	const char *metrics[RUNLIST_METRICS];
	unsigned metric_count;
};

int runlist_make(struct runlist *out, struct db *db, const struct project *p, const char *state, uint32_t limit,
	struct arena *a, struct err *e);
void runlist_json(struct buf *out, const struct runlist *list, int64_t now_ms);

/* The state of a run for people: "ok", "FAILED", "cancelled", "interrupted", "running". One that the journal still calls
 * RUNNING and whose process is gone is interrupted, in lists too. run_state_of: the journal's word for what a user types; NULL: there is none. */
const char *run_word(const struct run_record *r, bool alive);
const char *run_state_of(const char *word);

#endif
