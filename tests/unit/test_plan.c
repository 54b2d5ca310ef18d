#include "../support/fake_past.h"

static struct fake f;

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof f);
	fake_write(&f, "raw", "1");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_close(&f);
	return 0;
}

static void first_run_runs_all(void **state)
{
	(void)state;
	fake_load(&f, chain, NULL);
	fake_plan(&f, NULL);
	expect(&f, "prep", VERDICT_RUN, REASON_NEVER_RUN);
	expect(&f, "train", VERDICT_RUN, REASON_NEVER_RUN);
	expect(&f, "report", VERDICT_RUN, REASON_NEVER_RUN);
	assert_int_equal(f.plan.count[VERDICT_RUN], 4);
	assert_int_equal(plan_estimate_ms(&f.plan), -1);
	expect_text(&f, "prep", "never run before");
	fake_run(&f);
	assert_string_equal(f.ran, "prep train eval report ");
}

static void second_run_does_nothing(void **state)
{
	(void)state;
	fake_run_once(&f, chain);
	expect(&f, "prep", VERDICT_REUSE, REASON_SAME_KEY);
	expect(&f, "report", VERDICT_REUSE, REASON_SAME_KEY);
	assert_int_equal(f.plan.count[VERDICT_REUSE], 4);
	assert_int_equal(plan_estimate_ms(&f.plan), 0);
	assert_false(choice_of(&f, "prep")->restore);
	expect_text(&f, "prep", "same key");
	fake_run(&f);
	assert_string_equal(f.ran, "");
}

static void changed_param_names_both_values_and_its_origin(void **state)
{
	static const char *const sets[] = { "train.lr=0.1", NULL };
	const struct choice *c;

	(void)state;
	fake_run_once(&f, chain);
	fake_load(&f, chain, sets);
	fake_plan(&f, NULL);
	expect(&f, "prep", VERDICT_REUSE, REASON_SAME_KEY);
	expect(&f, "train", VERDICT_RUN, REASON_PARAM_CHANGED);
	expect(&f, "eval", VERDICT_MAYBE, REASON_UPSTREAM_RAN);
	c = choice_of(&f, "train");
	assert_string_equal(c->name, "train.lr");
	assert_string_equal(c->was, "0.01");
	assert_string_equal(c->is, "0.1");
	assert_string_equal(c->origin, "-p train.lr");
	expect_text(&f, "train", "param train.lr 0.01 -> 0.1 (-p train.lr)");
	expect_text(&f, "eval", "runs if what `train` makes changes");
	assert_string_equal(choice_of(&f, "report")->name, "eval");
	assert_int_equal(plan_estimate_ms(&f.plan), 300);
	fake_run(&f);
	assert_string_equal(f.ran, "train eval report ");
}

static void old_parameter_is_found_again_by_its_key(void **state)
{
	static const char *const sets[] = { "train.lr=0.1", NULL };

	(void)state;
	fake_run_once(&f, chain);
	fake_load(&f, chain, sets);
	fake_plan(&f, NULL);
	fake_run(&f);
	fake_load(&f, chain, NULL);
	fake_plan(&f, NULL);
	assert_int_equal(f.plan.count[VERDICT_REUSE], 4);
	assert_true(choice_of(&f, "train")->restore);
	assert_true(choice_of(&f, "report")->restore);
	assert_int_equal(choice_of(&f, "train")->past->attempt, 2);
	fake_run(&f);
	assert_string_equal(f.ran, "");
	fake_plan(&f, NULL);
	assert_false(choice_of(&f, "train")->restore);
}

static void changed_input_reruns_what_reads_it(void **state)
{
	(void)state;
	fake_run_once(&f, chain);
	fake_write(&f, "raw", "2");
	fake_plan(&f, NULL);
	expect(&f, "prep", VERDICT_RUN, REASON_INPUT_CHANGED);
	assert_string_equal(choice_of(&f, "prep")->name, "raw");
	assert_int_equal(strlen(choice_of(&f, "prep")->was), 12);
	expect(&f, "train", VERDICT_MAYBE, REASON_UPSTREAM_RAN);
	fake_run(&f);
	assert_string_equal(f.ran, "prep train eval report ");
}

/* prep writes the same bytes again: nobody below it has anything to do. */
static void early_cut_off_spares_three_levels(void **state)
{
	(void)state;
	fake_makes(&f, "prep", "always the same");
	fake_run_once(&f, chain);
	fake_write(&f, "raw", "2");
	fake_plan(&f, NULL);
	expect(&f, "report", VERDICT_MAYBE, REASON_UPSTREAM_RAN);
	fake_run(&f);
	assert_string_equal(f.ran, "prep ");
	expect(&f, "report", VERDICT_REUSE, REASON_SAME_KEY);
	fake_plan(&f, NULL);
	assert_int_equal(f.plan.count[VERDICT_REUSE], 4);
}

static void cut_off_in_the_middle(void **state)
{
	(void)state;
	fake_makes(&f, "eval", "same");
	fake_run_once(&f, chain);
	fake_write(&f, "raw", "2");
	fake_plan(&f, NULL);
	fake_run(&f);
	assert_string_equal(f.ran, "prep train eval ");
}

static void own_change_decides_before_the_upstream_is_known(void **state)
{
	static const char *const sets[] = { "train.lr=0.1", NULL };

	(void)state;
	fake_run_once(&f, chain);
	fake_write(&f, "raw", "2");
	fake_load(&f, chain, sets);
	fake_plan(&f, NULL);
	expect(&f, "prep", VERDICT_RUN, REASON_INPUT_CHANGED);
	expect(&f, "train", VERDICT_RUN, REASON_PARAM_CHANGED);
	expect(&f, "eval", VERDICT_MAYBE, REASON_UPSTREAM_RAN);
}

static void changed_command_is_known_before_the_upstream_is(void **state)
{
	struct buf text = { 0 };

	(void)state;
	fake_run_once(&f, chain);
	fake_write(&f, "raw", "2");
	buf_str(&text, chain);
	memcpy(strstr(text.data, "eval > score"), "EVAL > score", 12);
	fake_load(&f, buf_text(&text), NULL);
	fake_plan(&f, NULL);
	expect(&f, "eval", VERDICT_RUN, REASON_CODE_CHANGED);
	expect_text(&f, "eval", "code eval > score -> EVAL > score (dag.yaml:5)");
	buf_release(&text);
}

/* A dep that is new decides, also when nobody knows yet what will lie there. */
static void added_dep_decides_before_it_is_known(void **state)
{
	(void)state;
	fake_run_once(&f, "stages:\n  a: {cmd: 'a > x', deps: [raw], outs: [x]}\n  b: {cmd: 'b > y', outs: [y]}\n");
	fake_write(&f, "raw", "2");
	fake_load(&f, "stages:\n  a: {cmd: 'a > x', deps: [raw], outs: [x]}\n"
		      "  b: {cmd: 'b > y', deps: [x], outs: [y]}\n", NULL);
	fake_plan(&f, NULL);
	expect(&f, "b", VERDICT_RUN, REASON_INPUT_ADDED);
	assert_string_equal(choice_of(&f, "b")->name, "x");
}

static void kind_of_stage_decides_before_the_upstream_is_known(void **state)
{
	(void)state;
	fake_run_once(&f, "stages:\n  a: {cmd: 'a > x', deps: [raw], outs: [x]}\n  b: {cmd: 'b > y', deps: [x], outs: [y]}\n");
	fake_write(&f, "raw", "2");
	fake_code(&f, "./b.lua", "return 1");
	fake_load(&f, "stages:\n  a: {cmd: 'a > x', deps: [raw], outs: [x]}\n"
		      "  b: {uses: ./b.lua, deps: [x], outs: [y]}\n", NULL);
	fake_plan(&f, NULL);
	expect(&f, "b", VERDICT_RUN, REASON_KEY_FORMAT);
	expect_text(&f, "b", "was `cmd local 1`, is `lua local 1`; code ./b.lua added; code removed");
}

static void output_that_is_gone_comes_back_from_the_store(void **state)
{
	(void)state;
	fake_run_once(&f, chain);
	fake_remove(&f, "model");
	fake_write(&f, "score", "somebody's own");
	fake_plan(&f, NULL);
	expect(&f, "train", VERDICT_REUSE, REASON_SAME_KEY);
	assert_true(choice_of(&f, "train")->restore);
	assert_true(choice_of(&f, "eval")->restore);
	assert_false(choice_of(&f, "report")->restore);
	expect_text(&f, "train", "same key; outs come back from the store");
	fake_run(&f);
	assert_string_equal(f.ran, "");
	fake_plan(&f, NULL);
	assert_false(choice_of(&f, "train")->restore);
	assert_false(choice_of(&f, "eval")->restore);
}

static void output_that_is_nowhere_is_made_again(void **state)
{
	(void)state;
	f.is_storeless = true;
	fake_run_once(&f, chain);
	fake_remove(&f, "model");
	fake_plan(&f, NULL);
	expect(&f, "train", VERDICT_RUN, REASON_OUTPUT_MISSING);
	assert_string_equal(choice_of(&f, "train")->name, "model");
	expect_text(&f, "train", "output model is gone, and not in the store");
	expect(&f, "eval", VERDICT_MAYBE, REASON_UPSTREAM_RAN);
	fake_run(&f);
	assert_string_equal(f.ran, "train "); /* and made the same */
}

static void forced_task_runs(void **state)
{
	bool forced[4] = { false, true, false, false };
	struct plan_options options = { .forced = forced };

	(void)state;
	fake_run_once(&f, chain);
	fake_plan(&f, &options);
	expect(&f, "prep", VERDICT_REUSE, REASON_SAME_KEY);
	expect(&f, "train", VERDICT_RUN, REASON_FORCED);
	expect(&f, "eval", VERDICT_MAYBE, REASON_UPSTREAM_RAN);
	fake_run(&f);
	assert_string_equal(f.ran, "train ");
}

static void volatile_task_always_runs(void **state)
{
	(void)state;
	fake_run_once(&f, "stages:\n  a: {cmd: 'a > x', cache: false, outs: [x]}\n  b: {cmd: 'b > y', deps: [x], outs: [y]}\n");
	expect(&f, "a", VERDICT_RUN, REASON_VOLATILE);
	expect(&f, "b", VERDICT_MAYBE, REASON_UPSTREAM_RAN);
	fake_run(&f);
	assert_string_equal(f.ran, "a ");
}

static void frozen_task_is_taken_as_it_lies(void **state)
{
	static const char text[] = "stages:\n"
				   "  a: {cmd: 'a > x', deps: [raw], outs: [x, {path: log, optional: true}], frozen: true}\n"
				   "  b: {cmd: 'b > y', deps: [x], outs: [y]}\n";

	(void)state;
	fake_write(&f, "x", "by hand");
	fake_load(&f, text, NULL);
	fake_plan(&f, NULL);
	expect(&f, "a", VERDICT_REUSE, REASON_FROZEN);
	expect(&f, "b", VERDICT_RUN, REASON_NEVER_RUN);
	fake_run(&f);
	assert_string_equal(f.ran, "b ");
	fake_write(&f, "raw", "2");
	fake_plan(&f, NULL);
	assert_int_equal(f.plan.count[VERDICT_REUSE], 2);
	fake_write(&f, "x", "by another hand");
	fake_plan(&f, NULL);
	expect(&f, "b", VERDICT_RUN, REASON_INPUT_CHANGED);
	fake_remove(&f, "x");
	fake_plan(&f, NULL);
	expect(&f, "a", VERDICT_BLOCKED, REASON_FROZEN);
	expect_text(&f, "a", "x is not there, and the stage is frozen: put it there, or take `frozen` away");
	expect(&f, "b", VERDICT_BLOCKED, REASON_UPSTREAM_BLOCKED);
}

static void left_out_producer_is_read_from_the_work_tree(void **state)
{
	bool chosen[4] = { false, true, false, false };
	struct plan_options options = { .chosen = chosen };

	(void)state;
	fake_load(&f, chain, NULL);
	fake_plan(&f, &options);
	expect(&f, "prep", VERDICT_LEFT_OUT, REASON_NONE);
	expect(&f, "train", VERDICT_BLOCKED, REASON_INPUT_MISSING);
	assert_string_equal(choice_of(&f, "train")->name, "data");
	expect(&f, "eval", VERDICT_LEFT_OUT, REASON_NONE);
	fake_write(&f, "data", "by hand");
	fake_plan(&f, &options);
	expect(&f, "train", VERDICT_RUN, REASON_NEVER_RUN);
	fake_run(&f);
	assert_string_equal(f.ran, "train ");
	assert_int_equal(f.plan.count[VERDICT_LEFT_OUT], 3);
}

static void missing_source_blocks_all_below(void **state)
{
	(void)state;
	fake_remove(&f, "raw");
	fake_load(&f, chain, NULL);
	fake_plan(&f, NULL);
	expect(&f, "prep", VERDICT_BLOCKED, REASON_INPUT_MISSING);
	expect_text(&f, "prep", "input raw is not there");
	expect(&f, "train", VERDICT_BLOCKED, REASON_UPSTREAM_BLOCKED);
	expect_text(&f, "train", "`prep` is blocked");
	expect(&f, "report", VERDICT_BLOCKED, REASON_UPSTREAM_BLOCKED);
}

static void failure_is_remembered(void **state)
{
	(void)state;
	f.fails = "train";
	fake_load(&f, chain, NULL);
	fake_plan(&f, NULL);
	fake_run(&f);
	assert_string_equal(f.ran, "prep ");
	fake_plan(&f, NULL);
	expect(&f, "prep", VERDICT_REUSE, REASON_SAME_KEY);
	expect(&f, "train", VERDICT_RUN, REASON_FAILED_BEFORE);
	expect(&f, "eval", VERDICT_RUN, REASON_NEVER_RUN);
	f.disowned = "`raw` was changed while it ran";
	fake_plan(&f, NULL);
	expect(&f, "train", VERDICT_RUN, REASON_NOT_TRUSTED);
	expect_text(&f, "train", "its result is not trusted: `raw` was changed while it ran");
}

static void lost_details_still_lead_to_a_run(void **state)
{
	static const char *const sets[] = { "train.lr=0.1", NULL };

	(void)state;
	fake_run_once(&f, chain);
	f.lost_parts = true;
	fake_load(&f, chain, sets);
	fake_plan(&f, NULL);
	expect(&f, "train", VERDICT_RUN, REASON_KEY_FORMAT);
	expect_text(&f, "train", "recorded by another version of flow");
	expect(&f, "eval", VERDICT_MAYBE, REASON_UPSTREAM_RAN);
}

static void folder_waits_for_all_that_write_into_it(void **state)
{
	static const char text[] = "stages:\n"
				   "  a: {cmd: 'a > d/a', deps: [raw], outs: [d/a]}\n"
				   "  b: {cmd: 'b > d/b', outs: [d/b]}\n"
				   "  c: {cmd: 'c > z', deps: [d], outs: [z]}\n";

	(void)state;
	fake_run_once(&f, text);
	assert_int_equal(f.plan.count[VERDICT_REUSE], 3);
	fake_write(&f, "raw", "2");
	fake_plan(&f, NULL);
	expect(&f, "c", VERDICT_MAYBE, REASON_UPSTREAM_RAN);
	assert_string_equal(choice_of(&f, "c")->name, "a");
	fake_run(&f);
	assert_string_equal(f.ran, "a c ");
	fake_write(&f, "d/own", "put there by hand");
	fake_plan(&f, NULL);
	expect(&f, "c", VERDICT_RUN, REASON_INPUT_CHANGED);
}

static void optional_out_that_was_not_written(void **state)
{
	static const char text[] = "stages:\n"
				   "  a: {cmd: 'a > x', deps: [raw], outs: {o: {path: x, optional: true}}}\n"
				   "  b: {cmd: 'b > y', deps: [x], outs: [y]}\n";

	(void)state;
	fake_makes(&f, "a", "(nothing)");
	fake_run_once(&f, text);
	assert_string_equal(f.ran, "a b ");
	assert_int_equal(f.plan.count[VERDICT_REUSE], 2);
	fake_makes(&f, "a", NULL);
	fake_write(&f, "raw", "2");
	fake_plan(&f, NULL);
	fake_run(&f);
	assert_string_equal(f.ran, "a b ");
	fake_makes(&f, "a", "(nothing)");
	fake_write(&f, "raw", "3");
	fake_plan(&f, NULL);
	fake_do(&f, 0);
	fake_do(&f, 1);
	/* a key of before: nothing was there, and b had run then */
	expect(&f, "b", VERDICT_REUSE, REASON_SAME_KEY);
	fake_plan(&f, NULL);
	assert_int_equal(f.plan.count[VERDICT_REUSE], 2);
}

static void input_that_is_no_longer_written_is_told(void **state)
{
	static const char text[] = "stages:\n"
				   "  a: {cmd: 'a > x', deps: [raw], outs: {o: {path: x, optional: true}}}\n"
				   "  b: {cmd: 'b > y', deps: [x], outs: [y]}\n";

	(void)state;
	fake_run_once(&f, text);
	fake_makes(&f, "a", "(nothing)");
	fake_write(&f, "raw", "2");
	fake_plan(&f, NULL);
	fake_do(&f, 0);
	fake_do(&f, 1);
	assert_string_equal(choice_of(&f, "b")->name, "x");
	assert_string_equal(choice_of(&f, "b")->is, "absent");
}

/* The producer is not part of this run, and its optional out is not there: the same as when it ran and did not write it. */
static void optional_out_of_a_left_out_producer(void **state)
{
	static const char text[] = "stages:\n"
				   "  a: {cmd: 'a > x', deps: [raw], outs: {o: {path: x, optional: true}}}\n"
				   "  b: {cmd: 'b > y', deps: [x], outs: [y]}\n";
	bool chosen[2] = { false, true };
	struct plan_options options = { .chosen = chosen };

	(void)state;
	fake_makes(&f, "a", "(nothing)");
	fake_run_once(&f, text);
	fake_plan(&f, &options);
	expect(&f, "a", VERDICT_LEFT_OUT, REASON_NONE);
	expect(&f, "b", VERDICT_REUSE, REASON_SAME_KEY);
}

static void order_of_outs_is_told(void **state)
{
	(void)state;
	fake_run_once(&f, "stages: {a: {cmd: 'a > x', outs: [x, y]}}");
	fake_load(&f, "stages: {a: {cmd: 'a > x', outs: [y, x]}}", NULL);
	fake_plan(&f, NULL);
	expect(&f, "a", VERDICT_RUN, REASON_OUT_CHANGED);
	expect_text(&f, "a", "outs stand in another order");
}

static void plugin_and_script_are_code(void **state)
{
	static const char text[] = "stages:\n"
				   "  a: {uses: ./p.so, outs: [x]}\n"
				   "  b: {uses: ./s.lua, outs: [y]}\n";

	(void)state;
	fake_code(&f, "./p.so", "1");
	fake_code(&f, "./s.lua", "1");
	fake_run_once(&f, text);
	assert_int_equal(f.plan.count[VERDICT_REUSE], 2);
	fake_code(&f, "./p.so", "2");
	fake_code(&f, "./s.lua", "2");
	fake_plan(&f, NULL);
	expect(&f, "a", VERDICT_RUN, REASON_PLUGIN_CHANGED);
	expect(&f, "b", VERDICT_RUN, REASON_CODE_CHANGED);
	assert_string_equal(choice_of(&f, "b")->name, "./s.lua");
}

static void code_that_is_not_there_is_an_error(void **state)
{
	static const struct plan_options none;
	struct err e;

	(void)state;
	fake_load(&f, "stages: {a: {uses: ./p.so}}", NULL);
	f.is_planned = true;
	assert_int_equal(plan_make(&f.plan, &f.l.graph, &f.past, &none, &e), ERR_INPUT);
	assert_string_equal(e.text, "task `a`: `./p.so` is not there");
}

/* Another task with the same command and outs of the same name made it: its result will do. */
static void renamed_stage_is_found_by_its_key(void **state)
{
	(void)state;
	fake_run_once(&f, "stages: {a: {cmd: 'a > x', deps: [raw], outs: [x]}}");
	fake_load(&f, "stages: {b: {cmd: 'a > x', deps: [raw], outs: [x]}}", NULL);
	fake_plan(&f, NULL);
	expect(&f, "b", VERDICT_REUSE, REASON_SAME_KEY);
}

static void settling_twice_changes_nothing(void **state)
{
	struct err e;

	(void)state;
	fake_run_once(&f, chain);
	assert_int_equal(plan_settle(&f.plan, 1, &e), 0);
	assert_int_equal(plan_settle(&f.plan, 1, &e), 0);
	expect(&f, "train", VERDICT_REUSE, REASON_SAME_KEY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(first_run_runs_all),
		TEST(second_run_does_nothing),
		TEST(changed_param_names_both_values_and_its_origin),
		TEST(old_parameter_is_found_again_by_its_key),
		TEST(changed_input_reruns_what_reads_it),
		TEST(early_cut_off_spares_three_levels),
		TEST(cut_off_in_the_middle),
		TEST(own_change_decides_before_the_upstream_is_known),
		TEST(changed_command_is_known_before_the_upstream_is),
		TEST(added_dep_decides_before_it_is_known),
		TEST(kind_of_stage_decides_before_the_upstream_is_known),
		TEST(output_that_is_gone_comes_back_from_the_store),
		TEST(output_that_is_nowhere_is_made_again),
		TEST(forced_task_runs),
		TEST(volatile_task_always_runs),
		TEST(frozen_task_is_taken_as_it_lies),
		TEST(left_out_producer_is_read_from_the_work_tree),
		TEST(missing_source_blocks_all_below),
		TEST(failure_is_remembered),
		TEST(lost_details_still_lead_to_a_run),
		TEST(folder_waits_for_all_that_write_into_it),
		TEST(optional_out_that_was_not_written),
		TEST(input_that_is_no_longer_written_is_told),
		TEST(optional_out_of_a_left_out_producer),
		TEST(order_of_outs_is_told),
		TEST(plugin_and_script_are_code),
		TEST(code_that_is_not_there_is_an_error),
		TEST(renamed_stage_is_found_by_its_key),
		TEST(settling_twice_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
