/*
 * train/data.h - the rows that the deps of the stage `train` name.
 *
 *     struct samples samples;
 *     data_open(&samples, may_miss, host, ctx, fault);  data_tell_rare(&samples, host, ctx);
 *     ...  samples_close(&samples);
 */
#ifndef FLOW_STAGES_TRAIN_DATA_H
#define FLOW_STAGES_TRAIN_DATA_H

#include <flow/plugin.h>

struct fault;
struct fitted_step;
struct origin;
struct samples;

/* may_miss: NaN is a missing value. Training rows of one class are an error. *samples holds nothing after one. */
int data_open(struct samples *samples, int may_miss, const flow_host *host, flow_ctx *ctx,
	struct fault *fault);

/* The column of texts of the dep `texts`; tfidf's weights are set in *step. */
int data_open_texts(struct samples *samples, const char *column, struct fitted_step *step,
	const flow_host *host, flow_ctx *ctx, struct fault *fault);

/* What the model will know of its table; nothing when there is none. *origin is zeroed. */
int data_origin(struct origin *origin, const struct samples *samples, const flow_host *host,
	flow_ctx *ctx, struct fault *fault);

/* A class that has one training row, or none, is learned from hardly anything: it is told. */
void data_tell_rare(const struct samples *samples, const flow_host *host, flow_ctx *ctx);

#endif
