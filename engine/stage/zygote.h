/*
 * stage/zygote.h - fork the worker for a stage that runs in its image: a plugin or a Lua script.
 *
 * The child leads its own session, dies with the worker, holds no descriptor of the worker's but stdin (at end of file) and
 * the log, has the attempt's environment and folder, and never returns: it leaves by _exit.
 */
#ifndef FLOW_STAGE_ZYGOTE_H
#define FLOW_STAGE_ZYGOTE_H

#include <sys/types.h>

struct cgroup;
struct wire_start;

struct zygote {
	const struct wire_start *start;
	char **environ;
	const struct cgroup *group;
	const char *root; /* the project's folder, absolute */
	int null_fd, log_fd;
};

/* For a single-threaded caller that keeps all signals blocked and at their defaults. -1: errno says why. */
pid_t zygote_fork(const struct zygote *z);

#endif
