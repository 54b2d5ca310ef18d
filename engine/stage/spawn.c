#include "stage/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/failpoint.h"
#include "stage/cgroup.h"
#include "stage/environ.h"
#include "stage/isolate.h"
#include "stage/limits.h"
#include "stage/wire.h"

#define STACK_SIZE ((size_t)64 * 1024)

enum step { STEP_NONE, STEP_FILES, STEP_CWD, STEP_EXEC, STEP_ISOLATE, STEP_GROUP };

/* What parent and child share while the child has not yet become the program. */
struct launch {
	const struct spawn *how;
	const char *const *paths; /* to try one after the other; ends with NULL */
	const char *const *argv;
	volatile enum step failed;
	volatile int sys;
	char text[ISOLATE_TEXT]; /* STEP_ISOLATE: why */
};

/* What a forked child says when it could not become the program; nothing, when it did. */
struct fault {
	enum step failed;
	int sys;
	char text[ISOLATE_TEXT];
};

static const char *const shell_path[] = { "/bin/sh", NULL };
static const char default_path[] = "/usr/local/bin:/usr/bin:/bin";

/* Of all the paths tried, "not allowed" says more than "not there". */
static int exec_first(const struct launch *l)
{
	const char *const *path;
	int sys = ENOENT;
	/* execve leaves the words alone, but its type does not say so. */
	union {
		const char *const *from;
		char *const *to;
	} argv = { .from = l->argv };

	for (path = l->paths; *path != NULL; path++) {
		(void)execve(*path, argv.to, l->how->environ);
		if (errno == EACCES)
			sys = EACCES;
		else if (errno != ENOENT && errno != ENOTDIR)
			return errno;
	}
	return sys;
}

/* Runs in the parent's memory: no allocation, nothing but system calls. */
static int __attribute__((no_sanitize("address"))) child(void *arg)
{
	struct launch *l = arg;
	sigset_t none;

	(void)setsid();
	if (dup2(l->how->null_fd, 0) < 0 || dup2(l->how->log_fd, 1) < 0 ||
		dup2(l->how->log_fd, 2) < 0) {
		l->sys = errno;
		l->failed = STEP_FILES;
	} else if (l->how->cwd[0] != '\0' && chdir(l->how->cwd) < 0) {
		l->sys = errno;
		l->failed = STEP_CWD;
	} else if (!cgroup_enter(l->how->group)) {
		l->sys = errno;
		l->failed = STEP_GROUP;
	} else {
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		limits_apply(l->how->limits);
		l->sys = exec_first(l);
		l->failed = STEP_EXEC;
	}
	_exit(127);
}

static _Noreturn void forked_child(struct launch *l, int report)
{
	struct fault f = { .failed = STEP_NONE };
	sigset_t none;

	(void)setsid();
	if (dup2(l->how->null_fd, 0) < 0 || dup2(l->how->log_fd, 1) < 0 ||
		dup2(l->how->log_fd, 2) < 0)
		f.failed = STEP_FILES;
	else if (isolate_enter(l->how->isolate, f.text) != NULL)
		f.failed = STEP_ISOLATE;
	else if (l->how->cwd[0] != '\0' && chdir(l->how->cwd) < 0)
		f.failed = STEP_CWD;
	else if (!cgroup_enter(l->how->group))
		f.failed = STEP_GROUP;
	f.sys = errno;
	if (f.failed == STEP_NONE) {
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		limits_apply(l->how->limits);
		f.sys = exec_first(l);
		f.failed = STEP_EXEC;
	}
	_exit(write(report, &f, sizeof f) == (ssize_t)sizeof f ? 127 : 126);
}

static pid_t launch_forked(struct launch *l)
{
	struct fault f = { .failed = STEP_FILES };
	int ends[2];
	ssize_t n = -1;
	pid_t pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;

	if (pid == 0)
		forked_child(l, ends[1]);
	if (pid < 0) {
		l->sys = errno;
		l->failed = STEP_FILES;
		return -1;
	}
	(void)close(ends[1]);
	while ((n = read(ends[0], &f, sizeof f)) < 0 && errno == EINTR)
		;
	(void)close(ends[0]);
	if (n == 0)
		return pid;
	l->failed = f.failed;
	l->sys = f.sys;
	memcpy(l->text, f.text, sizeof f.text);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return -1;
}

static pid_t launch_shared(struct launch *l)
{
	static char stack[STACK_SIZE] __attribute__((aligned(64)));
	pid_t pid = FAILPOINT("worker.spawn", NULL) < 0
			    ? -1
			    : clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, l);

	if (pid < 0) {
		l->sys = errno;
		l->failed = STEP_NONE;
		return -1;
	}
	if (l->failed == STEP_NONE)
		return pid;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return -1;
}

static pid_t launch(struct launch *l)
{
	return l->how->isolate != NULL ? launch_forked(l) : launch_shared(l);
}

/* Every path that the name could stand for, by the attempt's PATH. */
static const char **candidates(const struct spawn *how, const char *name)
{
	const char *path = environ_get(how->environ, "PATH"), *p;
	const char **list;
	size_t count = 2, n = 0, name_len = strlen(name);

	if (strchr(name, '/') != NULL || name[0] == '\0')
		path = NULL;
	else if (path == NULL)
		path = default_path;
	for (p = path; p != NULL && *p != '\0'; p++)
		count += *p == ':';
	list = arena_alloc(how->arena, (count + 1) * sizeof *list);
	if (path == NULL)
		list[n++] = name;
	while (path != NULL) {
		size_t len = strcspn(path, ":");
		char *text = arena_alloc(how->arena, len + name_len + 3);

		memcpy(text, len != 0 ? path : ".", len != 0 ? len : 1);
		len = len != 0 ? len : 1;
		text[len] = '/';
		memcpy(text + len + 1, name, name_len + 1);
		list[n++] = text;
		path = strchr(path, ':');
		path = path != NULL ? path + 1 : NULL;
	}
	list[n] = NULL;
	return list;
}

/* A text file without "#!" is a shell script, as it is for every shell. */
static const char *const *script_argv(const struct spawn *how, const struct launch *l)
{
	size_t n = 0, i;
	const char **argv;
	const char *file = l->paths[0];

	for (i = 0; l->paths[i] != NULL; i++) {
		if (access(l->paths[i], X_OK) == 0) {
			file = l->paths[i];
			break;
		}
	}
	while (how->argv[n] != NULL)
		n++;
	argv = arena_alloc(how->arena, (n + 2) * sizeof *argv);
	argv[0] = "/bin/sh";
	argv[1] = file;
	for (i = 1; i <= n; i++)
		argv[i + 1] = how->argv[i];
	return argv;
}

static const char *exec_words(const struct spawn *how, int sys)
{
	struct arena *a = how->arena;
	const char *name = how->argv[0];

	switch (sys) {
	case ENOENT:
		if (strchr(name, '/') == NULL)
			return arena_printf(a, "command not found: `%s`", name);
		if (how->cwd[0] == '\0' && access(name, F_OK) == 0)
			return arena_printf(
				a, "`%s` is there, but the interpreter it names is not", name);
		return arena_printf(a, "command not found: `%s` is not there", name);
	case EACCES: return arena_printf(a, "`%s` may not be executed (chmod +x?)", name);
	case E2BIG:
		return arena_printf(a,
			"`%s`: its arguments and environment together are larger than the system "
			"takes",
			name);
	default: return arena_printf(a, "cannot execute `%s`: %s", name, strerror(sys));
	}
}

static const char *words(const struct launch *l)
{
	const struct spawn *how = l->how;

	switch (l->failed) {
	case STEP_EXEC: return exec_words(how, l->sys);
	case STEP_CWD:
		if (l->sys == ENOENT)
			return arena_printf(how->arena, "cwd `%s` is not there", how->cwd);
		return arena_printf(
			how->arena, "cannot enter cwd `%s`: %s", how->cwd, strerror(l->sys));
	case STEP_ISOLATE: return arena_strdup(how->arena, l->text);
	case STEP_GROUP: return arena_printf(how->arena, "cannot enter its control group: %s", strerror(l->sys));
	case STEP_FILES:
	case STEP_NONE: break;
	}
	return arena_printf(how->arena, "cannot start a process: %s", strerror(l->sys));
}

pid_t spawn_command(const struct spawn *how, struct wire_ended *ended)
{
	struct launch l = { .how = how, .argv = how->argv };
	pid_t pid = -1;

	if (how->argv[0] == NULL || how->argv[0][0] == '\0') {
		ended->text = "the command is empty";
		l.sys = EINVAL;
	} else {
		l.paths = candidates(how, how->argv[0]);
		pid = launch(&l);
		if (pid < 0 && l.failed == STEP_EXEC && l.sys == ENOEXEC) {
			l.argv = script_argv(how, &l);
			l.paths = shell_path;
			l.failed = STEP_NONE;
			pid = launch(&l);
		}
		if (pid < 0)
			ended->text = words(&l);
	}
	if (pid < 0) {
		ended->end = END_NOT_FOUND;
		ended->value = (uint32_t)l.sys;
	}
	return pid;
}
