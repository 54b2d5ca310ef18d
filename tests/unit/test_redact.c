#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/random.h"
#include "base/redact.h"
#include "base/secret_forms.h"

static struct redactor r;

static int setup(void **state)
{
	(void)state;
	memset(&r, 0, sizeof r);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	redactor_release(&r);
	return 0;
}

static void know(const char *value)
{
	redactor_add(&r, value, strlen(value));
}

/* Every text is cut into pieces of each length: the answer must not change. */
static void expect(const char *text, const char *want)
{
	size_t len = strlen(text), piece, at;

	for (piece = 1; piece <= len + 1; piece++) {
		struct redaction s = { 0 };
		struct buf out = { 0 };

		for (at = 0; at < len; at += piece)
			redact(&r, &s, text + at, len - at < piece ? len - at : piece, &out);
		redact_end(&r, &s, &out);
		assert_string_equal(buf_text(&out), want);
		assert_int_equal(s.found, strcmp(text, want) != 0);
		redaction_release(&s);
		buf_release(&out);
	}
	assert_int_equal(redact_finds(&r, text, len), strcmp(text, want) != 0);
}

static void a_value_is_masked_wherever_it_stands(void **state)
{
	(void)state;
	know("hunter22");
	redactor_ready(&r);
	expect("hunter22", "***");
	expect("password hunter22!\n", "password ***!\n");
	expect("hunter2", "hunter2");
	expect("hunthunter22", "hunt***");
	expect("hunter22 and hunter22", "*** and ***");
	expect("", "");
}

static void what_overlaps_or_touches_is_one(void **state)
{
	(void)state;
	know("abab");
	know("cde");
	redactor_ready(&r);
	expect("xababab!", "x***!");
	expect("ababcde", "***");
	expect("ababab", "***");
	expect("abaabab", "aba***");
}

static void one_may_be_the_beginning_or_a_part_of_another(void **state)
{
	(void)state;
	know("token");
	know("token-of-mine");
	know("of-m");
	redactor_ready(&r);
	expect("token", "***");
	expect("token-of-mine", "***");
	expect("token-of-mind", "***-***ind");
	expect("token-of-", "***-of-");
	expect("some of-mine", "some ***ine");
}

static void without_values_all_passes(void **state)
{
	(void)state;
	redactor_ready(&r);
	expect("hunter22", "hunter22");
}

/* -- forms ---------------------------------------------------------------------------------------- */

static void know_forms(const char *value)
{
	secret_forms(&r, value, strlen(value));
	redactor_ready(&r);
}

static void every_form_is_known(void **state)
{
	(void)state;
	know_forms("p@ss \"w\xc3\xb6rd\"/\\x");
	expect("p@ss \"w\xc3\xb6rd\"/\\x", "***");
	expect("p%40ss%20%22w%C3%B6rd%22%2F%5Cx", "***");
	expect("p%40ss+%22w%C3%B6rd%22%2F%5Cx", "***");
	expect("p%40ss%20%22w%c3%b6rd%22%2f%5cx", "***");
	expect("p%40ss%20%22w%C3%B6rd%22/%5Cx", "***");
	expect("{\"a\": \"p@ss \\\"w\xc3\xb6rd\\\"/\\\\x\"}", "{\"a\": \"***\"}");
	expect("\"p@ss \\\"w\\u00f6rd\\\"/\\\\x\"", "\"***\"");
	expect("\"p@ss \\\"w\\u00f6rd\\\"\\/\\\\x\"", "\"***\"");
	expect("cEBzcyAid8O2cmQiL1x4", "***");       /* of the value alone */
	expect("dXNlcjpwQHNzICJ3w7ZyZCIvXHgK", "dXNlcjp***gK"); /* of user:VALUE and a newline */
}

static void base64_may_be_broken_between_lines(void **state)
{
	(void)state;
	know_forms("0123456789abcdef");
	expect("MDEyMzQ1Njc4OWFiY2RlZg==", "***g==");
	expect("MDEyMzQ1Njc4\nOWFiY2RlZg==", "***g==");
	expect("M\nDEyMzQ1Njc4OWFiY2RlZg==", "***g==");
	expect("MDEyMzQ1Njc4OWFiY2Rl\nZg==", "***g==");
	expect("MDEyMzQ1Njc4\n\nOWFiY2RlZg==", "MDEyMzQ1Njc4\n\nOWFiY2RlZg==");
}

static void quotes_of_the_shell_are_known(void **state)
{
	(void)state;
	know_forms("it's a secret");
	expect("export A='it'\\''s a secret'", "export A='***'");
}

static void lines_of_a_key_are_values_too(void **state)
{
	(void)state;
	know_forms("-----BEGIN KEY-----\nMIIEvgIBADANBgkq\nAB\n-----END KEY-----");
	expect("  MIIEvgIBADANBgkq\n  AB\n", "  ***\n  AB\n");
}

/* -- any text, any values, any pieces ------------------------------------------------------------ */

/* By its definition: what an occurrence covers is masked, and what touches is one. */
static void by_definition(const char *const *values, size_t count, const char *text, size_t len, struct buf *out)
{
	bool *covered = calloc(len + 1, sizeof *covered), before = false;
	size_t i, k;

	for (k = 0; k < count; k++)
		for (i = 0; i + strlen(values[k]) <= len; i++)
			if (memcmp(text + i, values[k], strlen(values[k])) == 0)
				memset(covered + i, 1, strlen(values[k]));
	for (i = 0; i < len; i++) {
		if (!covered[i])
			buf_char(out, text[i]);
		else if (!before)
			buf_str(out, REDACTED);
		before = covered[i];
	}
	free(covered);
}

static void any_split_gives_what_the_definition_says(void **state)
{
	struct dice d = { 7 };
	int round;

	(void)state;
	for (round = 0; round < 4000; round++) {
		char texts[4][10], text[200];
		const char *values[4];
		size_t count = 1 + dice_below(&d, 4), len = dice_below(&d, sizeof text), i, k, at;
		struct redaction s = { 0 };
		struct buf want = { 0 }, got = { 0 };

		redactor_release(&r);
		for (k = 0; k < count; k++) {
			size_t size = 1 + dice_below(&d, 8);

			for (i = 0; i < size; i++)
				texts[k][i] = (char)('a' + dice_below(&d, 2));
			texts[k][size] = '\0';
			values[k] = texts[k];
			know(values[k]);
		}
		redactor_ready(&r);
		for (i = 0; i < len; i++)
			text[i] = (char)('a' + dice_below(&d, 3));
		by_definition(values, count, text, len, &want);
		for (at = 0; at < len; at += i) {
			i = 1 + dice_below(&d, 9);
			i = i > len - at ? len - at : i;
			redact(&r, &s, text + at, i, &got);
		}
		redact_end(&r, &s, &got);
		assert_string_equal(buf_text(&got), buf_text(&want));
		redaction_release(&s);
		buf_release(&want);
		buf_release(&got);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_value_is_masked_wherever_it_stands),
		TEST(what_overlaps_or_touches_is_one),
		TEST(one_may_be_the_beginning_or_a_part_of_another),
		TEST(without_values_all_passes),
		TEST(every_form_is_known),
		TEST(base64_may_be_broken_between_lines),
		TEST(quotes_of_the_shell_are_known),
		TEST(lines_of_a_key_are_values_too),
		TEST(any_split_gives_what_the_definition_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
