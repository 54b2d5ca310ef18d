/*
 * evaluate/evaluate.h - the stage that tells how good a model is.
 *
 * evaluate.c reads the files and scores the rows, report.c turns the confusion matrix into figures
 * and JSON.
 */
#ifndef FLOW_STAGES_EVALUATE_EVALUATE_H
#define FLOW_STAGES_EVALUATE_EVALUATE_H

#include <flow/plugin.h>

extern const flow_stage stage_evaluate;

#endif
