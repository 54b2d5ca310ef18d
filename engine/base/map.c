#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"

struct map_slot {
	const char *key; /* NULL: free */
	uint32_t hash, value;
};

static uint32_t hash_of(const char *key)
{
	return (uint32_t)XXH3_64bits(key, strlen(key));
}

static struct map_slot *find(const struct map *m, const char *key, uint32_t hash)
{
	uint32_t i = hash & m->mask;

	while (m->slots[i].key != NULL &&
		(m->slots[i].hash != hash || strcmp(m->slots[i].key, key) != 0))
		i = (i + 1) & m->mask;
	return &m->slots[i];
}

void map_reserve(struct map *m, uint32_t count)
{
	struct map old = *m;
	uint32_t size = 16, i;

	while (size < count * 2)
		size *= 2;
	if (old.slots != NULL && size <= old.mask + 1)
		return;
	m->slots = mem_zalloc(size * sizeof *m->slots);
	m->mask = size - 1;
	for (i = 0; old.slots != NULL && i <= old.mask; i++)
		if (old.slots[i].key != NULL)
			*find(m, old.slots[i].key, old.slots[i].hash) = old.slots[i];
	free(old.slots);
}

uint32_t *map_get(const struct map *m, const char *key)
{
	struct map_slot *s;

	if (m->slots == NULL)
		return NULL;
	s = find(m, key, hash_of(key));
	return s->key != NULL ? &s->value : NULL;
}

uint32_t *map_put(struct map *m, const char *key, uint32_t value)
{
	uint32_t hash = hash_of(key);
	struct map_slot *s;

	map_reserve(m, m->count + 1);
	s = find(m, key, hash);
	if (s->key != NULL)
		return &s->value;
	*s = (struct map_slot){ .key = key, .hash = hash, .value = value };
	m->count++;
	return NULL;
}

void map_release(struct map *m)
{
	free(m->slots);
	memset(m, 0, sizeof *m);
}
