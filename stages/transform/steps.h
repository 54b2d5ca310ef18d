/*
 * transform/steps.h - `with:` of the stage transform: which steps each column of a table gets.
 */
#ifndef FLOW_STAGES_TRANSFORM_STEPS_H
#define FLOW_STAGES_TRANSFORM_STEPS_H

#include <flow/plugin.h>

struct fault;
struct fitted;
struct shard;

/* An unfitted recipe; columns without steps are not in it. */
int steps_read(struct fitted *recipe, const struct shard *shard, const flow_host *host,
	flow_ctx *ctx, struct fault *fault);

#endif
