/*
 * run/slots.h - where attempts run: for each slot a log file and a work folder.
 *
 *     slots_open(&s, &project, uuid, jobs, &exec, e)
 *     slot = slots_take(&s, e)            a free slot with an open log and a pristine work folder
 *     slots_fresh(&s, slot, e)            when the size of its log matters: the log begins at 0
 *     slots_give(&s, slot, spoilt, e)     after a success
 *     slots_keep(&s, slot, "runs/...", e) after a failure: folder and log are moved there for inspection
 *     slots_close(&s)
 *
 * A run has one log file a slot, which attempts append to one after the other; the journal has each attempt's range. A file an
 * attempt would cost a third of the throughput of short tasks. An attempt that writes more than it may loses the middle of its
 * part (store/gap.h). A work folder that an attempt left untouched serves the next one:
 * it is as good as new. A failed attempt keeps its own.
 */
#ifndef FLOW_RUN_SLOTS_H
#define FLOW_RUN_SLOTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

struct err;
struct exec;
struct project;

struct slot {
	int log_fd;            /* -1: not open yet */
	bool sent;             /* the worker has the log's descriptor */
	bool taken;
	char log[96];          /* relative to .flow */
	uint32_t logs;         /* how many files it has had */
	uint64_t log_from;     /* where the current attempt's part begins */
	char folder[96];       /* relative to .flow; "" when there is none */
	int64_t pristine_ns;   /* mtime of the folder when it was made */
};

struct slots {
	const struct project *project;
	struct exec *exec;
	char uuid[37];
	struct slot *items;
	uint32_t count;
	uint32_t serial;       /* of work folders */
};

int slots_open(struct slots *s, const struct project *p, const char *uuid, uint32_t jobs, struct exec *exec, struct err *e);
int slots_take(struct slots *s, uint32_t *slot, struct err *e);
int slots_fresh(struct slots *s, uint32_t slot, struct err *e);
int slots_give(struct slots *s, uint32_t slot, struct err *e);
int slots_keep(struct slots *s, uint32_t slot, const char *folder, struct err *e);
int slots_log(struct slots *s, uint32_t slot, struct err *e); /* the worker has the slot's log, before each start */
void slots_lost(struct slots *s); /* the worker is a new one: it has no logs */
void slots_close(struct slots *s);

/* Bytes the current attempt has written; and has in the log that slots_keep() makes. */
uint64_t slot_log_size(const struct slot *slot);
uint64_t slot_log_kept(const struct slot *slot);
/* Leave at most so many of them, about. Was there something to cut off? */
bool slot_log_cut(const struct slot *slot, uint64_t most);
/* Did the attempt write anything into its folder? */
bool slot_is_spoilt(const struct slots *s, const struct slot *slot);

#endif
