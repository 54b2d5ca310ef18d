#include "stage/lua_state.h"

/* data [, first [, last]] as string.sub takes them: the bytes meant, and how many. */
static const unsigned char *range(lua_State *L, size_t *count)
{
	size_t len;
	const char *data = luaL_checklstring(L, 1, &len);
	lua_Integer size = (lua_Integer)len, first = luaL_optinteger(L, 2, 1);
	lua_Integer last = luaL_optinteger(L, 3, -1);

	if (first < 0)
		first = first < -size ? 1 : size + first + 1;
	if (last < 0)
		last = last < -size ? 0 : size + last + 1;
	if (first < 1)
		first = 1;
	if (last > size)
		last = size;
	*count = last >= first ? (size_t)(last - first) + 1 : 0;
	return (const unsigned char *)data + (*count > 0 ? first - 1 : 0);
}

/* bytes.histogram(data [, first [, last]]) -> table of 256 counts, from [0] to [255] */
static int bytes_histogram(lua_State *L)
{
	lua_Integer counts[256] = { 0 };
	size_t i, count;
	const unsigned char *p = range(L, &count);

	for (i = 0; i < count; i++)
		counts[p[i]]++;
	lua_createtable(L, 255, 1);
	for (i = 0; i < 256; i++) {
		lua_pushinteger(L, counts[i]);
		lua_rawseti(L, -2, (lua_Integer)i);
	}
	return 1;
}

/* bytes.sum(data [, first [, last]]) */
static int bytes_sum(lua_State *L)
{
	lua_Integer sum = 0;
	size_t i, count;
	const unsigned char *p = range(L, &count);

	for (i = 0; i < count; i++)
		sum += p[i];
	lua_pushinteger(L, sum);
	return 1;
}

/* bytes.u32be(data, position) */
static int bytes_u32be(lua_State *L)
{
	size_t len;
	const unsigned char *p = (const unsigned char *)luaL_checklstring(L, 1, &len);
	lua_Integer at = luaL_checkinteger(L, 2);

	if (at < 1 || len < 4 || (size_t)at > len - 3)
		return luaL_error(L, "position %I is outside of the %I bytes", (LUAI_UACINT)at,
			(LUAI_UACINT)len);
	p += at - 1;
	lua_pushinteger(L, (lua_Integer)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
					 (uint32_t)p[2] << 8 | (uint32_t)p[3]));
	return 1;
}

/* bytes.slice(data, first [, last]) */
static int bytes_slice(lua_State *L)
{
	size_t count;
	const unsigned char *p = range(L, &count);

	lua_pushlstring(L, (const char *)p, count);
	return 1;
}

/* for key, value in sorted_pairs(t): numbers first, then text, each in order. */
static const char sorted_pairs[] = "local next, type, sort = next, type, table.sort\n"
				   "local function before(a, b)\n"
				   "  local x, y = type(a), type(b)\n"
				   "  if x ~= y then return x < y end\n"
				   "  if x == 'number' or x == 'string' then return a < b end\n"
				   "  return false\n"
				   "end\n"
				   "return function(t)\n"
				   "  local keys, n = {}, 0\n"
				   "  for key in next, t do n = n + 1; keys[n] = key end\n"
				   "  sort(keys, before)\n"
				   "  local i = 0\n"
				   "  return function()\n"
				   "    i = i + 1\n"
				   "    if keys[i] ~= nil then return keys[i], t[keys[i]] end\n"
				   "  end\n"
				   "end\n";

void lua_bytes_open(lua_State *L)
{
	static const luaL_Reg functions[] = { { "histogram", bytes_histogram },
		{ "sum", bytes_sum }, { "u32be", bytes_u32be }, { "slice", bytes_slice },
		{ NULL, NULL } };

	luaL_newlib(L, functions);
	lua_setglobal(L, "bytes");
	if (luaL_loadbufferx(L, sorted_pairs, sizeof sorted_pairs - 1, "=flow", "t") != LUA_OK)
		(void)lua_error(L);
	lua_call(L, 0, 1);
	lua_setglobal(L, "sorted_pairs");
}
