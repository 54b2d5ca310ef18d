#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dag/graph.h"
#include "run/retry.h"

static const struct retry plain = { .limit = 3,
	.on = RETRY_ERROR | RETRY_SIGNAL | RETRY_TIMEOUT | RETRY_OOM | RETRY_LOST,
	.delay_ms = 1000,
	.max_delay_ms = 600000,
	.backoff = 2,
	.jitter = 0 };

static void delays_grow_up_to_the_longest(void **state)
{
	struct retry r = plain;

	(void)state;
	assert_int_equal(retry_delay_ms(&r, 1, 0.9), 1000);
	assert_int_equal(retry_delay_ms(&r, 2, 0), 2000);
	assert_int_equal(retry_delay_ms(&r, 10, 0), 512000);
	assert_int_equal(retry_delay_ms(&r, 11, 0), 600000);
	assert_int_equal(retry_delay_ms(&r, 1000, 0), 600000);
	r.backoff = 100;
	assert_int_equal(retry_delay_ms(&r, 1000000, 0), 600000);
	r.backoff = 1;
	assert_int_equal(retry_delay_ms(&r, 1000, 0), 1000);
	r.max_delay_ms = 10;
	assert_int_equal(retry_delay_ms(&r, 1, 0), 10);
	r.delay_ms = 0;
	assert_int_equal(retry_delay_ms(&r, 7, 0), 0);
}

static void jitter_only_shortens(void **state)
{
	struct retry r = plain;

	(void)state;
	r.jitter = 1;
	assert_int_equal(retry_delay_ms(&r, 1, 0), 1000);
	assert_int_equal(retry_delay_ms(&r, 1, 0.25), 750);
	assert_true(retry_delay_ms(&r, 1, 0.999999) >= 0);
	r.jitter = 0.5;
	assert_int_equal(retry_delay_ms(&r, 1, 0.5), 750);
	assert_true(retry_delay_ms(&r, 1, 0.999999) >= 500);
}

static void only_listed_failures_are_tried_again(void **state)
{
	static const struct {
		enum outcome outcome;
		uint32_t bit;
	} known[] = { { OUTCOME_ERROR, RETRY_ERROR }, { OUTCOME_SIGNAL, RETRY_SIGNAL },
		{ OUTCOME_TIMEOUT, RETRY_TIMEOUT }, { OUTCOME_OOM, RETRY_OOM },
		{ OUTCOME_MISSING_OUT, RETRY_MISSING_OUT } };
	struct retry r = plain;
	size_t i, k;

	(void)state;
	for (i = 0; i < 5; i++)
		for (k = 0; k < 5; k++) {
			r.on = known[k].bit;
			assert_int_equal(retry_allows(&r, known[i].outcome, 1, 0, 0), i == k);
		}
}

static void some_ends_are_never_tried_again(void **state)
{
	struct retry r = plain;

	(void)state;
	r.on = ~0u;
	assert_false(retry_allows(&r, OUTCOME_SUCCEEDED, 0, 0, 0));
	assert_false(retry_allows(&r, OUTCOME_UNSTARTABLE, -1, 0, 0));
	assert_false(retry_allows(&r, OUTCOME_CANCELLED, -1, 0, 0));
}

static void exit_status_can_be_listed_alone(void **state)
{
	struct retry r = plain;
	int code;

	(void)state;
	r.on = 0;
	r.exit_codes[75 / 64] = UINT64_C(1) << (75 % 64);
	r.exit_codes[3] = UINT64_C(1) << 63;
	for (code = -1; code <= 256; code++)
		assert_int_equal(retry_allows(&r, OUTCOME_ERROR, code, 0, 0), code == 75 || code == 255);
	assert_false(retry_allows(&r, OUTCOME_SIGNAL, 75, 0, 0));
}

static void what_the_shell_cannot_find_is_retried_only_when_listed(void **state)
{
	struct retry r = plain;

	(void)state;
	assert_true(retry_allows(&r, OUTCOME_ERROR, 125, 0, 0));
	assert_false(retry_allows(&r, OUTCOME_ERROR, 126, 0, 0));
	assert_false(retry_allows(&r, OUTCOME_ERROR, 127, 0, 0));
	r.exit_codes[127 / 64] = UINT64_C(1) << (127 % 64);
	assert_true(retry_allows(&r, OUTCOME_ERROR, 127, 0, 0));
}

static void limit_counts_retries_and_not_attempts(void **state)
{
	struct retry r = plain;

	(void)state;
	assert_true(retry_allows(&r, OUTCOME_ERROR, 1, 2, 0));
	assert_false(retry_allows(&r, OUTCOME_ERROR, 1, 3, 0));
	r.limit = 0;
	assert_false(retry_allows(&r, OUTCOME_ERROR, 1, 0, 0));
}

static void losses_are_no_fault_of_the_task(void **state)
{
	struct retry r = plain;

	(void)state;
	r.limit = 0;
	r.on = 0;
	assert_true(retry_allows(&r, OUTCOME_LOST, -1, 0, 1));
	assert_true(retry_allows(&r, OUTCOME_LOST, -1, 9, LOST_BUDGET - 1));
	assert_false(retry_allows(&r, OUTCOME_LOST, -1, 0, LOST_BUDGET));
}

static void scaled_values_grow_and_do_not_wrap(void **state)
{
	(void)state;
	assert_int_equal(retry_scaled(1000, 1.5, 0), 1000);
	assert_int_equal(retry_scaled(1000, 1.5, 2), 2250);
	assert_int_equal(retry_scaled(0, 100, 50), 0);
	assert_int_equal(retry_scaled(INT64_MAX / 8, 100, 1000), INT64_MAX / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays_grow_up_to_the_longest),
		cmocka_unit_test(jitter_only_shortens),
		cmocka_unit_test(only_listed_failures_are_tried_again),
		cmocka_unit_test(some_ends_are_never_tried_again),
		cmocka_unit_test(exit_status_can_be_listed_alone),
		cmocka_unit_test(what_the_shell_cannot_find_is_retried_only_when_listed),
		cmocka_unit_test(limit_counts_retries_and_not_attempts),
		cmocka_unit_test(losses_are_no_fault_of_the_task),
		cmocka_unit_test(scaled_values_grow_and_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
