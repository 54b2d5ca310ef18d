#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/axis.h"

/* The labels with blanks between. */
static const char *labels(const struct axis *x)
{
	static char all[400];
	char text[32];
	unsigned i;

	all[0] = '\0';
	for (i = 0; i < x->count; i++)
		(void)snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i > 0 ? " " : "", axis_label(x, i, text));
	return all;
}

static void check(enum axis_scale scale, double least, double most, const char *expect)
{
	struct axis x;
	unsigned i;

	axis_make(&x, scale, least, most, 5);
	assert_string_equal(labels(&x), expect);
	assert_true(x.low < x.high && isfinite(x.low) && isfinite(x.high));
	assert_true(x.low <= (long double)least && x.high >= (long double)most);
	for (i = 0; i < x.count; i++)
		assert_true(axis_place(&x, x.ticks[i]) >= 0 && axis_place(&x, x.ticks[i]) <= 1);
	assert_true(axis_place(&x, (long double)least) <= axis_place(&x, (long double)most));
}

static void numbers_are_round(void **state)
{
	(void)state;
	check(AXIS_LINEAR, 0, 1, "0.0 0.5 1.0");
	check(AXIS_LINEAR, 0.1, 0.9, "0.2 0.4 0.6 0.8");
	check(AXIS_LINEAR, 0.9871, 0.9876, "0.9872 0.9874 0.9876");
	check(AXIS_LINEAR, -3, 7, "-2 0 2 4 6");
	check(AXIS_LINEAR, 12, 480, "100 200 300 400");
	check(AXIS_LINEAR, 0, 6e9, "0 2e+09 4e+09 6e+09");
	check(AXIS_LINEAR, 1e-7, 4e-7, "1e-07 2e-07 3e-07 4e-07");
	check(AXIS_LINEAR, 1e12, 1e12 + 40, "1000000000000 1000000000010 1000000000020 1000000000030 1000000000040");
}

static void axis_is_widened_to_its_third_number(void **state)
{
	struct axis x;

	(void)state;
	axis_make(&x, AXIS_LINEAR, 0.19, 1.21, 5);
	assert_string_equal(labels(&x), "0.0 0.5 1.0");
	assert_true(x.low > -1e-9L && x.low < 1e-9L && x.high < 1.22L);
	axis_make(&x, AXIS_LINEAR, 0.79, 1.81, 5);
	assert_string_equal(labels(&x), "1.0 1.5 2.0");
}

static void constant_stands_in_the_middle(void **state)
{
	struct axis x;

	(void)state;
	check(AXIS_LINEAR, 5, 5, "5");
	check(AXIS_LINEAR, 0, 0, "0");
	check(AXIS_LINEAR, -0.25, -0.25, "-0.25");
	axis_make(&x, AXIS_LINEAR, 0.1, nextafter(0.1, 1), 5); /* a rounding is no change */
	assert_true(fabs(axis_place(&x, 0.1L) - 0.5) < 1e-9);
	axis_make(&x, AXIS_LOG, 3, 3, 5);
	assert_true(fabs(axis_place(&x, 3) - 0.5) < 1e-9);
	assert_string_equal(labels(&x), "3");
}

static void ends_of_double_are_held(void **state)
{
	(void)state;
	check(AXIS_LINEAR, -DBL_MAX, DBL_MAX, "-1e+308 0 1e+308");
	check(AXIS_LINEAR, DBL_MAX, DBL_MAX, "1.79769e+308");
	check(AXIS_LINEAR, 0, 5e-324, "0 1e-324 2e-324 3e-324 4e-324");
	check(AXIS_LINEAR, 5e-324, 5e-324, "4.94066e-324");
	check(AXIS_LOG, 5e-324, DBL_MAX, "1e-200 1 1e+200");
	check(AXIS_LOG, DBL_MAX, DBL_MAX, "1.79769e+308");
}

static void logarithms_have_powers_of_ten(void **state)
{
	(void)state;
	check(AXIS_LOG, 0.001, 100, "0.01 1 100");
	check(AXIS_LOG, 1, 1e4, "1 10 100 1000 10000");
	check(AXIS_LOG, 0.01, 1, "0.01 0.05 0.1 0.5 1");
	check(AXIS_LOG, 0.5, 3, "0.5 1 2");
	check(AXIS_LOG, 1e-10, 1e10, "1e-10 1e-05 1 100000 1e+10");
	check(AXIS_LOG, 0.3, 0.48, "0.30 0.35 0.40 0.45");
}

static void steps_are_whole_and_never_widened(void **state)
{
	struct axis x;

	(void)state;
	axis_steps(&x, 1, 30, 6);
	assert_string_equal(labels(&x), "5 10 15 20 25 30");
	axis_steps(&x, 0, 2, 6);
	assert_string_equal(labels(&x), "0 1 2");
	axis_steps(&x, 7, 7, 6);
	assert_string_equal(labels(&x), "7");
	assert_true(axis_place(&x, 7) > 0.49 && axis_place(&x, 7) < 0.51);
	axis_steps(&x, INT64_MAX - 1, INT64_MAX, 6);
	assert_int_equal(x.count, 2);
	assert_true(axis_place(&x, (long double)(INT64_MAX - 1)) <= 0 && axis_place(&x, (long double)INT64_MAX) >= 1);
	axis_steps(&x, 0, INT64_MAX, 6);
	assert_string_equal(labels(&x), "0 2e+18 4e+18 6e+18 8e+18");
}

/* Few or many, whatever the ends are: from three to five of a linear axis, two to five of a logarithmic one. */
static void any_ends_have_numbers(void **state)
{
	uint64_t seed = 1;
	unsigned i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		struct axis x;
		double a, b;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		a = ldexp((double)(seed >> 40) - 8388608.0, (int)(seed % 2000) - 1020);
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		b = i % 2 ? a + fabs(a) * ldexp(1, -(int)(seed % 30)) : ldexp((double)(seed >> 40), (int)(seed % 900) - 500);
		if (!isfinite(a) || !isfinite(b))
			continue;
		axis_make(&x, AXIS_LINEAR, fmin(a, b), fmax(a, b), 5);
		assert_true(x.count <= 5 && (x.count >= 3 || (x.count == 1 && fabs(b - a) <= fabs(a) * 1e-12)));
		if (a <= 0 || b <= 0)
			continue;
		axis_make(&x, AXIS_LOG, fmin(a, b), fmax(a, b), 5);
		assert_true(x.count <= 5 && (x.count >= 2 || (x.count == 1 && fabs(b - a) <= a * 1e-12)));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_round),
		cmocka_unit_test(axis_is_widened_to_its_third_number),
		cmocka_unit_test(constant_stands_in_the_middle),
		cmocka_unit_test(ends_of_double_are_held),
		cmocka_unit_test(logarithms_have_powers_of_ten),
		cmocka_unit_test(steps_are_whole_and_never_widened),
		cmocka_unit_test(any_ends_have_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
