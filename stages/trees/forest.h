/*
 * trees/forest.h - a model of boosted trees: an XGBoost model file, and scores from it.
 *
 *     struct forest f;
 *     forest_load(&f, path, threads, fault);
 *     columns_gather(&f.columns, &samples, rows, count, values, fault);
 *     forest_score(&f, values, count, scores, fault);              [count][outputs]
 *     forest_release(&f);
 *
 * The file is what XGBoost writes and reads as UBJSON, with attributes of ours: flow.loss (softmax,
 * sigmoid, mse, huber) and flow.categories (trees/columns.h). Two classes are one score, of class 1.
 * Scores are before any sigmoid or softmax. A file is checked before the library sees it
 * (trees/check.h). A forest without our attributes is refused: what its outputs mean is not known.
 */
#ifndef FLOW_STAGES_TREES_FOREST_H
#define FLOW_STAGES_TREES_FOREST_H

#include <stddef.h>

#include "trees/check.h"
#include "trees/columns.h"
#include "trees/library.h"

struct fault;

/* Attributes: what the model knows of its table, and the recipe that made that (nn/origin.h). */
#define FOREST_TABLE  "flow.table"
#define FOREST_RECIPE "flow.transform"

struct forest {
	const struct library *lib;
	BoosterHandle booster;
	size_t features, outputs;
	char loss[20];
	struct columns columns;
};

/* Does the file begin as UBJSON of XGBoost does? No file: 0. */
int forest_is(const char *path);

/* *f is written on success only. */
int forest_load(struct forest *f, const char *path, unsigned threads, struct fault *fault);
int forest_score(
	struct forest *f, const float *values, size_t count, float *scores, struct fault *fault);
void forest_release(struct forest *f); /* zeroed: nothing */

/* The text of an attribute, NULL when it is not there. Good until the next call. */
const char *forest_attribute(const struct forest *f, const char *name);

/* What training and loading have in common: the booster's own bytes. */
int forest_read(struct check_facts *facts, const struct library *lib, BoosterHandle booster,
	const char *path, struct fault *fault);
int forest_write(const struct library *lib, BoosterHandle booster, const char *path, int is_durable,
	struct fault *fault);
/* "{"data": ...}" of values[count][features], for the library. */
#define FOREST_VIEW_ROOM 160
void forest_view(char view[FOREST_VIEW_ROOM], const float *values, size_t count, size_t features);

#endif
