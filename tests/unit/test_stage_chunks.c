/* Tables that are read in many parts, by several threads: nobody sees where they were cut. */
#include "common/text.h"
#include "support/tabled.h"
#include "table/options.h"
#include "table/read.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(many_chunks_come_out_in_order),
		CASE(a_late_value_changes_the_type_of_all),
		CASE(threads_do_not_change_a_byte),
		CASE(chunks_of_any_size_give_the_same_bytes),
		CASE(many_names_keep_their_numbers),
		CASE(shards_are_trimmed_by_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
