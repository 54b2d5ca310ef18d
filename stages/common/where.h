/*
 * common/where.h - which rows are wanted: conditions on columns, all of which must hold.
 *
 *     struct where w;  where_read(&w, "[\"age >= 18\", \"kind in [a, b]\"]", fault);
 *     for each condition i, when the type of its column is known:
 *             where_bind(&w, i, type, fault);
 *     where_possible(&w, i, minimum, maximum);           0: no row of that group can hold
 *     where_apply(&w, i, &cells, names, keep);            keep[row] = 0 for those that do not
 *     where_release(&w);
 *
 * A condition is COLUMN OPERATOR VALUE with blanks between: = != < <= > >=, in [A, B], and `is
 * missing`, `is present`. A row where the value is missing holds for `is missing` only. Texts and
 * categories have no order: = != in.
 */
#ifndef FLOW_STAGES_COMMON_WHERE_H
#define FLOW_STAGES_COMMON_WHERE_H

#include <stddef.h>
#include <stdint.h>

#include "common/column.h"

struct fault;
struct dictionary;

#define WHERE_MAX        16
#define WHERE_VALUES_MAX 64

enum where_operator {
	WHERE_EQUAL,
	WHERE_UNEQUAL,
	WHERE_LESS,
	WHERE_LESS_EQUAL,
	WHERE_MORE,
	WHERE_MORE_EQUAL,
	WHERE_IN,
	WHERE_MISSING,
	WHERE_PRESENT,
};

struct where_condition {
	char *text;         /* as given, for messages */
	const char *column; /* in a copy of it, as the values are */
	enum where_operator kind;
	const char *value[WHERE_VALUES_MAX];
	size_t values;
	int64_t whole
		[WHERE_VALUES_MAX]; /* of columns of whole numbers and times, if all are such */
	double number[WHERE_VALUES_MAX];
	int is_whole;
	char *copy;
};

struct where {
	struct where_condition condition[WHERE_MAX];
	size_t count;
};

/* json: a list of texts, or NULL for no condition. *w is ready for where_release() in any case. */
int where_read(struct where *w, const char *json, struct fault *fault);
void where_release(struct where *w);

/* The values must be of the column's type. */
int where_bind(struct where *w, size_t index, enum column_type type, struct fault *fault);
int where_possible(const struct where *w, size_t index, double minimum, double maximum);
/* names: what the codes of a category column stand for; NULL for other types. */
void where_apply(const struct where *w, size_t index, const struct cells *cells,
	const struct dictionary *names, uint8_t *keep);

#endif
