/*
 * common/softmax.h - from scores to probabilities.
 *
 * The exponential is our own, to half a unit in the sixth digit: which version of expf() the C
 * library picks depends on the machine, and a model must not.
 */
#ifndef FLOW_STAGES_COMMON_SOFTMAX_H
#define FLOW_STAGES_COMMON_SOFTMAX_H

#include <stddef.h>

/* e to the x, for x <= 0; 0 below -87. */
float softmax_exp(float x);

/* Turn one row of scores into probabilities, in place. Returns the loss, -log(probability of
 * label), which is exact where the probability itself has become 0, and not finite when a score is
 * not. label < classes. */
double softmax_row(float *row, size_t classes, size_t label);

/* Index of the largest; the first of equals. */
size_t softmax_best(const float *row, size_t classes);

#endif
