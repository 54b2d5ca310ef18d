#include "dag/text_pool.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"

struct text_pool_slot {
	uint32_t at; /* 0: free */
	uint32_t hash;
};

static struct text_pool_slot *find(const struct text_pool *p, const char *text, size_t len, uint32_t hash)
{
	uint32_t i = hash & p->mask;

	for (; p->slots[i].at != 0; i = (i + 1) & p->mask) {
		const struct text_pool_slot *s = &p->slots[i];

		if (s->hash == hash && p->len - s->at > len &&
			memcmp(p->data + s->at, text, len) == 0 && p->data[s->at + len] == '\0')
			break;
	}
	return &p->slots[i];
}

static void grow_slots(struct text_pool *p)
{
	uint32_t size = p->slots != NULL ? (p->mask + 1) * 2 : 256, i, j;
	struct text_pool_slot *old = p->slots;
	uint32_t old_size = old != NULL ? p->mask + 1 : 0;

	p->slots = mem_zalloc(size * sizeof *p->slots);
	p->mask = size - 1;
	for (i = 0; i < old_size; i++) {
		if (old[i].at == 0)
			continue;
		for (j = old[i].hash & p->mask; p->slots[j].at != 0;)
			j = (j + 1) & p->mask;
		p->slots[j] = old[i];
	}
	free(old);
}

static void append(struct text_pool *p, const char *text, size_t len)
{
	if (p->cap - p->len < len + 1) {
		p->cap = p->cap * 2 > p->len + len + 1 ? p->cap * 2 : p->len + len + 1;
		if (p->cap < 4096)
			p->cap = 4096;
		p->data = mem_grow(p->data, p->cap, 1);
	}
	memcpy(p->data + p->len, text, len);
	p->data[p->len + len] = '\0';
	p->len += len + 1;
}

uint32_t text_pool_add(struct text_pool *p, const char *text, size_t len)
{
	uint32_t hash, at;
	struct text_pool_slot *s;

	if (p->len == 0)
		append(p, "", 0);
	if (len == 0)
		return 0;
	if (len > POOL_MAX || p->len + len + 1 > POOL_MAX) {
		p->is_full = true;
		return 0;
	}
	if (p->slots == NULL || p->count * 2 >= p->mask)
		grow_slots(p);
	hash = (uint32_t)XXH3_64bits(text, len);
	s = find(p, text, len, hash);
	if (s->at != 0)
		return s->at;
	at = (uint32_t)p->len;
	append(p, text, len);
	*s = (struct text_pool_slot){ .at = at, .hash = hash };
	p->count++;
	return at;
}

uint32_t text_pool_string(struct text_pool *p, const char *text)
{
	return text_pool_add(p, text, strlen(text));
}

void text_pool_release(struct text_pool *p)
{
	free(p->data);
	free(p->slots);
	memset(p, 0, sizeof *p);
}
