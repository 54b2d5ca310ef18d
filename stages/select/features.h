/*
 * select/features.h - the numbers of a table as rows of features, group by group.
 *
 *     struct features f = { .shard = &shard, .learn = learn };  features_find(&f, target, except, fault);
 *     features_walk(&f, take, context, fault);      take() gets some rows at a time, of those to learn from
 *     features_release(&f);
 *
 * Features are the cells of all columns of numbers, times aside: one of a plain column, `width` of a wide
 * one. None may be missing or infinite. The target is a number a row: of a category its code.
 */
#ifndef FLOW_STAGES_SELECT_FEATURES_H
#define FLOW_STAGES_SELECT_FEATURES_H

#include <stddef.h>
#include <stdint.h>

struct fault;
struct shard;

#define FEATURES_MAX 65536

struct features {
	const struct shard *shard;
	const uint8_t *learn;  /* a byte each row; NULL: all */
	size_t *column;        /* columns that are features, ascending */
	size_t columns, count; /* of them; their cells */
	size_t target;         /* shard->columns: none */
};

/* Rows of `count` doubles, and the target of each; 0, or -1 to stop. */
typedef int (*features_take)(
	void *context, const double *rows, const double *target, size_t count, struct fault *fault);

/* except[column] is 1 for those that are none. */
int features_find(
	struct features *features, const char *target, const char *except, struct fault *fault);
int features_walk(
	const struct features *features, features_take take, void *context, struct fault *fault);
/* The rows of one group, learnt from or not; rows has room for them. */
int features_group(
	const struct features *features, size_t group, double *rows, struct fault *fault);
void features_release(struct features *features);

#endif
