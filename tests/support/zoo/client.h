/*
 * tests/support/zoo/client.h - the other end of flow-worker, for tests.
 *
 *     struct client c;  client_open(&c);  struct wire_start s = client_task(&c, WIRE_SHELL);  s.text = "exit 3";
 *     struct wire_ended end = client_run(&c, &s);  client_log(&c);  client_report(&c);  client_close(&c);
 * Waits are bounded; what does not come in time fails the test.
 */
#ifndef FLOW_TESTS_CLIENT_H
#define FLOW_TESTS_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "stage/wire.h"

#define CLIENT_PATH    4096
#define CLIENT_WAIT_MS 30000

struct client {
	int sock, log;
	pid_t worker;
	char dir[512]; /* cwd of the worker; removed at the end */
	char report[600], workdir[600];
	char token[64];
	uint64_t next;
	struct buf in, text;
	char why[256]; /* of the last ended */
};

static inline const char *client_env(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : fallback;
}

static inline void client_worker_path(char path[CLIENT_PATH])
{
	const char *build = client_env("FLOW_BUILD_DIR", ".");
	char text[CLIENT_PATH];

	(void)snprintf(text, sizeof text, "%s/flow-worker", build);
	if (realpath(client_env("FLOW_WORKER", text), path) == NULL)
		fail_msg("flow-worker is not at %s: set FLOW_WORKER or FLOW_BUILD_DIR", text);
}

/* Path of a plugin of the zoo. */
static inline const char *client_plugin(const char *name)
{
	static char path[CLIENT_PATH], text[CLIENT_PATH];

	(void)snprintf(text, sizeof text, "%s/zoo_%s.so", client_env("FLOW_BUILD_DIR", "."), name);
	if (realpath(text, path) == NULL)
		fail_msg("%s is not there: set FLOW_BUILD_DIR", text);
	return path;
}

/* Path of a file in tests/support/zoo. */
static inline const char *client_file(const char *name)
{
	static char paths[4][CLIENT_PATH];
	static unsigned next;
	char *path = paths[next++ % 4], text[CLIENT_PATH];

	(void)snprintf(text, sizeof text, "%s/tests/support/zoo/%s",
		client_env("FLOW_SOURCE_DIR", "."), name);
	if (realpath(text, path) == NULL)
		fail_msg("%s is not there: set FLOW_SOURCE_DIR", text);
	return path;
}

static inline void client_send(struct client *c, const struct buf *message, int fd)
{
	struct err e;

	if (wire_send(c->sock, message, fd, &e) < 0)
		fail_msg("%s", e.text);
}

static inline void client_open(struct client *c)
{
	char worker[CLIENT_PATH];
	struct buf slot = { 0 };
	int ends[2];

	memset(c, 0, sizeof *c);
	client_worker_path(worker);
	(void)snprintf(c->dir, sizeof c->dir, "%s/flow-test-XXXXXX", client_env("TMPDIR", "/tmp"));
	assert_non_null(mkdtemp(c->dir));
	(void)snprintf(c->report, sizeof c->report, "%s/report", c->dir);
	(void)snprintf(c->workdir, sizeof c->workdir, "%s/work", c->dir);
	assert_int_equal(mkdir(c->workdir, 0700), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	c->worker = fork();
	assert_true(c->worker >= 0);
	if (c->worker == 0) {
		if (dup2(ends[1], WORKER_FD) < 0 || chdir(c->dir) < 0)
			_exit(126);
		if (ends[1] == WORKER_FD)
			(void)fcntl(WORKER_FD, F_SETFD, 0);
		(void)signal(SIGPIPE, SIG_IGN); /* must not reach the stages */
		(void)execl(worker, "flow-worker", (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	c->sock = ends[0];
	(void)snprintf(worker, sizeof worker, "%s/log", c->dir);
	c->log = open(worker, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(c->log >= 0);
	wire_put_slot(&slot, 0);
	client_send(c, &slot, c->log);
	buf_release(&slot);
}

/* A task with everything set that must be; the token is new for each. */
static inline struct wire_start client_task(struct client *c, enum wire_stage stage)
{
	struct wire_start s = { .id = ++c->next,
		.stage = stage,
		.cwd = "",
		.text = "",
		.uses = "",
		.entry = "",
		.with = "{}",
		.params = "{}",
		.task = "train@seed-2",
		.run_id = "0190-run",
		.checkpoint = "",
		.seed = 42,
		.attempt = 1,
		.threads = 2 };

	(void)snprintf(c->token, sizeof c->token, "test-%ld-%llu", (long)getpid(),
		(unsigned long long)s.id);
	s.token = c->token;
	s.workdir = c->workdir;
	s.report = c->report;
	return s;
}

static inline void client_start(struct client *c, const struct wire_start *s)
{
	struct buf message = { 0 };

	wire_put_start(&message, s);
	client_send(c, &message, -1);
	buf_release(&message);
}

static inline void client_signal(struct client *c, uint64_t id, int signo)
{
	struct buf message = { 0 };

	wire_put_signal(&message, id, (uint32_t)signo);
	client_send(c, &message, -1);
	buf_release(&message);
}

/* The next ENDED; its text is kept in c->why. */
static inline struct wire_ended client_wait(struct client *c)
{
	struct pollfd ready = { .fd = c->sock, .events = POLLIN };
	struct wire_ended ended = { 0 };
	struct err e;
	int fd;

	assert_int_equal(poll(&ready, 1, CLIENT_WAIT_MS), 1);
	assert_int_equal(wire_recv(c->sock, &c->in, &fd, &e), 1);
	assert_int_equal(wire_get_ended(&ended, c->in.data, c->in.len, &e), 0);
	(void)snprintf(c->why, sizeof c->why, "%s", ended.text);
	ended.text = c->why;
	return ended;
}

static inline struct wire_ended client_run(struct client *c, const struct wire_start *s)
{
	struct wire_ended ended;

	client_start(c, s);
	ended = client_wait(c);
	assert_int_equal(ended.id, s->id);
	return ended;
}

static inline const char *client_text(struct client *c, const char *name)
{
	char path[CLIENT_PATH + 32];
	struct err e;

	(void)snprintf(path, sizeof path, "%s/%s", c->dir, name);
	buf_clear(&c->text);
	(void)file_read(&c->text, AT_FDCWD, path, (size_t)64 << 20, &e);
	buf_add(&c->text, "", 0);
	return buf_text(&c->text);
}

static inline const char *client_log(struct client *c)
{
	return client_text(c, "log");
}

static inline const char *client_report(struct client *c)
{
	return client_text(c, "report");
}

static inline void client_clear(struct client *c)
{
	assert_int_equal(ftruncate(c->log, 0), 0);
	(void)unlink(c->report);
}

static inline void client_pause(int ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&pause, NULL);
}

/* Until the log holds that text. */
static inline void client_await(struct client *c, const char *text)
{
	int ms;

	for (ms = 0; ms < CLIENT_WAIT_MS; ms += 2) {
		if (strstr(client_log(c), text) != NULL)
			return;
		client_pause(2);
	}
	fail_msg("`%s` did not come; the log is: %s", text, client_log(c));
}

/* How many living processes have that text in their environment. */
static inline unsigned client_bearers(const char *token)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	unsigned count = 0;
	size_t len = strlen(token);

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		struct buf text = { 0 };
		char path[300];
		struct err e;
		size_t i;
		int fd;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		(void)snprintf(path, sizeof path, "/proc/%s/environ", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		(void)file_read_fd(&text, fd, (size_t)4 << 20, &e);
		(void)close(fd);
		for (i = 0; i + len <= text.len; i++) {
			if (memcmp(text.data + i, token, len) == 0 && text.data[i + len] == '\0') {
				count++;
				break;
			}
		}
		buf_release(&text);
	}
	(void)closedir(dir);
	return count;
}

/* Hang up; the worker's exit status. */
static inline int client_close(struct client *c)
{
	struct err e;
	int status = -1, ms;

	(void)close(c->sock);
	for (ms = 0; ms < CLIENT_WAIT_MS && waitpid(c->worker, &status, WNOHANG) == 0; ms += 2)
		client_pause(2);
	(void)close(c->log);
	(void)tree_remove(AT_FDCWD, c->dir, &e);
	buf_release(&c->in);
	buf_release(&c->text);
	return status;
}

static inline int client_setup(void **state)
{
	struct client *c = calloc(1, sizeof *c);

	if (c == NULL)
		return -1;
	client_open(c);
	*state = c;
	return 0;
}

static inline int client_teardown(void **state)
{
	int status = client_close(*state);

	free(*state);
	return status == 0 ? 0 : -1;
}

#endif
