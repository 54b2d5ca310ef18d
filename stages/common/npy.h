/*
 * common/npy.h - NumPy's NPY files: lists of row numbers in, tables of probabilities out.
 *
 *     npy_write(path, NPY_INT64, rows, count, 0, fault);
 *     struct npy_rows r;  npy_read_rows(&r, path, fault);
 *     ...r.row[i], r.count...  npy_close_rows(&r);
 *
 *     struct npy_array a;  npy_open(&a, path, fault);
 *     ...a.type, a.shape[0 .. a.dimensions - 1], a.data...  npy_close(&a);
 *
 * Version 1.0 to 3.0 headers are read, version 1.0 is written, always C order and little-endian.
 * A file whose header does not describe it to the byte is refused. npy_open() takes up to four
 * dimensions of bytes, 64-bit integers, floats or doubles.
 */
#ifndef FLOW_STAGES_COMMON_NPY_H
#define FLOW_STAGES_COMMON_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "common/file.h"

struct fault;

enum npy_type { NPY_INT64, NPY_FLOAT32, NPY_FLOAT64, NPY_UINT8 }; /* the first two are written */

/* rows x columns values; columns 0: a one-dimensional array of `rows`. */
int npy_write(const char *path, enum npy_type type, const void *data, size_t rows, size_t columns,
	struct fault *fault);

struct npy_rows {
	struct mapped file;
	const int64_t *row; /* inside the file; the header is padded so that it is aligned */
	size_t count;
};

int npy_read_rows(struct npy_rows *rows, const char *path, struct fault *fault);
void npy_close_rows(struct npy_rows *rows); /* zeroed: nothing */

#define NPY_DIMENSIONS_MAX 4

struct npy_array {
	struct mapped file;
	enum npy_type type;
	unsigned dimensions; /* at least 1 */
	size_t shape[NPY_DIMENSIONS_MAX];
	size_t count;     /* values: the product of the shape */
	const void *data; /* inside the file, aligned */
};

int npy_open(struct npy_array *array, const char *path, struct fault *fault);
void npy_close(struct npy_array *array); /* zeroed: nothing */

/* Does the file begin as an NPY file does? No file: 0. */
int npy_is(const char *path);

#endif
