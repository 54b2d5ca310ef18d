/*
 * run/exec.h - where attempts are executed.
 *
 *     exec_open(&x, &options, e)              starts the worker; once a run, and again after it was lost
 *     exec_slot(&x, slot, log_fd, e)          the log of a slot, before its first attempt
 *     exec_submit(&x, &start, e)              begin an attempt
 *     exec_signal(&x, id, signo, e)           ask it to end
 *     poll x.sock for reading; exec_next(&x, &ended, e): 1 one attempt is over, 0 nothing now, ERR_CANCELED the worker is gone
 *     exec_close(&x)                          kills what still runs and reaps the worker
 *
 * The local executor, through flow-worker. A remote one answers the same calls: submit, next, signal, collect.
 * exec_sweep() kills every process that still bears the mark of a run; it is how a lost worker's children end.
 */
#ifndef FLOW_RUN_EXEC_H
#define FLOW_RUN_EXEC_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "stage/wire.h"

struct err;

struct exec_options {
	const char *worker;  /* path of flow-worker */
	const char *root;    /* the project's folder: the worker's cwd */
	const char *run;     /* uuid: the mark, FLOW_WORKER=<uuid>, of the worker and all it forks */
	const char *const *hidden; /* variables that the worker does not get, NULL at the end; NULL: none */
};

struct exec {
	int sock;            /* -1: not open */
	pid_t pid;
	struct exec_options options;
	struct buf message;  /* scratch, both ways */
};

int exec_open(struct exec *x, const struct exec_options *options, struct err *e);
int exec_slot(struct exec *x, uint32_t slot, int log_fd, struct err *e);
int exec_submit(struct exec *x, const struct wire_start *start, struct err *e);
int exec_signal(struct exec *x, uint64_t id, int signo, struct err *e);
int exec_next(struct exec *x, struct wire_ended *ended, struct err *e); /* texts live until the next call */
void exec_close(struct exec *x);

/* Kill every process of this user whose environment has FLOW_WORKER=<run> or FLOW_ATTEMPT=<run>.<n>, until none is left or
 * `patience_ms` is over; how many are left. */
unsigned exec_sweep(const char *run, int patience_ms);

#endif
