/*
 * store/claims.h - which objects a journal claims: what its artifacts say is in the store, the inputs that were kept, and what its runs are
 * recorded with.
 *
 *     claims_of(&shelf, &db, &needs, e)          before anything is given up
 *     claims_inputs(&inputs, attempt, true, e)   an attempt is given up: its inputs are, too
 *     claims_of_dead_runs(&shelf, &db, &needs, false, e)    after that: the changed files of runs that nothing is left of are given up
 *     claims_take_back(&shelf, &db, &needs, e)   the writer: what was evicted, is kept now and still there counts as stored again
 *
 * An artifact is claimed unless it is gone; if its attempt is kept, then even so: a gc that was killed may have recorded what it
 * did not get to remove, and a run may have used it since. Inputs that a task made are claimed as its outs alone.
 */
#ifndef FLOW_STORE_CLAIMS_H
#define FLOW_STORE_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

struct db;
struct err;
struct made;
struct needs;
struct shelf;
struct sqlite3_stmt;

int claims_of(struct shelf *s, struct db *db, const struct needs *n, struct err *e);
/* spare_empty: not those of runs that never made anything. */
int claims_of_dead_runs(struct shelf *s, struct db *db, const struct needs *n, bool spare_empty, struct err *e);
int claims_take_back(struct shelf *s, struct db *db, const struct needs *n, struct err *e);

/* Columns digest, size, mode from `column` on; false: a damaged row. */
bool claims_read(struct sqlite3_stmt *q, int column, struct made *out);

/* The inputs and code of one attempt after the other. */
struct input_claims {
	struct shelf *shelf;
	struct db *db;
	struct sqlite3_stmt *parts, *made;
};

int claims_inputs_open(struct input_claims *c, struct shelf *s, struct db *db, struct err *e);
int claims_inputs(struct input_claims *c, int64_t attempt, bool give_up, struct err *e);
void claims_inputs_close(struct input_claims *c);

#endif
