#include "common/philox.h"

#include <stdlib.h>

#include "common/text.h"

#define ROUNDS 10

static const uint32_t multiplier[2] = { 0xd2511f53u, 0xcd9e8d57u };
static const uint32_t weyl[2] = { 0x9e3779b9u, 0xbb67ae85u };

static void turn(uint32_t word[4], const uint32_t key[2])
{
	uint64_t first = (uint64_t)multiplier[0] * word[0];
	uint64_t second = (uint64_t)multiplier[1] * word[2];

	word[0] = (uint32_t)(second >> 32) ^ word[1] ^ key[0];
	word[1] = (uint32_t)second;
	word[2] = (uint32_t)(first >> 32) ^ word[3] ^ key[1];
	word[3] = (uint32_t)first;
}

void philox(uint32_t result[4], const uint32_t counter[4], const uint32_t key[2])
{
	uint32_t bumped[2] = { key[0], key[1] };

	for (int i = 0; i < 4; i++)
		result[i] = counter[i];
	for (int i = 0; i < ROUNDS; i++) {
		turn(result, bumped);
		bumped[0] += weyl[0];
		bumped[1] += weyl[1];
	}
}

uint64_t philox_row(uint64_t seed, enum philox_use use, uint32_t stream, uint64_t row)
{
	const uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
	const uint32_t counter[4] = { (uint32_t)row, (uint32_t)(row >> 32), stream, (uint32_t)use };
	uint32_t result[4];

	philox(result, counter, key);
	return (uint64_t)result[1] << 32 | result[0];
}

struct drawn {
	uint64_t number;
	int64_t row;
};

static int is_before(const struct drawn *a, const struct drawn *b)
{
	return a->number != b->number ? a->number < b->number : a->row < b->row;
}

/* The numbers are evenly spread, so their first bits tell almost where each belongs. */
static void spread(struct drawn *to, const struct drawn *from, size_t count)
{
	unsigned bits = 1;
	size_t *start;

	while (((size_t)1 << bits) < count)
		bits++;
	start = array_new(((size_t)1 << bits) + 1, sizeof *start);
	for (size_t i = 0; i < count; i++)
		start[(from[i].number >> (64 - bits)) + 1]++;
	for (size_t i = 0; i < (size_t)1 << bits; i++)
		start[i + 1] += start[i];
	for (size_t i = 0; i < count; i++)
		to[start[from[i].number >> (64 - bits)]++] = from[i];
	free(start);
}

static void insert(struct drawn *drawn, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct drawn one = drawn[i];
		size_t at = i;

		for (; at > 0 && is_before(&one, &drawn[at - 1]); at--)
			drawn[at] = drawn[at - 1];
		drawn[at] = one;
	}
}

void philox_order(int64_t *rows, size_t count, uint64_t seed, enum philox_use use, uint32_t stream)
{
	struct drawn *drawn = array_new(count, 2 * sizeof *drawn), *sorted = drawn + count;

	for (size_t i = 0; i < count; i++) {
		drawn[i].number = philox_row(seed, use, stream, (uint64_t)rows[i]);
		drawn[i].row = rows[i];
	}
	spread(sorted, drawn, count);
	insert(sorted, count);
	for (size_t i = 0; i < count; i++)
		rows[i] = sorted[i].row;
	free(drawn);
}
