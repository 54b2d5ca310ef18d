/* Slopes of boosting: derivatives of the loss, and sums of them that do not depend on the order. */
#include "train/slopes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nn/ops.h"
#include "nn/pool.h"
#include "nn/samples.h"

#define ROWS    9000 /* more than a part */
#define OUTPUTS 3

static float target[ROWS], score[ROWS * OUTPUTS], slope[ROWS * OUTPUTS], curve[ROWS * OUTPUTS];
static int64_t row[ROWS];
static const float weights[OUTPUTS] = { 1, 3, 0.5f };
static struct samples samples = { .rows = ROWS, .target = target, .targets = 1, .row = row, .count = ROWS };

static const struct kind {
	int loss;
	size_t outputs, classes; /* 0: numbers */
	const float *weight;
} kinds[] = { { NN_SOFTMAX, OUTPUTS, OUTPUTS, NULL }, { NN_SOFTMAX, OUTPUTS, OUTPUTS, weights },
	{ NN_SOFTMAX, 1, 2, NULL }, { NN_SOFTMAX, 1, 2, weights }, { NN_SIGMOID, 1, 2, weights + 1 },
	{ NN_SQUARED, 1, 0, NULL }, { NN_HUBER, 1, 0, NULL } };

enum { KINDS = sizeof kinds / sizeof kinds[0] };

static float noise(unsigned i)
{
	return (float)((i * 2654435761u >> 9) & 0x7fffff) / 4194304.0f - 1.0f;
}

static struct slopes prepare(const struct kind *kind, struct pool *pool, float spread)
{
	for (unsigned i = 0; i < ROWS; i++) {
		row[i] = (int64_t)i;
		target[i] = kind->classes != 0 ? (float)(i % kind->classes) : 3 * noise(i);
	}
	for (unsigned i = 0; i < ROWS * OUTPUTS; i++)
		score[i] = spread * noise(i + 77);
	return (struct slopes){ .loss = kind->loss,
		.outputs = kind->outputs,
		.weight = kind->weight,
		.weight_count = kind->weight == NULL        ? 0
				: kind->loss == NN_SIGMOID ? 1
				: kind->classes == 2       ? 2
							   : OUTPUTS,
		.delta = 0.7,
		.samples = &samples,
		.pool = pool,
		.row_sample = 1,
		.slope = slope,
		.curve = curve };
}

/* Of squares it is half of the derivative: the curve is half, too, and the step the same. */
static void slopes_are_those_of_the_loss(void **state)
{
	struct pool *pool = pool_new(1);

	(void)state;
	samples.count = 50;
	for (size_t k = 0; k < KINDS; k++) {
		struct slopes s = prepare(&kinds[k], pool, 2);
		size_t scores = samples.count * kinds[k].outputs;
		double half = kinds[k].loss == NN_SQUARED ? 0.5 : 1;
		float wanted[50 * OUTPUTS];

		(void)slopes_take(&s, score, 0);
		memcpy(wanted, slope, scores * sizeof *wanted);
		for (size_t i = 0; i < scores; i++) {
			const float here = score[i], step = 1.0f / 256;
			double up, down;

			score[i] = here + step;
			up = slopes_take(&s, score, 0);
			score[i] = here - step;
			down = slopes_take(&s, score, 0);
			score[i] = here;
			up = half * (up - down) / (2 * (double)step) * (double)samples.count;
			if (fabs(up - (double)wanted[i]) > 2e-3)
				fail_msg("kind %zu, score %zu: %g is not %g", k, i, (double)wanted[i], up);
		}
	}
	samples.count = ROWS;
	pool_free(pool);
}

static double sum(const float *value, size_t count, int backwards)
{
	double total = 0;

	for (size_t i = 0; i < count; i++)
		total += (double)value[backwards ? count - 1 - i : i];
	return total;
}

static void sums_are_the_same_in_any_order(void **state)
{
	struct pool *pool = pool_new(1);

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		struct slopes s = prepare(&kinds[k], pool, 25);
		size_t scores = ROWS * kinds[k].outputs;

		(void)slopes_take(&s, score, 0);
		assert_true(sum(slope, scores, 0) - sum(slope, scores, 1) == 0.0);
		assert_true(sum(curve, scores, 0) - sum(curve, scores, 1) == 0.0);
		assert_true(sum(curve, scores, 0) > 0);
	}
	pool_free(pool);
}

static void threads_change_nothing(void **state)
{
	struct pool *one = pool_new(1), *three = pool_new(3);
	static float first[ROWS * OUTPUTS];

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		struct slopes s = prepare(&kinds[k], one, 3);
		double loss = slopes_take(&s, score, 4);

		memcpy(first, slope, sizeof first);
		s.pool = three;
		assert_true(slopes_take(&s, score, 4) - loss == 0.0);
		assert_memory_equal(first, slope, ROWS * kinds[k].outputs * sizeof *slope);
	}
	pool_free(one);
	pool_free(three);
}

static void rows_left_out_have_no_slope(void **state)
{
	struct pool *pool = pool_new(1);
	struct slopes s = prepare(&kinds[2], pool, 3);
	size_t out[2] = { 0, 0 }, both = 0;
	static float first[ROWS];

	(void)state;
	s.row_sample = 0.25;
	for (uint32_t round = 0; round < 2; round++) {
		(void)slopes_take(&s, score, round);
		for (size_t i = 0; i < ROWS; i++) {
			out[round] += fabsf(curve[i]) <= 0;
			both += round == 1 && fabsf(curve[i]) <= 0 && fabsf(first[i]) <= 0;
		}
		memcpy(first, curve, sizeof first);
	}
	for (int round = 0; round < 2; round++)
		assert_true(out[round] * 100 > 73 * ROWS && out[round] * 100 < 77 * ROWS);
	assert_true(both * 10 < 6 * ROWS); /* other rows in another round */
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slopes_are_those_of_the_loss),
		cmocka_unit_test(sums_are_the_same_in_any_order),
		cmocka_unit_test(threads_change_nothing),
		cmocka_unit_test(rows_left_out_have_no_slope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
