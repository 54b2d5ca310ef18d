#include "table/csv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/text.h"
#include "table/chunk.h"

#define LINE_END      0x80000000u /* of an entry in chunk->end: the record ends here, too */
#define BLOCK         64
#define POSITION(end) ((end) & ~LINE_END)

/* A bit for each of 64 bytes: is it that one? */
#ifdef __SSE2__
static inline uint64_t equal_bytes(const char *text, char wanted)
{
	__m128i all = _mm_set1_epi8(wanted);
	uint64_t bits[4];

#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		__m128i block = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));

		bits[i] = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, all));
	}
	return (bits[0] | bits[1] << 16) | (bits[2] | bits[3] << 16) << 32;
}
#else
static inline uint64_t equal_bytes(const char *text, char wanted)
{
	uint64_t bits = 0;

	for (int i = 0; i < BLOCK; i++)
		bits |= (uint64_t)(text[i] == wanted) << i;
	return bits;
}
#endif

/* Where the scan is; positions are 32 bits because a chunk is short. */
struct scan {
	const char *text;
	size_t size;
	char delimiter;
	int quoted;           /* inside of quotes */
	uint32_t field_start; /* a quote here opens */
	uint32_t skip;        /* the second of two quotes lies here */
	int has_quotes;
	uint32_t last_line_end; /* one past it */
	uint64_t lines;         /* line ends inside of quotes */
};

/* A block with quotes in it, or within quotes: each place that matters in turn. */
static uint64_t pick(struct scan *s, uint32_t base, uint64_t quotes, uint64_t ends)
{
	uint64_t picked = 0;

	for (uint64_t left = quotes | ends; left != 0; left &= left - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(left);
		uint32_t at = base + bit;

		if (!(quotes >> bit & 1)) {
			if (!s->quoted) {
				picked |= (uint64_t)1 << bit;
				s->field_start = at + 1;
			}
		} else if (!s->quoted) {
			s->quoted = at == s->field_start;
		} else if (at != s->skip) {
			if (at + 1 < s->size && s->text[at + 1] == '"')
				s->skip = at + 1;
			else
				s->quoted = 0;
		}
	}
	return picked;
}

/* The ends of fields among 64 bytes, a bit each; *lines gets those that end a record. */
static inline uint64_t scan_block(struct scan *s, uint32_t base, uint64_t *lines)
{
	uint64_t quotes = equal_bytes(s->text + base, '"');
	uint64_t ends, all = ~(uint64_t)0;

	*lines = equal_bytes(s->text + base, '\n');
	ends = *lines | equal_bytes(s->text + base, s->delimiter);
	if (s->size - base < BLOCK) {
		all >>= BLOCK - (s->size - base);
		quotes &= all;
		ends &= all;
		*lines &= all;
	}
	if ((quotes | (uint64_t)s->quoted) != 0) {
		s->has_quotes = 1;
		ends = pick(s, base, quotes, ends);
		s->lines += (uint64_t)__builtin_popcountll(*lines & ~ends);
	} else if (ends != 0) {
		s->field_start = base + BLOCK - (uint32_t)__builtin_clzll(ends);
	}
	*lines &= ends;
	return ends;
}

size_t csv_cut(const char *text, size_t size, char delimiter)
{
	struct scan s = { .text = text, .size = size, .delimiter = delimiter, .skip = UINT32_MAX };
	size_t end = size;

	if (memchr(text, '"', size) == NULL) {
		while (end > 0 && text[end - 1] != '\n')
			end--;
		return end;
	}
	for (size_t base = 0; base < size; base += BLOCK) {
		uint64_t lines;

		(void)scan_block(&s, (uint32_t)base, &lines);
		if (lines != 0)
			s.last_line_end = (uint32_t)base + BLOCK - (uint32_t)__builtin_clzll(lines);
	}
	return s.last_line_end;
}

/* All ends into chunk->end; returns how many. A last record without a line end gets one. */
static size_t find_ends(struct chunk *chunk, struct scan *s)
{
	size_t count = 0;

	for (size_t base = 0; base < chunk->size; base += BLOCK) {
		uint64_t lines, ends = scan_block(s, (uint32_t)base, &lines);
		uint32_t *to;

		if (count + BLOCK + 1 > chunk->end_room) {
			chunk->end_room = 2 * (count + BLOCK + 1);
			chunk->end = array_grown(chunk->end, chunk->end_room, sizeof *chunk->end);
		}
		to = chunk->end + count;
		for (; ends != 0; ends &= ends - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(ends);

			*to++ = ((uint32_t)base + bit) | ((uint32_t)(lines >> bit & 1) << 31);
		}
		count = (size_t)(to - chunk->end);
	}
	if (chunk->size > 0 && s->field_start < chunk->size)
		chunk->end[count++] = (uint32_t)chunk->size | LINE_END;
	else if (count > 0 && !(chunk->end[count - 1] & LINE_END))
		chunk->end[count++] = (uint32_t)chunk->size | LINE_END;
	return count;
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

/* Fields first to last of chunk->end as spans. */
static inline void set_spans(
	const struct chunk *chunk, struct span *span, uint32_t start, size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t end = POSITION(chunk->end[first + i]);

		span[i] = (struct span){ start, end - start };
		start = end + 1;
	}
	if (span[count - 1].length != 0) {
		const struct span *last = &span[count - 1];

		if (chunk->text[last->start + last->length - 1] == '\r')
			span[count - 1].length--;
	}
}

static int is_empty(const struct chunk *chunk, uint32_t start, size_t first, size_t count)
{
	uint32_t end = POSITION(chunk->end[first]);

	return count == 1 && (end == start || (end == start + 1 && chunk->text[start] == '\r'));
}

static void read_record(
	struct chunk *chunk, uint32_t start, size_t first, size_t count, const struct scan *s)
{
	struct span *span;

	if (is_empty(chunk, start, first, count))
		return;
	if (count != chunk->columns) {
		chunk_bad(chunk, start, "%zu field%s, but there are %zu columns", count,
			count == 1 ? "" : "s", chunk->columns);
		return;
	}
	span = chunk_row(chunk, start);
	set_spans(chunk, span, start, first, count);
	if (s->has_quotes && !unquote_row(chunk, span, count)) {
		chunk->rows--;
		chunk_bad(chunk, start,
			"a quoted field is not closed, or text follows its closing quote");
	}
}

void csv_read(struct chunk *chunk, char delimiter)
{
	struct scan s = {
		.text = chunk->text, .size = chunk->size, .delimiter = delimiter, .skip = UINT32_MAX
	};
	size_t fields = find_ends(chunk, &s), first = 0;
	uint32_t start = 0;

	for (size_t i = 0; i < fields; i++) {
		if (!(chunk->end[i] & LINE_END))
			continue;
		read_record(chunk, start, first, i + 1 - first, &s);
		start = POSITION(chunk->end[i]) + 1;
		first = i + 1;
		s.lines += start <= chunk->size;
	}
	chunk->lines = s.lines;
}

size_t csv_read_first(struct chunk *chunk, char delimiter)
{
	struct scan s = {
		.text = chunk->text, .size = chunk->size, .delimiter = delimiter, .skip = UINT32_MAX
	};
	size_t fields = find_ends(chunk, &s), first = 0;
	uint32_t start = 0;

	for (size_t i = 0; i < fields; i++) {
		if (!(chunk->end[i] & LINE_END))
			continue;
		if (!is_empty(chunk, start, first, i + 1 - first)) {
			chunk_begin(chunk, i + 1 - first);
			read_record(chunk, start, first, i + 1 - first, &s);
			return POSITION(chunk->end[i]) + 1;
		}
		start = POSITION(chunk->end[i]) + 1;
		first = i + 1;
	}
	return 0;
}
