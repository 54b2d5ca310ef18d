/*
 * report/tensors.h - the arrays in an NPY or safetensors file: names, types, where their bytes lie.
 *
 *     struct tensor_list list;
 *     tensor_list_read(&list, fd, &arena)     1: it is such a file; 0: it is none, or is damaged
 *     tensor_numbers(&tensor, bytes, count, doubles)
 *
 * Headers come from stages and may be anything: every size is checked against the file's. An NPY file has one tensor without a name.
 */
#ifndef FLOW_REPORT_TENSORS_H
#define FLOW_REPORT_TENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum tensor_type {
	TENSOR_F64, TENSOR_F32, TENSOR_F16, TENSOR_BF16,
	TENSOR_I64, TENSOR_I32, TENSOR_I16, TENSOR_I8,
	TENSOR_U64, TENSOR_U32, TENSOR_U16, TENSOR_U8,
	TENSOR_TYPES,
};

struct tensor {
	const char *name;
	const char *shape;  /* "f32[3,4]" */
	enum tensor_type type;
	uint64_t offset;    /* in the file */
	uint64_t count;
};

struct tensor_list {
	struct tensor *items; /* sorted by name, in the arena */
	size_t count, cap;
	const char *format;   /* "npy", "safetensors" */
};

int tensor_list_read(struct tensor_list *out, int fd, struct arena *a);
unsigned tensor_width(enum tensor_type type);
void tensor_numbers(enum tensor_type type, const void *bytes, size_t count, double *out);

#endif
