/*
 * store/db_copy.h - a journal of one's own, with all the past of another one.
 *
 *     db_copy(&db, "/home/u/project/.flow/scratch/flow.db", e)
 *
 * The copy is of one moment. What runs in the original does not run in the copy: there it is lost, so that nobody looks after its
 * processes, and nothing waits for a retry.
 */
#ifndef FLOW_STORE_DB_COPY_H
#define FLOW_STORE_DB_COPY_H

struct db;
struct err;

int db_copy(struct db *from, const char *path, struct err *e);

#endif
