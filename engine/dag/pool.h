/*
 * dag/pool.h - each text once: the text pool of a graph under construction.
 *
 *     struct pool p = { 0 };  uint32_t at = pool_add(&p, "train", 5);  pool_text(&p, at)
 *     pool_release(&p);
 * A text is its offset in `data`, where it ends with NUL; offset 0 is "". A pointer from pool_text
 * lives until the next pool_add. When the pool is over POOL_MAX bytes pool_add returns 0 and sets
 * `is_full`; the caller looks at it now and then.
 */
#ifndef FLOW_DAG_POOL_H
#define FLOW_DAG_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_MAX (1u << 29)

struct pool {
	char *data;
	size_t len, cap;
	struct pool_slot *slots;
	uint32_t count, mask;
	bool is_full;
};

uint32_t pool_add(struct pool *p, const char *text, size_t len);
uint32_t pool_string(struct pool *p, const char *text);
void pool_release(struct pool *p);

static inline const char *pool_text(const struct pool *p, uint32_t at)
{
	return p->data != NULL ? p->data + at : "";
}

#endif
