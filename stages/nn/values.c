/* Compiled with -ffp-contract=off: no width of vector rounds otherwise than another. */
#include "nn/parts.h"

#include <math.h>
#include <string.h>

#include "nn/host.h"

static inline float clip_factor(const struct nn_update *u)
{
	double norm = u->clip > 0 ? sqrt(*u->norm) : 0;

	return norm > (double)u->clip && u->clip > 0 ? (float)((double)u->clip / norm) : 1.0f;
}

/* to += share * the pixel, which is 0 beyond the border. */
static inline void add_pixel(const struct nn_gather *g, size_t row, float y, float x, float share, float *to)
{
	size_t at;

	if (!(y >= 0 && x >= 0 && y < (float)g->height && x < (float)g->width))
		return;
	at = (size_t)g->rows[row] * g->columns + ((size_t)y * g->width + (size_t)x) * g->channels;
	for (size_t c = 0; c < g->channels; c++)
		to[c] += share * (g->is_bytes ? (float)((const uint8_t *)g->data)[at + c]
					      : ((const float *)g->data)[at + c]);
}

/* `to` may be `a`, but never reaches into it: the loop's turns do not depend on each other. */
#if defined(__clang__)
#define APART _Pragma("clang loop vectorize(assume_safety)")
#pragma clang diagnostic ignored "-Wpass-failed" /* under the sanitizers nothing is a vector */
#else
#define APART _Pragma("GCC ivdep")
#endif

/* For any processor: four floats are what x86-64 and the others have in common. */
#define NAME(part) part##_any
#define TARGET
#include "nn/values.inc"
#undef NAME
#undef TARGET

#if defined(__x86_64__)
#define NAME(part) part##_avx2
#define TARGET     __attribute__((target("avx2,fma")))
#include "nn/values.inc"
#undef NAME
#undef TARGET

#define NAME(part) part##_avx512
#define TARGET     __attribute__((target("avx512f,fma")))
#include "nn/values.inc"
#undef NAME
#undef TARGET
#endif
