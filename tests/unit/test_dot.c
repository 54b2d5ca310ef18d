#include "../support/dag_text.h"

#include <jansson.h>

#include "dag/dot.h"

static const char text[] = "name: 'a \"b\" \\'\n"
			   "stages:\n"
			   "  prep: {cmd: x, outs: {o: 'd \"q\"'}}\n"
			   "  end: {foreach: [1, 2], cmd: x, deps: {i: 'd \"q\"', j: other}}\n";

static void graphviz_names_are_quoted(void **state)
{
	struct buf out = { 0 };
	struct loaded l;

	(void)state;
	load_good(&l, text);
	dot_write(&out, &l.graph, DOT_GRAPHVIZ, DOT_AUTO);
	assert_string_equal(buf_text(&out), "digraph \"a \\\"b\\\" \\\\\" {\n"
					    "\trankdir=LR;\n"
					    "\tnode [shape=box];\n"
					    "\t\"prep\" [label=\"prep\"];\n"
					    "\t\"end@1\" [label=\"end@1\"];\n"
					    "\t\"end@2\" [label=\"end@2\"];\n"
					    "\t\"prep\" -> \"end@1\";\n"
					    "\t\"prep\" -> \"end@2\";\n"
					    "}\n");
	buf_release(&out);
	loaded_release(&l);
}

static void mermaid_ids_are_numbers(void **state)
{
	struct buf out = { 0 };
	struct loaded l;

	(void)state;
	load_good(&l, text);
	dot_write(&out, &l.graph, DOT_MERMAID, DOT_STAGES);
	assert_string_equal(buf_text(&out), "flowchart LR\n"
					    "\tn0[\"prep\"]\n"
					    "\tn1[\"end (x2)\"]\n"
					    "\tn0 --> n1\n");
	buf_release(&out);
	loaded_release(&l);
}

static void json_is_valid_and_complete(void **state)
{
	const json_t *nodes, *node;
	struct buf out = { 0 };
	struct loaded l;
	json_t *root;

	(void)state;
	load_good(&l, text);
	dot_write(&out, &l.graph, DOT_JSON, DOT_TASKS);
	root = json_loadb(out.data, out.len, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "level")), "task");
	nodes = json_object_get(root, "nodes");
	assert_int_equal(json_array_size(nodes), 3);
	node = json_array_get(nodes, 1);
	assert_string_equal(json_string_value(json_object_get(node, "name")), "end@1");
	assert_string_equal(json_string_value(json_object_get(node, "stage")), "end");
	node = json_array_get(json_object_get(node, "deps"), 0);
	assert_string_equal(json_string_value(json_object_get(node, "path")), "d \"q\"");
	assert_string_equal(json_string_value(json_object_get(node, "producer")), "prep");
	json_decref(root);
	buf_release(&out);
	loaded_release(&l);
}

static void many_tasks_are_drawn_as_stages(void **state)
{
	struct buf yaml = { 0 }, out = { 0 };
	struct loaded l;
	int i;

	(void)state;
	buf_str(&yaml, "stages: {a: {cmd: x, foreach: [0");
	for (i = 1; i <= DOT_TASKS_MAX; i++)
		buf_printf(&yaml, ", %d", i);
	buf_str(&yaml, "]}}\n");
	load_good(&l, buf_text(&yaml));
	dot_write(&out, &l.graph, DOT_MERMAID, DOT_AUTO);
	assert_string_equal(buf_text(&out), "flowchart LR\n\tn0[\"a (x61)\"]\n");
	buf_release(&yaml);
	buf_release(&out);
	loaded_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(graphviz_names_are_quoted),
		cmocka_unit_test(mermaid_ids_are_numbers),
		cmocka_unit_test(json_is_valid_and_complete),
		cmocka_unit_test(many_tasks_are_drawn_as_stages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
