#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "report/goal.h"

static void names_say_which_way(void **state)
{
	(void)state;
	assert_int_equal(goal_of("loss"), GOAL_LOWER);
	assert_int_equal(goal_of("train.val_loss"), GOAL_LOWER);
	assert_int_equal(goal_of("RMSE"), GOAL_LOWER);
	assert_int_equal(goal_of("test/Accuracy"), GOAL_HIGHER);
	assert_int_equal(goal_of("f1@macro"), GOAL_HIGHER);
	assert_int_equal(goal_of("brier_score"), GOAL_LOWER);
	assert_int_equal(goal_of("score_error"), GOAL_LOWER);
}

static void other_names_say_nothing(void **state)
{
	(void)state;
	assert_int_equal(goal_of(""), GOAL_NONE);
	assert_int_equal(goal_of("rows"), GOAL_NONE);
	assert_int_equal(goal_of("lossless"), GOAL_NONE);
	assert_int_equal(goal_of("gloss"), GOAL_NONE);
	assert_int_equal(goal_of("__--..//"), GOAL_NONE);
}

static void verdict_needs_two_numbers_that_differ(void **state)
{
	(void)state;
	assert_string_equal(goal_verdict(GOAL_LOWER, 2, 1), "better");
	assert_string_equal(goal_verdict(GOAL_LOWER, 1, 2), "worse");
	assert_string_equal(goal_verdict(GOAL_HIGHER, 1, 2), "better");
	assert_string_equal(goal_verdict(GOAL_HIGHER, -1, -2), "worse");
	assert_string_equal(goal_verdict(GOAL_HIGHER, 1, 1), "");
	assert_string_equal(goal_verdict(GOAL_HIGHER, (double)NAN, 1), "");
	assert_string_equal(goal_verdict(GOAL_LOWER, 1, (double)NAN), "");
	assert_string_equal(goal_verdict(GOAL_NONE, 1, 2), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_say_which_way),
		cmocka_unit_test(other_names_say_nothing),
		cmocka_unit_test(verdict_needs_two_numbers_that_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
