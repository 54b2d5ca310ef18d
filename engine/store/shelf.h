/*
 * store/shelf.h - all objects of a store, in memory: what lies there, and who claims it.
 *
 *     struct shelf s = { 0 };
 *     shelf_read(&s, &objects, e)                every object with its size, ordered by digest
 *     shelf_claim(&s, &made)                     an artifact, or its folder's files, is needed ...
 *     shelf_unclaim(&s, &made)                   ... or no longer
 *     for (i = 0; i < s.count; i++) if (s.items[i].claims == 0) shelf_remove(&s, i, e)
 *     shelf_release(&s)
 *
 * 80 bytes an object, so that a million fits anywhere. Claims of a folder count for its manifest; its files are claimed once,
 * for as long as the manifest is. What is claimed and not there is passed over: shelf_find() tells.
 */
#ifndef FLOW_STORE_SHELF_H
#define FLOW_STORE_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct buf;
struct err;
struct made;
struct objects;

struct shelved {
	struct digest digest;
	uint64_t size;
	uint32_t claims;
	uint32_t folders;        /* of these: as a folder */
	bool is_linked;          /* the work tree has it, too: removing it frees nothing yet */
	bool is_young;           /* it came after the grace period began */
	bool is_writable;        /* an object never is */
	bool is_suspect, is_damaged; /* store/verify.h */
	int64_t mtime_ms, recorded_ms; /* the last end of an attempt that made it; 0: none */
};

struct shelf {
	const struct objects *objects;
	struct shelved *items;
	size_t count, cap;
	size_t shards[257];      /* where each first byte begins */
	uint64_t bytes;          /* of all */
	uint64_t claimed;        /* of those with a claim */
	uint32_t strangers;      /* names that are no object's */
	struct buf *text;        /* of the manifest being read */
};

/* young_ns: wall time; what changed later is young. */
int shelf_read(struct shelf *s, const struct objects *o, int64_t young_ns, struct err *e);
struct shelved *shelf_find(const struct shelf *s, const struct digest *d); /* NULL: it is not there */

/* One artifact; an absent one is nothing. A manifest that cannot be read claims no file. */
void shelf_claim(struct shelf *s, const struct made *made);
void shelf_unclaim(struct shelf *s, const struct made *made);
void shelf_claim_one(struct shelf *s, const struct digest *d, bool give_up); /* an object of flow's own: a patch, a dag */
/* An input that was kept: nobody wrote down whether it is a file or a folder, so its bytes tell. */
void shelf_claim_source(struct shelf *s, const struct digest *d, bool give_up);

/* Each object of an artifact: found() with its place on the shelf (NULL: it is not there), digest and size. Of a folder first the manifest,
 * with size UINT64_MAX, then its files. false: the manifest cannot be read. */
typedef void shelf_found(void *user, struct shelved *item, const struct digest *d, uint64_t size);
bool shelf_each(const struct shelf *s, const struct made *made, shelf_found *found, void *user);

int shelf_remove(struct shelf *s, size_t at, struct err *e);
void shelf_release(struct shelf *s);

#endif
