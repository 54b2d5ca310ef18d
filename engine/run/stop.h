/*
 * run/stop.h - end a run that another process is walking.
 *
 *     run_stop(&project, &run, now, e)     asks it to end, as Ctrl-C would; `now`: kills what it runs; waits until it is gone
 *
 * A number in the journal is no proof that the process of that number is ours: it is signalled through a pidfd, and only when it has
 * the project's writer.lock open. ERR_NOTFOUND: the run is not going on.
 */
#ifndef FLOW_RUN_STOP_H
#define FLOW_RUN_STOP_H

#include <stdbool.h>

struct err;
struct project;
struct run_record;

int run_stop(const struct project *p, const struct run_record *run, bool now, struct err *e);

#endif
