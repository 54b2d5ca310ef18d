#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/path.h"
#include "base/program.h"

static void a_program_above_a_test_is_found(void **state)
{
	struct arena a = { 0 };

	(void)state;
	assert_int_equal(access(program_path(&a, "flow-worker"), X_OK), 0);
	arena_release(&a);
}

static void one_that_is_nowhere_is_looked_for_beside_this_one(void **state)
{
	struct arena a = { 0 };
	char self[4096] = "";

	(void)state;
	assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	assert_string_equal(program_path(&a, "flow-nothing"), path_join(&a, path_folder(&a, self), "flow-nothing"));
	arena_release(&a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_above_a_test_is_found),
		cmocka_unit_test(one_that_is_nowhere_is_looked_for_beside_this_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
