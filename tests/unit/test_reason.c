/* Why a task runs, in words, and which earlier attempt it is compared with. */
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
		fake_run_once(&f, text);
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
	fake_run_once(&f, before);
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
	fake_run_once(&f, text);
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
	fake_run_once(&f, chain);
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
		TEST(every_reason_has_words),
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
