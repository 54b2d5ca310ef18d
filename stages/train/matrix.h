/*
 * train/matrix.h - rows as libxgboost wants them.
 *
 *     matrix_bins(&train, lib, &columns, &samples, bins, threads, fault);   the training rows
 *     matrix_values(&valid, lib, &columns, &samples, threads, fault);       those to validate on
 *     lib->XGDMatrixFree(train);
 *
 * Training rows become the numbers of their bins, a byte or two a value, a part of them at a time:
 * the values themselves are never all in memory beside the file.
 */
#ifndef FLOW_STAGES_TRAIN_MATRIX_H
#define FLOW_STAGES_TRAIN_MATRIX_H

#include "trees/library.h"

struct columns;
struct fault;
struct samples;

/* *matrix is written on success only. */
int matrix_bins(DMatrixHandle *matrix, const struct library *lib, const struct columns *columns,
	const struct samples *samples, long bins, unsigned threads, struct fault *fault);
int matrix_values(DMatrixHandle *matrix, const struct library *lib, const struct columns *columns,
	const struct samples *samples, unsigned threads, struct fault *fault);

#endif
