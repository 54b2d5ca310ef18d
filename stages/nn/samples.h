/*
 * nn/samples.h - what a network is trained on or measured on: rows of values, what each should come to, and
 * which of them count.
 *
 *     struct samples s;
 *     samples_open(&s, &paths, fault);  ...s.target, s.row, s.valid...
 *     samples_fetch(&s, s.row, 100, values);                  of those rows, side by side
 *     samples_close(&s);
 *
 * Values are an IDX file of byte images or an NPY file: [rows, columns] numbers, [rows, height,
 * width] or [rows, height, width, channels] images, as bytes or floats (doubles become floats).
 * Targets are an IDX file of bytes or an NPY file of 64-bit integers, which are classes, or an NPY
 * file of floats, [rows] or [rows, targets], which are numbers. Or both are columns of a shard
 * (nn/table.h). The same rows are the same values, whichever file they come from.
 *
 * Or the values are texts: a column of a table, of which a step makes bags (nn/bags.h). Then there
 * are no features, and nothing to be fetched.
 *
 * Only rows that count are looked at. A value or target that is not finite (trees: NaN is a missing
 * value), a class that is negative, too few rows, lists that reach beyond the data are refused, with
 * row and column. Values stay where they are mapped; 20 bytes a row are in memory, and 4 for each
 * target.
 */
#ifndef FLOW_STAGES_NN_SAMPLES_H
#define FLOW_STAGES_NN_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "common/idx.h"
#include "common/npy.h"
#include "nn/bags.h"
#include "nn/table.h"

struct fault;
struct fitted_step;
struct scaling;

#define CLASSES_MAX 4096

struct samples_paths {
	const char *values, *targets;
	const char *table; /* instead of both */
	struct table_wanted columns; /* of it */
	const char *rows, *valid_rows; /* NULL: all rows, none */
	int may_miss;                  /* a value that is not a number is a missing one */
	/* Instead of values: a table of texts, which column of it, and what is done to them. A step
	 * of tfidf that has no weights yet gets them from the rows. */
	const char *texts, *column;
	struct fitted_step *step;
};

struct samples {
	struct idx idx;
	struct npy_array npy;
	struct table table;
	struct bags bags;
	const void *values; /* [rows][features] of bytes or floats; NULL: they must be fetched */
	int is_bytes, is_table, is_texts;
	size_t rows, height, width, channels, features;
	float *target; /* [rows][targets] */
	size_t targets;
	size_t classes; /* highest class + 1; 0: targets are numbers */
	int64_t *row, *valid;
	size_t count, valid_count;
	uint64_t digest; /* of values, targets and rows; 0 until samples_digest() */
};

/* *s is written on success only. */
int samples_open(struct samples *s, const struct samples_paths *paths, struct fault *fault);
void samples_close(struct samples *s); /* zeroed: nothing */

/* Values of those rows, [count][features], of bytes or floats. Any thread may fetch. */
void samples_fetch(const struct samples *s, const int64_t *rows, size_t count, void *values);
size_t samples_row_size(const struct samples *s); /* bytes */
double samples_value(const struct samples *s, size_t row, size_t feature);
/* Those rows, which are in ascending order, are wanted soon. */
void samples_expect(const struct samples *s, const int64_t *rows, size_t count);
/* From now on rows are fetched in no order. */
void samples_scattered(const struct samples *s);

/* Mean and deviation over the training rows: of each column, or of each channel of an image when
 * `by_channel`. A column that does not change has deviation 1, bytes at least 0.1. */
void samples_scale(const struct samples *s, int by_channel, struct scaling *scaling);

/* Reads all of it: set s->digest, by which data are told from other data of the same shape. */
void samples_digest(struct samples *s);

/* Training rows of each class, [classes]. */
void samples_count(const struct samples *s, size_t *count);

#endif
