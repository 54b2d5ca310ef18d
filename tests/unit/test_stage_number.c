#include "common/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXTS 400000 /* of each shape */

static uint64_t state = 88172645463325252u;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void write_text(char text[64], int shape)
{
	uint64_t bits = draw();
	double any;

	memcpy(&any, &bits, sizeof any);
	if (any != any)
		any = 1;
	if (shape == 0)
		(void)snprintf(text, 64, "%.17g", any);
	else if (shape == 1)
		(void)snprintf(text, 64, "%.17g", (double)(int64_t)draw() / 1e15);
	else if (shape == 2)
		(void)snprintf(text, 64, "%u.%u", (unsigned)(draw() % 100000),
			(unsigned)(draw() % 1000000));
	else if (shape == 3)
		(void)snprintf(
			text, 64, "%llue%d", (unsigned long long)draw(), (int)(draw() % 130) - 80);
	else if (shape == 4) /* half way between two doubles */
		(void)snprintf(text, 64, "%llu",
			2 * (((unsigned long long)1 << 53 | draw() >> 11) >> (draw() % 8)) + 1);
	else
		(void)snprintf(
			text, 64, "%.*e", (int)(draw() % 22), (double)(int64_t)draw() * 1e-10);
}

static void numbers_are_those_of_strtod_to_the_bit(void **unused)
{
	(void)unused;
	for (int shape = 0; shape < 6; shape++) {
		for (int i = 0; i < TEXTS; i++) {
			char text[64];
			double want, got = 0, ahead = 0;

			write_text(text, shape);
			want = strtod(text, NULL);
			assert_true(number_float(&got, text, strlen(text)));
			assert_true(number_float_ahead(&ahead, text, strlen(text)));
			if (memcmp(&got, &want, sizeof got) != 0 ||
				memcmp(&ahead, &want, sizeof got) != 0)
				fail_msg("%s is %a, not %a or %a", text, want, got, ahead);
		}
	}
}

static void what_follows_a_number_is_not_read_into_it(void **unused)
{
	double got = 0;

	(void)unused;
	assert_true(number_float_ahead(&got, "12,345678901", 2));
	assert_true(got == 12);
	assert_true(number_float_ahead(&got,
		"1.5"
		"77777777",
		3));
	assert_true(got == 1.5);
}

static void what_is_no_number_is_refused(void **unused)
{
	static const char *const bad[] = { "", " ", "-", "+", ".", "e5", "1e", "1e+", "1.2.3",
		"0x10", "1,5", "nan", "NaN", "1_000", "--1", "1 2", "infinit", "12a", "\t" };
	static const char *const good[] = { "1", " 1 ", "-0", "+.5", "5.", "1e400", "1e-400", "INF",
		"-Infinity", "0000000000000000000000001",
		"0.00000000000000000000000000000000012345678901234567890123" };
	double value;

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (number_float(&value, bad[i], strlen(bad[i])))
			fail_msg("'%s' is taken for %g", bad[i], value);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		double want = strtod(good[i], NULL);

		if (!number_float(&value, good[i], strlen(good[i])) ||
			memcmp(&value, &want, 8) != 0)
			fail_msg("'%s' is not read", good[i]);
	}
}

static void whole_numbers_keep_all_their_bits(void **unused)
{
	static const struct {
		const char *text;
		int good;
		int64_t value;
	} cases[] = { { "9223372036854775807", 1, INT64_MAX },
		{ "-9223372036854775808", 1, INT64_MIN }, { "9223372036854775808", 0, 0 },
		{ "-9223372036854775809", 0, 0 }, { "99999999999999999999", 0, 0 },
		{ "00000000000000000000012", 1, 12 }, { "-", 0, 0 }, { "1.0", 0, 0 },
		{ "1e3", 0, 0 }, { "+7", 1, 7 }, { " 7\t", 1, 7 }, { "", 0, 0 } };
	int64_t value;

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		value = 0;
		if (number_integer(&value, cases[i].text, strlen(cases[i].text)) != cases[i].good ||
			value != cases[i].value)
			fail_msg("'%s'", cases[i].text);
	}
}

static void times_are_microseconds_of_utc(void **unused)
{
	static const struct {
		const char *text;
		int good;
		int64_t value;
	} cases[] = { { "1970-01-01", 1, 0 }, { "2024-02-29", 1, 1709164800000000 },
		{ "2023-02-29", 0, 0 }, { "2024-13-01", 0, 0 },
		{ "1969-12-31T23:59:59", 1, -1000000 },
		{ "2024-01-02 03:04:05.678901Z", 1, 1704164645678901 },
		{ "2024-01-02T03:04+01:00", 1, 1704161040000000 },
		{ "2024-01-02T03:04-0130", 1, 1704170040000000 }, { "2024-01-02T24:00", 0, 0 },
		{ "2024-01-02T03:04:61", 0, 0 }, { "2024-01-02x03:04", 0, 0 },
		{ "2024-01-02T03:04:05 ", 0, 0 }, { "2024-1-2", 0, 0 }, { "2024-01-02T03", 0, 0 } };
	int64_t value;

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		value = 0;
		if (number_time(&value, cases[i].text, strlen(cases[i].text)) != cases[i].good ||
			value != cases[i].value)
			fail_msg("'%s' is %lld", cases[i].text, (long long)value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_those_of_strtod_to_the_bit),
		cmocka_unit_test(what_follows_a_number_is_not_read_into_it),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(whole_numbers_keep_all_their_bits),
		cmocka_unit_test(times_are_microseconds_of_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
