#include "base/near.h"

#include <string.h>

#define WORD_MAX 127

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Row i of the table, from the two rows before it. Returns the least distance in the row. */
static size_t fill_row(size_t *row, const size_t *last, const size_t *before, const char *a,
	const char *b, size_t i, size_t len)
{
	size_t lowest = row[0] = i, j;

	for (j = 1; j <= len; j++) {
		size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);

		row[j] = least(least(last[j], row[j - 1]) + 1, change);
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
			row[j] = least(row[j], before[j - 2] + 1);
		lowest = least(lowest, row[j]);
	}
	return lowest;
}

size_t near_distance(const char *a, const char *b, size_t limit)
{
	size_t rows[3][WORD_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b), i;
	size_t apart = a_len > b_len ? a_len - b_len : b_len - a_len;

	if (apart > limit || a_len > WORD_MAX || b_len > WORD_MAX)
		return limit + 1;
	memset(rows, 0, sizeof rows);
	for (i = 0; i <= b_len; i++)
		rows[0][i] = i;
	for (i = 1; i <= a_len; i++)
		if (fill_row(rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3], a, b, i, b_len) >
			limit + 1)
			return limit + 1;
	return least(rows[a_len % 3][b_len], limit + 1);
}

void near_start(struct near *n, const char *word)
{
	size_t limit = strlen(word) / 3;

	n->word = word;
	n->best = NULL;
	n->distance = (limit > 1 ? limit : 1) + 1;
}

void near_offer(struct near *n, const char *candidate)
{
	size_t distance = near_distance(n->word, candidate, n->distance - 1);

	if (distance < n->distance) {
		n->distance = distance;
		n->best = candidate;
	}
	if (n->distance == 0)
		n->distance = 1; /* nothing is nearer than the word itself */
}

const char *near_find(const char *word, const char *const *words, size_t count)
{
	struct near n;
	size_t i;

	near_start(&n, word);
	for (i = 0; i < count; i++)
		near_offer(&n, words[i]);
	return n.best;
}
