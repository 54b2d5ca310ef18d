#include "table/arrays.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/text.h"

#define HEADER_MAX 65535
#define SHAPE_MAX  (COLUMN_DIMENSIONS_MAX + 1)
#define BLOCK_SIZE ((size_t)1 << 20)

static int read_exactly(struct array_file *a, void *to, size_t size, struct fault *fault)
{
	long got = stream_read(&a->stream, to, size, fault);

	if (got < 0)
		return -1;
	if ((size_t)got != size)
		return fault_set(fault, "'%s' ends inside its header", a->path);
	return 0;
}

/* The first dimension counts rows, the others make a row. */
static int set_shape(
	struct array_file *a, const uint64_t *shape, unsigned dimensions, struct fault *fault)
{
	uint64_t width = 1;

	if (dimensions == 0)
		return fault_set(fault, "'%s' is a single number, not an array of rows", a->path);
	a->rows = shape[0];
	a->column.dimensions = dimensions - 1;
	for (unsigned i = 1; i < dimensions; i++) {
		if (shape[i] == 0 || shape[i] > COLUMN_WIDTH_MAX ||
			width * shape[i] > COLUMN_WIDTH_MAX)
			return fault_set(fault, "'%s': a row has no numbers, or more than %u",
				a->path, COLUMN_WIDTH_MAX);
		width *= shape[i];
		a->column.dimension[i - 1] = (uint32_t)shape[i];
	}
	a->column.width = (uint32_t)width;
	if (a->rows == 0)
		return fault_set(fault, "'%s' has no rows", a->path);
	if (a->rows > UINT64_MAX / width / a->item_size)
		return fault_set(fault, "'%s' has dimensions too large to be true", a->path);
	return 0;
}

static int read_idx(struct array_file *a, struct fault *fault)
{
	static const struct {
		unsigned char code;
		enum column_type type;
	} types[] = { { 8, COLUMN_UINT8 }, { 9, COLUMN_INT8 }, { 11, COLUMN_INT16 },
		{ 12, COLUMN_INT32 }, { 13, COLUMN_FLOAT32 }, { 14, COLUMN_FLOAT64 } };
	unsigned char magic[4], bytes[4];
	uint64_t shape[SHAPE_MAX];

	if (read_exactly(a, magic, sizeof magic, fault) < 0)
		return -1;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i].code == magic[2])
			a->column.type = types[i].type;
	if (magic[0] != 0 || magic[1] != 0 || a->column.type == 0)
		return fault_set(fault, "'%s' is not an IDX file", a->path);
	if (magic[3] > SHAPE_MAX)
		return fault_set(fault, "'%s' has %u dimensions, at most %d are read", a->path,
			(unsigned)magic[3], SHAPE_MAX);
	a->item_size = column_cell_size(a->column.type);
	a->is_swapped = a->item_size > 1;
	for (unsigned i = 0; i < magic[3]; i++) {
		if (read_exactly(a, bytes, sizeof bytes, fault) < 0)
			return -1;
		shape[i] = (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 |
			   (uint64_t)bytes[2] << 8 | bytes[3];
	}
	return set_shape(a, shape, magic[3], fault);
}

/* The text after 'key': in the header, or "". */
static const char *find_value(const char *header, const char *key)
{
	const char *at = strstr(header, key);

	if (at == NULL)
		return "";
	at += strlen(key);
	while (*at == ' ' || *at == ':')
		at++;
	return at;
}

static int read_npy_type(struct array_file *a, const char *text, struct fault *fault)
{
	static const struct {
		char code[3];
		enum column_type type;
	} types[] = { { "b1", COLUMN_BOOLEAN }, { "i1", COLUMN_INT8 }, { "i2", COLUMN_INT16 },
		{ "i4", COLUMN_INT32 }, { "i8", COLUMN_INT64 }, { "u1", COLUMN_UINT8 },
		{ "u2", COLUMN_UINT16 }, { "u4", COLUMN_UINT32 }, { "u8", COLUMN_INT64 },
		{ "f2", COLUMN_FLOAT32 }, { "f4", COLUMN_FLOAT32 }, { "f8", COLUMN_FLOAT64 } };

	if (strlen(text) > 5 && text[0] == '\'' && strchr("<>|=", text[1]) != NULL &&
		text[4] == '\'')
		for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
			if (strncmp(types[i].code, text + 2, 2) == 0)
				a->column.type = types[i].type;
	if (a->column.type == 0)
		return fault_set(fault,
			"'%s' holds '%.20s', numbers are wanted (bool, int, uint or float)",
			a->path, text);
	a->item_size = (size_t)(text[3] - '0');
	a->is_swapped = text[1] == '>' && a->item_size > 1;
	a->is_half = text[2] == 'f' && text[3] == '2';
	a->is_unsigned_long = text[2] == 'u' && text[3] == '8';
	return 0;
}

/* "(60000, 28, 28)" */
static int read_npy_shape(struct array_file *a, const char *text, struct fault *fault)
{
	uint64_t shape[SHAPE_MAX];
	unsigned count = 0;

	if (*text++ != '(')
		return fault_set(fault, "'%s' has no shape", a->path);
	while (isdigit((unsigned char)*text)) {
		char *end;

		if (count == SHAPE_MAX)
			return fault_set(
				fault, "'%s' has more than %d dimensions", a->path, SHAPE_MAX);
		shape[count++] = strtoull(text, &end, 10);
		text = end;
		while (*text == ',' || *text == ' ')
			text++;
	}
	if (*text != ')')
		return fault_set(fault, "'%s' has no shape that can be read", a->path);
	return set_shape(a, shape, count, fault);
}

static int parse_npy(struct array_file *a, const char *header, struct fault *fault)
{
	if (read_npy_type(a, find_value(header, "'descr'"), fault) < 0 ||
		read_npy_shape(a, find_value(header, "'shape'"), fault) < 0)
		return -1;
	if (strncmp(find_value(header, "'fortran_order'"), "False", 5) != 0 &&
		a->column.dimensions != 0)
		return fault_set(fault,
			"'%s' is in Fortran order; save it with "
			"numpy.ascontiguousarray()",
			a->path);
	return 0;
}

static int read_npy(struct array_file *a, struct fault *fault)
{
	unsigned char prefix[12];
	size_t length;
	char *header;
	int rc;

	if (read_exactly(a, prefix, 10, fault) < 0)
		return -1;
	if (memcmp(prefix, "\x93NUMPY", 6) != 0)
		return fault_set(fault, "'%s' is not an NPY file", a->path);
	if (prefix[6] < 1 || prefix[6] > 3)
		return fault_set(fault, "'%s' has NPY version %u, 1 to 3 are read", a->path,
			(unsigned)prefix[6]);
	length = (size_t)prefix[8] | (size_t)prefix[9] << 8;
	if (prefix[6] > 1) {
		if (read_exactly(a, prefix + 10, 2, fault) < 0)
			return -1;
		length |= (size_t)prefix[10] << 16 | (size_t)prefix[11] << 24;
	}
	if (length > HEADER_MAX)
		return fault_set(
			fault, "'%s' has a header of %zu bytes, too long", a->path, length);
	header = array_new(length + 1, 1);
	rc = read_exactly(a, header, length, fault);
	if (rc == 0)
		rc = parse_npy(a, header, fault);
	free(header);
	return rc;
}

int array_open(struct array_file *array, const char *path, enum format format, struct fault *fault)
{
	struct array_file made = { .path = path };

	if (stream_open(&made.stream, path, fault) < 0)
		return -1;
	if ((format == FORMAT_IDX ? read_idx(&made, fault) : read_npy(&made, fault)) < 0) {
		array_close(&made);
		return -1;
	}
	made.block = array_new(BLOCK_SIZE, 1);
	*array = made;
	return 0;
}

static void swap(unsigned char *data, size_t size, size_t item)
{
	for (size_t i = 0; i + item <= size; i += item) {
		for (size_t k = 0; k < item / 2; k++) {
			unsigned char byte = data[i + k];

			data[i + k] = data[i + item - 1 - k];
			data[i + item - 1 - k] = byte;
		}
	}
}

static float from_half(uint16_t half)
{
	int exponent = half >> 10 & 31;
	float value = (float)(half & 0x3ff);

	if (exponent == 31)
		value = value != 0 ? NAN : INFINITY;
	else if (exponent == 0)
		value = ldexpf(value, -24);
	else
		value = ldexpf(value + 1024, exponent - 25);
	return half & 0x8000 ? -value : value;
}

static int put_block(
	const struct array_file *a, unsigned char *to, size_t items, struct fault *fault)
{
	for (size_t i = 0; a->is_half && i < items; i++) {
		uint16_t half;
		float value;

		memcpy(&half, a->block + 2 * i, sizeof half);
		value = from_half(half);
		memcpy(to + 4 * i, &value, sizeof value);
	}
	for (size_t i = 0; a->is_unsigned_long && i < items; i++)
		if (a->block[8 * i + 7] > 127)
			return fault_set(fault, "'%s' holds a number above 2^63 - 1", a->path);
	for (size_t i = 0; a->column.type == COLUMN_BOOLEAN && i < items; i++)
		if (a->block[i] > 1)
			return fault_set(
				fault, "'%s' holds a boolean that is neither 0 nor 1", a->path);
	if (!a->is_half)
		memcpy(to, a->block, items * a->item_size);
	return 0;
}

int array_read(struct array_file *array, struct cells *cells, size_t rows, struct fault *fault)
{
	size_t items = rows * array->column.width, cell = column_cell_size(array->column.type);

	cells_reserve(cells, rows, 0);
	while (items > 0) {
		size_t room = BLOCK_SIZE / array->item_size, take = items < room ? items : room;
		long got =
			stream_read(&array->stream, array->block, take * array->item_size, fault);

		if (got < 0)
			return -1;
		if ((size_t)got != take * array->item_size)
			return fault_set(fault,
				"'%s' is cut short: its header promises %llu rows, it ends after "
				"row %llu",
				array->path, (unsigned long long)array->rows,
				(unsigned long long)(array->rows_read +
						     (cells->size / cell +
							     (size_t)got / array->item_size) /
							     array->column.width -
						     cells->rows));
		if (array->is_swapped)
			swap(array->block, (size_t)got, array->item_size);
		if (put_block(array, cells->data + cells->size, take, fault) < 0)
			return -1;
		cells->size += take * cell;
		items -= take;
	}
	cells->rows += rows;
	array->rows_read += rows;
	return 0;
}

int array_finish(struct array_file *array, struct fault *fault)
{
	unsigned char more;
	long got = stream_read(&array->stream, &more, 1, fault);

	if (got > 0)
		return fault_set(fault,
			"'%s' has bytes after the %llu rows that its header promises", array->path,
			(unsigned long long)array->rows);
	return (int)got;
}

void array_close(struct array_file *array)
{
	stream_close(&array->stream);
	free(array->block);
	*array = (struct array_file){ 0 };
}
