/*
 * flow-worker: starts the attempts of one run, stands above everything they start, and is what plugins and Lua stages are
 * forked from. flow execs it once a run with its end of the socket pair as WORKER_FD (see stage/wire.h), the project's folder
 * as cwd and stdin at /dev/null. End of file on the socket means that flow is gone: everything is killed.
 *
 *     flow-worker --check-lua FILE CHUNKNAME   compile only; CHUNKNAME:LINE: MESSAGE and status 1 when it does not
 *     flow-worker --describe FILE.so           the stage table as JSON
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/vec.h"
#include "stage/environ.h"
#include "stage/funnel.h"
#include "stage/isolate.h"
#include "stage/lua.h"
#include "stage/native.h"
#include "stage/spawn.h"
#include "stage/supervise.h"
#include "stage/wire.h"
#include "stage/zygote.h"

#ifndef FLOW_VERSION
#define FLOW_VERSION "0.1.0"
#endif

#define SLOT_MAX 65536u

struct worker {
	int null_fd, signal_fd;
	char *root; /* the project's folder, absolute */
	struct environ_base environ;
	struct supervisor supervisor;
	struct cgroups cgroups;
	struct funnels funnels;
	struct poll_list ready; /* socket, signals, funnels */
	struct {
		int *items; /* log descriptor of a slot, or -1 */
		size_t count, cap;
	} slots;
	struct {
		struct buf *items; /* messages that the socket had no room for, oldest first */
		size_t count, cap;
	} unsent;
	struct buf in, out;
};

static const char usage[] = "flow-worker is started by flow. By hand:\n"
			    "  flow-worker --check-lua FILE CHUNKNAME\n"
			    "  flow-worker --describe FILE.so\n"
			    "  flow-worker --version\n";

static void die(const char *what)
{
	(void)fprintf(stderr, "flow-worker: %s: %s\n", what, strerror(errno));
	exit(70);
}

/* 1 sent, 0 no room now, -1 flow is gone. */
static int try_send(const struct buf *message)
{
	struct err e;

	if (wire_send(WORKER_FD, message, -1, &e) == 0)
		return 1;
	return e.sys == EAGAIN || e.sys == ENOBUFS ? 0 : -1;
}

static int tell(struct worker *w, const struct wire_ended *ended)
{
	struct buf later = { 0 };
	int rc = 0;

	buf_clear(&w->out);
	wire_put_ended(&w->out, ended);
	if (w->unsent.count == 0)
		rc = try_send(&w->out);
	if (rc != 0)
		return rc;
	buf_add(&later, w->out.data, w->out.len);
	vec_push(&w->unsent, later);
	return 0;
}

static int send_unsent(struct worker *w)
{
	size_t i, sent = 0;
	int rc = 1;

	while (sent < w->unsent.count && (rc = try_send(&w->unsent.items[sent])) > 0)
		sent++;
	for (i = 0; i < sent; i++)
		buf_release(&w->unsent.items[i]);
	w->unsent.count -= sent;
	if (sent > 0)
		memmove(w->unsent.items, w->unsent.items + sent,
			w->unsent.count * sizeof *w->unsent.items);
	return rc;
}

static int tell_ended(struct worker *w)
{
	struct wire_ended ended;
	char text[80];

	while (supervisor_take(&w->supervisor, &ended, text)) {
		funnel_close(&w->funnels, ended.id);
		if (FAILPOINT("worker.ended", NULL) < 0 || tell(w, &ended) < 0)
			return -1;
	}
	return 0;
}

static void take_slot(struct worker *w, uint64_t slot, int fd)
{
	if (fd < 0 || slot >= SLOT_MAX)
		return;
	while (w->slots.count <= slot)
		vec_push(&w->slots, -1);
	if (w->slots.items[slot] >= 0)
		(void)close(w->slots.items[slot]);
	w->slots.items[slot] = fd;
}

static pid_t start_command(struct worker *w, const struct wire_start *s, int log_fd,
	const struct cgroup *group, struct arena *a, struct wire_ended *ended)
{
	const char *shell[] = { "/bin/sh", "-c", s->text, NULL };
	struct spawn how = {
		.argv = s->stage == WIRE_SHELL ? shell : s->argv.items,
		.environ = environ_make(&w->environ, s, ENVIRON_ALL, a),
		.cwd = s->cwd,
		.null_fd = w->null_fd,
		.log_fd = log_fd,
		.limits = &s->limits,
		.group = group,
		.arena = a,
	};
	struct isolate view = { .root = w->root, .workdir = s->workdir, .outs = s->hidden };
	struct err e;

	if (s->isolate != 0 && isolate_make(&view, a, &e) < 0) {
		ended->text = arena_strdup(a, e.text);
		return -1;
	}
	how.isolate = s->isolate != 0 ? &view : NULL;
	return spawn_command(&how, ended);
}

static pid_t start_fork(struct worker *w, const struct wire_start *s, int log_fd,
	const struct cgroup *group, struct arena *a, struct wire_ended *ended)
{
	struct zygote z = {
		.start = s,
		.environ = environ_make(&w->environ, s, ENVIRON_SCRUBBED, a),
		.group = group,
		.root = w->root,
		.null_fd = w->null_fd,
		.log_fd = log_fd,
	};
	pid_t pid = zygote_fork(&z);

	if (pid < 0) {
		ended->end = END_NOT_FOUND;
		ended->value = (uint32_t)errno;
		ended->text = arena_printf(a, "cannot start a process: %s", strerror(errno));
	}
	return pid;
}

static int start(struct worker *w, const struct wire_start *s, struct arena *a)
{
	struct wire_ended ended = { .id = s->id, .end = END_NOT_FOUND, .text = "" };
	int log_fd = s->slot < w->slots.count ? w->slots.items[s->slot] : -1, pipe_fd = -1;
	struct wire_limits limits = s->limits;
	struct cgroup group;
	pid_t pid = -1;

	if (FAILPOINT("worker.start", NULL) < 0)
		return -1;
	if (s->stage == WIRE_LUA) /* its state has a cap of its own, which ends it with a better message */
		limits.memory_bytes = 0;
	(void)cgroup_make(&w->cgroups, &group, &limits);
	if (log_fd >= 0 && s->secrets.count > 0)
		log_fd = pipe_fd = funnel_open(&w->funnels, s->id, &s->secrets, log_fd);
	if (log_fd < 0) {
		ended.value = EBADF;
		ended.text = "its slot has no log";
	} else if (s->stage == WIRE_COMMAND || s->stage == WIRE_SHELL) {
		pid = start_command(w, s, log_fd, &group, a, &ended);
	} else {
		pid = start_fork(w, s, log_fd, &group, a, &ended);
	}
	if (pipe_fd >= 0)
		(void)close(pipe_fd);
	if (pid < 0) {
		(void)cgroup_remove(&group);
		funnel_close(&w->funnels, s->id);
		return tell(w, &ended);
	}
	(void)FAILPOINT("worker.started", NULL);
	supervisor_add(&w->supervisor, s->id, s->token, pid, &limits, &group);
	return 0;
}

/* One message. -1: flow is gone, or what it sends makes no sense. */
static int receive(struct worker *w)
{
	struct arena arena = { 0 };
	struct wire_start s;
	struct err e;
	uint32_t signo;
	uint64_t id;
	int fd, rc = wire_recv(WORKER_FD, &w->in, &fd, &e);

	if (rc < 0)
		return e.sys == EAGAIN ? 0 : -1;
	if (rc == 0)
		return -1;
	switch (wire_kind(w->in.data, w->in.len, &id)) {
	case WIRE_SLOT: take_slot(w, id, fd); return 0;
	case WIRE_START:
		rc = wire_get_start(&s, w->in.data, w->in.len, &arena, &e);
		if (rc == 0)
			rc = start(w, &s, &arena);
		arena_release(&arena);
		break;
	case WIRE_SIGNAL:
		rc = wire_get_signal(&signo, w->in.data, w->in.len, &e);
		if (rc == 0)
			supervisor_signal(&w->supervisor, id, (int)signo);
		break;
	default: rc = err_set(&e, ERR_CORRUPT, "unknown message"); break;
	}
	if (fd >= 0)
		(void)close(fd);
	if (rc < 0)
		(void)fprintf(stderr, "flow-worker: %s\n", e.text);
	return rc < 0 ? -1 : 0;
}

static void serve(struct worker *w)
{
	struct signalfd_siginfo info;
	struct pollfd socket_end = { .fd = WORKER_FD },
		      signals = { .fd = w->signal_fd, .events = POLLIN };
	const struct pollfd *ready;

	for (;;) {
		socket_end.events = w->unsent.count > 0 ? POLLIN | POLLOUT : POLLIN;
		w->ready.count = 0;
		vec_push(&w->ready, socket_end);
		vec_push(&w->ready, signals);
		funnels_poll(&w->funnels, &w->ready);
		ready = w->ready.items;
		if (poll(w->ready.items, w->ready.count, supervisor_timeout(&w->supervisor)) < 0 &&
			errno != EINTR)
			die("poll");
		funnels_read(&w->funnels);
		if ((ready[1].revents & POLLIN) != 0)
			(void)!read(w->signal_fd, &info, sizeof info);
		if ((ready[1].revents & POLLIN) != 0 || supervisor_timeout(&w->supervisor) >= 0)
			supervisor_reap(&w->supervisor);
		if (tell_ended(w) < 0)
			return;
		if ((ready[0].revents & POLLOUT) != 0 && send_unsent(w) < 0)
			return;
		if ((ready[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && receive(w) < 0)
			return;
	}
}

/* Nothing of the caller's leaks into the stages: no descriptor, no ignored signal, no mask, no terminal. */
static void set_up_process(struct worker *w)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t all, child;
	int signo;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	for (signo = 1; signo < NSIG; signo++)
		(void)sigaction(signo, &plain, NULL);
	(void)setsid();
	(void)close_range(WORKER_FD + 1, ~0u, 0);
	if (fcntl(WORKER_FD, F_SETFD, FD_CLOEXEC) < 0 || fcntl(WORKER_FD, F_SETFL, O_NONBLOCK) < 0)
		die("socket");
	w->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	w->signal_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->null_fd < 0 || w->signal_fd < 0)
		die("cannot set up");
}

static void release(struct worker *w)
{
	size_t i;

	for (i = 0; i < w->unsent.count; i++)
		buf_release(&w->unsent.items[i]);
	vec_release(&w->unsent);
	vec_release(&w->slots);
	buf_release(&w->in);
	buf_release(&w->out);
	supervisor_release(&w->supervisor);
	cgroups_close(&w->cgroups);
	funnels_release(&w->funnels);
	vec_release(&w->ready);
	free(w->environ.items);
	free(w->root);
}

static int run(void)
{
	struct worker w = { 0 };
	int type = 0;
	socklen_t len = sizeof type;
	struct err e;

	if (getsockopt(WORKER_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_SEQPACKET) {
		(void)fputs(usage, stderr);
		return 2;
	}
	set_up_process(&w);
	w.root = getcwd(NULL, 0);
	if (w.root == NULL)
		die("cannot tell the project's folder");
	environ_init(&w.environ, w.root);
	if (supervisor_init(&w.supervisor, &e) < 0) {
		(void)fprintf(stderr, "flow-worker: %s\n", e.text);
		return 70;
	}
	serve(&w);
	supervisor_kill_all(&w.supervisor);
	release(&w);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return run();
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("flow-worker %s\n", FLOW_VERSION) < 0;
	if (argc == 4 && strcmp(argv[1], "--check-lua") == 0)
		return lua_check(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "--describe") == 0)
		return native_describe(argv[2]);
	(void)fputs(usage, stderr);
	return 2;
}
