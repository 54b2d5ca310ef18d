/*
 * common/npy.h - NumPy's NPY files: lists of row numbers in, tables of probabilities out.
 *
 *     npy_write(path, NPY_INT64, rows, count, 0, fault);
 *     struct npy_rows r;  npy_read_rows(&r, path, fault);
 *     ...r.row[i], r.count...  npy_close_rows(&r);
 *
 * Version 1.0 to 3.0 headers are read, version 1.0 is written, always C order and little-endian.
 * Only one-dimensional int64 arrays are read; a file whose header does not describe it to the byte
 * is refused.
 */
#ifndef FLOW_STAGES_COMMON_NPY_H
#define FLOW_STAGES_COMMON_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "common/file.h"

struct fault;

enum npy_type { NPY_INT64, NPY_FLOAT32 };

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

#endif
