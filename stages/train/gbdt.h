/*
 * train/gbdt.h - the model gbdt of the stage `train`: data, rounds, model file.
 */
#ifndef FLOW_STAGES_TRAIN_GBDT_H
#define FLOW_STAGES_TRAIN_GBDT_H

#include <flow/plugin.h>

/* As a stage's run(). */
int gbdt_train(const flow_host *host, flow_ctx *ctx);

#endif
