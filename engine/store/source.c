#include "store/source.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/child.h"
#include "base/err.h"
#include "base/vec.h"

#define ANSWER_MAX ((size_t)256 << 20)

extern char **environ;

int source_ask(struct source *s, const char *helper, const char *root, const void *questions,
	size_t len, struct err *e)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	const char *argv[] = { "flow-source", root, NULL };
	int ends[2], in, rc;

	*s = (struct source){ .fd = -1, .pid = -1 };
	in = child_input(questions, len, e);
	if (in < 0)
		return in;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		close(in);
		return err_system(e, "cannot make a pipe");
	}
	(void)fcntl(ends[0], F_SETFL,
		O_NONBLOCK); /* our end alone: the helper waits until there is room */
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(
		&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	rc = posix_spawn(&s->pid, helper, &actions, &attributes, (char **)(uintptr_t)argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	close(in);
	close(ends[1]);
	if (rc != 0) {
		close(ends[0]);
		s->pid = -1;
		errno = rc;
		return err_system(e, "cannot start `%s`", helper);
	}
	s->fd = ends[0];
	return 0;
}

void source_answer_release(struct source_answer *answer)
{
	vec_release(&answer->changed);
	vec_release(&answer->gone);
	vec_release(&answer->loose);
}

/* Take the `key value` lines apart; texts are copied to the arena. */
static int parse(
	const struct buf *text, struct source_answer *answer, struct arena *a, struct err *e)
{
	char *copy = arena_strndup(a, buf_text(text), text->len), *line = copy, *end;

	*answer = (struct source_answer){ .commit = "", .branch = "", .note = "", .patch = "" };
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		char *value = strchr(line, ' ');

		*end = '\0';
		if (value == NULL)
			break;
		*value++ = '\0';
		if (strcmp(line, "commit") == 0)
			answer->commit = value;
		else if (strcmp(line, "branch") == 0)
			answer->branch = value;
		else if (strcmp(line, "note") == 0)
			answer->note = value;
		else if (strcmp(line, "dirty") == 0)
			answer->dirty = (uint32_t)strtoul(value, NULL, 10);
		else if (strcmp(line, "changed") == 0)
			vec_push(&answer->changed, (const char *)value);
		else if (strcmp(line, "gone") == 0)
			vec_push(&answer->gone, (const char *)value);
		else if (strcmp(line, "loose") == 0)
			vec_push(&answer->loose, (const char *)value);
		if (strcmp(line, "patch") == 0) {
			answer->patch_len = strtoul(value, NULL, 10);
			answer->patch = end + 1;
			if (answer->patch_len != (size_t)(copy + text->len - answer->patch))
				break;
			return 0;
		}
	}
	source_answer_release(answer);
	return err_set(e, ERR_SYSTEM, "the git helper ended early");
}

int source_read(struct source *s, struct source_answer *answer, struct arena *a, struct err *e)
{
	for (;;) {
		ssize_t n = read(s->fd, buf_room(&s->text, 65536), 65536);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0 || s->text.len > ANSWER_MAX)
			break;
		s->text.len += (size_t)n;
		s->text.data[s->text.len] = '\0';
	}
	if (parse(&s->text, answer, a, e) < 0)
		return e->code;
	return 1;
}

void source_close(struct source *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->pid > 0) {
		(void)kill(s->pid, SIGKILL);
		while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	buf_release(&s->text);
	*s = (struct source){ .fd = -1, .pid = -1 };
}
