/*
 * tests/fuzz/tensorfile.h - what may happen to a good safetensors file before it is read.
 *
 *     struct tensorfile good, changed;
 *     tensorfile_keep(&good, path);                                          once
 *     tensorfile_change(&changed, &good, input, size);  mapped_show(path, changed.data, changed.size);
 *     tensorfile_release(&changed);
 *
 * The input's first byte says how: even, and bytes of the file change (fuzz_patch); odd, and notes of its metadata do, which keeps it whole
 * and makes a lie of it: {which note, length, its new text}, again and again. No input: it stays as it is.
 */
#ifndef FLOW_TESTS_FUZZ_TENSORFILE_H
#define FLOW_TESTS_FUZZ_TENSORFILE_H

#include <stddef.h>
#include <stdint.h>

struct tensorfile {
	unsigned char *data;
	size_t size;
};

/* The file of that path, which tensors_write() has written. */
void tensorfile_keep(struct tensorfile *file, const char *path);
void tensorfile_change(struct tensorfile *changed, const struct tensorfile *good, const uint8_t *input, size_t size);
void tensorfile_release(struct tensorfile *file);

#endif
