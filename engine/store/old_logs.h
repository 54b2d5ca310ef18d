/*
 * store/old_logs.h - what runs that no rule of gc keeps have left beside the journal: logs, reports, folders of failed attempts.
 *
 *     old_logs_find(&l, flow_fd, &db, &needs, e)     which runs, and how much it is; changes nothing
 *     old_logs_remove(&l, flow_fd, e)
 *     old_logs_release(&l)
 *
 * A run keeps its own while it is open, while a rule names it, and while an attempt of it made what is kept: `flow log` shows that one for
 * later runs. The record of a run stays; `flow log` says where the log was.
 */
#ifndef FLOW_STORE_OLD_LOGS_H
#define FLOW_STORE_OLD_LOGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct db;
struct err;
struct needs;

struct old_logs {
	struct { const char **items; size_t count, cap; } runs; /* ids; of those that have something */
	uint64_t bytes;
	struct arena arena;
};

int old_logs_find(struct old_logs *l, int flow_fd, struct db *db, const struct needs *needs, struct err *e);
int old_logs_remove(const struct old_logs *l, int flow_fd, struct err *e);
void old_logs_release(struct old_logs *l);

#endif
