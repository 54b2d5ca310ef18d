/*
 * stage/lua_state.h - what the files lua*.c share. Not for anyone else.
 *
 * One struct lua_stage a process, one lua_State in it; lua_stage_of(L) finds it from any coroutine. Functions that take a
 * lua_State raise Lua errors unless they say otherwise, so nothing that must be freed may be held across them.
 */
#ifndef FLOW_STAGE_LUA_STATE_H
#define FLOW_STAGE_LUA_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

#include "stage/host.h"

struct buf;

#define LUA_STAGE_HOOK_STEPS 10000 /* instructions between two looks at the flag and the limit */
#define LUA_STAGE_MEMORY     ((size_t)1024 * 1024 * 1024)

/* A text that was loaded, so that an error can show its line. */
struct lua_source {
	struct lua_source *next;
	const char *name; /* as the user knows it */
	const char *text;
	size_t len;
};

struct lua_stage {
	struct flow_ctx *host;
	lua_State *L;
	size_t used, cap;      /* bytes of the state, and how many it may have */
	uint64_t steps, limit; /* instructions, and how many it may take; 0: any number */
	bool asks_cancelled;   /* the script looks at ctx:cancelled() itself */
	bool is_placed;        /* `failure` was filled by the message handler */
	struct failure failure;
	struct lua_source *sources;
};

static inline struct lua_stage *lua_stage_of(lua_State *L)
{
	return *(struct lua_stage **)lua_getextraspace(L);
}

/* lua_limits.c: the state and what it may do. */
int lua_limits_open(struct lua_stage *s); /* -1: no memory */
void lua_limits_globals(lua_State *L);    /* the allow-list; fixed from then on */
_Noreturn void lua_limits_leave(lua_State *L, lua_Debug *ar, const char *code, const char *why);
void lua_limits_check_cancelled(
	lua_State *L); /* leaves if flow asked to and the script does not look itself */

/* lua.c: a text chunk by name; a status of lua_load, the function or the message is pushed. Raises nothing. */
int lua_load_text(lua_State *L, const char *text, size_t len, const char *name);
int lua_load_file(lua_State *L, const char *path, const char *name);

/* lua_error.c */
int lua_error_handler(lua_State *L); /* for lua_pcall: notes place and trace in the lua_stage */
/* Record the failure of a lua_pcall or lua_load that ended with `status`, and show it in the log. */
void lua_error_report(struct lua_stage *s, int status);
const char *lua_error_short(
	const char *name, char text[LUA_IDSIZE]); /* as Lua shortens a chunk name */

/* Note why the attempt failed, show it, and leave run() by an error that is not reported again. code may be NULL. */
int lua_error_fail(lua_State *L, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* lua_table.c: what the table that a script returns says; it is at `table`. */
void lua_table_check(lua_State *L, int table);
void lua_table_with(lua_State *L, int table); /* pushes ctx.with, then ctx.params */
/* Type of a port ("json", ...): what the table says, else by the path's ending, else "text". kind: "inputs", "outputs". */
const char *lua_table_port_type(lua_State *L, const char *kind, const char *name, const char *path);

/* lua_api.c: pushes ctx. */
void lua_api_push(lua_State *L, int table);

/* lua_exec.c: ctx:exec */
int lua_exec(lua_State *L);

/* lua_json.c */
void lua_json_open(lua_State *L); /* sets the global `json` */
void lua_json_push(lua_State *L, const struct json_t *value);
void lua_json_decode(
	lua_State *L, const char *text, size_t len, const char *what); /* pushes the value */
/* Append a value as JSON; NULL, or why it cannot be done. indent 0: on one line. */
const char *lua_json_encode(lua_State *L, int index, struct buf *out, int indent);

/* lua_read.c: push the content of a file as a value of that type. */
void lua_read(lua_State *L, const char *type, const char *path, const char *name);
/* Append a value to a buffer in the form of that type; NULL, or why it cannot be done. */
const char *lua_write(lua_State *L, int index, const char *type, struct buf *out);

/* lua_bytes.c: sets the globals `bytes` and `sorted_pairs`. */
void lua_bytes_open(lua_State *L);

#endif
