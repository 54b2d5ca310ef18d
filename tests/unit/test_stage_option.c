/* What `with:` says: words, lists, maps, and which key was wrong. */
#include "common/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/shard.h"
#include "support/stage_case.h"
#include "table/table.h"

static const char *const words[] = { "red", "green", "blue", NULL };

static struct shard shard; /* the table that columns are looked for in */
static char chosen[3];

/* fail() is a macro of the tests. */
static int read_word(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault;
	int word = option_word(host, ctx, "colour", words, "green", &fault);

	if (word < 0)
		return (host->fail)(ctx, fault.text);
	host->metric(ctx, "word", word, -1);
	return 0;
}

static int read_columns(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault;

	memset(chosen, 0, sizeof chosen);
	return option_columns(chosen, &shard, host, ctx, "except", &fault) < 0 ? (host->fail)(ctx, fault.text) : 0;
}

static const flow_stage word_stage = { .size = sizeof word_stage, .name = "word", .run = read_word };
static const flow_stage columns_stage = { .size = sizeof columns_stage, .name = "columns", .run = read_columns };

static int set_up(void **state)
{
	*state = stage_host_new();
	return 0;
}

static void a_word_is_its_place_in_the_list(void **state)
{
	static const char *const given[] = { NULL, "\"red\"", "\"green\"", "\"blue\"" };
	static const double places[] = { 1, 0, 1, 2 };
	double place;

	for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
		stage_host_with(*state, "colour", given[i]);
		assert_int_equal(stage_host_run(*state, &word_stage), 0);
		assert_true(stage_host_metric(*state, "word", -1, &place));
		assert_true(place - places[i] == 0.0);
	}
	stage_host_with(*state, "colour", "\"Red\"");
	expect_failure_of(*state, &word_stage, "with.colour: 'Red' is not known; known are: red, green, blue");
}

static void columns_are_those_of_the_table(void **state)
{
	static const char csv[] = "a,b,c\n1,2,3\n";
	struct fault fault;

	stage_host_dep(*state, "data", stage_host_write(*state, "t.csv", csv, sizeof csv - 1));
	stage_host_out(*state, "table", stage_host_path(*state, "t.shard"));
	assert_int_equal(stage_host_run(*state, &stage_table), 0);
	assert_int_equal(shard_open(&shard, stage_host_path(*state, "t.shard"), &fault), 0);
	assert_int_equal(stage_host_run(*state, &columns_stage), 0);
	assert_memory_equal(chosen, "\0\0\0", 3);
	stage_host_with(*state, "except", "[\"c\", \"a\", \"c\"]");
	assert_int_equal(stage_host_run(*state, &columns_stage), 0);
	assert_memory_equal(chosen, "\1\0\1", 3);
	stage_host_with(*state, "except", "[\"a\", \"d\"]");
	expect_failure_of(*state, &columns_stage, "with.except: the table has no column 'd'");
	stage_host_with(*state, "except", "\"a\"");
	expect_failure_of(*state, &columns_stage, "with.except: JSON, byte 1: a list is wanted");
	stage_host_with(*state, "except", "[\"a\"] 1");
	expect_failure_of(*state, &columns_stage, "with.except: JSON, byte 7: something follows the value");
	shard_close(&shard);
}

static void what_is_not_there_is_an_empty_list_or_map(void **state)
{
	struct fault fault;
	struct jsonin in;
	char key[8];

	(void)state;
	jsonin_open(&in, NULL, '[');
	assert_int_equal(jsonin_item(&in, &fault), 0);
	jsonin_open(&in, NULL, '{');
	assert_int_equal(jsonin_key(&in, key, sizeof key, &fault), 0);
	jsonin_open(&in, "[]", '{');
	assert_int_equal(jsonin_key(&in, key, sizeof key, &fault), -1);
	assert_string_equal(fault.text, "JSON, byte 1: a map is wanted");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_word_is_its_place_in_the_list),
		TEST(columns_are_those_of_the_table),
		TEST(what_is_not_there_is_an_empty_list_or_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
