#include "report/tame.h"

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

#define ESCAPE 0x1b

/* Bytes of a UTF-8 character that begins so; 0: none does. */
static size_t wanted(unsigned char c)
{
	return c >= 0xc2 && c < 0xe0   ? 2
	       : c >= 0xe0 && c < 0xf0 ? 3
	       : c >= 0xf0 && c < 0xf5 ? 4
				       : 0;
}

/* C1 controls, line and paragraph separators, marks that turn the direction of writing. */
static bool is_control(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;

	if (len == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	if (len != 3 || p[0] != 0xe2)
		return false;
	return (p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
	       (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
}

static void drop(struct tamer *t, struct buf *out)
{
	buf_char(out, '?');
	t->count = 0;
}

static void plain(struct tamer *t, struct buf *out, unsigned char c)
{
	bool was_return = t->was_return;

	t->was_return = c == '\r';
	if (c == ESCAPE || wanted(c) > 0)
		t->held[t->count++] = (char)c;
	else if (c == '\r' || (c == '\n' && !was_return))
		buf_char(out, '\n');
	else if (c == '\t' || (c >= 0x20 && c < 0x7f))
		buf_char(out, (char)c);
	else if (c != '\n')
		buf_char(out, '?');
}

/* A further byte of an escape sequence; false: it is not part of it. */
static bool in_escape(struct tamer *t, struct buf *out, unsigned char c)
{
	bool is_parameter = (c >= '0' && c <= '9') || c == ';' || c == ':';

	if (t->count == 1 ? c != '[' : !is_parameter && c != 'm') {
		drop(t, out);
		/* The letter of a sequence that moves the cursor goes with it. */
		return c >= 0x40 && c < 0x7f;
	}
	if (t->count + 1 >= sizeof t->held) {
		drop(t, out);
		return false;
	}
	t->held[t->count++] = (char)c;
	if (c == 'm') {
		buf_add(out, t->held, t->count);
		t->count = 0;
	}
	return true;
}

static bool in_character(struct tamer *t, struct buf *out, unsigned char c)
{
	size_t want = wanted((unsigned char)t->held[0]);

	if ((c & 0xc0) != 0x80) {
		drop(t, out);
		return false;
	}
	t->held[t->count++] = (char)c;
	if (t->count < want)
		return true;
	t->held[t->count] = '\0';
	if (utf8_length(t->held) != want || is_control(t->held, want)) {
		drop(t, out);
		return true;
	}
	buf_add(out, t->held, want);
	t->count = 0;
	return true;
}

void tame(struct tamer *t, struct buf *out, const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];
		bool taken = false;

		if (t->count > 0)
			taken = t->held[0] == ESCAPE ? in_escape(t, out, c)
						     : in_character(t, out, c);
		if (!taken)
			plain(t, out, c);
	}
}
