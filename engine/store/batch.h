/*
 * store/batch.h - regular files that are read together, on all cores, for their digests.
 *
 *     struct batch b = { .dir = root_fd };
 *     batch_add(&b, path, &st)      path and st stay the caller's, and must stay until the end
 *     batch_read(&b)                then for each of b.items: digest, when rc is 0
 *     batch_release(&b)
 *
 * A file that was not looked at yet (st.st_mode is 0) is looked at when it is open, and st is filled in: for a folder of new files that
 * spares a look-up of each. Files of one folder that are added one after the other are opened relative to it.
 */
#ifndef FLOW_STORE_BATCH_H
#define FLOW_STORE_BATCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/digest.h"

struct err;

struct batch {
	int dir; /* that all paths are relative to */
	struct batch_file {
		const char *path;
		struct stat *st;
		struct digest digest;
		int rc;
	} *items;
	size_t count, cap;
	uint64_t bytes; /* as far as they are known */
};

void batch_add(struct batch *b, const char *path, struct stat *st);
void batch_read(struct batch *b);
void batch_release(struct batch *b);

/* One of them, at once: ERR_INPUT for what is no regular file, or is written to while it is read. One that was written to since it was
 * looked at is read as it is now. */
int batch_read_one(int dir, const char *path, struct stat *st, struct digest *out, struct err *e);

#endif
