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

static int compare(const void *left, const void *right)
{
	const struct drawn *a = left, *b = right;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

void philox_order(int64_t *rows, size_t count, uint64_t seed, enum philox_use use, uint32_t stream)
{
	struct drawn *drawn = array_new(count, sizeof *drawn);

	for (size_t i = 0; i < count; i++) {
		drawn[i].number = philox_row(seed, use, stream, (uint64_t)rows[i]);
		drawn[i].row = rows[i];
	}
	qsort(drawn, count, sizeof *drawn, compare);
	for (size_t i = 0; i < count; i++)
		rows[i] = drawn[i].row;
	free(drawn);
}
