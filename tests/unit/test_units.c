#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/units.h"

static void durations_have_units(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "250ms", 250 },
		{ "30s", 30000 },
		{ "10m", 600000 },
		{ "2h", 7200000 },
		{ "1d", 86400000 },
		{ "1.5h", 5400000 },
		{ "0.25s", 250 },
		{ "1h30m", 5400000 },
		{ "1d2h3m4s5ms", 93784005 },
		{ "0s", 0 },
		{ "3650d", DURATION_MAX_MS },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };
		int64_t ms = -1;

		assert_int_equal(duration_parse(&ms, cases[i].text, &e), 0);
		assert_int_equal(ms, cases[i].ms);
	}
}

static void wrong_durations_are_quoted(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "30", "`30` has no unit; write 30s, 30m or 30h" },
		{ "", "is not a duration" },
		{ "s", "is not a duration" },
		{ "-5s", "is not a duration" },
		{ "5x", "units are ms, s, m, h and d" },
		{ "5S", "units are" },
		{ "5s3h", "units are" },
		{ "5s5s", "units are" },
		{ "1 h", "units are" },
		{ "1e99s", "units are" },
		{ "3651d", "over the limit of 3650d" },
		{ "99999999999999999999d", "is not a duration" },
		{ "1.s", "units are" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };
		int64_t ms = -1;

		assert_int_equal(duration_parse(&ms, cases[i].text, &e), ERR_INPUT);
		assert_int_equal(ms, -1);
		if (strstr(e.text, cases[i].part) == NULL)
			fail_msg("`%s`: %s", cases[i].text, e.text);
	}
}

static void sizes_are_powers_of_1024(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {
		{ "64K", 65536 },
		{ "512M", 536870912 },
		{ "2G", 2147483648u },
		{ "1.5G", 1610612736 },
		{ "100B", 100 },
		{ "1T", 1ull << 40 },
		{ "1048576T", 1ull << 60 },
		{ "0M", 0 },
	};
	static const char *const wrong[] = { "512", "", "G", "2g", "2GB", "-1M", "1 M", "1048577T",
		"1M2" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };
		uint64_t bytes = 1;

		assert_int_equal(size_parse(&bytes, cases[i].text, &e), 0);
		assert_true(bytes == cases[i].bytes);
	}
	for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct err e = { 0 };
		uint64_t bytes;

		assert_int_equal(size_parse(&bytes, wrong[i], &e), ERR_INPUT);
		assert_non_null(strstr(e.text, wrong[i]));
	}
}

static void duration_text_reads_back_the_same(void **state)
{
	static const int64_t cases[] = { 0, 1, 250, 1000, 1500, 60000, 5400000, 86400000, 93784005,
		DURATION_MAX_MS };
	char text[UNITS_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = { 0 };
		int64_t ms = -1;

		assert_int_equal(duration_parse(&ms, duration_text(cases[i], text), &e), 0);
		assert_int_equal(ms, cases[i]);
	}
	assert_string_equal(duration_text(5400000, text), "1h30m");
	assert_string_equal(duration_text(-5, text), "0s");
}

static void size_text_has_at_most_one_decimal(void **state)
{
	char text[UNITS_TEXT];

	(void)state;
	assert_string_equal(size_text(0, text), "0B");
	assert_string_equal(size_text(1023, text), "1023B");
	assert_string_equal(size_text(65536, text), "64K");
	assert_string_equal(size_text(1610612736, text), "1.5G");
	assert_string_equal(size_text(1ull << 60, text), "1048576T");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(wrong_durations_are_quoted),
		cmocka_unit_test(sizes_are_powers_of_1024),
		cmocka_unit_test(duration_text_reads_back_the_same),
		cmocka_unit_test(size_text_has_at_most_one_decimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
