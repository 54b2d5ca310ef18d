#include "common/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/jsonout.h"
#include "support/stage_case.h"

static int set_up(void **state)
{
	*state = stage_host_new();
	return 0;
}

static void what_is_written_is_read_back(void **state)
{
	static const float weight[6] = { 1, 2, 3, 4, 5, 6.5f };
	static const int64_t step[1] = { -7 };
	const char *path = stage_host_path(*state, "t");
	struct tensors out = { 0 }, in = { 0 };
	const struct tensor *tensor;
	struct fault fault;

	tensors_add(&out, "step", TENSOR_I64, (const uint64_t[]){ 1 }, 1, step);
	tensors_add(&out, "a.weight", TENSOR_F32, (const uint64_t[]){ 2, 3 }, 2, weight);
	tensors_describe(&out, "format", "a \"quoted\" \\ text\n");
	assert_int_equal(tensors_write(&out, path, &fault), 0);
	assert_int_equal(tensors_read(&in, path, &fault), 0);
	tensor = tensors_find(&in, "a.weight");
	assert_non_null(tensor);
	assert_int_equal(tensor->dimensions, 2);
	assert_int_equal(tensor->shape[1], 3);
	assert_memory_equal(tensor->data, weight, sizeof weight);
	assert_memory_equal(tensors_find(&in, "step")->data, step, sizeof step);
	assert_string_equal(tensors_note(&in, "format"), "a \"quoted\" \\ text\n");
	assert_null(tensors_find(&in, "b"));
	tensors_release(&in);
	tensors_release(&out);
}

static void data_starts_where_others_expect_it(void **state)
{
	static const float one = 1;
	const char *path = stage_host_path(*state, "t");
	struct tensors out = { 0 };
	struct fault fault;
	uint64_t length;
	size_t size;
	char *bytes;

	tensors_add(&out, "x", TENSOR_F32, (const uint64_t[]){ 1 }, 1, &one);
	assert_int_equal(tensors_write(&out, path, &fault), 0);
	bytes = stage_host_read(path, &size);
	memcpy(&length, bytes, sizeof length);
	assert_int_equal(bytes[8], '{');
	assert_int_equal((8 + length) % 8, 0);
	assert_int_equal(size, 8 + length + 4);
	free(bytes);
	tensors_release(&out);
}

/* Write a file of that header and so many bytes of data; 1 when it is refused with a message that
 * says so. */
static int is_refused(flow_ctx *host, const char *header, size_t data, const char *says)
{
	char bytes[2048] = { 0 };
	uint64_t length = strlen(header);
	struct tensors in = { 0 };
	struct fault fault = { "" };
	const char *path;

	memcpy(bytes, &length, sizeof length);
	memcpy(bytes + sizeof length, header, strlen(header));
	path = stage_host_write(host, "bad", bytes, sizeof length + strlen(header) + data);
	if (tensors_read(&in, path, &fault) == 0) {
		tensors_release(&in);
		return 0;
	}
	if (strstr(fault.text, says) != NULL)
		return 1;
	print_error("'%s' does not say '%s'\n", fault.text, says);
	return 0;
}

#define F32(name, shape, from, to) \
	"\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static void hostile_headers_are_refused(void **state)
{
	static const struct {
		const char *header;
		size_t data;
		const char *says;
	} bad[] = {
		{ "", 0, "a map is wanted" },
		{ "[]", 0, "a map is wanted" },
		{ "{", 0, "text is wanted" },
		{ "{} x", 0, "something follows" },
		{ "{}", 4, "belong to no tensor" },
		{ "{" F32("a", "[2]", "0", "8") "}", 4, "outside the file" },
		{ "{" F32("a", "[2]", "8", "0") "}", 8, "outside the file" },
		{ "{" F32("a", "[3]", "0", "8") "}", 8, "its shape needs 12" },
		{ "{" F32("a", "[1]", "0", "4") "}", 8, "after its last tensor" },
		{ "{" F32("a", "[1]", "4", "8") "}", 8, "unused bytes before" },
		{ "{" F32("a", "[2]", "0", "8") "," F32("b", "[2]", "4", "12") "}", 12,
			"overlaps" },
		{ "{" F32("a", "[1]", "0", "4") "," F32("a", "[1]", "4", "8") "}", 8,
			"two tensors 'a'" },
		{ "{" F32("a", "[4294967296,4294967296,4]", "0", "0") "}", 0, "too large" },
		{ "{" F32("a", "[99999999999999999999]", "0", "0") "}", 0, "too large" },
		{ "{" F32("a", "[1,1,1,1,1]", "0", "4") "}", 4, "dimensions" },
		{ "{" F32("a", "[-1]", "0", "4") "}", 4, "whole number" },
		{ "{" F32("a", "[1.5]", "0", "4") "}", 4, "',' or the end" },
		{ "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8,
			"dtype F64" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "lacks" },
		{ "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 4, "twice" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4,
			"two data_offsets" },
		{ "{\"a\":{\"kind\":\"F32\"}}", 4, "unknown key 'kind'" },
		{ "{\"__metadata__\":{\"a\":1}}", 0, "text is wanted" },
		{ "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],}}", 4, "after ','" },
		{ "{\"\\ud800\":{}}", 0, "may not stand" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (!is_refused(*state, bad[i].header, bad[i].data, bad[i].says))
			fail_msg("not refused as it should be: %s", bad[i].header);
}

static void a_header_of_more_than_100_mb_is_refused(void **state)
{
	const uint64_t lengths[] = { 100000001, UINT64_MAX, 10 };
	struct tensors in = { 0 };
	struct fault fault = { "" };

	for (size_t i = 0; i < 3; i++) {
		const char *path = stage_host_write(*state, "big", &lengths[i], sizeof lengths[i]);

		assert_int_equal(tensors_read(&in, path, &fault), -1);
		assert_non_null(strstr(fault.text, i < 2 ? "over 100 MB" : "inside its header"));
	}
	assert_int_equal(
		tensors_read(&in, stage_host_write(*state, "short", "1234", 4), &fault), -1);
	assert_non_null(strstr(fault.text, "too short"));
}

static void a_tensor_without_elements_is_allowed(void **state)
{
	assert_int_equal(is_refused(*state, "{" F32("a", "[0,3]", "0", "0") "}", 0, "anything"), 0);
}

static void values_of_every_kind_are_skipped(void **state)
{
	static const char text[] =
		" {\"a\": [1, -2.5e3, {\"b\": []}, {}, null], \"c\": \"\\u00e9\\n\", \"d\": true} ";
	struct jsonin in;
	struct fault fault = { "" };

	(void)state;
	jsonin_begin(&in, text, strlen(text));
	assert_int_equal(jsonin_skip(&in, &fault), 0);
	assert_int_equal(jsonin_finish(&in, &fault), 0);
}

static void nesting_is_limited(void **state)
{
	char deep[200];
	struct jsonin in;
	struct fault fault = { "" };

	(void)state;
	memset(deep, '[', sizeof deep);
	jsonin_begin(&in, deep, sizeof deep);
	assert_int_equal(jsonin_skip(&in, &fault), -1);
	assert_non_null(strstr(fault.text, "nested too deeply"));
}

static void numbers_are_written_as_short_as_they_can_be(void **state)
{
	struct text text = { 0 };
	struct jsonout json = { .out = &text, .compact = 1 };

	(void)state;
	jsonout_open(&json, '[');
	jsonout_number(&json, 0.1);
	jsonout_number(&json, 1.0 / 3);
	jsonout_number(&json, 1e300 * 1e300);
	jsonout_close(&json);
	assert_string_equal(text.data, "[0.1,0.3333333333333333,null]");
	text_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			data_starts_where_others_expect_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_headers_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_header_of_more_than_100_mb_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_tensor_without_elements_is_allowed, set_up, tear_down),
		cmocka_unit_test(values_of_every_kind_are_skipped),
		cmocka_unit_test(nesting_is_limited),
		cmocka_unit_test(numbers_are_written_as_short_as_they_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
