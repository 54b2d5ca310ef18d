#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "stage/lua_state.h"

#define DIMS_MAX   32
#define VALUES_MAX ((size_t)64 * 1024 * 1024) /* of an array that is read into a Lua table */

/* The whole file as a string on the stack; no more than the state may hold. */
static const char *push_file(lua_State *L, const char *path, const char *name, size_t *len)
{
	struct buf text = { 0 };
	struct err e;

	if (file_read(&text, AT_FDCWD, path, lua_stage_of(L)->cap, &e) < 0) {
		buf_release(&text);
		(void)luaL_error(L, "cannot read `%s`: %s", name, e.text);
	}
	lua_pushlstring(L, buf_text(&text), text.len);
	buf_release(&text);
	return lua_tolstring(L, -1, len);
}

static void read_lines(lua_State *L, const char *text, size_t len)
{
	const char *end = text + len;
	lua_Integer i = 0;

	lua_newtable(L);
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop != NULL ? stop : end) - text);

		lua_pushlstring(L, text, n > 0 && text[n - 1] == '\r' ? n - 1 : n);
		lua_rawseti(L, -2, ++i);
		text += n + 1;
	}
}

/* One pass over a CSV text (RFC 4180). */
struct csv {
	const char *at, *end, *name;
	int line;
};

/* Push the next field. 1: another follows on the same row, 0: the row is over. */
static int csv_field(lua_State *L, struct csv *c)
{
	luaL_Buffer b;
	bool is_quoted = c->at < c->end && *c->at == '"';
	int opened = c->line;

	luaL_buffinit(L, &b);
	c->at += is_quoted;
	for (; c->at < c->end; c->at++) {
		if (is_quoted && *c->at == '"') {
			if (c->at + 1 < c->end && c->at[1] == '"') {
				c->at++;
			} else {
				is_quoted = false;
				continue;
			}
		} else if (!is_quoted && (*c->at == ',' || *c->at == '\n')) {
			break;
		} else if (!is_quoted && *c->at == '\r' &&
			   (c->at + 1 == c->end || c->at[1] == '\n')) {
			continue;
		}
		c->line += *c->at == '\n';
		luaL_addchar(&b, *c->at);
	}
	if (is_quoted)
		return luaL_error(L, "%s:%d: a quote is not closed", c->name, opened);
	luaL_pushresult(&b);
	if (c->at < c->end && *c->at == ',') {
		c->at++;
		return 1;
	}
	c->at += c->at < c->end;
	c->line++;
	return 0;
}

/* Push the array of names in the first row; how many they are. */
static int csv_header(lua_State *L, struct csv *c)
{
	int count = 0, more;

	lua_newtable(L);
	if (c->end - c->at >= 3 && memcmp(c->at, "\xEF\xBB\xBF", 3) == 0)
		c->at += 3;
	if (c->at == c->end)
		return 0;
	do {
		more = csv_field(L, c);
		lua_rawseti(L, -2, ++count);
	} while (more);
	return count;
}

/* Rows as tables keyed by the names in the first one; `columns` keeps their order. Values stay text. */
static void read_csv(lua_State *L, const char *text, size_t len, const char *name)
{
	struct csv c = { .at = text, .end = text + len, .name = name, .line = 1 };
	int header = lua_gettop(L) + 1, count = csv_header(L, &c);
	lua_Integer row = 0;

	lua_newtable(L);
	lua_pushvalue(L, header);
	lua_setfield(L, -2, "columns");
	while (c.at < c.end) {
		int line = c.line, i = 0, more;

		if (*c.at == '\n' || (*c.at == '\r' && c.at + 1 < c.end && c.at[1] == '\n')) {
			c.at += *c.at == '\r' ? 2 : 1;
			c.line++;
			continue;
		}
		lua_createtable(L, 0, count);
		do {
			if (++i > count)
				(void)luaL_error(L, "%s:%d: more fields than the header's %d", name,
					line, count);
			lua_rawgeti(L, header, i);
			more = csv_field(L, &c);
			lua_rawset(L, -3);
		} while (more);
		if (i < count)
			(void)luaL_error(
				L, "%s:%d: %d fields, the header has %d", name, line, i, count);
		lua_rawseti(L, -2, ++row);
	}
}

/* Push an array of sizes. */
static void push_dims(lua_State *L, const size_t *dims, int count)
{
	int i;

	lua_createtable(L, count, 0);
	for (i = 0; i < count; i++) {
		lua_pushinteger(L, (lua_Integer)dims[i]);
		lua_rawseti(L, -2, i + 1);
	}
}

/* IDX, the format of MNIST: {0, 0, type, rank}, sizes big-endian, data. */
static void read_idx(lua_State *L, const char *text, size_t len, const char *name)
{
	static const struct {
		unsigned char code;
		unsigned char size;
		char type[4];
	} types[] = { { 0x08, 1, "u8" }, { 0x09, 1, "i8" }, { 0x0B, 2, "i16" }, { 0x0C, 4, "i32" },
		{ 0x0D, 4, "f32" }, { 0x0E, 8, "f64" } };
	const unsigned char *p = (const unsigned char *)text;
	size_t dims[DIMS_MAX], i, t, total;
	int rank = len >= 4 ? p[3] : 0;

	for (t = 0; t < sizeof types / sizeof types[0]; t++) {
		if (len >= 4 && p[2] == types[t].code)
			break;
	}
	if (len < 4 || p[0] != 0 || p[1] != 0 || t == sizeof types / sizeof types[0] || rank < 1 ||
		rank > DIMS_MAX || len < 4 + 4 * (size_t)rank)
		(void)luaL_error(L, "%s: not an IDX file", name);
	total = types[t].size;
	for (i = 0; i < (size_t)rank; i++) {
		const unsigned char *d = p + 4 + 4 * i;

		dims[i] =
			(size_t)d[0] << 24 | (size_t)d[1] << 16 | (size_t)d[2] << 8 | (size_t)d[3];
		if (dims[i] != 0 && total > SIZE_MAX / dims[i])
			(void)luaL_error(L, "%s: its sizes are too large", name);
		total *= dims[i];
	}
	if (total != len - 4 - 4 * (size_t)rank)
		(void)luaL_error(L, "%s: its header and its length do not agree", name);
	lua_createtable(L, 0, 3);
	push_dims(L, dims, rank);
	lua_setfield(L, -2, "dims");
	lua_pushstring(L, types[t].type);
	lua_setfield(L, -2, "type");
	lua_pushlstring(L, text + 4 + 4 * (size_t)rank, total);
	lua_setfield(L, -2, "data");
}

/* What an NPY header says. */
struct npy {
	char dtype[8]; /* "<f4" */
	char kind;     /* f i u b */
	size_t size;   /* bytes of a value */
	size_t dims[DIMS_MAX], count;
	int rank;
	bool is_swapped;
};

/* The value of a key in the Python dict of the header, or NULL. */
static const char *npy_key(const char *header, const char *key)
{
	const char *p = strstr(header, key);

	if (p == NULL)
		return NULL;
	p += strlen(key);
	while (*p == ' ' || *p == ':')
		p++;
	return p;
}

static bool npy_shape(struct npy *n, const char *p)
{
	n->count = 1;
	if (*p++ != '(')
		return false;
	while (*p != ')') {
		char *end;
		unsigned long long size;

		if (*p < '0' || *p > '9' || n->rank == DIMS_MAX)
			return false;
		size = strtoull(p, &end, 10);
		n->dims[n->rank++] = (size_t)size;
		if (size != 0 && n->count > VALUES_MAX / size)
			return false;
		n->count *= (size_t)size;
		p = end + strspn(end, ", ");
	}
	return true;
}

static bool npy_header(struct npy *n, const char *header)
{
	const char *descr = npy_key(header, "'descr'"), *shape = npy_key(header, "'shape'");
	const char *order = npy_key(header, "'fortran_order'");
	size_t len;

	if (descr == NULL || shape == NULL || order == NULL || *descr != '\'' ||
		!npy_shape(n, shape))
		return false;
	descr++;
	len = strcspn(descr, "'");
	if (len != 3 || strchr("<>|=", descr[0]) == NULL || strchr("fiub", descr[1]) == NULL)
		return false;
	memcpy(n->dtype, descr, len);
	n->is_swapped = descr[0] == '>';
	n->kind = descr[1];
	n->size = (size_t)(descr[2] - '0');
	if (n->size != 1 && n->size != 2 && n->size != 4 && n->size != 8)
		return false;
	if (strncmp(order, "True", 4) == 0 && n->rank > 1)
		return false;
	return !(n->kind == 'f' && n->size < 4) && !(n->kind == 'b' && n->size != 1);
}

static void push_value(lua_State *L, const struct npy *n, const unsigned char *p)
{
	uint64_t bits = 0;
	size_t i;

	for (i = 0; i < n->size; i++)
		bits |= (uint64_t)p[n->is_swapped ? n->size - 1 - i : i] << (8 * i);
	if (n->kind == 'f' && n->size == 4) {
		uint32_t low = (uint32_t)bits;
		float x;

		memcpy(&x, &low, sizeof x);
		lua_pushnumber(L, (lua_Number)x);
	} else if (n->kind == 'f') {
		double x;

		memcpy(&x, &bits, sizeof x);
		lua_pushnumber(L, x);
	} else if (n->kind == 'i' && n->size < 8 && (bits >> (8 * n->size - 1) & 1) != 0) {
		lua_pushinteger(L, (lua_Integer)(bits | UINT64_MAX << (8 * n->size)));
	} else {
		lua_pushinteger(L, (lua_Integer)bits);
	}
}

/* An array of numbers that also has `shape`, `dtype` and `data`, which is the array itself. */
static void read_npy(lua_State *L, const char *text, size_t len, const char *name)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t start = 10, header_len = 0, i;
	struct npy n = { 0 };

	if (len >= 10 && memcmp(text, "\x93NUMPY", 6) == 0)
		header_len = (size_t)p[8] | (size_t)p[9] << 8;
	if (header_len > 0 && p[6] >= 2 && len >= 12) {
		header_len |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
		start = 12;
	}
	if (header_len == 0 || header_len > len - start)
		(void)luaL_error(L, "%s: not an NPY file", name);
	if (!npy_header(&n, lua_pushlstring(L, text + start, header_len)))
		(void)luaL_error(L, "%s: an NPY file of a kind that is not read here: %s", name,
			lua_tostring(L, -1));
	lua_pop(L, 1);
	p += start + header_len;
	if (n.count > (len - start - header_len) / n.size)
		(void)luaL_error(L, "%s: its header and its length do not agree", name);
	lua_createtable(L, (int)n.count, 2);
	for (i = 0; i < n.count; i++) {
		push_value(L, &n, p + i * n.size);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	push_dims(L, n.dims, n.rank);
	lua_setfield(L, -2, "shape");
	lua_pushstring(L, n.dtype);
	lua_setfield(L, -2, "dtype");
	lua_createtable(L, 0, 1);
	lua_createtable(L, 0, 1);
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "data");
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
}

void lua_read(lua_State *L, const char *type, const char *path, const char *name)
{
	size_t len;
	const char *text = push_file(L, path, name, &len);

	if (strcmp(type, "json") == 0)
		lua_json_decode(L, text, len, path);
	else if (strcmp(type, "lines") == 0)
		read_lines(L, text, len);
	else if (strcmp(type, "csv") == 0)
		read_csv(L, text, len, path);
	else if (strcmp(type, "idx") == 0)
		read_idx(L, text, len, path);
	else if (strcmp(type, "npy") == 0)
		read_npy(L, text, len, path);
}

static const char *put_text(lua_State *L, int index, struct buf *out)
{
	size_t len;
	const char *text = luaL_tolstring(L, index, &len);

	buf_add(out, text, len);
	lua_pop(L, 1);
	return NULL;
}

static const char *write_lines(lua_State *L, int index, struct buf *out)
{
	lua_Integer i, count = (lua_Integer)lua_rawlen(L, index);

	for (i = 1; i <= count; i++) {
		lua_rawgeti(L, index, i);
		(void)put_text(L, lua_gettop(L), out);
		buf_char(out, '\n');
		lua_pop(L, 1);
	}
	return NULL;
}

static void put_csv_field(lua_State *L, struct buf *out)
{
	size_t len, i;
	const char *text = luaL_tolstring(L, -1, &len);

	if (text[strcspn(text, ",\"\r\n")] == '\0' && strlen(text) == len) {
		buf_add(out, text, len);
	} else {
		buf_char(out, '"');
		for (i = 0; i < len; i++) {
			if (text[i] == '"')
				buf_char(out, '"');
			buf_char(out, text[i]);
		}
		buf_char(out, '"');
	}
	lua_pop(L, 1);
}

/* Rows as lua_read gives them; the order of columns comes from `columns`. */
static const char *write_csv(lua_State *L, int index, struct buf *out)
{
	lua_Integer row, rows = (lua_Integer)lua_rawlen(L, index), i, count;
	int columns;

	if (lua_getfield(L, index, "columns") != LUA_TTABLE)
		return "rows need `columns`, a list of names, to be written as csv";
	columns = lua_gettop(L);
	count = (lua_Integer)lua_rawlen(L, columns);
	for (row = 0; row <= rows; row++) {
		if (row > 0 && lua_rawgeti(L, index, row) != LUA_TTABLE)
			return "a row of a csv must be a table";
		for (i = 1; i <= count; i++) {
			lua_rawgeti(L, columns, i);
			if (row > 0)
				lua_rawget(L, columns + 1);
			if (i > 1)
				buf_char(out, ',');
			if (!lua_isnil(L, -1))
				put_csv_field(L, out);
			lua_pop(L, 1);
		}
		buf_char(out, '\n');
		lua_settop(L, columns);
	}
	return NULL;
}

const char *lua_write(lua_State *L, int index, const char *type, struct buf *out)
{
	const char *fault;

	if (lua_istable(L, index) && strcmp(type, "lines") == 0)
		return write_lines(L, index, out);
	if (lua_istable(L, index) && strcmp(type, "csv") == 0)
		return write_csv(L, index, out);
	if (!lua_istable(L, index) && strcmp(type, "json") != 0)
		return put_text(L, index, out);
	fault = lua_json_encode(L, index, out, 2);
	buf_char(out, '\n');
	return fault;
}
