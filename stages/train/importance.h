/*
 * train/importance.h - which columns a model looks at: the out `importance`, JSON.
 *
 *     importance_check(is_possible, host, ctx, fault);           before training
 *     struct importance i;  importance_init(&i, &samples, "gain");
 *     i.value[feature] = ...;                                    gains.h, coefficients.h
 *     importance_write(&i, host->out(ctx, "importance"), fault);  importance_release(&i);
 *
 * Columns are listed from the most important on, each with its value under the measure's name and
 * with its share of the sum of all. A column of a table has its name, `x[3]` where it has several
 * values a row; one of an array its number.
 */
#ifndef FLOW_STAGES_TRAIN_IMPORTANCE_H
#define FLOW_STAGES_TRAIN_IMPORTANCE_H

#include <flow/plugin.h>

#include <stddef.h>

struct fault;
struct samples;

struct importance {
	const struct samples *samples;
	const char *measure;
	double *value;  /* [features], 0: the model does not look at it */
	double *total;  /* of trees: [features] */
	double *splits; /* of trees: [features] */
};

/* The out must not be declared when the model has no importance of columns. */
int importance_check(int is_possible, const flow_host *host, flow_ctx *ctx, struct fault *fault);

void importance_init(struct importance *i, const struct samples *samples, const char *measure);
void importance_release(struct importance *i); /* zeroed: nothing */
int importance_write(const struct importance *i, const char *path, struct fault *fault);

#endif
