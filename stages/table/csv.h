/*
 * table/csv.h - records of RFC 4180: fields between delimiters, lines between records.
 *
 *     cut = csv_cut(text, size, ',');            where the last whole record ends
 *     csv_read(&chunk, ',', header_columns);     whole records -> spans and bad rows
 *
 * A field that begins with a quote ends with one; in between two stand for one, and delimiters and
 * line ends are text. A quote elsewhere in a field is text too. Lines end with LF or CR LF; empty
 * lines are no records. Both functions see quotes in the same way, byte for byte, whatever the
 * text.
 */
#ifndef FLOW_STAGES_TABLE_CSV_H
#define FLOW_STAGES_TABLE_CSV_H

#include <stddef.h>

struct chunk;

/* One past the last line end that is outside of quotes; 0: there is none. CHUNK_MARGIN bytes after
 * the text must be readable. */
size_t csv_cut(const char *text, size_t size, char delimiter);

/* chunk_begin() was called with the columns of a record. The text begins with a record; the last one
 * need not end with a line end. */
void csv_read(struct chunk *chunk, char delimiter);

/* Fields of the first record that is not empty, whatever their number: one row of that many columns.
 * 0: there is no record. Returns where the record ends. */
size_t csv_read_first(struct chunk *chunk, char delimiter);

#endif
