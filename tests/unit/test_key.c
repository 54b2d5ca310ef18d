#include "../support/dag_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "plan/key.h"

static struct digest one, two;

struct keyed {
	struct loaded l;
	struct buf parts;
	struct digest key;
};

static const struct digest *const inputs[] = { &one, &one, &one };

static void key_node(struct keyed *k, const char *task, const struct digest *const *digests,
	const struct code_file *code, size_t code_count)
{
	struct key_subject s = { .graph = &k->l.graph,
		.node = node_of(&k->l, task),
		.inputs = digests,
		.code = code,
		.code_count = code_count };

	buf_clear(&k->parts);
	key_parts(&k->parts, &s);
	key_digest(&k->key, &k->parts);
}

static void key_of(struct keyed *k, const char *text)
{
	memset(k, 0, sizeof *k);
	load_good(&k->l, text);
	key_node(k, graph_text(&k->l.graph, k->l.graph.nodes[k->l.graph.node_count - 1].name), inputs, NULL, 0);
}

static void keyed_release(struct keyed *k)
{
	loaded_release(&k->l);
	buf_release(&k->parts);
}

static bool keys_are_same(const char *a, const char *b)
{
	struct keyed x, y;
	bool same;

	key_of(&x, a);
	key_of(&y, b);
	same = digest_same(&x.key, &y.key);
	keyed_release(&x);
	keyed_release(&y);
	return same;
}

struct pair {
	const char *what, *a, *b;
};

static void whatever_decides_the_result_changes_the_key(void **state)
{
	static const struct pair pairs[] = {
		{ "command", "stages: {a: {cmd: x y}}", "stages: {a: {cmd: x z}}" },
		{ "words and shell", "stages: {a: {cmd: 'x \"y\"; z'}}", "stages: {a: {cmd: [sh, -c, 'x \"y\"; z']}}" },
		{ "where words end", "stages: {a: {cmd: [x, 'y z']}}", "stages: {a: {cmd: [x, y, z]}}" },
		{ "one word", "stages: {a: {cmd: 'x > y'}}", "stages: {a: {cmd: ['x > y']}}" },
		{ "param", "params: {p: 1}\nstages: {a: {cmd: x, params: [p]}}",
			"params: {p: 2}\nstages: {a: {cmd: x, params: [p]}}" },
		{ "type of a param", "params: {p: 1}\nstages: {a: {cmd: x, params: [p]}}",
			"params: {p: '1'}\nstages: {a: {cmd: x, params: [p]}}" },
		{ "path of an input", "stages: {a: {cmd: x, deps: [d]}}", "stages: {a: {cmd: x, deps: [e]}}" },
		{ "name of an input", "stages: {a: {cmd: x, deps: {n: d}}}", "stages: {a: {cmd: x, deps: {m: d}}}" },
		{ "which input has a name", "stages: {a: {cmd: x, deps: {n: d, m: e}}}",
			"stages: {a: {cmd: x, deps: {m: d, n: e}}}" },
		{ "env", "stages: {a: {cmd: x, env: {A: '1'}}}", "stages: {a: {cmd: x, env: {A: '2'}}}" },
		{ "env that is empty", "stages: {a: {cmd: x}}", "stages: {a: {cmd: x, env: {A: ''}}}" },
		{ "path of an out", "stages: {a: {cmd: x, outs: {o: p}}}", "stages: {a: {cmd: x, outs: {o: q}}}" },
		{ "name of an out", "stages: {a: {cmd: x, outs: {o: p}}}", "stages: {a: {cmd: x, outs: {n: p}}}" },
		{ "kind of an out", "stages: {a: {cmd: x, outs: {o: p}}}",
			"stages: {a: {cmd: x, outs: {o: {path: p, kind: temp}}}}" },
		{ "optional", "stages: {a: {cmd: x, outs: {o: p}}}",
			"stages: {a: {cmd: x, outs: {o: {path: p, optional: true}}}}" },
		{ "metrics", "stages: {a: {cmd: x, outs: [p]}}", "stages: {a: {cmd: x, metrics: [p]}}" },
		{ "order of outs", "stages: {a: {cmd: x, outs: [p, q]}}", "stages: {a: {cmd: x, outs: [q, p]}}" },
		{ "cwd", "stages: {a: {cmd: x}}", "stages: {a: {cmd: x, cwd: d}}" },
		{ "kind of stage", "stages: {a: {cmd: 'return 1'}}", "stages: {a: {lua: 'return 1'}}" },
		{ "script", "stages: {a: {lua: 'return 1'}}", "stages: {a: {lua: 'return 2'}}" },
		{ "unsafe", "stages: {a: {lua: 'return 1'}}", "stages: {a: {lua: 'return 1', unsafe: true}}" },
		{ "with", "stages: {a: {uses: ./p.so, with: {n: 1}}}", "stages: {a: {uses: ./p.so, with: {n: 2}}}" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (keys_are_same(pairs[i].a, pairs[i].b))
			fail_msg("%s does not change the key", pairs[i].what);
}

static void whatever_does_not_matter_leaves_the_key(void **state)
{
	static const struct pair pairs[] = {
		{ "name of the stage", "stages: {a: {cmd: x}}", "stages: {b: {cmd: x}}" },
		{ "name of the dag", "stages: {a: {cmd: x}}", "name: n\nstages: {a: {cmd: x}}" },
		{ "other params", "params: {p: 1}\nstages: {a: {cmd: x}}", "params: {p: 2}\nstages: {a: {cmd: x}}" },
		{ "timeout", "stages: {a: {cmd: x}}", "stages: {a: {cmd: x, timeout: 5s}}" },
		{ "retry", "stages: {a: {cmd: x}}", "stages: {a: {cmd: x, retry: {limit: 2}}}" },
		{ "resources", "stages: {a: {cmd: x}}", "stages: {a: {cmd: x, resources: {cpu: 2}}}" },
		{ "allow_failure", "stages: {a: {cmd: x}}", "stages: {a: {cmd: x, allow_failure: true}}" },
		{ "needs", "stages: {z: {cmd: x}, a: {cmd: y}}", "stages: {z: {cmd: x}, a: {cmd: y, needs: [z]}}" },
		{ "order of named deps", "stages: {a: {cmd: x, deps: {n: d, m: d2}}}",
			"stages: {a: {cmd: x, deps: {m: d2, n: d}}}" },
		{ "order of env", "stages: {a: {cmd: x, env: {A: '1', B: '2'}}}",
			"stages: {a: {cmd: x, env: {B: '2', A: '1'}}}" },
		{ "plots", "stages: {a: {cmd: x, outs: [p]}}", "stages: {a: {cmd: x, plots: [p]}}" },
		{ "how it is written", "stages: {a: {cmd: x}}", "stages:\n  a:\n    cmd: x # the same\n" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (!keys_are_same(pairs[i].a, pairs[i].b))
			fail_msg("%s changes the key", pairs[i].what);
}

static void inputs_count_by_path_in_any_order(void **state)
{
	static const struct digest *const forth[] = { &one, &two }, *const back[] = { &two, &one };
	struct keyed x, y;

	(void)state;
	key_of(&x, "stages: {a: {cmd: x, deps: [d, e]}}");
	key_of(&y, "stages: {a: {cmd: x, deps: [e, d]}}");
	key_node(&x, "a", forth, NULL, 0);
	key_node(&y, "a", forth, NULL, 0);
	assert_false(digest_same(&x.key, &y.key)); /* d is `one` here and `two` there */
	key_node(&y, "a", back, NULL, 0);
	assert_true(digest_same(&x.key, &y.key));
	keyed_release(&x);
	keyed_release(&y);
}

static void code_counts_by_name_in_any_order(void **state)
{
	const struct code_file forth[] = { { "a.lua", &one }, { "module m", &two } };
	const struct code_file back[] = { { "module m", &two }, { "a.lua", &one } };
	const struct code_file other[] = { { "a.lua", &two }, { "module m", &two } };
	struct keyed k;
	struct digest first;

	(void)state;
	key_of(&k, "stages: {a: {uses: ./a.lua}}");
	key_node(&k, "a", NULL, forth, 2);
	first = k.key;
	key_node(&k, "a", NULL, back, 2);
	assert_true(digest_same(&k.key, &first));
	key_node(&k, "a", NULL, other, 2);
	assert_false(digest_same(&k.key, &first));
	keyed_release(&k);
}

static void many_inputs_and_much_code_are_kept(void **state)
{
	const struct digest *many[100];
	struct code_file code[100];
	char names[100][8];
	struct buf text = { 0 };
	struct part_view view;
	uint32_t i, found[32] = { 0 };
	struct keyed k;
	size_t at = 0;

	(void)state;
	buf_str(&text, "stages: {a: {uses: ./p.so, deps: [d0");
	for (i = 0; i < 100; i++) {
		if (i > 0)
			buf_printf(&text, ", d%u", i);
		(void)snprintf(names[i], sizeof names[i], "c%u", i);
		many[i] = &one;
		code[i] = (struct code_file){ names[i], &two };
	}
	buf_str(&text, "]}}");
	memset(&k, 0, sizeof k);
	load_good(&k.l, buf_text(&text));
	key_node(&k, "a", many, code, 100);
	while (parts_next(k.parts.data, k.parts.len, &at, &view))
		found[view.part]++;
	assert_int_equal(at, k.parts.len);
	assert_int_equal(found[PART_INPUT], 100);
	assert_int_equal(found[PART_CODE], 100);
	keyed_release(&k);
	buf_release(&text);
}

static void parts_stand_in_order(void **state)
{
	struct part_view view;
	enum part last = PART_FORMAT;
	struct keyed k;
	size_t at = 0;
	uint32_t count = 0;

	(void)state;
	key_of(&k, "params: {b: 1, a: 2}\n"
		   "stages: {a: {cmd: x, params: [b, a], deps: {n: d}, env: {E: '1'}, outs: [o], cwd: c}}");
	for (; parts_next(k.parts.data, k.parts.len, &at, &view); count++) {
		assert_true(view.part >= last);
		last = view.part;
	}
	assert_int_equal(count, 9);
	keyed_release(&k);
}

static void damaged_parts_end_the_list(void **state)
{
	struct part_view view;
	struct keyed k;
	size_t cut, at;

	(void)state;
	key_of(&k, "stages: {a: {cmd: x, deps: [d], outs: [o]}}");
	for (cut = 0; cut < k.parts.len; cut++) {
		char *copy = malloc(cut + 1); /* of its own, so that reading past it is seen */

		assert_non_null(copy);
		memcpy(copy, k.parts.data, cut);
		at = 0;
		while (parts_next(copy, cut, &at, &view))
			assert_true(view.value + view.value_len <= copy + cut);
		assert_true(at == cut || at == cut + 1);
		free(copy);
	}
	keyed_release(&k);
}

struct differences {
	char text[512];
};

static void note(void *user, enum change change, const struct part_view *was, const struct part_view *is)
{
	static const char signs[] = "+-~";
	struct differences *d = user;
	const struct part_view *v = is != NULL ? is : was;
	size_t used = strlen(d->text);

	(void)snprintf(d->text + used, sizeof d->text - used, "%c%d:%.*s ", signs[change], v->part,
		(int)v->name_len, v->name);
}

static void difference_names_each_component_once(void **state)
{
	struct differences d = { "" };
	struct keyed x, y;

	(void)state;
	key_of(&x, "params: {p: 1, q: 1, r: 1}\nstages: {a: {cmd: x, params: [p, q], deps: [d], outs: [o, u]}}");
	key_of(&y, "params: {p: 2, q: 1, r: 1}\nstages: {a: {cmd: y, params: [p, q, r], deps: [e], outs: [u, o]}}");
	parts_diff(x.parts.data, x.parts.len, y.parts.data, y.parts.len, note, &d);
	assert_string_equal(d.text, "~2:p +2:r -3:d +3:e ~5: ");
	d.text[0] = '\0';
	parts_diff(NULL, 0, x.parts.data, x.parts.len, note, &d);
	assert_string_equal(d.text, "+1: +2:p +2:q +3:d +5: +8:o +8:u ");
	d.text[0] = '\0';
	parts_diff(x.parts.data, x.parts.len, x.parts.data, x.parts.len, note, &d);
	assert_string_equal(d.text, "");
	keyed_release(&x);
	keyed_release(&y);
}

/* What is stored today must be found again tomorrow: a change here is a change of KEY_FORMAT. */
static void key_of_today_is_key_of_tomorrow(void **state)
{
	char hex[DIGEST_HEX];
	struct keyed k;

	(void)state;
	key_of(&k, "params: {train: {lr: 0.1}}\n"
		   "stages: {a: {cmd: 'x > y', params: [train.lr], deps: {data: d}, env: {E: '1'}, outs: {model: m/x}}}");
	assert_string_equal(digest_hex(&k.key, hex), "9fe7e843e5c9ddb13809a53b697de68c1f5bcfd9e628286e2d37fae9f74fbf0b");
	keyed_release(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_decides_the_result_changes_the_key),
		cmocka_unit_test(whatever_does_not_matter_leaves_the_key),
		cmocka_unit_test(inputs_count_by_path_in_any_order),
		cmocka_unit_test(code_counts_by_name_in_any_order),
		cmocka_unit_test(many_inputs_and_much_code_are_kept),
		cmocka_unit_test(parts_stand_in_order),
		cmocka_unit_test(damaged_parts_end_the_list),
		cmocka_unit_test(difference_names_each_component_once),
		cmocka_unit_test(key_of_today_is_key_of_tomorrow),
	};

	digest_of(&one, "one", 3);
	digest_of(&two, "two", 3);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
