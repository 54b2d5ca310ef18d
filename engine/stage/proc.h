/*
 * stage/proc.h - what the kernel says about the processes below this one.
 *
 * Answers are snapshots. For a single-threaded caller that alone reaps its children, a list that was read whole misses no
 * child that existed before the call.
 */
#ifndef FLOW_STAGE_PROC_H
#define FLOW_STAGE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROC_TOKEN_MAX 128

struct pids {
	pid_t *items;
	size_t count, cap;
};

/* A descriptor for proc_children; -1 where the kernel offers no list and /proc is searched instead. */
int proc_open(void);
/* All children of the caller, dead ones too until they are reaped. False: there may be more. */
bool proc_children(int fd, struct pids *out);
/* A process and all that is below it, ancestors first. */
void proc_tree(pid_t pid, struct pids *out);
/* Of a process in whose environment nothing could be read. PROC_BECOMING: it is in the middle of an execve, ask again; PROC_BARE: it has
 * none, or had none yet a moment ago. */
enum proc_bare { PROC_DEAD, PROC_BARE, PROC_BECOMING };
enum proc_bare proc_bare(pid_t pid);
/* FLOW_ATTEMPT in the environment of a process. */
bool proc_token(pid_t pid, char token[PROC_TOKEN_MAX]);

#endif
