/*
 * transform/fit.h - what the steps of a recipe must know of the rows that are learnt from.
 *
 *     fit_recipe(&recipe, &shard, learn, seed, note, context, fault);
 *
 * learn[row] is 1 for those rows; NULL: all. Column by column and step by step, each step on what those
 * before it make; memory does not grow with the rows. Medians and shares come from at most 1,048,576
 * values, drawn by the seed when there are more.
 */
#ifndef FLOW_STAGES_TRANSFORM_FIT_H
#define FLOW_STAGES_TRANSFORM_FIT_H

#include <stdint.h>

struct fault;
struct fitted;
struct shard;

/* note() is told what is odd but no fault. */
int fit_recipe(struct fitted *recipe, const struct shard *shard, const uint8_t *learn,
	uint64_t seed, void (*note)(void *context, const char *line), void *context,
	struct fault *fault);

#endif
