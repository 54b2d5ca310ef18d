/*
 * base/buf.h - bytes that grow.
 *
 *     struct buf b = { 0 };  buf_str(&b, "x");  ...b.data, b.len...  buf_release(&b);
 * A zeroed buf is ready for use. After any buf_* call that adds, data[len] is NUL. buf_text() of an empty buf is "".
 */
#ifndef FLOW_BASE_BUF_H
#define FLOW_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct buf {
	char *data;
	size_t len, cap;
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_repeat(struct buf *b, char c, size_t count);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
char *buf_room(struct buf *b, size_t len); /* at least len writable bytes at the end; add to len yourself */
void buf_clear(struct buf *b);             /* empty, memory kept */
void buf_release(struct buf *b);
const char *buf_text(const struct buf *b);
char *buf_in(const struct buf *b, struct arena *a); /* a copy of the text in the arena */

#endif
