/*
 * dag/text_pool.h - each text once: the text pool of a graph under construction.
 *
 *     struct text_pool p = { 0 };  uint32_t at = text_pool_add(&p, "train", 5);  text_pool_text(&p, at)
 *     text_pool_release(&p);
 * A text is its offset in `data`, where it ends with NUL; offset 0 is "". A pointer from text_pool_text
 * lives until the next text_pool_add. When the pool is over POOL_MAX bytes text_pool_add returns 0 and sets
 * `is_full`; the caller looks at it now and then.
 */
#ifndef FLOW_DAG_TEXT_POOL_H
#define FLOW_DAG_TEXT_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_MAX (1u << 29)

struct text_pool {
	char *data;
	size_t len, cap;
	struct text_pool_slot *slots;
	uint32_t count, mask;
	bool is_full;
};

uint32_t text_pool_add(struct text_pool *p, const char *text, size_t len);
uint32_t text_pool_string(struct text_pool *p, const char *text);
void text_pool_release(struct text_pool *p);

static inline const char *text_pool_text(const struct text_pool *p, uint32_t at)
{
	return p->data != NULL ? p->data + at : "";
}

#endif
