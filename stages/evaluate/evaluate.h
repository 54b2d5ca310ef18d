/*
 * evaluate/evaluate.h - the stage that tells how good a model is.
 *
 * predict.c makes scores of rows, task.c says what they mean, measure.c makes figures of them: of
 * classes (report.c, of two binary.c), of labels (labels.c), of numbers (numbers.c).
 */
#ifndef FLOW_STAGES_EVALUATE_EVALUATE_H
#define FLOW_STAGES_EVALUATE_EVALUATE_H

#include <flow/plugin.h>

extern const flow_stage stage_evaluate;

#endif
