#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "report/blame.h"

/* A runner that knows what each change adds; point n has the sum of the first n. NaN in `broken`: the point cannot be run. */
struct fake {
	const double *adds;
	const bool *broken;    /* per point; NULL: none */
	size_t asked[64], count;
	size_t stop_at;        /* this call is stopped; 0: none */
};

static double value_at(const struct fake *f, size_t point)
{
	double sum = 1.0;
	size_t i;

	for (i = 0; i < point; i++)
		sum += f->adds[i];
	return sum;
}

static int run(void *user, size_t point, double *value, struct err *e)
{
	struct fake *f = user;

	assert_true(f->count < 64);
	f->asked[f->count++] = point;
	if (f->count == f->stop_at)
		return err_set(e, ERR_CANCELED, "stopped");
	if (f->broken != NULL && f->broken[point])
		return 0;
	*value = value_at(f, point);
	return 1;
}

static struct blame bisect(struct fake *f, size_t changes, bool all)
{
	struct blame b = { .changes = changes, .was = value_at(f, 0), .is = value_at(f, changes), .all = all };
	struct err e;

	assert_int_equal(blame_bisect(&b, run, f, &e), 0);
	return b;
}

static void expect(const struct blame *b, size_t i, size_t first, size_t count, double by)
{
	assert_true(i < b->parts.count);
	assert_int_equal(b->parts.items[i].first, first);
	assert_int_equal(b->parts.items[i].count, count);
	assert_true(fabs(b->parts.items[i].is - b->parts.items[i].was - by) < 1e-9);
}

static void one_change_needs_no_run(void **state)
{
	const double adds[] = { 2 };
	struct fake f = { .adds = adds };
	struct blame b = bisect(&f, 1, false);

	(void)state;
	assert_int_equal(f.count, 0);
	assert_int_equal(b.parts.count, 1);
	expect(&b, 0, 0, 1, 2);
	blame_release(&b);
}

static void no_change_has_no_part(void **state)
{
	struct fake f = { 0 };
	struct blame b = bisect(&f, 0, false);

	(void)state;
	assert_int_equal(b.parts.count, 0);
	blame_release(&b);
}

static void single_culprit_is_found_in_few_runs(void **state)
{
	double adds[32] = { 0 };
	struct fake f = { .adds = adds };
	struct blame b;
	size_t i, moved = 0;

	(void)state;
	adds[21] = -3;
	b = bisect(&f, 32, false);
	assert_true(f.count <= 5);
	for (i = 0; i < b.parts.count; i++)
		if (!blame_same(b.parts.items[i].was, b.parts.items[i].is)) {
			expect(&b, i, 21, 1, -3);
			moved++;
		}
	assert_int_equal(moved, 1);
	blame_release(&b);
}

static void contributions_add_up_in_the_order_of_the_path(void **state)
{
	const double adds[] = { 1, 0, 0, 4, 0, -2, 0, 0, 0, 1 };
	struct fake f = { .adds = adds };
	struct blame b = bisect(&f, 10, false);
	size_t i, next = 0;
	double sum = 0;

	(void)state;
	for (i = 0; i < b.parts.count; i++) {
		assert_int_equal(b.parts.items[i].first, next);
		next += b.parts.items[i].count;
		sum += b.parts.items[i].is - b.parts.items[i].was;
	}
	assert_int_equal(next, 10);
	assert_true(fabs(sum - 4) < 1e-9);
	blame_release(&b);
}

static void what_cancels_out_is_seen_only_when_all_are_tried(void **state)
{
	const double adds[] = { 5, -5, 0, 0 };
	struct fake f = { .adds = adds }, g = { .adds = adds };
	struct blame b = bisect(&f, 4, false), all = bisect(&g, 4, true);

	(void)state;
	assert_int_equal(b.parts.count, 1);
	assert_int_equal(f.count, 0);
	assert_int_equal(all.parts.count, 4);
	assert_int_equal(g.count, 3);
	expect(&all, 0, 0, 1, 5);
	expect(&all, 1, 1, 1, -5);
	blame_release(&b);
	blame_release(&all);
}

static void no_point_is_tried_twice(void **state)
{
	const double adds[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct fake f = { .adds = adds };
	struct blame b = bisect(&f, 8, true);
	size_t i, k;

	(void)state;
	assert_int_equal(f.count, 7);
	assert_int_equal(b.tried, 7);
	for (i = 0; i < f.count; i++)
		for (k = 0; k < i; k++)
			assert_int_not_equal(f.asked[i], f.asked[k]);
	blame_release(&b);
}

static void point_that_cannot_be_run_is_passed_over(void **state)
{
	const double adds[] = { 0, 1, 1, 0 };
	const bool broken[] = { false, false, true, false, false };
	struct fake f = { .adds = adds, .broken = broken };
	struct blame b = bisect(&f, 4, false);

	(void)state;
	assert_true(b.failed >= 1);
	assert_int_equal(b.parts.count, 3);
	expect(&b, 0, 0, 1, 0);
	expect(&b, 1, 1, 2, 2); /* only together */
	assert_true(b.parts.items[1].stuck);
	expect(&b, 2, 3, 1, 0);
	blame_release(&b);
}

static void when_nothing_between_can_be_run_they_stay_together(void **state)
{
	const double adds[] = { 1, 1, 1 };
	const bool broken[] = { false, true, true, false };
	struct fake f = { .adds = adds, .broken = broken };
	struct blame b = bisect(&f, 3, false);

	(void)state;
	assert_int_equal(f.count, 2);
	assert_int_equal(b.parts.count, 1);
	assert_true(b.parts.items[0].stuck);
	expect(&b, 0, 0, 3, 3);
	blame_release(&b);
}

static void stopping_ends_it(void **state)
{
	const double adds[] = { 1, 1, 1, 1 };
	struct fake f = { .adds = adds, .stop_at = 2 };
	struct blame b = { .changes = 4, .was = 1, .is = 5 };
	struct err e;

	(void)state;
	assert_int_equal(blame_bisect(&b, run, &f, &e), ERR_CANCELED);
	assert_int_equal(f.count, 2);
	blame_release(&b);
}

static void values_that_are_no_numbers_are_the_same(void **state)
{
	(void)state;
	assert_true(blame_same((double)NAN, (double)NAN));
	assert_false(blame_same((double)NAN, 1));
	assert_false(blame_same(1, 2));
	assert_true(blame_same(2, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_change_needs_no_run),
		cmocka_unit_test(no_change_has_no_part),
		cmocka_unit_test(single_culprit_is_found_in_few_runs),
		cmocka_unit_test(contributions_add_up_in_the_order_of_the_path),
		cmocka_unit_test(what_cancels_out_is_seen_only_when_all_are_tried),
		cmocka_unit_test(no_point_is_tried_twice),
		cmocka_unit_test(point_that_cannot_be_run_is_passed_over),
		cmocka_unit_test(when_nothing_between_can_be_run_they_stay_together),
		cmocka_unit_test(stopping_ends_it),
		cmocka_unit_test(values_that_are_no_numbers_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
