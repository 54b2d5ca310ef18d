#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "stage/lua_state.h"
#include "stage/wire.h"

#define OUTPUT_MAX ((size_t)64 * 1024 * 1024)
#define WORDS_MAX  4096

/* One program that ctx:exec waits for. */
struct child {
	struct buf output;
	pid_t pid;
	int pipe;         /* its stdout */
	int64_t until_ms; /* monotonic; 0: no timeout */
	int status;
	bool is_timed_out;
};

static int spawn_child(struct child *c, const char *const *argv)
{
	/* posix_spawnp leaves the words alone, but its type does not say so. */
	union {
		const char *const *from;
		char *const *to;
	} words = { .from = argv };
	posix_spawn_file_actions_t actions;
	int ends[2], sys;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return errno;
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	sys = posix_spawnp(&c->pid, argv[0], &actions, NULL, words.to, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(ends[1]);
	c->pipe = ends[0];
	if (sys != 0)
		(void)close(ends[0]);
	return sys;
}

/* Read until the program closes its stdout, time is up, or flow asks the stage to end. */
static void drain(struct child *c)
{
	struct pollfd ready = { .fd = c->pipe, .events = POLLIN };
	ssize_t n = 1;

	while (n != 0 && !host_cancelled()) {
		int64_t left = c->until_ms != 0 ? c->until_ms - clock_mono_ms() : 1000;

		if (left <= 0) {
			c->is_timed_out = true;
			break;
		}
		if (poll(&ready, 1, left < 1000 ? (int)left : 1000) <= 0)
			continue;
		n = read(c->pipe, buf_room(&c->output, 65536), 65536);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0 && c->output.len < OUTPUT_MAX)
			c->output.len += (size_t)n;
	}
	(void)close(c->pipe);
}

/* It may have closed its stdout and work on; the time it has is the same. */
static void await(struct child *c)
{
	struct timespec pause = { .tv_nsec = 2000000 };

	while (!c->is_timed_out && !host_cancelled()) {
		pid_t pid = waitpid(c->pid, &c->status, c->until_ms != 0 ? WNOHANG : 0);

		if (pid == c->pid)
			return;
		if (pid == 0)
			(void)nanosleep(&pause, NULL);
		if (c->until_ms != 0 && clock_mono_ms() >= c->until_ms)
			c->is_timed_out = true;
	}
	(void)kill(c->pid, SIGKILL);
	while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
		;
}

static void push_result(lua_State *L, const struct child *c)
{
	lua_createtable(L, 0, 4);
	if (WIFSIGNALED(c->status)) {
		lua_pushinteger(L, WTERMSIG(c->status));
		lua_setfield(L, -2, "signal");
	} else {
		lua_pushinteger(L, WEXITSTATUS(c->status));
		lua_setfield(L, -2, "code");
	}
	lua_pushboolean(L, !WIFSIGNALED(c->status) && WEXITSTATUS(c->status) == 0);
	lua_setfield(L, -2, "ok");
	lua_pushboolean(L, c->is_timed_out);
	lua_setfield(L, -2, "timed_out");
	lua_pushlstring(L, buf_text(&c->output), c->output.len);
	lua_setfield(L, -2, "output");
}

/* ctx:exec{cmd, ..., timeout = seconds} -> {ok =, code =, signal =, timed_out =, output =}; stderr goes to the log. */
int lua_exec(lua_State *L)
{
	struct lua_stage *s = lua_stage_of(L);
	struct child c = { .pipe = -1 };
	const char *argv[WORDS_MAX + 1];
	lua_Integer i, count;
	int sys;

	if (!s->host->start->unsafe)
		return luaL_error(L, "ctx:exec needs `unsafe: true` in the stage");
	luaL_checktype(L, 2, LUA_TTABLE);
	count = (lua_Integer)lua_rawlen(L, 2);
	luaL_argcheck(L, count >= 1 && count <= WORDS_MAX, 2, "a list of words is needed");
	luaL_checkstack(L, (int)count + 8, "too many words");
	if (lua_getfield(L, 2, "timeout") != LUA_TNIL)
		c.until_ms = clock_mono_ms() + (int64_t)(luaL_checknumber(L, -1) * 1000.0);
	for (i = 1; i <= count; i++) {
		lua_rawgeti(L, 2, i);
		argv[i - 1] = luaL_checkstring(L, -1);
	}
	argv[count] = NULL;
	(void)fflush(stdout);
	sys = spawn_child(&c, argv);
	if (sys != 0)
		return luaL_error(L, "cannot execute `%s`: %s", argv[0], strerror(sys));
	drain(&c);
	await(&c);
	lua_limits_check_cancelled(L);
	push_result(L, &c);
	buf_release(&c.output);
	return 1;
}
