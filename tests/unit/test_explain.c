#include "../support/fake_past.h"

#include "plan/explain.h"
#include "plan/part_text.h"

static const char text[] = "params: {train: {lr: 0.01, epochs: 20}}\n"
			   "stages:\n"
			   "  prep: {cmd: 'prep > data', deps: [raw], outs: [data]}\n"
			   "  train: {cmd: 'train > model', deps: [data], outs: [model], params: [train], env: {E: '1'}}\n";

static struct fake f;
static struct explanation x;

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof f);
	memset(&x, 0, sizeof x);
	fake_write(&f, "raw", "1");
	fake_load(&f, text, NULL);
	fake_plan(&f, NULL);
	fake_run(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(x.items);
	fake_close(&f);
	return 0;
}

/* All differences between the task as it is now and its recorded attempt. */
static void explain(const char *task, int64_t attempt)
{
	const struct buf *then = attempt > 0 ? &f.records[attempt - 1].parts : NULL;
	struct err e;

	assert_int_equal(plan_parts(&f.plan, node_of(&f.l, task), &e), 0);
	explain_all(&f.plan, then != NULL ? then->data : NULL, then != NULL ? then->len : 0, &x);
}

static const struct explained *row(size_t at)
{
	assert_true(at < x.count);
	return &x.items[at];
}

static void expect_row(size_t at, const char *change, const char *kind, const char *name, const char *was,
	const char *is)
{
	const struct explained *r = row(at);

	assert_string_equal(r->change, change);
	assert_string_equal(r->kind, kind);
	assert_string_equal(r->name, name);
	assert_string_equal(r->was, was);
	assert_string_equal(r->is, is);
}

static void nothing_differs_from_itself(void **state)
{
	(void)state;
	fake_plan(&f, NULL);
	explain("train", 2);
	assert_int_equal(x.count, 0);
	assert_int_equal(x.same, 7); /* format, two params, input, command, env, out */
}

static void everything_is_new_without_a_past(void **state)
{
	(void)state;
	explain("train", 0);
	assert_int_equal(x.count, 7);
	assert_int_equal(x.same, 0);
	expect_row(0, "added", "format", "", "", "cmd local 1");
	expect_row(1, "added", "param", "train.epochs", "", "20");
	assert_string_equal(row(1)->origin, "dag.yaml:1");
}

static void each_difference_has_a_row(void **state)
{
	static const char *const sets[] = { "train.lr=0.1", NULL };

	(void)state;
	fake_load(&f, "params: {train: {lr: 0.01, momentum: 0.9}}\n"
		      "stages:\n"
		      "  prep: {cmd: 'prep > data', deps: [raw], outs: [data]}\n"
		      "  train: {cmd: 'train > model', deps: [data], outs: {m: {path: model, kind: temp}},\n"
		      "    params: [train], cwd: d}\n",
		sets);
	fake_plan(&f, NULL);
	explain("train", 2);
	assert_int_equal(x.count, 7);
	expect_row(0, "removed", "param", "train.epochs", "20", "");
	expect_row(1, "changed", "param", "train.lr", "0.01", "0.1");
	assert_string_equal(row(1)->origin, "-p train.lr");
	expect_row(2, "added", "param", "train.momentum", "", "0.9");
	expect_row(3, "removed", "env", "E", "1", "");
	expect_row(4, "added", "out", "m", "", "model temp");
	expect_row(5, "removed", "out", "model", "model", "");
	expect_row(6, "added", "cwd", "", "", "d");
	assert_int_equal(x.same, 3); /* format, input, command */
}

static void unknown_input_is_no_change(void **state)
{
	(void)state;
	fake_write(&f, "raw", "2");
	fake_plan(&f, NULL);
	explain("train", 2);
	assert_int_equal(x.count, 1);
	assert_string_equal(row(0)->change, "unknown");
	assert_string_equal(row(0)->kind, "input");
	assert_int_equal(strlen(row(0)->was), 12);
	assert_string_equal(row(0)->is, "made by an upstream task that runs");
}

static void two_attempts_are_compared(void **state)
{
	const struct buf *then, *now;

	(void)state;
	fake_write(&f, "raw", "2");
	fake_plan(&f, NULL);
	fake_run(&f);
	then = &f.records[0].parts;
	now = &f.records[2].parts;
	explain_two(&f.plan, then->data, then->len, now->data, now->len, &x);
	assert_int_equal(x.count, 1);
	assert_string_equal(row(0)->kind, "input");
	assert_string_equal(row(0)->name, "raw");
	assert_int_equal(x.same, 3);
}

static void long_values_are_cut_and_stay_on_one_line(void **state)
{
	char long_text[400] = "params: {p: \"";
	const char *is;
	int i;

	(void)state;
	for (i = 0; i < 40; i++)
		strcat(long_text, "\xc3\xa9");
	strcat(long_text, "\"}\nstages: {prep: {cmd: \"a\\nb\", params: [p]}}");
	fake_load(&f, long_text, NULL);
	fake_plan(&f, NULL);
	explain("prep", 0);
	is = row(1)->is;
	assert_int_equal(strlen(is), 59 + 3); /* the quote, 29 letters of two bytes, "..." */
	assert_string_equal(is + 59, "...");
	assert_string_equal(row(2)->is, "a b");
}

static void what_did_not_change_is_listed_when_wanted(void **state)
{
	(void)state;
	fake_plan(&f, NULL);
	x.lists_same = true;
	explain("train", 2);
	assert_int_equal(x.count, 7);
	assert_int_equal(x.same, 7);
	expect_row(1, "same", "param", "train.epochs", "20", "20");
	free(x.items);
	x = (struct explanation){ .lists_same = true };
	fake_load(&f, "stages: {prep: {cmd: 'prep > data', deps: [raw], outs: [data], cwd: d}}", NULL);
	fake_plan(&f, NULL);
	explain("prep", 1);
	assert_int_equal(x.count, 5);
	expect_row(0, "added", "cwd", "", "", "d");
	expect_row(1, "same", "format", "", "cmd local 1", "cmd local 1");
}

/* The choice of a task whose component has changed from one value to another. */
static const struct choice *choice_between(enum part part, const char *name, const char *was, const char *is)
{
	static struct choice c;
	struct part_view a = { part, name, strlen(name), was, strlen(was) }, b = { part, name, strlen(name), is, strlen(is) };
	struct part_texts texts;

	part_texts(&texts, &f.plan.arena, &a, &b);
	c = (struct choice){ .reason = REASON_CODE_CHANGED, .name = name, .was = texts.was, .is = texts.is, .origin = "" };
	return &c;
}

static void two_long_values_are_shown_where_they_differ(void **state)
{
	static const char begin[] = "python train.py --data data/train.npy --epochs 20 --model mlp --hidden 512";
	char was[200], is[200];

	(void)state;
	(void)snprintf(was, sizeof was, "%s --lr 0.01 --out models/mlp.bin", begin);
	(void)snprintf(is, sizeof is, "%s --lr 0.1", begin);
	assert_string_equal(choice_text(&f.plan, choice_between(PART_COMMAND, "", was, is)),
		"code ... 512 --lr 0.01 --out models/mlp.bin -> ... 512 --lr 0.1");
	assert_string_equal(choice_text(&f.plan, choice_between(PART_COMMAND, "", begin, begin)),
		"code python train.py --data data/train.npy --epochs 20 --model ml... -> "
		"python train.py --data data/train.npy --epochs 20 --model ml...");
	/* They differ early: from the beginning. */
	(void)snprintf(is, sizeof is, "python3 %s", begin + 7);
	assert_string_equal(choice_text(&f.plan, choice_between(PART_COMMAND, "", begin, is)),
		"code python train.py --data data/train.npy --epochs 20 --model ml... -> "
		"python3 train.py --data data/train.npy --epochs 20 --model m...");
	/* What is not long is whole. */
	assert_string_equal(choice_text(&f.plan, choice_between(PART_COMMAND, "", "123456789 123456789 123456789 123456789 a",
				    "123456789 123456789 123456789 123456789 b")),
		"code 123456789 123456789 123456789 123456789 a -> 123456789 123456789 123456789 123456789 b");
	/* Cut between letters, however many bytes they have. */
	memset(was, 'x', 44);
	for (int i = 0; i < 60; i += 2)
		memcpy(was + 44 + i, "\xc3\xa9", 3);
	memcpy(is, was, sizeof is);
	is[80] = 'y';
	is[81] = 'z';
	assert_string_equal(choice_between(PART_COMMAND, "", was, is)->is,
		"...\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9yz\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
		"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
}

static void a_plugin_is_named_once(void **state)
{
	struct choice c = *choice_between(PART_CODE, "plugin ./count.so", "A", "B");

	(void)state;
	c.reason = REASON_PLUGIN_CHANGED;
	assert_string_equal(choice_text(&f.plan, &c), "plugin ./count.so A -> B");
	c.was = "";
	assert_string_equal(choice_text(&f.plan, &c), "plugin ./count.so added");
}

static void damaged_parts_are_no_trouble(void **state)
{
	const struct buf *then = &f.records[1].parts;
	size_t cut;

	(void)state;
	fake_plan(&f, NULL);
	for (cut = 0; cut < then->len; cut += 3) {
		struct explanation part = { 0 };
		char *copy = malloc(cut + 1);

		assert_non_null(copy);
		memcpy(copy, then->data, cut);
		explain_two(&f.plan, copy, cut, then->data, then->len, &part);
		assert_int_equal(part.count + part.same, 7);
		free(part.items);
		memset(&part, 0, sizeof part);
		explain_two(&f.plan, then->data, then->len, copy, cut, &part);
		free(part.items);
		free(copy);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_differs_from_itself),
		TEST(everything_is_new_without_a_past),
		TEST(each_difference_has_a_row),
		TEST(unknown_input_is_no_change),
		TEST(two_attempts_are_compared),
		TEST(long_values_are_cut_and_stay_on_one_line),
		TEST(what_did_not_change_is_listed_when_wanted),
		TEST(two_long_values_are_shown_where_they_differ),
		TEST(a_plugin_is_named_once),
		TEST(damaged_parts_are_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
