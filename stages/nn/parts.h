/*
 * nn/parts.h - what a thread does of each operation of nn_cpu.
 *
 * product.c and values.c compile product.inc and values.inc once for each width of vector; cpu.c
 * asks the processor and hands the parts of its width to the pool. AVX2 (with FMA) and AVX-512 give
 * the same bits: every sum runs over the same lanes in the same order. A processor that has neither
 * rounds products twice, and so differs in the last digits.
 */
#ifndef FLOW_STAGES_NN_PARTS_H
#define FLOW_STAGES_NN_PARTS_H

#include "nn/ops.h"
#include "nn/pool.h"

/* What every part is given. Sums across parts go through `partial` and `sum`: one row, one number a
 * part; part i is [i * grain, (i + 1) * grain). */
struct work {
	const void *operands;
	float *partial;
	double *sum;
	size_t grain;
};

/* What of a product is packed at a time: a strip of b, which stays in the nearest cache with the rows of
 * a that a tile wants, and rows of a, which stay in the next. Tiles of every width fill PRODUCT_ROWS. */
#define PRODUCT_DEPTH   264
#define PRODUCT_ROWS    408
#define PRODUCT_SCRATCH (PRODUCT_DEPTH * (32 + PRODUCT_ROWS))
#define SUM_LANES       16 /* a sum over values is 16 sums, in every width */

struct product_parts {
	size_t tile_rows, tile_columns; /* a part had best be a multiple of these */
	pool_part *product_rows, *product_columns;
	pool_part *conv, *conv_back_weight, *conv_back_input;
};

struct value_parts {
	pool_part *gather, *add, *activate, *activate_back, *dropout, *blend;
	pool_part *column_sum, *sum_squares, *softmax;
	pool_part *layer_norm, *layer_norm_back, *batch_moments, *batch_norm, *batch_sums,
		*batch_back;
	pool_part *pool, *pool_back, *adamw, *sgd, *bag;
};

extern const struct product_parts product_any;
extern const struct value_parts values_any;
#if defined(__x86_64__)
extern const struct product_parts product_avx2, product_avx512;
extern const struct value_parts values_avx2, values_avx512;
#endif

/* open() of nn_cpu with vectors of at most so many floats: 4, 8 or 16. */
struct nn_device *cpu_open_width(unsigned threads, unsigned floats);

#endif
