#include "common/npy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"

static const char magic[6] = { '\x93', 'N', 'U', 'M', 'P', 'Y' };

#define HEADER_SIZE \
	128 /* what is written: magic, version, length, text, padded to a multiple of 64 */
#define HEADER_MAX 4096

static int write_header(
	struct output *output, enum npy_type type, size_t rows, size_t columns, struct fault *fault)
{
	char header[HEADER_SIZE + 1], shape[64];
	const unsigned text_size = HEADER_SIZE - 10;
	int length;

	if (columns == 0)
		(void)snprintf(shape, sizeof shape, "(%zu,)", rows);
	else
		(void)snprintf(shape, sizeof shape, "(%zu, %zu)", rows, columns);
	memset(header, ' ', sizeof header);
	memcpy(header, magic, sizeof magic);
	header[6] = 1;
	header[7] = 0;
	header[8] = (char)(text_size & 0xff);
	header[9] = (char)(text_size >> 8);
	length = snprintf(header + 10, sizeof header - 10,
		"{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
		type == NPY_INT64 ? "<i8" : "<f4", shape);
	if (length < 0 || length >= (int)text_size)
		return fault_set(fault, "an array of %zu rows is too large", rows);
	header[10 + length] = ' ';
	header[HEADER_SIZE - 1] = '\n';
	output_write(output, header, HEADER_SIZE);
	return 0;
}

int npy_write(const char *path, enum npy_type type, const void *data, size_t rows, size_t columns,
	struct fault *fault)
{
	size_t size = type == NPY_INT64 ? sizeof(int64_t) : sizeof(float);
	struct output output;
	int rc;

	if (output_open(&output, path, fault) < 0)
		return -1;
	rc = write_header(&output, type, rows, columns, fault);
	if (rc < 0)
		goto out;
	output_write(&output, data, rows * (columns != 0 ? columns : 1) * size);
	rc = output_commit(&output, fault);
out:
	output_abandon(&output);
	return rc;
}

/* The text after 'key': in the header, or NULL. */
static const char *find_value(const char *header, const char *key)
{
	const char *at = strstr(header, key);

	if (at == NULL)
		return NULL;
	at += strlen(key);
	while (*at == ' ' || *at == ':')
		at++;
	return at;
}

/* "(N,)" -> N. */
static int read_count(size_t *count, const char *shape, const char *path, struct fault *fault)
{
	char *end;
	unsigned long long value;

	if (shape == NULL || shape[0] != '(' || !isdigit((unsigned char)shape[1]))
		return fault_set(fault, "'%s' has no one-dimensional shape", path);
	value = strtoull(shape + 1, &end, 10);
	if (end[0] != ',' || end[1] != ')' || value > SIZE_MAX / sizeof(int64_t))
		return fault_set(fault, "'%s' is not a one-dimensional array", path);
	*count = (size_t)value;
	return 0;
}

/* Copy the header's text to `header`, and where the data starts to *start. */
static int read_header(char header[HEADER_MAX + 1], size_t *start, const struct mapped *file,
	const char *path, struct fault *fault)
{
	size_t prefix, length;

	if (file->size < 12 || memcmp(file->data, magic, sizeof magic) != 0)
		return fault_set(fault, "'%s' is not an NPY file", path);
	if (file->data[6] < 1 || file->data[6] > 3)
		return fault_set(fault, "'%s' has NPY version %u, 1 to 3 are read", path,
			(unsigned)file->data[6]);
	prefix = file->data[6] == 1 ? 10 : 12;
	length = (size_t)file->data[8] | (size_t)file->data[9] << 8;
	if (prefix == 12)
		length |= (size_t)file->data[10] << 16 | (size_t)file->data[11] << 24;
	if (length > HEADER_MAX || length > file->size - prefix)
		return fault_set(fault, "'%s' has a header of %zu bytes, too long", path, length);
	memcpy(header, file->data + prefix, length);
	header[length] = '\0';
	*start = prefix + length;
	return 0;
}

static int read_rows(struct npy_rows *rows, const char *path, struct fault *fault)
{
	char header[HEADER_MAX + 1];
	const char *type, *order;
	size_t start = 0;

	if (read_header(header, &start, &rows->file, path, fault) < 0)
		return -1;
	type = find_value(header, "'descr'");
	if (type == NULL || strncmp(type, "'<i8'", 5) != 0)
		return fault_set(fault, "'%s' does not hold 64-bit integers ('<i8')", path);
	order = find_value(header, "'fortran_order'");
	if (order == NULL || strncmp(order, "False", 5) != 0)
		return fault_set(fault, "'%s' is not in C order", path);
	if (read_count(&rows->count, find_value(header, "'shape'"), path, fault) < 0)
		return -1;
	if (rows->count * sizeof(int64_t) != rows->file.size - start)
		return fault_set(fault, "'%s' should hold %zu numbers, but has %zu bytes for them",
			path, rows->count, rows->file.size - start);
	if (start % sizeof(int64_t) != 0)
		return fault_set(fault, "'%s' has unaligned data", path);
	rows->row = (const int64_t *)(const void *)(rows->file.data + start);
	return 0;
}

int npy_read_rows(struct npy_rows *rows, const char *path, struct fault *fault)
{
	struct npy_rows made = { 0 };

	if (mapped_open(&made.file, path, fault) < 0)
		return -1;
	if (read_rows(&made, path, fault) < 0) {
		mapped_close(&made.file);
		return -1;
	}
	*rows = made;
	return 0;
}

void npy_close_rows(struct npy_rows *rows)
{
	mapped_close(&rows->file);
	*rows = (struct npy_rows){ 0 };
}

static const struct {
	const char *name;
	size_t size;
} types[] = {
	[NPY_INT64] = { "'<i8'", 8 },
	[NPY_FLOAT32] = { "'<f4'", 4 },
	[NPY_FLOAT64] = { "'<f8'", 8 },
	[NPY_UINT8] = { "'|u1'", 1 },
};

static int read_type(struct npy_array *array, const char *text, const char *path, struct fault *fault)
{
	int length = 0;

	for (size_t i = 0; text != NULL && i < sizeof types / sizeof types[0]; i++) {
		if (strncmp(text, types[i].name, 5) == 0) {
			array->type = (enum npy_type)i;
			return 0;
		}
	}
	/* With its quotes; a list of fields ends where the header's next entry begins. */
	while (text != NULL && length < 40 && text[length] != '\0' && text[length] != ',')
		length++;
	return fault_set(fault, "'%s' holds %.*s; read are '|u1', '<i8', '<f4' and '<f8'", path,
		text != NULL ? length : 13, text != NULL ? text : "no known type");
}

/* "(2, 3)" or "(2,)" -> 2 and 3; their product must not overflow. */
static int read_shape(struct npy_array *array, const char *text, const char *path, struct fault *fault)
{
	array->count = 1;
	if (text == NULL || *text++ != '(')
		return fault_set(fault, "'%s' has no shape", path);
	while (isdigit((unsigned char)*text)) {
		char *end;
		unsigned long long value = strtoull(text, &end, 10);

		if (array->dimensions == NPY_DIMENSIONS_MAX)
			return fault_set(fault, "'%s' has more than %d dimensions", path,
				NPY_DIMENSIONS_MAX);
		if (value != 0 && array->count > SIZE_MAX / 8 / value)
			return fault_set(fault, "'%s' has a shape too large to be true", path);
		array->shape[array->dimensions++] = (size_t)value;
		array->count *= (size_t)value;
		text = end;
		while (*text == ',' || *text == ' ')
			text++;
	}
	if (*text != ')' || array->dimensions == 0)
		return fault_set(fault, "'%s' has a shape that cannot be read", path);
	return 0;
}

static int read_array(struct npy_array *array, const char *path, struct fault *fault)
{
	char header[HEADER_MAX + 1];
	const char *order;
	size_t start = 0, size;

	if (read_header(header, &start, &array->file, path, fault) < 0 ||
		read_type(array, find_value(header, "'descr'"), path, fault) < 0 ||
		read_shape(array, find_value(header, "'shape'"), path, fault) < 0)
		return -1;
	order = find_value(header, "'fortran_order'");
	if (order == NULL || strncmp(order, "False", 5) != 0)
		return fault_set(fault, "'%s' is not in C order", path);
	size = types[array->type].size;
	if (array->count * size != array->file.size - start)
		return fault_set(fault, "'%s' should hold %zu values, but has %zu bytes for them",
			path, array->count, array->file.size - start);
	if (start % size != 0)
		return fault_set(fault, "'%s' has unaligned data", path);
	array->data = array->file.data + start;
	return 0;
}

int npy_open(struct npy_array *array, const char *path, struct fault *fault)
{
	struct npy_array made = { .dimensions = 0 };

	if (mapped_open(&made.file, path, fault) < 0)
		return -1;
	if (read_array(&made, path, fault) < 0) {
		mapped_close(&made.file);
		return -1;
	}
	*array = made;
	return 0;
}

void npy_close(struct npy_array *array)
{
	mapped_close(&array->file);
	*array = (struct npy_array){ .dimensions = 0 };
}

int npy_is(const char *path)
{
	struct fault unused;
	struct mapped file = { 0 };
	int rc;

	if (mapped_open(&file, path, &unused) < 0)
		return 0;
	rc = file.size >= sizeof magic && memcmp(file.data, magic, sizeof magic) == 0;
	mapped_close(&file);
	return rc;
}
