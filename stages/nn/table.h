/*
 * nn/table.h - columns of a shard side by side, as rows of values and what each should come to.
 *
 *     struct table t;  table_open(&t, path, &wanted, fault);      ...t.rows, t.features, t.is_bytes...
 *     table_check(&t, row, fault);                                 nothing of that row is missing
 *     table_fetch(&t, rows, count, values);  table_targets(&t, ...)  table_close(&t);
 *
 * The shard stays mapped; a row is decoded when it is asked for. One column of bytes is bytes, with
 * the shape it has; anything else is floats, the columns one after the other, categories as their
 * numbers. Any thread may fetch.
 */
#ifndef FLOW_STAGES_NN_TABLE_H
#define FLOW_STAGES_NN_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/shard.h"

struct fault;

struct table_wanted {
	const char *inputs; /* JSON, names of columns; NULL: all but the target */
	const char *target;
	int may_miss; /* for trees: what is missing is NaN */
};

/* A column of the inputs in each group. */
struct table_input {
	size_t column, width;
	enum column_type type;
	struct shard_part *part; /* [groups] */
	uint32_t *code; /* for each category the number it is given, CATEGORY_MISSING: none; NULL: its own */
};

struct table {
	struct shard shard;
	struct table_input *input;
	size_t inputs, target;
	size_t rows, height, width, channels, features;
	int is_bytes, may_miss;
};

/* Reads all of the columns once, to see that they are what was written. *t is written on success
 * only. */
int table_open(struct table *t, const char *path, const struct table_wanted *wanted,
	struct fault *fault);
void table_close(struct table *t); /* zeroed: nothing */

int table_check(const struct table *t, size_t row, struct fault *fault);

/* Rows side by side: features bytes or floats each. */
void table_fetch(const struct table *t, const int64_t *rows, size_t count, void *values);

double table_value(const struct table *t, size_t row, size_t feature); /* one of them */

/* The input that a feature belongs to, and which cell of it that is. */
const struct table_input *table_input_of(const struct table *t, size_t feature, size_t *cell);

/* Those rows are wanted soon. */
void table_expect(const struct table *t, size_t first, size_t rows);

/* The target column of all rows, free() it: a class is its number (category, whole numbers), else
 * it is the value. Missing is NaN. *classes: how many, 0: they are numbers. */
float *table_targets(const struct table *t, size_t *width, size_t *classes, struct fault *fault);

#endif
