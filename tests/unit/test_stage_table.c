#include "table/table.h"

#include <zlib.h>
#include <zstd.h>

#include "common/text.h"
#include "support/tabled.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(types_are_inferred),
		CASE(quotes_are_those_of_rfc_4180),
		CASE(bad_rows_are_named_by_line),
		CASE(bad_rows_can_be_left_out_up_to_a_limit),
		CASE(a_number_can_say_that_a_value_is_missing),
		CASE(rows_and_columns_can_be_chosen),
		CASE(packed_files_are_unpacked),
		CASE(options_that_make_no_sense_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
