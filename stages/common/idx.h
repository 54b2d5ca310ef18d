/*
 * common/idx.h - IDX files of bytes: images (rows, height, width) and labels (rows).
 *
 *     struct idx images;  idx_open(&images, path, 3, fault);
 *     ...idx_row(&images, i)...  idx_close(&images);
 *
 * The layout is that of the MNIST files: 0, 0, type (8: unsigned byte), number of dimensions, each
 * dimension as a big-endian 32-bit number, the bytes. The file is mapped, not copied; rows are
 * borrowed until idx_close(). A header that does not describe the file to the byte is refused. A
 * compressed file is named as such, since that is the usual mistake.
 */
#ifndef FLOW_STAGES_COMMON_IDX_H
#define FLOW_STAGES_COMMON_IDX_H

#include <stddef.h>
#include <stdint.h>

#include "common/file.h"

#define IDX_DIMENSIONS_MAX 4

struct idx {
	struct mapped file;
	unsigned dimensions;
	uint32_t dimension[IDX_DIMENSIONS_MAX];
	size_t rows;         /* dimension[0] */
	size_t row_size;     /* bytes of a row: the product of the other dimensions, 1 for labels */
	const uint8_t *data; /* rows * row_size bytes inside the file */
};

/* `dimensions` is how many the caller wants. *idx is written on success only. */
int idx_open(struct idx *idx, const char *path, unsigned dimensions, struct fault *fault);
void idx_close(struct idx *idx); /* zeroed: nothing */

static inline const uint8_t *idx_row(const struct idx *idx, size_t row)
{
	return idx->data + row * idx->row_size;
}

#endif
