/*
 * split/column.h - the column that rows are divided by, whole in memory.
 *
 *     struct split_column c;  split_column_read(&c, path, "kind", 0, fault);
 *     ...c.rows, c.code[row] below c.codes...
 *     split_column_release(&c);
 */
#ifndef FLOW_STAGES_SPLIT_COLUMN_H
#define FLOW_STAGES_SPLIT_COLUMN_H

#include <stddef.h>
#include <stdint.h>

struct fault;

struct split_column {
	size_t rows, codes;
	uint32_t *code; /* of each row; equal values have equal codes */
	double *number; /* instead, when numbers were asked for */
};

/* name NULL: only the rows are counted, all of one code. Codes are for texts, categories, booleans
 * and whole numbers; a missing one is a value of its own unless they are `groups`. Numbers are for
 * all that have an order; none may be missing. */
int split_column_read(struct split_column *column, const char *path, const char *name, int groups,
	struct fault *fault);
int split_column_numbers(
	struct split_column *column, const char *path, const char *name, struct fault *fault);
/* The labels of an IDX file. */
int split_column_labels(struct split_column *column, const char *path, struct fault *fault);
void split_column_release(struct split_column *column);

#endif
