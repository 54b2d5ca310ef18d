/* Tables of JSON lines. */
#include "table/jsonl.h"

#include "support/tabled.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(json_lines_are_read),
		CASE(bad_json_lines_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
