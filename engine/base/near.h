/*
 * base/near.h - "did you mean": the nearest of some words.
 *
 *     struct near n;  near_start(&n, "retrys");  near_offer(&n, "retry");  ...n.best...
 * Distance is Damerau-Levenshtein (a swap of neighbours counts one). A word is near when it is at
 * most max(1, length / 3) away from what was typed; of equally near ones the first offered wins.
 * Words are borrowed.
 */
#ifndef FLOW_BASE_NEAR_H
#define FLOW_BASE_NEAR_H

#include <stddef.h>

struct near {
	const char *word; /* what was typed */
	const char *best; /* NULL: none is near */
	size_t distance;  /* of best; one more than the limit while there is none */
};

void near_start(struct near *n, const char *word);
void near_offer(struct near *n, const char *candidate);
const char *near_find(const char *word, const char *const *words, size_t count); /* or NULL */

/* Counted in bytes; anything over `limit`, or a word over 127 bytes, is limit + 1. */
size_t near_distance(const char *a, const char *b, size_t limit);

#endif
