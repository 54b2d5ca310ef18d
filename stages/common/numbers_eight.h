/*
 * common/numbers_eight.h - the loops of numbers.c, eight texts at a time, for processors with AVX-512.
 *
 *     done = numbers_eight() ? numbers_eight_floats(value, text, span, stride, count) : 0;
 *
 * `done` is a multiple of eight: it ends before eight of which one is unusual, or too few. The bits are those
 * of numbers.c, which does what is left.
 */
#ifndef FLOW_STAGES_COMMON_NUMBERS_EIGHT_H
#define FLOW_STAGES_COMMON_NUMBERS_EIGHT_H

#include <stddef.h>
#include <stdint.h>

struct span;

int numbers_eight(void); /* this processor can */
size_t numbers_eight_floats(double *value, const char *text, const struct span *span, size_t stride, size_t count);
size_t numbers_eight_integers(int64_t *value, const char *text, const struct span *span, size_t stride, size_t count);

#endif
