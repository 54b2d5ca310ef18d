/*
 * pack/samples.h - the rows of a shard as samples of WebDataset.
 *
 * A row becomes files of one name: KEY.COLUMN for texts and bytes, KEY.COLUMN.npy for columns of
 * several numbers a row, and KEY.json with all the others. The key is the column `key` when it is
 * given, else the row's number.
 */
#ifndef FLOW_STAGES_PACK_SAMPLES_H
#define FLOW_STAGES_PACK_SAMPLES_H

#include <flow/plugin.h>

struct fault;
struct shard;
struct tars;

int samples_write(struct tars *tars, const struct shard *shard, const char *key,
	const flow_host *host, flow_ctx *ctx, struct fault *fault);

#endif
