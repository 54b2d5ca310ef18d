#include "../support/fake_past.h"

static const char chain[] = "params: {train: {lr: 0.01}}\n"
			    "stages:\n"
			    "  prep: {cmd: 'prep > data', deps: [raw], outs: [data]}\n"
			    "  train: {cmd: 'train > model', deps: [data], outs: [model], params: [train.lr]}\n"
			    "  eval: {cmd: 'eval > score', deps: [model], outs: [score]}\n"
			    "  report: {cmd: 'report > page', deps: [score], outs: [page]}\n";

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

/* A run that went well, and the plan of the next one. */
static void run_once(const char *text)
{
	fake_load(&f, text, NULL);
	fake_plan(&f, NULL);
	fake_run(&f);
	fake_plan(&f, NULL);
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
	run_once(chain);
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
	run_once(chain);
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
	run_once(chain);
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
	run_once(chain);
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
	run_once(chain);
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
	run_once(chain);
	fake_write(&f, "raw", "2");
	fake_plan(&f, NULL);
	fake_run(&f);
	assert_string_equal(f.ran, "prep train eval ");
}

static void own_change_decides_before_the_upstream_is_known(void **state)
{
	static const char *const sets[] = { "train.lr=0.1", NULL };

	(void)state;
	run_once(chain);
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
	run_once(chain);
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
	run_once("stages:\n  a: {cmd: 'a > x', deps: [raw], outs: [x]}\n  b: {cmd: 'b > y', outs: [y]}\n");
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
	run_once("stages:\n  a: {cmd: 'a > x', deps: [raw], outs: [x]}\n  b: {cmd: 'b > y', deps: [x], outs: [y]}\n");
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
	run_once(chain);
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
	run_once(chain);
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
	run_once(chain);
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
	run_once("stages:\n  a: {cmd: 'a > x', cache: false, outs: [x]}\n  b: {cmd: 'b > y', deps: [x], outs: [y]}\n");
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
	run_once(chain);
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
	run_once(text);
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
	run_once(text);
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
	run_once(text);
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
	run_once(text);
	fake_plan(&f, &options);
	expect(&f, "a", VERDICT_LEFT_OUT, REASON_NONE);
	expect(&f, "b", VERDICT_REUSE, REASON_SAME_KEY);
}

static void order_of_outs_is_told(void **state)
{
	(void)state;
	run_once("stages: {a: {cmd: 'a > x', outs: [x, y]}}");
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
	run_once(text);
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
	run_once("stages: {a: {cmd: 'a > x', deps: [raw], outs: [x]}}");
	fake_load(&f, "stages: {b: {cmd: 'a > x', deps: [raw], outs: [x]}}", NULL);
	fake_plan(&f, NULL);
	expect(&f, "b", VERDICT_REUSE, REASON_SAME_KEY);
}

static void settling_twice_changes_nothing(void **state)
{
	struct err e;

	(void)state;
	run_once(chain);
	assert_int_equal(plan_settle(&f.plan, 1, &e), 0);
	assert_int_equal(plan_settle(&f.plan, 1, &e), 0);
	expect(&f, "train", VERDICT_REUSE, REASON_SAME_KEY);
}

/* What was run, what is there now, and what is said of `a`. */
static const struct {
	const char *before, *now, *words;
} changes[] = {
	{ "cmd: a, env: {E: '1'}", "cmd: a, env: {E: '2'}", "env E 1 -> 2 (dag.yaml:2)" },
	{ "cmd: a", "cmd: a, env: {E: '2'}", "env E added (dag.yaml:2)" },
	{ "cmd: a, env: {E: '1'}", "cmd: a", "env E removed" },
	{ "cmd: a, outs: {o: x}", "cmd: a, outs: {o: y}", "outs o x -> y (dag.yaml:2)" },
	{ "cmd: a, outs: {o: x}", "cmd: a, outs: {o: {path: x, kind: temp}}", "outs o x -> x temp (dag.yaml:2)" },
	{ "cmd: a, deps: [raw]", "cmd: a", "input raw removed" },
	{ "cmd: a, deps: {n: raw}", "cmd: a, deps: {m: raw}", "input m added; input n removed" },
	{ "cmd: a, cwd: d", "cmd: a, cwd: e", "code d -> e (dag.yaml:2)" },
	{ "uses: ./p.so, with: {n: 1}", "uses: ./p.so, with: {n: 2}", "with n 1 -> 2 (dag.yaml:2)" },
	{ "cmd: a, params: [p]", "cmd: a, params: [p, q]", "param q added (dag.yaml:1)" },
	{ "cmd: a, cache: false", "cmd: a, cache: false", "always runs (cache: false)" },
	{ "cmd: a, outs: [raw]", "cmd: a, outs: [raw], frozen: true", "frozen: outs are taken as they are" },
};

static void every_reason_has_words(void **state)
{
	char text[200];
	size_t i;

	(void)state;
	fake_code(&f, "./p.so", "ELF");
	for (i = 0; i < sizeof changes / sizeof *changes; i++) {
		(void)snprintf(text, sizeof text, "params: {p: 1, q: 2}\nstages: {a: {%s}}", changes[i].before);
		run_once(text);
		(void)snprintf(text, sizeof text, "params: {p: 1, q: 2}\nstages: {a: {%s}}", changes[i].now);
		fake_load(&f, text, NULL);
		fake_plan(&f, NULL);
		expect_text(&f, "a", changes[i].words);
		fake_close(&f);
		f.record_count = 0;
		memset(f.records, 0, sizeof f.records);
	}
}

static const char two_params[] = "params: {lr: 1, epochs: 1}\n"
				 "stages: {train: {cmd: 'train > model', params: [lr, epochs], outs: [model]}}\n";

static void run_with(const char *lr, const char *epochs)
{
	const char *sets[] = { lr, epochs, NULL };

	fake_load(&f, two_params, sets);
	fake_plan(&f, NULL);
	fake_run(&f);
}

static void nearest_attempt_is_compared_not_the_last(void **state)
{
	static const char *const now[] = { "lr=1", "epochs=3", NULL };

	(void)state;
	run_with("lr=1", "epochs=1");
	run_with("lr=2", "epochs=2");
	fake_load(&f, two_params, now);
	fake_plan(&f, NULL);
	expect_text(&f, "train", "param epochs 1 -> 3 (-p epochs)");
	assert_int_equal(choice_of(&f, "train")->past->attempt, 1);
}

static void all_that_differs_is_named(void **state)
{
	static const char *const now[] = { "lr=5", "epochs=3", NULL };

	(void)state;
	run_with("lr=1", "epochs=1");
	fake_load(&f, two_params, now);
	fake_plan(&f, NULL);
	assert_int_equal(choice_of(&f, "train")->other_count, 1);
	assert_string_equal(choice_line(&f.plan, choice_of(&f, "train")), "param epochs 1 -> 3 (-p epochs)");
	expect_text(&f, "train", "param epochs 1 -> 3 (-p epochs); param lr 1 -> 5 (-p lr)");
}

static void many_changes_are_counted(void **state)
{
	char before[700] = "stages: {a: {cmd: a, env: {", now[700] = "stages: {a: {cmd: a, env: {";
	int i;

	(void)state;
	for (i = 0; i < 12; i++) {
		(void)snprintf(before + strlen(before), sizeof before - strlen(before), "E%c: '1', ", 'A' + i);
		(void)snprintf(now + strlen(now), sizeof now - strlen(now), "E%c: '2', ", 'A' + i);
	}
	strcat(before, "}}}\n");
	strcat(now, "}}}\n");
	run_once(before);
	fake_load(&f, now, NULL);
	fake_plan(&f, NULL);
	assert_int_equal(choice_of(&f, "a")->other_count, 8);
	assert_string_equal(choice_of(&f, "a")->others[6], "env EH 1 -> 2 (dag.yaml:1)");
	assert_string_equal(choice_of(&f, "a")->others[7], "and 4 more");
}

/* What the command says of the parameter is no change of its own. */
static void a_text_that_follows_a_param_is_not_told(void **state)
{
	static const char text[] = "params: {lr: 0.01, name: old}\n"
				   "stages: {a: {cmd: 'a --lr ${params.lr} ${params.name}', env: {N: '${params.name}'}}}\n";
	static const char *const sets[] = { "lr=0.1", "name=two words", NULL };

	(void)state;
	run_once(text);
	fake_load(&f, text, sets);
	fake_plan(&f, NULL);
	expect_text(&f, "a", "param lr 0.01 -> 0.1 (-p lr); param name \"old\" -> \"two words\" (-p name)");
}

static void what_failed_is_tried_again_for_that(void **state)
{
	(void)state;
	run_with("lr=1", "epochs=1");
	f.fails = "train";
	run_with("lr=2", "epochs=1");
	fake_plan(&f, NULL);
	expect(&f, "train", VERDICT_RUN, REASON_FAILED_BEFORE);
	f.fails = NULL;
	fake_load(&f, two_params, (const char *const[]){ "lr=3", NULL });
	fake_plan(&f, NULL);
	expect(&f, "train", VERDICT_RUN, REASON_PARAM_CHANGED);
}

/* Its own change is one that an earlier attempt had: whether that one is found again depends on the input. */
static void an_old_value_below_a_task_that_runs_is_a_maybe(void **state)
{
	static const char *const other[] = { "train.lr=0.5", NULL };

	(void)state;
	run_once(chain);
	fake_load(&f, chain, other);
	fake_plan(&f, NULL);
	fake_run(&f);
	fake_load(&f, chain, NULL);
	fake_write(&f, "raw", "2");
	fake_makes(&f, "prep", "same");
	fake_plan(&f, NULL);
	expect(&f, "train", VERDICT_MAYBE, REASON_UPSTREAM_RAN);
}

static void names_are_stable(void **state)
{
	(void)state;
	assert_string_equal(verdict_name(VERDICT_REUSE), "cached");
	assert_string_equal(verdict_name(VERDICT_LEFT_OUT), "left-out");
	assert_string_equal(reason_name(REASON_PARAM_CHANGED), "param-changed");
	assert_string_equal(reason_name(REASON_SAME_KEY), "same-key");
	assert_string_equal(reason_name(REASON_KEY_FORMAT), "key-format");
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
		TEST(every_reason_has_words),
		TEST(plugin_and_script_are_code),
		TEST(code_that_is_not_there_is_an_error),
		TEST(renamed_stage_is_found_by_its_key),
		TEST(settling_twice_changes_nothing),
		TEST(nearest_attempt_is_compared_not_the_last),
		TEST(all_that_differs_is_named),
		TEST(many_changes_are_counted),
		TEST(a_text_that_follows_a_param_is_not_told),
		TEST(what_failed_is_tried_again_for_that),
		TEST(an_old_value_below_a_task_that_runs_is_a_maybe),
		TEST(names_are_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
