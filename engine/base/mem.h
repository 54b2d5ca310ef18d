/*
 * base/mem.h - malloc that aborts with one line instead of returning NULL.
 *
 * Safe for flow because the journal is always ahead of the world: a process that dies here is a crash, and crashes are
 * recovered from. Never for sizes that a user's file names; those are checked against a limit first.
 */
#ifndef FLOW_BASE_MEM_H
#define FLOW_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_grow(void *old, size_t count, size_t size); /* realloc(old, count * size), overflow checked */
char *mem_strdup(const char *s);

#endif
