#include "base/json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

void json_init(struct json *j, struct buf *out)
{
	memset(j, 0, sizeof *j);
	j->out = out;
}

static void before_value(struct json *j)
{
	uint64_t bit = UINT64_C(1) << j->depth;

	if (j->keyed) {
		j->keyed = false;
		return;
	}
	if (j->depth > 0 && (j->more & bit) != 0)
		buf_char(j->out, ',');
	j->more |= bit;
}

static void open_container(struct json *j, bool object)
{
	before_value(j);
	assert(j->depth < 62);
	j->depth++;
	j->more &= ~(UINT64_C(1) << j->depth);
	if (object)
		j->object |= UINT64_C(1) << j->depth;
	else
		j->object &= ~(UINT64_C(1) << j->depth);
	buf_char(j->out, object ? '{' : '[');
}

void json_open_object(struct json *j)
{
	open_container(j, true);
}

void json_open_array(struct json *j)
{
	open_container(j, false);
}

void json_end(struct json *j)
{
	assert(j->depth > 0);
	buf_char(j->out, (j->object >> j->depth & 1) != 0 ? '}' : ']');
	j->depth--;
}

static void quoted(struct buf *out, const char *s)
{
	buf_char(out, '"');
	while (*s != '\0') {
		size_t n = utf8_length(s);
		unsigned char c = (unsigned char)*s;

		if (n == 0) {
			buf_str(out, "\xEF\xBF\xBD");
			s++;
			continue;
		}
		if (c == '"' || c == '\\') {
			buf_char(out, '\\');
			buf_char(out, *s);
		} else if (c == '\n') {
			buf_str(out, "\\n");
		} else if (c == '\t') {
			buf_str(out, "\\t");
		} else if (c == '\r') {
			buf_str(out, "\\r");
		} else if (c < 0x20 || c == 0x7f) {
			buf_printf(out, "\\u%04x", c);
		} else {
			buf_add(out, s, n);
		}
		s += n;
	}
	buf_char(out, '"');
}

void json_key(struct json *j, const char *key)
{
	assert(j->depth > 0 && (j->object >> j->depth & 1) != 0 && !j->keyed);
	before_value(j);
	quoted(j->out, key);
	buf_char(j->out, ':');
	j->keyed = true;
}

void json_text(struct json *j, const char *s)
{
	before_value(j);
	quoted(j->out, s);
}

void json_int(struct json *j, int64_t n)
{
	before_value(j);
	buf_printf(j->out, "%lld", (long long)n);
}

const char *number_text(double x, char text[32])
{
	int digits;

	for (digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, 32, "%.*g", digits, x);
		if (strtod(text, NULL) == x)
			break;
	}
	return text;
}

void json_number(struct json *j, double x)
{
	char text[32];

	before_value(j);
	buf_str(j->out, isfinite(x) ? number_text(x, text) : "null");
}

void json_bool(struct json *j, bool b)
{
	before_value(j);
	buf_str(j->out, b ? "true" : "false");
}

void json_nothing(struct json *j)
{
	before_value(j);
	buf_str(j->out, "null");
}

void json_raw(struct json *j, const char *text)
{
	before_value(j);
	buf_str(j->out, text);
}

void json_key_string(struct json *j, const char *key, const char *s)
{
	json_key(j, key);
	if (s != NULL)
		json_text(j, s);
	else
		json_nothing(j);
}

void json_key_int(struct json *j, const char *key, int64_t n)
{
	json_key(j, key);
	json_int(j, n);
}

void json_key_number(struct json *j, const char *key, double x)
{
	json_key(j, key);
	json_number(j, x);
}

void json_key_bool(struct json *j, const char *key, bool b)
{
	json_key(j, key);
	json_bool(j, b);
}
