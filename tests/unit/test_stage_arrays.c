/* Tables from NPY and IDX. */
#include "table/arrays.h"

#include "support/tabled.h"

/* An NPY file with that header. */
static void give_npy(flow_ctx *host, const char *header, const void *data, size_t size)
{
	char bytes[4096] = "\x93NUMPY\x01";

	memset(bytes + 10, ' ', 118);
	bytes[8] = 118;
	memcpy(bytes + 10, header, strlen(header));
	memcpy(bytes + 128, data, size);
	stage_host_dep(host, "data", stage_host_write(host, "a.npy", bytes, 128 + size));
}

static void arrays_become_wide_columns(void **state)
{
	static const float values[6] = { 1, 2, 3, 4, 5, 6 };
	static const unsigned char swapped[8] = { 0x3f, 0xf8, 0, 0, 0, 0, 0, 0 },
				   half[2] = { 0, 0x3e };
	unsigned char pixels[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
	struct shard_part part;
	struct shard s;

	give_npy(*state, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", values, 24);
	run(*state, &s);
	assert_int_equal(s.column[0].width, 3);
	shard_part(&part, &s, 0, 0);
	assert_memory_equal(part.data, values, 24);
	shard_close(&s);
	give_npy(*state, "{'descr': '>f8', 'fortran_order': True, 'shape': (1,), }", swapped, 8);
	run(*state, &s);
	expect(&s, "x", COLUMN_FLOAT64, "1.5");
	shard_close(&s);
	give_npy(*state, "{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }", half, 2);
	run(*state, &s);
	expect(&s, "x", COLUMN_FLOAT32, "1.5");
	shard_close(&s);
	stage_host_with(*state, "format", "\"idx\"");
	stage_host_dep(*state, "data",
		stage_host_idx(*state, "images", (const unsigned[]){ 3, 2, 2 }, 3, pixels));
	stage_host_dep(*state, "labels",
		stage_host_idx(*state, "labels", (const unsigned[]){ 3 }, 1, pixels));
	run(*state, &s);
	expect(&s, "label", COLUMN_UINT8, "0|1|2");
	assert_int_equal(s.column[0].dimensions, 2);
	shard_close(&s);
	stage_host_dep(*state, "labels",
		stage_host_idx(*state, "labels", (const unsigned[]){ 4 }, 1, pixels));
	expect_failure(*state, "has 3 rows, but");
}

static void lying_arrays_are_refused(void **state)
{
	static const struct {
		const char *header;
		size_t size;
		const char *says;
	} bad[] = {
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", 20, "cut short" },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 16,
			"bytes after the 3 rows" },
		{ "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }", 24,
			"Fortran order" },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 4, "single number" },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2), }", 0, "has no rows" },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 0), }", 0, "no numbers" },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999, 99), }",
			4, "too large" },
		{ "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8,
			"numbers are wanted" },
		{ "{'descr': '<U4', 'fortran_order': False, 'shape': (1,), }", 8,
			"numbers are wanted" },
		{ "{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }", 1,
			"neither 0 nor 1" },
		{ "{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }", 8, "above 2^63" },
		{ "{'shape': (1,), }", 8, "numbers are wanted" },
		{ "{'descr': '<f4', 'fortran_order': False, }", 8, "has no shape" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		give_npy(*state, bad[i].header,
			"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			"\xff\xff\xff\xff\xff\xff\xff\xff",
			bad[i].size);
		expect_failure(*state, bad[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(arrays_become_wide_columns),
		CASE(lying_arrays_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
