#include "base/secret_forms.h"

#include <string.h>

#include "base/buf.h"
#include "base/redact.h"
#include "base/utf8.h"

#define LINE_LEAST   8u  /* bytes of a line of a value that is a value by itself */
#define BROKEN_MOST  76u /* digits of base64 that may stand in two lines */

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void add(struct redactor *r, const struct buf *form)
{
	redactor_add(r, buf_text(form), form->len);
}

/* The digits that the value alone decides, when `before` bytes of another text stand in its first group of three. */
static void base64(struct buf *out, const char *value, size_t len, size_t before, const char *digits)
{
	size_t bits = 8 * len, skip = (6 - 8 * before % 6) % 6, at, i;

	buf_clear(out);
	for (at = skip; at + 6 <= bits; at += 6) {
		unsigned digit = 0;

		for (i = at; i < at + 6; i++)
			digit = digit << 1 |
				((unsigned)((unsigned char)value[i / 8] >> (7 - i % 8)) & 1u);
		buf_char(out, digits[digit]);
	}
}

/* Encoders end a line after a fixed number of digits. */
static void add_broken(struct redactor *r, const struct buf *whole)
{
	struct buf broken = { 0 };
	size_t i;

	for (i = 1; whole->len <= BROKEN_MOST && i < whole->len; i++) {
		buf_clear(&broken);
		buf_add(&broken, whole->data, i);
		buf_char(&broken, '\n');
		buf_add(&broken, whole->data + i, whole->len - i);
		add(r, &broken);
	}
	buf_release(&broken);
}

static void add_base64(struct redactor *r, const char *value, size_t len)
{
	struct buf form = { 0 };
	size_t before;

	for (before = 0; before < 3; before++) {
		base64(&form, value, len, before, for_urls);
		add(r, &form);
		base64(&form, value, len, before, standard);
		add(r, &form);
		add_broken(r, &form);
	}
	buf_release(&form);
}

static int is_plain_in_url(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~", c) != NULL);
}

/* `kept`: further characters that the encoder leaves as they are. */
static void add_url(struct redactor *r, const char *value, size_t len, const char *digits,
	const char *space, const char *kept)
{
	struct buf form = { 0 };
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c == ' ')
			buf_str(&form, space);
		else if (is_plain_in_url((char)c) || strchr(kept, c) != NULL)
			buf_char(&form, (char)c);
		else
			buf_printf(&form, "%%%c%c", digits[c >> 4], digits[c & 15]);
	}
	add(r, &form);
	buf_release(&form);
}

static void json_char(struct buf *form, uint32_t code)
{
	static const char short_for[] = "\bb\ff\nn\rr\tt";
	const char *at = code < 0x20 && code != 0 ? strchr(short_for, (int)code) : NULL;

	if (code == '"' || code == '\\')
		buf_printf(form, "\\%c", (int)code);
	else if (at != NULL)
		buf_printf(form, "\\%c", at[1]);
	else if (code >= 0x10000)
		buf_printf(form, "\\u%04x\\u%04x", 0xd800u + ((code - 0x10000) >> 10),
			0xdc00u + ((code - 0x10000) & 0x3ff));
	else if (code < 0x20 || code >= 0x7f)
		buf_printf(form, "\\u%04x", code);
	else
		buf_char(form, (char)code);
}

/* The letter at value[*at], which is stepped over; a byte that begins none stands for itself. */
static uint32_t letter_at(const char *value, size_t len, size_t *at)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	size_t size = utf8_length(value + *at), i;
	uint32_t code;

	if (size < 2 || size > len - *at)
		return (unsigned char)value[(*at)++];
	code = (unsigned char)value[*at] & masks[size];
	for (i = 1; i < size; i++)
		code = code << 6 | ((unsigned char)value[*at + i] & 0x3fu);
	*at += size;
	return code;
}

/* only_ascii: letters beyond it as \u; slash: written as \/. */
static void add_json(struct redactor *r, const char *value, size_t len, int only_ascii, int slash)
{
	struct buf form = { 0 };
	size_t at = 0, begin;

	while (at < len) {
		uint32_t code;

		begin = at;
		code = letter_at(value, len, &at);
		if (code == '/' && slash)
			buf_str(&form, "\\/");
		else if (code >= 0x7f && !only_ascii)
			buf_add(&form, value + begin, at - begin);
		else
			json_char(&form, code);
	}
	add(r, &form);
	buf_release(&form);
}

static void add_quoted(struct redactor *r, const char *value, size_t len)
{
	struct buf form = { 0 };
	size_t i;

	for (i = 0; i < len; i++) {
		if (value[i] == '\'')
			buf_str(&form, "'\\''");
		else
			buf_char(&form, value[i]);
	}
	add(r, &form);
	buf_release(&form);
}

static void add_forms(struct redactor *r, const char *value, size_t len)
{
	redactor_add(r, value, len);
	add_base64(r, value, len);
	add_url(r, value, len, "0123456789ABCDEF", "%20", "");
	add_url(r, value, len, "0123456789abcdef", "%20", "");
	add_url(r, value, len, "0123456789ABCDEF", "+", "");
	add_url(r, value, len, "0123456789ABCDEF", "%20", "/");
	add_json(r, value, len, 0, 0);
	add_json(r, value, len, 1, 0);
	add_json(r, value, len, 1, 1);
	add_quoted(r, value, len);
}

void secret_forms(struct redactor *r, const char *value, size_t len)
{
	const char *at = value, *end = value + len;

	add_forms(r, value, len);
	while (memchr(value, '\n', len) != NULL && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t line = (size_t)((newline != NULL ? newline : end) - at);

		if (line >= LINE_LEAST)
			add_forms(r, at, line);
		at += line + 1;
	}
}
