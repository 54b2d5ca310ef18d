/*
 * train/train.h - the stage that fits a model to labelled images.
 *
 * train.c reads the options and the files, fit.c runs the epochs, gradient.c does one batch.
 */
#ifndef FLOW_STAGES_TRAIN_TRAIN_H
#define FLOW_STAGES_TRAIN_TRAIN_H

#include <flow/plugin.h>

extern const flow_stage stage_train;

#endif
