#include "common/idx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/philox.h"
#include "support/stage_case.h"

static int set_up(void **state)
{
	*state = stage_host_new();
	return 0;
}

static void rows_are_read_in_place(void **state)
{
	static const unsigned char pixels[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	struct fault fault;
	struct idx idx;
	const char *path =
		stage_host_idx(*state, "images", (const unsigned[]){ 3, 2, 2 }, 3, pixels);

	assert_int_equal(idx_open(&idx, path, 3, &fault), 0);
	assert_int_equal(idx.rows, 3);
	assert_int_equal(idx.row_size, 4);
	assert_memory_equal(idx_row(&idx, 2), pixels + 8, 4);
	idx_close(&idx);
}

/* A file that must be refused, and a word of the message. */
struct bad {
	const char *what;
	unsigned dimensions;
	size_t size;
	unsigned char bytes[24];
	const char *says;
};

static const struct bad bad_files[] = {
	{ "empty", 1, 0, { 0 }, "too few" },
	{ "three bytes", 1, 3, { 0, 0, 8 }, "too few" },
	{ "compressed", 1, 8, { 0x1f, 0x8b, 8, 0 }, "gzip -d" },
	{ "not IDX", 1, 8, { 'P', 'K', 3, 4 }, "not an IDX file" },
	{ "floats", 1, 8, { 0, 0, 0x0d, 1 }, "type 0x0d" },
	{ "images for labels", 1, 24, { 0, 0, 8, 3 }, "3 dimensions, 1 are wanted" },
	{ "header cut", 3, 12, { 0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1 }, "ends inside its header" },
	{ "no rows", 1, 8, { 0, 0, 8, 1, 0, 0, 0, 0 }, "dimension 1 is 0" },
	{ "data cut", 1, 9, { 0, 0, 8, 1, 0, 0, 0, 2, 7 }, "cut short" },
	{ "bytes after the end", 1, 10, { 0, 0, 8, 1, 0, 0, 0, 1, 7, 7 }, "after its end" },
	{ "overflow", 3, 17,
		{ 0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff },
		"too large" },
	{ "huge", 3, 17, { 0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 28, 0, 0, 0, 28 },
		"cut short" },
};

static void hostile_headers_are_refused(void **state)
{
	for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
		const struct bad *bad = &bad_files[i];
		const char *path = stage_host_write(*state, bad->what, bad->bytes, bad->size);
		struct fault fault = { "" };
		struct idx idx;

		assert_int_equal(idx_open(&idx, path, bad->dimensions, &fault), -1);
		if (strstr(fault.text, bad->says) == NULL)
			fail_msg("%s: '%s' does not say '%s'", bad->what, fault.text, bad->says);
		assert_non_null(strstr(fault.text, path));
	}
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct fault fault = { "" };
	struct idx idx;
	const char *path = stage_host_path(*state, "none");

	assert_int_equal(idx_open(&idx, path, 1, &fault), -1);
	assert_non_null(strstr(fault.text, path));
	assert_non_null(strstr(fault.text, "No such file"));
}

static void a_folder_is_not_read(void **state)
{
	struct fault fault = { "" };
	struct idx idx;

	assert_int_equal(idx_open(&idx, stage_host_path(*state, "."), 1, &fault), -1);
	assert_non_null(strstr(fault.text, "not a plain file"));
}

/* The vectors that come with the authors' Random123 library. */
static void philox_gives_the_published_numbers(void **state)
{
	static const struct {
		uint32_t counter[4], key[2], result[4];
	} known[] = {
		{ { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
		{ { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff }, { 0xffffffff, 0xffffffff },
			{ 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
		{ { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, { 0xa4093822, 0x299f31d0 },
			{ 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		uint32_t result[4];

		philox(result, known[i].counter, known[i].key);
		assert_memory_equal(result, known[i].result, sizeof result);
	}
}

static void an_order_does_not_depend_on_the_order_before(void **state)
{
	int64_t up[50], down[50], other[50];

	(void)state;
	for (int i = 0; i < 50; i++) {
		up[i] = other[i] = i;
		down[i] = 49 - i;
	}
	philox_order(up, 50, 9, PHILOX_SHUFFLE, 1);
	philox_order(down, 50, 9, PHILOX_SHUFFLE, 1);
	philox_order(other, 50, 9, PHILOX_SHUFFLE, 2);
	assert_memory_equal(up, down, sizeof up);
	assert_memory_not_equal(up, other, sizeof up);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_are_read_in_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_headers_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_not_there_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_is_not_read, set_up, tear_down),
		cmocka_unit_test(philox_gives_the_published_numbers),
		cmocka_unit_test(an_order_does_not_depend_on_the_order_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
