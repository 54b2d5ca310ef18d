/* What a program reports, line by line; the stage as a whole is in tests/cli/script. */
#include "script/script.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fault.h"
#include "script/lines.h"
#include "script/watch.h"
#include "support/stage_case.h"

#define ROOM 16

struct taken {
	struct lines lines;
	const char *path;
	struct line_record record[ROOM];
	unsigned count;
	struct fault fault;
};

static int take(void *user, const struct line_record *r, struct fault *fault)
{
	struct taken *t = user;

	(void)fault;
	assert_true(t->count < ROOM);
	t->record[t->count++] = *r;
	return 0;
}

static void begin(struct taken *t, flow_ctx *host)
{
	*t = (struct taken){ .path = stage_host_path(host, "metrics") };
	assert_int_equal(lines_open(&t->lines, t->path, &t->fault), 0);
}

/* The program writes that; the stage reads what there is. */
static int says(struct taken *t, const char *text, int is_last)
{
	int fd = open(t->path, O_WRONLY | O_APPEND);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	return lines_read(&t->lines, is_last, take, t, &t->fault);
}

static int set_up(void **state)
{
	*state = stage_host_new();
	return 0;
}

static void a_line_counts_when_it_is_whole(void **state)
{
	struct taken t;

	begin(&t, *state);
	assert_int_equal(says(&t, "{\"key\": \"loss\", \"va", 0), 0);
	assert_int_equal(t.count, 0);
	assert_int_equal(says(&t, "lue\": 0.5, \"step\": 3}\n\n {\"progress\"", 0), 0);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.record[0].kind, LINE_METRIC);
	assert_string_equal(t.record[0].key, "loss");
	assert_true(t.record[0].value == 0.5 && t.record[0].step == 3);
	assert_int_equal(says(&t, ": 3, \"total\": 2}", 1), 0);
	assert_int_equal(t.count, 2);
	assert_int_equal(t.record[1].kind, LINE_PROGRESS);
	assert_int_equal(t.record[1].line, 3);
	assert_true(t.record[1].total == 3); /* never less than done */
	lines_close(&t.lines);
}

static void what_is_no_number_is_one_of_those(void **state)
{
	struct taken t;

	begin(&t, *state);
	assert_int_equal(says(&t,
				 "{\"key\":\"a\",\"value\":NaN}\n{\"key\":\"a\",\"value\":null}\n"
				 "{\"key\":\"a\",\"value\":-Infinity,\"step\":null}\n",
				 0),
		0);
	assert_int_equal(t.count, 3);
	for (int i = 0; i < 3; i++)
		assert_true(isnan(t.record[i].value) && t.record[i].step == -1);
	lines_close(&t.lines);
}

static void a_wrong_line_is_named(void **state)
{
	static const struct {
		const char *line, *why;
	} wrong[] = {
		{ "loss 0.3", "a map is wanted" },
		{ "{\"loss\": 0.3}", "'loss' is not one of its keys" },
		{ "{\"key\": \"a\"}", "no 'key' with a 'value'" },
		{ "{\"value\": 1}", "no 'key' with a 'value'" },
		{ "{\"key\": \"a\", \"value\": 1, \"value\": 2}", "twice" },
		{ "{\"key\": \"a b\", \"value\": 1}", "no name for a metric" },
		{ "{\"key\": \"\", \"value\": 1}", "no name for a metric" },
		{ "{\"key\": \"a\", \"value\": \"1\"}", "a number is wanted" },
		{ "{\"key\": \"a\", \"value\": 1, \"step\": 1.5}", "the end of the list or map is wanted" },
		{ "{\"key\": \"a\", \"value\": 1, \"step\": 9999999999999999}", "a step of" },
		{ "{\"key\": \"a\", \"value\": 1} x", "something follows" },
		{ "{\"progress\": -1}", "from 0 up" },
		{ "{}", "no 'key' with a 'value'" },
		{ "[1]", "a map is wanted" },
	};
	struct taken t;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		char text[200];

		begin(&t, *state);
		(void)snprintf(text, sizeof text, "{\"key\":\"a\",\"value\":1}\n%s\n", wrong[i].line);
		assert_int_equal(says(&t, text, 0), -1);
		assert_int_equal(t.count, 1);
		assert_non_null(strstr(t.fault.text, "line 2 of FLOW_METRICS is"));
		if (strstr(t.fault.text, wrong[i].why) == NULL)
			fail_msg("'%s' does not say '%s'", t.fault.text, wrong[i].why);
		assert_non_null(strstr(t.fault.text, "wanted is {\"key\": \"loss\""));
		lines_close(&t.lines);
	}
}

static void a_line_without_end_is_refused(void **state)
{
	char *text = malloc(LINE_LINE_MAX + 10);
	struct taken t;

	assert_non_null(text);
	memset(text, ' ', LINE_LINE_MAX + 9);
	text[LINE_LINE_MAX + 9] = '\0';
	begin(&t, *state);
	assert_int_equal(says(&t, text, 0), -1);
	assert_non_null(strstr(t.fault.text, "line 1 of FLOW_METRICS is longer than"));
	lines_close(&t.lines);
	free(text);
}

static void patience_counts_from_the_best(void **state)
{
	static const double down[] = { 5, 3, 4, 4, 4, 2 };
	struct watch w = { .key = "loss", .patience = 3 };
	struct line_record r = { .kind = LINE_METRIC, .key = "loss" };
	struct fault fault = { "" };

	(void)state;
	for (int i = 0; i < 6; i++) {
		r.value = down[i];
		r.step = i;
		assert_int_equal(watch_take(&w, &r, &fault), 0);
		assert_int_equal(w.is_over, i == 4);
	}
	assert_int_equal(w.best_step, 5);
	memcpy(r.key, "other", 6);
	r.value = (double)NAN;
	assert_int_equal(watch_take(&w, &r, &fault), 0);
	memcpy(r.key, "loss", 5);
	assert_int_equal(watch_take(&w, &r, &fault), -1);
	assert_non_null(strstr(fault.text, "loss is no longer a number"));
}

static void the_largest_may_be_the_best(void **state)
{
	struct watch w = { .key = "accuracy", .is_largest = 1, .patience = 1 };
	struct line_record r = { .kind = LINE_METRIC, .key = "accuracy", .value = 0.5 };
	struct fault fault = { "" };

	(void)state;
	assert_int_equal(watch_take(&w, &r, &fault), 0);
	r.value = 0.6;
	assert_int_equal(watch_take(&w, &r, &fault), 0);
	assert_false(w.is_over);
	r.value = 0.55;
	assert_int_equal(watch_take(&w, &r, &fault), 0);
	assert_true(w.is_over && w.best == 0.6);
}

static void metrics_of_the_program_are_the_stage_s(void **state)
{
	static const char text[] = "echo '{\"key\":\"loss\",\"value\":0.25,\"step\":2}' >> \"$FLOW_METRICS\"\n";
	double value = 0;

	stage_host_dep(*state, "script", stage_host_write(*state, "s.sh", text, sizeof text - 1));
	stage_host_with(*state, "program", "[\"sh\", \"-e\"]");
	assert_int_equal(stage_host_run(*state, &stage_script), 0);
	assert_int_equal(stage_host_metric(*state, "loss", 2, &value), 1);
	assert_true(value == 0.25);
	stage_host_with(*state, "goal", "\"least\"");
	assert_int_equal(stage_host_run(*state, &stage_script), -1);
	assert_non_null(strstr(stage_host_failure(*state), "known are: min, max"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_counts_when_it_is_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_no_number_is_one_of_those, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_wrong_line_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_line_without_end_is_refused, set_up, tear_down),
		cmocka_unit_test(patience_counts_from_the_best),
		cmocka_unit_test(the_largest_may_be_the_best),
		cmocka_unit_test_setup_teardown(
			metrics_of_the_program_are_the_stage_s, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
