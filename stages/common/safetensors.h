/*
 * common/safetensors.h - tensors by name in one file, as PyTorch and others read them.
 *
 * The layout: a little-endian 64-bit header length, a JSON map {name: {dtype, shape, data_offsets}}
 * with an optional "__metadata__" of texts, the bytes. Only F32, I64 and U8 tensors are written
 * and read here.
 *
 *     write: struct tensors out = { 0 };  tensors_describe(&out, "format", "pt");
 *            tensors_add(&out, "linear.weight", TENSOR_F32, shape, 2, data);
 *            tensors_write(&out, path, fault);  tensors_release(&out);
 *     read:  struct tensors in = { 0 };  tensors_read(&in, path, fault);
 *            tensors_find(&in, "linear.weight")...  tensors_release(&in);
 *
 * Added data is borrowed until tensors_write(); names and texts are copied. Tensors that were read
 * point into the mapped file until tensors_release(). The reader trusts nothing: header over 100 MB
 * or past the end, dimensions that overflow, bytes outside the file, overlapping or left over,
 * sizes that do not fit shape and type, duplicate names are all refused.
 */
#ifndef FLOW_STAGES_COMMON_SAFETENSORS_H
#define FLOW_STAGES_COMMON_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "common/file.h"

struct fault;

#define TENSOR_DIMENSIONS_MAX 4
#define TENSOR_NAME_MAX       128
#define TENSOR_TEXT_MAX       1024
#define TENSORS_MAX           4096

enum tensor_type { TENSOR_F32, TENSOR_I64, TENSOR_U8 };

struct tensor {
	char name[TENSOR_NAME_MAX];
	enum tensor_type type;
	unsigned dimensions;
	uint64_t shape[TENSOR_DIMENSIONS_MAX];
	size_t start, size; /* bytes of the data part */
	const void *data;   /* of a read one: not aligned; memcpy() it out */
};

struct tensor_note {
	char key[TENSOR_NAME_MAX];
	char text[TENSOR_TEXT_MAX];
};

struct tensors {
	struct tensor *tensor;
	size_t count, room;
	struct tensor_note *note;
	size_t note_count, note_room;
	struct mapped file; /* of a read one */
	int is_durable;     /* of a written one: synced before it gets its name */
};

void tensors_add(struct tensors *tensors, const char *name, enum tensor_type type,
	const uint64_t *shape, unsigned dimensions, const void *data);
void tensors_describe(struct tensors *tensors, const char *key, const char *text);
int tensors_write(const struct tensors *tensors, const char *path, struct fault *fault);

int tensors_read(struct tensors *tensors, const char *path, struct fault *fault);
const struct tensor *tensors_find(const struct tensors *tensors, const char *name); /* or NULL */
const char *tensors_note(const struct tensors *tensors, const char *key);           /* or NULL */

void tensors_release(struct tensors *tensors); /* zeroed: nothing */

#endif
