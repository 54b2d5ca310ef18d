#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "stage/lua_state.h"

#define DEPTH_MAX 100
#define ARRAY     "flow.array" /* registry: metatable of tables that are arrays, empty or not */

/* base/json.h and jansson share names; only the one function that formats a number is needed of it. */
const char *number_text(double x, char text[32]);

/* A key of a table on its way to being sorted. */
struct key {
	const char *text; /* borrowed from the table; NULL: a number */
	size_t len;
	lua_Integer number;
};

struct keys {
	struct key *items;
	size_t count, cap;
};

struct encoder {
	lua_State *L;
	struct buf *out;
	int indent;
	int depth;
	const char *fault;
};

static void mark_array(lua_State *L)
{
	lua_getfield(L, LUA_REGISTRYINDEX, ARRAY);
	lua_setmetatable(L, -2);
}

void lua_json_push(lua_State *L, const json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	luaL_checkstack(L, 4, "JSON is nested too deep");
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		lua_newtable(L);
		for (void *it = json_object_iter((json_t *)(uintptr_t)value); it != NULL;
			it = json_object_iter_next((json_t *)(uintptr_t)value, it)) {
			key = json_object_iter_key(it);
			lua_json_push(L, json_object_iter_value(it));
			lua_setfield(L, -2, key);
		}
		break;
	case JSON_ARRAY:
		lua_createtable(L, (int)(json_array_size(value) & 0xffffff), 0);
		json_array_foreach(value, i, item)
		{
			lua_json_push(L, item);
			lua_rawseti(L, -2, (lua_Integer)i + 1);
		}
		mark_array(L);
		break;
	case JSON_STRING:
		lua_pushlstring(L, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER: lua_pushinteger(L, json_integer_value(value)); break;
	case JSON_REAL: lua_pushnumber(L, json_real_value(value)); break;
	case JSON_TRUE: lua_pushboolean(L, 1); break;
	case JSON_FALSE: lua_pushboolean(L, 0); break;
	case JSON_NULL: lua_pushlightuserdata(L, NULL); break;
	}
}

/* A Lua error on the way leaves the parsed value behind; the process does not live long enough for that to matter. */
void lua_json_decode(lua_State *L, const char *text, size_t len, const char *what)
{
	json_error_t error;
	json_t *value = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

	if (value == NULL)
		(void)luaL_error(
			L, "%s:%d:%d: not JSON: %s", what, error.line, error.column, error.text);
	lua_json_push(L, value);
	json_decref(value);
}

static void put_string(struct buf *out, const char *s, size_t len)
{
	size_t i = 0;

	buf_char(out, '"');
	while (i < len) {
		unsigned char c = (unsigned char)s[i];
		size_t n = c == 0 ? 1 : utf8_length(s + i);

		if (n == 0 || n > len - i) {
			buf_str(out, "\xEF\xBF\xBD");
			n = 1;
		} else if (c == '"' || c == '\\') {
			buf_char(out, '\\');
			buf_char(out, s[i]);
		} else if (c == '\n') {
			buf_str(out, "\\n");
		} else if (c == '\t') {
			buf_str(out, "\\t");
		} else if (c < 0x20 || c == 0x7f) {
			buf_printf(out, "\\u%04x", c);
		} else {
			buf_add(out, s + i, n);
		}
		i += n;
	}
	buf_char(out, '"');
}

static void new_line(struct encoder *c)
{
	if (c->indent == 0)
		return;
	buf_char(c->out, '\n');
	buf_repeat(c->out, ' ', (size_t)(c->indent * c->depth));
}

/* Is the table on top an array? Its length is given. An empty one is when it is marked. */
static bool is_array(lua_State *L, lua_Integer *count)
{
	lua_Integer n = 0;
	bool is_marked = false;

	*count = (lua_Integer)lua_rawlen(L, -1);
	if (lua_getmetatable(L, -1) != 0) {
		lua_getfield(L, LUA_REGISTRYINDEX, ARRAY);
		is_marked = lua_rawequal(L, -1, -2);
		lua_pop(L, 2);
	}
	if (*count == 0 || is_marked)
		return is_marked;
	lua_pushnil(L);
	while (lua_next(L, -2) != 0) {
		lua_pop(L, 1);
		if (!lua_isinteger(L, -1)) {
			lua_pop(L, 1);
			return false;
		}
		n++;
	}
	return n == *count;
}

static void encode(struct encoder *c);

static void encode_array(struct encoder *c, lua_Integer count)
{
	lua_Integer i;

	buf_char(c->out, '[');
	for (i = 1; i <= count && c->fault == NULL; i++) {
		if (i > 1)
			buf_char(c->out, ',');
		new_line(c);
		lua_rawgeti(c->L, -1, i);
		encode(c);
		lua_pop(c->L, 1);
	}
	c->depth--;
	if (count > 0)
		new_line(c);
	c->depth++;
	buf_char(c->out, ']');
}

static int key_compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int order;

	if (x->text == NULL || y->text == NULL) {
		if (x->text == NULL && y->text == NULL)
			return x->number < y->number ? -1 : x->number > y->number;
		return x->text == NULL ? -1 : 1;
	}
	order = memcmp(x->text, y->text, len);
	if (order != 0)
		return order;
	return x->len < y->len ? -1 : x->len > y->len;
}

static void collect_keys(struct encoder *c, struct keys *keys)
{
	lua_State *L = c->L;

	lua_pushnil(L);
	while (lua_next(L, -2) != 0) {
		struct key key = { 0 };

		lua_pop(L, 1);
		if (lua_type(L, -1) == LUA_TSTRING)
			key.text = lua_tolstring(L, -1, &key.len);
		else if (lua_isinteger(L, -1))
			key.number = lua_tointeger(L, -1);
		else
			c->fault = "a key of a map must be text or an integer";
		vec_push(keys, key);
	}
	if (keys->count > 0)
		qsort(keys->items, keys->count, sizeof *keys->items, key_compare);
}

static void encode_object(struct encoder *c)
{
	struct keys keys = { 0 };
	size_t i;

	collect_keys(c, &keys);
	buf_char(c->out, '{');
	for (i = 0; i < keys.count && c->fault == NULL; i++) {
		const struct key *key = &keys.items[i];

		if (i > 0)
			buf_char(c->out, ',');
		new_line(c);
		if (key->text != NULL) {
			put_string(c->out, key->text, key->len);
			lua_pushlstring(c->L, key->text, key->len);
			lua_rawget(c->L, -2);
		} else {
			buf_printf(c->out, "\"%lld\"", (long long)key->number);
			lua_rawgeti(c->L, -1, key->number);
		}
		buf_str(c->out, c->indent > 0 ? ": " : ":");
		encode(c);
		lua_pop(c->L, 1);
	}
	c->depth--;
	if (keys.count > 0)
		new_line(c);
	c->depth++;
	buf_char(c->out, '}');
	vec_release(&keys);
}

static void encode_table(struct encoder *c)
{
	lua_Integer count;

	if (c->depth >= DEPTH_MAX || !lua_checkstack(c->L, 8)) {
		c->fault = "a table is nested too deep, or holds itself";
		return;
	}
	c->depth++;
	if (is_array(c->L, &count))
		encode_array(c, count);
	else
		encode_object(c);
	c->depth--;
}

static void encode_number(struct encoder *c)
{
	char text[32];
	double x = lua_tonumber(c->L, -1);

	if (lua_isinteger(c->L, -1))
		buf_printf(c->out, "%lld", (long long)lua_tointeger(c->L, -1));
	else if (isfinite(x))
		buf_str(c->out, number_text(x, text));
	else
		buf_str(c->out, "null");
}

/* The value on top; it stays there. */
static void encode(struct encoder *c)
{
	const char *text;
	size_t len;

	switch (lua_type(c->L, -1)) {
	case LUA_TTABLE: encode_table(c); break;
	case LUA_TNUMBER: encode_number(c); break;
	case LUA_TBOOLEAN: buf_str(c->out, lua_toboolean(c->L, -1) ? "true" : "false"); break;
	case LUA_TNIL: buf_str(c->out, "null"); break;
	case LUA_TSTRING:
		text = lua_tolstring(c->L, -1, &len);
		put_string(c->out, text, len);
		break;
	case LUA_TLIGHTUSERDATA:
		if (lua_touserdata(c->L, -1) == NULL) {
			buf_str(c->out, "null");
			break;
		}
		c->fault = "a userdata cannot be written as JSON";
		break;
	default: c->fault = "a function, thread or userdata cannot be written as JSON"; break;
	}
}

const char *lua_json_encode(lua_State *L, int index, struct buf *out, int indent)
{
	struct encoder c = { .L = L, .out = out, .indent = indent };

	lua_pushvalue(L, index);
	encode(&c);
	lua_pop(L, 1);
	return c.fault;
}

static int json_encode_call(lua_State *L)
{
	struct buf out = { 0 };
	const char *fault;
	int indent = lua_toboolean(L, 2) ? 2 : 0;

	luaL_checkany(L, 1);
	fault = lua_json_encode(L, 1, &out, indent);
	if (fault == NULL)
		lua_pushlstring(L, buf_text(&out), out.len);
	buf_release(&out);
	return fault == NULL ? 1 : luaL_error(L, "%s", fault);
}

static int json_decode_call(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);

	lua_json_decode(L, text, len, "json");
	return 1;
}

static int json_array_call(lua_State *L)
{
	lua_settop(L, 1);
	if (lua_isnoneornil(L, 1)) {
		lua_newtable(L);
		lua_replace(L, 1);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	mark_array(L);
	return 1;
}

void lua_json_open(lua_State *L)
{
	static const luaL_Reg functions[] = { { "encode", json_encode_call },
		{ "decode", json_decode_call }, { "array", json_array_call }, { NULL, NULL } };

	lua_newtable(L);
	lua_setfield(L, LUA_REGISTRYINDEX, ARRAY);
	luaL_newlib(L, functions);
	lua_pushlightuserdata(L, NULL);
	lua_setfield(L, -2, "null");
	lua_setglobal(L, "json");
}
