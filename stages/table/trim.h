/*
 * table/trim.h - some columns and rows of a shard as a shard of their own.
 *
 * Groups where no row can meet the conditions, as their figures say, are not read.
 */
#ifndef FLOW_STAGES_TABLE_TRIM_H
#define FLOW_STAGES_TABLE_TRIM_H

#include <flow/plugin.h>

struct fault;
struct options;

int trim_shard(const struct options *o, const char *path, const flow_host *host, flow_ctx *ctx,
	struct fault *fault);

#endif
