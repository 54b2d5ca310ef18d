#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"

extern char **environ;

/* A pipe would not do: nobody could write it while we wait for the answer. */
int child_input(const void *input, size_t len, struct err *e)
{
	int fd;

	if (input == NULL) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd >= 0 ? fd : err_system(e, "cannot open /dev/null");
	}
	fd = memfd_create("flow-input", MFD_CLOEXEC);
	if (fd < 0)
		return err_system(e, "cannot make a file in memory");
	if (file_write_all(fd, input, len, e) < 0) {
		(void)close(fd);
		return e->code;
	}
	(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

static int start(pid_t *pid, const char *const *argv, int in, int out, struct err *e)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all;
	int rc;

	(void)sigfillset(&all);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, in, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, out, 1);
	(void)posix_spawn_file_actions_adddup2(&actions, out, 2);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	rc = posix_spawn(pid, argv[0], &actions, &attributes, (char **)(uintptr_t)argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	errno = rc;
	return rc == 0 ? 0 : err_system(e, "cannot start `%s`", argv[0]);
}

/* Until it closes its end, says too much, or the time is over. */
static bool collect(int fd, struct buf *text, int64_t limit_ms)
{
	int64_t until = clock_mono_ms() + limit_ms;
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	while (text->len < CHILD_TEXT_MAX) {
		int64_t left = until - clock_mono_ms();
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&ready, 1, (int)left) <= 0)
			continue;
		n = read(fd, buf_room(text, 4096), 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return true;
		text->len += (size_t)n;
		text->data[text->len] = '\0';
	}
	return true;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int child_ask(struct child_answer *answer, struct arena *a, const char *const *argv,
	const void *input, size_t len, int64_t limit_ms, struct err *e)
{
	int in = child_input(input, len, e), ends[2], rc;
	struct buf text = { 0 };
	pid_t pid;

	if (in < 0)
		return in;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		(void)close(in);
		return err_system(e, "cannot make a pipe");
	}
	rc = start(&pid, argv, in, ends[1], e);
	(void)close(in);
	(void)close(ends[1]);
	if (rc == 0) {
		bool ended = collect(ends[0], &text, limit_ms);

		/* One that talks too much or too long has had its turn. */
		if (!ended || text.len >= CHILD_TEXT_MAX)
			(void)kill(pid, SIGKILL);
		answer->status = wait_for(pid);
		answer->text = buf_in(&text, a);
		if (!ended)
			rc = err_set(e, ERR_SYSTEM, "`%s` did not answer", argv[0]);
	}
	(void)close(ends[0]);
	buf_release(&text);
	return rc;
}
