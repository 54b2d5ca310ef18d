/*
 * train/network.h - the models mlp, cnn and text of the stage `train`: data, network, training,
 * model file.
 */
#ifndef FLOW_STAGES_TRAIN_NETWORK_H
#define FLOW_STAGES_TRAIN_NETWORK_H

#include <flow/plugin.h>

/* As a stage's run(). */
int network_train(const flow_host *host, flow_ctx *ctx);

#endif
