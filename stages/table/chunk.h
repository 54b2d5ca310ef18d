/*
 * table/chunk.h - a piece of a text file that holds whole records, and where their values are.
 *
 * A reader (csv.c, jsonl.c) fills spans row by row: the value of a column in a row is
 * span[row * columns + column]. Values with escapes are unescaped in place, so a span is always the
 * value itself. Records that are none become bad rows, with the line and the reason.
 */
#ifndef FLOW_STAGES_TABLE_CHUNK_H
#define FLOW_STAGES_TABLE_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "common/numbers.h"

#define CHUNK_SIZE   ((size_t)256 << 10) /* with its values it stays in a core's own cache */
#define CHUNK_SURVEY ((size_t)1 << 20)   /* the first one, of which names and types are taken */
#define CHUNK_MAX    ((size_t)64 << 20) /* a single record must be shorter */
#define CHUNK_MARGIN 64                 /* bytes after the text that may be read */
#define SPAN_MISSING UINT32_MAX         /* as start, with no length: the record has no such value */
#define SPAN_STRING  0x80000000u        /* in length: quoted where that says "not a number" */

struct bad_row {
	uint64_t line; /* from 0, in the chunk */
	char why[200];
};

struct chunk {
	char *text; /* size bytes and the margin */
	size_t size, room;
	uint64_t lines; /* line ends in the text */
	size_t columns, rows;
	struct span *span;
	uint32_t *position; /* of each row: where its record begins */
	size_t span_room, position_room;
	struct bad_row *bad;
	size_t bad_count, bad_room;
};

/* Room in text for so many bytes and the margin; what is there stays. */
void chunk_reserve(struct chunk *chunk, size_t size);
void chunk_release(struct chunk *chunk); /* zeroed: nothing */

/* Start anew with records of so many columns. */
void chunk_begin(struct chunk *chunk, size_t columns);
/* The spans of one more row, to be filled. */
struct span *chunk_row(struct chunk *chunk, uint32_t position);
/* Room for so many positions of rows. */
void chunk_reserve_rows(struct chunk *chunk, size_t rows);
/* Take rows out: those with keep[row] 0. */
void chunk_select(struct chunk *chunk, const uint8_t *keep);

/* A record that is no row; only the first few of a chunk keep their reason, all are counted. */
void chunk_bad(struct chunk *chunk, uint32_t position, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Text for a message: cut when long, with ? for what a terminal would not show. */
const char *chunk_quote(char room[64], const char *text, size_t length);

#endif
