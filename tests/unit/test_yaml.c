#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "dag/value.h"
#include "dag/yaml.h"

struct reading {
	struct arena arena;
	struct diags diags;
	struct yaml_file file;
	const struct yaml *root;
	int rc;
};

static void read_bytes(struct reading *r, const char *text, size_t len)
{
	memset(r, 0, sizeof *r);
	r->diags.arena = &r->arena;
	r->file = (struct yaml_file){ .name = "x.yaml", .text = text, .len = len };
	r->rc = yaml_read(&r->root, &r->arena, &r->file, &r->diags);
}

static void read_text(struct reading *r, const char *text)
{
	read_bytes(r, text, strlen(text));
}

static const char *json_of(struct reading *r)
{
	struct buf json = { 0 };
	const char *text;

	value_json(&json, r->root);
	text = buf_in(&json, &r->arena);
	buf_release(&json);
	return text;
}

static void plain_scalars_follow_the_core_schema(void **state)
{
	static const struct {
		const char *text;
		enum yaml_type type;
		const char *json;
	} cases[] = {
		{ "null", YAML_NULL, "null" },
		{ "~", YAML_NULL, "null" },
		{ "", YAML_NULL, "null" },
		{ "true", YAML_BOOL, "true" },
		{ "False", YAML_BOOL, "false" },
		{ "yes", YAML_TEXT, "\"yes\"" },
		{ "no", YAML_TEXT, "\"no\"" },
		{ "on", YAML_TEXT, "\"on\"" },
		{ "off", YAML_TEXT, "\"off\"" },
		{ "y", YAML_TEXT, "\"y\"" },
		{ "tRue", YAML_TEXT, "\"tRue\"" },
		{ "12", YAML_INT, "12" },
		{ "-12", YAML_INT, "-12" },
		{ "+12", YAML_INT, "12" },
		{ "0x1F", YAML_INT, "31" },
		{ "0o17", YAML_INT, "15" },
		{ "017", YAML_INT, "17" },
		{ "0o8", YAML_TEXT, "\"0o8\"" },
		{ "1_000", YAML_TEXT, "\"1_000\"" },
		{ "12:30", YAML_TEXT, "\"12:30\"" },
		{ "99999999999999999999", YAML_INT, "99999999999999999999" },
		{ "0.10", YAML_FLOAT, "0.1" },
		{ "1e3", YAML_FLOAT, "1000" },
		{ ".5", YAML_FLOAT, "0.5" },
		{ "5.", YAML_FLOAT, "5" },
		{ "1e", YAML_TEXT, "\"1e\"" },
		{ "-", YAML_TEXT, NULL },
		{ ".inf", YAML_FLOAT, "\".inf\"" },
		{ "-.INF", YAML_FLOAT, "\"-.INF\"" },
		{ ".nan", YAML_FLOAT, "\".nan\"" },
		{ "1.2.3", YAML_TEXT, "\"1.2.3\"" },
		{ "2024-01-01", YAML_TEXT, "\"2024-01-01\"" },
		{ "\"12\"", YAML_TEXT, "\"12\"" },
		{ "'true'", YAML_TEXT, "\"true\"" },
		{ "!!str 12", YAML_TEXT, "\"12\"" },
		{ "!!int 12", YAML_INT, "12" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct reading r;

		if (cases[i].json == NULL) {
			assert_int_equal(value_type_of(cases[i].text, 1), cases[i].type);
			continue;
		}
		read_text(&r, cases[i].text);
		assert_int_equal(r.rc, 0);
		assert_int_equal(r.root->type, cases[i].type);
		assert_string_equal(json_of(&r), cases[i].json);
		arena_release(&r.arena);
	}
}

static void every_node_knows_its_place(void **state)
{
	const struct yaml *list;
	struct reading r;

	(void)state;
	read_text(&r, "a: 1\nbb:\n  - x\n  - 'yy z'\nc: {d: [e, f]}\n");
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.root->count, 3);
	assert_int_equal(yaml_key(r.root, 1)->line, 2);
	assert_int_equal(yaml_key(r.root, 1)->col, 1);
	assert_int_equal(yaml_key(r.root, 1)->width, 2);
	list = yaml_get(r.root, "bb");
	assert_int_equal(yaml_item(list, 1)->line, 4);
	assert_int_equal(yaml_item(list, 1)->col, 5);
	assert_int_equal(yaml_item(list, 1)->width, 6);
	list = yaml_get(yaml_get(r.root, "c"), "d");
	assert_int_equal(list->col, 8);
	assert_int_equal(list->width, 6);
	assert_int_equal(yaml_item(list, 1)->col, 12);
	assert_null(yaml_get(r.root, "x"));
	arena_release(&r.arena);
}

static void columns_count_characters(void **state)
{
	struct reading r;

	(void)state;
	read_text(&r, "\xef\xbb\xbf{\"\xc3\xa4\xc3\xb6\": x}\r\n");
	assert_int_equal(r.rc, 0);
	assert_int_equal(yaml_value(r.root, 0)->col, 8);
	assert_int_equal(yaml_key(r.root, 0)->width, 4);
	arena_release(&r.arena);
}

static void json_is_canonical(void **state)
{
	struct reading r;

	(void)state;
	read_text(&r, "{b: [1, 2.50, ~], a: {z: \"q\\\"\", y: true}}");
	assert_string_equal(json_of(&r), "{\"a\":{\"y\":true,\"z\":\"q\\\"\"},\"b\":[1,2.5,null]}");
	arena_release(&r.arena);
}

static void aliases_repeat_values(void **state)
{
	struct reading r;

	(void)state;
	read_text(&r, "a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x\n");
	assert_int_equal(r.rc, 0);
	assert_string_equal(json_of(&r), "{\"a\":[1,2],\"b\":[1,2],\"c\":3,\"d\":3}");
	assert_int_equal(yaml_get(r.root, "b")->line, 2);
	arena_release(&r.arena);
}

struct wrong {
	const char *text, *code;
	uint32_t line, col;
	const char *message, *label;
};

static const struct wrong wrongs[] = {
	{ "a: \"x\nb: 1\n", "E0101", 1, 4, "a quote is opened and never closed", "opened here" },
	{ "a: 'x\n", "E0101", 1, 4, "a quote is opened and never closed", "opened here" },
	{ "a:\n\tb: 1\n", "E0101", 2, 1, "a tab cannot indent YAML", "use spaces" },
	{ "a: x: y\n", "E0101", 1, 5, "a `key: value` cannot begin here", "quote the text" },
	{ "a: [1, 2\nb: 3\n", "E0101", 1, 4, "a list misses a `,` or its `]`", "begins here" },
	{ "a: {b: 1\nc: 3\n", "E0101", 1, 4, "a map misses a `,` or its `}`", "begins here" },
	{ "a: 1\n b: 2\n", "E0101", 2, 3, NULL, NULL },
	{ "a:\n  b: 1\n c: 2\n", "E0101", 3, 2, "fits neither", "indentation" },
	{ "a: @x\n", "E0101", 1, 4, "plain text cannot begin with `@`", "quotes" },
	{ "a: `x`\n", "E0101", 1, 4, "plain text cannot begin with ``", "quotes" },
	{ "a: \"\\q\"\n", "E0101", 1, 5, "not an escape", "single" },
	{ "{[a]: 1}\n", "E0101", 1, 2, "a key must be text", NULL },
	{ "- 1\nb: 2\n", "E0101", 2, 1, "fits neither the list", NULL },
	{ "a: 1\nb\n", "E0101", 2, 1, "a key is not followed by `:`", NULL },
	{ "a: *\n", "E0101", 1, 4, "needs a name", NULL },
	{ "a: \x01\n", "E0102", 1, 4, "control character 0x01", NULL },
	{ "a: \x7f\n", "E0102", 1, 4, "control character 0x7f", NULL },
	{ "a: \xff\n", "E0102", 1, 4, "0xff is not UTF-8", "save the file" },
	{ "a: \xed\xa0\x80\n", "E0102", 1, 4, "0xed is not UTF-8", NULL },
	{ "\xff\xfe"
	  "a",
		"E0102", 1, 1, "UTF-16", "UTF-8" },
	{ "a: \"\\0\"\n", "E0102", 1, 4, "NUL", NULL },
	{ "a: *x\n", "E0104", 1, 4, "no anchor", "&name" },
	{ "&x [*x]\n", "E0104", 1, 5, "contain itself", NULL },
	{ "a: &x {b: *x}\n", "E0104", 1, 11, "contain itself", NULL },
	{ "a: !include /etc/shadow\n", "E0105", 1, 4, "tags", NULL },
	{ "a: !!python/object x\n", "E0105", 1, 4, "tags", NULL },
	{ "a: !!int x\n", "E0105", 1, 4, "tags", NULL },
	{ "a: 1\n---\nb: 2\n", "E0105", 2, 1, "one YAML document", "second" },
	{ "a: &x {b: 1}\nc:\n  <<: *x\n", "E0105", 3, 3, "merge keys", "defaults" },
	{ "a: 1\nb: 2\na: 3\n", "E0106", 3, 1, "`a` is given twice", "second" },
};

static void faults_are_shown_in_place(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
		const struct wrong *w = &wrongs[i];
		const struct diag *d;
		struct reading r;

		read_text(&r, w->text);
		assert_int_equal(r.rc, ERR_INPUT);
		assert_int_equal(r.diags.count, 1);
		d = &r.diags.items[0];
		if (strcmp(d->code, w->code) != 0 || d->line != w->line || d->col != w->col ||
			(w->message != NULL && strstr(d->message, w->message) == NULL))
			fail_msg("case %zu: %s at %u:%u: %s (%s)", i, d->code, d->line, d->col,
				d->message, d->label);
		arena_release(&r.arena);
	}
}

static void both_places_of_a_key_are_shown(void **state)
{
	struct reading r;
	struct buf text = { 0 };
	int i;

	(void)state;
	read_text(&r, "a:\n  b: 1\n  c: 2\n  b: 3\n");
	assert_string_equal(r.diags.items[0].note, "the first is at x.yaml:2:3");
	arena_release(&r.arena);
	for (i = 0; i < 100; i++)
		buf_printf(&text, "k%d: 1\n", i);
	buf_str(&text, "k7: 2\n");
	read_text(&r, buf_text(&text));
	assert_string_equal(r.diags.items[0].note, "the first is at x.yaml:8:1");
	assert_int_equal(r.diags.items[0].line, 101);
	arena_release(&r.arena);
	buf_release(&text);
}

static void laughs_are_cut_short(void **state)
{
	struct buf text = { 0 };
	struct reading r;
	int i, j;

	(void)state;
	buf_str(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (i = 1; i < 9; i++) {
		buf_printf(&text, "a%d: &a%d [", i, i);
		for (j = 0; j < 9; j++)
			buf_printf(&text, "%s*a%d", j > 0 ? "," : "", i - 1);
		buf_str(&text, "]\n");
	}
	read_text(&r, buf_text(&text));
	assert_int_equal(r.rc, ERR_INPUT);
	assert_string_equal(r.diags.items[0].code, "E0103");
	assert_string_equal(r.diags.items[0].message, "alias expansion over 10,000 nodes");
	assert_true(r.diags.items[0].line > 0);
	arena_release(&r.arena);
	buf_release(&text);
}

static void depth_has_a_limit(void **state)
{
	struct buf text = { 0 };
	struct reading r;

	(void)state;
	buf_repeat(&text, '[', 64);
	buf_repeat(&text, ']', 64);
	read_text(&r, buf_text(&text));
	assert_int_equal(r.rc, 0);
	arena_release(&r.arena);
	buf_clear(&text);
	buf_repeat(&text, '[', 100000);
	read_text(&r, buf_text(&text));
	assert_int_equal(r.rc, ERR_INPUT);
	assert_string_equal(r.diags.items[0].code, "E0103");
	assert_int_equal(r.diags.items[0].col, 65);
	arena_release(&r.arena);
	buf_clear(&text);
	buf_str(&text, "a: &a ");
	buf_repeat(&text, '[', 40);
	buf_repeat(&text, ']', 40);
	buf_str(&text, "\nb: ");
	buf_repeat(&text, '[', 40);
	buf_str(&text, "*a");
	buf_repeat(&text, ']', 40);
	read_text(&r, buf_text(&text));
	assert_int_equal(r.rc, ERR_INPUT);
	assert_string_equal(r.diags.items[0].message, "nesting is deeper than 64");
	arena_release(&r.arena);
	buf_release(&text);
}

static void bytes_after_nul_are_not_lost(void **state)
{
	struct reading r;

	(void)state;
	read_bytes(&r, "a: 1\0b: 2", 9);
	assert_int_equal(r.rc, ERR_INPUT);
	assert_string_equal(r.diags.items[0].code, "E0102");
	assert_int_equal(r.diags.items[0].col, 5);
	arena_release(&r.arena);
}

static void expressions_are_found_inside_texts(void **state)
{
	struct place at;
	struct reading r;

	(void)state;
	read_text(&r, "a: \"x ${b} ${c}\"\nd: |\n  one\n  two ${e}\n");
	at = yaml_place_inside(yaml_get(r.root, "a"), 1, 4);
	assert_int_equal(at.line, 1);
	assert_int_equal(at.col, 12);
	assert_int_equal(at.width, 4);
	at = yaml_place_inside(yaml_get(r.root, "d"), 0, 4);
	assert_int_equal(at.line, 4);
	assert_int_equal(at.col, 7);
	arena_release(&r.arena);
}

/* Every prefix of a text, and every byte of it replaced: no crash, and each refusal has a place. */
static void mangled_texts_are_refused_in_place(void **state)
{
	static const char text[] = "a: &x {b: [1, \"two\", 'three'], c: |\n  d\n}\ne: *x # f\n";
	static const char bytes[] = "\t\n:[]{}\"'&*!|>-?,#%@`\x80 ";
	char copy[sizeof text];
	size_t i, j;

	(void)state;
	for (i = 0; i + 1 < sizeof text; i++) {
		for (j = 0; j < sizeof bytes; j++) {
			struct reading r;

			memcpy(copy, text, sizeof text);
			copy[i] = bytes[j];
			read_text(&r, copy);
			if (r.rc < 0 && r.diags.items[0].line == 0)
				fail_msg("no place: %s", r.diags.items[0].message);
			arena_release(&r.arena);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_scalars_follow_the_core_schema),
		cmocka_unit_test(every_node_knows_its_place),
		cmocka_unit_test(columns_count_characters),
		cmocka_unit_test(json_is_canonical),
		cmocka_unit_test(aliases_repeat_values),
		cmocka_unit_test(faults_are_shown_in_place),
		cmocka_unit_test(both_places_of_a_key_are_shown),
		cmocka_unit_test(laughs_are_cut_short),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(bytes_after_nul_are_not_lost),
		cmocka_unit_test(expressions_are_found_inside_texts),
		cmocka_unit_test(mangled_texts_are_refused_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
