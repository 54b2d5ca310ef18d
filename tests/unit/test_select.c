#include "../support/dag_text.h"

#include "dag/select.h"

/* Names of what is selected, with blanks between; or the error. */
static const char *selected(struct loaded *l, const struct selection_wish *wish)
{
	struct selection s;
	struct buf names = { 0 };
	const char *result;
	uint32_t n, count = 0;

	if (selection_make(&s, &l->graph, wish, &l->e) < 0)
		return l->e.text;
	for (n = 0; n < l->graph.node_count; n++) {
		if (!selection_has(&s, n))
			continue;
		buf_printf(&names, "%s%s", count > 0 ? " " : "", node_name(&l->graph, n));
		count++;
	}
	assert_int_equal(count, s.count);
	selection_release(&s);
	result = buf_in(&names, &l->arena);
	buf_release(&names);
	return result;
}

static const char text[] = "stages:\n"
			   "  prep: {cmd: x}\n"
			   "  train: {foreach: [1, 2], cmd: x, needs: [prep]}\n"
			   "  eval: {foreach: [1, 2], cmd: x, needs: ['train@${item}']}\n"
			   "  report: {cmd: x, needs: [eval]}\n"
			   "  other: {cmd: x}\n";

static void targets_bring_all_above_them(void **state)
{
	static const char *const eval[] = { "eval@2" };
	static const char *const both[] = { "train", "other" };
	struct loaded l;

	(void)state;
	load_good(&l, text);
	assert_string_equal(selected(&l, &(struct selection_wish){ 0 }),
		"prep train@1 train@2 eval@1 eval@2 report other");
	assert_string_equal(selected(&l, &(struct selection_wish){ .names = eval, .count = 1 }),
		"prep train@2 eval@2");
	assert_string_equal(selected(&l, &(struct selection_wish){ .names = both, .count = 2 }),
		"prep train@1 train@2 other");
	loaded_release(&l);
}

static void from_until_and_only_narrow(void **state)
{
	static const char *const report[] = { "report" };
	struct loaded l;

	(void)state;
	load_good(&l, text);
	assert_string_equal(selected(&l, &(struct selection_wish){ .from = "train@1" }),
		"train@1 eval@1 report");
	assert_string_equal(
		selected(&l, &(struct selection_wish){ .until = "train" }), "prep train@1 train@2");
	assert_string_equal(
		selected(&l, &(struct selection_wish){ .only = "eval" }), "eval@1 eval@2");
	assert_string_equal(
		selected(&l, &(struct selection_wish){ .from = "train@1", .until = "eval" }),
		"train@1 eval@1");
	assert_string_equal(
		selected(&l,
			&(struct selection_wish){ .names = report, .count = 1, .only = "other" }),
		"");
	loaded_release(&l);
}

static void unknown_name_has_a_suggestion(void **state)
{
	struct selection s;
	struct loaded l;

	(void)state;
	load_good(&l, text);
	assert_int_equal(
		selection_make(&s, &l.graph, &(struct selection_wish){ .only = "trian" }, &l.e),
		ERR_USAGE);
	assert_string_equal(l.e.text, "there is no stage `trian` in this pipeline");
	assert_string_equal(l.e.hint, "did you mean `train`?");
	assert_string_equal(l.e.id, "E0213");
	assert_int_equal(
		selection_make(&s, &l.graph, &(struct selection_wish){ .from = "eval@3" }, &l.e),
		ERR_USAGE);
	assert_string_equal(l.e.hint, "did you mean `eval@1`?");
	loaded_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_bring_all_above_them),
		cmocka_unit_test(from_until_and_only_narrow),
		cmocka_unit_test(unknown_name_has_a_suggestion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
