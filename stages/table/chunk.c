#include "table/chunk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

void chunk_reserve(struct chunk *chunk, size_t size)
{
	if (size + CHUNK_MARGIN <= chunk->room)
		return;
	chunk->text = array_grown(chunk->text, size + CHUNK_MARGIN, 1);
	chunk->room = size + CHUNK_MARGIN;
}

void chunk_release(struct chunk *chunk)
{
	free(chunk->text);
	free(chunk->span);
	free(chunk->position);
	free(chunk->bad);
	*chunk = (struct chunk){ 0 };
}

void chunk_begin(struct chunk *chunk, size_t columns)
{
	chunk->columns = columns;
	chunk->rows = 0;
	chunk->bad_count = 0;
	chunk->lines = 0;
}

void chunk_reserve_rows(struct chunk *chunk, size_t rows)
{
	if (rows <= chunk->position_room)
		return;
	chunk->position = array_grown(chunk->position, rows, sizeof *chunk->position);
	chunk->position_room = rows;
}

struct span *chunk_row(struct chunk *chunk, uint32_t position)
{
	size_t used = chunk->rows * chunk->columns;

	if (used + chunk->columns > chunk->span_room) {
		size_t room = 2 * (used + chunk->columns);

		chunk->span = array_grown(chunk->span, room, sizeof *chunk->span);
		chunk->span_room = room;
	}
	if (chunk->rows == chunk->position_room)
		chunk_reserve_rows(chunk, chunk->rows != 0 ? 2 * chunk->rows : 1024);
	chunk->position[chunk->rows++] = position;
	return chunk->span + used;
}

void chunk_select(struct chunk *chunk, const uint8_t *keep)
{
	size_t kept = 0, row_size = chunk->columns * sizeof *chunk->span;

	for (size_t r = 0; r < chunk->rows; r++) {
		if (!keep[r])
			continue;
		if (kept != r) {
			memcpy(chunk->span + kept * chunk->columns,
				chunk->span + r * chunk->columns, row_size);
			chunk->position[kept] = chunk->position[r];
		}
		kept++;
	}
	chunk->rows = kept;
}

static uint64_t line_of(const struct chunk *chunk, uint32_t position)
{
	const char *at = chunk->text, *end = chunk->text + position;
	uint64_t line = 0;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		line++;
		at++;
	}
	return line;
}

void chunk_bad(struct chunk *chunk, uint32_t position, const char *format, ...)
{
	struct bad_row *bad;
	va_list arguments;

	if (chunk->bad_count == chunk->bad_room) {
		size_t room = chunk->bad_room != 0 ? 2 * chunk->bad_room : 16;

		chunk->bad = array_grown(chunk->bad, room, sizeof *bad);
		chunk->bad_room = room;
	}
	bad = &chunk->bad[chunk->bad_count++];
	bad->line = line_of(chunk, position);
	va_start(arguments, format);
	(void)vsnprintf(bad->why, sizeof bad->why, format, arguments);
	va_end(arguments);
}

const char *chunk_quote(char room[64], const char *text, size_t length)
{
	size_t shown = length > 40 ? 40 : length;

	for (size_t i = 0; i < shown; i++)
		room[i] = (char)((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i]);
	/* Not in the middle of a character. */
	while (shown < length && shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
		shown--;
	(void)snprintf(room + shown, 64 - shown, "%s", shown < length ? "..." : "");
	return room;
}
