#include "../support/dag_text.h"

#include <stdlib.h>

static const char *param_of(const struct loaded *l, const char *name, bool origin)
{
	const struct graph *g = &l->graph;
	uint32_t i;

	for (i = 0; i < g->param_count; i++)
		if (strcmp(graph_text(g, g->params[i].name), name) == 0)
			return graph_text(g, origin ? g->params[i].origin : g->params[i].value);
	return "(none)";
}

static const char *const files[] = { "params.yaml", "# comment\ntrain:\n  lr: 0.5\n  name: net\n",
	"more.yaml", "deep: {a: {b: [1, 2], n: 1.5, z: ~}}\n", "over.yaml",
	"train: {lr: 1}\ndeep: {a: {z: [x]}}\n", "bad.yaml", "- a\n", "broken.yaml", "a: [\n",
	"empty.yaml", "", "wrong.yaml", "train: {name: 5}\nnope: 1\n", NULL };

static const char text[] = "params:\n"
			   "  include: [params.yaml, ./more.yaml]\n"
			   "  train: {epochs: 20}\n"
			   "  list: [1, 2]\n"
			   "stages:\n"
			   "  a: {cmd: x, params: [train]}\n";

static void parameters_come_from_all_places(void **state)
{
	static const char *const sets[] = { "train.epochs=30", "train.name=5", "list=[3]",
		"deep.a={n: 2}", NULL };
	struct loaded l;

	(void)state;
	load_world(&l, text, files, NULL, sets);
	assert_int_equal(l.rc, 0);
	assert_string_equal(param_of(&l, "train.lr", false), "0.5");
	assert_string_equal(param_of(&l, "train.lr", true), "params.yaml:3");
	assert_string_equal(param_of(&l, "train.epochs", false), "30");
	assert_string_equal(param_of(&l, "train.epochs", true), "-p train.epochs");
	assert_string_equal(param_of(&l, "train.name", false), "\"5\"");
	assert_string_equal(param_of(&l, "list", false), "[3]");
	assert_string_equal(param_of(&l, "deep.a.b", false), "[1,2]");
	assert_string_equal(param_of(&l, "deep.a.b", true), "more.yaml:1");
	assert_string_equal(param_of(&l, "deep.a.n", false), "2");
	assert_string_equal(param_of(&l, "deep.a.n", true), "-p deep.a");
	assert_string_equal(field_of(&l, l.graph.nodes[0].params, "train.epochs"), "30");
	loaded_release(&l);
}

static void parameter_files_override_in_order(void **state)
{
	static const char *const names[] = { "over.yaml", "empty.yaml" };
	static const char *const sets[] = { "deep.a.z=7" };
	struct text_world world = { files, NULL };
	struct dag_input input = { .text = text,
		.len = sizeof text - 1,
		.files = names,
		.file_count = 2,
		.sets = sets,
		.set_count = 1,
		.read = text_read,
		.user = &world };
	struct loaded l;

	(void)state;
	load_input(&l, &input);
	assert_int_equal(l.rc, 0);
	assert_string_equal(param_of(&l, "train.lr", false), "1");
	assert_string_equal(param_of(&l, "train.lr", true), "over.yaml:1");
	assert_string_equal(param_of(&l, "deep.a.z", false), "7");
	loaded_release(&l);
}

static void all_that_was_read_is_noted(void **state)
{
	static const char *const sets[] = { "list=[3]", NULL };
	const struct graph *g;
	struct loaded l;

	(void)state;
	load_world(&l, text, files, NULL, sets);
	g = &l.graph;
	assert_int_equal(g->source_count, 3);
	assert_string_equal(graph_text(g, g->sources[0].name), "file:params.yaml");
	assert_int_equal(strlen(graph_text(g, g->sources[0].value)), 64);
	assert_string_equal(graph_text(g, g->sources[1].name), "file:more.yaml");
	assert_string_equal(graph_text(g, g->sources[2].name), "set");
	assert_string_equal(graph_text(g, g->sources[2].value), "list=[3]");
	loaded_release(&l);
}

struct wrong_set {
	const char *set;
	struct wrong_text wrong;
};

static const struct wrong_set wrong_sets[] = {
	{ "train.lrr=1", { "unknown", "", "E0303", 0, 0, "unknown parameter `train.lrr`",
				 "did you mean `train.lr`?", NULL } },
	{ "trian={lr: 1}", { "unknown map", "", "E0303", 0, 0, "unknown parameter `trian`",
				   "did you mean `train`?", NULL } },
	{ "train.epochs=many",
		{ "text for a whole number", "", "E0304", 1, 1,
			"the parameter `train.epochs` is a whole number, and `many` is text", NULL,
			"its default is `20`, at dag.yaml:3" } },
	{ "train.epochs=0.5", { "number for a whole number", "", "E0304", 1, 1, "`0.5` is a number",
				      NULL, NULL } },
	{ "list=3", { "number for a list", "", "E0304", 1, 1,
			    "the parameter `list` is a list, and `3` is a whole number", NULL,
			    "`[1,2]`, at dag.yaml:4" } },
	{ "train=3",
		{ "number for a map", "", "E0304", 0, 0,
			"the parameter `train` is a map, and `3` is a whole number", NULL, NULL } },
	{ "train={lr: x}", { "inside a map", "", "E0304", 1, 6,
				   "the parameter `train.lr` is a number, and `x` is text", NULL,
				   "its default is `0.5`, at params.yaml:3" } },
	{ "train", { "no value", "", "E0305", 0, 0, "`-p train` is not NAME=VALUE", NULL, NULL } },
	{ "=1", { "no name", "", "E0305", 0, 0, "is not NAME=VALUE", NULL, NULL } },
	{ "list=[1", { "not YAML", "", "E0101", 1, 1, "a list misses", NULL, NULL } },
};

static void wrong_options_are_refused(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof wrong_sets / sizeof wrong_sets[0]; i++) {
		const char *const sets[] = { wrong_sets[i].set, NULL };
		struct loaded l;

		load_world(&l, text, files, NULL, sets);
		assert_int_equal(l.rc, ERR_INPUT);
		check_diag(&wrong_sets[i].wrong, &l.diags.items[0]);
		assert_int_equal(strncmp(l.diags.items[0].file, "-p ", 3), 0);
		loaded_release(&l);
	}
}

static void wrong_parameter_file_is_shown_in_place(void **state)
{
	static const char *const names[] = { "wrong.yaml" };
	static const struct wrong_text unknown = { "unknown", "", "E0303", 2, 1,
		"unknown parameter `nope`", NULL, NULL };
	static const struct wrong_text type = { "type", "", "E0304", 1, 15,
		"the parameter `train.name` is text, and `5` is a whole number", NULL,
		"its default is `net`, at params.yaml:4" };
	struct text_world world = { files, NULL };
	struct dag_input input = { .text = text,
		.len = sizeof text - 1,
		.files = names,
		.file_count = 1,
		.read = text_read,
		.user = &world };
	struct loaded l;

	(void)state;
	load_input(&l, &input);
	assert_int_equal(l.diags.count, 2);
	check_diag(&type, &l.diags.items[0]);
	check_diag(&unknown, &l.diags.items[1]);
	assert_string_equal(l.diags.items[0].file, "wrong.yaml");
	loaded_release(&l);
}

static const struct wrong_text wrongs[] = {
	{ "not YAML", "stages: {a: {cmd: x}\n", "E0101", 1, 9, NULL, NULL, NULL },
	{ "key twice", "stages:\n  a: {cmd: x}\n  a: {cmd: y}\n", "E0106", 3, 3,
		"the key `a` is given twice", "second", "the first is at dag.yaml:2:3" },
	{ "name of a parameter", "params: {a.b: 1}\nstages: {a: {cmd: x}}\n", "E0301", 1, 10,
		"`a.b` cannot be the name of a parameter", "letters", NULL },
	{ "parameter in two places",
		"params: {include: [params.yaml], train: {lr: 1}}\nstages: {a: {cmd: x}}\n",
		"E0301", 1, 46, "the parameter `train.lr` is given twice", NULL,
		"params.yaml:3:7" },
	{ "leaf and map", "params: {include: [params.yaml], train: 1}\nstages: {a: {cmd: x}}\n",
		"E0301", 1, 41, "the parameter `train` is given twice", NULL, "params.yaml:3:7" },
	{ "include that is not there", "params: {include: [gone.yaml]}\nstages: {a: {cmd: x}}\n",
		"E0302", 1, 20, "parameters cannot be read from `gone.yaml`: no such file", NULL,
		NULL },
	{ "include outside", "params: {include: [../p.yaml]}\nstages: {a: {cmd: x}}\n", "E0302", 1,
		20, "`../p.yaml` is outside the project's folder", NULL, NULL },
	{ "absolute include", "params: {include: /etc/passwd}\nstages: {a: {cmd: x}}\n", "E0302", 1,
		19, "outside", NULL, NULL },
	{ "include of a list", "params: {include: [bad.yaml]}\nstages: {a: {cmd: x}}\n", "E0302", 1,
		1, "a file of parameters must be a map, not a list", NULL, NULL },
	{ "include that is not YAML", "params: {include: [broken.yaml]}\nstages: {a: {cmd: x}}\n",
		"E0101", 1, 4, "a list misses its `]`", "opened here", NULL },
	{ "include is a map", "params: {include: {a: b}}\nstages: {a: {cmd: x}}\n", "E0109", 1, 19,
		"`include` must be a list of files, not a map", NULL, NULL },
	{ "include holds a number", "params: {include: [5]}\nstages: {a: {cmd: x}}\n", "E0109", 1,
		20, "`include` must be a list of files", NULL, NULL },
};

static void faults_of_parameters_are_shown_in_place(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
		struct loaded l;

		load_world(&l, wrongs[i].text, files, NULL, NULL);
		if (l.rc != ERR_INPUT || l.diags.count == 0)
			fail_msg("%s: was taken as right", wrongs[i].name);
		check_diag(&wrongs[i], &l.diags.items[0]);
		loaded_release(&l);
	}
}

static void error_of_an_include_names_its_file(void **state)
{
	struct loaded l;

	(void)state;
	load_world(&l, wrongs[9].text, files, NULL, NULL);
	assert_string_equal(l.diags.items[0].file, "broken.yaml");
	loaded_release(&l);
}

static void text_over_the_limit_is_refused(void **state)
{
	static const char byte[1] = { 'a' }; /* the length is looked at before the text */
	struct dag_input input = { .text = byte, .len = (size_t)DAG_TEXT_MAX + 1 };
	struct loaded l;

	(void)state;
	load_input(&l, &input);
	assert_int_equal(l.rc, ERR_INPUT);
	assert_string_equal(l.diags.items[0].code, "E0103");
	assert_string_equal(l.diags.items[0].message, "the file is larger than 64M");
	loaded_release(&l);
}

static void failed_load_leaves_the_graph_alone(void **state)
{
	struct loaded l;

	(void)state;
	load_text(&l, "stages: {a: {}}\n");
	assert_int_equal(l.rc, ERR_INPUT);
	assert_null(l.graph.block);
	assert_string_equal(l.e.text, "dag.yaml is not valid");
	loaded_release(&l);
}

/* Every prefix, and every byte replaced: right or wrong, never a crash, and what is wrong has a
 * place. */
static void mangled_pipelines_are_refused_in_place(void **state)
{
	static const char whole[] =
		"version: 1\nparams: {a: 1, l: [1, 2]}\nenv: {A: x}\ndefaults: {timeout: "
		"2h}\nstages:\n"
		"  p: {cmd: 'x ${params.a}', outs: {o: d/a}, retry: {limit: 1}}\n"
		"  q: {foreach: '${params.l}', cmd: [x, '${item}'], deps: [d], outs: "
		"['e/${item}']}\n"
		"  r: {matrix: {k: [1]}, uses: t, with: {b: '${item.k}'}, needs: [p]}\n";
	static const char bytes[] = "\n:[]{}\"'&*!$@,x1 .";
	char copy[sizeof whole];
	size_t i, j;

	(void)state;
	for (i = 0; i + 1 < sizeof whole; i++) {
		for (j = 0; j < sizeof bytes; j++) {
			struct loaded l;

			memcpy(copy, whole, sizeof whole);
			copy[i] = bytes[j];
			load_text(&l, copy);
			if (l.rc < 0 && (l.diags.count == 0 || l.diags.items[0].line == 0))
				fail_msg("no place: %s", copy);
			loaded_release(&l);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_come_from_all_places),
		cmocka_unit_test(parameter_files_override_in_order),
		cmocka_unit_test(all_that_was_read_is_noted),
		cmocka_unit_test(wrong_options_are_refused),
		cmocka_unit_test(wrong_parameter_file_is_shown_in_place),
		cmocka_unit_test(faults_of_parameters_are_shown_in_place),
		cmocka_unit_test(error_of_an_include_names_its_file),
		cmocka_unit_test(text_over_the_limit_is_refused),
		cmocka_unit_test(failed_load_leaves_the_graph_alone),
		cmocka_unit_test(mangled_pipelines_are_refused_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
