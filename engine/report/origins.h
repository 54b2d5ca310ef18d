/*
 * report/origins.h - which attempt made what another attempt read.
 *
 *     struct origins o;
 *     origins_open(&o, &db, e)
 *     origins_find(&o, &reader, "data/x.npy", &digest, &artifact, e)     reader: has read it
 *     origins_close(&o)
 *
 * It is the attempt whose outs the reader's own run had: one that succeeded in it, or that it took over from an older run. Many
 * attempts may have made the same bytes at the same path, so the newest of them is the answer only when the run had none of them,
 * as when the maker was left out of it. Always an earlier attempt than the reader, so there is no cycle whatever the journal says.
 * What was found stays in the arena of origins until it is closed.
 */
#ifndef FLOW_REPORT_ORIGINS_H
#define FLOW_REPORT_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "store/artifacts.h"
#include "store/tasks.h"

/* What is known of a path: the answer given last, which many readers share, and whether there can be one. */
struct known_path {
	int64_t run;               /* of the reader; 0: nothing was asked yet */
	struct digest digest;      /* asked for; zero: any */
	bool found;
	bool asked, never;         /* never: no attempt ever made it */
	bool asked_below, never_below; /* ...nor anything below it */
	struct artifact_record maker; /* the artifact of that path looked at last, found or not */
};

/* The attempts whose outs a run had. */
struct run_outs {
	struct id_list ids;
	bool loaded;
};

struct origins {
	struct db *db;
	struct makers makers;
	struct arena arena, outs_arena;
	struct map known_of;       /* path -> index into known */
	struct map outs_of;        /* run -> index into outs */
	struct { struct known_path *items; size_t count, cap; } known;
	struct { struct run_outs *items; size_t count, cap; } outs;
	size_t outs_kept;          /* ids in outs */
};

int origins_open(struct origins *o, struct db *db, struct err *e);
void origins_close(struct origins *o);

/* 1 found, 0 no attempt made it, or an error. d NULL: whatever its digest. */
int origins_find(struct origins *o, const struct attempt_record *reader, const char *path, const struct digest *d,
	struct artifact_record *out, struct err *e);
/* The same for the nearest folder around the path that was made as a whole. */
int origins_find_around(struct origins *o, const struct attempt_record *reader, const char *path, struct artifact_record *out,
	struct err *e);
/* What the reader's run had below a folder that was not made as a whole. The list is in `a`. */
int origins_below(struct origins *o, const struct attempt_record *reader, const char *folder, struct arena *a,
	struct artifact_list *out, struct err *e);

#endif
