/*
 * train/relay.h - a host between one of several models and the real one.
 *
 *     struct relay relay;
 *     relay_init(&relay, host, ctx, "gbdt", values, path, seconds);
 *     gbdt_train(&relay_host, relay_ctx(&relay));
 *     ...relay.failure, relay.loss, relay.seconds...
 *
 * The model believes that it is alone. It reads its options from `values`, and a few of the stage's
 * own (loss, weights of classes, ...); it writes its model to `path`, its checkpoints into a folder of its
 * own, its metrics by step as gbdt/loss and its lines as "gbdt: ...". What it says of all its training is
 * kept for whoever compares, and so is what makes it fail.
 */
#ifndef FLOW_STAGES_TRAIN_RELAY_H
#define FLOW_STAGES_TRAIN_RELAY_H

#include <flow/plugin.h>

#define RELAY_PATH_ROOM 4200

/* Of `with:`, as JSON text; key NULL ends the list. */
struct relay_value {
	const char *key, *json;
};

struct relay {
	const flow_host *host;
	flow_ctx *ctx;
	const char *model;
	const struct relay_value *values;
	char path[RELAY_PATH_ROOM], checkpoint[RELAY_PATH_ROOM];
	char max_time[40];
	double done_before, share; /* of the progress of all */
	/* What came of it. */
	char failure[1000];
	int has_loss;
	double loss, quality, seconds;
	char quality_name[60]; /* "" : none */
};

extern const flow_host relay_host;

void relay_init(struct relay *r, const flow_host *host, flow_ctx *ctx, const char *model,
	const struct relay_value *values, const char *path, double seconds);
flow_ctx *relay_ctx(struct relay *r);

#endif
