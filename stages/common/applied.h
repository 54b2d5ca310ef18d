/*
 * common/applied.h - the table that a fitted recipe makes of another.
 *
 *     applied_check(&recipe, &shard, path, fault);                the columns are there, and not transformed yet
 *     struct applied made = { .recipe = &recipe, .state = fitted_state(json, length), .context = me, .go_on = look };
 *     applied_write(&made, &shard, out, fault);
 *
 * This is the only way from raw rows to those a model is given, in training and afterwards: the same
 * recipe and the same rows give the same bytes. One group of rows is in memory.
 */
#ifndef FLOW_STAGES_COMMON_APPLIED_H
#define FLOW_STAGES_COMMON_APPLIED_H

#include <stddef.h>
#include <stdint.h>

struct fault;
struct fitted;
struct shard;

struct applied {
	const struct fitted *recipe;
	uint64_t state; /* what the table will be called */
	void *context;
	int (*go_on)(void *context, size_t done, size_t groups); /* 0: stop; NULL: go on */
};

int applied_check(const struct fitted *recipe, const struct shard *shard, const char *path,
	struct fault *fault);
int applied_write(const struct applied *how, const struct shard *shard, const char *path,
	struct fault *fault);

#endif
