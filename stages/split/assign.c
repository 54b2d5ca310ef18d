#include "split/split.h"

#include <stdlib.h>

#include "common/fault.h"
#include "common/philox.h"
#include "common/text.h"

/* Below this two remainders are the same: shares such as 0.1 have no exact double. */
#define REMAINDER_EPSILON 1e-6

/* How far every part is from its share of all rows so far; ties between remainders go to the part
 * that lags most. */
struct balance {
	const double *share;
	size_t parts;
	double owed[SPLIT_PARTS_MAX];
};

static size_t pick(const struct balance *balance, const double *remainder, const uint8_t *taken)
{
	size_t best = balance->parts;

	for (size_t p = 0; p < balance->parts; p++) {
		double ahead;

		if (taken[p])
			continue;
		if (best == balance->parts) {
			best = p;
			continue;
		}
		ahead = remainder[p] - remainder[best];
		if (ahead > REMAINDER_EPSILON ||
			(ahead > -REMAINDER_EPSILON && balance->owed[p] > balance->owed[best]))
			best = p;
	}
	return best;
}

/* No part stays without the class: the largest gives one row to each that has none. */
static void fill_empty(size_t *quota, size_t parts)
{
	for (size_t p = 0; p < parts; p++) {
		size_t largest = 0;

		if (quota[p] != 0)
			continue;
		for (size_t q = 1; q < parts; q++)
			if (quota[q] > quota[largest])
				largest = q;
		quota[largest]--;
		quota[p]++;
	}
}

/* Largest remainder: whole shares first, what is left to the parts that lost most by rounding
 * down. */
static void divide(size_t *quota, size_t rows, struct balance *balance)
{
	double remainder[SPLIT_PARTS_MAX];
	uint8_t taken[SPLIT_PARTS_MAX] = { 0 };
	size_t left = rows;

	for (size_t p = 0; p < balance->parts; p++) {
		double ideal = balance->share[p] * (double)rows;

		quota[p] = (size_t)(ideal + REMAINDER_EPSILON);
		if (quota[p] > left)
			quota[p] = left;
		remainder[p] = ideal - (double)quota[p];
		balance->owed[p] += ideal;
		left -= quota[p];
	}
	for (; left > 0; left--) {
		size_t p = pick(balance, remainder, taken);

		if (p == balance->parts)
			break;
		taken[p] = 1;
		quota[p]++;
	}
	quota[0] += left; /* rounding left more than one a part: cannot be, but no row is lost */
	fill_empty(quota, balance->parts);
	for (size_t p = 0; p < balance->parts; p++)
		balance->owed[p] -= (double)quota[p];
}

/* The rows of one label, in the order of their random numbers, to the parts one after the other. */
static void deal(uint8_t *part, int64_t *rows, size_t count, uint64_t seed, struct balance *balance)
{
	size_t quota[SPLIT_PARTS_MAX], next = 0;

	divide(quota, count, balance);
	philox_order(rows, count, seed, PHILOX_SPLIT, 0);
	for (size_t p = 0; p < balance->parts; p++)
		for (size_t i = 0; i < quota[p]; i++)
			part[rows[next++]] = (uint8_t)p;
}

static int check_counts(const size_t *count, size_t classes, size_t parts, struct fault *fault)
{
	for (size_t c = 0; c < classes; c++)
		if (count[c] != 0 && count[c] < parts)
			return fault_set(fault,
				"class %zu has %zu row%s, but each of the %zu parts needs one", c,
				count[c], count[c] == 1 ? "" : "s", parts);
	return 0;
}

int split_rows(uint8_t *part, const uint32_t *classes, size_t rows, size_t class_count,
	const double *share, size_t parts, uint64_t seed, struct fault *fault)
{
	struct balance balance = { .share = share, .parts = parts };
	size_t *count = array_new(class_count, sizeof *count);
	size_t *end = array_new(class_count, sizeof *end), at = 0;
	int64_t *sorted = array_new(rows, sizeof *sorted);
	int rc;

	for (size_t i = 0; i < rows; i++)
		count[classes[i]]++;
	rc = check_counts(count, class_count, parts, fault);
	for (size_t c = 0; c < class_count; c++) {
		end[c] = at;
		at += count[c];
	}
	for (size_t i = 0; i < rows; i++)
		sorted[end[classes[i]]++] = (int64_t)i;
	for (size_t c = 0; c < class_count && rc == 0; c++)
		if (count[c] != 0)
			deal(part, sorted + end[c] - count[c], count[c], seed, &balance);
	free(sorted);
	free(end);
	free(count);
	return rc;
}

static int check_parts(const size_t *filled, size_t parts, const char *what, struct fault *fault)
{
	for (size_t p = 0; p < parts; p++)
		if (filled[p] == 0)
			return fault_set(fault,
				"part %zu gets no row: there are too few %s for %zu parts", p + 1,
				what, parts);
	return 0;
}

int split_groups(uint8_t *part, const uint32_t *groups, size_t rows, size_t group_count,
	const double *share, size_t parts, uint64_t seed, struct fault *fault)
{
	size_t *count = array_new(group_count, sizeof *count), filled[SPLIT_PARTS_MAX] = { 0 };
	int64_t *order = array_new(group_count, sizeof *order);
	uint8_t *of_group = array_new(group_count, sizeof *of_group);

	for (size_t i = 0; i < rows; i++)
		count[groups[i]]++;
	for (size_t g = 0; g < group_count; g++)
		order[g] = (int64_t)g;
	philox_order(order, group_count, seed, PHILOX_SPLIT, 0);
	for (size_t i = 0; i < group_count; i++) {
		size_t best = 0;

		/* To the part that is furthest from its share. */
		for (size_t p = 1; p < parts; p++)
			if (share[p] * (double)rows - (double)filled[p] >
				share[best] * (double)rows - (double)filled[best])
				best = p;
		of_group[order[i]] = (uint8_t)best;
		filled[best] += count[order[i]];
	}
	for (size_t i = 0; i < rows; i++)
		part[i] = of_group[groups[i]];
	free(count);
	free(order);
	free(of_group);
	return check_parts(filled, parts, "groups", fault);
}

struct moment {
	double time;
	size_t row;
};

static int earlier(const void *left, const void *right)
{
	const struct moment *a = left, *b = right;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

int split_times(uint8_t *part, const double *times, size_t rows, const double *share, size_t parts,
	struct fault *fault)
{
	struct moment *moment = array_new(rows, sizeof *moment);
	size_t filled[SPLIT_PARTS_MAX] = { 0 }, p = 0;
	double until = share[0];

	for (size_t i = 0; i < rows; i++)
		moment[i] = (struct moment){ times[i], i };
	qsort(moment, rows, sizeof *moment, earlier);
	for (size_t i = 0; i < rows; i++) {
		int is_new = i == 0 || moment[i].time > moment[i - 1].time;

		/* Rows of one time stay together. */
		while (is_new && p + 1 < parts &&
			(double)i + REMAINDER_EPSILON >= until * (double)rows && i != 0)
			until += share[++p];
		part[moment[i].row] = (uint8_t)p;
		filled[p]++;
	}
	free(moment);
	return check_parts(filled, parts, "different times", fault);
}
