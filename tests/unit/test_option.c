#include "stage/option.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/arena.h"

static struct arena arena;

static int tear_down(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

/* says "": it fits. */
static void expect(const char *type, const char *json, const char *says)
{
	json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
	struct option o;
	const char *why;

	assert_non_null(value);
	option_read(&o, "k", type);
	why = option_fault(&o, value, &arena);
	if (why == NULL)
		why = "";
	if (strcmp(why, says) != 0)
		fail_msg("%s as %s: \"%s\"", json, type, why);
	json_decref(value);
}

static void bounds_are_allowed_themselves(void **state)
{
	(void)state;
	expect("integer 1..100", "1", "");
	expect("integer 1..100", "100", "");
	expect("integer 1..100", "0", "`with.k` is 0, it must be from 1 to 100");
	expect("integer 1..100", "101", "`with.k` is 101, it must be from 1 to 100");
	expect("number -0.5..", "-0.5", "");
	expect("number -0.5..", "1e300", "");
	expect("number -0.5..", "-0.6", "`with.k` is -0.6, it must be at least -0.5");
	expect("number ..2", "3", "`with.k` is 3, it must be at most 2");
	expect("number", "-1e300", "");
}

static void types_are_told_apart(void **state)
{
	(void)state;
	expect("integer", "1.5", "`with.k` must be of type integer, it is a number");
	expect("integer", "2.0", "");
	expect("integer 1..9", "\"x\"", "`with.k` must be of type integer, it is text");
	expect("text", "[1]", "`with.k` must be of type text, it is a list");
	expect("list", "{}", "`with.k` must be of type list, it is a map");
	expect("boolean", "null", "`with.k` must be of type boolean, it is null");
	expect("any", "[1]", "");
	expect("", "true", "");
	expect("what nobody knows", "1", "");
}

static void what_is_unknown_or_missing_is_named(void **state)
{
	(void)state;
	assert_string_equal(option_unknown("rats", NULL, &arena), "unknown key `rats` under `with:`");
	assert_string_equal(option_unknown("rats", "rate", &arena),
		"unknown key `rats` under `with:`, did you mean `rate`?");
	assert_string_equal(option_missing("rate", NULL, &arena), "`with.rate` is missing: it has no default");
	assert_string_equal(option_missing("rate", "of learning", &arena), "`with.rate` is missing: of learning");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(bounds_are_allowed_themselves, tear_down),
		cmocka_unit_test_teardown(types_are_told_apart, tear_down),
		cmocka_unit_test_teardown(what_is_unknown_or_missing_is_named, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
