#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"

char *buf_room(struct buf *b, size_t len)
{
	if (b->cap - b->len < len + 1) {
		size_t cap = b->cap * 2;

		if (cap < b->len + len + 1)
			cap = b->len + len + 1;
		if (cap < 64)
			cap = 64;
		b->data = mem_grow(b->data, cap, 1);
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	char *to = buf_room(b, len);

	if (len != 0)
		memcpy(to, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_repeat(struct buf *b, char c, size_t count)
{
	memset(buf_room(b, count), c, count);
	b->len += count;
	b->data[b->len] = '\0';
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	char small[256]; /* what most texts fit into is formatted once */
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(small, sizeof small, fmt, again);
	va_end(again);
	if (len < 0)
		return;
	if ((size_t)len < sizeof small) {
		buf_add(b, small, (size_t)len);
		return;
	}
	(void)vsnprintf(buf_room(b, (size_t)len), (size_t)len + 1, fmt, ap);
	b->len += (size_t)len;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void buf_release(struct buf *b)
{
	free(b->data);
	memset(b, 0, sizeof *b);
}

const char *buf_text(const struct buf *b)
{
	return b->data != NULL ? b->data : "";
}

char *buf_in(const struct buf *b, struct arena *a)
{
	return arena_strndup(a, buf_text(b), b->len);
}
