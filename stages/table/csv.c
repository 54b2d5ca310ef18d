#include "table/csv.h"

#include <stdint.h>
#include <string.h>

#include "table/chunk.h"
#include "table/fields.h"

size_t csv_cut(const char *text, size_t size, char delimiter)
{
	struct fields f = fields_of(text, size, delimiter);
	size_t end = size;

	if (memchr(text, '"', size) != NULL)
		return fields_last_line(&f);
	while (end > 0 && text[end - 1] != '\n')
		end--;
	return end;
}

/* A field in quotes, in place: 0 when something follows the closing quote, or there is none. */
static int unquote(char *text, struct span *span)
{
	char *from = text + span->start + 1, *end = text + span->start + span->length, *to = from;
	char *quote;

	while ((quote = memchr(from, '"', (size_t)(end - from))) != NULL) {
		memmove(to, from, (size_t)(quote - from));
		to += quote - from;
		if (quote + 1 == end) {
			span->start++;
			span->length = (uint32_t)(to - (text + span->start));
			return 1;
		}
		if (quote[1] != '"')
			return 0;
		*to++ = '"';
		from = quote + 2;
	}
	return 0;
}

static int unquote_row(struct chunk *chunk, struct span *span, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span[i].length != 0 && chunk->text[span[i].start] == '"' &&
			!unquote(chunk->text, &span[i]))
			return 0;
	return 1;
}

/* Is it the last of a record? */
static inline int ends_record(const struct chunk *chunk, const struct span *span)
{
	uint32_t end = span->start + span->length;

	return end == chunk->size || chunk->text[end] == '\n';
}

/* What ends with CR LF has no CR. */
static inline void drop_return(const struct chunk *chunk, struct span *span)
{
	span->length -= span->length != 0 && chunk->text[span->start + span->length - 1] == '\r';
}

/* One record more of what fields_find() found; it lies at or behind where its row will lie. */
static void take_record(struct chunk *chunk, struct span *record, size_t count, int has_quotes)
{
	struct span *row = chunk->span + chunk->rows * chunk->columns;
	uint32_t start = record->start;

	drop_return(chunk, &record[count - 1]);
	if (count == 1 && record->length == 0)
		return;
	if (count != chunk->columns) {
		chunk_bad(chunk, start, "%zu field%s, but there are %zu columns", count,
			count == 1 ? "" : "s", chunk->columns);
		return;
	}
	if (has_quotes && !unquote_row(chunk, record, count)) {
		chunk_bad(chunk, start,
			"a quoted field is not closed, or text follows its closing quote");
		return;
	}
	if (row != record)
		memmove(row, record, count * sizeof *row);
	chunk->position[chunk->rows++] = start;
}

/* The usual chunk: as many fields to each line as there are columns, and no quotes. 0: it is not. */
static int take_all(struct chunk *chunk, const struct fields *f, size_t fields)
{
	size_t columns = chunk->columns;

	/* When each row ends with a line end, the other fields have none left. */
	if (f->has_quotes || columns == 1 || f->line_ends * columns != fields)
		return 0;
	for (size_t last = columns - 1; last < fields; last += columns)
		if (!ends_record(chunk, &chunk->span[last]))
			return 0;
	for (size_t first = 0; first < fields; first += columns) {
		chunk->position[chunk->rows++] = chunk->span[first].start;
		drop_return(chunk, &chunk->span[first + columns - 1]);
	}
	return 1;
}

void csv_read(struct chunk *chunk, char delimiter)
{
	struct fields f = fields_of(chunk->text, chunk->size, delimiter);
	size_t fields = fields_find(&f, chunk), first = 0;

	chunk->lines = f.lines;
	chunk_reserve_rows(chunk, f.line_ends);
	if (take_all(chunk, &f, fields))
		return;
	for (size_t i = 0; i < fields; i++) {
		if (!ends_record(chunk, &chunk->span[i]))
			continue;
		take_record(chunk, &chunk->span[first], i + 1 - first, f.has_quotes);
		first = i + 1;
	}
}

size_t csv_read_first(struct chunk *chunk, char delimiter)
{
	struct fields f = fields_of(chunk->text, chunk->size, delimiter);
	size_t fields = fields_find(&f, chunk), first = 0;

	chunk_reserve_rows(chunk, f.line_ends);
	for (size_t i = 0; i < fields; i++) {
		uint32_t end = chunk->span[i].start + chunk->span[i].length;

		if (!ends_record(chunk, &chunk->span[i]))
			continue;
		chunk_begin(chunk, i + 1 - first);
		take_record(chunk, &chunk->span[first], i + 1 - first, f.has_quotes);
		if (chunk->rows + chunk->bad_count != 0)
			return end + 1;
		first = i + 1;
	}
	return 0;
}
