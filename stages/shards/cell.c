#include "shards/cell.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/jsonout.h"
#include "common/shard.h"
#include "common/text.h"

void cell_name(struct text *line, const char *name)
{
	for (; *name != '\0'; name++) {
		char c = (unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name;

		text_add(line, &c, 1);
	}
}

void cell_number(struct text *line, double number)
{
	struct jsonout json = { .out = line };

	if (isfinite(number))
		jsonout_number(&json, number);
	else
		text_format(line, isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
}

void cell_time(struct text *line, int64_t micro)
{
	int64_t part = (micro % 1000000 + 1000000) % 1000000;
	time_t seconds = (time_t)((micro - part) / 1000000);
	struct tm when;
	char day[40];

	if (gmtime_r(&seconds, &when) == NULL ||
		strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &when) == 0) {
		text_format(line, "%lld", (long long)micro);
		return;
	}
	text_format(line, "%s", day);
	if (part != 0)
		text_format(line, ".%06lld", (long long)part);
	text_add(line, "Z", 1);
}

static void put_base64(struct text *line, const unsigned char *data, size_t length)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		unsigned bits = (unsigned)data[i] << 16 |
				(left > 1 ? (unsigned)data[i + 1] << 8 : 0) |
				(left > 2 ? data[i + 2] : 0);
		char four[4] = { digit[bits >> 18], digit[bits >> 12 & 63],
			left > 1 ? digit[bits >> 6 & 63] : '=', left > 2 ? digit[bits & 63] : '=' };

		text_add(line, four, sizeof four);
	}
}

/* Is it a text? Then what it says, in `made` where it must be made. */
static int text_of(struct text *made, const char **text, size_t *length, const struct shard *shard,
	size_t column, const struct shard_part *part, size_t row)
{
	if (part->type == COLUMN_TEXT) {
		*text = (const char *)shard_text(part, row, length);
		return 1;
	}
	if (part->type == COLUMN_CATEGORY) {
		*text = shard_category(shard, column, ((const uint32_t *)part->data)[row], length);
		if (*text == NULL)
			*length = 0;
		return 1;
	}
	if (part->type == COLUMN_BYTES) {
		const unsigned char *data = shard_text(part, row, length);

		put_base64(made, data, *length);
	} else if (part->type == COLUMN_TIME) {
		cell_time(made, ((const int64_t *)part->data)[row * part->width]);
	} else {
		return 0;
	}
	*text = made->data != NULL ? made->data : "";
	*length = made->length;
	return 1;
}

/* A float32 as the shortest text that is that float32. */
static void put_float(struct text *line, float number)
{
	char digits[40];

	for (int precision = 6; precision < 9; precision++) {
		(void)snprintf(digits, sizeof digits, "%.*g", precision, (double)number);
		if (strtof(digits, NULL) == number)
			break;
		(void)snprintf(digits, sizeof digits, "%.9g", (double)number);
	}
	text_format(line, "%s", digits);
}

static void put_value(struct text *line, const struct shard_part *part, size_t index)
{
	if (part->type == COLUMN_INT64)
		text_format(line, "%lld", (long long)((const int64_t *)part->data)[index]);
	else if (part->type == COLUMN_BOOLEAN)
		text_format(line, ((const uint8_t *)part->data)[index] != 0 ? "true" : "false");
	else if (part->type == COLUMN_FLOAT32 && isfinite(((const float *)part->data)[index]))
		put_float(line, ((const float *)part->data)[index]);
	else
		cell_number(line, column_number(part->type, part->data, index));
}

void cell_csv_text(struct text *line, const char *text, size_t length)
{
	int quotes = length == 0; /* a text that is empty is not missing */

	for (size_t i = 0; i < length; i++)
		quotes |= strchr(",\"\r\n", text[i]) != NULL || text[i] == ' ';
	if (!quotes) {
		text_add(line, text, length);
		return;
	}
	text_add(line, "\"", 1);
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '"')
			text_add(line, "\"", 1);
		text_add(line, text + i, 1);
	}
	text_add(line, "\"", 1);
}

/* Bytes of the UTF-8 character there; 0: it is none. */
static size_t character(const unsigned char *text, size_t length)
{
	size_t more = text[0] < 0x80 ? 0 : text[0] < 0xc2 ? 9 : text[0] < 0xe0 ? 1
					 : text[0] < 0xf0 ? 2
					 : text[0] < 0xf5 ? 3
							  : 9;

	if (more >= length)
		return 0;
	for (size_t i = 1; i <= more; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Surrogates, and what has a shorter form. */
	if ((text[0] == 0xed && text[1] > 0x9f) || (text[0] == 0xe0 && text[1] < 0xa0) ||
		(text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return more + 1;
}

void cell_json_text(struct text *line, const char *text, size_t length)
{
	text_add(line, "\"", 1);
	for (size_t i = 0, size; i < length; i += size) {
		unsigned char c = (unsigned char)text[i];

		size = character((const unsigned char *)text + i, length - i);
		if (size == 0) {
			text_add(line, "\\ufffd", 6);
			size = 1;
		} else if (c == '"' || c == '\\') {
			text_format(line, "\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			text_format(line, "\\u%04x", c);
		} else {
			text_add(line, text + i, size);
		}
	}
	text_add(line, "\"", 1);
}

void cell_csv(struct text *line, const struct shard *shard, size_t column,
	const struct shard_part *part, size_t row)
{
	struct text made = { 0 };
	const char *text;
	size_t length;

	for (size_t j = 0; j < part->width; j++) {
		if (j > 0)
			text_add(line, ",", 1);
		if (!shard_present(part, row))
			continue;
		if (text_of(&made, &text, &length, shard, column, part, row))
			cell_csv_text(line, text, length);
		else
			put_value(line, part, row * part->width + j);
	}
	text_release(&made);
}

static void json_value(struct text *line, const struct shard_part *part, size_t index)
{
	double number = column_number(part->type, part->data, index);

	/* JSON has no such numbers. */
	if (isnan(number))
		text_add(line, "null", 4);
	else if (isinf(number))
		text_format(line, number > 0 ? "\"inf\"" : "\"-inf\"");
	else
		put_value(line, part, index);
}

void cell_json(struct text *line, const struct shard *shard, size_t column,
	const struct shard_part *part, size_t row)
{
	struct text made = { 0 };
	const char *text;
	size_t length;

	if (!shard_present(part, row)) {
		text_add(line, "null", 4);
	} else if (text_of(&made, &text, &length, shard, column, part, row)) {
		cell_json_text(line, text, length);
	} else if (shard->column[column].dimensions == 0) {
		json_value(line, part, row);
	} else {
		for (size_t j = 0; j < part->width; j++) {
			text_add(line, j == 0 ? "[" : ",", 1);
			json_value(line, part, row * part->width + j);
		}
		text_add(line, "]", 1);
	}
	text_release(&made);
}
