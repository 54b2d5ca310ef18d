#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "stage/lua_scan.h"

static void note(void *user, const char *name, uint32_t line)
{
	buf_printf(user, "%s%s:%u", ((struct buf *)user)->len > 0 ? " " : "", name, line);
}

static void assert_found(const char *text, const char *expected)
{
	struct buf found = { 0 };

	lua_scan(text, strlen(text), note, &found);
	assert_string_equal(buf_text(&found), expected);
	buf_release(&found);
}

static void literal_names_are_found(void **state)
{
	(void)state;
	assert_found("local a = require \"a.b\"", "a.b:1");
	assert_found("\nlocal a = require('x')\nlocal b = require(\"y\")", "x:2 y:3");
	assert_found("require[[long]] require[==[eq]==]", "long:1 eq:1");
	assert_found("local f = require --[[ why ]] ( --x\n 'z' )", "z:1");
	assert_found("require'a'.run(require'b')", "a:1 b:1");
	assert_found("#!/usr/bin/lua\nrequire 'a'", "a:2");
}

static void computed_names_are_not(void **state)
{
	(void)state;
	assert_found("require(name)", "");
	assert_found("require('a' .. x)", "");
	assert_found("require 'a\\x62'", "");
	assert_found("require ''", "");
	assert_found("require(('a'))", "");
}

static void comments_and_strings_hide(void **state)
{
	(void)state;
	assert_found("-- require 'a'\nrequire 'b'", "b:2");
	assert_found("--[[ require 'a'\n]] require 'b'", "b:2");
	assert_found("--[==[ ]] require 'a' ]==] require 'b'", "b:1");
	assert_found("local s = \"require 'a'\" require 'b'", "b:1");
	assert_found("local s = 'it\\'s' require 'b'", "b:1");
	assert_found("local s = [[ require 'a' ]] require 'b'", "b:1");
	assert_found("local s = 'open\nrequire 'b'", "b:2");
	assert_found("local s = 'a\\\nb' require 'c'", "c:2");
}

static void other_requires_are_not_ours(void **state)
{
	(void)state;
	assert_found("x.require 'a' x:require 'b'", "");
	assert_found("requires 'a' prerequire 'b' _require 'c'", "");
	assert_found("x = require", "");
	assert_found("1require 'a'", "");
}

static void any_bytes_will_do(void **state)
{
	static const char bits[] = "require'\"[]=-()\\\n #.a\0";
	unsigned round;

	(void)state;
	srandom(7);
	for (round = 0; round < 20000; round++) {
		size_t i, len = (size_t)random() % 40;
		char *text = malloc(len + 1);
		struct buf found = { 0 };

		assert_non_null(text);
		for (i = 0; i < len; i++)
			text[i] = random() % 3 == 0 && i + 7 < len && memcpy(text + i, "require", 7)
					  ? text[i]
					  : bits[(size_t)random() % sizeof bits];
		lua_scan(text, len, note, &found);
		buf_release(&found);
		free(text);
	}
}

static void long_names_are_passed_over(void **state)
{
	char text[400];

	(void)state;
	(void)snprintf(text, sizeof text, "require '%0300d' require 'b'", 1);
	assert_found(text, "b:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literal_names_are_found),
		cmocka_unit_test(computed_names_are_not),
		cmocka_unit_test(comments_and_strings_hide),
		cmocka_unit_test(other_requires_are_not_ours),
		cmocka_unit_test(any_bytes_will_do),
		cmocka_unit_test(long_names_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
