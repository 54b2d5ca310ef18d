#include "dag/paths.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"

struct path_slot {
	const char *path; /* NULL: free */
	uint32_t len, hash, value;
};

static struct path_slot *find(const struct paths *t, const char *path, size_t len, uint32_t hash)
{
	uint32_t i = hash & t->mask;

	for (; t->slots[i].path != NULL; i = (i + 1) & t->mask) {
		const struct path_slot *s = &t->slots[i];

		if (s->hash == hash && s->len == len && memcmp(s->path, path, len) == 0)
			break;
	}
	return &t->slots[i];
}

void paths_reserve(struct paths *t, uint32_t count)
{
	struct paths old = *t;
	uint32_t size = 16, i;

	while (size < count * 2)
		size *= 2;
	if (old.slots != NULL && size <= old.mask + 1)
		return;
	t->slots = mem_zalloc(size * sizeof *t->slots);
	t->mask = size - 1;
	for (i = 0; old.slots != NULL && i <= old.mask; i++)
		if (old.slots[i].path != NULL)
			*find(t, old.slots[i].path, old.slots[i].len, old.slots[i].hash) =
				old.slots[i];
	free(old.slots);
}

uint32_t *paths_put(struct paths *t, const char *path, uint32_t value)
{
	size_t len = strlen(path);
	uint32_t hash = (uint32_t)XXH3_64bits(path, len);
	struct path_slot *s;

	paths_reserve(t, t->count + 1);
	s = find(t, path, len, hash);
	if (s->path != NULL)
		return &s->value;
	*s = (struct path_slot){ .path = path, .len = (uint32_t)len, .hash = hash, .value = value };
	t->count++;
	return NULL;
}

uint32_t *paths_get(const struct paths *t, const char *path, size_t len)
{
	struct path_slot *s;

	if (t->slots == NULL)
		return NULL;
	s = find(t, path, len, (uint32_t)XXH3_64bits(path, len));
	return s->path != NULL ? &s->value : NULL;
}

size_t paths_parent(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] != '/')
		len--;
	return len > 0 ? len - 1 : 0;
}

void paths_release(struct paths *t)
{
	free(t->slots);
	memset(t, 0, sizeof *t);
}
