#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/near.h"

static void distance_counts_changes_and_swaps(void **state)
{
	(void)state;
	assert_int_equal(near_distance("retry", "retry", 3), 0);
	assert_int_equal(near_distance("retrys", "retry", 3), 1);
	assert_int_equal(near_distance("trian", "train", 3), 1);
	assert_int_equal(near_distance("cvs", "csv", 3), 1);
	assert_int_equal(near_distance("", "abc", 3), 3);
	assert_int_equal(near_distance("kitten", "sitting", 5), 3);
}

static void distance_stops_at_the_limit(void **state)
{
	char long_word[200];

	(void)state;
	memset(long_word, 'a', sizeof long_word - 1);
	long_word[sizeof long_word - 1] = '\0';
	assert_int_equal(near_distance("abcdef", "uvwxyz", 2), 3);
	assert_int_equal(near_distance("a", "abcdef", 2), 3);
	assert_int_equal(near_distance(long_word, long_word, 2), 3);
}

static void nearest_word_is_at_most_a_third_away(void **state)
{
	static const char *const words[] = { "retry", "resources", "deps", "outs" };

	(void)state;
	assert_string_equal(near_find("retrys", words, 4), "retry");
	assert_string_equal(near_find("resorces", words, 4), "resources");
	assert_string_equal(near_find("dep", words, 4), "deps");
	assert_null(near_find("zzz", words, 4));
	assert_null(near_find("", words, 4));
}

static void first_of_equally_near_words_wins(void **state)
{
	static const char *const words[] = { "cat", "car", "bat" };

	(void)state;
	assert_string_equal(near_find("caz", words, 3), "cat");
	assert_string_equal(near_find("bat", words, 3), "bat");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distance_counts_changes_and_swaps),
		cmocka_unit_test(distance_stops_at_the_limit),
		cmocka_unit_test(nearest_word_is_at_most_a_third_away),
		cmocka_unit_test(first_of_equally_near_words_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
