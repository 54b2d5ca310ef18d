#include "common/kernel.h"

#include <string.h>

/* For any processor: four floats are what x86-64 and the others have in common. */
#define NAME(loop) loop##_any
#define TARGET
#define FLOATS 4
#include "common/kernel.inc"

#if defined(__x86_64__)
#define NAME(loop) loop##_avx2
#define TARGET     __attribute__((target("avx2")))
#define FLOATS     8
#include "common/kernel.inc"

#define HAS_AVX2 __builtin_cpu_supports("avx2")
#else
#define HAS_AVX2      0
#define forward_avx2  forward_any
#define backward_avx2 backward_any
#define scale_avx2    scale_any
#define descend_avx2  descend_any
#endif

void kernel_forward(float *result, const float *input, const float *weight, size_t rows,
	size_t features, size_t lanes)
{
	if (HAS_AVX2)
		forward_avx2(result, input, weight, rows, features, lanes);
	else
		forward_any(result, input, weight, rows, features, lanes);
}

void kernel_backward(float *result, const float *input, const float *delta, size_t rows,
	size_t features, size_t lanes)
{
	if (HAS_AVX2)
		backward_avx2(result, input, delta, rows, features, lanes);
	else
		backward_any(result, input, delta, rows, features, lanes);
}

void kernel_scale(
	float *input, const uint8_t *pixel, const float *factor, const float *shift, size_t count)
{
	if (HAS_AVX2)
		scale_avx2(input, pixel, factor, shift, count);
	else
		scale_any(input, pixel, factor, shift, count);
}

void kernel_descend(float *weight, float *speed, const float *gradient, float rate, float momentum,
	float decay, size_t count)
{
	if (HAS_AVX2)
		descend_avx2(weight, speed, gradient, rate, momentum, decay, count);
	else
		descend_any(weight, speed, gradient, rate, momentum, decay, count);
}
