#include "../support/dag_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "dag/freeze.h"

/* "a b" for the tasks before (or after) one. */
static const char *around(struct loaded *l, const char *name, bool before)
{
	const struct node *n = &l->graph.nodes[node_of(l, name)];
	struct span span = before ? n->before : n->after;
	struct buf text = { 0 };
	const char *result;
	uint32_t i;

	for (i = span.first; i < span.first + span.count; i++)
		buf_printf(&text, "%s%s", i > span.first ? " " : "",
			node_name(&l->graph, l->graph.links[i]));
	result = buf_in(&text, &l->arena);
	buf_release(&text);
	return result;
}

static const char *before(struct loaded *l, const char *name)
{
	return around(l, name, true);
}

static void deps_join_tasks(void **state)
{
	const struct graph *g;
	struct loaded l;

	(void)state;
	load_good(&l, "name: demo\n"
		      "stages:\n"
		      "  report: {cmd: x, deps: [m/train.json, data/a.csv]}\n"
		      "  prep: {cmd: x, outs: [data/a.csv, data/b]}\n"
		      "  train: {cmd: x, deps: {d: ./data//a.csv, in: data/b/part/1}, outs: "
		      "[m/train.json]}\n");
	g = &l.graph;
	assert_string_equal(graph_name(g), "demo");
	assert_string_equal(before(&l, "report"), "prep train");
	assert_string_equal(before(&l, "train"), "prep");
	assert_string_equal(around(&l, "prep", false), "report train");
	assert_int_equal(g->nodes[node_of(&l, "prep")].depth, 0);
	assert_int_equal(g->nodes[node_of(&l, "train")].depth, 1);
	assert_int_equal(g->nodes[node_of(&l, "report")].depth, 2);
	assert_int_equal(g->deps[2].producer, 1);
	assert_string_equal(graph_text(g, g->outs[g->deps[2].out].path), "data/a.csv");
	assert_int_equal(g->deps[3].producer, 1);
	assert_int_equal(g->deps[3].out, NO_OUT);
	assert_int_equal(graph_find(g, "nobody"), NO_NODE);
	loaded_release(&l);
}

static void folder_joins_all_that_write_into_it(void **state)
{
	const struct dep *d;
	struct loaded l;

	(void)state;
	load_good(&l, "stages:\n"
		      "  t: {foreach: [1, 2, 3], cmd: x, outs: ['m/${item}/w', 'm/${item}/v']}\n"
		      "  other: {cmd: x, outs: [mm/x]}\n"
		      "  all: {cmd: x, deps: [m/]}\n"
		      "  one: {cmd: x, deps: [m/2]}\n"
		      "  none: {cmd: x, deps: [n]}\n"
		      "  top: {cmd: x, deps: [.]}\n");
	assert_string_equal(before(&l, "all"), "t@1 t@2 t@3");
	assert_string_equal(before(&l, "one"), "t@2");
	assert_string_equal(before(&l, "none"), "");
	assert_string_equal(before(&l, "top"), "t@1 t@2 t@3 other");
	d = &l.graph.deps[l.graph.nodes[node_of(&l, "all")].deps.first];
	assert_int_equal(d->producer, node_of(&l, "t@1"));
	assert_int_equal(d->out, NO_OUT);
	d = &l.graph.deps[l.graph.nodes[node_of(&l, "none")].deps.first];
	assert_int_equal(d->producer, NO_NODE);
	loaded_release(&l);
}

static void needs_name_stages_or_tasks(void **state)
{
	struct loaded l;

	(void)state;
	load_good(&l, "stages:\n"
		      "  a: {foreach: [1, 2], cmd: x}\n"
		      "  b: {cmd: x, needs: [a]}\n"
		      "  c: {cmd: x, needs: [a@2, b, a@2]}\n"
		      "  d: {foreach: [1, 2], cmd: x, needs: 'a@${item}'}\n");
	assert_string_equal(before(&l, "b"), "a@1 a@2");
	assert_string_equal(before(&l, "c"), "a@2 b");
	assert_string_equal(before(&l, "d@2"), "a@2");
	loaded_release(&l);
}

static const struct wrong_text wrongs[] = {
	{ "same out", "stages:\n  a: {cmd: x, outs: [o]}\n  b: {cmd: x, outs: [./o]}\n", "E0201", 3,
		22, "`o` is an out of both `a` and `b`", NULL, "`a` has `o` at dag.yaml:2:22" },
	{ "same out twice", "stages:\n  a: {cmd: x, outs: [o, o/]}\n", "E0201", 2, 25, NULL,
		"listed twice", NULL },
	{ "same out of instances", "stages:\n  a: {foreach: [1, 2], cmd: x, outs: [o]}\n", "E0201",
		2, 39, "both `a@1` and `a@2`", NULL, NULL },
	{ "nested outs", "stages:\n  a: {cmd: x, outs: [o]}\n  b: {cmd: x, outs: [o/p/q]}\n",
		"E0202", 3, 22, "the out `o/p/q` of `b` lies inside another out, `o`", NULL,
		"`a` has `o` at dag.yaml:2:22" },
	{ "own out", "stages:\n  a: {cmd: x, deps: [o], outs: [o]}\n", "E0203", 2, 22,
		"`a` reads `o`, which it makes itself", NULL, NULL },
	{ "inside own out", "stages:\n  a: {cmd: x, deps: [o/p], outs: [o]}\n", "E0203", 2, 22,
		"`a` reads `o/p`", NULL, "`a` has `o`" },
	{ "folder of own out", "stages:\n  a: {cmd: x, deps: [o], outs: [o/p]}\n", "E0203", 2, 22,
		"`a` reads `o`", NULL, "`a` has `o/p`" },
	{ "unknown need", "stages:\n  train: {cmd: x}\n  b: {cmd: x, needs: [trian]}\n", "E0206", 3,
		23, "`b` needs `trian`, and there is no such stage", "did you mean `train`?",
		NULL },
	{ "unknown instance",
		"stages:\n  train: {foreach: [1], cmd: x}\n  b: {cmd: x, needs: [train@2]}\n",
		"E0206", 3, 23, "needs `train@2`", "did you mean `train@1`?", NULL },
	{ "needs itself", "stages:\n  a: {cmd: x, needs: [a]}\n", "E0207", 2, 3,
		"tasks wait for each other: a -> a", NULL, "`a` at dag.yaml:2" },
	{ "circle of three",
		"stages:\n  z: {cmd: x}\n  a: {cmd: x, needs: [c]}\n  b: {cmd: x, deps: [o]}\n"
		"  c: {cmd: x, needs: [b]}\n  d: {cmd: x, needs: [a], outs: [o]}\n",
		"E0207", 3, 3, "tasks wait for each other: a -> d -> b -> c -> a", NULL,
		"`a` at dag.yaml:3, `d` at dag.yaml:6, `b` at dag.yaml:4, `c` at dag.yaml:5" },
};

static void faults_of_the_graph_show_both_places(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++)
		check_wrong(&wrongs[i]);
}

static void every_circle_is_named(void **state)
{
	struct loaded l;

	(void)state;
	load_text(&l, "stages:\n"
		      "  a: {cmd: x, needs: [b]}\n"
		      "  b: {cmd: x, needs: [a]}\n"
		      "  below: {cmd: x, needs: [b, d]}\n"
		      "  c: {cmd: x, needs: [d]}\n"
		      "  d: {cmd: x, needs: [c]}\n");
	assert_int_equal(l.diags.count, 2);
	assert_string_equal(l.diags.items[0].message, "tasks wait for each other: a -> b -> a");
	assert_string_equal(l.diags.items[1].message, "tasks wait for each other: c -> d -> c");
	loaded_release(&l);
}

static void long_circle_is_cut(void **state)
{
	struct buf text = { 0 };
	struct loaded l;
	int i;

	(void)state;
	buf_str(&text, "stages:\n");
	for (i = 0; i < 1000; i++)
		buf_printf(&text, "  s%d: {cmd: x, needs: [s%d]}\n", i, (i + 999) % 1000);
	load_text(&l, buf_text(&text));
	assert_int_equal(l.diags.count, 1);
	assert_non_null(strstr(l.diags.items[0].message, "s0 -> s1 -> "));
	assert_non_null(strstr(l.diags.items[0].message, " -> s49 -> (950 more) -> s0"));
	loaded_release(&l);
	buf_release(&text);
}

static void long_chain_needs_no_stack(void **state)
{
	struct buf text = { 0 };
	struct loaded l;
	int i;

	(void)state;
	buf_str(&text, "stages:\n  s0: {cmd: x}\n");
	for (i = 1; i < 50000; i++)
		buf_printf(&text, "  s%d: {cmd: x, needs: [s%d]}\n", i, i - 1);
	load_good(&l, buf_text(&text));
	assert_int_equal(l.graph.nodes[49999].depth, 49999);
	loaded_release(&l);
	buf_release(&text);
}

static const char *const sample = "name: demo\n"
				  "params: {lr: 0.1, l: [1, 2]}\n"
				  "env: {A: b}\n"
				  "stages:\n"
				  "  prep: {cmd: cp a b, outs: [data/a]}\n"
				  "  train: {foreach: [1, 2], uses: t, with: {x: '${params.lr}'}, "
				  "deps: [data], outs: ['m/${item}']}\n"
				  "  end: {lua: 'return {}', needs: [train]}\n";

static void block_can_be_mapped_again(void **state)
{
	struct graph again;
	struct loaded l;
	struct err e;
	void *copy;

	(void)state;
	load_good(&l, sample);
	copy = malloc(l.graph.size);
	assert_non_null(copy);
	memcpy(copy, l.graph.block, l.graph.size);
	assert_int_equal(graph_map(&again, copy, l.graph.size, false, &e), 0);
	assert_int_equal(again.node_count, 4);
	assert_string_equal(node_name(&again, 2), "train@2");
	assert_string_equal(graph_name(&again), "demo");
	assert_int_equal(again.param_count, 2);
	graph_release(&again);
	assert_null(again.block);
	graph_release(&again);
	loaded_release(&l);
}

static void same_text_makes_the_same_bytes(void **state)
{
	struct loaded a, b;

	(void)state;
	load_good(&a, sample);
	load_good(&b, sample);
	assert_int_equal(a.graph.size, b.graph.size);
	assert_memory_equal(a.graph.block, b.graph.block, a.graph.size);
	loaded_release(&a);
	loaded_release(&b);
}

static void damaged_block_is_refused(void **state)
{
	struct graph again;
	struct loaded l;
	unsigned char *copy;
	struct err e;
	size_t i;

	(void)state;
	load_good(&l, sample);
	copy = malloc(l.graph.size);
	assert_non_null(copy);
	for (i = 0; i < l.graph.size; i++) {
		memcpy(copy, l.graph.block, l.graph.size);
		copy[i] ^= 0x55;
		assert_int_equal(graph_map(&again, copy, l.graph.size, false, &e), ERR_CORRUPT);
	}
	for (i = 0; i < l.graph.size; i++) {
		memcpy(copy, l.graph.block, l.graph.size);
		assert_int_equal(graph_map(&again, copy, i, false, &e), ERR_CORRUPT);
	}
	free(copy);
	loaded_release(&l);
}

/* Read all that a graph says, as its users do. */
static size_t read_all(const struct graph *g)
{
	size_t sum = strlen(graph_name(g));
	uint32_t n, i;

	for (n = 0; n < g->node_count; n++) {
		const struct node *node = &g->nodes[n];

		sum += strlen(node_name(g, n)) + strlen(graph_text(g, node_stage(g, n)->name)) +
		       strlen(graph_text(g, node->text)) + strlen(graph_text(g, node->uses)) +
		       strlen(graph_text(g, node->cwd));
		for (i = node->argv.first; i < node->argv.first + node->argv.count; i++)
			sum += strlen(graph_text(g, g->words[i]));
		for (i = node->with.first; i < node->with.first + node->with.count; i++)
			sum += strlen(graph_text(g, g->fields[i].value));
		for (i = node->deps.first; i < node->deps.first + node->deps.count; i++)
			sum += strlen(graph_text(g, g->deps[i].path)) +
			       (g->deps[i].out != NO_OUT ? g->outs[g->deps[i].out].flags : 0) +
			       (g->deps[i].producer != NO_NODE ? g->nodes[g->deps[i].producer].line
							       : 0);
		for (i = node->before.first; i < node->before.first + node->before.count; i++)
			sum += g->nodes[g->links[i]].line;
	}
	return sum;
}

/* A right checksum over wrong numbers: whatever is taken can be read without leaving the block. */
static void numbers_are_checked_one_by_one(void **state)
{
	static const unsigned char masks[] = { 0x01, 0x80, 0xff };
	struct graph again;
	struct loaded l;
	unsigned char *copy;
	size_t i, j, refused = 0;
	struct err e;

	(void)state;
	load_good(&l, sample);
	copy = malloc(l.graph.size);
	assert_non_null(copy);
	for (i = sizeof(struct graph_head); i < l.graph.size; i++) {
		for (j = 0; j < sizeof masks; j++) {
			struct graph_head *head = (struct graph_head *)(void *)copy;

			memcpy(copy, l.graph.block, l.graph.size);
			copy[i] ^= masks[j];
			head->checksum = graph_checksum(head);
			if (graph_map(&again, copy, l.graph.size, false, &e) == 0)
				assert_true(read_all(&again) > 0);
			else
				refused++;
		}
	}
	assert_true(refused > 100);
	free(copy);
	loaded_release(&l);
}

/* What a plan counts on beside that: its tables are as large as these numbers say. */
static void order_and_shares_are_checked(void **state)
{
	static const struct {
		size_t node, member;
		uint32_t value;
		const char *what;
	} lies[] = {
		{ 1, offsetof(struct node, depth), 0, "as deep as what comes before it" },
		{ 3, offsetof(struct node, depth), 4, "deeper than there are tasks" },
		{ 0, offsetof(struct node, stage), 1, "in a stage that does not count it" },
		{ 1, offsetof(struct node, outs.count), 0, "an out of nobody" },
		{ 2, offsetof(struct node, outs.first), 1, "an out of two" },
		{ 0, offsetof(struct node, after.count), 1, "does not know who comes after" },
		{ 3, offsetof(struct node, before.count), 1, "does not know who comes before" },
	};
	struct graph again;
	struct loaded l;
	char *copy;
	struct err e;
	size_t i;

	(void)state;
	load_good(&l, sample);
	copy = malloc(l.graph.size);
	assert_non_null(copy);
	for (i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		struct graph_head *head = (struct graph_head *)(void *)copy;
		size_t nodes = (size_t)((const char *)l.graph.nodes - (const char *)l.graph.block);

		memcpy(copy, l.graph.block, l.graph.size);
		memcpy(copy + nodes + lies[i].node * sizeof(struct node) + lies[i].member, &lies[i].value,
			sizeof lies[i].value);
		head->checksum = graph_checksum(head);
		if (graph_map(&again, copy, l.graph.size, false, &e) != ERR_CORRUPT)
			fail_msg("taken: %s", lies[i].what);
	}
	free(copy);
	loaded_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deps_join_tasks),
		cmocka_unit_test(folder_joins_all_that_write_into_it),
		cmocka_unit_test(needs_name_stages_or_tasks),
		cmocka_unit_test(faults_of_the_graph_show_both_places),
		cmocka_unit_test(every_circle_is_named),
		cmocka_unit_test(long_circle_is_cut),
		cmocka_unit_test(long_chain_needs_no_stack),
		cmocka_unit_test(block_can_be_mapped_again),
		cmocka_unit_test(same_text_makes_the_same_bytes),
		cmocka_unit_test(damaged_block_is_refused),
		cmocka_unit_test(numbers_are_checked_one_by_one),
		cmocka_unit_test(order_and_shares_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
