#include "../support/dag_text.h"

#include "dag/codes.h"

static bool is_there(void *user, uint32_t dep)
{
	const struct graph *g = user;

	return strncmp(graph_text(g, g->deps[dep].path), "there", 5) == 0;
}

static void missing_dep_tells_who_makes_something_like_it(void **state)
{
	static const struct wrong_text suffix = { "suffix", "", "E0204", 3, 27,
		"no stage writes `data/x.csv` and it is not there", NULL,
		"`prepare` writes `data/x.parquet`" };
	static const struct wrong_text typo = { "typo", "", "E0204", 3, 39,
		"no stage writes `data/traim.csv` and it is not there", NULL,
		"`prepare` writes `data/train.csv`" };
	struct loaded l;

	(void)state;
	load_good(&l, "stages:\n"
		      "  prepare: {cmd: x, outs: [data/x.parquet, data/train.csv]}\n"
		      "  train: {cmd: x, deps: [ data/x.csv, data/traim.csv, there/a, zzz/q, "
		      "data/train.csv]}\n");
	dag_check_deps(&l.graph, is_there, &l.graph, &l.diags);
	assert_int_equal(l.diags.count, 3);
	check_diag(&suffix, &l.diags.items[0]);
	check_diag(&typo, &l.diags.items[1]);
	assert_string_equal(
		l.diags.items[2].message, "no stage writes `zzz/q` and it is not there");
	assert_string_equal(l.diags.items[2].note, "");
	assert_non_null(code_find("E0204"));
	loaded_release(&l);
}

static void missing_dep_of_every_instance_is_told_once(void **state)
{
	struct loaded l;

	(void)state;
	load_good(&l, "stages: {a: {foreach: [1, 2, 3], cmd: x, deps: [gone]}}\n");
	dag_check_deps(&l.graph, is_there, &l.graph, &l.diags);
	assert_int_equal(l.diags.count, 1);
	loaded_release(&l);
}

static void nothing_is_missing_when_all_is_there(void **state)
{
	struct loaded l;

	(void)state;
	load_good(&l, "stages: {a: {cmd: x, deps: [there]}, b: {cmd: x, outs: [o]}, c: {cmd: x, "
		      "deps: [o/p]}}\n");
	dag_check_deps(&l.graph, is_there, &l.graph, &l.diags);
	assert_int_equal(l.diags.count, 0);
	loaded_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_dep_tells_who_makes_something_like_it),
		cmocka_unit_test(missing_dep_of_every_instance_is_told_once),
		cmocka_unit_test(nothing_is_missing_when_all_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
