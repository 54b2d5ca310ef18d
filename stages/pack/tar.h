/*
 * pack/tar.h - a folder of tar files of about one size, as WebDataset reads them.
 *
 *     struct tars t;  tars_open(&t, folder, bytes, fault);
 *     tars_next(&t, fault);                          before each sample: perhaps a new file
 *     tars_add(&t, "000001.jpg", data, size, fault);  each of its parts
 *     tars_close(&t, fault);
 *     tars_abandon(&t);                              at the `out` label
 *
 * All parts of a sample lie in one tar, one after the other, their names the same up to the first
 * dot. Files are shard-000000.tar and so on; owner and times are zero, so that the same samples give
 * the same bytes.
 */
#ifndef FLOW_STAGES_PACK_TAR_H
#define FLOW_STAGES_PACK_TAR_H

#include <stddef.h>
#include <stdint.h>

#include "common/file.h"

struct fault;

struct tars {
	const char *folder; /* borrowed */
	struct output output;
	uint64_t limit, size; /* bytes: of a file at most, when it has a sample; of this one */
	unsigned files;
};

int tars_open(struct tars *tars, const char *folder, uint64_t limit, struct fault *fault);
int tars_next(struct tars *tars, struct fault *fault);
int tars_add(
	struct tars *tars, const char *name, const void *data, size_t size, struct fault *fault);
int tars_close(struct tars *tars, struct fault *fault);
void tars_abandon(struct tars *tars);

#endif
