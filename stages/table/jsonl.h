/*
 * table/jsonl.h - records that are JSON objects, one a line.
 *
 *     cut = jsonl_cut(text, size);
 *     jsonl_keys(&chunk, names, error);       the keys in order of appearance
 *     jsonl_read(&chunk, names);              whole lines -> spans and bad rows
 *
 * Values are numbers, texts, true, false and null; a key that is absent is as null. Texts are marked
 * as such, so that "12" stays text. Lists and objects as values are not read: the row is bad.
 */
#ifndef FLOW_STAGES_TABLE_JSONL_H
#define FLOW_STAGES_TABLE_JSONL_H

#include <stddef.h>

struct chunk;
struct dictionary;

size_t jsonl_cut(const char *text, size_t size);
/* Adds to names what keys there are, at most `most`. Lines that are no objects are left out. The
 * text is changed: give a copy. */
void jsonl_keys(struct chunk *chunk, struct dictionary *names, size_t most);
/* chunk_begin() was called with names->count columns; a key that is none of them makes a bad row. */
void jsonl_read(struct chunk *chunk, const struct dictionary *names);

#endif
