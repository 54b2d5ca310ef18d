/*
 * store/artifacts.h - what attempts made, read back.
 *
 *     artifacts_of(&db, attempt, &arena, &list, e)        the outs of one attempt, in the order of its outs
 *     artifacts_at(&db, "data/x.npy", &arena, &list, e)   all that was ever made at a path, the newest first
 *
 *     makers_open(&m, &db, e)                             many questions of the same kind, as for a trace
 *     maker_find(&m, path, &digest, before, &outs, &arena, &artifact, e)
 *     makers_close(&m)
 *
 * Where an input came from is not stored but follows: it is an artifact of an earlier attempt with its path and digest, of those
 * the one whose outs the reader's run had (report/origins.h).
 * Lists are in the arena; ARTIFACTS_MAX bounds each. Nothing is written.
 */
#ifndef FLOW_STORE_ARTIFACTS_H
#define FLOW_STORE_ARTIFACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "plan/past.h"

struct arena;
struct db;
struct err;
struct id_list;
struct sqlite3_stmt;

#define ARTIFACTS_MAX 1000000u

struct artifact_record {
	int64_t attempt;           /* that made it */
	const char *name, *path;   /* of the out */
	struct made made;
};

struct artifact_list {
	struct artifact_record *items;
	size_t count, cap;
};

bool artifact_is_folder(const struct artifact_record *r);
bool artifact_is_absent(const struct artifact_record *r); /* an optional out that was not written */

int artifacts_of(struct db *db, int64_t attempt, struct arena *a, struct artifact_list *out, struct err *e);
int artifacts_of_all(struct db *db, const struct id_list *attempts, struct arena *a, struct artifact_list *out, struct err *e);
int artifacts_at(struct db *db, const char *path, struct arena *a, struct artifact_list *out, struct err *e);
/* Those whose digest lies between the two, both included; the newest first. */
int artifacts_between(struct db *db, const struct digest *least, const struct digest *most, struct arena *a,
	struct artifact_list *out, struct err *e);

struct makers {
	struct db *db;
	struct sqlite3_stmt *exact, *newest, *below, *any_below, *outs;
};

int makers_open(struct makers *m, struct db *db, struct err *e);
void makers_close(struct makers *m);
/* As artifacts_of(), for many attempts one after the other: onto the end of *out, which is on the heap. */
int maker_outs(struct makers *m, int64_t attempt, struct arena *a, struct artifact_list *out, struct err *e);

/* The artifact of an attempt before `before` that one of `within` made, or else the newest: 1 found, 0 there is none, or an error.
 * d NULL: whatever its digest. within NULL: nobody is preferred. */
int maker_find(struct makers *m, const char *path, const struct digest *d, int64_t before, const struct id_list *within,
	struct arena *a, struct artifact_record *out, struct err *e);
/* Was anything ever made below this folder? 1, 0, or an error. */
int maker_below_exists(struct makers *m, const char *folder, struct err *e);
/* Of each path below the folder, the newest that one of `within` made. */
int makers_below(struct makers *m, const char *folder, const struct id_list *within, struct arena *a, struct artifact_list *out,
	struct err *e);

#endif
