/*
 * report/descent.h - all that was made from an artifact, or from a file that no task made: the other way of report/trace.h.
 *
 *     struct descent d;
 *     descent_make(&d, &db, &artifact, NULL, e)         of an artifact
 *     descent_make(&d, &db, NULL, "raw/x.csv", e)       of a file that no attempt made, or of all that a folder holds
 *     descent_json(&buf, &d)
 *     descent_release(&d)
 *
 * A reader is a later attempt than the maker, so one pass over the attempts in their order finds them all; which of several makers an
 * attempt read from is answered as in a trace. Attempts that did not succeed have made nothing and are left out.
 */
#ifndef FLOW_REPORT_DESCENT_H
#define FLOW_REPORT_DESCENT_H

#include <stdint.h>

#include "base/arena.h"
#include "store/artifacts.h"
#include "store/runs.h"
#include "store/tasks.h"

struct buf;
struct db;
struct err;

#define DESCENT_ROOT UINT32_MAX

/* What a step read of those before it. */
struct descent_from {
	const char *path;
	uint32_t step;            /* that made it; DESCENT_ROOT: it is what was asked about */
};

struct descent_step {
	struct attempt_record attempt;
	uint32_t run;             /* index into runs */
	uint32_t first_from, from_count;
	uint32_t first_out, out_count;
};

struct descent {
	struct arena arena;
	struct { struct descent_step *items; size_t count, cap; } steps;
	struct { struct descent_from *items; size_t count, cap; } froms;
	struct artifact_list outs;
	struct run_list runs;
};

int descent_make(struct descent *d, struct db *db, const struct artifact_record *artifact, const char *path, struct err *e);
void descent_json(struct buf *out, const struct descent *d);
void descent_release(struct descent *d);

#endif
