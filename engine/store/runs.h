/*
 * store/runs.h - the runs of a journal, read back.
 *
 *     runs_resolve(&db, "@last", &id, e)       what the user calls a run -> its row
 *     run_get(&db, id, &arena, &run, e)
 *     runs_newest(&db, NULL, 20, &arena, &list, e)
 *
 * A run is named by its uuid, by a prefix of it that is unique and has at least four characters, by a tag, `@last`, `@last-ok` (the
 * newest that succeeded) or `@{n}` (n runs before the last). A removed run is named by its whole uuid only, and in no list. An unknown one is ERR_NOTFOUND, an ambiguous one ERR_USAGE; both have a hint.
 * Everything found lives in the arena. Nothing is written.
 */
#ifndef FLOW_STORE_RUNS_H
#define FLOW_STORE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct arena;
struct db;
struct err;
struct project;

#define RUN_NAME 14 /* the first 13 characters of a uuid, and the NUL: its time in milliseconds */

struct run_record {
	int64_t id, pid;
	int64_t began_ms, ended_ms;  /* ended 0: not yet */
	int64_t ran, reused, failed; /* tasks; set when it ended */
	int64_t dirty;               /* files that differ from the commit */
	int64_t pinned_ms;           /* since when; 0: it is not */
	char name[RUN_NAME];         /* as it is shown */
	const char *uuid, *state, *cause, *dag_path, *dag_name, *params, *changed;
	const char *commit_id, *branch, *note, *host, *boot_id, *version;
	const char *remark, *tags;   /* what somebody wrote about it; names, with blanks between */
	struct digest dag_digest, patch, reuse; /* zero: none */
};

struct run_list {
	struct run_record *items;
	size_t count, cap;
};

int runs_resolve(struct db *db, const char *ref, int64_t *id, struct err *e);
int run_get(struct db *db, int64_t id, struct arena *a, struct run_record *out, struct err *e);
int run_find(struct db *db, const char *ref, struct arena *a, struct run_record *out, struct err *e); /* both */

/* The newest first, at most limit (0: all). state NULL: any; else as in the journal, "FAILED". */
int runs_newest(struct db *db, const char *state, uint32_t limit, struct arena *a, struct run_list *out, struct err *e);

bool run_is(const struct run_record *r, const char *state);
int64_t run_took_ms(const struct run_record *r, int64_t now_ms); /* until now while it has not ended */

/* Is a run that the journal calls RUNNING really there? Its process must exist on this boot, and the project be held. */
bool run_is_alive(const struct project *p, const struct run_record *r);
/* Has its process the project still? It lets go a moment after the journal has the run's end. */
bool run_holds_project(const struct project *p, const struct run_record *r);

#endif
