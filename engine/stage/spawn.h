/*
 * stage/spawn.h - start a command.
 *
 *     pid_t pid = spawn_command(&how, &ended);    -1: ended says why, ready to be sent
 * The child leads its own session, has the log as stdout and stderr, stdin at end of file, every signal at its default and
 * an empty mask. It runs in the caller's memory until it execs (CLONE_VM | CLONE_VFORK), so nothing is copied and a failed
 * exec comes back as a plain value. For a single-threaded caller that keeps all signals blocked and at their defaults.
 */
#ifndef FLOW_STAGE_SPAWN_H
#define FLOW_STAGE_SPAWN_H

#include <sys/types.h>

struct arena;
struct cgroup;
struct isolate;
struct wire_limits;
struct wire_ended;

struct spawn {
	const char *const *argv; /* ends with NULL; argv[0] is looked up in the PATH of `environ` */
	char *const *environ;
	const char *cwd;     /* "" for the caller's */
	int null_fd, log_fd; /* both above 2 and close-on-exec */
	const struct wire_limits *limits;
	const struct cgroup *group;
	struct arena *arena; /* for scratch and for the text in ended */
	const struct isolate *isolate; /* the view it gets; NULL: none. Such a child is forked: it has to prepare itself */
};

pid_t spawn_command(const struct spawn *how, struct wire_ended *ended);

#endif
