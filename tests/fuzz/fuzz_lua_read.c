/* The input is a file that a Lua stage reads: its first byte is the type, the rest is the file. What was read is written again. */
#include <stdio.h>

#include "base/buf.h"
#include "fuzz.h"
#include "stage/lua_state.h"

static const char *const types[] = { "json", "lines", "csv", "idx", "npy" };

/* Called with what the outputs go to. They belong to the caller: an error leaves this function without coming back. */
static int read_and_write(lua_State *L)
{
	const char *type = lua_touserdata(L, 1), *path = lua_touserdata(L, 2);
	struct buf *out = lua_touserdata(L, 3);

	lua_read(L, type, path, "input");
	FUZZ_CHECK(lua_gettop(L) >= 4);
	(void)lua_write(L, lua_gettop(L), type, out);
	buf_clear(out);
	(void)lua_write(L, lua_gettop(L), "json", out);
	return 0;
}

/* lua_pushlightuserdata() takes what may be written to, though it only hands it on. */
static void push(lua_State *L, const void *given)
{
	union {
		const void *given;
		void *taken;
	} pointer = { .given = given };

	lua_pushlightuserdata(L, pointer.taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lua_stage stage = { .cap = (size_t)64 << 20 };
	lua_State *L = luaL_newstate();
	struct buf out = { 0 };
	char path[300];

	FUZZ_CHECK(L != NULL);
	*(struct lua_stage **)lua_getextraspace(L) = &stage;
	(void)snprintf(path, sizeof path, "%s/input", fuzz_folder(NULL));
	fuzz_write("input", data + (size > 0), size - (size > 0));
	lua_json_open(L);
	lua_settop(L, 0);
	lua_pushcfunction(L, read_and_write);
	push(L, types[size > 0 ? data[0] % 5 : 0]);
	push(L, path);
	push(L, &out);
	if (lua_pcall(L, 3, 0, 0) != LUA_OK)
		FUZZ_CHECK(lua_type(L, -1) == LUA_TSTRING);
	lua_close(L);
	buf_release(&out);
	return 0;
}
