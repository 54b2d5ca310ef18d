#include "table/jsonl.h"

#include <stdint.h>
#include <string.h>

#include "common/dictionary.h"
#include "common/number.h"
#include "table/chunk.h"

/* A line under way. Texts are unescaped where they stand, which never makes them longer. */
struct line {
	struct chunk *chunk;
	char *at, *end;
	const char *why; /* what is wrong, or NULL */
};

static int wrong(struct line *l, const char *why)
{
	l->why = why;
	return 0;
}

static void skip_blanks(struct line *l)
{
	while (l->at < l->end && (*l->at == ' ' || *l->at == '\t' || *l->at == '\r'))
		l->at++;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int take_hex(struct line *l, uint32_t *code)
{
	*code = 0;
	if (l->end - l->at < 4)
		return wrong(l, "a \\u without four digits");
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(*l->at++);

		if (digit < 0)
			return wrong(l, "a \\u without four digits");
		*code = *code << 4 | (uint32_t)digit;
	}
	return 1;
}

static char *put_utf8(char *to, uint32_t code)
{
	if (code < 0x80) {
		*to++ = (char)code;
	} else if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
		*to++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*to++ = (char)(0xe0 | code >> 12);
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
		*to++ = (char)(0x80 | (code & 0x3f));
	} else {
		*to++ = (char)(0xf0 | code >> 18);
		*to++ = (char)(0x80 | (code >> 12 & 0x3f));
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
		*to++ = (char)(0x80 | (code & 0x3f));
	}
	return to;
}

/* After \u: one code of UTF-16, or two that belong together. */
static int take_unicode(struct line *l, char **to)
{
	uint32_t code, low;

	if (!take_hex(l, &code))
		return 0;
	if (code >= 0xd800 && code < 0xdc00) {
		if (l->end - l->at < 2 || l->at[0] != '\\' || l->at[1] != 'u')
			return wrong(l, "half of a surrogate pair");
		l->at += 2;
		if (!take_hex(l, &low))
			return 0;
		if (low < 0xdc00 || low > 0xdfff)
			return wrong(l, "half of a surrogate pair");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code <= 0xdfff) {
		return wrong(l, "half of a surrogate pair");
	}
	*to = put_utf8(*to, code);
	return 1;
}

static int take_escape(struct line *l, char **to)
{
	static const char from[] = "\"\\/bfnrt", plain[] = "\"\\/\b\f\n\r\t";
	const char *found;
	char c;

	if (l->at == l->end)
		return wrong(l, "a text is not closed");
	c = *l->at++;
	if (c == 'u')
		return take_unicode(l, to);
	found = c != '\0' ? strchr(from, c) : NULL;
	if (found == NULL)
		return wrong(l, "an escape that JSON has not");
	*(*to)++ = plain[found - from];
	return 1;
}

/* At the opening quote; *span is the text without quotes. */
static int take_text(struct line *l, struct span *span)
{
	char *to = ++l->at;

	span->start = (uint32_t)(to - l->chunk->text);
	while (l->at < l->end && *l->at != '"') {
		if ((unsigned char)*l->at < 0x20)
			return wrong(l, "a control character in a text");
		if (*l->at != '\\') {
			*to++ = *l->at++;
			continue;
		}
		l->at++;
		if (!take_escape(l, &to))
			return 0;
	}
	if (l->at == l->end)
		return wrong(l, "a text is not closed");
	l->at++;
	span->length = (uint32_t)(to - (l->chunk->text + span->start));
	return 1;
}

static int take_word(struct line *l, struct span *span)
{
	const char *start = l->at;
	size_t length;
	double number;
	uint8_t flag;

	while (l->at < l->end && strchr(",}] \t\r", *l->at) == NULL)
		l->at++;
	length = (size_t)(l->at - start);
	*span = (struct span){ (uint32_t)(start - l->chunk->text), (uint32_t)length };
	if (length == 4 && memcmp(start, "null", 4) == 0) {
		*span = (struct span){ SPAN_MISSING, 0 };
		return 1;
	}
	if (length == 0 || ((start[0] < '0' || start[0] > '9') && start[0] != '-' &&
				   start[0] != 't' && start[0] != 'f'))
		return wrong(l, "something that is no JSON value");
	if (!number_float(&number, start, length) && !number_boolean(&flag, start, length))
		return wrong(l, "something that is no JSON value");
	return 1;
}

static int take_value(struct line *l, struct span *span)
{
	skip_blanks(l);
	if (l->at == l->end)
		return wrong(l, "the line ends in the middle");
	if (*l->at == '{' || *l->at == '[')
		return wrong(l, "a value is a list or an object; only numbers, texts, true, false "
				"and null are read");
	if (*l->at != '"')
		return take_word(l, span);
	if (!take_text(l, span))
		return 0;
	span->length |= SPAN_STRING;
	return 1;
}

static int take_mark(struct line *l, char mark, const char *why)
{
	skip_blanks(l);
	if (l->at == l->end || *l->at != mark)
		return wrong(l, why);
	l->at++;
	return 1;
}

/* 1: a key and its value; 0: the object ended, or l->why says what is wrong. */
static int take_pair(struct line *l, int first, struct span *key, struct span *value)
{
	skip_blanks(l);
	if (l->at < l->end && *l->at == '}') {
		l->at++;
		skip_blanks(l);
		return l->at == l->end ? 0 : wrong(l, "something follows the object");
	}
	if (!first && !take_mark(l, ',', "a comma or } is wanted"))
		return 0;
	skip_blanks(l);
	if (l->at == l->end || *l->at != '"')
		return wrong(l, "a key in quotes is wanted");
	return take_text(l, key) && take_mark(l, ':', "a : is wanted after a key") &&
	       take_value(l, value);
}

/* The next line that is not empty, its braces opened; 0: there is none. */
static int next_line(struct chunk *chunk, struct line *l, size_t *at, uint32_t *position)
{
	while (*at < chunk->size) {
		char *start = chunk->text + *at;
		char *end = memchr(start, '\n', chunk->size - *at);

		chunk->lines += end != NULL;
		if (end == NULL)
			end = chunk->text + chunk->size;
		*position = (uint32_t)*at;
		*at = (size_t)(end - chunk->text) + 1;
		*l = (struct line){ .chunk = chunk, .at = start, .end = end };
		skip_blanks(l);
		if (l->at == l->end)
			continue;
		(void)take_mark(l, '{', "an object is wanted, one a line");
		return 1;
	}
	return 0;
}

size_t jsonl_cut(const char *text, size_t size)
{
	while (size > 0 && text[size - 1] != '\n')
		size--;
	return size;
}

void jsonl_keys(struct chunk *chunk, struct dictionary *names, size_t most)
{
	struct line l;
	struct span key, value;
	uint32_t position;

	for (size_t at = 0; next_line(chunk, &l, &at, &position);)
		for (int first = 1; l.why == NULL && take_pair(&l, first, &key, &value); first = 0)
			if (names->count < most)
				(void)dictionary_add(names, chunk->text + key.start, key.length);
}

/* The column of a key: most often the one after the last. */
static uint32_t find_column(const struct chunk *chunk, const struct dictionary *names,
	const struct span *key, uint32_t likely)
{
	size_t length;
	const char *name;

	if (likely < names->count) {
		name = dictionary_text(names, likely, &length);
		if (length == key->length && memcmp(name, chunk->text + key->start, length) == 0)
			return likely;
	}
	return dictionary_find(names, chunk->text + key->start, key->length);
}

static void read_line(
	struct chunk *chunk, const struct dictionary *names, struct line *l, uint32_t position)
{
	struct span *row = chunk_row(chunk, position), key, value;
	uint32_t column, likely = 0;
	char room[64];

	for (size_t i = 0; i < chunk->columns; i++)
		row[i] = (struct span){ SPAN_MISSING, 0 };
	for (int first = 1; l->why == NULL && take_pair(l, first, &key, &value); first = 0) {
		column = find_column(chunk, names, &key, likely);
		if (column == DICTIONARY_NONE) {
			chunk->rows--;
			chunk_bad(chunk, position,
				"key '%s' is not among the columns; declare it in with.columns",
				chunk_quote(room, chunk->text + key.start, key.length));
			return;
		}
		row[column] = value;
		likely = column + 1;
	}
	if (l->why != NULL) {
		chunk->rows--;
		chunk_bad(chunk, position, "%s", l->why);
	}
}

void jsonl_read(struct chunk *chunk, const struct dictionary *names)
{
	struct line l;
	uint32_t position;

	for (size_t at = 0; next_line(chunk, &l, &at, &position);)
		read_line(chunk, names, &l, position);
}
