#include "train/order.h"

#include <stdlib.h>
#include <string.h>

#include "common/philox.h"
#include "common/text.h"

#define BLOCKS 16 /* of a window */

static void shuffle_blocks(int64_t *order, const int64_t *rows, size_t count, size_t block,
	uint64_t seed, uint32_t epoch)
{
	size_t blocks = (count + block - 1) / block, at = 0;
	int64_t *number = array_new(blocks, sizeof *number);

	for (size_t i = 0; i < blocks; i++)
		number[i] = (int64_t)i;
	philox_order(number, blocks, seed, PHILOX_BLOCKS, epoch);
	for (size_t i = 0; i < blocks; i++) {
		size_t first = (size_t)number[i] * block;
		size_t size = count - first < block ? count - first : block;

		memcpy(order + at, rows + first, size * sizeof *rows);
		at += size;
	}
	free(number);
}

void order_epoch(int64_t *order, const int64_t *rows, size_t count, size_t window, uint64_t seed,
	uint32_t epoch)
{
	size_t block = (window + BLOCKS - 1) / BLOCKS;

	if (window == 0 || window >= count) {
		window = count;
		memcpy(order, rows, count * sizeof *rows);
	} else {
		shuffle_blocks(order, rows, count, block, seed, epoch);
	}
	for (size_t first = 0; first < count; first += window)
		philox_order(order + first, count - first < window ? count - first : window, seed,
			PHILOX_SHUFFLE, epoch);
}
