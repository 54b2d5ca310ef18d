/*
 * store/fsck.h - does the journal agree with itself?
 *
 *     fsck_database(&db, found, user, e)     found() for each fault, in words; ERR_CORRUPT when it cannot even be read
 *
 * SQLite's own check, then what must hold of runs, tasks and attempts once nothing runs (the invariants of the reliability page). What
 * a killed run left open is no fault: the next run settles it. The objects are store/verify.h's.
 */
#ifndef FLOW_STORE_FSCK_H
#define FLOW_STORE_FSCK_H

struct db;
struct err;

typedef void fsck_found(void *user, const char *fault);
int fsck_database(struct db *db, fsck_found *found, void *user, struct err *e);

#endif
