#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plan/follow.h"
#include "plan/key.h"

static struct part_view view(const char *text)
{
	return (struct part_view){ PART_PARAM, "", 0, text, strlen(text) };
}

static struct replaced change(const char *was, const char *is)
{
	struct part_view a = view(was), b = view(is);

	return replaced_of(&a, &b);
}

static bool follows(const char *was, const char *is, const struct replaced *list, size_t count)
{
	struct part_view a = view(was), b = view(is);

	return text_follows(&a, &b, list, count);
}

static void value_of_a_parameter_explains_a_text(void **state)
{
	struct replaced one[] = { change("1", "2") };

	(void)state;
	assert_true(follows("train 1", "train 2", one, 1));
	assert_true(follows("1 1 1", "2 2 2", one, 1));
	assert_false(follows("train 1", "train 3", one, 1));
	assert_false(follows("train 1", "train 2 --more", one, 1));
	assert_false(follows("train 1 --more", "train 2", one, 1));
	assert_false(follows("train 1", "retrain 2", one, 1));
	assert_false(follows("train 1", "train 2", one, 0));
}

static void values_that_begin_alike_are_told_apart(void **state)
{
	struct replaced lr[] = { change("0.01", "0.1") }, grow[] = { change("1", "12") };

	(void)state;
	assert_true(follows("--lr 0.01 --m 5", "--lr 0.1 --m 5", lr, 1));
	assert_false(follows("--lr 0.02 --m 5", "--lr 0.1 --m 5", lr, 1));
	assert_true(follows("a 1 b 1", "a 12 b 12", grow, 1));
	assert_true(follows("a 1", "a 12", grow, 1));
}

static void several_parameters_may_change(void **state)
{
	struct replaced list[] = { change("3", "4"), change("\"old\"", "\"new name\"") };

	(void)state;
	assert_true(follows("x 3 old 3", "x 4 'new name' 4", list, 2));
	assert_false(follows("x 3 old 3", "x 4 'new name' 5", list, 2));
}

static void what_is_empty_is_no_trouble(void **state)
{
	struct replaced list[] = { change("\"\"", "\"a\""), change("", "b"), change("\"", "\"") };

	(void)state;
	assert_false(follows("", "a", list, 3));
	assert_true(follows("''", "a", list, 3));
	assert_true(follows("", "", list, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_of_a_parameter_explains_a_text),
		cmocka_unit_test(values_that_begin_alike_are_told_apart),
		cmocka_unit_test(several_parameters_may_change),
		cmocka_unit_test(what_is_empty_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
