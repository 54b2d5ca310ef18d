/*
 * table/summary.h - type and figures of each column of a shard, as JSON.
 */
#ifndef FLOW_STAGES_TABLE_SUMMARY_H
#define FLOW_STAGES_TABLE_SUMMARY_H

struct fault;
struct shard;

int summary_write(const char *path, const struct shard *shard, struct fault *fault);

#endif
