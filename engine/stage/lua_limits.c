#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lualib.h>

#include "base/near.h"
#include "stage/lua_state.h"
#include "stage/wire.h"

#define DEAF_S 1 /* after it was asked to end, how long a script may stay where no hook runs */

static const struct lua_stage *deaf; /* the one that the alarm is for */

static void *allocate(void *user, void *old, size_t old_size, size_t size)
{
	struct lua_stage *s = user;
	size_t had = old != NULL ? old_size : 0;
	void *p;

	if (size == 0) {
		free(old);
		s->used -= had;
		return NULL;
	}
	if (size > had && size - had > s->cap - s->used)
		return NULL;
	p = realloc(old, size);
	if (p != NULL)
		s->used += size - had;
	return p;
}

_Noreturn void lua_limits_leave(lua_State *L, lua_Debug *ar, const char *code, const char *why)
{
	struct lua_stage *s = lua_stage_of(L);
	struct failure f = { .code = code, .text = why };

	if (ar != NULL && lua_getinfo(L, "Sl", ar) != 0 && ar->currentline > 0) {
		f.file = ar->source + (ar->source[0] == '@');
		f.line = (uint32_t)ar->currentline;
		(void)fprintf(stderr, "error[%s]: %s\n  --> %s:%u\n", code, why, f.file, f.line);
	} else {
		(void)fprintf(stderr, "error[%s]: %s\n", code, why);
	}
	(void)host_fail_at(s->host, &f);
	host_leave(s->host);
}

void lua_limits_check_cancelled(lua_State *L)
{
	lua_Debug ar;

	if (!host_cancelled() || lua_stage_of(L)->asks_cancelled)
		return;
	lua_limits_leave(L, lua_getstack(L, 1, &ar) != 0 ? &ar : NULL, "E0605", "stopped by flow");
}

/* Leaves the process, because a script can catch any error and go on. */
static void hook(lua_State *L, lua_Debug *ar)
{
	struct lua_stage *s = lua_stage_of(L);
	char why[96];

	s->steps += LUA_STAGE_HOOK_STEPS;
	if (host_cancelled() && !s->asks_cancelled)
		lua_limits_leave(L, ar, "E0605", "stopped by flow");
	if (s->limit != 0 && s->steps > s->limit) {
		(void)snprintf(why, sizeof why, "instruction limit of %llu reached",
			(unsigned long long)s->limit);
		lua_limits_leave(L, ar, "E0604", why);
	}
}

/* No hook runs in a pattern that goes through every possibility, nor in a finalizer. */
static void on_alarm(int signo)
{
	static const char text[] = "error[E0605]: stopped by flow\n";

	(void)signo;
	if (deaf->asks_cancelled)
		return;
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	_exit(1);
}

static void end_the_deaf(const struct lua_stage *s)
{
	struct sigaction action = { .sa_handler = on_alarm };

	deaf = s;
	(void)sigaction(SIGALRM, &action, NULL);
	host_alarm_when_cancelled(DEAF_S);
}

/* An error outside of any protected call: only memory can be the reason. */
static int panic(lua_State *L)
{
	lua_limits_leave(L, NULL, "E0603", "memory limit reached");
}

int lua_limits_open(struct lua_stage *s)
{
	const char *limit = host_find(&s->host->start->env, "FLOW_LUA_INSTRUCTIONS");

	s->cap =
		s->host->start->limits.memory_bytes != 0 ? s->host->start->limits.memory_bytes : LUA_STAGE_MEMORY;
	s->limit = limit != NULL ? strtoull(limit, NULL, 10) : 0;
	s->L = lua_newstate(allocate, s);
	if (s->L == NULL)
		return -1;
	*(struct lua_stage **)lua_getextraspace(s->L) = s;
	(void)lua_atpanic(s->L, panic);
	lua_sethook(s->L, hook, LUA_MASKCOUNT, LUA_STAGE_HOOK_STEPS);
	if (!s->host->start->unsafe)
		end_the_deaf(s);
	return 0;
}

/* load(chunk [, name [, mode [, env]]]): the real one, held to text whatever mode was asked for. */
static int text_load(lua_State *L)
{
	bool has_env = lua_gettop(L) >= 4;
	int count = has_env ? 4 : 3;

	lua_settop(L, has_env ? 4 : 2);
	if (!has_env)
		lua_pushnil(L);
	lua_pushliteral(L, "t");
	lua_replace(L, 3);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, count, LUA_MULTRET);
	return lua_gettop(L);
}

static int some_collectgarbage(lua_State *L)
{
	static const char *const names[] = { "collect", "count", "step", NULL };
	int what = luaL_checkoption(L, 1, "collect", names);

	switch (what) {
	case 0: lua_pushinteger(L, lua_gc(L, LUA_GCCOLLECT)); break;
	case 1: lua_pushnumber(L, lua_gc(L, LUA_GCCOUNT) + lua_gc(L, LUA_GCCOUNTB) / 1024.0); break;
	default: lua_pushboolean(L, lua_gc(L, LUA_GCSTEP, 0)); break;
	}
	return 1;
}

/* Without an argument it would take the time as the seed. */
static int fixed_randomseed(lua_State *L)
{
	int count = lua_gettop(L);

	luaL_argcheck(L, count >= 1, 1, "a seed is needed, so that runs can be repeated");
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, count, 0);
	return 0;
}

static const char *near_key(lua_State *L, int table, const char *word)
{
	struct near n;

	near_start(&n, word);
	lua_pushnil(L);
	while (lua_next(L, table) != 0) {
		lua_pop(L, 1);
		if (lua_type(L, -1) == LUA_TSTRING)
			near_offer(&n, lua_tostring(L, -1));
	}
	return n.best != NULL ? lua_pushfstring(L, ", did you mean `%s`?", n.best) : "";
}

static int unknown_global(lua_State *L)
{
	const char *name = lua_tostring(L, 2);

	lua_settop(L, 2);
	name = name != NULL ? name : luaL_typename(L, 2);
	return luaL_error(L, "unknown global `%s`%s", name, near_key(L, 1, name));
}

static int new_global(lua_State *L)
{
	const char *name = lua_tostring(L, 2);

	return luaL_error(L, "global `%s` is not declared: write `local %s`",
		name != NULL ? name : "?", name != NULL ? name : "?");
}

static const char *module_path(lua_State *L, const char *name)
{
	return host_find(&lua_stage_of(L)->host->start->modules, name);
}

static int unknown_module(lua_State *L, const char *name)
{
	const struct wire_list *modules = &lua_stage_of(L)->host->start->modules;
	struct near n;
	uint32_t i;

	near_start(&n, name);
	for (i = 0; i < modules->count; i++)
		near_offer(&n, modules->items[i].name);
	if (n.best != NULL)
		return luaL_error(L, "unknown module `%s`, did you mean `%s`?", name, n.best);
	return luaL_error(L,
		"module `%s` was not found before the run: write its name as a literal, and the "
		"file "
		"beside the stage or under lua/",
		name);
}

static int load_module(lua_State *L, const char *name, const char *path)
{
	lua_pushboolean(L, 0); /* being loaded */
	lua_setfield(L, lua_upvalueindex(1), name);
	if (lua_load_file(L, host_path(lua_stage_of(L)->host, path), path) != LUA_OK)
		return lua_error(L);
	lua_pushstring(L, name);
	lua_call(L, 1, 1);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		lua_pushboolean(L, 1);
	}
	lua_pushvalue(L, -1);
	lua_setfield(L, lua_upvalueindex(1), name);
	return 1;
}

/* require(name): the files that flow found in the text before the run, and so put into the key. */
static int some_require(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1), *path;

	if (lua_getfield(L, lua_upvalueindex(1), name) == LUA_TBOOLEAN && !lua_toboolean(L, -1))
		return luaL_error(L, "module `%s` requires itself", name);
	if (!lua_isnil(L, -1))
		return 1;
	path = module_path(L, name);
	if (path != NULL)
		return load_module(L, name, path);
	if (lua_isnil(L, lua_upvalueindex(2)))
		return unknown_module(L, name);
	lua_pushvalue(L, lua_upvalueindex(2));
	lua_pushvalue(L, 1);
	lua_call(L, 1, 1);
	return 1;
}

static void open_libraries(lua_State *L, bool unsafe)
{
	static const luaL_Reg safe[] = { { LUA_GNAME, luaopen_base },
		{ LUA_COLIBNAME, luaopen_coroutine }, { LUA_TABLIBNAME, luaopen_table },
		{ LUA_STRLIBNAME, luaopen_string }, { LUA_MATHLIBNAME, luaopen_math },
		{ LUA_UTF8LIBNAME, luaopen_utf8 }, { NULL, NULL } };
	static const luaL_Reg more[] = { { LUA_LOADLIBNAME, luaopen_package },
		{ LUA_IOLIBNAME, luaopen_io }, { LUA_OSLIBNAME, luaopen_os },
		{ LUA_DBLIBNAME, luaopen_debug }, { NULL, NULL } };
	const luaL_Reg *lib;

	for (lib = safe; lib->name != NULL; lib++) {
		luaL_requiref(L, lib->name, lib->func, 1);
		lua_pop(L, 1);
	}
	for (lib = more; unsafe && lib->name != NULL; lib++) {
		luaL_requiref(L, lib->name, lib->func, 1);
		lua_pop(L, 1);
	}
}

/* Replace table.name by a function that has the old one as its upvalue; the table is on top. */
static void wrap(lua_State *L, const char *name, lua_CFunction function)
{
	lua_getfield(L, -1, name);
	lua_pushcclosure(L, function, 1);
	lua_setfield(L, -2, name);
}

static void drop(lua_State *L, const char *name)
{
	lua_pushnil(L);
	lua_setfield(L, -2, name);
}

static void fix_libraries(lua_State *L, uint64_t seed)
{
	lua_getglobal(L, LUA_STRLIBNAME);
	drop(L, "dump");
	lua_pop(L, 1);
	lua_pushliteral(L, "");
	if (lua_getmetatable(L, -1) != 0) {
		lua_pushboolean(L, 0);
		lua_setfield(L, -2, "__metatable");
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	lua_getglobal(L, LUA_MATHLIBNAME);
	lua_getfield(L, -1, "randomseed");
	lua_pushinteger(L, (lua_Integer)seed);
	lua_call(L, 1, 0);
	wrap(L, "randomseed", fixed_randomseed);
	lua_pop(L, 1);
}

void lua_limits_globals(lua_State *L)
{
	const struct wire_start *start = lua_stage_of(L)->host->start;

	open_libraries(L, start->unsafe != 0);
	fix_libraries(L, start->seed);
	lua_json_open(L);
	lua_bytes_open(L);
	lua_pushglobaltable(L);
	drop(L, "dofile");
	drop(L, "loadfile");
	drop(L, "warn");
	wrap(L, "load", text_load);
	wrap(L, "collectgarbage", some_collectgarbage);
	lua_newtable(L); /* modules that were loaded */
	lua_getfield(L, -2, "require");
	lua_pushcclosure(L, some_require, 2);
	lua_setfield(L, -2, "require");
	lua_newtable(L);
	lua_pushcfunction(L, unknown_global);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, new_global);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
}
