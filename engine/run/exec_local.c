#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "run/exec.h"
#include "stage/proc.h"

#define SOCKET_BYTES (4 * 1024 * 1024)

extern char **environ;

static bool is_hidden(const struct exec_options *o, const char *entry)
{
	size_t len = strcspn(entry, "="), i;

	for (i = 0; o->hidden != NULL && o->hidden[i] != NULL; i++)
		if (strncmp(entry, o->hidden[i], len) == 0 && o->hidden[i][len] == '\0')
			return true;
	return strncmp(entry, "FLOW_WORKER=", 12) == 0;
}

/* Our environment with FLOW_WORKER=<run> in front; free() the array, and its first text. */
static char **worker_environ(const struct exec_options *o)
{
	size_t n = 0, i, at = 1;
	char **list;
	struct buf mark = { 0 };

	while (environ[n] != NULL)
		n++;
	list = mem_alloc((n + 2) * sizeof *list);
	buf_printf(&mark, "FLOW_WORKER=%s", o->run);
	list[0] = mark.data;
	for (i = 0; i < n; i++)
		if (!is_hidden(o, environ[i]))
			list[at++] = environ[i];
	list[at] = NULL;
	return list;
}

static int spawn_worker(struct exec *x, int theirs, struct err *e)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char *argv[] = { (char *)(uintptr_t) "flow-worker", NULL };
	char **env = worker_environ(&x->options);
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addchdir_np(&actions, x->options.root);
	posix_spawn_file_actions_adddup2(&actions, theirs, WORKER_FD);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(
		&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	rc = FAILPOINT("exec.spawn", NULL) < 0
		     ? errno
		     : posix_spawn(&x->pid, x->options.worker, &actions, &attributes, argv, env);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(env[0]);
	free(env);
	if (rc == 0)
		return 0;
	errno = rc;
	x->pid = -1;
	err_system(e, "cannot start `%s`", x->options.worker);
	return err_id(e, "E0510");
}

int exec_open(struct exec *x, const struct exec_options *options, struct err *e)
{
	int ends[2], size = SOCKET_BYTES, rc;

	*x = (struct exec){ .sock = -1, .pid = -1, .options = *options };
	/* Should the worker die, its children become ours to reap. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_system(e, "cannot make a socket");
	if (ends[1] == WORKER_FD) { /* dup2 of a descriptor onto itself would leave it CLOEXEC */
		int other = fcntl(ends[1], F_DUPFD_CLOEXEC, WORKER_FD + 1);

		if (other < 0) {
			close(ends[0]);
			close(ends[1]);
			return err_system(e, "cannot make a socket");
		}
		close(ends[1]);
		ends[1] = other;
	}
	(void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	(void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	rc = spawn_worker(x, ends[1], e);
	close(ends[1]);
	if (rc < 0) {
		close(ends[0]);
		return rc;
	}
	x->sock = ends[0];
	return FAILPOINT("exec.opened", e);
}

int exec_slot(struct exec *x, uint32_t slot, int log_fd, struct err *e)
{
	buf_clear(&x->message);
	wire_put_slot(&x->message, slot);
	return wire_send(x->sock, &x->message, log_fd, e);
}

int exec_submit(struct exec *x, const struct wire_start *start, struct err *e)
{
	buf_clear(&x->message);
	wire_put_start(&x->message, start);
	return wire_send(x->sock, &x->message, -1, e);
}

int exec_signal(struct exec *x, uint64_t id, int signo, struct err *e)
{
	buf_clear(&x->message);
	wire_put_signal(&x->message, id, (uint32_t)signo);
	return wire_send(x->sock, &x->message, -1, e);
}

int exec_next(struct exec *x, struct wire_ended *ended, struct err *e)
{
	int fd = -1, rc;
	uint64_t id;
	char byte;
	ssize_t n = recv(x->sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return err_set(e, ERR_CANCELED, "the worker ended");
	buf_clear(&x->message);
	rc = wire_recv(x->sock, &x->message, &fd, e);
	if (fd >= 0)
		close(fd);
	if (rc <= 0)
		return err_set(e, ERR_CANCELED, "the worker ended");
	if (wire_kind(x->message.data, x->message.len, &id) != WIRE_ENDED ||
		wire_get_ended(ended, x->message.data, x->message.len, e) < 0)
		return err_set(e, ERR_CANCELED, "the worker sent what is not a message");
	return 1;
}

void exec_close(struct exec *x)
{
	int64_t until = clock_mono_ms() + 10000;
	int status;

	if (x->sock >= 0)
		close(x->sock); /* end of file: the worker kills every tree and exits */
	x->sock = -1;
	while (x->pid > 0 && waitpid(x->pid, &status, WNOHANG) == 0) {
		struct timespec nap = { 0, 200000 };

		if (clock_mono_ms() > until)
			(void)kill(x->pid, SIGKILL);
		nanosleep(&nap, NULL);
	}
	x->pid = -1;
	buf_release(&x->message);
}

/* Does an environment carry the mark of the run? */
static bool has_mark(const struct buf *text, const char *run)
{
	size_t n = strlen(run);
	const char *at;

	for (at = text->data; at < text->data + text->len; at += strlen(at) + 1) {
		if (strncmp(at, "FLOW_ATTEMPT=", 13) == 0 && strncmp(at + 13, run, n) == 0 &&
			(at[13 + n] == '.' || at[13 + n] == '\0'))
			return true;
		if (strncmp(at, "FLOW_WORKER=", 12) == 0 && strcmp(at + 12, run) == 0)
			return true;
	}
	return false;
}

/* Kill what is marked; how many there were. *unsure: there may be others. */
static unsigned sweep_once(const char *run, struct buf *text, bool *unsure)
{
	struct proc_walk walk;
	unsigned found = 0;
	pid_t pid;

	*unsure = false;
	proc_walk_begin(&walk);
	while ((pid = proc_walk_next(&walk)) > 0) {
		enum proc_answer answer = pid == 1 || pid == getpid() ? PROC_NONE : proc_environ(pid, text);

		*unsure |= answer == PROC_UNSURE;
		if (answer != PROC_KNOWN || !has_mark(text, run))
			continue;
		found++;
		(void)kill(pid, SIGKILL);
	}
	*unsure |= !proc_walk_end(&walk);
	return found;
}

unsigned exec_sweep(const char *run, int patience_ms)
{
	const struct timespec nap = { 0, 2000000 };
	int64_t begin = clock_mono_ms();
	struct buf text = { 0 };
	unsigned left;
	bool unsure;

	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			; /* orphans that became ours */
		left = sweep_once(run, &text, &unsure);
		if ((left == 0 && !unsure) || clock_mono_ms() - begin > patience_ms)
			break;
		nanosleep(&nap, NULL);
	}
	buf_release(&text);
	return left;
}
