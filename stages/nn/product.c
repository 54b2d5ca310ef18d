/* Compiled with -ffp-contract=fast: each step of a sum is one rounding, an FMA, where the processor
 * has it. */
#include "nn/parts.h"

#include <string.h>

/* Output places of a convolution, and the values its window sees. */
struct conv_shape {
	size_t high, wide, places, window;
};

static inline struct conv_shape conv_shape(const struct nn_conv *c)
{
	struct conv_shape s = { .high = c->height + 2 * c->pad - c->size + 1,
		.wide = c->width + 2 * c->pad - c->size + 1,
		.window = c->size * c->size * c->channels };

	s.places = s.high * s.wide;
	return s;
}

/* One line of a window: values of the padding before, then `count` values of the image. */
struct conv_span {
	size_t before, count, from;
};

static inline struct conv_span conv_span(
	const struct nn_conv *c, size_t row, size_t column, size_t v)
{
	struct conv_span span = { .before = 0 };
	size_t left = column > c->pad ? column - c->pad : 0;
	size_t right = column + c->size > c->pad ? column + c->size - c->pad : 0;

	if (row + v < c->pad || row + v - c->pad >= c->height)
		return span;
	right = right < c->width ? right : c->width;
	if (left >= right)
		return span;
	span.before = (left + c->pad - column) * c->channels;
	span.count = (right - left) * c->channels;
	span.from = ((row + v - c->pad) * c->width + left) * c->channels;
	return span;
}

/* Part of c that is made in one go: rows of a by a strip of b, over some of the depth. */
struct tile {
	const float *a; /* value (i, k) at a[i * down + k * along] */
	size_t down, along;
	const float *b;
	size_t depth;
	float *c;
	size_t width;      /* of c and of the gate */
	const float *bias; /* the sums begin with it; NULL: with 0 */
	const float *gate; /* as nn_product's */
	int relu;
	int is_begun; /* c is the sums so far */
};

/* What is packed is turned four by four. */
typedef float four_floats __attribute__((vector_size(16), aligned(4), may_alias));
#define FOUR four_floats

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* For any processor: four floats are what x86-64 and the others have in common. */
#define NAME(part) part##_any
#define TARGET
#define FLOATS    4
#define TILE_ROWS 4
#include "nn/product.inc"
#undef NAME
#undef TARGET
#undef FLOATS
#undef TILE_ROWS

#if defined(__x86_64__)
#define NAME(part) part##_avx2
#define TARGET     __attribute__((target("avx2,fma")))
#define FLOATS     8
#define TILE_ROWS  6
#include "nn/product.inc"
#undef NAME
#undef TARGET
#undef FLOATS
#undef TILE_ROWS

#define NAME(part) part##_avx512
#define TARGET     __attribute__((target("avx512f,fma")))
#define FLOATS     16
#define TILE_ROWS  8
#include "nn/product.inc"
#undef NAME
#undef TARGET
#undef FLOATS
#undef TILE_ROWS
#endif
