/*
 * store/objects.h - artifacts by digest: .flow/objects/ab/cdef...
 *
 *     object_take(&o, dir, path, &made, &id, e)   a file or folder becomes an object; it stays where it is
 *     object_put(&o, data, len, &digest, e)       bytes of our own: a patch, the text of dag.yaml
 *     object_restore(&o, &made, path, &id, e)     bring an artifact back into the work tree
 *     object_read(&o, &digest, limit, &buf, e)
 *
 * An object is immutable, mode 0444 (0555), and named by the SHA-256 of its bytes. It shares blocks with the file that was taken
 * where the file system can; else it is a hard link to it, which makes the file in the work tree read-only too; else a copy
 * (`cache.link`). A folder's object is its manifest, and each of its files is an object. What is restored is verified by digest first: a damaged object is moved
 * to quarantine/ and reported as missing, never served.
 * All functions are safe to call from several threads at once; they share nothing but descriptors.
 */
#ifndef FLOW_STORE_OBJECTS_H
#define FLOW_STORE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "plan/past.h"
#include "store/link.h"

struct buf;
struct err;
struct project;
struct stat_id;

#define MANIFEST_MAX ((size_t)1 << 30)

struct objects {
	int root_fd;  /* the work tree */
	int store_fd; /* .flow, or the shared store: `objects`, `objects/tmp` and `quarantine` lie in it */
	unsigned char links[LINK_KINDS]; /* enum link_kind, the first that works */
};

struct objects objects_of(const struct project *p);

/* What took a path in; id is the identity of a regular file afterwards, for the stat cache, all zero for a folder.
 * ERR_NOTFOUND: nothing is there. ERR_POLICY: a link, device, ... */
int object_take(const struct objects *o, int dir, const char *path, struct made *made, struct stat_id *id, struct err *e);
/* The same without the store: what it would be taken in as. */
int object_look(int dir, const char *path, struct made *made, struct stat_id *id, struct err *e);
int object_put(const struct objects *o, const void *data, size_t len, struct digest *out, struct err *e);
bool object_has(const struct objects *o, const struct made *made);
/* Are all its bytes what their digests say? Damaged objects go to quarantine. */
bool object_check(const struct objects *o, const struct made *made);
void object_quarantine(const struct objects *o, const struct digest *d);
int object_restore(const struct objects *o, const struct made *made, const char *path, struct stat_id *id, struct err *e);
int object_read(const struct objects *o, const struct digest *d, size_t limit, struct buf *out, struct err *e);

/* "objects/ab/cdef..." relative to .flow. 80 bytes. */
const char *object_path(const struct digest *d, char path[80]);

#endif
