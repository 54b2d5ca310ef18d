/*
 * common/kernel.h - the loops where the time goes.
 *
 * Each is compiled twice, for AVX2 and for any x86-64, and the processor is asked at every call.
 * FMA is left out on purpose: each lane then adds the same numbers in the same order with the same
 * rounding, whichever version runs, so that a seed gives the same bytes on every machine. Classes
 * lie across lanes: no sum ever runs over lanes.
 *
 * Callers round the sizes up and keep zeros in the rest: rows and features to KERNEL_BLOCK, lanes
 * to KERNEL_LANES.
 */
#ifndef FLOW_STAGES_COMMON_KERNEL_H
#define FLOW_STAGES_COMMON_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define KERNEL_BLOCK 4
#define KERNEL_LANES 16

static inline size_t kernel_round(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

/* result[row][lane] = sum over features of input[row][feature] * weight[feature][lane] */
void kernel_forward(float *result, const float *input, const float *weight, size_t rows,
	size_t features, size_t lanes);

/* result[feature][lane] = sum over rows of input[row][feature] * delta[row][lane] */
void kernel_backward(float *result, const float *input, const float *delta, size_t rows,
	size_t features, size_t lanes);

/* input[i] = pixel[i] * factor[i] + shift[i] */
void kernel_scale(
	float *input, const uint8_t *pixel, const float *factor, const float *shift, size_t count);

/* speed = momentum * speed + gradient + decay * weight; weight -= rate * speed. count: a multiple
 * of KERNEL_LANES. */
void kernel_descend(float *weight, float *speed, const float *gradient, float rate, float momentum,
	float decay, size_t count);

#endif
