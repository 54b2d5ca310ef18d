#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/near.h"
#include "stage/lua_state.h"
#include "stage/wire.h"

#define LINES     "flow.lines"
#define FORMAT    "flow.format" /* registry: string.format */
#define SLEEP_MAX 1e9           /* seconds; a longer one is a mistake */

/* An open file that ctx:lines walks over. */
struct lines {
	FILE *file;
	char *text;
	size_t cap;
};

/* ctx:read(...), not ctx.read(...) */
static struct flow_ctx *self(lua_State *L)
{
	if (!lua_istable(L, 1))
		(void)luaL_error(L, "call it with a colon, as ctx:name(...)");
	return lua_stage_of(L)->host;
}

/* What a list has under the name that the caller gave. */
static const char *named(lua_State *L, const struct wire_list *list, const char *what)
{
	const char *name, *value;
	struct near n;
	uint32_t i;

	(void)self(L);
	name = luaL_checkstring(L, 2);
	value = host_find(list, name);
	if (value != NULL)
		return value;
	near_start(&n, name);
	for (i = 0; i < list->count; i++)
		near_offer(&n, list->items[i].name);
	if (n.best != NULL)
		(void)luaL_error(L, "no %s is named `%s`, did you mean `%s`?", what, name, n.best);
	(void)luaL_error(L, "no %s is named `%s`", what, name);
	return NULL;
}

/* The path of a dep or out by name. */
static const char *port(lua_State *L, const struct wire_list *list, const char *what)
{
	return host_path(self(L), named(L, list, what));
}

static int ctx_secret(lua_State *L)
{
	lua_pushstring(L, named(L, &lua_stage_of(L)->host->start->secrets, "secret of the stage"));
	return 1;
}

static const struct wire_list *deps(lua_State *L)
{
	return &lua_stage_of(L)->host->start->deps;
}

static const struct wire_list *outs(lua_State *L)
{
	return &lua_stage_of(L)->host->start->outs;
}

static int ctx_input(lua_State *L)
{
	lua_pushstring(L, port(L, deps(L), "dep"));
	return 1;
}

static int ctx_output(lua_State *L)
{
	lua_pushstring(L, port(L, outs(L), "out"));
	return 1;
}

static int ctx_read(lua_State *L)
{
	const char *path = port(L, deps(L), "dep"), *name = lua_tostring(L, 2);

	lua_read(L, lua_table_port_type(L, "inputs", name, path), path, name);
	return 1;
}

static int ctx_write(lua_State *L)
{
	const char *path = port(L, outs(L), "out"), *name = lua_tostring(L, 2), *fault;
	const char *type = lua_table_port_type(L, "outputs", name, path);
	struct buf out = { 0 };
	struct err e = { 0 };

	luaL_argcheck(L, !lua_isnoneornil(L, 3), 3, "there is nothing to write");
	lua_settop(L, 3);
	fault = lua_write(L, 3, type, &out);
	if (fault == NULL &&
		(folder_make_parents(AT_FDCWD, path, 0777, &e) < 0 ||
			file_write_atomic(AT_FDCWD, path, buf_text(&out), out.len, 0666, &e) < 0))
		fault = e.text;
	buf_release(&out);
	if (fault != NULL)
		return luaL_error(L, "cannot write `%s`: %s", name, fault);
	return 0;
}

static int lines_close(lua_State *L)
{
	struct lines *lines = luaL_checkudata(L, 1, LINES);

	if (lines->file != NULL)
		(void)fclose(lines->file);
	free(lines->text);
	memset(lines, 0, sizeof *lines);
	return 0;
}

static int lines_next(lua_State *L)
{
	struct lines *lines = lua_touserdata(L, lua_upvalueindex(1));
	ssize_t len = lines->file != NULL ? getline(&lines->text, &lines->cap, lines->file) : -1;

	if (len < 0)
		return 0;
	if (len > 0 && lines->text[len - 1] == '\n')
		len--;
	if (len > 0 && lines->text[len - 1] == '\r')
		len--;
	lua_pushlstring(L, lines->text, (size_t)len);
	return 1;
}

static int ctx_lines(lua_State *L)
{
	const char *path = port(L, deps(L), "dep");
	struct lines *lines = lua_newuserdatauv(L, sizeof *lines, 0);

	memset(lines, 0, sizeof *lines);
	luaL_setmetatable(L, LINES);
	lines->file = fopen(path, "re");
	if (lines->file == NULL)
		return luaL_error(
			L, "cannot read `%s`: %s: %s", lua_tostring(L, 2), path, strerror(errno));
	lua_pushvalue(L, -1);
	lua_pushcclosure(L, lines_next, 1);
	lua_insert(L, -2); /* iterator, nil, nil, and the file to close at the end of the loop */
	lua_pushnil(L);
	lua_insert(L, -2);
	lua_pushnil(L);
	lua_insert(L, -2);
	return 4;
}

static int ctx_metric(lua_State *L)
{
	struct flow_ctx *host = self(L);
	const char *name = luaL_checkstring(L, 2);
	double value = luaL_checknumber(L, 3);
	lua_Integer step = luaL_optinteger(L, 4, -1);

	if (!metric_name_is_valid(name))
		return luaL_error(
			L, "`%s` is no name for a metric: use letters, digits and _ . / -", name);
	host_table.metric(host, name, value, (long)step);
	return 0;
}

static int ctx_progress(lua_State *L)
{
	struct flow_ctx *host = self(L);

	host_table.progress(host, luaL_checknumber(L, 2), luaL_optnumber(L, 3, 1.0),
		luaL_optstring(L, 4, NULL));
	return 0;
}

/* All arguments from the second on, with blanks between, as one line of the log. */
static void log_line(lua_State *L, const char *prefix)
{
	struct flow_ctx *host = self(L);
	int i, count = lua_gettop(L);

	lua_pushstring(L, prefix);
	for (i = 2; i <= count; i++) {
		lua_pushstring(L, i > 2 ? " " : "");
		(void)luaL_tolstring(L, i, NULL);
		lua_concat(L, 3);
	}
	host_table.log(host, lua_tostring(L, -1));
}

static int ctx_log(lua_State *L)
{
	log_line(L, "");
	return 0;
}

static int ctx_warn(lua_State *L)
{
	log_line(L, "warning: ");
	return 0;
}

static int ctx_fail(lua_State *L)
{
	(void)self(L);
	luaL_checkany(L, 2);
	lua_getfield(L, LUA_REGISTRYINDEX, FORMAT);
	lua_replace(L, 1);
	lua_call(L, lua_gettop(L) - 1, 1);
	return lua_error_fail(L, NULL, "%s", lua_tostring(L, -1));
}

static int ctx_cancelled(lua_State *L)
{
	(void)self(L);
	lua_stage_of(L)->asks_cancelled = true;
	lua_pushboolean(L, host_cancelled());
	return 1;
}

static int ctx_tmpdir(lua_State *L)
{
	lua_pushstring(L, host_tmpdir(self(L)));
	return 1;
}

static int ctx_checkpoint(lua_State *L)
{
	struct flow_ctx *host = self(L);

	lua_pushstring(L, host_table.checkpoint(host));
	return 1;
}

/* True when all of the time has passed, false when flow asked the stage to end meanwhile. */
static int ctx_sleep(lua_State *L)
{
	double seconds = (self(L), luaL_checknumber(L, 2));
	struct timespec left;
	bool is_whole;

	luaL_argcheck(L, seconds >= 0 && seconds < SLEEP_MAX, 2, "not a number of seconds");
	left.tv_sec = (time_t)seconds;
	left.tv_nsec = (long)((seconds - floor(seconds)) * 1e9);
	is_whole = !host_cancelled();
	while (is_whole && nanosleep(&left, &left) < 0)
		is_whole = errno == EINTR && !host_cancelled();
	lua_limits_check_cancelled(L);
	lua_pushboolean(L, is_whole);
	return 1;
}

static const luaL_Reg methods[] = { { "input", ctx_input }, { "output", ctx_output },
	{ "read", ctx_read }, { "write", ctx_write }, { "lines", ctx_lines },
	{ "metric", ctx_metric }, { "progress", ctx_progress }, { "log", ctx_log },
	{ "warn", ctx_warn }, { "fail", ctx_fail }, { "cancelled", ctx_cancelled },
	{ "tmpdir", ctx_tmpdir }, { "checkpoint", ctx_checkpoint }, { "sleep", ctx_sleep },
	{ "exec", lua_exec }, { "secret", ctx_secret }, { NULL, NULL } };

/* __index of ctx: its methods are the upvalue. */
static int ctx_index(lua_State *L)
{
	struct near n;
	const char *name = lua_tostring(L, 2);

	lua_settop(L, 2);
	if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
		return 1;
	near_start(&n, name != NULL ? name : "?");
	lua_pushnil(L);
	while (lua_next(L, lua_upvalueindex(1)) != 0) {
		lua_pop(L, 1);
		near_offer(&n, lua_tostring(L, -1));
	}
	lua_pushnil(L);
	while (lua_next(L, 1) != 0) {
		lua_pop(L, 1);
		near_offer(&n, lua_tostring(L, -1));
	}
	if (n.best != NULL)
		return luaL_error(L, "ctx has no field `%s`, did you mean `%s`?", n.word, n.best);
	return luaL_error(L, "ctx has no field `%s`", n.word);
}

static int ctx_newindex(lua_State *L)
{
	return luaL_error(L, "ctx cannot be changed: `%s`", luaL_tolstring(L, 2, NULL));
}

static void push_fields(lua_State *L, const struct wire_start *start)
{
	lua_pushinteger(L, (lua_Integer)start->seed);
	lua_setfield(L, -2, "seed");
	lua_pushinteger(L, start->attempt);
	lua_setfield(L, -2, "attempt");
	lua_pushinteger(L, start->threads != 0 ? start->threads : 1);
	lua_setfield(L, -2, "threads");
	lua_pushstring(L, start->run_id);
	lua_setfield(L, -2, "run_id");
	lua_pushstring(L, start->task);
	lua_setfield(L, -2, "task");
	lua_pushlstring(L, start->task, strcspn(start->task, "@"));
	lua_setfield(L, -2, "stage");
}

static void make_types(lua_State *L)
{
	luaL_newmetatable(L, LINES);
	lua_pushcfunction(L, lines_close);
	lua_setfield(L, -2, "__gc");
	lua_pushcfunction(L, lines_close);
	lua_setfield(L, -2, "__close");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 1);
	lua_getglobal(L, "string");
	lua_getfield(L, -1, "format");
	lua_setfield(L, LUA_REGISTRYINDEX, FORMAT);
	lua_pop(L, 1);
}

void lua_api_push(lua_State *L, int table)
{
	make_types(L);
	lua_newtable(L);
	push_fields(L, lua_stage_of(L)->host->start);
	lua_table_with(L, table);
	lua_setfield(L, -3, "params");
	lua_setfield(L, -2, "with");
	lua_newtable(L);
	luaL_newlib(L, methods);
	lua_pushcclosure(L, ctx_index, 1);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, ctx_newindex);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
}
