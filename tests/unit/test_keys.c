#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dag/codes.h"
#include "dag/keys.h"

static void key_is_found_where_it_belongs(void **state)
{
	(void)state;
	assert_non_null(key_find(KEY_STAGE, "deps"));
	assert_null(key_find(KEY_TOP, "deps"));
	assert_null(key_find(KEY_STAGE, "stages"));
	assert_null(key_find(KEY_STAGE, ""));
	assert_int_equal(key_find(KEY_STAGE, "timeout")->type, TYPE_DURATION);
	assert_int_equal(key_find(KEY_STAGE, "if")->type, TYPE_RESERVED);
	assert_string_equal(key_find(KEY_RETRY, "delay")->value, "1s");
}

static void ids_are_rows_of_the_table(void **state)
{
	(void)state;
	assert_int_equal(key_count, KEY_COUNT);
	assert_ptr_equal(key_find(KEY_STAGE, "cmd"), &key_table[KEY_STAGE_cmd]);
	assert_ptr_equal(key_find(KEY_OUT, "optional"), &key_table[KEY_OUT_optional]);
}

static void nearest_key_is_offered(void **state)
{
	(void)state;
	assert_string_equal(key_nearest(KEY_STAGE, "retrys"), "retry");
	assert_string_equal(key_nearest(KEY_STAGE, "dep"), "deps");
	assert_string_equal(key_nearest(KEY_TOP, "stage"), "stages");
	assert_null(key_nearest(KEY_STAGE, "xyzzy"));
}

static void every_key_is_explained(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < key_count; i++) {
		assert_true(strlen(key_table[i].help) > 3);
		assert_true(strlen(key_type_name(key_table[i].type)) > 0);
		assert_true(strlen(key_where_name(key_table[i].where)) > 0);
		for (j = i + 1; j < key_count; j++)
			assert_false(key_table[i].where == key_table[j].where &&
				     strcmp(key_table[i].name, key_table[j].name) == 0);
	}
}

static void every_code_tells_fault_and_repair(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < code_count; i++) {
		const struct code_info *c = &code_table[i];

		assert_int_equal(strlen(c->id), 5);
		assert_true(i == 0 || strcmp(code_table[i - 1].id, c->id) < 0);
		assert_non_null(strstr(c->text, "\nfault:    "));
		assert_non_null(strstr(c->text, "\nrepair:   "));
		assert_int_equal(c->text[strlen(c->text) - 1], '\n');
		assert_ptr_equal(code_find(c->id), c);
	}
	assert_string_equal(code_find("e0107")->title, "an unknown key");
	assert_null(code_find("E9999"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_is_found_where_it_belongs),
		cmocka_unit_test(ids_are_rows_of_the_table),
		cmocka_unit_test(nearest_key_is_offered),
		cmocka_unit_test(every_key_is_explained),
		cmocka_unit_test(every_code_tells_fault_and_repair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
