#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/path.h"
#include "dag/paths.h"

static void clean_paths_have_one_form(void **state)
{
	static const struct {
		const char *path, *clean;
	} cases[] = {
		{ "", "." },
		{ ".", "." },
		{ "./", "." },
		{ "a", "a" },
		{ "a/", "a" },
		{ "./a//b/./c/", "a/b/c" },
		{ "a/../b", "b" },
		{ "a/..", "." },
		{ "a/b/../../c", "c" },
		{ "..", ".." },
		{ "../a", "../a" },
		{ "../../a", "../../a" },
		{ "a/../../b", "../b" },
		{ "/", "/" },
		{ "/a/../..", "/" },
		{ "//a", "/a" },
		{ "..a/b", "..a/b" },
		{ "a/..b", "a/..b" },
	};
	struct arena a = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(path_clean(&a, cases[i].path), cases[i].clean);
	arena_release(&a);
}

static void paths_that_leave_the_project_are_seen(void **state)
{
	(void)state;
	assert_true(path_leaves(".."));
	assert_true(path_leaves("../a"));
	assert_true(path_leaves("/a"));
	assert_false(path_leaves("..a"));
	assert_false(path_leaves("a/b"));
	assert_true(path_is_inside("a/b", "a"));
	assert_true(path_is_inside("a", "a"));
	assert_false(path_is_inside("ab", "a"));
	assert_true(path_is_inside("x", "."));
	assert_false(path_is_inside("../x", "."));
}

static void joined_paths_are_clean(void **state)
{
	struct arena a = { 0 };

	(void)state;
	assert_string_equal(path_join(&a, "a/b", "../c"), "a/c");
	assert_string_equal(path_join(&a, "", "c/"), "c");
	assert_string_equal(path_join(&a, "a", "/c"), "/c");
	assert_string_equal(path_folder(&a, "a/b"), "a");
	assert_string_equal(path_folder(&a, "b"), ".");
	assert_string_equal(path_base("a/b"), "b");
	arena_release(&a);
}

static void names_are_of_few_characters(void **state)
{
	char name[130];

	(void)state;
	assert_true(name_is_valid("train-2.b_C"));
	assert_false(name_is_valid(""));
	assert_false(name_is_valid("."));
	assert_false(name_is_valid(".."));
	assert_false(name_is_valid("a b"));
	assert_false(name_is_valid("a@b"));
	assert_false(name_is_valid("a/b"));
	assert_false(name_is_valid("\xc3\xa4"));
	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_false(name_is_valid(name));
	name[128] = '\0';
	assert_true(name_is_valid(name));
}

static void table_of_paths_is_asked_for_folders(void **state)
{
	struct paths t = { 0 };

	(void)state;
	assert_null(paths_get(&t, "a", 1));
	assert_null(paths_put(&t, "out/a", 7));
	assert_int_equal(*paths_put(&t, "out/a", 8), 7);
	assert_int_equal(*paths_get(&t, "out/a/b", 5), 7);
	assert_null(paths_get(&t, "out/a", 3));
	assert_int_equal(paths_parent("out/a/b", 7), 5);
	assert_int_equal(paths_parent("out/a/b", 5), 3);
	assert_int_equal(paths_parent("out", 3), 0);
	paths_release(&t);
}

static void table_of_paths_grows(void **state)
{
	struct paths t = { 0 };
	static char names[3000][8];
	uint32_t i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		(void)snprintf(names[i], sizeof names[i], "%u", i);
		assert_null(paths_put(&t, names[i], i));
	}
	for (i = 0; i < 3000; i++)
		assert_int_equal(*paths_get(&t, names[i], strlen(names[i])), i);
	paths_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_paths_have_one_form),
		cmocka_unit_test(paths_that_leave_the_project_are_seen),
		cmocka_unit_test(joined_paths_are_clean),
		cmocka_unit_test(names_are_of_few_characters),
		cmocka_unit_test(table_of_paths_is_asked_for_folders),
		cmocka_unit_test(table_of_paths_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
