#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "plan/key.h"
#include "plan/lines_diff.h"

static struct arena arena;

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static const char *diff(const char *was, const char *is)
{
	struct part_view a = { PART_COMMAND, "", 0, was, strlen(was) },
			 b = { PART_COMMAND, "", 0, is, strlen(is) };

	return lines_diff(&arena, &a, &b);
}

static void lines_that_differ_are_told(void **state)
{
	(void)state;
	assert_string_equal(diff("a\nb\nc\n", "a\nx\nc\n"), "- b\n+ x\n");
	assert_string_equal(diff("a\nb\nc", "a\nc"), "- b\n");
	assert_string_equal(diff("a\nc", "a\nb\nc"), "+ b\n");
	assert_string_equal(diff("a\nb\nc\nd\n", "A\nb\nc\nD\n"), "- a\n+ A\n- d\n+ D\n");
	assert_string_equal(diff("one\n", "one\ntwo\n"), "+ two\n");
	assert_string_equal(diff("a\n\nb", "a\nb"), "- \n");
}

static void one_line_needs_none(void **state)
{
	(void)state;
	assert_string_equal(diff("a", "b"), "");
	assert_string_equal(diff("", ""), "");
	assert_string_equal(diff("a\n", "b\n"), "");
	assert_string_equal(diff("a\nb", "a\nb"), "");
}

static void long_texts_are_cut(void **state)
{
	struct buf was = { 0 }, is = { 0 };
	const char *text;
	size_t lines = 0, i;

	(void)state;
	for (i = 0; i < 2000; i++) {
		buf_printf(&was, "line %zu\n", i);
		buf_printf(&is, "other %zu\n", i);
	}
	text = diff(was.data, is.data);
	for (i = 0; text[i] != '\0'; i++)
		lines += text[i] == '\n';
	assert_int_equal(lines, LINES_SHOWN + 1);
	assert_non_null(strstr(text, "and 3960 more lines\n"));
	buf_clear(&was);
	buf_repeat(&was, 'x', 4000);
	buf_str(&was, "\n\x1b[2J\n");
	text = diff(was.data, "y\nz\n");
	assert_true(strlen(text) < 200);
	assert_null(strchr(text, '\x1b'));
	buf_release(&was);
	buf_release(&is);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(lines_that_differ_are_told, teardown),
		cmocka_unit_test_teardown(one_line_needs_none, teardown),
		cmocka_unit_test_teardown(long_texts_are_cut, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
