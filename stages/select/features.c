#include "select/features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/shard.h"
#include "common/text.h"

#define BLOCK 1024

static int is_feature(const struct features *f, size_t c, const char *except)
{
	const struct column *column = &f->shard->column[c];

	return c != f->target && column_is_number(column->type) && column->type != COLUMN_TIME &&
	       !except[c];
}

int features_find(
	struct features *features, const char *target, const char *except, struct fault *fault)
{
	const struct shard *s = features->shard;

	features->target = target != NULL ? shard_find(s, target) : s->columns;
	if (target != NULL && features->target == s->columns)
		return fault_set(fault, "with.target: the table has no column '%s'", target);
	if (target != NULL && (s->column[features->target].width != 1 ||
				      column_has_length(s->column[features->target].type)))
		return fault_set(fault,
			"with.target: '%s' is neither a category nor one number a row", target);
	features->column = array_new(s->columns, sizeof *features->column);
	for (size_t c = 0; c < s->columns; c++) {
		if (!is_feature(features, c, except))
			continue;
		features->column[features->columns++] = c;
		features->count += s->column[c].width;
	}
	if (features->count == 0 || features->count > FEATURES_MAX)
		return fault_set(fault,
			"the table has %zu numbers a row to choose from, wanted are 1 to %d",
			features->count, FEATURES_MAX);
	return 0;
}

static int check(
	const struct features *f, size_t column, uint64_t row, double number, struct fault *fault)
{
	if (isfinite(number))
		return 0;
	return fault_set(fault, "row %llu of column '%s' is %s; see the stage transform",
		(unsigned long long)row, f->shard->column[column].name,
		isnan(number) ? "missing" : "infinite");
}

/* The cells of rows first to first+count of a column, into the rows of features from `at` on. */
static int take_cells(const struct features *f, size_t group, size_t column, size_t first,
	size_t count, double *rows, size_t at, struct fault *fault)
{
	uint64_t before = group * f->shard->group_rows;
	struct shard_part part;

	shard_part(&part, f->shard, group, column);
	for (size_t i = 0; i < count; i++) {
		int present = shard_present(&part, first + i);

		for (size_t k = 0; k < part.width; k++) {
			double x = present ? column_number(part.type, part.data,
						     (first + i) * part.width + k)
					   : (double)NAN;

			if ((f->learn == NULL || f->learn[before + first + i]) &&
				check(f, column, before + first + i, x, fault) < 0)
				return -1;
			rows[i * f->count + at + k] = x;
		}
	}
	return 0;
}

static int take_rows(const struct features *f, size_t group, size_t first, size_t count,
	double *rows, struct fault *fault)
{
	size_t at = 0;

	for (size_t c = 0; c < f->columns; c++) {
		if (take_cells(f, group, f->column[c], first, count, rows, at, fault) < 0)
			return -1;
		at += f->shard->column[f->column[c]].width;
	}
	return 0;
}

static int verify(const struct features *f, size_t group, struct fault *fault)
{
	for (size_t c = 0; c < f->columns; c++)
		if (shard_verify(f->shard, group, f->column[c], fault) < 0)
			return -1;
	return f->target < f->shard->columns ? shard_verify(f->shard, group, f->target, fault) : 0;
}

int features_group(const struct features *features, size_t group, double *rows, struct fault *fault)
{
	if (verify(features, group, fault) < 0)
		return -1;
	return take_rows(features, group, 0, shard_group_rows(features->shard, group), rows, fault);
}

/* The rows to learn from move together; returns how many there are. */
static size_t keep_learnt(
	const struct features *f, uint64_t first, size_t count, double *rows, double *target)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (f->learn != NULL && !f->learn[first + i])
			continue;
		if (kept != i)
			memcpy(rows + kept * f->count, rows + i * f->count,
				f->count * sizeof *rows);
		target[kept++] = target[i];
	}
	return kept;
}

static int walk_group(const struct features *f, size_t group, double *rows, double *target,
	features_take take, void *context, struct fault *fault)
{
	size_t group_rows = shard_group_rows(f->shard, group);
	uint64_t before = group * f->shard->group_rows;
	size_t step = BLOCK * 64 / f->count + 1;

	step = step > BLOCK ? BLOCK : step;
	for (size_t first = 0; first < group_rows; first += step) {
		size_t count = group_rows - first < step ? group_rows - first : step, kept;

		if (take_rows(f, group, first, count, rows, fault) < 0)
			return -1;
		if (f->target < f->shard->columns) {
			struct shard_part part;

			shard_part(&part, f->shard, group, f->target);
			for (size_t i = 0; i < count; i++) {
				target[i] = shard_present(&part, first + i)
						    ? column_number(part.type, part.data, first + i)
						    : (double)NAN;
				if ((f->learn == NULL || f->learn[before + first + i]) &&
					check(f, f->target, before + first + i, target[i], fault) <
						0)
					return -1;
			}
		}
		kept = keep_learnt(f, before + first, count, rows, target);
		if (kept != 0 && take(context, rows, target, kept, fault) < 0)
			return -1;
	}
	return 0;
}

int features_walk(
	const struct features *features, features_take take, void *context, struct fault *fault)
{
	double *rows = array_new(BLOCK * 64 + BLOCK * features->count, sizeof *rows);
	double *target = array_new(BLOCK, sizeof *target);
	int rc = 0;

	for (size_t g = 0; g < features->shard->groups && rc == 0; g++) {
		rc = verify(features, g, fault);
		if (rc == 0)
			rc = walk_group(features, g, rows, target, take, context, fault);
	}
	free(rows);
	free(target);
	return rc;
}

void features_release(struct features *features)
{
	free(features->column);
	features->column = NULL;
}
