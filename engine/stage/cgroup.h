/*
 * stage/cgroup.h - a control group (version 2) for an attempt, where the system lets us make one.
 *
 *     struct cgroups c = { 0 };                of the worker
 *     cgroup_make(&c, &g, &start.limits);      before each start; false: none was made, as nothing is limited or there is no place
 *     cgroup_enter(&g);                        in the child, before it becomes the stage
 *     end = cgroup_verdict(&g, text);          it is over: did the kernel stop it?
 *     cgroup_kill(&g);  cgroup_remove(&g);     all that is left in it; true when it is gone
 *     cgroups_close(&c);
 *
 * A group is ours to divide when its administrator says so: the extended attribute user.delegate or trusted.delegate is "1", as systemd
 * sets it (`systemd-run --user --scope -p Delegate=yes flow run`), or FLOW_CGROUP names an empty one. In a group of our own all
 * processes move to a child `flow` first: the kernel lets no group that has both processes and limited children.
 * Without such a group, or one that a child of ours may enter, or without the controllers memory and pids in it, nothing changes: the
 * supervisor watches by itself. Once made, a group is entered or the attempt does not start: nothing runs without its limits.
 * Out of memory, the kernel ends all that is in the group. More processes than it may have it refuses.
 */
#ifndef FLOW_STAGE_CGROUP_H
#define FLOW_STAGE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "stage/wire.h"

struct cgroups {
	bool is_known;            /* fd was looked for, at the first attempt that has limits */
	int fd;                   /* folder that is divided; -1: there is none */
	bool has_memory, has_pids; /* controllers that its children have */
	uint32_t serial;
};

struct cgroup {
	int fd;                   /* folder; -1: none */
	int parent_fd;
	int procs_fd;
	char name[48];
	bool limits_memory, limits_processes; /* the kernel does */
	struct wire_limits limits;
};

void cgroups_close(struct cgroups *c);

bool cgroup_make(struct cgroups *c, struct cgroup *g, const struct wire_limits *limits);
bool cgroup_enter(const struct cgroup *g); /* system calls only */
/* END_MEMORY or END_LIMIT with its text; END_EXIT when it was no limit of the group's. */
enum wire_end cgroup_verdict(const struct cgroup *g, char text[80]);
uint64_t cgroup_memory_kills(const struct cgroup *g); /* processes of it that the kernel killed for lack of memory, whoever's */
void cgroup_kill(const struct cgroup *g);
bool cgroup_remove(struct cgroup *g);

#endif
