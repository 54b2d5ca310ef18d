#include "common/jsonin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"

void jsonin_begin(struct jsonin *in, const char *text, size_t length)
{
	*in = (struct jsonin){ .start = text, .at = text, .end = text + length };
}

static int wrong(const struct jsonin *in, const char *what, struct fault *fault)
{
	return fault_set(fault, "JSON, byte %zu: %s", (size_t)(in->at - in->start) + 1, what);
}

char jsonin_peek(struct jsonin *in)
{
	while (in->at < in->end && memchr(" \t\r\n", *in->at, 4) != NULL)
		in->at++;
	return in->at < in->end ? *in->at : '\0';
}

int jsonin_finish(struct jsonin *in, struct fault *fault)
{
	if (jsonin_peek(in) != '\0' || in->at < in->end)
		return wrong(in, "something follows the value", fault);
	return 0;
}

static int wanted(const struct jsonin *in, char kind, struct fault *fault)
{
	return wrong(in, kind == '{' ? "a map is wanted" : "a list is wanted", fault);
}

int jsonin_enter(struct jsonin *in, char kind, struct fault *fault)
{
	if (jsonin_peek(in) != kind)
		return wanted(in, kind, fault);
	if (in->depth == JSONIN_DEPTH_MAX)
		return wrong(in, "nested too deeply", fault);
	in->close[in->depth] = kind == '{' ? '}' : ']';
	in->first[in->depth] = 1;
	in->depth++;
	in->at++;
	return 0;
}

void jsonin_open(struct jsonin *in, const char *text, char kind)
{
	const char *given = text != NULL ? text : kind == '{' ? "{}" : "[]";
	struct fault later;

	jsonin_begin(in, given, strlen(given));
	if (jsonin_enter(in, kind, &later) < 0)
		in->close[0] = kind;
}

int jsonin_item(struct jsonin *in, struct fault *fault)
{
	unsigned level = in->depth - 1;
	char next = jsonin_peek(in);

	if (in->depth == 0)
		return wanted(in, in->close[0], fault);
	if (next == in->close[level]) {
		in->at++;
		in->depth--;
		return in->depth > 0 ? 0 : jsonin_finish(in, fault);
	}
	if (!in->first[level]) {
		if (next != ',')
			return wrong(in, "',' or the end of the list or map is wanted", fault);
		in->at++;
		if (jsonin_peek(in) == in->close[level])
			return wrong(in, "a value is wanted after ','", fault);
	}
	in->first[level] = 0;
	return 1;
}

int jsonin_key(struct jsonin *in, char *key, size_t room, struct fault *fault)
{
	int more = jsonin_item(in, fault);

	if (more != 1)
		return more;
	if (jsonin_string(in, key, room, fault) < 0)
		return -1;
	if (jsonin_peek(in) != ':')
		return wrong(in, "':' is wanted", fault);
	in->at++;
	return 1;
}

/* Four hexadecimal digits after "\u"; -1 when they are not. */
static long hexadecimal(struct jsonin *in)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	long value = 0;

	if (in->end - in->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const char *digit = memchr(digits, *in->at, sizeof digits - 1);

		if (digit == NULL)
			return -1;
		value = value * 16 + (digit - digits) % 16;
		in->at++;
	}
	return value;
}

static size_t encode(char bytes[4], unsigned long code)
{
	if (code < 0x80) {
		bytes[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		bytes[0] = (char)(0xc0 | code >> 6);
		bytes[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		bytes[0] = (char)(0xe0 | code >> 12);
		bytes[1] = (char)(0x80 | (code >> 6 & 0x3f));
		bytes[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	bytes[0] = (char)(0xf0 | code >> 18);
	bytes[1] = (char)(0x80 | (code >> 12 & 0x3f));
	bytes[2] = (char)(0x80 | (code >> 6 & 0x3f));
	bytes[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* "\uXXXX", with its second half for what lies beyond the first plane; 0: not a character. */
static unsigned long unicode(struct jsonin *in)
{
	long high = hexadecimal(in), low;

	if (high <= 0 || (high >= 0xdc00 && high < 0xe000))
		return 0;
	if (high < 0xd800 || high >= 0xe000)
		return (unsigned long)high;
	if (in->end - in->at < 6 || in->at[0] != '\\' || in->at[1] != 'u')
		return 0;
	in->at += 2;
	low = hexadecimal(in);
	if (low < 0xdc00 || low >= 0xe000)
		return 0;
	return 0x10000 + ((unsigned long)(high - 0xd800) << 10) + (unsigned long)(low - 0xdc00);
}

/* One character of a string, escapes undone; 0 bytes: it is not one. */
static size_t character(struct jsonin *in, char bytes[4])
{
	static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *escape;
	unsigned long code;
	char c = *in->at++;

	if (c != '\\') {
		bytes[0] = c;
		return (unsigned char)c < 0x20 ? 0 : 1;
	}
	if (in->at == in->end)
		return 0;
	c = *in->at++;
	if (c == 'u') {
		code = unicode(in);
		return code != 0 ? encode(bytes, code) : 0;
	}
	escape = memchr(escapes, c, sizeof escapes - 1);
	if (escape == NULL)
		return 0;
	bytes[0] = meanings[escape - escapes];
	return 1;
}

int jsonin_string(struct jsonin *in, char *text, size_t room, struct fault *fault)
{
	size_t used = 0;
	char bytes[4];

	if (jsonin_peek(in) != '"')
		return wrong(in, "text is wanted", fault);
	in->at++;
	while (in->at < in->end && *in->at != '"') {
		size_t length = character(in, bytes);

		if (length == 0)
			return wrong(in, "a character that may not stand in text", fault);
		if (text == NULL)
			continue;
		if (length >= room - used)
			return wrong(in, "the text is too long", fault);
		memcpy(text + used, bytes, length);
		used += length;
	}
	if (in->at == in->end)
		return wrong(in, "the text does not end", fault);
	in->at++;
	if (text != NULL)
		text[used] = '\0';
	return 0;
}

static const char *digits_end(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* Where the number at in->at ends by JSON's grammar; NULL: it is not one. */
static const char *number_end(const struct jsonin *in)
{
	const char *at = in->at, *from;

	if (at < in->end && *at == '-')
		at++;
	from = at;
	at = digits_end(at, in->end);
	if (at == from || (*from == '0' && at - from > 1))
		return NULL;
	if (at < in->end && *at == '.') {
		from = at + 1;
		at = digits_end(from, in->end);
		if (at == from)
			return NULL;
	}
	if (at < in->end && (*at == 'e' || *at == 'E')) {
		at++;
		if (at < in->end && (*at == '+' || *at == '-'))
			at++;
		from = at;
		at = digits_end(from, in->end);
		if (at == from)
			return NULL;
	}
	return at;
}

int jsonin_number(struct jsonin *in, double *value, struct fault *fault)
{
	char digits[64];
	const char *end;
	size_t length;

	(void)jsonin_peek(in);
	end = number_end(in);
	if (end == NULL)
		return wrong(in, "a number is wanted", fault);
	length = (size_t)(end - in->at);
	if (length >= sizeof digits)
		return wrong(in, "the number is too long", fault);
	memcpy(digits, in->at, length);
	digits[length] = '\0';
	*value = strtod(digits, NULL);
	if (!isfinite(*value))
		return wrong(in, "the number is too large", fault);
	in->at = end;
	return 0;
}

int jsonin_integer(struct jsonin *in, uint64_t *value, struct fault *fault)
{
	uint64_t sum = 0;
	const char *end;

	(void)jsonin_peek(in);
	end = digits_end(in->at, in->end);
	if (end == in->at || (*in->at == '0' && end - in->at > 1))
		return wrong(in, "a whole number from 0 up is wanted", fault);
	for (const char *at = in->at; at < end; at++) {
		unsigned digit = (unsigned)(*at - '0');

		if (sum > (UINT64_MAX - digit) / 10)
			return wrong(in, "the number is too large", fault);
		sum = sum * 10 + digit;
	}
	in->at = end;
	*value = sum;
	return 0;
}

static int skip_word(struct jsonin *in, struct fault *fault)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(in->end - in->at) >= length && memcmp(in->at, words[i], length) == 0) {
			in->at += length;
			return 0;
		}
	}
	return wrong(in, "a value is wanted", fault);
}

static int skip_scalar(struct jsonin *in, char next, struct fault *fault)
{
	double number;

	if (next == '"')
		return jsonin_string(in, NULL, 0, fault);
	if (next == '-' || (next >= '0' && next <= '9'))
		return jsonin_number(in, &number, fault);
	return skip_word(in, fault);
}

/* Containers are walked with in->depth as the stack, so that depth costs no C stack. */
int jsonin_skip(struct jsonin *in, struct fault *fault)
{
	unsigned outer = in->depth;
	int more;

	do {
		char next = jsonin_peek(in);

		if (next == '{' || next == '[') {
			if (jsonin_enter(in, next, fault) < 0)
				return -1;
		} else if (skip_scalar(in, next, fault) < 0) {
			return -1;
		}
		more = 0;
		while (in->depth > outer && more == 0) {
			if (in->close[in->depth - 1] == '}')
				more = jsonin_key(in, NULL, 0, fault);
			else
				more = jsonin_item(in, fault);
		}
		if (more < 0)
			return -1;
	} while (more == 1);
	return 0;
}
