#include "split/split.h"

#include <stdlib.h>

#include "common/fault.h"
#include "common/philox.h"
#include "common/text.h"

#define LABELS 256

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

static int check_counts(const size_t *count, size_t parts, struct fault *fault)
{
	for (size_t label = 0; label < LABELS; label++)
		if (count[label] != 0 && count[label] < parts)
			return fault_set(fault,
				"class %zu has %zu row%s, but each of the %zu parts needs one",
				label, count[label], count[label] == 1 ? "" : "s", parts);
	return 0;
}

int split_rows(uint8_t *part, const uint8_t *labels, size_t rows, const double *share, size_t parts,
	uint64_t seed, struct fault *fault)
{
	struct balance balance = { .share = share, .parts = parts };
	size_t count[LABELS] = { 0 }, end[LABELS], at = 0;
	int64_t *sorted;

	for (size_t i = 0; i < rows; i++)
		count[labels[i]]++;
	if (check_counts(count, parts, fault) < 0)
		return -1;
	for (size_t label = 0; label < LABELS; label++) {
		end[label] = at;
		at += count[label];
	}
	sorted = array_new(rows, sizeof *sorted);
	for (size_t i = 0; i < rows; i++)
		sorted[end[labels[i]]++] = (int64_t)i;
	for (size_t label = 0; label < LABELS; label++)
		if (count[label] != 0)
			deal(part, sorted + end[label] - count[label], count[label], seed,
				&balance);
	free(sorted);
	return 0;
}
