/*
 * table/arrays.h - NPY and IDX files, plain or packed, into a shard: one wide column each.
 *
 *     struct array_file a;  array_open(&a, path, FORMAT_NPY, fault);
 *     ...a.rows, a.column...  array_read(&a, &cells, rows, fault);       the next rows
 *     array_finish(&a, fault);                                            nothing is left over
 *     array_close(&a);
 *
 * The first dimension counts rows. Cells come in the machine's byte order; float16 becomes float32,
 * uint64 becomes int64 where it fits. A header that does not describe the file to the byte is a
 * fault, told as soon as it shows.
 */
#ifndef FLOW_STAGES_TABLE_ARRAYS_H
#define FLOW_STAGES_TABLE_ARRAYS_H

#include <stddef.h>
#include <stdint.h>

#include "common/column.h"
#include "common/stream.h"
#include "table/options.h"

struct fault;

struct array_file {
	struct stream stream;
	const char *path;
	struct column column; /* the name is the caller's to set */
	uint64_t rows, rows_read;
	size_t item_size; /* bytes of a number in the file */
	int is_swapped;   /* the other byte order */
	int is_half, is_unsigned_long;
	unsigned char *block; /* what is read, before it is converted */
};

int array_open(struct array_file *array, const char *path, enum format format, struct fault *fault);
int array_read(struct array_file *array, struct cells *cells, size_t rows, struct fault *fault);
int array_finish(struct array_file *array, struct fault *fault);
void array_close(struct array_file *array); /* zeroed: nothing */

#endif
