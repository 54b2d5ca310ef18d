#include "common/dictionary.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "common/text.h"

#define SLOTS_FIRST 64

static uint32_t hash_of(const void *text, size_t length)
{
	return (uint32_t)XXH3_64bits(text, length);
}

const char *dictionary_text(const struct dictionary *d, uint32_t code, size_t *length)
{
	size_t start = code == 0 ? 0 : d->end[code - 1];

	*length = d->end[code] - start;
	return d->bytes + start;
}

/* The slot that has the text, or the free one where it belongs. */
static struct dictionary_slot *look(
	const struct dictionary *d, const void *text, size_t length, uint32_t hash)
{
	for (size_t i = hash;; i++) {
		struct dictionary_slot *slot = &d->slot[i & (d->slots - 1)];
		size_t known_length;
		const char *known;

		if (slot->code == DICTIONARY_NONE)
			return slot;
		if (slot->hash != hash)
			continue;
		known = dictionary_text(d, slot->code, &known_length);
		if (known_length == length && memcmp(known, text, length) == 0)
			return slot;
	}
}

static void make_slots(struct dictionary *d, size_t slots)
{
	struct dictionary_slot *old = d->slot;
	size_t old_slots = d->slots;

	d->slot = array_new(slots, sizeof *d->slot);
	d->slots = slots;
	memset(d->slot, 0xff, slots * sizeof *d->slot);
	for (size_t i = 0; i < old_slots; i++) {
		size_t at = old[i].hash;

		if (old[i].code == DICTIONARY_NONE)
			continue;
		while (d->slot[at & (slots - 1)].code != DICTIONARY_NONE)
			at++;
		d->slot[at & (slots - 1)] = old[i];
	}
	free(old);
}

static void keep(struct dictionary *d, const void *text, size_t length)
{
	if (d->size + length + 1 > d->room) {
		d->room = 2 * (d->size + length + 64);
		d->bytes = array_grown(d->bytes, d->room, 1);
	}
	if (d->count == d->end_room) {
		d->end_room = d->end_room != 0 ? 2 * d->end_room : SLOTS_FIRST;
		d->end = array_grown(d->end, d->end_room, sizeof *d->end);
	}
	memcpy(d->bytes + d->size, text, length);
	d->size += length;
	d->end[d->count++] = d->size;
}

uint32_t dictionary_add(struct dictionary *d, const void *text, size_t length)
{
	uint32_t hash = hash_of(text, length);
	struct dictionary_slot *slot;

	if (2 * (size_t)d->count + 2 > d->slots)
		make_slots(d, d->slots != 0 ? 2 * d->slots : SLOTS_FIRST);
	slot = look(d, text, length, hash);
	if (slot->code == DICTIONARY_NONE) {
		*slot = (struct dictionary_slot){ d->count, hash };
		keep(d, text, length);
	}
	return slot->code;
}

uint32_t dictionary_find(const struct dictionary *d, const void *text, size_t length)
{
	if (d->slots == 0)
		return DICTIONARY_NONE;
	return look(d, text, length, hash_of(text, length))->code;
}

void dictionary_clear(struct dictionary *d)
{
	d->size = 0;
	d->count = 0;
	if (d->slots != 0)
		memset(d->slot, 0xff, d->slots * sizeof *d->slot);
}

void dictionary_release(struct dictionary *d)
{
	free(d->bytes);
	free(d->end);
	free(d->slot);
	*d = (struct dictionary){ 0 };
}
