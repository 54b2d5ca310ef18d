/*
 * table/convert.h - the values of one column of a chunk: what types they could be, and their cells.
 *
 *     kinds = convert_survey(&chunk, column, &words, KINDS_ALL, &seen);
 *     type = convert_choose(kinds);
 *     convert_column(&cells, &names, &chunk, &how, keep);
 *
 * Both touch nothing but what they are given, so that chunks can be converted in several threads.
 */
#ifndef FLOW_STAGES_TABLE_CONVERT_H
#define FLOW_STAGES_TABLE_CONVERT_H

#include <stddef.h>
#include <stdint.h>

#include "common/column.h"

struct chunk;
struct dictionary;

#define MISSING_WORDS_MAX 32

/* Texts that say "nothing is here". */
struct missing_words {
	char word[MISSING_WORDS_MAX][32];
	size_t length[MISSING_WORDS_MAX], count, longest;
	int empty;   /* the empty text is one */
	int numbers; /* one of them is a number */
};

void missing_words_add(struct missing_words *words, const char *word);

enum kinds {
	KIND_INTEGER = 1,
	KIND_FLOAT = 2,
	KIND_BOOLEAN = 4,
	KIND_TIME = 8,
	KINDS_ALL = 15, /* none of them: text */
};

/* Which of `kinds` hold for all values of the column; *seen counts those that are not missing.
 * 007 is neither whole number nor number: it is a name that is spelt with digits. */
unsigned convert_survey(const struct chunk *chunk, size_t column, const struct missing_words *words,
	unsigned kinds, size_t *seen);
/* COLUMN_CATEGORY stands for text of either kind. */
enum column_type convert_choose(unsigned kinds, size_t seen);

struct convert {
	size_t column;
	const char *name;
	enum column_type type;
	int is_guess; /* a value of another kind says that the type is wrong, not the row */
	const struct missing_words *words;
};

/* All rows of the chunk as cells; of a category column codes of `names`, which may have names of earlier chunks
 * and has those of `words`, which are no cell's. Returns how many values were no such type: their rows are bad and have keep[row] 0, their cells are
 * missing. Of a guess: -1 at the first such value. */
long convert_column(struct cells *cells, struct dictionary *names, struct chunk *chunk,
	const struct convert *how, uint8_t *keep);

#endif
