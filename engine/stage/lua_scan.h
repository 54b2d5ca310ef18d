/*
 * stage/lua_scan.h - which modules does a Lua text ask for, read without running it.
 *
 * Finds `require "name"` and `require("name")` with a literal name, not in comments or strings. A name that is computed is
 * not found, and so is refused when the script runs. Pure; any bytes will do.
 */
#ifndef FLOW_STAGE_LUA_SCAN_H
#define FLOW_STAGE_LUA_SCAN_H

#include <stddef.h>
#include <stdint.h>

#define LUA_SCAN_NAME 255 /* longer names are no module names */

/* name is borrowed for the call; line is where it stands, from 1. */
void lua_scan(const char *text, size_t len,
	void (*found)(void *user, const char *name, uint32_t line), void *user);

#endif
