/*
 * train/init.h - a training that begins with weights that another one left.
 *
 *     init_take(&net, &scaling, &recipe, path, &digest, fault);
 *
 * After net_draw() and before the first step: every tensor of the net that with.init_skip does not
 * name is taken from the file, which must have it in this shape; every tensor of the file must be
 * one of the net's, or named there as well. So a mistake in a name is told, whichever side it is
 * on. input.mean and input.std of the file take the place of the training rows' own where the
 * recipe standardizes and the file has them: what was learned was learned from such values. Of texts
 * the tokens must be the file's; how rare they are is counted anew.
 */
#ifndef FLOW_STAGES_TRAIN_INIT_H
#define FLOW_STAGES_TRAIN_INIT_H

#include <stdint.h>

struct fault;
struct net;
struct recipe;
struct scaling;

/* *digest is of the file's bytes; *line, at least 200 bytes, is what to tell. */
int init_take(struct net *net, struct scaling *scaling, const struct recipe *r, const char *path,
	uint64_t *digest, char *line, struct fault *fault);

#endif
