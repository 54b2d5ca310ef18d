#include "../support/store.h"

#include <math.h>

#include "base/vec.h"
#include "../support/random.h"
#include "plan/past.h"
#include "store/journal.h"

static struct store s;
static int64_t run;
static struct buf parts;
static struct digest key;

static int64_t begin_run(const char *uuid)
{
	struct run_row row = { .uuid = uuid,
		.dag_path = "dag.yaml",
		.dag_name = "fashion",
		.params = "{\"train.lr\":0.1}",
		.changed = "train.lr=0.1",
		.host = "h",
		.boot_id = "b",
		.version = "0.1.0",
		.began_ms = 1000,
		.pid = 42 };
	int64_t id = 0;
	struct err e;

	GOOD(journal_run_begin(&s.db, &row, &id, &e));
	return id;
}

static int64_t begin_attempt(const char *task, uint32_t number)
{
	struct attempt_begin a = { .run = run,
		.began_ms = 2000,
		.task = task,
		.folder = "work/1",
		.log = "logs/0.log",
		.number = number,
		.log_from = 10,
		.key = key,
		.parts = &parts };
	int64_t id = 0;
	struct err e;

	GOOD(journal_attempt_begin(&s.db, &a, &id, &e));
	return id;
}

static int end_attempt(int64_t id, const char *state, struct err *e)
{
	struct attempt_end a = { .attempt = id,
		.ended_ms = 3000,
		.state = state,
		.error = "exit 3",
		.exit_code = 3,
		.signal = -1,
		.log_from = 10,
		.log_to = 20,
		.user_us = 1,
		.system_us = 2,
		.peak_rss_kib = 3,
		.strays = 4 };

	return journal_attempt_end(&s.db, &a, e);
}

static int setup(void **state)
{
	(void)state;
	store_open(&s);
	buf_clear(&parts);
	buf_add(&parts, "p\0q", 3);
	digest_of(&key, "key", 3);
	run = begin_run("0190-a");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_release(&parts);
	store_close(&s);
	return 0;
}

static void run_has_its_row(void **state)
{
	struct run_end end = { "FAILED", 9000, 3, 2, 1 };
	struct source_row source = { .commit_id = "3f9c", .branch = "main", .note = "", .dirty = 2 };
	struct err e;

	(void)state;
	assert_string_equal(store_text(&s, "SELECT state || began_ms || dag_name || changed || pid FROM run"),
		"RUNNING1000fashiontrain.lr=0.142");
	assert_string_equal(store_text(&s, "SELECT json_extract(params, '$.\"train.lr\"') FROM run"), "0.1");
	digest_of(&source.patch, "patch", 5);
	GOOD(journal_run_source(&s.db, run, &source, &e));
	assert_string_equal(store_text(&s, "SELECT commit_id || branch || dirty || length(patch_digest) FROM run"),
		"3f9cmain232");
	GOOD(journal_run_end(&s.db, run, &end, &e));
	assert_string_equal(store_text(&s, "SELECT state || ended_ms || ran || reused || failed FROM run"),
		"FAILED9000321");
	assert_true(journal_run_end(&s.db, run, &end, &e) < 0);
}

static void uuid_is_given_once(void **state)
{
	struct run_row row = { "0190-a", "d", "", "{}", "", "", "", "", { { 0 } }, 1, 1 };
	struct err e;
	int64_t id;

	(void)state;
	assert_true(journal_run_begin(&s.db, &row, &id, &e) < 0);
}

static void shared_reuse_is_stored_once(void **state)
{
	int64_t attempts[] = { 200, 1, 1 << 20, 5 }, again[] = { 1 << 20, 5, 1, 200 }, other, found[4];
	struct sqlite3_stmt *q = NULL;
	const void *blob;
	struct err e;
	size_t len;

	(void)state;
	GOOD(journal_run_reuse(&s.db, run, attempts, 4, &e));
	other = begin_run("0190-b");
	GOOD(journal_run_reuse(&s.db, other, again, 4, &e));
	GOOD(journal_run_reuse(&s.db, begin_run("0190-c"), attempts, 0, &e));
	assert_int_equal(store_number(&s, "SELECT count(*) FROM reuse"), 1);
	assert_int_equal(store_number(&s, "SELECT count(*) FROM run JOIN reuse ON digest = reuse_digest"), 2);
	GOOD(db_query(&s.db, "SELECT attempts FROM reuse", &q, &e));
	assert_int_equal(db_step(&s.db, q, &e), 1);
	blob = db_blob(q, 0, &len);
	assert_int_equal(ids_unpack(found, 4, blob, len), 4);
	assert_memory_equal(found, attempts, sizeof attempts);
	db_finish(q);
}

static void task_moves_and_remembers_its_attempt(void **state)
{
	struct err e;

	(void)state;
	GOOD(journal_task_new(&s.db, run, "a", "never-run", "never run before", &e));
	GOOD(journal_task_state(&s.db, run, "a", "RUNNING", 7, &e));
	GOOD(journal_task_state(&s.db, run, "a", "BACKOFF", 0, &e));
	assert_string_equal(store_text(&s, "SELECT state || attempt || why FROM task"), "BACKOFF7never run before");
	GOOD(journal_task_why(&s.db, run, "a", "param-changed", "p 1 -> 2", &e));
	assert_string_equal(store_text(&s, "SELECT reason || why FROM task"), "param-changedp 1 -> 2");
	assert_true(journal_task_state(&s.db, run, "a", "SUCCEEDED", 0, &e) < 0);
	assert_non_null(strstr(e.text, "a task may not move so"));
}

static void attempt_has_its_row(void **state)
{
	int64_t id = begin_attempt("a", 1);
	struct err e;

	(void)state;
	assert_string_equal(store_text(&s, "SELECT state || number || log || log_from || length(parts) FROM attempt"),
		"STARTING1logs/0.log103");
	GOOD(journal_attempt_running(&s.db, id, &e));
	GOOD(journal_attempt_running(&s.db, id, &e)); /* is so already */
	GOOD(end_attempt(id, "FAILED", &e));
	assert_string_equal(store_text(&s, "SELECT state || exit_code || ifnull(signal, '-') || error || log || "
					   "folder || log_to FROM attempt"),
		"FAILED3-exit 3logs/0.logwork/120");
	assert_true(end_attempt(id, "SUCCEEDED", &e) < 0);
	assert_string_equal(store_text(&s, "SELECT group_concat(state) FROM "
					   "(SELECT state FROM event WHERE attempt NOTNULL ORDER BY seq)"),
		"STARTING,RUNNING,FAILED");
}

static void second_success_of_a_task_is_refused(void **state)
{
	int64_t first = begin_attempt("a", 1), second = begin_attempt("a", 2), other = begin_attempt("b", 1);
	struct err e;

	(void)state;
	GOOD(end_attempt(first, "SUCCEEDED", &e));
	assert_true(end_attempt(second, "SUCCEEDED", &e) < 0);
	GOOD(end_attempt(other, "SUCCEEDED", &e));
	GOOD(end_attempt(second, "LOST", &e));
}

static void results_are_kept(void **state)
{
	int64_t id = begin_attempt("a", 1);
	struct made made = { .size = UINT64_C(1) << 40, .mode = MADE_FOLDER | 0755 };
	struct err e;

	(void)state;
	digest_of(&made.digest, "x", 1);
	GOOD(journal_artifact(&s.db, id, 0, "model", "m/x", &made, &e));
	GOOD(journal_artifact(&s.db, id, 1, "none", "m/y", &(struct made){ .mode = MADE_ABSENT }, &e));
	assert_string_equal(store_text(&s, "SELECT name || path || size || mode FROM artifact WHERE position = 0"),
		"modelm/x109951162777666029");
	GOOD(journal_latest(&s.db, "a", id, &key, &made, 1, 500, &e));
	GOOD(journal_latest(&s.db, "a", id, &key, &made, 1, 600, &e));
	assert_string_equal(store_text(&s, "SELECT count(*) || max(took_ms) || length(outs) FROM latest"), "160044");
	GOOD(journal_metric(&s.db, id, "loss", 3, 0.5, 1, &e));
	GOOD(journal_metric(&s.db, id, "loss", 3, 0.25, 2, &e)); /* the last one counts */
	GOOD(journal_metric(&s.db, id, "loss", -1, (double)NAN, 2, &e));
	assert_string_equal(
		store_text(&s, "SELECT count(*) || '/' || sum(value) || '/' || count(value) FROM metric"), "2/0.25/1");
	GOOD(journal_durable(&s.db, "boot", id, &e));
	assert_string_equal(store_text(&s, "SELECT boot_id || attempt FROM durable"), "boot1");
}

static void outs_are_packed_the_same_on_every_machine(void **state)
{
	struct made outs[2] = { { .size = 0x0102030405060708, .mode = MADE_FOLDER | 0755 }, { .mode = 0644 } }, back[2];
	struct buf b = { 0 };

	(void)state;
	digest_of(&outs[0].digest, "x", 1);
	memset(back, 0, sizeof back);
	made_pack(&b, outs, 2);
	assert_int_equal(b.len, 2 * MADE_PACKED);
	assert_memory_equal(b.data + 32, "\x08\x07\x06\x05\x04\x03\x02\x01\xed\x01\x01\x00", 12);
	assert_int_equal(made_unpack(back, 2, b.data, b.len), 2);
	assert_true(back[0].size == outs[0].size && back[0].mode == outs[0].mode);
	assert_true(digest_same(&back[0].digest, &outs[0].digest));
	assert_int_equal(made_unpack(back, 1, b.data, b.len), 2); /* more than there is room for */
	assert_int_equal(made_unpack(back, 2, b.data, b.len - 1), 1);
	buf_release(&b);
}

static void ids_are_packed_and_come_back(void **state)
{
	struct dice dice = { 7 };
	struct buf b = { 0 };
	struct { int64_t *items; size_t count, cap; } ids = { 0 };
	int64_t last = 0, *back;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		vec_push(&ids, last += 1 + (int64_t)(dice_next(&dice) >> dice_between(&dice, 20, 63)));
	vec_push(&ids, INT64_MAX);
	back = calloc(ids.count, sizeof *back);
	assert_non_null(back);
	ids_pack(&b, ids.items, ids.count);
	assert_int_equal(ids_unpack(back, ids.count, b.data, b.len), ids.count);
	assert_memory_equal(back, ids.items, ids.count * sizeof *back);
	assert_int_equal(ids_unpack(back, 3, b.data, b.len), ids.count);
	b.len--;
	assert_int_equal(ids_unpack(back, ids.count, b.data, b.len), ids.count - 1);
	memset(b.data, 0xff, b.len); /* damaged: never ends, never overflows */
	assert_int_equal(ids_unpack(back, ids.count, b.data, b.len), 0);
	vec_release(&ids);
	buf_release(&b);
	free(back);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(run_has_its_row),
		TEST(uuid_is_given_once),
		TEST(shared_reuse_is_stored_once),
		TEST(task_moves_and_remembers_its_attempt),
		TEST(attempt_has_its_row),
		TEST(second_success_of_a_task_is_refused),
		TEST(results_are_kept),
		cmocka_unit_test(outs_are_packed_the_same_on_every_machine),
		cmocka_unit_test(ids_are_packed_and_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
