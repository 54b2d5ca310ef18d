/*
 * tests/fuzz/mapped.h - a file for the readers of stages/common, whose mapping ends where the file does.
 *
 * A mapped file is followed by zeros up to the end of its page: reading past it would not be seen. In targets that read files
 * by mapping, mmap() and munmap() are those of mapped.c, which copy the file into memory of just its size.
 *
 *     idx_open(&idx, mapped_file(data, size), 3, &fault)
 */
#ifndef FLOW_TESTS_FUZZ_MAPPED_H
#define FLOW_TESTS_FUZZ_MAPPED_H

#include <stddef.h>
#include <stdint.h>

/* The path of a file in memory with that in it; until the next call. */
const char *mapped_file(const uint8_t *data, size_t size);

#endif
