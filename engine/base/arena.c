#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ALIGN 16u
#ifdef FLOW_STRESS
#define BLOCK 1u /* one block an allocation, so that the sanitizer sees every overrun */
#else
#define BLOCK (64u * 1024u - sizeof(struct arena_block))
#endif

struct arena_block {
	struct arena_block *older;
	size_t size;
	_Alignas(ALIGN) unsigned char data[];
};

static struct arena_block *block_new(struct arena_block *older, size_t size)
{
	struct arena_block *b = mem_alloc(sizeof *b + size);

	b->older = older;
	b->size = size;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	void *p;

	if (a->block == NULL || need > a->block->size - a->used) {
		a->block = block_new(a->block, need > BLOCK ? need : BLOCK);
		a->used = 0;
	}
	p = a->block->data + a->used;
	a->used += need;
	return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
	return memset(arena_alloc(a, size), 0, size);
}

void *arena_dup(struct arena *a, const void *data, size_t size)
{
	void *p = arena_alloc(a, size);

	if (size != 0)
		memcpy(p, data, size);
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char small[256]; /* what most texts fit into is formatted once */
	va_list again;
	int len;
	char *p;

	va_copy(again, ap);
	len = vsnprintf(small, sizeof small, fmt, again);
	va_end(again);
	if (len < 0)
		return arena_strdup(a, "");
	if ((size_t)len < sizeof small)
		return arena_strndup(a, small, (size_t)len);
	p = arena_alloc(a, (size_t)len + 1);
	(void)vsnprintf(p, (size_t)len + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void arena_release(struct arena *a)
{
	struct arena_block *b, *older;

	for (b = a->block; b != NULL; b = older) {
		older = b->older;
		free(b);
	}
	a->block = NULL;
	a->used = 0;
}
