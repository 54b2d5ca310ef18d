#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "report/tame.h"

/* In pieces of `step` bytes. */
static void tamed(const char *in, const char *want, size_t step)
{
	size_t len = strlen(in), i;
	struct buf out = { 0 };
	struct tamer t = { 0 };

	for (i = 0; i < len; i += step)
		tame(&t, &out, in + i, len - i < step ? len - i : step);
	assert_string_equal(buf_text(&out), want);
	buf_release(&out);
}

static void text_and_colours_stay(void **state)
{
	static const char *const same[] = { "plain\ttext\n", "\033[1;31mred\033[0m\n", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		"\033[38:5:1mx\033[m" };
	size_t i, step;

	(void)state;
	for (i = 0; i < sizeof same / sizeof *same; i++)
		for (step = 1; step < 9; step++)
			tamed(same[i], same[i], step);
}

static void what_moves_the_terminal_is_shown_as_a_question_mark(void **state)
{
	static const char *const pairs[][2] = {
		{ "a\033[2Jb", "a?b" },                 /* clear */
		{ "a\033]0;title\007b", "a?0;title?b" },
		{ "a\033cb", "a?b" },                   /* reset */
		{ "a\bb\177c\001d", "a?b?c?d" },
		{ "a\xc2\x9b" "2Jb", "a?2Jb" },         /* C1 */
		{ "a\xe2\x80\xae" "b", "a?b" },         /* right to left */
		{ "a\xff\xfe" "b", "a??b" },
		{ "a\x9b" "2Jb", "a?2Jb" },
		{ "\033\033[1mx", "?\033[1mx" },
		{ "\xc3(", "?(" },
		{ "\xed\xa0\x80x", "?x" },              /* half of a surrogate pair */
	};
	size_t i, step;

	(void)state;
	for (i = 0; i < sizeof pairs / sizeof *pairs; i++)
		for (step = 1; step < 9; step++)
			tamed(pairs[i][0], pairs[i][1], step);
	tamed("\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1mx", "?;1;1;1;1;1;1;1mx", 3);
}

static void a_progress_bar_becomes_lines(void **state)
{
	(void)state;
	tamed("10%\r20%\r\nend\r", "10%\n20%\nend\n", 1);
	tamed("a\r\r\nb", "a\n\nb", 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_colours_stay),
		cmocka_unit_test(what_moves_the_terminal_is_shown_as_a_question_mark),
		cmocka_unit_test(a_progress_bar_becomes_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
