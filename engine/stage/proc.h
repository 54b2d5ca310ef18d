/*
 * stage/proc.h - what the kernel says about the processes below this one.
 *
 * Answers are snapshots. For a single-threaded caller that alone reaps its children, a list that was read whole misses no
 * child that existed before the call.
 *
 *     proc_walk_begin(&walk); while ((pid = proc_walk_next(&walk)) > 0) ...; if (!proc_walk_end(&walk)) some may have been missed
 *
 * A walk goes through all processes, in the order of their numbers, each found only when its turn comes. A process that forks and ends
 * before its turn has a child with a higher number, which comes later: when none of a family was seen alive, none of it lives.
 */
#ifndef FLOW_STAGE_PROC_H
#define FLOW_STAGE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct buf;

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
struct proc_walk {
	int fd;
	bool failed;
	long last; /* number given to the last process before it began */
};
void proc_walk_begin(struct proc_walk *w);
pid_t proc_walk_next(struct proc_walk *w); /* 0 at the end */
bool proc_walk_end(struct proc_walk *w);   /* false: numbers began anew meanwhile, or /proc cannot be read */
/* The environment of a process, NUL after each entry and one more at the end. PROC_NONE: it has none, or is dead, or another user's;
 * PROC_UNSURE: it is in the middle of an execve, ask again. */
enum proc_answer { PROC_KNOWN, PROC_NONE, PROC_UNSURE };
enum proc_answer proc_environ(pid_t pid, struct buf *text);
/* FLOW_ATTEMPT in it; PROC_NONE also when it is not. */
enum proc_answer proc_token(pid_t pid, char token[PROC_TOKEN_MAX]);

#endif
