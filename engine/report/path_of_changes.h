/*
 * report/path_of_changes.h - what lies between two runs, as a path of single changes, and how to stand at any point of it.
 *
 *     path_make(&p, &db, &scratch, &a, a_attempt, &b, b_attempt, e)   attempts of one task, in two runs
 *     ...p.changes...                                  commits and files first, then inputs, environment, parameters
 *     path_go(&p, &scratch, point, e)                  the scratch with the first `point` changes made; p.params are its options
 *     path_release(&p)
 *
 * Parameters are changes, and what the task and those above it see: raw inputs and listed environment. An input that comes with the
 * commit is no change of its own: path_make() looks at both ends to tell. path_go() sets environment variables of
 * this process; it fails where the point cannot be (a commit whose dag.yaml cannot be read).
 */
#ifndef FLOW_REPORT_PATH_OF_CHANGES_H
#define FLOW_REPORT_PATH_OF_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/map.h"
#include "report/past_params.h"
#include "store/runs.h"

struct db;
struct err;
struct scratch;

enum path_kind { PATH_SOURCE, PATH_INPUT, PATH_VARIABLE, PATH_PARAM };

struct path_change {
	enum path_kind kind;
	const char *name;         /* "commit 3f9c2e1", "data/raw.csv", "train.lr" */
	const char *was, *is;     /* texts; NULL: it is not there. SOURCE: is, the commit's summary or "" */
	struct digest then, now;  /* INPUT; zero: not there */
	struct run_record source; /* SOURCE: the state after it */
};

struct path_changes {
	struct path_change *items;
	size_t count, cap;
};

struct path {
	struct arena arena;
	struct run_record a, b;
	struct path_changes changes;
	size_t sources;           /* the first so many of them */
	struct path_changes seen[PATH_PARAM + 1]; /* all that the tasks see, changed or not, by kind */
	struct map seen_at[PATH_PARAM + 1];       /* name -> index */
	size_t stands;            /* 1 + number of sources in the scratch; 0: none yet */
	struct past_params params;
	const char *note;         /* why commits are not told apart, or "" */
};

int path_make(struct path *p, struct db *db, struct scratch *s, const struct run_record *a, int64_t a_attempt,
	const struct run_record *b, int64_t b_attempt, struct err *e);
int path_go(struct path *p, struct scratch *s, size_t point, struct err *e);
void path_release(struct path *p);

#endif
