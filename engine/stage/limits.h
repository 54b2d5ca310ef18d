/*
 * stage/limits.h - what an attempt may take, as far as the kernel watches over it by itself.
 *
 *     limits_apply(&start.limits);                      in the child, before it becomes the stage
 *     if (limits_tell(&limits, status, text)) ...       in the worker, of the status of its main process: a limit ended it
 *
 * CPU time, the size of a file and open files are limits of each process (setrlimit), the processes that it starts inherit them.
 * Memory and the number of processes are of all together: stage/supervise.h watches those. A shell whose command was ended by a
 * limit exits with 128 + the signal, which is told apart from a stage's own status by the limit having been set.
 */
#ifndef FLOW_STAGE_LIMITS_H
#define FLOW_STAGE_LIMITS_H

#include <stdbool.h>

struct wire_limits;

#define LIMITS_TEXT 80

void limits_apply(const struct wire_limits *l); /* system calls only */
bool limits_tell(const struct wire_limits *l, int status, char text[LIMITS_TEXT]);

#endif
