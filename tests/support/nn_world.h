/*
 * tests/support/nn_world.h - an operation of a network, on every device there is.
 *
 * A trial calls one operation on a world's memory. try_all() has nn_ref, and nn_cpu in each width of
 * vector, do it on odd shapes: nn_cpu must agree with nn_ref, and one thread with three to the bit.
 * The slopes of nn_ref itself are checked by finite differences: check_slope(), on `oracle`.
 */
#ifndef FLOW_TESTS_SUPPORT_NN_WORLD_H
#define FLOW_TESTS_SUPPORT_NN_WORLD_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/text.h"
#include "nn/ops.h"
#include "nn/parts.h"

#define ROOM 200000

/* What an operation reads (in) and what it leaves (out), for one device. */
struct world {
	const struct nn_ops *ops;
	struct nn_device *d;
	float *in[6], *out[4];
	uint8_t *bytes;
	int64_t rows[400];
	double sum;
};

static inline float noise(size_t i, unsigned salt)
{
	uint32_t x = (uint32_t)i * 2654435761u ^ salt * 40503u;

	x ^= x >> 15;
	x *= 2246822519u;
	x ^= x >> 13;
	return (float)(x & 0xffff) / 32768.0f - 1.0f;
}

static inline struct world *world_new(const struct nn_ops *ops, unsigned threads, unsigned width)
{
	struct world *w = array_new(1, sizeof *w);

	w->ops = ops;
	w->d = width != 0 ? cpu_open_width(threads, width) : ops->open(threads);
	for (unsigned k = 0; k < 6; k++) {
		w->in[k] = ops->alloc(w->d, ROOM * sizeof(float));
		for (size_t i = 0; i < ROOM; i++)
			w->in[k][i] = noise(i, k);
	}
	for (unsigned k = 0; k < 4; k++)
		w->out[k] = ops->alloc(w->d, ROOM * sizeof(float));
	w->bytes = (uint8_t *)w->in[5];
	for (size_t i = 0; i < 400; i++)
		w->rows[i] = (int64_t)(i * 7 % 31);
	return w;
}

static inline void world_free(struct world *w)
{
	for (unsigned k = 0; k < 6; k++)
		w->ops->release(w->d, w->in[k]);
	for (unsigned k = 0; k < 4; k++)
		w->ops->release(w->d, w->out[k]);
	w->ops->close(w->d);
	free(w);
}

typedef void trial(struct world *w, size_t rows, size_t columns);

static inline void close_to(const struct world *is, const struct world *should, const char *what)
{
	assert_true(fabs(is->sum - should->sum) <= 1e-5 * (1 + fabs(should->sum)));
	for (unsigned k = 0; k < 4; k++) {
		double off = 0, size = 0;

		for (size_t i = 0; i < ROOM; i++) {
			double d = (double)is->out[k][i] - (double)should->out[k][i];

			off += d * d;
			size += (double)should->out[k][i] * (double)should->out[k][i];
		}
		if (!(sqrt(off) <= 2e-5 * sqrt(size) + 1e-12))
			fail_msg("%s: out %u is off by %g of %g", what, k, sqrt(off), sqrt(size));
	}
}

static inline void same_bits(const struct world *is, const struct world *should)
{
	assert_memory_equal(&is->sum, &should->sum, sizeof is->sum);
	for (unsigned k = 0; k < 4; k++)
		assert_memory_equal(is->out[k], should->out[k], ROOM * sizeof(float));
}

static inline void try_at(trial *act, size_t rows, size_t columns)
{
	struct world *ref = world_new(&nn_ref, 1, 0), *one, *three, *narrow;

	act(ref, rows, columns);
	for (unsigned width = 4; width <= 16; width *= 2) {
		char what[60];

		(void)snprintf(what, sizeof what, "%zu x %zu, width %u", rows, columns, width);
		one = world_new(&nn_cpu, 1, width);
		three = world_new(&nn_cpu, 3, width);
		act(one, rows, columns);
		act(three, rows, columns);
		close_to(one, ref, what);
		same_bits(three, one);
		world_free(one);
		world_free(three);
	}
	narrow = world_new(&nn_cpu, 1, 8);
	one = world_new(&nn_cpu, 1, 16);
	act(narrow, rows, columns);
	act(one, rows, columns);
	same_bits(narrow, one); /* AVX2 and AVX-512; the same code where there is neither */
	world_free(one);
	world_free(narrow);
	world_free(ref);
}

static inline void try_all(trial *act)
{
	static const size_t shape[][2] = { { 1, 1 }, { 3, 7 }, { 17, 33 }, { 64, 16 }, { 130, 61 },
		{ 1, 400 }, { 333, 2 } };

	for (size_t i = 0; i < sizeof shape / sizeof shape[0]; i++)
		try_at(act, shape[i][0], shape[i][1]);
}

/* For finite differences of the oracle: of sum(y * weight of y). */
static struct world *oracle;

static inline double seen(const float *y, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)y[i] * (double)oracle->in[3][i]; /* in[3] is dy */
	return sum;
}

/* value() at *x moved both ways; `slope` is what the backward operation said. */
static inline void check_slope(double (*value)(const void *given), const void *given, float *x, float slope)
{
	const float kept = *x, step = 1e-3f;
	double above, below, found;

	*x = kept + step;
	above = value(given);
	*x = kept - step;
	below = value(given);
	*x = kept;
	found = (above - below) / (2 * (double)step);
	if (!(fabs(found - (double)slope) <= 2e-2 * (fabs(found) + 0.05)))
		fail_msg("slope %g, by differences %g", (double)slope, found);
}

static inline int oracle_set_up(void **state)
{
	(void)state;
	oracle = world_new(&nn_ref, 1, 0);
	return 0;
}

static inline int oracle_tear_down(void **state)
{
	(void)state;
	world_free(oracle);
	return 0;
}

#endif
