/*
 * tests/fuzz/fuzz.h - what fuzz targets share.
 *
 * A target is a file fuzz_<name>.c with LLVMFuzzerTestOneInput(): any bytes will do, and it returns 0. What must hold whatever
 * the bytes are is said with FUZZ_CHECK. Built with -DFLOW_FUZZ=ON (clang) it is a libFuzzer program; in every other build
 * main.c hands it the files of its corpus, as an ordinary test.
 */
#ifndef FLOW_TESTS_FUZZ_FUZZ_H
#define FLOW_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(what)                                            \
	do {                                                        \
		if (!(what))                                        \
			fuzz_broken(#what, __FILE__, __LINE__);     \
	} while (0)

_Noreturn void fuzz_broken(const char *what, const char *file, int line);

/* The input as text: NUL-terminated, in memory of just its size, so that the sanitizer sees every overrun. free() it. */
char *fuzz_text(const uint8_t *data, size_t size);

/* Read every byte, so that the sanitizer sees those that are not there. */
unsigned fuzz_touch(const void *data, size_t size);

/* Cut the text at each line that is `mark`; at most `room` parts, the last has the rest. Returns how many. */
size_t fuzz_parts(char *text, const char *mark, char **parts, size_t room);

/* A temporary folder of this process, removed when it exits: its path and its descriptor. */
const char *fuzz_folder(int *fd);

/* Write a file of that folder anew, or append to it. */
void fuzz_write(const char *name, const void *data, size_t size);
void fuzz_append(const char *name, const void *data, size_t size);

/*
 * Bytes to change in something that is large or is made by this build: the input is a list of {u24 where, u8 how many, bytes},
 * and no seed goes stale when a struct changes. Nothing outside the data is written.
 */
void fuzz_patch(unsigned char *data, size_t len, const uint8_t *input, size_t size);

#endif
