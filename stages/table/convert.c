#include "table/convert.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/dictionary.h"
#include "common/number.h"
#include "table/chunk.h"

static int is_missing(const struct missing_words *words, const char *text, size_t length)
{
	if (length == 0)
		return words->empty;
	if (length > words->longest)
		return 0;
	for (size_t i = 0; i < words->count; i++)
		if (words->length[i] == length && memcmp(words->word[i], text, length) == 0)
			return 1;
	return 0;
}

void missing_words_add(struct missing_words *words, const char *word)
{
	size_t length = strlen(word);
	double number;

	if (words->count == MISSING_WORDS_MAX || length >= sizeof words->word[0] ||
		is_missing(words, word, length))
		return;
	if (length == 0)
		words->empty = 1;
	words->numbers |= number_float(&number, word, length);
	(void)snprintf(words->word[words->count], sizeof words->word[0], "%s", word);
	words->length[words->count++] = length;
	if (length > words->longest)
		words->longest = length;
}

/* One value: its text, or nothing. */
struct value {
	const char *text;
	size_t length;
	int is_string;
	int is_missing;
};

static inline struct value value_at(const struct chunk *chunk, size_t row, size_t column)
{
	const struct span *span = &chunk->span[row * chunk->columns + column];

	if (span->start == SPAN_MISSING)
		return (struct value){ .is_missing = 1 };
	return (struct value){ .text = chunk->text + span->start,
		.length = span->length & ~SPAN_STRING,
		.is_string = (span->length & SPAN_STRING) != 0 };
}

/* 007, -01: a digit after a zero that leads. */
static inline int has_leading_zero(const char *text, size_t length)
{
	size_t sign = length > 0 && (text[0] == '-' || text[0] == '+');

	return length > sign + 1 && text[sign] == '0' && (unsigned char)(text[sign + 1] - '0') < 10;
}

static unsigned kinds_of(const char *text, size_t length, unsigned asked)
{
	int64_t whole;
	double number;
	uint8_t flag;
	unsigned kinds = 0;
	int leads = has_leading_zero(text, length);

	if ((asked & KIND_INTEGER) && !leads && number_integer(&whole, text, length))
		return asked & (KIND_INTEGER | KIND_FLOAT);
	if ((asked & KIND_FLOAT) && !leads && number_float(&number, text, length))
		kinds |= KIND_FLOAT;
	if ((asked & KIND_BOOLEAN) && number_boolean(&flag, text, length))
		kinds |= KIND_BOOLEAN;
	if ((asked & KIND_TIME) && number_time(&whole, text, length))
		kinds |= KIND_TIME;
	return kinds;
}

unsigned convert_survey(const struct chunk *chunk, size_t column, const struct missing_words *words,
	unsigned kinds, size_t *seen)
{
	for (size_t row = 0; row < chunk->rows; row++) {
		struct value v = value_at(chunk, row, column);

		if (v.is_missing || is_missing(words, v.text, v.length))
			continue;
		++*seen;
		if (v.is_string)
			kinds &= KIND_TIME;
		if (kinds != 0)
			kinds = kinds_of(v.text, v.length, kinds);
	}
	return kinds;
}

enum column_type convert_choose(unsigned kinds, size_t seen)
{
	if (seen == 0)
		return COLUMN_FLOAT64;
	if (kinds & KIND_INTEGER)
		return COLUMN_INT64;
	if (kinds & KIND_FLOAT)
		return COLUMN_FLOAT64;
	if (kinds & KIND_BOOLEAN)
		return COLUMN_BOOLEAN;
	return kinds & KIND_TIME ? COLUMN_TIME : COLUMN_CATEGORY;
}

/* Limits of the whole types; the others have none. */
static int within(enum column_type type, int64_t value)
{
	switch (type) {
	case COLUMN_INT32: return value >= INT32_MIN && value <= INT32_MAX;
	case COLUMN_INT16: return value >= INT16_MIN && value <= INT16_MAX;
	case COLUMN_INT8: return value >= INT8_MIN && value <= INT8_MAX;
	case COLUMN_UINT32: return value >= 0 && value <= UINT32_MAX;
	case COLUMN_UINT16: return value >= 0 && value <= UINT16_MAX;
	case COLUMN_UINT8: return value >= 0 && value <= UINT8_MAX;
	case COLUMN_BOOLEAN: return value == 0 || value == 1;
	case COLUMN_FLOAT64:
	case COLUMN_FLOAT32:
	case COLUMN_INT64:
	case COLUMN_CATEGORY:
	case COLUMN_TIME:
	case COLUMN_TEXT:
	case COLUMN_BYTES:
	case COLUMN_TYPES: break;
	}
	return 1;
}

static int add_whole(struct cells *cells, int64_t value)
{
	if (cells->type == COLUMN_INT64 || cells->type == COLUMN_TIME)
		cells_add_row(cells, &value);
	else if (within(cells->type, value))
		cells_add_number(cells, (double)value);
	else
		return 0;
	return 1;
}

/* 1: it was added; 0: the text is no such value. */
static int add_value(struct cells *cells, const struct convert *how, const struct value *v)
{
	double number;
	int64_t whole;
	uint8_t flag;

	if (how->is_guess && how->type != COLUMN_TIME &&
		(v->is_string || has_leading_zero(v->text, v->length)))
		return 0;
	if (how->type == COLUMN_FLOAT64 || how->type == COLUMN_FLOAT32) {
		if (!number_float(&number, v->text, v->length))
			return 0;
		cells_add_number(cells, number);
		return 1;
	}
	if (how->type == COLUMN_BOOLEAN && number_boolean(&flag, v->text, v->length)) {
		cells_add_number(cells, flag);
		return 1;
	}
	if (how->type == COLUMN_BOOLEAN && how->is_guess)
		return 0;
	if (how->type == COLUMN_TIME)
		return number_time(&whole, v->text, v->length) && add_whole(cells, whole);
	return number_integer(&whole, v->text, v->length) && add_whole(cells, whole);
}

static long add_any(struct cells *cells, struct chunk *chunk, const struct convert *how,
	uint8_t *keep, size_t row)
{
	struct value v = value_at(chunk, row, how->column);
	char room[64];

	if (v.is_missing || is_missing(how->words, v.text, v.length)) {
		cells_add_missing(cells);
		return 0;
	}
	if (add_value(cells, how, &v))
		return 0;
	if (how->is_guess)
		return -1;
	cells_add_missing(cells);
	if (keep[row])
		chunk_bad(chunk, chunk->position[row], "column '%s': '%s' is not of type %s",
			how->name, chunk_quote(room, v.text, v.length),
			column_type_name(how->type));
	keep[row] = 0;
	return 1;
}

/* Among rows that were taken for numbers: those whose number says that nothing is there. */
static void take_out_missing(struct cells *cells, const struct chunk *chunk, const struct convert *how, size_t first)
{
	for (size_t row = first; row < cells->rows; row++) {
		struct value v = value_at(chunk, row, how->column);

		if (!is_missing(how->words, v.text, v.length))
			continue;
		cells_need_present(cells);
		cells->present[row] = 0;
		cells->missing++;
		if (how->type == COLUMN_FLOAT64)
			((double *)(void *)cells->data)[row] = (double)NAN;
		else
			((int64_t *)(void *)cells->data)[row] = 0;
	}
}

/* The usual values of the usual columns, from cells->rows on. */
static void convert_plain(struct cells *cells, const struct chunk *chunk, const struct convert *how)
{
	size_t first = cells->rows, count = chunk->rows - first, done;
	const struct span *span = chunk->span + first * chunk->columns + how->column;
	void *values = cells->data + first * 8;

	if (how->type == COLUMN_FLOAT64)
		done = numbers_floats(values, chunk->text, span, chunk->columns, count);
	else
		done = numbers_integers(values, chunk->text, span, chunk->columns, count);
	if (cells->present != NULL)
		memset(cells->present + first, 1, done);
	cells->rows += done;
	cells->size = cells->rows * 8;
	if (how->words->numbers)
		take_out_missing(cells, chunk, how, first);
}

static void convert_text(struct cells *cells, const struct chunk *chunk, const struct convert *how)
{
	for (size_t row = 0; row < chunk->rows; row++) {
		struct value v = value_at(chunk, row, how->column);

		if (v.is_missing || is_missing(how->words, v.text, v.length))
			cells_add_missing(cells);
		else
			cells_add_text(cells, v.text, v.length);
	}
}

/* The texts that say "missing" are the first names: no other way to know them is as cheap. */
static void convert_category(struct cells *cells, struct dictionary *names,
	const struct chunk *chunk, const struct convert *how)
{
	uint32_t *code = (uint32_t *)(void *)cells->data;
	size_t rows = chunk->rows;

	if (names->count == 0)
		for (size_t i = 0; i < how->words->count; i++)
			(void)dictionary_add(names, how->words->word[i], how->words->length[i]);
	for (size_t row = 0; row < rows; row++) {
		struct value v = value_at(chunk, row, how->column);

		code[row] = v.is_missing ? 0 : dictionary_add_ahead(names, v.text, v.length);
		if (v.is_missing || code[row] < how->words->count) {
			code[row] = CATEGORY_MISSING;
			cells->missing++;
		}
	}
	cells->rows = rows;
	cells->size = rows * sizeof *code;
	if (cells->missing == 0)
		return;
	cells_need_present(cells);
	for (size_t row = 0; row < rows; row++)
		cells->present[row] = code[row] != CATEGORY_MISSING;
}

long convert_column(struct cells *cells, struct dictionary *names, struct chunk *chunk,
	const struct convert *how, uint8_t *keep)
{
	const struct column column = { .type = how->type, .width = 1 };
	int is_plain = how->type == COLUMN_FLOAT64 || how->type == COLUMN_INT64;
	long bad = 0;

	cells_begin(cells, &column);
	cells_reserve(cells, chunk->rows, 0);
	if (column_has_length(how->type)) {
		convert_text(cells, chunk, how);
		return 0;
	}
	if (how->type == COLUMN_CATEGORY) {
		convert_category(cells, names, chunk, how);
		return 0;
	}
	while (cells->rows < chunk->rows) {
		long rc;

		if (is_plain)
			convert_plain(cells, chunk, how);
		if (cells->rows == chunk->rows)
			break;
		rc = add_any(cells, chunk, how, keep, cells->rows);
		if (rc < 0)
			return -1;
		bad += rc;
	}
	return bad;
}
