/*
 * evaluate/predict.h - a model of any kind beside the rows it is measured on: scores in, whatever
 * made them.
 *
 *     struct predictor p;
 *     predictor_open(&p, &paths, threads, fault);
 *     for (...) predictor_run(&p, first, size, scores, fault)...predictor_label(&p, first)
 *     predictor_close(&p);
 *
 * The linear model takes IDX images; networks and forests take what they are trained on
 * (nn/samples.h), networks a table also as it was before the recipe in the model (prepare.h). How a
 * text becomes a bag is in its model. The truth of the rows must be of the kind that the model
 * predicts (task.h).
 */
#ifndef FLOW_STAGES_EVALUATE_PREDICT_H
#define FLOW_STAGES_EVALUATE_PREDICT_H

#include <stddef.h>

#include "common/dataset.h"
#include "common/linear.h"
#include "evaluate/task.h"
#include "nn/netfile.h"
#include "nn/origin.h"
#include "nn/samples.h"
#include "trees/forest.h"

struct fault;
struct feed;

struct predictor_paths {
	const char *model, *values, *labels, *rows; /* rows NULL: all */
	const char *table;  /* instead of values and labels */
	const char *target; /* of the table; NULL: what the model learned */
	const char *texts;  /* instead of values: a table, for a model of texts */
	const char *folder; /* for what lives as long as the predictor */
};

struct predictor {
	struct task task;
	size_t count; /* rows */
	enum predictor_kind {
		PREDICTOR_LINEAR,
		PREDICTOR_NETWORK,
		PREDICTOR_TEXT, /* a network that takes texts */
		PREDICTOR_FOREST
	} kind;
	struct linear linear;
	struct scorer scorer;
	struct dataset data;
	struct net net;
	struct scaling scaling;
	struct forest forest;
	struct samples samples; /* of a network or a forest */
	struct origin origin;
	struct feed *feed;  /* a network's */
	unsigned fetching; /* threads of it */
	float *scale, *shift;   /* the network's device's */
	struct bag_batch bag;   /* of texts */
	float *values;          /* the forest's: rows of values */
};

/* *p is written on success only. */
int predictor_open(struct predictor *p, const struct predictor_paths *paths, unsigned threads,
	struct fault *fault);
void predictor_close(struct predictor *p); /* zeroed: nothing */

#define PREDICTOR_ROWS 256

/* Scores of rows [first, first + count), [count][task.outputs]; count <= PREDICTOR_ROWS. */
int predictor_run(
	struct predictor *p, size_t first, size_t count, float *scores, struct fault *fault);
size_t predictor_label(const struct predictor *p, size_t row);         /* of classes */
const float *predictor_truth(const struct predictor *p, size_t row); /* of labels, of numbers */

#endif
