/*
 * report/runwatch.h - a run as it goes, read from the journal again and again.
 *
 *     runwatch_open(&w, &db, &project, &run, e)
 *     do {
 *             if (runwatch_news(&w, e) > 0) {         the journal has changed, or the run's process is gone
 *                     arena_release(&arena);
 *                     runwatch_look(&w, &arena, e)    in a read transaction; all that it finds lives in the arena
 *             }
 *             ...w.run, w.count[], w.open, w.ended...
 *     } while (!runwatch_is_over(&w));
 *     runwatch_close(&w)
 *
 * A look costs what has happened since the one before, and a row for each task: not the history. The first look also finds the last
 * RUNWATCH_CONTEXT attempts that had ended by then, if the run had not. Nothing is written, and the run does not know that it is watched.
 */
#ifndef FLOW_REPORT_RUNWATCH_H
#define FLOW_REPORT_RUNWATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/measures.h"
#include "store/runs.h"
#include "store/tasks.h"

struct arena;
struct db;
struct err;
struct project;
struct sqlite3_stmt;

#define RUNWATCH_CONTEXT 10u
#define RUNWATCH_METRICS 32u /* of an attempt, by name */

enum runwatch_count {
	COUNT_RAN,
	COUNT_CACHED,  /* those too that were reused as planned and have no row */
	COUNT_FAILED,
	COUNT_RUNNING,
	COUNT_WAITING,
	COUNT_BACKOFF, /* to be tried again */
	COUNT_BLOCKED,
	COUNT_SKIPPED,
	COUNT_OF_ALL
};

struct watched {
	struct attempt_record attempt;
	int64_t usual_ms;            /* that the last success of its task took; 0: there is none */
	struct measure_list metrics; /* what it told last: measures_latest() */
};

struct runwatch {
	struct db *db;
	const struct project *project;
	struct run_record run;       /* as of the last look */
	bool alive;
	uint32_t count[COUNT_OF_ALL];
	struct {
		struct watched *items;
		size_t count;
	} open;                      /* attempts that run, in the order they began */
	struct attempt_list ended;   /* since the look before, in the order they did */

	struct sqlite3_stmt *version; /* of the journal: */
	int64_t version_seen;
	int64_t last_seen;           /* attempt; -1: none yet */
	struct id_list were_open;    /* owned */
	struct digest reuse;         /* the run's list that `planned` counts */
	uint32_t planned;
};

int runwatch_open(struct runwatch *w, struct db *db, const struct project *p, const struct run_record *run, struct err *e);
int runwatch_news(struct runwatch *w, struct err *e);
int runwatch_look(struct runwatch *w, struct arena *a, struct err *e);
bool runwatch_is_over(const struct runwatch *w);
uint32_t runwatch_total(const struct runwatch *w); /* tasks */
void runwatch_close(struct runwatch *w);

#endif
