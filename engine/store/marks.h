/*
 * store/marks.h - what people say of runs: a name, a note, that it is to be kept, that it is to be forgotten.
 *
 *     mark_check_tag("best", e)               ERR_USAGE: it cannot be a tag
 *     mark_tag(&db, run, "best", false, e)    ERR_POLICY when another run has the name, unless it is to be moved
 *     mark_untag(&db, "best", e)              ERR_NOTFOUND
 *     mark_note(&db, run, "text", e)          "" takes it away
 *     mark_pin(&db, run, true, e)
 *     mark_removed(&db, run, true, e)         ERR_POLICY while it is pinned or tagged, or runs
 *
 * Each is a transaction of its own, by the writer. A removed run is shown in no list and named by its whole id only; gc may take what it alone had.
 */
#ifndef FLOW_STORE_MARKS_H
#define FLOW_STORE_MARKS_H

#include <stdbool.h>

struct db;
struct err;
struct run_record;

#define TAG_MAX  64
#define NOTE_MAX 2000

int mark_check_tag(const char *name, struct err *e);
int mark_tag(struct db *db, const struct run_record *run, const char *name, bool move, struct err *e);
int mark_untag(struct db *db, const char *name, struct err *e);
int mark_note(struct db *db, const struct run_record *run, const char *text, struct err *e);
int mark_pin(struct db *db, const struct run_record *run, bool pinned, struct err *e);
int mark_removed(struct db *db, const struct run_record *run, bool removed, struct err *e);

#endif
