/*
 * tests/fuzz/mapped.h - files in memory, for the readers of stages/common.
 *
 * A file takes the kernel longer than most readers take; and a mapped one is followed by zeros up to the end of its page, so that reading
 * past it would not be seen. In targets of stages that read files, mapped_open() and mapped_close() (common/file.h) are those of mapped.c:
 * what they give is a copy in memory of just its size.
 *
 *     idx_open(&idx, mapped_file(data, size), 3, &fault)
 *     mapped_show("folder/state-7", state, size);  mapped_show("folder/weights-7", weights, more);     two at a time
 */
#ifndef FLOW_TESTS_FUZZ_MAPPED_H
#define FLOW_TESTS_FUZZ_MAPPED_H

#include <stddef.h>
#include <stdint.h>

/* Who opens that path reads this, until it is shown other bytes, or none of it: data NULL. Path and data are borrowed. */
void mapped_show(const char *path, const uint8_t *data, size_t size);
/* The same for a path of its own, which it returns. */
const char *mapped_file(const uint8_t *data, size_t size);

#endif
