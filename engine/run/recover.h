/*
 * run/recover.h - what the last run left behind when it did not end by itself.
 *
 *     recover(&project, &db, &stats, &found, e)    by the writer, before it plans; does nothing when all is well
 *
 * A run that is still RUNNING in the journal while we hold the writer's lock is dead. Its processes are ended (by their mark),
 * its attempts become LOST, previous outs that were moved aside come back, the run becomes INTERRUPTED. After a reboot the
 * outs of attempts newer than the last known sync are checked by digest: what the power loss ate is not served.
 */
#ifndef FLOW_RUN_RECOVER_H
#define FLOW_RUN_RECOVER_H

#include <stdint.h>

struct db;
struct err;
struct project;
struct stats;

struct recovery {
	uint32_t runs;       /* that were interrupted */
	uint32_t attempts;   /* that were lost */
	uint32_t processes;  /* that could not be ended */
	uint32_t damaged;    /* objects */
};

int recover(const struct project *p, struct db *db, struct stats *stats, struct recovery *found, struct err *e);

#endif
