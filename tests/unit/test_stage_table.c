#include "table/table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "common/fault.h"
#include "common/shard.h"
#include "common/text.h"
#include "support/stage_host.h"
#include "table/options.h"
#include "table/read.h"

static int set_up(void **state)
{
	flow_ctx *host = stage_host_new();

	stage_host_out(host, "table", stage_host_path(host, "t.shard"));
	*state = host;
	return 0;
}

static int tear_down(void **state)
{
	stage_host_free(*state);
	return 0;
}

static void give(flow_ctx *host, const char *name, const char *text)
{
	stage_host_dep(host, "data", stage_host_write(host, name, text, strlen(text)));
}

static void expect_failure(flow_ctx *host, const char *says)
{
	assert_int_equal(stage_host_run(host, &stage_table), -1);
	if (strstr(stage_host_failure(host), says) == NULL)
		fail_msg("'%s' does not say '%s'", stage_host_failure(host), says);
}

static void run(flow_ctx *host, struct shard *shard)
{
	struct fault fault = { "" };

	if (stage_host_run(host, &stage_table) != 0)
		fail_msg("%s", stage_host_failure(host));
	if (shard_open(shard, stage_host_path(host, "t.shard"), &fault) != 0)
		fail_msg("%s", fault.text);
	for (size_t g = 0; g < shard->groups; g++)
		for (size_t c = 0; c < shard->columns; c++)
			if (shard_verify(shard, g, c, &fault) < 0)
				fail_msg("%s", fault.text);
}

/* A row of a column as text: numbers with %g, categories by name, ? when missing. */
static const char *show(const struct shard *shard, const char *name, size_t row)
{
	static char room[8][200];
	static unsigned next;
	size_t column = shard_find(shard, name), length = 0;
	size_t group = row / shard->group_rows;
	struct shard_part part;
	char *to = room[next++ % 8];
	const char *text = "";

	assert_true(column < shard->columns);
	shard_part(&part, shard, group, column);
	row -= group * shard->group_rows;
	if (!shard_present(&part, row))
		return "?";
	if (part.type == COLUMN_CATEGORY)
		text = shard_category(shard, column, ((const uint32_t *)part.data)[row], &length);
	else if (part.type == COLUMN_TEXT)
		text = (const char *)shard_text(&part, row, &length);
	else if (part.type == COLUMN_INT64)
		length = (size_t)snprintf(
			to, 200, "%lld", (long long)((const int64_t *)part.data)[row]);
	else
		length = (size_t)snprintf(to, 200, "%g", column_number(part.type, part.data, row));
	if (text[0] != '\0')
		memcpy(to, text, length);
	to[length] = '\0';
	return to;
}

static void expect(
	const struct shard *shard, const char *name, enum column_type type, const char *values)
{
	size_t column = shard_find(shard, name);
	char all[2000] = "";

	assert_true(column < shard->columns);
	assert_string_equal(column_type_name(shard->column[column].type), column_type_name(type));
	for (size_t row = 0; row < shard->rows; row++)
		(void)snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s",
			row == 0 ? "" : "|", show(shard, name, row));
	assert_string_equal(all, values);
}

static void types_are_inferred(void **state)
{
	struct shard s;

	give(*state, "a.csv",
		"i,f,b,t,c,zip,big,none\n1,1.5,true,2024-01-02,x,007,9223372036854775808,\n"
		"-2,2,False,2024-01-02T10:00,y,1,1,NA\n,inf,NA,,x,2,2,nan\n");
	run(*state, &s);
	expect(&s, "i", COLUMN_INT64, "1|-2|?");
	expect(&s, "f", COLUMN_FLOAT64, "1.5|2|inf");
	expect(&s, "b", COLUMN_BOOLEAN, "1|0|?");
	expect(&s, "t", COLUMN_TIME, "1.70415e+15|1.70419e+15|?");
	expect(&s, "c", COLUMN_CATEGORY, "x|y|x");
	expect(&s, "zip", COLUMN_CATEGORY, "007|1|2");
	expect(&s, "big", COLUMN_FLOAT64, "9.22337e+18|1|2");
	expect(&s, "none", COLUMN_FLOAT64, "?|?|?");
	assert_int_equal(s.record[shard_find(&s, "f")].infinite, 1);
	assert_true(s.record[shard_find(&s, "i")].mean == -0.5);
	assert_int_equal(s.record[shard_find(&s, "i")].missing, 1);
	shard_close(&s);
}

static void quotes_are_those_of_rfc_4180(void **state)
{
	struct shard s;

	stage_host_with(*state, "columns", "{\"a\": \"text\", \"b\": \"text\"}");
	give(*state, "a.csv",
		"\xef\xbb\xbf\"a\",b\r\n\"x,1\",\"he said \"\"no\"\"\"\r\n\"two\nlines\",5\" "
		"pipe\r\n"
		"\"\",plain\r\n\r\n\"\"\"\",end");
	run(*state, &s);
	expect(&s, "a", COLUMN_TEXT, "x,1|two\nlines|?|\"");
	expect(&s, "b", COLUMN_TEXT, "he said \"no\"|5\" pipe|plain|end");
	shard_close(&s);
}

static void bad_rows_are_named_by_line(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "a,b\n1,2\n3\n", "a.csv:3: 1 field, but there are 2 columns" },
		{ "a,b\n1,\"x\ny\"\n3,4,5\n", "a.csv:4: 3 fields" },
		{ "a,b\n1,\"x\"y\n", "a.csv:2: a quoted field is not closed, or text follows" },
		{ "a,b\n1,\"x\n", "a.csv:2: a quoted field is not closed" },
		{ "a,a\n1,2\n", "the header has 'a' twice" },
		{ "a,b\n", "has no rows" },
		{ "", "is empty" },
		{ "\n\n", "has no records" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		give(*state, "a.csv", bad[i].text);
		expect_failure(*state, bad[i].says);
	}
}

static void bad_rows_can_be_left_out_up_to_a_limit(void **state)
{
	struct shard s;
	double metric;
	char *list;

	stage_host_with(*state, "on_bad_row", "\"skip\"");
	stage_host_with(*state, "columns", "{\"n\": \"int8\"}");
	stage_host_out(*state, "bad_rows", stage_host_path(*state, "bad"));
	give(*state, "a.csv", "n,c\n1,x\n200,y\n3\nfour,z\n5,w\n");
	run(*state, &s);
	expect(&s, "n", COLUMN_INT8, "1|5");
	expect(&s, "c", COLUMN_CATEGORY, "x|w");
	shard_close(&s);
	assert_true(stage_host_metric(*state, "bad_rows", -1, &metric) && metric == 3);
	list = stage_host_read(stage_host_path(*state, "bad"), NULL);
	assert_non_null(
		strstr(list, "\"line\":3,\"why\":\"column 'n': '200' is not of type int8\""));
	assert_non_null(
		strstr(list, "\"line\":5,\"why\":\"column 'n': 'four' is not of type int8\""));
	free(list);
	stage_host_with(*state, "bad_rows_max", "2");
	expect_failure(
		*state, "more than 2 bad rows (with.bad_rows_max); the first is line 4: 1 field");
}

/* A file of many chunks: rows are numbered, `line` can say something else once. */
static void give_many(flow_ctx *host, const char *last, size_t rows)
{
	struct text t = { 0 };

	text_format(&t, "id,v,c,\"name, x\"\n");
	for (size_t i = 0; i < rows; i++)
		text_format(&t, "%zu,%zu.25,\"k\"\"%zu\",\"n%zu and some more\ntext to make it long\"\n",
			i, i % 100, i % 7, i);
	text_format(&t, "%s", last);
	stage_host_dep(host, "data", stage_host_write(host, "a.csv", t.data, t.length));
	text_release(&t);
}

static void many_chunks_come_out_in_order(void **state)
{
	struct shard s;

	give_many(*state, "", 100000);
	stage_host_with(*state, "group_rows", "3000");
	run(*state, &s);
	assert_int_equal(s.rows, 100000);
	assert_int_equal(s.groups, 34);
	for (size_t row = 0; row < 100000; row += 997) {
		char want[80];

		(void)snprintf(want, sizeof want, "%zu", row);
		assert_string_equal(show(&s, "id", row), want);
		(void)snprintf(want, sizeof want, "n%zu and some more\ntext to make it long", row);
		assert_string_equal(show(&s, "name, x", row), want);
		(void)snprintf(want, sizeof want, "k\"%zu", row % 7);
		assert_string_equal(show(&s, "c", row), want);
	}
	assert_true(s.part[0].minimum == 0 && s.part[0].maximum == 2999);
	shard_close(&s);
}

static void a_late_value_changes_the_type_of_all(void **state)
{
	struct shard s;

	give_many(*state, "7.5,x,k,\n", 60000);
	run(*state, &s);
	assert_int_equal(s.column[0].type, COLUMN_FLOAT64);
	assert_int_equal(s.column[1].type, COLUMN_CATEGORY); /* 100 numbers and x */
	assert_string_equal(show(&s, "id", 60000), "7.5");
	assert_string_equal(show(&s, "v", 3), "3.25");
	shard_close(&s);
	stage_host_with(*state, "columns", "{\"id\": \"integer\"}");
	expect_failure(*state, "a.csv:120002: column 'id': '7.5' is not of type int64");
}

static void threads_do_not_change_a_byte(void **state)
{
	size_t size, again;
	char *one, *three;
	struct shard s;

	give_many(*state, "", 60000);
	run(*state, &s);
	shard_close(&s);
	one = stage_host_read(stage_host_path(*state, "t.shard"), &size);
	stage_host_threads(*state, 3);
	run(*state, &s);
	shard_close(&s);
	three = stage_host_read(stage_host_path(*state, "t.shard"), &again);
	assert_int_equal(size, again);
	assert_memory_equal(one, three, size);
	free(one);
	free(three);
}

static size_t chunk_size;

static int run_in_chunks(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	struct options o = { .path = host->dep(ctx, "data") };
	struct reading r = { .options = &o, .host = host, .ctx = ctx, .chunk_size = chunk_size };
	int rc = options_read(&o, host, ctx, &fault);

	if (rc == 0)
		rc = read_text(&r, host->out(ctx, "table"), &fault);
	reading_release(&r);
	options_release(&o);
	return rc == 0 ? 0 : (host->fail)(ctx, fault.text);
}

/* Quotes, line ends in them, CR LF, empty lines, numbers of all shapes, names, missing values. */
static void give_motley(flow_ctx *host, const char *name, int is_plain)
{
	static const char *const numbers[] = { "0.5", "-12.125", "NA", "1e3", "0.001234567890123456", "7", "" };
	struct text t = { 0 };

	text_format(&t, "id,v,c,t\r\n");
	for (size_t i = 0; i < 3000; i++) {
		const char *number = is_plain ? numbers[i % 2] : numbers[i * i % 7];

		text_format(&t, "%zu,%s,", i * 12345, number);
		text_format(&t, is_plain || i % 5 != 0 ? "k%zu" : "\"k,%zu\n\"\"\"", i * i % 11);
		text_format(&t, i % 100 == 99 && !is_plain ? ",some text %zu\r\n\r\n" : ",some text %zu\n", i);
	}
	stage_host_dep(host, "data", stage_host_write(host, name, t.data, t.length - 1));
	text_release(&t);
}

static void chunks_of_any_size_give_the_same_bytes(void **state)
{
	static const size_t sizes[] = { 0, 1, 13, 64, 100, 333, 1000, 4096, 65536 };
	flow_stage stage = stage_table;

	stage.run = run_in_chunks;
	for (int is_plain = 0; is_plain < 2; is_plain++) {
		char *first = NULL;
		size_t first_size = 0;

		give_motley(*state, "m.csv", is_plain);
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
			size_t size;
			char *bytes;

			chunk_size = sizes[i];
			stage_host_threads(*state, 1 + i % 2);
			if (stage_host_run(*state, &stage) != 0)
				fail_msg("%s", stage_host_failure(*state));
			bytes = stage_host_read(stage_host_path(*state, "t.shard"), &size);
			if (first == NULL) {
				first = bytes;
				first_size = size;
				continue;
			}
			assert_int_equal(size, first_size);
			assert_memory_equal(bytes, first, size);
			free(bytes);
		}
		free(first);
	}
}

static void a_number_can_say_that_a_value_is_missing(void **state)
{
	struct text t = { 0 };
	struct shard s;

	text_format(&t, "i,f\n");
	for (int i = 0; i < 20; i++)
		text_format(&t, i % 7 == 3 ? "-999,-1.0\n" : "%d,%d.5\n", i, i);
	stage_host_dep(*state, "data", stage_host_write(*state, "a.csv", t.data, t.length));
	text_release(&t);
	stage_host_with(*state, "missing", "[\"-999\", \"-1.0\"]");
	run(*state, &s);
	expect(&s, "i", COLUMN_INT64, "0|1|2|?|4|5|6|7|8|9|?|11|12|13|14|15|16|?|18|19");
	expect(&s, "f", COLUMN_FLOAT64,
		"0.5|1.5|2.5|?|4.5|5.5|6.5|7.5|8.5|9.5|?|11.5|12.5|13.5|14.5|15.5|16.5|?|18.5|19.5");
	assert_int_equal(s.record[0].missing, 3);
	assert_true(s.record[0].minimum == 0 && s.record[1].minimum == 0.5);
	shard_close(&s);
}

/* More names than a job keeps from one chunk to the next. */
static void many_names_keep_their_numbers(void **state)
{
	struct text t = { 0 };
	struct shard s;

	text_format(&t, "c\n");
	for (int i = 0; i < 300000; i++)
		text_format(&t, i % 3 == 0 ? "NA\n" : "name %d\n", i % 3 == 1 ? i : i - 100000 > 0 ? i - 100000 + 2 : 1);
	stage_host_dep(*state, "data", stage_host_write(*state, "a.csv", t.data, t.length));
	text_release(&t);
	stage_host_with(*state, "columns", "{\"c\": \"category\"}");
	stage_host_threads(*state, 1);
	run(*state, &s);
	assert_int_equal(s.record[0].missing, 100000);
	assert_string_equal(show(&s, "c", 0), "?");
	for (int i = 1; i < 300000; i += i % 3 == 2 ? 2000 : 1) {
		char want[40];

		(void)snprintf(want, sizeof want, "name %d", i % 3 == 1 ? i : i - 100000 > 0 ? i - 100000 + 2 : 1);
		if (i % 3 != 0)
			assert_string_equal(show(&s, "c", (size_t)i), want);
	}
	shard_close(&s);
}

static void rows_and_columns_can_be_chosen(void **state)
{
	struct shard s;

	give(*state, "a.csv",
		"age,kind,when,x\n17,a,2024-01-01,oops\n18,b,2024-01-02,1\n44,c,2024-01-03,2\n"
		",b,2024-01-04,3\n60,b,2024-01-05,4\n");
	stage_host_with(*state, "columns", "{\"x\": \"integer\"}");
	stage_host_with(*state, "drop", "[\"when\"]");
	stage_host_with(*state, "where",
		"[\"age >= 18\", \"kind in [a, b]\", \"when < 2024-01-05\", \"age is present\"]");
	run(*state, &s);
	assert_int_equal(s.columns, 3);
	expect(&s, "age", COLUMN_INT64, "18");
	expect(&s, "x", COLUMN_INT64, "1"); /* the bad x is of a row that is not wanted */
	shard_close(&s);
	stage_host_with(*state, "where", "[\"age > 100\"]");
	expect_failure(*state, "with.where leaves none of the 5 rows");
	stage_host_with(*state, "where", "[\"kind > a\"]");
	expect_failure(*state, "column 'kind' is category and has no order");
	stage_host_with(*state, "where", "[\"age > old\"]");
	expect_failure(*state, "column 'age' is int64, which 'old' is not");
	stage_host_with(*state, "where", "[\"agee > 1\"]");
	expect_failure(*state, "names column 'agee', which");
	stage_host_with(*state, "where", "[\"age>1\"]");
	expect_failure(*state, "is no condition");
}

static void shards_are_trimmed_by_group(void **state)
{
	struct shard s;
	double metric;

	give_many(*state, "", 60000);
	stage_host_with(*state, "group_rows", "1000");
	run(*state, &s);
	shard_close(&s);
	stage_host_dep(*state, "data", stage_host_path(*state, "t.shard"));
	stage_host_out(*state, "table", stage_host_path(*state, "u.shard"));
	stage_host_with(*state, "keep", "[\"c\", \"id\"]");
	stage_host_with(*state, "where", "[\"id >= 41990\", \"id < 42010\", \"c is present\"]");
	if (stage_host_run(*state, &stage_table) != 0)
		fail_msg("%s", stage_host_failure(*state));
	assert_true(stage_host_metric(*state, "rows", -1, &metric) && metric == 20);
	assert_true(stage_host_metric(*state, "groups_read", -1, &metric) && metric == 2);
}

static void json_lines_are_read(void **state)
{
	struct shard s;

	give(*state, "a.jsonl",
		"{\"a\": 1, \"s\": \"12\", \"b\": true, \"u\": \"\\u00e4\\ud83d\\ude00\\n\"}\n\n"
		"{\"s\": \"x\", \"a\": null, \"u\": \"plain\"}\r\n{ }\n");
	run(*state, &s);
	expect(&s, "a", COLUMN_INT64, "1|?|?");
	expect(&s, "s", COLUMN_CATEGORY, "12|x|?");
	expect(&s, "b", COLUMN_BOOLEAN, "1|?|?");
	expect(&s, "u", COLUMN_CATEGORY, "\xc3\xa4\xf0\x9f\x98\x80\n|plain|?");
	shard_close(&s);
}

static void bad_json_lines_are_named(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "{\"a\":1}\n{\"a\":2", "a.jsonl:2: a comma or } is wanted" },
		{ "{\"a\":1}\n[1]\n", "a.jsonl:2: an object is wanted" },
		{ "{\"a\":1}\n{\"a\":[1]}\n", "a.jsonl:2: a value is a list or an object" },
		{ "{\"a\":1}\n{\"a\":\"\\ud800x\"}\n", "half of a surrogate pair" },
		{ "{\"a\":1}\n{\"a\":nan}\n", "no JSON value" },
		{ "{\"a\":1}\n{\"a\":1} x\n", "something follows the object" },
		{ "{\"a\":1}\n{\"a\":\"x\n", "a text is not closed" },
		{ "5\n", "has no objects" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		give(*state, "a.jsonl", bad[i].text);
		expect_failure(*state, bad[i].says);
	}
}

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

static void packed_files_are_unpacked(void **state)
{
	const char text[] = "a,b\n1,x\n2,y\n";
	char packed[500];
	size_t size = ZSTD_compress(packed, sizeof packed, text, sizeof text - 1, 3);
	const char *path = stage_host_path(*state, "a.csv.gz");
	struct shard s;
	gzFile file = gzopen(path, "wb");
	char *bytes;

	stage_host_dep(*state, "data", stage_host_write(*state, "a.csv.zst", packed, size));
	run(*state, &s);
	expect(&s, "a", COLUMN_INT64, "1|2");
	shard_close(&s);
	stage_host_dep(*state, "data", stage_host_write(*state, "cut.csv.zst", packed, size - 3));
	expect_failure(*state, "ends in the middle");
	assert_true(gzwrite(file, text, sizeof text - 1) > 0 && gzclose(file) == Z_OK);
	stage_host_dep(*state, "data", path);
	run(*state, &s);
	expect(&s, "b", COLUMN_CATEGORY, "x|y");
	shard_close(&s);
	bytes = stage_host_read(path, &size);
	memcpy(packed, bytes, size);
	memcpy(packed + size, bytes, size); /* two members */
	stage_host_dep(*state, "data", stage_host_write(*state, "two.csv.gz", packed, 2 * size));
	stage_host_with(*state, "header", "false");
	run(*state, &s);
	assert_int_equal(s.rows, 6);
	shard_close(&s);
	stage_host_dep(*state, "data", stage_host_write(*state, "cut.csv.gz", packed, size - 4));
	expect_failure(*state, "ends in the middle");
	packed[12] ^= 0x55;
	stage_host_dep(*state, "data", stage_host_write(*state, "bad.csv.gz", packed, size));
	expect_failure(*state, "is damaged");
	free(bytes);
}

static void options_that_make_no_sense_are_named(void **state)
{
	static const struct {
		const char *key, *value, *says;
	} bad[] = {
		{ "columns", "{\"a\": \"float\"}", "'float' is no type" },
		{ "columns", "{\"z\": \"text\"}", "names column 'z'" },
		{ "keep", "[\"z\"]", "with.keep names column 'z'" },
		{ "drop", "[\"a\", \"b\"]", "leave no column" },
		{ "names", "[\"p\"]", "with.names has 1 names" },
		{ "names", "[\"p\", \"p\"]", "with.names: 'p' is there twice" },
		{ "format", "\"xls\"", "known are: csv" },
		{ "delimiter", "\"ab\"", "one character" },
		{ "on_bad_row", "\"drop\"", "known are: error, skip" },
		{ "missing", "[\"a text that is much too long to be a mark of something missing\"]",
			"with.missing" },
		{ "where", "[\"a in 1\"]", "a list is wanted" },
		{ "where", "[\"a is odd\"]", "missing or present" },
	};

	give(*state, "a.csv", "a,b\n1,2\n");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		stage_host_with(*state, bad[i].key, bad[i].value);
		expect_failure(*state, bad[i].says);
		stage_host_with(*state, bad[i].key, NULL);
	}
	stage_host_dep(*state, "data", stage_host_write(*state, "a.dat", "a", 1));
	expect_failure(*state, "cannot be told by its name");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(types_are_inferred),
		CASE(quotes_are_those_of_rfc_4180),
		CASE(bad_rows_are_named_by_line),
		CASE(bad_rows_can_be_left_out_up_to_a_limit),
		CASE(many_chunks_come_out_in_order),
		CASE(a_late_value_changes_the_type_of_all),
		CASE(threads_do_not_change_a_byte),
		CASE(chunks_of_any_size_give_the_same_bytes),
		CASE(a_number_can_say_that_a_value_is_missing),
		CASE(many_names_keep_their_numbers),
		CASE(rows_and_columns_can_be_chosen),
		CASE(shards_are_trimmed_by_group),
		CASE(json_lines_are_read),
		CASE(bad_json_lines_are_named),
		CASE(arrays_become_wide_columns),
		CASE(lying_arrays_are_refused),
		CASE(packed_files_are_unpacked),
		CASE(options_that_make_no_sense_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
