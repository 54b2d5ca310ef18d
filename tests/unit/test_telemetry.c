#include "../support/folder.h"

#include <math.h>

#include "run/telemetry.h"

struct heard {
	char text[2000]; /* "name=value@step " of every metric */
	unsigned count, fail_at;
};

static struct folder f;
static struct telemetry t;
static struct heard heard;

static int sink(void *user, const struct metric *m, struct err *e)
{
	struct heard *h = user;
	size_t used = strlen(h->text);

	h->count++;
	if (h->count == h->fail_at)
		return err_set(e, ERR_SYSTEM, "no room");
	(void)snprintf(h->text + used, sizeof h->text - used, "%.40s=%g@%lld ", m->name, m->value, (long long)m->step);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	folder_open(&f);
	memset(&t, 0, sizeof t);
	memset(&heard, 0, sizeof heard);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	telemetry_release(&t);
	folder_close(&f);
	return 0;
}

static void add_bytes(const char *data, size_t len)
{
	folder_append_bytes(&f, "report", data, len);
}

static void add(const char *text)
{
	add_bytes(text, strlen(text));
}

static void read_now(void)
{
	struct err e;

	GOOD(telemetry_read(&t, f.fd, "report", sink, &heard, &e));
}

static void every_record_is_understood(void **state)
{
	(void)state;
	read_now(); /* nothing was said yet */
	add("{\"key\":\"loss\",\"value\":0.5,\"step\":3}\n"
	    "{\"key\":\"acc\",\"value\":1}\n"
	    "{\"key\":\"none\",\"value\":null}\n"
	    "{\"progress\":14,\"total\":20,\"what\":\"epoch\"}\n"
	    "{\"fail\":\"no such column\",\"code\":\"E0601\"}\n"
	    "{\"fail\":\"and then some\"}\n"
	    "{\"end\":true}\n");
	assert_false(t.ended);
	read_now();
	assert_string_equal(heard.text, "loss=0.5@3 acc=1@-1 none=nan@-1 ");
	assert_true(t.done == 14 && t.total == 20);
	assert_string_equal(buf_text(&t.what), "epoch");
	assert_string_equal(buf_text(&t.fail), "no such column"); /* the first one tells most */
	assert_string_equal(t.code, "E0601");
	assert_true(t.ended);
	assert_int_equal(t.bad_lines, 0);
}

static void half_a_line_waits_for_its_end(void **state)
{
	static const char line[] = "{\"key\":\"a\",\"value\":1}\n";
	size_t i;

	(void)state;
	for (i = 0; line[i] != '\0'; i++) {
		assert_int_equal(heard.count, 0);
		add_bytes(line + i, 1);
		read_now();
	}
	assert_int_equal(heard.count, 1);
	add("{\"key\":\"b\",\"value\":2}\n{\"key\"");
	read_now();
	assert_int_equal(heard.count, 2);
	add(":\"c\",\"value\":3}\n");
	read_now();
	assert_string_equal(heard.text, "a=1@-1 b=2@-1 c=3@-1 ");
	assert_int_equal(t.bad_lines, 0);
}

static void rubbish_is_counted_and_skipped(void **state)
{
	static const char *const lines[] = { "hello", "[1]", "1", "{}", "{\"key\":\"a\"}", "{\"key\":1,\"value\":1}",
		"{\"key\":\"a\",\"value\":\"1\"}", "{\"key\":\"\",\"value\":1}", "{\"key\":\"a\\nb\",\"value\":1}",
		"{\"key\":\"a\",\"value\":1", "{\"key\":\"a\",\"key\":\"b\",\"value\":1}", "{\"key\":\"a\",\"value\":1e999}",
		"{\"key\":\"a\",\"value\":NaN}", "{\"key\":\"a\",\"value\":1} {}", "\xff\xfe", "{\"progress\":\"x\"}",
		"{\"fail\":1}" };
	size_t i, count = sizeof lines / sizeof *lines;

	(void)state;
	for (i = 0; i < count; i++) {
		add(lines[i]);
		add("\n");
	}
	add_bytes("{\"key\":\"a\0b\",\"value\":1}\n", 24);
	add("\n\n"); /* empty lines are nothing */
	add("{\"key\":\"good\",\"value\":1,\"step\":-5}\n{\"key\":\"real\",\"value\":1,\"step\":1.5}\n");
	read_now();
	assert_string_equal(heard.text, "good=1@-1 real=1@-1 ");
	assert_int_equal(t.bad_lines, count + 1);
}

static void deep_nesting_is_rubbish_too(void **state)
{
	struct buf text = { 0 };

	(void)state;
	buf_repeat(&text, '[', 100000);
	buf_str(&text, "\n{\"key\":\"a\",\"value\":1}\n");
	add_bytes(text.data, text.len);
	read_now();
	assert_int_equal(heard.count, 1);
	buf_release(&text);
}

/* A line that never ends must cost neither memory nor time. */
static void endless_line_is_one_bad_line(void **state)
{
	struct buf text = { 0 };
	struct timespec before, after;

	(void)state;
	buf_repeat(&text, 'x', 48u << 20);
	add_bytes(text.data, text.len);
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	read_now();
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec < 5);
	assert_true(t.partial.cap < 4u << 20);
	add("and on\n{\"key\":\"a\",\"value\":1}\n");
	read_now();
	assert_int_equal(heard.count, 1);
	assert_int_equal(t.bad_lines, 1);
	buf_release(&text);
}

static void many_records_are_all_heard(void **state)
{
	struct buf text = { 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < 100000; i++)
		buf_printf(&text, "{\"key\":\"loss\",\"value\":%u,\"step\":%u}\n", i, i);
	add_bytes(text.data, text.len);
	read_now();
	assert_int_equal(heard.count, 100000);
	assert_int_equal(t.bad_lines, 0);
	buf_release(&text);
}

static void sink_that_fails_stops_the_reading(void **state)
{
	struct err e;

	(void)state;
	heard.fail_at = 2;
	add("{\"key\":\"a\",\"value\":1}\n{\"key\":\"b\",\"value\":2}\n{\"key\":\"c\",\"value\":3}\n");
	assert_int_equal(telemetry_read(&t, f.fd, "report", sink, &heard, &e), ERR_SYSTEM);
	assert_string_equal(e.text, "no room");
	assert_string_equal(heard.text, "a=1@-1 ");
}

static void report_that_is_no_file_says_nothing(void **state)
{
	(void)state;
	folder_write(&f, "other", "{\"key\":\"a\",\"value\":1}\n");
	assert_int_equal(symlinkat("other", f.fd, "report"), 0);
	read_now();
	assert_int_equal(unlinkat(f.fd, "report", 0), 0);
	assert_int_equal(mkfifoat(f.fd, "report", 0600), 0);
	read_now(); /* does not wait */
	assert_int_equal(unlinkat(f.fd, "report", 0), 0);
	folder_make_one(&f, "report");
	read_now();
	assert_int_equal(heard.count, 0);
}

/* The file is the attempt's to write: also to cut. */
static void cut_report_does_no_harm(void **state)
{
	(void)state;
	add("{\"key\":\"a\",\"value\":1}\n");
	read_now();
	folder_write(&f, "report", "");
	read_now();
	add("{\"key\":\"b\",\"value\":2}\n{\"key\":\"c\",\"value\":3}\n");
	read_now();
	assert_true(heard.count >= 1);
}

/* -- metrics files ---------------------------------------------------------------------------------- */

static void metrics_file_has_dotted_names(void **state)
{
	struct err e;

	(void)state;
	folder_write(&f, "m.json", "{\"acc\": 0.82, \"f1\": {\"a\": 1, \"b\": {\"c\": 2}}, \"n\": \"text\", "
				   "\"l\": [1, 2], \"t\": true, \"z\": null}");
	GOOD(metrics_of_file(f.fd, "m.json", sink, &heard, &e));
	assert_string_equal(heard.text, "acc=0.82@-1 f1.a=1@-1 f1.b.c=2@-1 ");
	heard.text[0] = '\0';
	folder_write(&f, "m.json", "{}");
	GOOD(metrics_of_file(f.fd, "m.json", sink, &heard, &e));
	assert_string_equal(heard.text, "");
}

static void metrics_file_that_is_none(void **state)
{
	static const char *const texts[] = { "", "{", "{\"a\": 1,}", "nonsense", "{\"a\": NaN}" };
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		folder_write(&f, "m.json", texts[i]);
		assert_int_equal(metrics_of_file(f.fd, "m.json", sink, &heard, &e), ERR_INPUT);
		assert_string_equal(e.id, "E0410");
		assert_non_null(strstr(e.text, "metrics file `m.json`, line"));
	}
	folder_write(&f, "m.json", "[1]");
	assert_int_equal(metrics_of_file(f.fd, "m.json", sink, &heard, &e), ERR_INPUT);
	assert_string_equal(e.id, "E0410");
	assert_int_equal(metrics_of_file(f.fd, "nothing", sink, &heard, &e), ERR_NOTFOUND);
}

static void metrics_as_deep_as_they_like(void **state)
{
	struct buf text = { 0 };
	struct err e;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		buf_str(&text, "{\"a\":");
	buf_str(&text, "1");
	buf_repeat(&text, '}', 1000);
	folder_write_bytes(&f, "m.json", text.data, text.len);
	GOOD(metrics_of_file(f.fd, "m.json", sink, &heard, &e));
	assert_int_equal(heard.count, 0); /* nobody could read its name */
	buf_release(&text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_record_is_understood),
		TEST(half_a_line_waits_for_its_end),
		TEST(rubbish_is_counted_and_skipped),
		TEST(deep_nesting_is_rubbish_too),
		TEST(endless_line_is_one_bad_line),
		TEST(many_records_are_all_heard),
		TEST(sink_that_fails_stops_the_reading),
		TEST(report_that_is_no_file_says_nothing),
		TEST(cut_report_does_no_harm),
		TEST(metrics_file_has_dotted_names),
		TEST(metrics_file_that_is_none),
		TEST(metrics_as_deep_as_they_like),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
