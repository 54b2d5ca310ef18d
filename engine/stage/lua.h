/*
 * stage/lua.h - Lua stages.
 *
 * lua_run is the rest of a forked child's life: a fresh state with capped memory and an allow-list of globals, the script
 * loaded as text, its table checked, run(ctx) called. Everything that goes wrong is recorded with host_fail and shown in the
 * log with its place.
 */
#ifndef FLOW_STAGE_LUA_H
#define FLOW_STAGE_LUA_H

struct flow_ctx;

void lua_run(struct flow_ctx *ctx);

/* Only compile a file. Prints CHUNKNAME:LINE: MESSAGE and returns 1 when it is no Lua. */
int lua_check(const char *path, const char *chunkname);

#endif
