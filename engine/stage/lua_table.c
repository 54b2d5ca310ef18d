#include <string.h>

#include <jansson.h>

#include "base/near.h"
#include "stage/lua_state.h"
#include "stage/option.h"
#include "stage/wire.h"

static const char *const port_types[] = { "text", "bytes", "json", "lines", "csv", "npy", "idx",
	"file", "folder" };
static const char *const param_types[] = { "number", "integer", "boolean", "text", "list", "map" };

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

/* Every key of the table, so that a misspelled one does not go unnoticed. */
static void check_keys(lua_State *L, int table)
{
	static const char *const known[] = { "run", "name", "version", "help", "inputs", "outputs",
		"params", "tests" };
	struct flow_ctx *host = lua_stage_of(L)->host;

	lua_pushnil(L);
	while (lua_next(L, table) != 0) {
		const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "1";

		if (!is_one_of(key, known, COUNT(known)))
			(void)lua_error_fail(L, "E0606", "unknown key `%s` in the stage's table%s",
				key, host_near(host, key, known, COUNT(known)));
		lua_pop(L, 1);
	}
}

/* The type of a declared port, whose declaration is on top: "json", or {type = "json", optional = true}. */
static const char *declared_type(lua_State *L, const char *name, bool *is_optional)
{
	const char *type = NULL;

	*is_optional = false;
	if (lua_type(L, -1) == LUA_TSTRING)
		type = lua_tostring(L, -1);
	if (lua_istable(L, -1)) {
		lua_getfield(L, -1, "optional");
		*is_optional = lua_toboolean(L, -1);
		lua_pop(L, 1);
		type = lua_getfield(L, -1, "type") == LUA_TSTRING ? lua_tostring(L, -1) : "text";
		lua_pop(L, 1);
	}
	if (type == NULL)
		(void)lua_error_fail(
			L, "E0606", "port `%s` must be a type, or a table with `type`", name);
	if (!is_one_of(type, port_types, COUNT(port_types)))
		(void)lua_error_fail(L, "E0606", "port `%s` has the unknown type `%s`%s", name,
			type,
			host_near(lua_stage_of(L)->host, type, port_types, COUNT(port_types)));
	return type;
}

/* Ports that the stage declares must be given; their types are kept in the registry under `kind`. */
static void check_ports(lua_State *L, int table, const char *kind, const struct wire_list *given)
{
	const char *what = kind[0] == 'i' ? "dep" : "out";

	lua_newtable(L);
	if (lua_getfield(L, table, kind) == LUA_TTABLE) {
		lua_pushnil(L);
		while (lua_next(L, -2) != 0) {
			bool is_optional;
			const char *name, *type;

			if (lua_type(L, -2) != LUA_TSTRING)
				(void)lua_error_fail(L, "E0606",
					"`%s` must be named: %s = {name = \"text\"}", kind, kind);
			name = lua_tostring(L, -2);
			type = declared_type(L, name, &is_optional);
			if (!is_optional && host_find(given, name) == NULL)
				(void)lua_error_fail(L, "E0607",
					"needs a%s %s named `%s`: %ss: {%s: ...} in dag.yaml",
					what[0] == 'o' ? "n" : "", what, name, what, name);
			lua_pushstring(L, type);
			lua_setfield(L, -5, name);
			lua_pop(L, 1);
		}
	}
	lua_pop(L, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, kind);
}

/* A bound of the declared parameter whose table is on top. */
static void check_bound(lua_State *L, const char *name, const char *bound, double x)
{
	bool is_least = strcmp(bound, "min") == 0;
	double limit;

	if (lua_getfield(L, -1, bound) == LUA_TNUMBER) {
		limit = lua_tonumber(L, -1);
		if (is_least ? x < limit : x > limit)
			(void)lua_error_fail(L, "E0607", "`with.%s` is %.12g, it must be %s %.12g",
				name, x, is_least ? "at least" : "at most", limit);
	}
	lua_pop(L, 1);
}

/* One declared parameter, whose declaration is on top; value is NULL when `with:` lacks it. */
static void check_param(lua_State *L, const char *name, const json_t *value)
{
	struct flow_ctx *host = lua_stage_of(L)->host;
	const char *type = "";
	bool has_default;

	if (!lua_istable(L, -1))
		return; /* params = {threshold = 0.5}: a default of any type */
	if (lua_getfield(L, -1, "type") == LUA_TSTRING)
		type = lua_tostring(L, -1);
	lua_pop(L, 1);
	if (strcmp(type, "string") == 0)
		type = "text";
	if (type[0] != '\0' && !is_one_of(type, param_types, COUNT(param_types)))
		(void)lua_error_fail(L, "E0606", "parameter `%s` has the unknown type `%s`%s", name,
			type, host_near(host, type, param_types, COUNT(param_types)));
	has_default = lua_getfield(L, -1, "default") != LUA_TNIL;
	lua_pop(L, 1);
	if (value == NULL && !has_default)
		(void)lua_error_fail(L, "E0607", "`with.%s` is missing and has no default", name);
	if (value != NULL && !option_type_fits(value, type))
		(void)lua_error_fail(L, "E0607", "`with.%s` must be of type %s, it is %s", name,
			type, option_type_name(value));
	if (json_is_number(value)) {
		check_bound(L, name, "min", json_number_value(value));
		check_bound(L, name, "max", json_number_value(value));
	}
}

static void unknown_with(lua_State *L, int params, const char *key)
{
	struct near n;

	near_start(&n, key);
	lua_pushnil(L);
	while (lua_next(L, params) != 0) {
		lua_pop(L, 1);
		if (lua_type(L, -1) == LUA_TSTRING)
			near_offer(&n, lua_tostring(L, -1));
	}
	if (n.best != NULL)
		(void)lua_error_fail(L, "E0607",
			"unknown key `%s` under `with:`, did you mean `%s`?", key, n.best);
	(void)lua_error_fail(L, "E0607", "unknown key `%s` under `with:`", key);
}

static void check_with(lua_State *L, int table)
{
	json_t *with = lua_stage_of(L)->host->with, *value;
	const char *key;
	int params;

	if (lua_getfield(L, table, "params") != LUA_TTABLE) {
		lua_pop(L, 1);
		return;
	}
	params = lua_gettop(L);
	json_object_foreach(with, key, value)
	{
		if (lua_getfield(L, params, key) == LUA_TNIL)
			unknown_with(L, params, key);
		lua_pop(L, 1);
	}
	lua_pushnil(L);
	while (lua_next(L, params) != 0) {
		if (lua_type(L, -2) != LUA_TSTRING)
			(void)lua_error_fail(L, "E0606", "`params` must be named");
		check_param(L, lua_tostring(L, -2), json_object_get(with, lua_tostring(L, -2)));
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

void lua_table_check(lua_State *L, int table)
{
	const struct wire_start *start = lua_stage_of(L)->host->start;

	if (!lua_istable(L, table))
		(void)lua_error_fail(L, "E0606",
			"the script must return a table with `run`, it returns a value of type %s",
			luaL_typename(L, table));
	check_keys(L, table);
	if (lua_getfield(L, table, "run") != LUA_TFUNCTION)
		(void)lua_error_fail(
			L, "E0606", "the table that the script returns has no function `run`");
	lua_pop(L, 1);
	check_ports(L, table, "inputs", &start->deps);
	check_ports(L, table, "outputs", &start->outs);
	check_with(L, table);
}

/* __index of ctx.params and ctx.with. Upvalues: what to call it, a table to look further in or nil. */
static int no_such_key(lua_State *L)
{
	struct near n;
	const char *key;

	lua_settop(L, 2);
	if (lua_type(L, 2) != LUA_TSTRING)
		return 0;
	if (lua_istable(L, lua_upvalueindex(2))) {
		lua_pushvalue(L, 2);
		if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL)
			return 1;
		lua_pop(L, 1);
	}
	key = lua_tostring(L, 2);
	near_start(&n, key);
	lua_pushnil(L);
	while (lua_next(L, 1) != 0) {
		lua_pop(L, 1);
		if (lua_type(L, -1) == LUA_TSTRING)
			near_offer(&n, lua_tostring(L, -1));
	}
	if (n.best != NULL)
		return luaL_error(L, "`%s` has no key `%s`, did you mean `%s`?",
			lua_tostring(L, lua_upvalueindex(1)), key, n.best);
	return luaL_error(L, "`%s` has no key `%s`", lua_tostring(L, lua_upvalueindex(1)), key);
}

/* Reading an unknown key of the table on top, or of a map inside it, is an error; further: stack index of a table or 0. */
static void guard(lua_State *L, const char *label, int further)
{
	int top = lua_gettop(L);

	luaL_checkstack(L, 8, "too deep");
	lua_newtable(L);
	lua_pushstring(L, label);
	if (further != 0)
		lua_pushvalue(L, further);
	else
		lua_pushnil(L);
	lua_pushcclosure(L, no_such_key, 2);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, top);
	lua_pushnil(L);
	while (lua_next(L, top) != 0) {
		if (lua_istable(L, -1) && lua_getmetatable(L, -1) == 0 &&
			lua_type(L, -2) == LUA_TSTRING) {
			const char *inner = lua_pushfstring(L, "%s.%s", label, lua_tostring(L, -2));

			lua_insert(L, -2);
			guard(L, inner, 0);
			lua_remove(L, -2);
		}
		lua_settop(L, top + 1);
	}
}

/* Fill in the defaults of declared parameters; `with` is on top. */
static void add_defaults(lua_State *L, int table)
{
	int with = lua_gettop(L);

	if (lua_getfield(L, table, "params") == LUA_TTABLE) {
		lua_pushnil(L);
		while (lua_next(L, -2) != 0) {
			if (lua_istable(L, -1))
				lua_getfield(L, -1, "default");
			lua_pushvalue(L, with + 2);
			if (lua_rawget(L, with) == LUA_TNIL) {
				lua_pop(L, 1);
				lua_pushvalue(L, with + 2);
				lua_insert(L, -2);
				lua_rawset(L, with);
			}
			lua_settop(L, with + 2);
		}
		lua_settop(L, with);
		guard(L, "ctx.with", 0);
	}
	lua_settop(L, with);
}

void lua_table_with(lua_State *L, int table)
{
	struct flow_ctx *host = lua_stage_of(L)->host;

	lua_json_push(L, host->with);
	add_defaults(L, table);
	lua_json_push(L, host->params);
	guard(L, "ctx.params", lua_gettop(L) - 1);
}

const char *lua_table_port_type(lua_State *L, const char *kind, const char *name, const char *path)
{
	static const char *const endings[][2] = { { ".json", "json" }, { ".csv", "csv" },
		{ ".npy", "npy" }, { ".idx", "idx" }, { "-ubyte", "idx" }, { ".bin", "bytes" } };
	const char *type = NULL;
	size_t i, len = strlen(path);

	lua_getfield(L, LUA_REGISTRYINDEX, kind);
	if (lua_getfield(L, -1, name) == LUA_TSTRING)
		type = lua_tostring(L, -1); /* stays in the registry */
	lua_pop(L, 2);
	if (type != NULL && strcmp(type, "file") != 0 && strcmp(type, "folder") != 0)
		return type;
	for (i = 0; i < COUNT(endings); i++) {
		size_t ending = strlen(endings[i][0]);

		if (len > ending && strcmp(path + len - ending, endings[i][0]) == 0)
			return endings[i][1];
	}
	return "text";
}
