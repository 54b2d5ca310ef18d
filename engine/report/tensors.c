#include "report/tensors.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"

#define HEADER_MAX ((uint64_t)64 << 20)
#define RANK_MAX   32

/* How each format calls a type. NPY's bytes are little-endian, or of one byte. */
static const struct {
	const char *safetensors, *npy, *shown;
	unsigned width;
} types[TENSOR_TYPES] = {
	[TENSOR_F64] = { "F64", "<f8", "f64", 8 },
	[TENSOR_F32] = { "F32", "<f4", "f32", 4 },
	[TENSOR_F16] = { "F16", "<f2", "f16", 2 },
	[TENSOR_BF16] = { "BF16", "", "bf16", 2 },
	[TENSOR_I64] = { "I64", "<i8", "i64", 8 },
	[TENSOR_I32] = { "I32", "<i4", "i32", 4 },
	[TENSOR_I16] = { "I16", "<i2", "i16", 2 },
	[TENSOR_I8] = { "I8", "|i1", "i8", 1 },
	[TENSOR_U64] = { "U64", "<u8", "u64", 8 },
	[TENSOR_U32] = { "U32", "<u4", "u32", 4 },
	[TENSOR_U16] = { "U16", "<u2", "u16", 2 },
	[TENSOR_U8] = { "U8", "|u1", "u8", 1 },
};

unsigned tensor_width(enum tensor_type type)
{
	return types[type].width;
}

static enum tensor_type type_of(const char *text, size_t len, bool is_npy)
{
	unsigned i;

	if (strncmp(text, is_npy ? "|b1" : "BOOL", len) == 0 && len >= 3)
		return TENSOR_U8;
	for (i = 0; i < TENSOR_TYPES; i++) {
		const char *name = is_npy ? types[i].npy : types[i].safetensors;

		if (strlen(name) == len && memcmp(name, text, len) == 0)
			break;
	}
	return (enum tensor_type)i;
}

/* False: the shape is none, or has too many elements. Adds to "f32[". */
static bool add_dimension(struct tensor *t, struct buf *shape, uint64_t n, bool first)
{
	if (n != 0 && t->count > UINT64_MAX / n)
		return false;
	t->count *= n;
	buf_printf(shape, first ? "%llu" : ",%llu", (unsigned long long)n);
	return true;
}

static bool lies_inside(const struct tensor *t, uint64_t size)
{
	return t->offset <= size && t->count <= (size - t->offset) / types[t->type].width;
}

static bool read_at(int fd, void *out, size_t len, uint64_t at)
{
	return pread(fd, out, len, (off_t)at) == (ssize_t)len;
}

/* -- NPY: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } -- */

static const char *npy_value(const char *header, const char *key)
{
	const char *at = strstr(header, key);

	at = at != NULL ? strchr(at, ':') : NULL;
	return at != NULL ? at + 1 + strspn(at + 1, " ") : NULL;
}

static bool npy_shape(struct tensor *t, const char *at, struct arena *a)
{
	struct buf shape = { 0 };
	bool good = *at == '(', first = true;
	unsigned rank = 0;

	buf_printf(&shape, "%s[", types[t->type].shown);
	t->count = 1;
	for (at++; good && *at != ')'; first = false) {
		char *end;
		uint64_t n = strtoull(at, &end, 10);

		good = isdigit((unsigned char)*at) && rank++ < RANK_MAX &&
		       add_dimension(t, &shape, n, first);
		at = end + strspn(end, " ,");
	}
	buf_char(&shape, ']');
	t->shape = buf_in(&shape, a);
	buf_release(&shape);
	return good;
}

static bool npy_header(struct tensor *t, const char *header, struct arena *a)
{
	const char *descr = npy_value(header, "'descr'"), *shape = npy_value(header, "'shape'");
	const char *end;

	if (descr == NULL || shape == NULL || *descr != '\'' ||
		(end = strchr(descr + 1, '\'')) == NULL)
		return false;
	t->type = type_of(descr + 1, (size_t)(end - descr - 1), true);
	return t->type != TENSOR_TYPES && npy_shape(t, shape, a);
}

static int read_npy(struct tensor_list *out, int fd, uint64_t size, struct arena *a)
{
	unsigned char head[12];
	struct tensor t = { .name = "" };
	uint32_t len;
	char *header;

	if (!read_at(fd, head, sizeof head, 0) || memcmp(head, "\x93NUMPY", 6) != 0)
		return 0;
	len = head[8] | (uint32_t)head[9] << 8;
	if (head[6] > 1)
		len |= (uint32_t)head[10] << 16 | (uint32_t)head[11] << 24;
	t.offset = (head[6] > 1 ? 12u : 10u) + (uint64_t)len;
	if (t.offset > size || len > HEADER_MAX)
		return 0;
	header = arena_zalloc(a, (size_t)len + 1);
	if (!read_at(fd, header, len, t.offset - len) || !npy_header(&t, header, a) ||
		!lies_inside(&t, size))
		return 0;
	out->items = arena_dup(a, &t, sizeof t);
	out->count = 1;
	out->format = "npy";
	return 1;
}

/* -- safetensors: {"name": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}} -- */

static bool read_entry(struct tensor *t, const json_t *entry, uint64_t data, struct arena *a)
{
	const json_t *dtype = json_object_get(entry, "dtype"),
		     *dims = json_object_get(entry, "shape");
	const json_t *from = json_array_get(json_object_get(entry, "data_offsets"), 0);
	struct buf shape = { 0 };
	bool good = json_is_string(dtype) && json_is_array(dims) && json_is_integer(from) &&
		    json_integer_value(from) >= 0 && json_array_size(dims) <= RANK_MAX;
	size_t i;

	if (!good)
		return false;
	t->type = type_of(json_string_value(dtype), json_string_length(dtype), false);
	if (t->type == TENSOR_TYPES)
		return false;
	t->offset = data + (uint64_t)json_integer_value(from);
	t->count = 1;
	buf_printf(&shape, "%s[", types[t->type].shown);
	for (i = 0; good && i < json_array_size(dims); i++) {
		const json_t *n = json_array_get(dims, i);

		good = json_is_integer(n) && json_integer_value(n) >= 0 &&
		       add_dimension(t, &shape, (uint64_t)json_integer_value(n), i == 0);
	}
	buf_char(&shape, ']');
	t->shape = buf_in(&shape, a);
	buf_release(&shape);
	return good;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(((const struct tensor *)x)->name, ((const struct tensor *)y)->name);
}

static bool read_entries(
	struct tensor_list *out, json_t *root, uint64_t data, uint64_t size, struct arena *a)
{
	const char *name;
	json_t *entry;

	out->items = arena_alloc(a, (json_object_size(root) + 1) * sizeof *out->items);
	json_object_foreach(root, name, entry)
	{
		struct tensor t = { .name = arena_strdup(a, name) };

		if (strcmp(name, "__metadata__") == 0)
			continue;
		if (!read_entry(&t, entry, data, a) || !lies_inside(&t, size))
			return false;
		out->items[out->count++] = t;
	}
	qsort(out->items, out->count, sizeof *out->items, by_name);
	return true;
}

static int read_safetensors(struct tensor_list *out, int fd, uint64_t size, struct arena *a)
{
	unsigned char head[8];
	uint64_t len = 0;
	unsigned i;
	char *text;
	json_t *root;
	bool good;

	if (!read_at(fd, head, sizeof head, 0))
		return 0;
	for (i = 0; i < 8; i++)
		len |= (uint64_t)head[i] << (8 * i);
	if (len < 2 || len > HEADER_MAX || len > size - 8)
		return 0;
	text = malloc((size_t)len);
	if (text == NULL || !read_at(fd, text, (size_t)len, 8) || text[0] != '{') {
		free(text);
		return 0;
	}
	root = json_loadb(text, (size_t)len, 0, NULL);
	free(text);
	good = json_is_object(root) && read_entries(out, root, 8 + len, size, a);
	json_decref(root);
	out->format = "safetensors";
	return good;
}

int tensor_list_read(struct tensor_list *out, int fd, struct arena *a)
{
	struct stat st;

	*out = (struct tensor_list){ 0 };
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (read_npy(out, fd, (uint64_t)st.st_size, a) > 0)
		return 1;
	return read_safetensors(out, fd, (uint64_t)st.st_size, a);
}

/* -- numbers -- */

static double half_number(uint16_t bits)
{
	int exponent = bits >> 10 & 31;
	double x = bits & 1023;

	if (exponent == 31)
		x = x > 0 ? (double)NAN : (double)INFINITY;
	else
		x = exponent == 0 ? ldexp(x, -24) : ldexp(x + 1024, exponent - 25);
	return (bits & 0x8000) != 0 ? -x : x;
}

static double brain_number(uint16_t bits)
{
	uint32_t wide = (uint32_t)bits << 16;
	float x;

	memcpy(&x, &wide, sizeof x);
	return (double)x;
}

#define NUMBERS(type)                                                     \
	for (i = 0; i < count; i++) {                                     \
		type x;                                                   \
                                                                          \
		memcpy(&x, (const char *)bytes + i * sizeof x, sizeof x); \
		out[i] = (double)x;                                       \
	}                                                                 \
	return

#define BIT_NUMBERS(convert)                                              \
	for (i = 0; i < count; i++) {                                     \
		uint16_t x;                                               \
                                                                          \
		memcpy(&x, (const char *)bytes + i * sizeof x, sizeof x); \
		out[i] = convert(x);                                      \
	}                                                                 \
	return

void tensor_numbers(enum tensor_type type, const void *bytes, size_t count, double *out)
{
	size_t i;

	switch (type) {
	case TENSOR_F64: NUMBERS(double);
	case TENSOR_F32: NUMBERS(float);
	case TENSOR_F16: BIT_NUMBERS(half_number);
	case TENSOR_BF16: BIT_NUMBERS(brain_number);
	case TENSOR_I64: NUMBERS(int64_t);
	case TENSOR_I32: NUMBERS(int32_t);
	case TENSOR_I16: NUMBERS(int16_t);
	case TENSOR_I8: NUMBERS(int8_t);
	case TENSOR_U64: NUMBERS(uint64_t);
	case TENSOR_U32: NUMBERS(uint32_t);
	case TENSOR_U16: NUMBERS(uint16_t);
	case TENSOR_U8: NUMBERS(uint8_t);
	case TENSOR_TYPES: return;
	}
}
