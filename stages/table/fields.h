/*
 * table/fields.h - where the fields of a text end: at delimiters and line ends that are not in quotes.
 *
 *     struct fields f = fields_of(text, size, ',');
 *     count = fields_find(&f, &chunk);             all of them, into chunk->span
 *     ...f.lines, f.line_ends, f.has_quotes...
 *
 * The text is looked at 64 bytes at a time, with what the processor has; only where there are quotes it is looked at
 * place by place. CHUNK_MARGIN bytes after the text must be readable, whatever they are.
 */
#ifndef FLOW_STAGES_TABLE_FIELDS_H
#define FLOW_STAGES_TABLE_FIELDS_H

#include <stddef.h>
#include <stdint.h>

struct chunk;

/* For which processors the loops are. */
enum fields_loops { FIELDS_ANY, FIELDS_AVX2, FIELDS_AVX512, FIELDS_LOOPS };

/* Where the search is; positions are 32 bits because a chunk is short. */
struct fields {
	const char *text;
	size_t size;
	char delimiter;
	enum fields_loops loops; /* the last that this processor can; the fields are the same ones with any before it */
	int quoted;         /* inside of quotes */
	uint32_t start;     /* of the field; a quote here opens */
	uint32_t skip;      /* the second of two quotes lies here */
	int has_quotes;     /* there was one so far */
	uint64_t lines;     /* line ends, wherever they stand */
	uint64_t line_ends; /* those that end a record, and the text if no line end does */
};

struct fields fields_of(const char *text, size_t size, char delimiter);

/* One span for each field, as it stands there, quotes and CR included. Returns how many. */
size_t fields_find(struct fields *fields, struct chunk *chunk);

/* One past the last line end that ends a record; 0: there is none. */
size_t fields_last_line(struct fields *fields);

#endif
