#include "../support/dag_text.h"

/* The command that a text becomes, or the first fault. */
static void check_command(const char *cmd, const char *expect)
{
	struct buf text = { 0 };
	struct loaded l;

	buf_str(&text, "params: {lr: 0.10, name: it's, list: [1, two], sub: {a: 1}, none: ~,\n"
		       "  yes: true, empty: ''}\n"
		       "env: {MODE: fast one}\n"
		       "stages:\n"
		       "  s:\n"
		       "    deps: {raw: raw/in put.csv}\n"
		       "    outs: {model: m.bin}\n"
		       "    cmd: |\n");
	buf_printf(&text, "      %s\n", cmd);
	load_good(&l, buf_text(&text));
	assert_string_equal(command_of(&l, "s"), expect);
	loaded_release(&l);
	buf_release(&text);
}

static void values_are_put_into_commands(void **state)
{
	static const char *const cases[][2] = {
		{ "run ${params.lr}", "run 0.10" },
		{ "run ${ params.lr }", "run 0.10" },
		{ "run ${params.name}", "run 'it'\\''s'" },
		{ "run \"${params.name}\"", "run \"\"'it'\\''s'\"\"" },
		{ "run ${params.list}", "run '[1,\"two\"]'" },
		{ "run ${params.sub}", "run '{\"a\":1}'" },
		{ "run ${params.yes}", "run true" },
		{ "run ${params.empty}", "run ''" },
		{ "run ${env.MODE}", "run 'fast one'" },
		{ "run ${deps.raw} ${outs.model}", "run 'raw/in put.csv' m.bin" },
		{ "run $${HOME} $HOME $", "run ${HOME} $HOME $" },
		{ "run $$${HOME}", "run $${HOME}" },
		{ "run a${params.lr}b${params.lr}", "run a0.10b0.10" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check_command(cases[i][0], cases[i][1]);
}

static void paths_take_values_as_they_are(void **state)
{
	const struct graph *g;
	struct loaded l;

	(void)state;
	load_good(&l, "params: {dir: 'my data', n: 3}\n"
		      "stages:\n"
		      "  a: {cmd: 'cp ${deps.i} ${outs.o}', deps: {i: '${params.dir}/./x'},\n"
		      "    outs: {o: 'out/${params.n}/'}}\n");
	g = &l.graph;
	assert_string_equal(graph_text(g, g->deps[0].path), "my data/x");
	assert_string_equal(graph_text(g, g->outs[0].path), "out/3");
	assert_int_equal(g->nodes[0].argv.count, 3);
	assert_string_equal(graph_text(g, g->words[1]), "my data/x");
	assert_int_equal(g->nodes[0].params.count, 2);
	loaded_release(&l);
}

static void whole_values_keep_their_types(void **state)
{
	struct span with;
	struct loaded l;

	(void)state;
	load_good(&l,
		"params: {n: 3, l: [1, {a: b}], t: '3', f: 2.50, m: {x: {y: 1}}, z: ~}\n"
		"stages:\n"
		"  a:\n"
		"    uses: x\n"
		"    outs: {o: out}\n"
		"    with: {n: '${params.n}', l: ['${params.l}'], t: '${params.t}', f: "
		"'${params.f}',\n"
		"      m: '${params.m}', s: 'v${params.n}', o: '${outs.o}', z: '${params.z}',\n"
		"      deep: {k: {j: '${params.n}'}}}\n");
	with = l.graph.nodes[0].with;
	assert_string_equal(field_of(&l, with, "n"), "3");
	assert_string_equal(field_of(&l, with, "l"), "[[1,{\"a\":\"b\"}]]");
	assert_string_equal(field_of(&l, with, "t"), "\"3\"");
	assert_string_equal(field_of(&l, with, "f"), "2.5");
	assert_string_equal(field_of(&l, with, "m"), "{\"x\":{\"y\":1}}");
	assert_string_equal(field_of(&l, with, "s"), "\"v3\"");
	assert_string_equal(field_of(&l, with, "o"), "\"out\"");
	assert_string_equal(field_of(&l, with, "z"), "null");
	assert_string_equal(field_of(&l, with, "deep"), "{\"k\":{\"j\":3}}");
	loaded_release(&l);
}

static const struct wrong_text wrongs[] = {
	{ "unknown parameter",
		"params: {train: {lr: 1}}\nstages:\n  a:\n    cmd: run ${params.train.rl}\n",
		"E0307", 4, 14, "`${params.train.rl}`: there is no such parameter",
		"did you mean `${params.train.lr}`?", NULL },
	{ "second expression of a block",
		"params: {a: 1}\nstages:\n  s:\n    cmd: |\n      x ${params.a}\n      y "
		"${params.b}\n",
		"E0307", 6, 9, "${params.b}", NULL, NULL },
	{ "behind an escape", "stages:\n  s:\n    cmd: x $${A} ${params.b}\n", "E0307", 3, 18,
		"${params.b}", NULL, NULL },
	{ "variable of the shell", "stages:\n  s:\n    cmd: echo ${HOME}\n", "E0307", 3, 15,
		"nothing of that name", "write `$${HOME}` for the shell's own",
		"known are params.NAME" },
	{ "parameter without its root", "params: {train: {lr: 1}}\nstages: {s: {cmd: 'x ${train.lr}'}}\n", "E0307", 2, 22,
		"nothing of that name", "write `${params.train.lr}` for the parameter", NULL },
	{ "misspelt root", "stages: {s: {cmd: 'x ${param.b}'}}\n", "E0307", 1, 22,
		"nothing of that name", "did you mean `params`?", NULL },
	{ "matrix as root", "stages: {s: {matrix: {a: [1]}, cmd: 'x ${matrix.a}'}}\n", "E0307", 1,
		40, NULL, "did you mean `item`?", NULL },
	{ "item outside foreach", "stages: {s: {cmd: 'x ${item}'}}\n", "E0307", 1, 22,
		"neither `foreach` nor `matrix`", NULL, NULL },
	{ "key outside foreach", "stages: {s: {cmd: 'x ${key}'}}\n", "E0307", 1, 22,
		"neither `foreach` nor `matrix`", NULL, NULL },
	{ "field of an item", "stages: {s: {foreach: [{seed: 1}], cmd: 'x ${item.sed}'}}\n",
		"E0307", 1, 44, "the item has no such field", "did you mean `seed`?", NULL },
	{ "field of a number", "stages: {s: {foreach: [1], cmd: 'x ${item.a}'}}\n", "E0307", 1, 36,
		"the item is not a map", NULL, NULL },
	{ "unknown dep", "stages: {s: {cmd: 'x ${deps.raw}', deps: {row: r}}}\n", "E0307", 1, 22,
		"nothing of that name", "did you mean `${deps.row}`?", NULL },
	{ "dep without a name", "stages: {s: {cmd: 'x ${outs.raw}', outs: [r]}}\n", "E0307", 1, 22,
		"nothing of that name", "name it: `outs: {raw: PATH}`", NULL },
	{ "deps in outs", "stages: {s: {cmd: x, deps: {r: s}, outs: ['${deps.r}.o']}}\n", "E0307",
		1, 44, "cannot be used here", NULL, NULL },
	{ "never closed", "stages: {s: {cmd: 'x ${params.a'}}\n", "E0306", 1, 22,
		"`${` is never closed", "$${", NULL },
	{ "operator", "stages: {s: {cmd: 'x ${params.a:-b}'}}\n", "E0306", 1, 22,
		"`${params.a:-b}` is not a name", "$${", NULL },
	{ "empty", "stages: {s: {cmd: 'x ${}'}}\n", "E0306", 1, 22, "`${}` is not a name", NULL,
		NULL },
	{ "null", "params: {a: ~}\nstages: {s: {cmd: 'x ${params.a}'}}\n", "E0308", 2, 22,
		"`${params.a}` is null and cannot be put here", NULL, NULL },
	{ "list in a path", "params: {a: [1]}\nstages: {s: {cmd: x, deps: ['${params.a}']}}\n",
		"E0308", 2, 30, "is a list and cannot be put here", NULL, NULL },
	{ "quotes in backquotes", "params: {a: b c}\nstages: {s: {cmd: 'x `cat ${params.a}`'}}\n",
		"E0308", 2, 27, "cannot be quoted safely after backquotes",
		"hand it over through `env:`", NULL },
	{ "variable that is not set", "stages: {s: {cmd: 'x ${env.NOPE}'}}\n", "E0309", 1, 22,
		"the environment has no `NOPE`", "set it under `env:`", NULL },
};

static void faults_are_shown_inside_the_text(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++)
		check_wrong(&wrongs[i]);
}

static void every_fault_of_a_text_is_told(void **state)
{
	struct loaded l;

	(void)state;
	load_text(&l, "stages:\n  s:\n    cmd: x ${params.a} ${params.b}\n    cwd: ${params.c}\n");
	assert_int_equal(l.diags.count, 3);
	assert_int_equal(l.diags.items[0].col, 12);
	assert_int_equal(l.diags.items[1].col, 24);
	assert_int_equal(l.diags.items[2].line, 4);
	loaded_release(&l);
}

static void fault_of_all_instances_is_told_once(void **state)
{
	struct loaded l;

	(void)state;
	load_text(&l, "stages: {s: {foreach: [1, 2, 3], cmd: 'x ${params.a}'}}\n");
	assert_int_equal(l.diags.count, 1);
	assert_int_equal(l.diags.dropped, 0);
	loaded_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_put_into_commands),
		cmocka_unit_test(paths_take_values_as_they_are),
		cmocka_unit_test(whole_values_keep_their_types),
		cmocka_unit_test(faults_are_shown_inside_the_text),
		cmocka_unit_test(every_fault_of_a_text_is_told),
		cmocka_unit_test(fault_of_all_instances_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
