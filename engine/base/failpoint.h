/*
 * base/failpoint.h - the steps of the protocol by name, at which a build for tests can be made to die, to fail or to wait.
 *
 *     if (FAILPOINT("attempt.launch", e) < 0 || slots_log(&n->slots, a->slot, e) < 0)
 *             return e->code;
 *
 * 0, or ERR_SYSTEM with *e (when it is not NULL) and errno set. With -DFLOW_FAILPOINTS=ON the environment decides; in any other
 * build the step is the constant 0, and neither its name nor this module is in the program. A new name gets a line in the table of
 * failpoint.c.
 *
 *     FLOW_FAILPOINT=NAME:ACTION[:N]   at the N-th time (1) that one process passes NAME: kill (SIGKILL), exit (status 70),
 *                                      error:ERRNO (a number), sleep:MS, wall:MS (the wall clock is put forward by so much, or
 *                                      back), suspend:MS (the machine slept so long: both clocks)
 *     FLOW_FAILPOINT=list              the names, a line each, and nothing else
 *     FLOW_FAILPOINT_TRACE=FILE        each name that is passed is added to FILE, a line each
 */
#ifndef FLOW_BASE_FAILPOINT_H
#define FLOW_BASE_FAILPOINT_H

#include <stdint.h>
#include <time.h>

struct err;

#ifdef FLOW_FAILPOINTS
#define FAILPOINT(name, e)        failpoint_pass(name, e)
#define FAILPOINT_SHIFT_NS(clock) failpoint_shift_ns(clock)
#else
#define FAILPOINT(name, e)        0
#define FAILPOINT_SHIFT_NS(clock) 0
#endif

int failpoint_pass(const char *name, struct err *e);
int64_t failpoint_shift_ns(clockid_t clock); /* by how much wall and suspend moved it */

#endif
