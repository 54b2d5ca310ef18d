#include <math.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

#include "base/utf8.h"
#include "cli/screen.h"

/* The bytes of the escape sequence at s, or 0. Only what screen_paint() writes. */
static size_t escape_length(const char *s)
{
	size_t n = 2;

	if (s[0] != '\033' || s[1] != '[')
		return 0;
	while (s[n] == ';' || (s[n] >= '0' && s[n] <= '9'))
		n++;
	return s[n] != '\0' ? n + 1 : n;
}

unsigned text_step(const char *s, size_t *len)
{
	utf8proc_int32_t point;
	int width;

	*len = 1;
	if ((unsigned char)*s < 0x80)
		return (unsigned char)*s >= 0x20 && *s != 0x7f;
	*len = utf8_length(s);
	if (*len == 0) {
		*len = 1;
		return 1;
	}
	(void)utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)*len, &point);
	width = utf8proc_charwidth(point);
	return width > 0 ? (unsigned)width : 0;
}

unsigned text_columns(const char *s)
{
	unsigned columns = 0;
	size_t len;

	while (*s != '\0') {
		len = escape_length(s);
		if (len == 0)
			columns += text_step(s, &len);
		s += len;
	}
	return columns;
}

void screen_cut(struct screen *o, const char *s, unsigned columns)
{
	unsigned used = 0, mark = text_columns(glyph_text(o, GLYPH_ELLIPSIS)), width;
	bool painted = false;
	size_t len;

	if (text_columns(s) <= columns) {
		buf_str(&o->text, s);
		return;
	}
	if (mark > columns)
		mark = columns;
	while (*s != '\0') {
		len = escape_length(s);
		width = len > 0 ? 0 : text_step(s, &len);
		if (used + width > columns - mark)
			break;
		painted = painted || escape_length(s) > 0;
		used += width;
		buf_add(&o->text, s, len);
		s += len;
	}
	buf_add(&o->text, glyph_text(o, GLYPH_ELLIPSIS),
		mark == columns && !o->utf8 ? mark : strlen(glyph_text(o, GLYPH_ELLIPSIS)));
	if (painted)
		buf_str(&o->text, "\033[0m");
}

/* C1 controls and the marks that turn the direction of writing could make a line look like another. */
static bool is_harmful(utf8proc_int32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 ||
	       point == 0x2029 || (point >= 0x202a && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069);
}

void screen_foreign(struct screen *o, const char *s)
{
	utf8proc_int32_t point;
	size_t len;

	while (*s != '\0') {
		len = utf8_length(s);
		if (len > 0)
			(void)utf8proc_iterate(
				(const utf8proc_uint8_t *)s, (utf8proc_ssize_t)len, &point);
		if (len == 0 || is_harmful(point))
			buf_char(&o->text, *s == '\t' ? ' ' : '?');
		else
			buf_add(&o->text, s, len);
		s += len > 0 ? len : 1;
	}
}

const char *short_number(double x, int digits, char text[32])
{
	bool is_long = fabs(x) >= pow(10, digits - 1) && fabs(x) < 1e15;

	if (is_long)
		(void)snprintf(text, 32, "%.0f", x);
	else
		(void)snprintf(text, 32, "%.*g", digits, x);
	return text;
}
