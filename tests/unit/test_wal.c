#include "../support/store.h"

#include <sys/stat.h>

/* What SQLite has written beside flow.db and not yet brought into it: flow.db-wal. */

#define ONE_RUN "INSERT INTO run(id, uuid, state, began_ms, dag_path) VALUES(1, 'u', 'CREATED', 0, 'dag.yaml')"

static struct store s;

static int setup(void **state)
{
	(void)state;
	store_open(&s);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(&s);
	return 0;
}

static void good(const char *sql)
{
	struct err e;

	if (store_do(&s, sql, &e) < 0)
		fail_msg("%s: %s", sql, e.text);
}

static void grow_log(void)
{
	good("INSERT INTO reuse SELECT randomblob(32), zeroblob(4000) FROM "
	     "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i FROM n)");
}

static void log_is_brought_in_when_it_has_grown(void **state)
{
	struct stat before, after;
	struct err e;
	int i;

	(void)state;
	good(ONE_RUN);
	before = folder_stat(&s.folder, ".flow/flow.db");
	for (i = 0; i < 5; i++) {
		GOOD(db_begin(&s.db, &e));
		grow_log();
		GOOD(db_checkpoint(&s.db, &e)); /* not inside a transaction */
		GOOD(db_commit(&s.db, &e));
		GOOD(db_checkpoint(&s.db, &e));
	}
	after = folder_stat(&s.folder, ".flow/flow.db");
	assert_true(after.st_size > before.st_size + 10 * 1024 * 1024);
	assert_true(folder_stat(&s.folder, ".flow/flow.db-wal").st_size < 32 * 1024 * 1024);
}

/* Whoever opens it next reads the whole log: 2,000 runs must not make that longer and longer. */
static void large_log_is_emptied_at_the_end(void **state)
{
	struct err e;

	(void)state;
	grow_log();
	assert_true(folder_stat(&s.folder, ".flow/flow.db-wal").st_size > 3000000);
	GOOD(db_empty_log(&s.db, &e));
	store_shut(&s);
	assert_int_equal(folder_stat(&s.folder, ".flow/flow.db-wal").st_size, 0);
	store_open_again(&s);
	assert_int_equal(store_number(&s, "SELECT count(*) FROM reuse"), 900);
}

/* A sync is too much for a run that did nothing. */
static void small_log_is_left_at_the_end(void **state)
{
	struct err e;

	(void)state;
	good(ONE_RUN);
	GOOD(db_empty_log(&s.db, &e));
	store_shut(&s);
	assert_true(folder_stat(&s.folder, ".flow/flow.db-wal").st_size > 0);
	store_open_again(&s);
	assert_int_equal(store_number(&s, "SELECT count(*) FROM run"), 1);
}

/* It has a view of the past that must not go; nobody waits for it. */
static void reader_keeps_the_log_at_the_end(void **state)
{
	struct project p;
	struct sqlite3_stmt *q = NULL;
	struct db reader;
	struct err e;

	(void)state;
	good(ONE_RUN);
	GOOD(project_open(&p, s.folder.path, PROJECT_READ, &e));
	GOOD(db_open(&reader, &p, PROJECT_READ, &e));
	GOOD(db_query(&reader, "SELECT uuid FROM run", &q, &e));
	assert_int_equal(db_step(&reader, q, &e), 1);
	grow_log();
	GOOD(db_empty_log(&s.db, &e));
	store_shut(&s);
	assert_true(folder_stat(&s.folder, ".flow/flow.db-wal").st_size > 3000000);
	assert_int_equal(db_step(&reader, q, &e), 0);
	db_finish(q);
	db_close(&reader);
	project_close(&p);
	store_open_again(&s);
	assert_int_equal(store_number(&s, "SELECT count(*) FROM reuse"), 900);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(log_is_brought_in_when_it_has_grown),
		TEST(large_log_is_emptied_at_the_end),
		TEST(small_log_is_left_at_the_end),
		TEST(reader_keeps_the_log_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
