/*
 * stage/supervise.h - who belongs to which attempt, and that nothing outlives its attempt.
 *
 *     supervisor_init(&s);  the process becomes a subreaper: whatever loses its parent below it becomes its child
 *     supervisor_add(&s, id, token, pid, &limits, &group);  after a start; pid leads its own session
 *     supervisor_reap(&s);                      after SIGCHLD, and when supervisor_timeout() ms have passed
 *     while (supervisor_take(&s, &ended)) ...   attempts of which nothing runs any more
 * When the main process of an attempt has ended, its process group is killed, then every stray: a child of ours that is no
 * main process and belongs to that attempt by session, by FLOW_ATTEMPT in its environment, or because no other attempt is
 * left that it could belong to. The dead are reaped only here, one at a time, so that a pid in these tables is never reused.
 * An attempt whose processes take more memory than they may, or are more than they may be, is killed, and its end says so, as it
 * does when the kernel was out of memory or one of stage/limits.h has ended it. With a control group the kernel watches over both.
 * A stray that will not die (another user's, or stuck in the kernel) is given up after GIVE_UP_MS and reported.
 * One thread; all calls from the worker's loop.
 */
#ifndef FLOW_STAGE_SUPERVISE_H
#define FLOW_STAGE_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "stage/cgroup.h"
#include "stage/proc.h"
#include "stage/wire.h"

struct err;

#define GIVE_UP_MS 10000

struct attempt {
	struct wire_ended ended; /* filled as it comes; ended.text points into `text` or is "" */
	char token[PROC_TOKEN_MAX];
	char text[80];
	pid_t pid;       /* its main process, -1 when reaped; also its process group */
	pid_t session;   /* the same number, kept: members of the session may still run */
	bool is_over;    /* the main process was reaped */
	bool is_doomed;  /* SIGKILL was asked for: strays die at once, not only at the end */
	struct wire_limits limits;
	struct cgroup group;
	uint64_t kills;  /* of cgroup_memory_kills(), counted in the supervisor's */
	enum wire_end killed_for; /* END_MEMORY or END_LIMIT: we did, see text; else END_SIGNAL */
	bool has_left;   /* over, and no process of it was left at the last sweep */
	int64_t over_ms; /* when it was over, monotonic */
};

/* A child of ours that is no main process. */
struct stray {
	pid_t pid;
	uint64_t id; /* attempt it belongs to; 0: not known */
	bool is_known;
	bool is_unsure; /* it was becoming another program when it was asked whose it is */
	bool is_given_up;
};

struct supervisor {
	struct {
		struct attempt **items;
		size_t count, cap;
	} attempts;
	struct {
		struct stray *items;
		size_t count, cap;
	} strays;
	struct pids children, tree; /* scratch */
	bool has_more;              /* dead children were left for the next supervisor_reap() */
	int64_t sweep_ms;           /* with so many of them: when the living are looked at again */
	size_t over;                /* attempts that are over and not yet taken */
	size_t watched;             /* attempts whose memory or processes are limited */
	size_t counted;             /* those whose processes are: they multiply fast */
	int64_t watch_ms;           /* when they are looked at next */
	uint64_t kills;             /* of memory_kills(), known: before the first attempt, or for the limit of a control group */
	int children_fd;
};

int supervisor_init(struct supervisor *s, struct err *e);
void supervisor_add(struct supervisor *s, uint64_t id, const char *token, pid_t pid, const struct wire_limits *limits,
	const struct cgroup *group); /* takes the group over */
/* To the process group of an attempt; SIGKILL also to its strays. An attempt that is not there is not an error. */
void supervisor_signal(struct supervisor *s, uint64_t id, int signo);
void supervisor_reap(struct supervisor *s);
/* One attempt that is wholly over; its text is copied to text. */
bool supervisor_take(struct supervisor *s, struct wire_ended *ended, char text[80]);
/* In how many ms supervisor_reap is wanted; -1: not before SIGCHLD. */
int supervisor_timeout(const struct supervisor *s);
/* Kill everything below this process; returns when no child is left, or after GIVE_UP_MS. */
void supervisor_kill_all(struct supervisor *s);
void supervisor_release(struct supervisor *s);

#endif
