/*
 * store/description_cache.h - what plugins say of themselves, kept in .flow/plugins.cache by the digest of their code.
 *
 *     struct description_cache c = { 0 };
 *     description_cache_load(&c, flow_fd)            what is there; a file that is damaged or of another version has nothing
 *     text = description_cache_find(&c, &code)       NULL: ask the plugin (stage/description.h), and
 *     description_cache_add(&c, &code, text)
 *     description_cache_save(&c, flow_fd)            best effort, and only when something was added
 *     description_cache_release(&c)
 *
 * So that a run need not load every plugin once more before it starts. Texts live until release. Bounded: of too many the oldest
 * go, one that is too long is not kept.
 */
#ifndef FLOW_STORE_DESCRIPTION_CACHE_H
#define FLOW_STORE_DESCRIPTION_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/digest.h"

#define DESCRIPTIONS_MAX       64u
#define DESCRIPTIONS_BYTES_MAX ((size_t)1 << 20) /* of the file */
#define DESCRIPTION_BYTES_MAX  ((size_t)1 << 17)

struct description_cache {
	struct arena arena;
	struct {
		struct kept_description {
			struct digest code;
			const char *text;
		} *items;
		size_t count, cap;
	} kept;                  /* oldest first */
	bool changed;            /* something was added */
};

void description_cache_load(struct description_cache *c, int flow_fd);
const char *description_cache_find(const struct description_cache *c, const struct digest *code);
void description_cache_add(struct description_cache *c, const struct digest *code, const char *text);
void description_cache_save(const struct description_cache *c, int flow_fd);
void description_cache_release(struct description_cache *c);

#endif
