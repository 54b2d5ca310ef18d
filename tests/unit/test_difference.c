#include "../support/folder.h"

#include <math.h>
#include <stdbool.h>

#include "base/arena.h"
#include "report/difference.h"
#include "report/tensors.h"

static struct folder f;
static struct arena a;

static int setup(void **state)
{
	(void)state;
	folder_open(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&a);
	folder_close(&f);
	return 0;
}

static int open_file(const char *name)
{
	int fd = openat(f.fd, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static struct difference compare_bytes(const void *was, size_t was_len, const void *is, size_t is_len)
{
	struct difference d;
	struct err e;
	int x, y;

	folder_write_bytes(&f, "was", was, was_len);
	folder_write_bytes(&f, "is", is, is_len);
	x = open_file("was");
	y = open_file("is");
	GOOD(difference_of(&d, x, y, &a, &e));
	(void)close(x);
	(void)close(y);
	return d;
}

static struct difference compare(const char *was, const char *is)
{
	return compare_bytes(was, strlen(was), is, strlen(is));
}

static void same_bytes_are_the_same(void **state)
{
	struct difference d = compare("abc", "abc");

	(void)state;
	assert_true(d.same && difference_within(&d, 0));
	d = compare("", "");
	assert_true(d.same);
}

static void first_differing_byte_is_found(void **state)
{
	struct buf text = { 0 };
	struct difference d = compare("abcd", "abxd");

	(void)state;
	assert_false(d.same);
	assert_int_equal(d.first, 2);
	d = compare("ab", "abc");
	assert_int_equal(d.first, 2);
	assert_int_equal(d.was_size, 2);
	assert_int_equal(d.is_size, 3);
	d = compare("", "x");
	assert_int_equal(d.first, 0);
	buf_repeat(&text, 'x', 20000);
	folder_write_bytes(&f, "long", text.data, text.len);
	text.data[12345] = 'y';
	d = compare_bytes(folder_text(&f, "long"), 20000, text.data, text.len);
	assert_int_equal(d.first, 12345);
	buf_release(&text);
	assert_string_equal(d.format, "");
	assert_false(difference_within(&d, 1e9));
}

static void keys_of_json_are_compared_as_numbers(void **state)
{
	struct difference d = compare("{\"a\": {\"loss\": [1, 2.5]}, \"b\": 1}", "{\"a\": {\"loss\": [1, 2.75]}, \"b\": 1.125}");

	(void)state;
	assert_string_equal(d.format, "json");
	assert_string_equal(d.where, "a.loss[1]");
	assert_true(fabs(d.most - 0.25) < 1e-12);
	assert_true(fabs(d.was - 2.5) < 1e-12 && fabs(d.is - 2.75) < 1e-12);
	assert_int_equal(d.differing, 2);
	assert_int_equal(d.numbers, 3);
	assert_true(difference_within(&d, 0.25));
	assert_false(difference_within(&d, 0.2));
}

static void json_of_another_form_is_within_no_tolerance(void **state)
{
	struct difference d = compare("{\"a\": 1}", "{\"a\": 1, \"b\": 2}");

	(void)state;
	assert_string_equal(d.other, "key `b` is new");
	assert_false(difference_within(&d, 100));
	d = compare("{\"a\": 1, \"b\": 2}", "{\"a\": 1}");
	assert_string_equal(d.other, "key `b` is gone");
	d = compare("{\"a\": \"x\"}", "{\"a\": \"y\"}");
	assert_string_equal(d.other, "key `a` has another value");
	d = compare("{\"a\": [1]}", "{\"a\": [1, 2]}");
	assert_string_equal(d.other, "list `a` had 1 items and has 2");
	d = compare("{\"a\": 1}", "{\"a\": null}");
	assert_string_equal(d.other, "key `a` has another value");
}

static void same_numbers_written_in_another_way_are_within(void **state)
{
	struct difference d = compare("{\"a\": 1.0}", "{ \"a\":1.00 }");

	(void)state;
	assert_false(d.same);
	assert_string_equal(d.where, "");
	assert_true(difference_within(&d, 0));
}

static void plain_text_is_no_json(void **state)
{
	struct difference d = compare("12\n", "13\n");

	(void)state;
	assert_string_equal(d.format, "");
}

static void deep_json_is_bounded(void **state)
{
	struct buf was = { 0 }, is = { 0 };
	struct difference d;

	(void)state;
	buf_repeat(&was, '[', 200);
	buf_str(&was, "1");
	buf_repeat(&was, ']', 200);
	buf_repeat(&is, '[', 200);
	buf_str(&is, "2");
	buf_repeat(&is, ']', 200);
	d = compare(buf_text(&was), buf_text(&is));
	assert_non_null(strstr(d.other, "too deep"));
	buf_release(&was);
	buf_release(&is);
}

/* -- NPY ------------------------------------------------------------------------------------------------------------ */

static size_t npy(unsigned char *out, const char *header, const void *data, size_t len)
{
	size_t n = strlen(header);

	memcpy(out, "\x93NUMPY\x01\x00", 8);
	out[8] = (unsigned char)n;
	out[9] = (unsigned char)(n >> 8);
	memcpy(out + 10, header, n);
	memcpy(out + 10 + n, data, len);
	return 10 + n + len;
}

static struct difference compare_npy(const char *was_header, const void *was, const char *is_header, const void *is, size_t len)
{
	unsigned char x[512], y[512];
	size_t n = npy(x, was_header, was, len), m = npy(y, is_header, is, len);

	return compare_bytes(x, n, y, m);
}

static void largest_difference_of_an_npy_file(void **state)
{
	static const char header[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
	const float was[] = { 1, 2, 3, 4, 5, 6 }, is[] = { 1, 2.5f, 3, 4, 4, 6 };
	struct difference d = compare_npy(header, was, header, is, sizeof was);

	(void)state;
	assert_string_equal(d.format, "npy");
	assert_string_equal(d.where, "[4]");
	assert_true(fabs(d.most - 1.0) < 1e-9);
	assert_int_equal(d.differing, 2);
	assert_int_equal(d.numbers, 6);
}

static void shapes_and_types_that_differ_are_told(void **state)
{
	const float data[] = { 1, 2, 3, 4 };
	struct difference d = compare_npy("{'descr': '<f4', 'shape': (4,)}", data, "{'descr': '<f4', 'shape': (2, 2)}", data, sizeof data);

	(void)state;
	assert_string_equal(d.other, "the array was f32[4] and is f32[2,2]");
	d = compare_npy("{'descr': '<f4', 'shape': (4,)}", data, "{'descr': '<i4', 'shape': (4,)}", data, sizeof data);
	assert_string_equal(d.other, "the array was f32[4] and is i32[4]");
}

static void no_number_beside_a_number_is_infinitely_far(void **state)
{
	static const char header[] = "{'descr': '<f8', 'shape': (3,)}";
	const double was[] = { (double)NAN, 1, 2 }, is[] = { (double)NAN, (double)NAN, 2 };
	struct difference d = compare_npy(header, was, header, is, sizeof was);

	(void)state;
	assert_int_equal(d.differing, 1);
	assert_true(isinf(d.most));
	assert_false(difference_within(&d, 1e300));
}

static void damaged_npy_is_no_npy(void **state)
{
	static const char *const headers[] = { "", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'shape': (9,)}",
		"{'descr': '<f4', 'shape': (18446744073709551615, 18446744073709551615)}", "{'descr': '<f4', 'shape': (2",
		"{'descr': '<f4', 'shape': (-2,)}", "{'descr': '<x9', 'shape': (1,)}", "{'descr': '<f4', 'shape': 4}" };
	const float was[] = { 1, 2 }, is[] = { 1, 3 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof headers / sizeof *headers; i++)
		assert_string_equal(compare_npy(headers[i], was, headers[i], is, sizeof was).format, "");
}

/* -- safetensors ---------------------------------------------------------------------------------------------------- */

static size_t safetensors(unsigned char *out, const char *header, const void *data, size_t len)
{
	uint64_t n = strlen(header);

	memcpy(out, &n, 8);
	memcpy(out + 8, header, n);
	memcpy(out + 8 + n, data, len);
	return 8 + (size_t)n + len;
}

static struct difference compare_safetensors(const char *was_header, const char *is_header, const void *was, const void *is, size_t len)
{
	unsigned char x[1024], y[1024];
	size_t n = safetensors(x, was_header, was, len), m = safetensors(y, is_header, is, len);

	return compare_bytes(x, n, y, m);
}

static void largest_difference_by_tensor(void **state)
{
	static const char header[] = "{\"__metadata__\":{\"a\":\"b\"},\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
				     "\"b\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[8,16]}}";
	struct { float w[2]; int64_t b; } was = { { 1, 2 }, 7 }, is = { { 1.5f, 2 }, 9 };
	struct difference d = compare_safetensors(header, header, &was, &is, sizeof was);

	(void)state;
	assert_string_equal(d.format, "safetensors");
	assert_string_equal(d.where, "b[0]");
	assert_true(fabs(d.most - 2) < 1e-12);
	is.b = 7;
	d = compare_safetensors(header, header, &was, &is, sizeof was);
	assert_string_equal(d.where, "w[0]");
	assert_true(difference_within(&d, 0.5));
}

static void tensor_that_is_new_is_told(void **state)
{
	const float data[] = { 1, 2 };
	struct difference d = compare_safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
		"{\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", data, data, sizeof data);

	(void)state;
	assert_string_equal(d.other, "tensor `a` is gone");
}

static void damaged_safetensors_are_none(void **state)
{
	static const char *const headers[] = { "{}x", "[]", "{\"a\":1}", "{\"a\":{\"dtype\":\"F32\",\"shape\":[99],\"data_offsets\":[0,8]}}",
		"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,8]}}",
		"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4],\"data_offsets\":[0,8]}}",
		"{\"a\":{\"dtype\":\"Q9\",\"shape\":[2],\"data_offsets\":[0,8]}}", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}" };
	const float was[] = { 1, 2 }, is[] = { 1, 3 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof headers / sizeof *headers; i++)
		assert_string_equal(compare_safetensors(headers[i], headers[i], was, is, sizeof was).format, "");
}

/* One number of each type, as bytes and as it reads. */
static void numbers_of_every_type(void **state)
{
	static const struct {
		enum tensor_type type;
		unsigned char bytes[8];
		double value;
	} cases[] = {
		{ TENSOR_F16, { 0x00, 0x3e }, 1.5 }, { TENSOR_F16, { 0x01, 0x00 }, 5.9604644775390625e-08 },
		{ TENSOR_F16, { 0x00, 0xc0 }, -2 }, { TENSOR_BF16, { 0xc0, 0x3f }, 1.5 },
		{ TENSOR_I8, { 0xff }, -1 }, { TENSOR_U8, { 0xff }, 255 }, { TENSOR_I16, { 0xfe, 0xff }, -2 },
		{ TENSOR_U16, { 0xfe, 0xff }, 65534 }, { TENSOR_I32, { 0xff, 0xff, 0xff, 0xff }, -1 },
		{ TENSOR_U32, { 0xff, 0xff, 0xff, 0xff }, 4294967295.0 }, { TENSOR_U64, { 5 }, 5 },
	};
	size_t i;
	double x;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		tensor_numbers(cases[i].type, cases[i].bytes, 1, &x);
		assert_true(fabs(x - cases[i].value) < 1e-15);
	}
	tensor_numbers(TENSOR_F16, "\x00\x7c", 1, &x);
	assert_true(isinf(x));
	tensor_numbers(TENSOR_F16, "\x01\x7c", 1, &x);
	assert_true(isnan(x));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(same_bytes_are_the_same),
		TEST(first_differing_byte_is_found),
		TEST(keys_of_json_are_compared_as_numbers),
		TEST(json_of_another_form_is_within_no_tolerance),
		TEST(same_numbers_written_in_another_way_are_within),
		TEST(plain_text_is_no_json),
		TEST(deep_json_is_bounded),
		TEST(largest_difference_of_an_npy_file),
		TEST(shapes_and_types_that_differ_are_told),
		TEST(no_number_beside_a_number_is_infinitely_far),
		TEST(damaged_npy_is_no_npy),
		TEST(largest_difference_by_tensor),
		TEST(tensor_that_is_new_is_told),
		TEST(damaged_safetensors_are_none),
		TEST(numbers_of_every_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
