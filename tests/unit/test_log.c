#include "../support/past_runs.h"

#include "report/log.h"

static void write_logs(struct past_runs *p)
{
	struct folder *f = &p->store.folder;

	folder_write(f, ".flow/logs/a/0.log", "prep\n" "train 1\nstep\nlast\n" "later attempt");
	folder_write(f, ".flow/logs/b/0.log", "fit\n" "check fails");
	folder_write(f, ".flow/runs/a/train/1/log", "oops 1");
	folder_write(f, ".flow/runs/b/check/1/log", "oops 2");
}

static int find(struct past_runs *p, struct log_list *logs, int run, const char *name, uint32_t number, struct err *e)
{
	struct run_record r;

	if (run_get(p->db, p->run[run], &p->arena, &r, e) < 0)
		return e->code;
	return logs_find(logs, p->db, &r, name, number, &p->arena, e);
}

/* The last lines (0: all) of an attempt's log. */
static const char *text_of(struct past_runs *p, const struct log_part *part, uint32_t lines)
{
	struct log_reader reader;
	struct buf text = { 0 };
	const char *copy;
	struct err e;
	int rc = 1;

	GOOD(log_open(&reader, p->project, &part->attempt, &e));
	if (lines > 0)
		GOOD(log_last(&reader, lines, &e));
	while (rc > 0)
		GOOD(rc = log_next(&reader, &text, &e));
	buf_char(&text, '\0');
	copy = arena_strdup(&p->arena, text.data);
	log_close(&reader);
	buf_release(&text);
	return copy;
}

static void an_attempt_has_a_part_of_a_file(void **state)
{
	struct log_list logs;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	write_logs(&p);
	GOOD(find(&p, &logs, 0, "prep", 0, &e));
	assert_int_equal(logs.count, 1);
	assert_string_equal(text_of(&p, &logs.items[0], 0), "prep\n");
	GOOD(find(&p, &logs, 0, "train", 0, &e));
	assert_int_equal(logs.items[0].attempt.number, 2);
	assert_string_equal(text_of(&p, &logs.items[0], 0), "train 1\nstep\nlast\n");
	assert_string_equal(text_of(&p, &logs.items[0], 1), "last\n");
	assert_string_equal(text_of(&p, &logs.items[0], 2), "step\nlast\n");
	assert_string_equal(text_of(&p, &logs.items[0], 3), "train 1\nstep\nlast\n");
	assert_string_equal(text_of(&p, &logs.items[0], 99), "train 1\nstep\nlast\n");
	GOOD(find(&p, &logs, 0, "train", 1, &e));
	assert_string_equal(text_of(&p, &logs.items[0], 0), "oops 1");
	past_runs_close(&p);
}

static void without_a_name_what_failed_is_shown(void **state)
{
	struct log_list logs;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	write_logs(&p);
	GOOD(find(&p, &logs, 1, NULL, 0, &e));
	assert_int_equal(logs.count, 1);
	assert_string_equal(text_of(&p, &logs.items[0], 0), "oops ");
	GOOD(find(&p, &logs, 0, NULL, 0, &e));
	assert_int_equal(logs.count, 4);
	past_runs_close(&p);
}

static void a_reused_task_shows_the_log_of_the_attempt_it_stands_for(void **state)
{
	struct log_list logs;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	write_logs(&p);
	GOOD(find(&p, &logs, 1, "prep", 0, &e));
	assert_true(logs.items[0].reused);
	assert_int_equal(logs.items[0].attempt.id, p.prep);
	past_runs_close(&p);
}

static void what_is_not_there_is_told(void **state)
{
	struct log_reader reader;
	struct log_list logs;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	assert_int_equal(find(&p, &logs, 1, "trian", 0, &e), ERR_NOTFOUND);
	assert_string_equal(e.text, "run 019aa3b2-7d2f has no task or stage `trian`");
	assert_string_equal(e.hint, "did you mean `train`?");
	assert_int_equal(find(&p, &logs, 0, "train", 7, &e), ERR_NOTFOUND);
	assert_string_equal(e.hint, "it had 2");
	GOOD(find(&p, &logs, 0, "train", 0, &e));
	assert_int_equal(log_open(&reader, p.project, &logs.items[0].attempt, &e), ERR_NOTFOUND);
	log_close(&reader);
	past_runs_close(&p);
}

/* Of a log that grew too long the middle is gone: a line stands for it, and nobody reads the hole. */
static void a_gap_is_a_line(void **state)
{
	static const char mark[] = "\n[flow: 1099511623680 bytes of the log were left out here]\nlate\nlatest";
	struct attempt_record *attempt;
	struct log_list logs;
	struct past_runs p;
	struct err e;
	int fd;

	(void)state;
	past_runs_open(&p);
	write_logs(&p);
	GOOD(find(&p, &logs, 0, "train", 0, &e));
	attempt = &logs.items[0].attempt;
	attempt->log_from = 5;
	attempt->log_to = (INT64_C(1) << 40) + 11;
	fd = openat(p.project->flow_fd, attempt->log, O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 65536), 0);
	assert_int_equal(ftruncate(fd, INT64_C(1) << 40), 0);
	assert_int_equal(pwrite(fd, "late\nlatest", 11, INT64_C(1) << 40), 11);
	close(fd);
	assert_string_equal(text_of(&p, &logs.items[0], 2), "late\nlatest");
	assert_string_equal(text_of(&p, &logs.items[0], 3), mark);
	assert_true(strncmp(text_of(&p, &logs.items[0], 0), "train 1\n", 8) == 0);
	past_runs_close(&p);
}

static void hostile_rows_read_nothing_else(void **state)
{
	static const char *const paths[] = { "../secret", "/etc/passwd", "logs/../../secret", "logs", "", "logs/link" };
	struct log_reader reader;
	struct log_list logs;
	struct past_runs p;
	struct err e;
	size_t i;

	(void)state;
	past_runs_open(&p);
	write_logs(&p);
	folder_write(&p.store.folder, "secret", "secret");
	assert_int_equal(symlinkat("../../secret", p.project->flow_fd, "logs/link"), 0);
	GOOD(find(&p, &logs, 0, "train", 0, &e));
	for (i = 0; i < sizeof paths / sizeof *paths; i++) {
		logs.items[0].attempt.log = paths[i];
		assert_true(log_open(&reader, p.project, &logs.items[0].attempt, &e) < 0);
		log_close(&reader);
	}
	logs.items[0].attempt.log = "logs/b/0.log";
	logs.items[0].attempt.log_from = 100;
	logs.items[0].attempt.log_to = INT64_MAX;
	assert_string_equal(text_of(&p, &logs.items[0], 0), "");
	logs.items[0].attempt.log_from = -5;
	logs.items[0].attempt.log_to = -1;
	assert_string_equal(text_of(&p, &logs.items[0], 3), "");
	past_runs_close(&p);
}

/* Everything the reader has now, appended. */
static void drain(struct log_reader *r, struct buf *text)
{
	struct err e;
	int rc = 1;

	while (rc > 0)
		GOOD(rc = log_next(r, text, &e));
}

/* A run of this process, which holds the project. */
static int64_t run_at_work(struct past_runs *p)
{
	int64_t run = past_run(p, "019aa3b2-9999-7000-8000-000000000003", "{}", "");
	char sql[200], boot[37];
	struct err e;

	(void)snprintf(sql, sizeof sql, "UPDATE run SET pid = %d, boot_id = '%s' WHERE id = %d", (int)getpid(),
		boot_id(boot), (int)run);
	GOOD(store_do(&p->store, sql, &e));
	return run;
}

static void following_ends_with_the_attempt(void **state)
{
	struct buf parts = { 0 }, text = { 0 };
	struct attempt_record attempt;
	struct log_reader reader;
	struct past_runs p;
	struct err e;
	int64_t id;

	(void)state;
	past_runs_open(&p);
	folder_write(&p.store.folder, ".flow/logs/c/0.log", "old|one ");
	id = past_attempt(&p, run_at_work(&p), "slow", 1, &parts, "logs/c/0.log", 4);
	GOOD(attempt_get(p.db, id, &p.arena, &attempt, &e));
	GOOD(log_open(&reader, p.project, &attempt, &e));
	drain(&reader, &text);
	folder_write(&p.store.folder, ".flow/logs/c/0.log", "old|one two ");
	assert_int_equal(log_grow(&reader, p.db, &e), 1);
	drain(&reader, &text);
	/* It fails: its log is moved, and another attempt goes on in the file. */
	folder_write(&p.store.folder, ".flow/runs/c/slow/1/log", "one two three");
	folder_write(&p.store.folder, ".flow/logs/c/0.log", "old|one two threeANOTHER");
	past_attempt_end(&p, id, "FAILED", 100, "runs/c/slow/1/log", 0, 13);
	assert_int_equal(log_grow(&reader, p.db, &e), 0);
	drain(&reader, &text);
	buf_char(&text, '\0');
	assert_string_equal(text.data, "one two three");
	assert_int_equal(log_grow(&reader, p.db, &e), 0);
	log_close(&reader);
	buf_release(&text);
	buf_release(&parts);
	past_runs_close(&p);
}

static void following_ends_when_the_run_has_died(void **state)
{
	struct buf parts = { 0 }, text = { 0 };
	struct attempt_record attempt;
	struct log_reader reader;
	struct past_runs p;
	struct err e;
	int64_t id;

	(void)state;
	past_runs_open(&p);
	id = past_attempt(&p, run_at_work(&p), "slow", 1, &parts, "logs/c/0.log", 0);
	folder_write(&p.store.folder, ".flow/logs/c/0.log", "one");
	GOOD(attempt_get(p.db, id, &p.arena, &attempt, &e));
	GOOD(log_open(&reader, p.project, &attempt, &e));
	assert_int_equal(log_grow(&reader, p.db, &e), 1);
	GOOD(store_do(&p.store, "UPDATE run SET pid = 2147483632", &e));
	folder_write(&p.store.folder, ".flow/logs/c/0.log", "one two");
	assert_int_equal(log_grow(&reader, p.db, &e), 0);
	drain(&reader, &text);
	assert_int_equal(text.len, 7);
	log_close(&reader);
	buf_release(&text);
	buf_release(&parts);
	past_runs_close(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_attempt_has_a_part_of_a_file),
		cmocka_unit_test(without_a_name_what_failed_is_shown),
		cmocka_unit_test(a_reused_task_shows_the_log_of_the_attempt_it_stands_for),
		cmocka_unit_test(what_is_not_there_is_told),
		cmocka_unit_test(a_gap_is_a_line),
		cmocka_unit_test(hostile_rows_read_nothing_else),
		cmocka_unit_test(following_ends_with_the_attempt),
		cmocka_unit_test(following_ends_when_the_run_has_died),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
