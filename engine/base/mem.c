#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *check(void *p)
{
	static const char text[] = "flow: out of memory\n";

	if (p == NULL) {
		(void)!write(2, text, sizeof text - 1);
		abort();
	}
	return p;
}

void *mem_alloc(size_t size)
{
	return check(malloc(size != 0 ? size : 1));
}

void *mem_zalloc(size_t size)
{
	return check(calloc(1, size != 0 ? size : 1));
}

void *mem_grow(void *old, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return check(NULL);
	return check(realloc(old, count * size != 0 ? count * size : 1));
}

char *mem_strdup(const char *s)
{
	return check(strdup(s));
}
