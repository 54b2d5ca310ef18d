/*
 * store/changed_files.h - the files in which a run's work tree differed from its commit, as objects.
 *
 *     changed_add(&list, 0100644, &digest, "lua/x.lua")     a line of the list; mode 0: the file is gone
 *     changed_head(&patch, &digest_of_list)                 the first line of the run's patch
 *     changed_list(&objects, &run.patch, &list, e)          the other way: the list that a patch names
 *     while (changed_next(&at, &file, &bad)) ...            its files; the list is changed
 *
 * The patch of a run is text for people and for `git apply`, which passes over its first line: that names the object that holds the list,
 * a line a file, `MODE DIGEST PATH`. The bytes of a file, or the target of a link, are an object too: with these the work tree is
 * made again byte for byte, whatever line ends or filters git is set to. What gc keeps of a run, it keeps of these.
 */
#ifndef FLOW_STORE_CHANGED_FILES_H
#define FLOW_STORE_CHANGED_FILES_H

#include <stdbool.h>

#include "base/digest.h"

struct buf;
struct err;
struct objects;

struct changed_file {
	unsigned mode;        /* 0100644, 0100755, 0120000; 0: gone */
	struct digest digest; /* zero when it is gone */
	char *path;           /* clean, below the project */
};

void changed_add(struct buf *list, unsigned mode, const struct digest *d, const char *path);
void changed_head(struct buf *patch, const struct digest *list);

/* ERR_NOTFOUND: the patch names no list, or an object is not there; ERR_CORRUPT. */
int changed_list(const struct objects *o, const struct digest *patch, struct buf *list, struct err *e);
bool changed_next(char **at, struct changed_file *file, bool *bad);

#endif
