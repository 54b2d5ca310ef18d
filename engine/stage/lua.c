#include "stage/lua.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "stage/lua_state.h"
#include "stage/wire.h"

#define SCRIPT_MAX ((size_t)16 * 1024 * 1024)

/* Load a text by the name its lines are known by. A first line that begins with '#' is for the system, not for Lua. */
static int load_named(lua_State *L, const char *text, size_t len, const char *name)
{
	size_t skip = 0;

	if (len > 0 && text[0] == '#') {
		while (skip < len && text[skip] != '\n')
			skip++;
	}
	lua_pushfstring(L, "@%s", name);
	if (luaL_loadbufferx(L, text + skip, len - skip, lua_tostring(L, -1), "t") == LUA_OK) {
		lua_remove(L, -2);
		return LUA_OK;
	}
	lua_remove(L, -2);
	return LUA_ERRSYNTAX;
}

int lua_load_text(lua_State *L, const char *text, size_t len, const char *name)
{
	struct lua_stage *s = lua_stage_of(L);
	struct arena *a = &s->host->arena;
	struct lua_source *source = arena_zalloc(a, sizeof *source);

	source->name = arena_strdup(a, name);
	source->text = arena_strndup(a, text, len);
	source->len = len;
	source->next = s->sources;
	s->sources = source;
	return load_named(L, source->text, len, source->name);
}

int lua_load_file(lua_State *L, const char *path, const char *name)
{
	struct buf text = { 0 };
	struct err e;
	int status;

	if (file_read(&text, AT_FDCWD, path, SCRIPT_MAX, &e) < 0) {
		buf_release(&text);
		lua_pushstring(L, e.text);
		return LUA_ERRRUN;
	}
	status = lua_load_text(L, buf_text(&text), text.len, name);
	buf_release(&text);
	return status;
}

static const char *script_name(const struct wire_start *start)
{
	if (start->entry[0] != '\0')
		return start->entry;
	return start->uses[0] != '\0' ? start->uses : "inline script";
}

static int set_up(lua_State *L)
{
	lua_limits_globals(L);
	return 0;
}

/* The table that the script returned -> its run() and the ctx to call it with. */
static int prepare(lua_State *L)
{
	lua_table_check(L, 1);
	lua_getfield(L, 1, "run");
	lua_api_push(L, 1);
	return 2;
}

static int load_script(struct lua_stage *s)
{
	const struct wire_start *start = s->host->start;
	const char *name = script_name(start);

	if (start->uses[0] != '\0')
		return lua_load_file(s->L, host_path(s->host, start->uses), name);
	return lua_load_text(s->L, start->text, strlen(start->text), name);
}

/* No more rights than it has, no core file, and where it may not start programs, none to gain by it. */
static void limit_process(const struct wire_start *start)
{
	struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	if (!start->unsafe)
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void lua_run(struct flow_ctx *ctx)
{
	struct lua_stage s = { .host = ctx };
	int status;

	limit_process(ctx->start);
	if (lua_limits_open(&s) < 0) {
		(void)host_fail(ctx, "E0603", "no memory for a Lua state");
		return;
	}
	lua_pushcfunction(s.L, lua_error_handler);
	lua_pushcfunction(s.L, set_up);
	status = lua_pcall(s.L, 0, 0, 1);
	if (status == LUA_OK)
		status = load_script(&s);
	if (status == LUA_OK)
		status = lua_pcall(s.L, 0, 1, 1);
	if (status == LUA_OK) {
		lua_pushcfunction(s.L, prepare);
		lua_insert(s.L, -2);
		status = lua_pcall(s.L, 1, 2, 1);
	}
	if (status == LUA_OK)
		status = lua_pcall(s.L, 1, 0, 1);
	if (status != LUA_OK)
		lua_error_report(&s, status);
	/* The state is not closed: the process ends, and a script's finalizers have no say in it. */
}

int lua_check(const char *path, const char *chunkname)
{
	struct buf text = { 0 };
	lua_State *L = luaL_newstate();
	char name[LUA_IDSIZE];
	const char *message;
	struct err e;
	size_t len;
	int status = 0;

	if (L == NULL || file_read(&text, AT_FDCWD, path, SCRIPT_MAX, &e) < 0) {
		(void)fprintf(stderr, "flow-worker: %s\n", L != NULL ? e.text : "no memory");
		status = 5;
	} else if (load_named(L, buf_text(&text), text.len, chunkname) != LUA_OK) {
		message = lua_tostring(L, -1);
		len = strlen(lua_error_short(chunkname, name));
		if (strncmp(message, name, len) == 0)
			message += len;
		(void)printf("%s%s\n", chunkname, message);
		status = 1;
	}
	if (L != NULL)
		lua_close(L);
	buf_release(&text);
	return status;
}
