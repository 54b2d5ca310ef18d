#include "common/dictionary.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "common/text.h"

#define SLOTS_FIRST 64
#define SLOTS_FEW   65536 /* so few may be emptier */

/* What tells texts apart at a glance; of a short one it is the text itself. */
struct key {
	uint64_t low, high;
	uint32_t hash;
	int is_short;
};

__extension__ typedef unsigned __int128 wide;

static inline struct key short_key(const void *text, size_t length)
{
	/* So many bytes from here are ones, the others zeros. */
	static const uint64_t masks[4] = { UINT64_MAX, UINT64_MAX, 0, 0 };
	struct key key = { .is_short = 1 };
	uint64_t mask[2];
	wide product;

	memcpy(mask, (const char *)masks + DICTIONARY_AHEAD - length, sizeof mask);
	memcpy(&key.low, text, sizeof key.low);
	memcpy(&key.high, (const char *)text + 8, sizeof key.high);
	key.low &= mask[0];
	key.high &= mask[1];
	product = (wide)(key.low ^ 0x9e3779b97f4a7c15u) * (key.high ^ 0xd1b54a32d192ed03u ^ length << 56);
	key.hash = (uint32_t)(product >> 64) ^ (uint32_t)(product >> 32) ^ (uint32_t)product;
	return key;
}

static struct key key_of(const void *text, size_t length)
{
	char room[DICTIONARY_AHEAD] = { 0 };

	if (length > sizeof room)
		return (struct key){ .hash = (uint32_t)XXH3_64bits(text, length) };
	memcpy(room, text, length);
	return short_key(room, length);
}

const char *dictionary_text(const struct dictionary *d, uint32_t code, size_t *length)
{
	size_t start = code == 0 ? 0 : d->end[code - 1];

	*length = d->end[code] - start;
	return d->bytes + start;
}

static inline int is_same(const struct dictionary *d, uint32_t code, const void *text, size_t length, const struct key *key)
{
	size_t known_length;
	const char *known = dictionary_text(d, code, &known_length);
	struct key other;

	if (known_length != length)
		return 0;
	if (!key->is_short)
		return memcmp(known, text, length) == 0;
	other = short_key(known, length);
	return ((other.low ^ key->low) | (other.high ^ key->high)) == 0;
}

/* The slot that has the text, or the free one where it belongs. */
static inline struct dictionary_slot *look(const struct dictionary *d, const void *text, size_t length, const struct key *key)
{
	for (size_t i = key->hash;; i++) {
		struct dictionary_slot *slot = &d->slot[i & (d->slots - 1)];

		if (slot->code == DICTIONARY_NONE)
			return slot;
		if (slot->hash == key->hash && is_same(d, slot->code, text, length, key))
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
	/* What is_same() reads beyond the last text is there, too. */
	if (d->size + length + DICTIONARY_AHEAD > d->room) {
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

static inline uint32_t add(struct dictionary *d, const void *text, size_t length, const struct key *key)
{
	struct dictionary_slot *slot;

	if ((d->slots < SLOTS_FEW ? 4 : 2) * (size_t)d->count + 2 > d->slots)
		make_slots(d, d->slots != 0 ? 2 * d->slots : SLOTS_FIRST);
	slot = look(d, text, length, key);
	if (slot->code == DICTIONARY_NONE) {
		*slot = (struct dictionary_slot){ d->count, key->hash };
		keep(d, text, length);
	}
	return slot->code;
}

uint32_t dictionary_add(struct dictionary *d, const void *text, size_t length)
{
	struct key key = key_of(text, length);

	return add(d, text, length, &key);
}

uint32_t dictionary_add_ahead(struct dictionary *d, const void *text, size_t length)
{
	struct key key;

	if (length > DICTIONARY_AHEAD)
		return dictionary_add(d, text, length);
	key = short_key(text, length);
	return add(d, text, length, &key);
}

uint32_t dictionary_find(const struct dictionary *d, const void *text, size_t length)
{
	struct key key;

	if (d->slots == 0)
		return DICTIONARY_NONE;
	key = key_of(text, length);
	return look(d, text, length, &key)->code;
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
