/*
 * train/gains.h - what trees gain by each column, as the library counts it.
 *
 *     gains_write(lib, booster, &samples, host->out(ctx, "importance"), fault);
 *
 * gain is the mean of what a split by that column betters the loss by, total_gain its sum, splits
 * how many there are: XGBoost's importance types gain, total_gain and weight.
 */
#ifndef FLOW_STAGES_TRAIN_GAINS_H
#define FLOW_STAGES_TRAIN_GAINS_H

#include "trees/library.h"

struct fault;
struct samples;

int gains_write(const struct library *lib, BoosterHandle booster, const struct samples *samples,
	const char *path, struct fault *fault);

#endif
