#include "run/secret_read.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/secret_forms.h"
#include "dag/secrets.h"

#define COMMAND_MS 60000

extern char **environ;

static int from_variable(const struct secret *s, struct buf *value, struct err *e)
{
	const char *text = getenv(s->from);

	if (text != NULL) {
		buf_str(value, text);
		return 0;
	}
	err_set(e, ERR_NOTFOUND, "the environment has no `%.100s`", s->from);
	return err_hint(e, "set it before flow is started: `export %.100s=...`", s->from);
}

static int from_file(const struct secret *s, int root_fd, struct buf *value, struct err *e)
{
	int fd = openat(root_fd, s->from, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "the file `%.200s` is not there", s->from);
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_system(e, "cannot read `%.200s`", s->from);
		rc = e->code;
	} else if (!S_ISREG(st.st_mode)) {
		rc = err_set(e, ERR_INPUT, "`%.200s` is not a file", s->from);
	} else if (st.st_uid == geteuid() && (st.st_mode & 077) != 0) {
		err_set(e, ERR_POLICY, "others may read `%.200s`", s->from);
		rc = err_hint(e, "chmod 600 %.200s", s->from);
	} else {
		rc = file_read_fd(value, fd, SECRET_MOST + 2, e);
	}
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static pid_t start(const struct secret *s, const char *root, int out, struct err *e)
{
	char shell[] = "sh", option[] = "-c";
	char *argv[] = { shell, option, (char *)(uintptr_t)s->from, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, root);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	rc = posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc == 0)
		return pid;
	errno = rc;
	(void)err_system(e, "cannot start /bin/sh");
	return -1;
}

/* All it prints, until it closes its output. */
static int collect(int fd, struct buf *value, struct err *e)
{
	int64_t until = clock_mono_ms() + COMMAND_MS;

	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		int64_t left = until - clock_mono_ms();
		ssize_t n;

		if (left <= 0)
			return err_set(e, ERR_SYSTEM, "its command takes over %d s", COMMAND_MS / 1000);
		if (poll(&ready, 1, (int)left) <= 0)
			continue;
		n = read(fd, buf_room(value, 4096), 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		value->len += (size_t)n;
		if (value->len > SECRET_MOST + 2)
			return err_set(e, ERR_INPUT, "its command prints over %u bytes", SECRET_MOST);
	}
}

static int end(pid_t pid, int rc, struct err *e)
{
	int status;

	if (rc < 0)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc < 0)
		return rc;
	if (WIFSIGNALED(status))
		return err_set(e, ERR_SYSTEM, "its command was killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(e, ERR_SYSTEM, "its command ended with exit %d", WEXITSTATUS(status));
	return 0;
}

static int from_command(const struct secret *s, const char *root, struct buf *value, struct err *e)
{
	int ends[2], rc;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_system(e, "cannot make a pipe");
	pid = start(s, root, ends[1], e);
	(void)close(ends[1]);
	rc = pid < 0 ? e->code : collect(ends[0], value, e);
	(void)close(ends[0]);
	return pid < 0 ? rc : end(pid, rc, e);
}

/* Is it one that can be handed over as a variable, and found again in a log? */
static int check(struct buf *value, struct err *e)
{
	while (value->len > 0 && strchr("\r\n", value->data[value->len - 1]) != NULL)
		value->data[--value->len] = '\0';
	if (value->len == 0)
		return err_set(e, ERR_INPUT, "it is empty");
	if (value->len < SECRET_LEAST) {
		err_set(e, ERR_INPUT, "it has only %zu bytes", value->len);
		return err_hint(e, "what is shorter than %u bytes stands in every log by chance, and cannot be masked",
			SECRET_LEAST);
	}
	if (value->len > SECRET_MOST)
		return err_set(e, ERR_INPUT, "it has over %u bytes", SECRET_MOST);
	if (memchr(value->data, '\0', value->len) != NULL)
		return err_set(e, ERR_INPUT, "it has a NUL byte in it");
	return 0;
}

int secret_read(const struct secret *s, int root_fd, const char *root, struct buf *value, struct err *e)
{
	int rc = 0;

	switch (s->kind) {
	case SECRET_ENV: rc = from_variable(s, value, e); break;
	case SECRET_FILE: rc = from_file(s, root_fd, value, e); break;
	case SECRET_COMMAND: rc = from_command(s, root, value, e); break;
	}
	return rc < 0 ? rc : check(value, e);
}
