/*
 * select/score.h - how much each feature tells: variance, mutual information with the target, or its
 * weight in a linear model with an L1 penalty. And the main axes of all of them.
 *
 * Functions of the rows that are learnt from; score has a place for each feature.
 */
#ifndef FLOW_STAGES_SELECT_SCORE_H
#define FLOW_STAGES_SELECT_SCORE_H

#include <stddef.h>
#include <stdint.h>

struct fault;
struct features;

#define SCORE_L1_MAX 4096 /* features: their products are a matrix in memory */

int score_variance(const struct features *f, double *score, struct fault *fault);
/* In nats; both are cut into `bins` of equal width unless the target is a category. */
int score_information(const struct features *f, size_t bins, double *score, struct fault *fault);
/* The greatest absolute weight over the target's classes, of standardized features; 0 for those that the
 * penalty leaves out. penalty 1 leaves out all. */
int score_l1(const struct features *f, double penalty, double *score, struct fault *fault);

/* mean[count], axes[wanted][count] with length 1, and the variance along each. By subspace iteration
 * (randomized, some passes over the rows), so that memory is count * wanted, not count * count. */
int find_axes(const struct features *f, size_t wanted, uint64_t seed, double *mean, double *axes,
	double *variance, struct fault *fault);

#endif
