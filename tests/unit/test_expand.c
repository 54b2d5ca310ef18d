#include "../support/dag_text.h"

static void check_names(struct loaded *l, const char *const *names)
{
	uint32_t n = 0;

	for (; names[n] != NULL; n++) {
		assert_true(n < l->graph.node_count);
		assert_string_equal(node_name(&l->graph, n), names[n]);
	}
	assert_int_equal(l->graph.node_count, n);
}

static void foreach_list_names_instances_by_value(void **state)
{
	static const char *const names[] = { "t@1", "t@0.1", "t@a-b", "t@007", NULL };
	struct loaded l;

	(void)state;
	load_good(&l, "stages: {t: {foreach: [1, 0.1, 'a b', 007], cmd: 'run ${item} ${key}'}}\n");
	check_names(&l, names);
	assert_string_equal(command_of(&l, "t@0.1"), "run 0.1 1");
	assert_string_equal(command_of(&l, "t@a-b"), "run 'a b' 2");
	assert_int_equal(l.graph.stages[0].nodes.count, 4);
	loaded_release(&l);
}

static void foreach_map_names_instances_by_key(void **state)
{
	static const char *const names[] = { "t@small", "t@big", NULL };
	struct loaded l;

	(void)state;
	load_good(&l, "stages:\n"
		      "  t:\n"
		      "    foreach: {small: {n: 1, deep: {x: q}}, big: {n: 2, deep: {x: r}}}\n"
		      "    cmd: run ${key} ${item.n} ${item.deep.x}\n");
	check_names(&l, names);
	assert_string_equal(command_of(&l, "t@big"), "run big 2 r");
	loaded_release(&l);
}

static void foreach_list_of_maps_counts(void **state)
{
	static const char *const names[] = { "t@0", "t@1", NULL };
	struct loaded l;

	(void)state;
	load_good(&l, "stages: {t: {foreach: [{a: x}, {a: y}], cmd: 'run ${item.a}'}}\n");
	check_names(&l, names);
	assert_string_equal(command_of(&l, "t@1"), "run y");
	loaded_release(&l);
}

static void foreach_takes_a_parameter(void **state)
{
	static const char *const sets[] = { "seeds=[7, 8, 9]", NULL };
	static const char *const names[] = { "t@7", "t@8", "t@9", "u@x", NULL };
	static const char text[] = "params: {seeds: [1, 2], sizes: {x: 1}}\n"
				   "stages:\n"
				   "  t: {foreach: '${params.seeds}', cmd: 'run ${item}'}\n"
				   "  u: {foreach: '${params.sizes}', cmd: 'run ${item}'}\n";
	struct loaded l;

	(void)state;
	load_world(&l, text, NULL, NULL, sets);
	assert_int_equal(l.rc, 0);
	check_names(&l, names);
	assert_int_equal(l.graph.nodes[0].params.count, 0);
	loaded_release(&l);
}

static void empty_foreach_has_no_instances(void **state)
{
	struct loaded l;

	(void)state;
	load_good(&l, "stages: {t: {foreach: [], cmd: run}, u: {cmd: run, needs: [t]}}\n");
	assert_int_equal(l.graph.stage_count, 2);
	assert_int_equal(l.graph.node_count, 1);
	assert_int_equal(l.graph.nodes[0].before.count, 0);
	loaded_release(&l);
}

static void matrix_is_every_combination(void **state)
{
	static const char *const names[] = { "t@lr-0.1_seed-1", "t@lr-0.1_seed-2",
		"t@lr-0.2_seed-1", "t@lr-0.2_seed-2", NULL };
	struct loaded l;

	(void)state;
	load_good(&l, "stages:\n"
		      "  t:\n"
		      "    matrix: {lr: [0.1, 0.2], seed: [1, 2]}\n"
		      "    cmd: run ${item.lr} ${item.seed} ${key}\n"
		      "    outs: ['out/${key}']\n"
		      "    max_parallel: 2\n");
	check_names(&l, names);
	assert_string_equal(command_of(&l, "t@lr-0.2_seed-1"), "run 0.2 1 lr-0.2_seed-1");
	assert_int_equal(l.graph.stages[0].max_parallel, 2);
	loaded_release(&l);
}

static void matrix_includes_and_excludes(void **state)
{
	static const char *const names[] = { "t@a-1_b-x", "t@a-2_b-x", "t@a-2_b-y", "t@a-9_b-z",
		NULL };
	struct loaded l;

	(void)state;
	load_good(&l, "stages:\n"
		      "  t:\n"
		      "    matrix:\n"
		      "      a: [1, 2]\n"
		      "      b: [x, y]\n"
		      "      exclude: [{a: 1, b: y}]\n"
		      "      include: [{a: 9, b: z}]\n"
		      "    cmd: run ${item.a} ${item.b}\n");
	check_names(&l, names);
	loaded_release(&l);
}

static void tracked_params_are_leaves(void **state)
{
	struct loaded l;
	const struct node *n;

	(void)state;
	load_good(&l, "params: {train: {lr: 0.10, epochs: 20}, other: 1, name: x, train-x: 2}\n"
		      "stages:\n"
		      "  a: {cmd: 'run ${params.name}', params: [train]}\n"
		      "  b: {cmd: run, params: train.lr}\n"
		      "  c: {uses: c, with: {t: '${params.train}', n: 'a-${params.other}'}}\n");
	n = &l.graph.nodes[0];
	assert_int_equal(n->params.count, 3);
	assert_string_equal(field_of(&l, n->params, "name"), "\"x\"");
	assert_string_equal(field_of(&l, n->params, "train.lr"), "0.1");
	assert_string_equal(field_of(&l, n->params, "train.epochs"), "20");
	assert_int_equal(l.graph.nodes[1].params.count, 1);
	n = &l.graph.nodes[2];
	assert_int_equal(n->params.count, 3);
	assert_string_equal(field_of(&l, n->with, "t"), "{\"epochs\":20,\"lr\":0.1}");
	assert_string_equal(field_of(&l, n->with, "n"), "\"a-1\"");
	assert_int_equal(l.graph.param_count, 5);
	assert_string_equal(graph_text(&l.graph, l.graph.params[0].name), "name");
	assert_string_equal(graph_text(&l.graph, l.graph.params[0].origin), "dag.yaml:1");
	loaded_release(&l);
}

static void simple_commands_need_no_shell(void **state)
{
	static const struct {
		const char *cmd;
		uint32_t words;
	} cases[] = {
		{ "python train.py --lr=0.1 a%b", 4 },
		{ "cp 'a b' c", 3 },
		{ "cp \"a b\" c", 3 },
		{ "true", 1 },
		{ "a | b", 0 },
		{ "a > b", 0 },
		{ "a; b", 0 },
		{ "a && b", 0 },
		{ "ls *.c", 0 },
		{ "echo $HOME", 0 },
		{ "echo hi", 0 },
		{ "cd x", 0 },
		{ "A=1 b", 0 },
		{ "a \"$b\"", 0 },
		{ "a `b`", 0 },
		{ "a ~/b", 0 },
		{ "a {b,c}", 0 },
		{ "a # b", 0 },
		{ "! a", 0 },
		{ "a \\ b", 0 },
		{ "if a", 0 },
		{ "[ a ]", 0 },
	};
	struct buf text = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct loaded l;

		buf_clear(&text);
		buf_printf(&text, "stages:\n  a:\n    cmd: |\n      %s\n", cases[i].cmd);
		load_good(&l, buf_text(&text));
		if (l.graph.nodes[0].argv.count != cases[i].words)
			fail_msg("`%s` has %u words", cases[i].cmd, l.graph.nodes[0].argv.count);
		assert_string_equal(command_of(&l, "a"), cases[i].cmd);
		loaded_release(&l);
	}
	buf_release(&text);
}

static void list_of_words_is_never_for_a_shell(void **state)
{
	const struct graph *g;
	struct loaded l;

	(void)state;
	load_good(&l,
		"params: {p: \"it's\", l: [1]}\n"
		"stages: {a: {cmd: [echo, 'a b', '$x', '${params.p}', 7, '', '${params.l}']}}\n");
	g = &l.graph;
	assert_int_equal(g->nodes[0].argv.count, 7);
	assert_string_equal(graph_text(g, g->words[2]), "$x");
	assert_string_equal(graph_text(g, g->words[3]), "it's");
	assert_string_equal(graph_text(g, g->words[6]), "[1]");
	assert_string_equal(command_of(&l, "a"), "echo 'a b' '$x' 'it'\\''s' 7 '' '[1]'");
	loaded_release(&l);
}

static void environment_is_in_layers(void **state)
{
	static const char *const variables[] = { "HOME", "/home/x", NULL };
	static const char text[] =
		"params: {p: 5}\n"
		"env: {HOME: , A: top, B: top, GONE: }\n"
		"stages:\n"
		"  s: {foreach: [1, 2], cmd: run, env: {B: 'v${params.p}', I: '${item}'}}\n"
		"  t: {cmd: 'run ${env.A}', cwd: ./sub/}\n";
	const struct node *n;
	struct loaded l;

	(void)state;
	load_world(&l, text, NULL, variables, NULL);
	assert_int_equal(l.rc, 0);
	n = &l.graph.nodes[1];
	assert_int_equal(n->env.count, 4);
	assert_string_equal(field_of(&l, n->env, "HOME"), "/home/x");
	assert_string_equal(field_of(&l, n->env, "A"), "top");
	assert_string_equal(field_of(&l, n->env, "B"), "v5");
	assert_string_equal(field_of(&l, n->env, "I"), "2");
	assert_string_equal(field_of(&l, n->env, "GONE"), "(none)");
	assert_int_equal(n->params.count, 1);
	assert_string_equal(graph_text(&l.graph, l.graph.nodes[2].cwd), "sub");
	assert_string_equal(command_of(&l, "t"), "run top");
	assert_int_equal(l.graph.source_count, 2);
	assert_string_equal(graph_text(&l.graph, l.graph.sources[0].name), "env:HOME");
	assert_string_equal(graph_text(&l.graph, l.graph.sources[1].name), "env:GONE");
	assert_string_equal(graph_text(&l.graph, l.graph.sources[1].origin), "unset");
	loaded_release(&l);
}

static const struct wrong_text wrongs[] = {
	{ "same name", "stages: {t: {foreach: ['a b', 'a/b'], cmd: x}}\n", "E0208", 1, 23,
		"two instances have the name `t@a-b`", "foreach: {NAME: VALUE}", NULL },
	{ "long name",
		"stages: {t: {foreach: "
		"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa], cmd: x}}\n",
		"E0208", 1, 23, "over 128 characters", NULL, NULL },
	{ "foreach is text", "stages: {t: {foreach: abc, cmd: x}}\n", "E0210", 1, 23,
		"`foreach` must be a list or a map, not text", NULL, NULL },
	{ "foreach is a number", "params: {n: 3}\nstages: {t: {foreach: '${params.n}', cmd: x}}\n",
		"E0210", 2, 23, "not a whole number", NULL, NULL },
	{ "matrix without a list", "stages: {t: {matrix: {a: 1}, cmd: x}}\n", "E0210", 1, 26,
		"each key of `matrix` must be a list", NULL, NULL },
	{ "exclude of an unknown list",
		"stages: {t: {matrix: {seed: [1], exclude: [{sed: 1}]}, cmd: x}}\n", "E0210", 1, 45,
		"the matrix has no list `sed`", "did you mean `seed`?", NULL },
	{ "include is a map", "stages: {t: {matrix: {a: [1], include: {a: 2}}, cmd: x}}\n", "E0210",
		1, 40, "`include` must be a list of maps", NULL, NULL },
	{ "combination is text", "stages: {t: {matrix: {a: [1], exclude: [b]}, cmd: x}}\n", "E0210",
		1, 41, "a combination must be a map", NULL, NULL },
	{ "empty command", "stages: {t: {cmd: '  '}}\n", "E0405", 1, 19,
		"the command of stage `t` is empty", NULL, NULL },
	{ "empty list of words", "stages: {t: {cmd: []}}\n", "E0405", 1, 19, "empty", NULL, NULL },
	{ "list in a command", "stages: {t: {cmd: [a, [b]]}}\n", "E0405", 1, 23, "must be text",
		NULL, NULL },
	{ "unknown tracked parameter",
		"params: {train: {lr: 1}}\nstages: {t: {cmd: x, params: [trian.lr]}}\n", "E0303", 2,
		31, "unknown parameter `trian.lr`", "did you mean `train.lr`?", NULL },
	{ "tracked parameter is a map", "stages: {t: {cmd: x, params: [{a: 1}]}}\n", "E0109", 1, 31,
		"`params` must be a list of names", NULL, NULL },
	{ "cwd outside", "stages: {t: {cmd: x, cwd: ../a}}\n", "E0212", 1, 27,
		"`cwd` must be a folder of the project, not `../a`", NULL, NULL },
	{ "empty path", "stages: {t: {cmd: x, deps: ['']}}\n", "E0212", 1, 29,
		"a path may not be empty", NULL, NULL },
	{ "path of two lines", "stages: {t: {cmd: x, deps: [\"a\\nb\"]}}\n", "E0212", 1, 29,
		"control characters", NULL, NULL },
	{ "absolute out", "stages: {t: {cmd: x, outs: [/tmp/x]}}\n", "E0205", 1, 29,
		"the out `/tmp/x` is outside the project's folder", NULL, NULL },
	{ "out above", "stages: {t: {cmd: x, outs: [a/../../b]}}\n", "E0205", 1, 29,
		"the out `../b` is outside", NULL, NULL },
	{ "out is everything", "stages: {t: {cmd: x, outs: [.]}}\n", "E0205", 1, 29,
		"the project's folder itself", NULL, NULL },
	{ "out in .flow", "stages: {t: {cmd: x, outs: [.flow/x]}}\n", "E0205", 1, 29,
		"inside .flow", NULL, NULL },
	{ "out in .git", "stages: {t: {cmd: x, outs: [./.git]}}\n", "E0205", 1, 29, "inside .git",
		NULL, NULL },
	{ "out is the pipeline", "stages: {t: {cmd: x, outs: [dag.yaml]}}\n", "E0205", 1, 29,
		"the pipeline's own file", NULL, NULL },
	{ "needs a map", "stages: {t: {cmd: x, needs: [{a: b}]}}\n", "E0109", 1, 30,
		"`needs` must be a list of stages", NULL, NULL },
};

static void faults_of_instances_are_shown_in_place(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++)
		check_wrong(&wrongs[i]);
}

static void explosions_are_counted_before_they_happen(void **state)
{
	struct buf text = { 0 };
	struct loaded l;
	int i, j;

	(void)state;
	buf_str(&text, "stages:\n  t:\n    cmd: x\n    matrix:\n");
	for (i = 0; i < 9; i++) {
		buf_printf(&text, "      k%d: [", i);
		for (j = 0; j < 10; j++)
			buf_printf(&text, "%s%d", j > 0 ? ", " : "", j);
		buf_str(&text, "]\n");
	}
	load_text(&l, buf_text(&text));
	assert_int_equal(l.rc, ERR_INPUT);
	assert_string_equal(l.diags.items[0].code, "E0209");
	assert_int_equal(l.diags.items[0].line, 5);
	assert_non_null(strstr(l.diags.items[0].message, "alone adds 1000000000"));
	loaded_release(&l);
	buf_release(&text);
}

static void texts_that_unfold_to_gigabytes_are_refused(void **state)
{
	struct buf text = { 0 };
	struct loaded l;
	int i;

	(void)state;
	buf_str(&text, "stages:\n  t:\n    foreach: [");
	for (i = 0; i < 3000; i++)
		buf_printf(&text, "%s%d", i > 0 ? "," : "", i);
	buf_str(&text, "]\n    cmd: run\n    env:\n      A: ${item} ");
	buf_repeat(&text, 'x', 1000000);
	buf_char(&text, '\n');
	load_text(&l, buf_text(&text));
	assert_int_equal(l.rc, ERR_INPUT);
	assert_string_equal(l.diags.items[0].code, "E0211");
	assert_int_equal(l.diags.items[0].line, 2);
	loaded_release(&l);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreach_list_names_instances_by_value),
		cmocka_unit_test(foreach_map_names_instances_by_key),
		cmocka_unit_test(foreach_list_of_maps_counts),
		cmocka_unit_test(foreach_takes_a_parameter),
		cmocka_unit_test(empty_foreach_has_no_instances),
		cmocka_unit_test(matrix_is_every_combination),
		cmocka_unit_test(matrix_includes_and_excludes),
		cmocka_unit_test(tracked_params_are_leaves),
		cmocka_unit_test(simple_commands_need_no_shell),
		cmocka_unit_test(list_of_words_is_never_for_a_shell),
		cmocka_unit_test(environment_is_in_layers),
		cmocka_unit_test(faults_of_instances_are_shown_in_place),
		cmocka_unit_test(explosions_are_counted_before_they_happen),
		cmocka_unit_test(texts_that_unfold_to_gigabytes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
