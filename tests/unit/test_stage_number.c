#include "common/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/numbers.h"

#define TEXTS  400000 /* of each shape */
#define SHAPES 9

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
	else if (shape == 5) /* as tables have them */
		(void)snprintf(text, 64, "%.*f", (int)(draw() % 19), (double)(int64_t)draw() / 1e19);
	else if (shape == 6)
		(void)snprintf(text, 64, "%.2f", (double)(draw() % 100000) / 100);
	else if (shape == 7)
		(void)snprintf(text, 64, "%lld", (long long)((int64_t)draw() >> draw() % 64));
	else
		(void)snprintf(
			text, 64, "%.*e", (int)(draw() % 22), (double)(int64_t)draw() * 1e-10);
}

#define MANY 19 /* two rounds of eight, and three more */

/* A column of one text again and again, with `other` behind each: what comes out, alone and among others. */
static void expect_column(const char *text, size_t length, char other)
{
	char room[16 + MANY * 64];
	struct span span[MANY];
	double value[MANY], alone = 0, want = 0;
	int64_t whole[MANY], whole_alone = 0, whole_want = 0;
	int is_float = number_float(&want, text, length), is_whole = number_integer(&whole_want, text, length);
	size_t done;

	memset(room, other, sizeof room);
	for (size_t i = 0; i < MANY; i++) {
		span[i] = (struct span){ (uint32_t)(16 + 64 * i), (uint32_t)length };
		memcpy(room + span[i].start, text, length);
	}
	done = numbers_floats(&alone, room, span, 1, 1);
	if (done != 0 && (!is_float || memcmp(&alone, &want, sizeof want) != 0))
		fail_msg("'%.*s' is %a, not %a", (int)length, text, want, alone);
	done = numbers_floats(value, room, span, 1, MANY);
	for (size_t i = 0; i < done; i++)
		if (!is_float || memcmp(&value[i], &want, sizeof want) != 0)
			fail_msg("'%.*s' is %a, not %a, number %zu", (int)length, text, want, value[i], i);
	done = numbers_integers(&whole_alone, room, span, 1, 1);
	if (done != 0 && (!is_whole || whole_alone != whole_want))
		fail_msg("'%.*s' is %lld", (int)length, text, (long long)whole_alone);
	done = numbers_integers(whole, room, span, 1, MANY);
	for (size_t i = 0; i < done; i++)
		if (!is_whole || whole[i] != whole_want)
			fail_msg("'%.*s' is %lld, number %zu", (int)length, text, (long long)whole[i], i);
}

static void numbers_are_those_of_strtod_to_the_bit(void **unused)
{
	(void)unused;
	for (int shape = 0; shape < SHAPES; shape++) {
		for (int i = 0; i < TEXTS; i++) {
			char text[64];
			double want, got = 0;

			write_text(text, shape);
			want = strtod(text, NULL);
			assert_true(number_float(&got, text, strlen(text)));
			if (memcmp(&got, &want, sizeof got) != 0)
				fail_msg("%s is %a, not %a", text, want, got);
			if (i % 8 == 0)
				expect_column(text, strlen(text), '7');
		}
	}
}

static void what_follows_a_number_is_not_read_into_it(void **unused)
{
	static const char *const texts[] = { "12,345678901", "1.577777777777777777777",
		"-1.2345678901234567,1", "123456789.5", "1234567.25", "12345678.25", ".5", "-.5",
		"-", "5.", "-0.0", "0.00000000000000000001", "1.2.3", "1.23456789:1",
		"1.234567890123456x", "00.5", "/.5", ":.5", " 1.5 ", "1.5e3", "-12345678",
		"123456789", "1234567a", "+5", "--5", "99999999.99999999999", "-1234567.5",
		"9.999999999999999999", "1234567.891234567891", "0.5", "0.75", "8.00", "-0",
		"0.0000000000000000", "1234567890123456", "-9999999999999999", "007", "0.1.",
		"0.9999999999999999999", "0.0012345678901234567", "9007199254740993.0" };

	(void)unused;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		for (size_t length = 0; length <= strlen(texts[i]); length++) {
			expect_column(texts[i], length, '7');
			expect_column(texts[i], length, '.');
			expect_column(texts[i], length, ',');
		}
	}
}

/* All counts of digits before and after the point. */
static void numbers_of_every_length_are_read_in_columns(void **unused)
{
	(void)unused;
	for (int before = 0; before <= 12; before++) {
		for (int after = 0; after <= 24; after++) {
			for (int i = 0; i < 100; i++) {
				char text[64], *at = text;

				if (draw() % 2 == 0)
					*at++ = '-';
				for (int k = 0; k < before; k++)
					*at++ = (char)('0' + draw() % 10);
				*at++ = '.';
				for (int k = 0; k < after; k++)
					*at++ = (char)('0' + draw() % 10);
				expect_column(text, (size_t)(at - text), '3');
			}
		}
	}
}

/* Each value of a column is another one; one in the middle is of another shape, at every place. */
static void a_column_goes_on_up_to_what_is_unusual(void **unused)
{
	char room[16 + 40 * 32];
	struct span span[2 * 40];
	double value[40];
	int64_t whole[40];

	(void)unused;
	for (size_t odd = 0; odd <= 40; odd++) {
		for (int is_float = 0; is_float < 2; is_float++) {
			size_t done;

			for (size_t i = 0; i < 40; i++) {
				char *at = room + 16 + 32 * i;
				int length = snprintf(at, 32, i == odd ? "1e%zu" : is_float ? "-%zu.25" : "-%zu", 7 * i);

				span[2 * i] = (struct span){ (uint32_t)(at - room), (uint32_t)length };
			}
			done = is_float ? numbers_floats(value, room, span, 2, 40) : numbers_integers(whole, room, span, 2, 40);
			assert_int_equal(done, odd);
			for (size_t i = 0; i < done; i++)
				assert_true(is_float ? value[i] == -(double)(7 * i) - 0.25 : whole[i] == -(int64_t)(7 * i));
		}
	}
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
		cmocka_unit_test(numbers_of_every_length_are_read_in_columns),
		cmocka_unit_test(a_column_goes_on_up_to_what_is_unusual),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(whole_numbers_keep_all_their_bits),
		cmocka_unit_test(times_are_microseconds_of_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
