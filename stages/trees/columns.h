/*
 * trees/columns.h - which columns of a table hold categories, and rows of it as trees take them.
 *
 *     struct columns c;
 *     columns_init(&c, features);  columns_mark(&c, 3);             column 3 holds categories
 *     columns_count(&c, &samples, fault);                           how many there are of each
 *     columns_gather(&c, &samples, rows, count, values, fault);     values [count][features]
 *     columns_text(&c, &text);  columns_take(&c, features, text.data, fault);  columns_release(&c);
 *
 * A category is a whole number from 0. What is missing is NaN, and a category above all those of
 * the training rows counts as missing: a tree has an answer to that. Another value than these in
 * such a column is an error with its row. Bytes become numbers as they are. In text, columns are
 * "[[3, 12], [7, 4]]": the column and how many categories it has.
 */
#ifndef FLOW_STAGES_TREES_COLUMNS_H
#define FLOW_STAGES_TREES_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

struct fault;
struct samples;
struct text;

#define COLUMNS_CATEGORIES_MAX 65536

struct columns {
	size_t features;
	float *categories; /* [features]: 0 where the column holds numbers; NULL: all do */
};

void columns_init(struct columns *c, size_t features); /* all of them hold numbers */
void columns_mark(struct columns *c, size_t column);   /* column < features */
void columns_release(struct columns *c);               /* zeroed: nothing */

/* Over the training rows; those to validate on are checked. */
int columns_count(struct columns *c, const struct samples *s, struct fault *fault);

int columns_gather(const struct columns *c, const struct samples *s, const int64_t *rows,
	size_t count, float *values, struct fault *fault);

void columns_text(const struct columns *c, struct text *text);
/* *c is written on success only. */
int columns_take(struct columns *c, size_t features, const char *text, struct fault *fault);

#endif
