/*
 * common/dictionary.h - texts, each with a number: 0 for the first, and so on.
 *
 *     struct dictionary d = { 0 };
 *     code = dictionary_add(&d, "red", 3);               the same number for the same text
 *     code = dictionary_find(&d, "red", 3);              DICTIONARY_NONE: it is not there
 *     ...d.count, dictionary_text(&d, code, &length)...
 *     dictionary_release(&d);
 *
 * How many texts and bytes there may be is the caller's to limit.
 */
#ifndef FLOW_STAGES_COMMON_DICTIONARY_H
#define FLOW_STAGES_COMMON_DICTIONARY_H

#include <stddef.h>
#include <stdint.h>

#define DICTIONARY_NONE  UINT32_MAX
#define DICTIONARY_AHEAD 16

struct dictionary {
	char *bytes; /* all texts, one after the other */
	size_t size, room;
	size_t *end; /* where each ends */
	uint32_t count, end_room;
	struct dictionary_slot {
		uint32_t code; /* DICTIONARY_NONE: free */
		uint32_t hash;
	} * slot;
	size_t slots; /* a power of two, or 0 */
};

uint32_t dictionary_add(struct dictionary *d, const void *text, size_t length);
/* The same where DICTIONARY_AHEAD bytes from the text's beginning may be read, however long it is; faster. */
uint32_t dictionary_add_ahead(struct dictionary *d, const void *text, size_t length);
uint32_t dictionary_find(const struct dictionary *d, const void *text, size_t length);
const char *dictionary_text(const struct dictionary *d, uint32_t code, size_t *length);
void dictionary_clear(struct dictionary *d); /* empty; keeps its memory */
void dictionary_release(struct dictionary *d);

#endif
