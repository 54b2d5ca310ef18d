/*
 * common/philox.h - random numbers as a function of where they are used.
 *
 * Philox 4x32-10 of J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel Random Numbers:
 * As Easy as 1, 2, 3", SC'11 (2011). There is no state: the number for (seed, stream, row) is the
 * same whoever asks, in whatever order and in however many threads. The streams in use are listed
 * here so that no two uses share numbers.
 */
#ifndef FLOW_STAGES_COMMON_PHILOX_H
#define FLOW_STAGES_COMMON_PHILOX_H

#include <stddef.h>
#include <stdint.h>

enum philox_use {
	PHILOX_SPLIT = 1,   /* which part a row falls into */
	PHILOX_SHUFFLE = 2, /* order of the rows in an epoch; stream = epoch */
	PHILOX_WEIGHTS = 3, /* first weights; stream = layer, row = weight */
	PHILOX_DROPOUT = 4, /* what a step leaves out (nn/host.c) */
	PHILOX_AUGMENT = 5, /* how an image is looked at; stream = epoch, row = 2 row and 2 row + 1 */
	PHILOX_SAMPLE = 16, /* which values of a column stand for all; stream = column */
	PHILOX_AXES = 17,   /* first guess of main axes */
	PHILOX_ROUND_ROWS = 24,    /* rows a round of boosting leaves out; stream = round */
	PHILOX_ROUND_COLUMNS = 25, /* columns it looks at; stream = round */
	PHILOX_BLOCKS = 32, /* order of blocks of rows in an epoch; stream = epoch */
};

/* The function itself: counter and key in, four numbers out. */
void philox(uint32_t result[4], const uint32_t counter[4], const uint32_t key[2]);

/* 64 bits for one row of one stream of one use. */
uint64_t philox_row(uint64_t seed, enum philox_use use, uint32_t stream, uint64_t row);

/* Put `rows` in the order of their numbers; equal ones by row, so that the order they came in does
 * not matter. */
void philox_order(int64_t *rows, size_t count, uint64_t seed, enum philox_use use, uint32_t stream);

#endif
