/*
 * base/arena.h - memory that is freed all at once.
 *
 *     struct arena a = { 0 };  ...arena_alloc(&a, n)...  arena_release(&a);
 * A zeroed arena is ready for use. What it hands out lives until arena_release, is aligned for any type and never NULL:
 * when the machine has no memory left the process aborts with one line (the journal is ahead of the world, so nothing is
 * lost). Sizes that users choose are bounded before they come here.
 */
#ifndef FLOW_BASE_ARENA_H
#define FLOW_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena {
	struct arena_block *block; /* newest first */
	size_t used;               /* bytes taken from the newest block */
};

void *arena_alloc(struct arena *a, size_t size);  /* not cleared */
void *arena_zalloc(struct arena *a, size_t size); /* cleared */
void *arena_dup(struct arena *a, const void *data, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
void arena_release(struct arena *a);

#endif
