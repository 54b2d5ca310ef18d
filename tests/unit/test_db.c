#include "../support/store.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "base/digest.h"

#define ONE_RUN "INSERT INTO run(id, uuid, state, began_ms, dag_path) VALUES(1, 'u', 'CREATED', 0, 'dag.yaml')"
#define ONE_ATTEMPT(id, number)                                                                    \
	"INSERT INTO attempt(id, run, task, number, state, key, parts, began_ms) "                 \
	"VALUES(" #id ", 1, 'a', " #number ", 'STARTING', x'00', x'', 0)"

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

static void refused(const char *sql, const char *why)
{
	struct err e;

	if (store_do(&s, sql, &e) == 0)
		fail_msg("%s was allowed", sql);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s: %s", sql, e.text);
}

static void schema_is_made_once(void **state)
{
	(void)state;
	assert_int_equal(store_number(&s, "PRAGMA user_version"), DB_VERSION);
	assert_string_equal(store_text(&s, "PRAGMA journal_mode"), "wal");
	assert_string_equal(store_text(&s, "PRAGMA integrity_check"), "ok");
	good(ONE_RUN);
	store_shut(&s);
	store_open_again(&s);
	assert_int_equal(store_number(&s, "SELECT count(*) FROM run"), 1);
	assert_int_equal(folder_mode(&s.folder, ".flow/flow.db") & 077, 0);
}

static void reader_sees_what_is_committed(void **state)
{
	struct project p;
	struct sqlite3_stmt *q = NULL;
	struct db reader;
	struct err e;

	(void)state;
	GOOD(db_begin(&s.db, &e));
	good(ONE_RUN);
	GOOD(project_open(&p, s.folder.path, PROJECT_READ, &e));
	GOOD(db_open(&reader, &p, PROJECT_READ, &e));
	GOOD(db_query(&reader, "SELECT count(*) FROM run", &q, &e));
	assert_int_equal(db_step(&reader, q, &e), 1);
	assert_int_equal(db_int(q, 0), 0);
	db_finish(q);
	GOOD(db_commit(&s.db, &e));
	GOOD(db_query(&reader, "SELECT count(*) FROM run", &q, &e));
	assert_int_equal(db_step(&reader, q, &e), 1);
	assert_int_equal(db_int(q, 0), 1);
	db_finish(q);
	GOOD(db_query(&reader, "DELETE FROM run", &q, &e));
	assert_true(db_step(&reader, q, &e) < 0);
	db_finish(q);
	db_close(&reader);
	project_close(&p);
}

/* `plan` and `status` leave the file as it is, byte for byte. */
static void reader_changes_nothing(void **state)
{
	struct project p;
	struct db reader;
	struct digest before, after;
	struct err e;

	(void)state;
	good(ONE_RUN);
	store_shut(&s);
	(void)folder_text(&s.folder, ".flow/flow.db");
	digest_of(&before, s.folder.text.data, s.folder.text.len);
	GOOD(project_open(&p, s.folder.path, PROJECT_READ, &e));
	GOOD(db_open(&reader, &p, PROJECT_READ, &e));
	db_close(&reader);
	project_close(&p);
	(void)folder_text(&s.folder, ".flow/flow.db");
	digest_of(&after, s.folder.text.data, s.folder.text.len);
	assert_true(digest_same(&before, &after));
	store_open_again(&s);
}

static void reader_of_a_project_without_runs(void **state)
{
	struct project p;
	struct db reader;
	struct err e;

	(void)state;
	store_shut(&s);
	assert_int_equal(unlinkat(s.folder.fd, ".flow/flow.db", 0), 0);
	GOOD(project_open(&p, s.folder.path, PROJECT_READ, &e));
	assert_int_equal(db_open(&reader, &p, PROJECT_READ, &e), ERR_NOTFOUND);
	folder_write(&s.folder, ".flow/flow.db", "");
	assert_int_equal(db_open(&reader, &p, PROJECT_READ, &e), ERR_NOTFOUND);
	project_close(&p);
	store_open_again(&s);
	assert_int_equal(store_number(&s, "SELECT count(*) FROM run"), 0);
}

/* A database as another program, or another version of flow, left it. */
static void make_foreign(const char *sql)
{
	char path[300];
	sqlite3 *handle = NULL;

	store_shut(&s);
	(void)unlinkat(s.folder.fd, ".flow/flow.db", 0);
	(void)unlinkat(s.folder.fd, ".flow/flow.db-wal", 0);
	(void)unlinkat(s.folder.fd, ".flow/flow.db-shm", 0);
	(void)snprintf(path, sizeof path, "%s/.flow/flow.db", s.folder.path);
	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(handle);
}

static void give_back(void)
{
	(void)unlinkat(s.folder.fd, ".flow/flow.db", 0);
	store_open_again(&s);
}

static void newer_version_is_refused_and_left_alone(void **state)
{
	struct project p;
	struct digest before, after;
	struct db db;
	struct err e;
	int mode;

	(void)state;
	make_foreign("PRAGMA user_version = 99; CREATE TABLE run(x)");
	(void)folder_text(&s.folder, ".flow/flow.db");
	digest_of(&before, s.folder.text.data, s.folder.text.len);
	for (mode = PROJECT_READ; mode <= PROJECT_WRITE; mode++) {
		GOOD(project_open(&p, s.folder.path, (enum project_mode)mode, &e));
		assert_int_equal(db_open(&db, &p, (enum project_mode)mode, &e), ERR_CORRUPT);
		assert_string_equal(e.id, "E0504");
		assert_string_equal(e.text, "flow.db was made by a newer flow (format 99, this one knows 2)");
		project_close(&p);
	}
	(void)folder_text(&s.folder, ".flow/flow.db");
	digest_of(&after, s.folder.text.data, s.folder.text.len);
	assert_true(digest_same(&before, &after));
	give_back();
}

/* A table stands in the way of the last statements: nothing of the first ones may stay. */
static void schema_is_made_whole_or_not_at_all(void **state)
{
	struct project p;
	struct db db;
	struct err e;

	(void)state;
	make_foreign("CREATE TABLE move(x)");
	GOOD(project_open(&p, s.folder.path, PROJECT_WRITE, &e));
	assert_true(db_open(&db, &p, PROJECT_WRITE, &e) < 0);
	project_close(&p);
	{
		char path[300];
		sqlite3 *handle = NULL;
		sqlite3_stmt *q = NULL;

		(void)snprintf(path, sizeof path, "%s/.flow/flow.db", s.folder.path);
		assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
		assert_int_equal(sqlite3_prepare_v2(handle,
					 "SELECT count(*), (SELECT user_version FROM pragma_user_version) "
					 "FROM sqlite_schema", -1, &q, NULL),
			SQLITE_OK);
		assert_int_equal(sqlite3_step(q), SQLITE_ROW);
		assert_int_equal(sqlite3_column_int(q, 0), 1);
		assert_int_equal(sqlite3_column_int(q, 1), 0);
		(void)sqlite3_finalize(q);
		(void)sqlite3_close(handle);
	}
	give_back();
}

/* All that makes up the tables, whatever the text that made them. */
#define SHAPE                                                                                                          \
	"SELECT group_concat(line, char(10)) FROM (SELECT m.type || ' ' || m.name || ' ' || coalesce(i.name, '') || ' ' || " \
	"coalesce(i.type, '') || ' ' || coalesce(i.\"notnull\", '') || ' ' || coalesce(i.dflt_value, '') || ' ' || "       \
	"coalesce(i.pk, '') || ' ' || CASE m.type WHEN 'table' THEN '' ELSE coalesce(m.sql, '') END AS line "               \
	"FROM sqlite_schema m LEFT JOIN pragma_table_info(m.name) i ON m.type = 'table' ORDER BY m.name, i.cid)"

static char *shape_of(const char *path)
{
	sqlite3 *handle = NULL;
	sqlite3_stmt *q = NULL;
	char *text;

	assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(handle, SHAPE, -1, &q, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	text = strdup((const char *)sqlite3_column_text(q, 0));
	(void)sqlite3_finalize(q);
	(void)sqlite3_close(handle);
	return text;
}

/* A journal of format 1 with three runs in it (tests/cli/older-database). */
static void make_old(const char *more)
{
	struct buf sql = { 0 };
	char path[4096];
	struct err e;

	(void)snprintf(path, sizeof path, "%s/tests/cli/older-database/journal-1.sql", getenv("FLOW_SOURCE_DIR"));
	GOOD(file_read(&sql, AT_FDCWD, path, 1 << 20, &e));
	buf_str(&sql, more);
	make_foreign(buf_text(&sql));
	buf_release(&sql);
}

static void older_version_becomes_what_a_new_one_is(void **state)
{
	char path[300], *made, *migrated;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/.flow/flow.db", s.folder.path);
	made = shape_of(path);
	make_old("");
	store_open_again(&s);
	migrated = shape_of(path);
	assert_string_equal(migrated, made);
	assert_int_equal(store_number(&s, "PRAGMA user_version"), DB_VERSION);
	assert_int_equal(store_number(&s, "SELECT count(*) FROM artifact WHERE gone = ''"), 4);
	free(made);
	free(migrated);
	store_shut(&s);
	give_back();
}

static void reader_sees_an_older_version_as_a_new_one_and_changes_nothing(void **state)
{
	struct project p;
	struct sqlite3_stmt *q = NULL;
	struct db db;
	struct err e;

	(void)state;
	make_old("");
	GOOD(project_open(&p, s.folder.path, PROJECT_READ, &e));
	GOOD(db_open(&db, &p, PROJECT_READ, &e));
	GOOD(db_query(&db, "SELECT count(*) FROM run WHERE pinned_ms IS NULL", &q, &e));
	assert_int_equal(db_step(&db, q, &e), 1);
	assert_int_equal(db_int(q, 0), 3);
	db_finish(q);
	GOOD(db_query(&db, "UPDATE run SET note = 'x'", &q, &e));
	assert_true(db_step(&db, q, &e) < 0);
	db_finish(q);
	db_close(&db);
	project_close(&p);
	store_open_again(&s);
	store_shut(&s);
	give_back();
}

/* The last statement of the way up fails: nothing of the first ones may stay. */
static void schema_is_migrated_whole_or_not_at_all(void **state)
{
	struct project p;
	struct db db;
	struct err e;
	char path[300], *before, *after;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/.flow/flow.db", s.folder.path);
	make_old("ALTER TABLE artifact ADD COLUMN gone TEXT;");
	before = shape_of(path);
	GOOD(project_open(&p, s.folder.path, PROJECT_WRITE, &e));
	assert_true(db_open(&db, &p, PROJECT_WRITE, &e) < 0);
	assert_non_null(strstr(e.text, "cannot bring flow.db up to date: duplicate column name: gone"));
	project_close(&p);
	after = shape_of(path);
	assert_string_equal(after, before);
	free(before);
	free(after);
	give_back();
}

static void garbage_is_called_damaged(void **state)
{
	struct project p;
	struct buf text = { 0 };
	struct db db;
	struct err e;
	int mode;

	(void)state;
	store_shut(&s);
	(void)unlinkat(s.folder.fd, ".flow/flow.db-wal", 0);
	buf_repeat(&text, 'x', 20000);
	folder_write(&s.folder, ".flow/flow.db", buf_text(&text));
	for (mode = PROJECT_READ; mode <= PROJECT_WRITE; mode++) {
		GOOD(project_open(&p, s.folder.path, (enum project_mode)mode, &e));
		assert_int_equal(db_open(&db, &p, (enum project_mode)mode, &e), ERR_CORRUPT);
		assert_string_equal(e.id, "E0503");
		assert_non_null(strstr(e.text, "flow.db is damaged"));
		assert_non_null(strstr(e.hint, "move .flow/flow.db away"));
		project_close(&p);
	}
	assert_string_equal(folder_text(&s.folder, ".flow/flow.db"), buf_text(&text));
	buf_release(&text);
	give_back();
}

static void what_is_no_file_is_refused(void **state)
{
	struct project p;
	struct db db;
	struct err e;

	(void)state;
	store_shut(&s);
	(void)unlinkat(s.folder.fd, ".flow/flow.db", 0);
	assert_int_equal(symlinkat("/etc/passwd", s.folder.fd, ".flow/flow.db"), 0);
	GOOD(project_open(&p, s.folder.path, PROJECT_WRITE, &e));
	assert_int_equal(db_open(&db, &p, PROJECT_WRITE, &e), ERR_POLICY);
	assert_string_equal(e.id, "E0508");
	(void)unlinkat(s.folder.fd, ".flow/flow.db", 0);
	folder_make_one(&s.folder, ".flow/flow.db");
	assert_int_equal(db_open(&db, &p, PROJECT_WRITE, &e), ERR_POLICY);
	assert_int_equal(unlinkat(s.folder.fd, ".flow/flow.db", AT_REMOVEDIR), 0);
	project_close(&p);
	give_back();
}

static void transactions_hold_together(void **state)
{
	struct err e;

	(void)state;
	GOOD(db_begin(&s.db, &e));
	GOOD(db_begin(&s.db, &e)); /* the same one */
	good(ONE_RUN);
	db_rollback(&s.db);
	assert_int_equal(store_number(&s, "SELECT count(*) FROM run"), 0);
	db_rollback(&s.db);
	GOOD(db_commit(&s.db, &e)); /* nothing to do */
	GOOD(db_begin(&s.db, &e));
	good(ONE_RUN);
	GOOD(db_commit(&s.db, &e));
	assert_int_equal(store_number(&s, "SELECT count(*) FROM run"), 1);
}

/* A statement that gave no row, or was left at one, takes new values all the same. */
static void kept_statement_takes_new_values(void **state)
{
	static const char sql[] = "SELECT ?1 WHERE ?1 > 2";
	struct sqlite3_stmt *q = NULL;
	struct err e;

	(void)state;
	GOOD(db_prepare(&s.db, 40, sql, &q, &e));
	db_bind_int(q, 1, 1);
	assert_int_equal(db_step(&s.db, q, &e), 0);
	GOOD(db_prepare(&s.db, 40, sql, &q, &e));
	db_bind_int(q, 1, 3);
	assert_int_equal(db_step(&s.db, q, &e), 1);
	assert_int_equal(db_int(q, 0), 3);
	GOOD(db_prepare(&s.db, 40, sql, &q, &e));
	db_bind_int(q, 1, 4);
	assert_int_equal(db_step(&s.db, q, &e), 1);
	assert_int_equal(db_int(q, 0), 4);
	assert_int_equal(db_step(&s.db, q, &e), 0);
}

static void values_come_back_as_they_went_in(void **state)
{
	struct sqlite3_stmt *q = NULL;
	struct digest d, zero = { { 0 } }, found;
	const void *blob;
	struct err e;
	size_t len;

	(void)state;
	digest_of(&d, "x", 1);
	GOOD(db_query(&s.db, "SELECT ?, ?, ?, ?, ?, ?, ?", &q, &e));
	db_bind_int(q, 1, INT64_MIN);
	db_bind_real(q, 2, 0.1);
	db_bind_text(q, 3, "t\xc3\xa9xt");
	db_bind_text(q, 4, NULL);
	db_bind_blob(q, 5, NULL, 0);
	db_bind_digest(q, 6, &d);
	db_bind_digest(q, 7, &zero);
	assert_int_equal(db_step(&s.db, q, &e), 1);
	assert_true(db_int(q, 0) == INT64_MIN && db_real(q, 1) == 0.1);
	assert_string_equal(db_text(q, 2), "t\xc3\xa9xt");
	assert_true(db_is_null(q, 3));
	assert_string_equal(db_text(q, 3), "");
	assert_false(db_is_null(q, 4));
	blob = db_blob(q, 4, &len);
	assert_non_null(blob);
	assert_int_equal(len, 0);
	assert_true(db_digest(q, 5, &found) && digest_same(&found, &d));
	assert_true(!db_digest(q, 6, &found) && digest_is_zero(&found));
	db_finish(q);
}

static void runs_move_as_they_may(void **state)
{
	(void)state;
	good(ONE_RUN);
	refused("UPDATE run SET state = 'SUCCEEDED'", "a run may not move so");
	good("UPDATE run SET state = 'RUNNING'");
	refused("UPDATE run SET state = 'CREATED'", "a run may not move so");
	refused("UPDATE run SET state = 'DONE'", "");
	good("UPDATE run SET state = 'FAILED'");
	refused("UPDATE run SET state = 'RUNNING'", "a run may not move so");
	assert_int_equal(store_number(&s, "SELECT count(*) FROM event"), 3);
	assert_string_equal(store_text(&s, "SELECT group_concat(state) FROM (SELECT state FROM event ORDER BY seq)"),
		"CREATED,RUNNING,FAILED");
}

static void tasks_and_attempts_move_as_they_may(void **state)
{
	(void)state;
	good(ONE_RUN);
	good("INSERT INTO task(run, name, state) VALUES(1, 'a', 'PENDING')");
	refused("UPDATE task SET state = 'SUCCEEDED'", "a task may not move so");
	good("UPDATE task SET state = 'RUNNING'");
	good("UPDATE task SET state = 'BACKOFF'");
	good("UPDATE task SET why = 'this is no move'");
	refused("INSERT INTO task(run, name, state) VALUES(1, 'a', 'PENDING')", "UNIQUE");
	refused("INSERT INTO task(run, name, state) VALUES(1, 'b', 'LOST')", "CHECK");
	good(ONE_ATTEMPT(1, 1));
	refused(ONE_ATTEMPT(2, 1), "UNIQUE");
	refused(ONE_ATTEMPT(2, 0), "CHECK");
	good("UPDATE attempt SET state = 'LOST' WHERE id = 1");
	refused("UPDATE attempt SET state = 'SUCCEEDED' WHERE id = 1", "an attempt may not move so");
	assert_string_equal(store_text(&s, "SELECT group_concat(state) FROM "
					   "(SELECT state FROM event WHERE task = 'a' ORDER BY seq)"),
		"RUNNING,BACKOFF,STARTING,LOST");
}

static void task_succeeds_once(void **state)
{
	(void)state;
	good(ONE_RUN);
	good(ONE_ATTEMPT(1, 1));
	good(ONE_ATTEMPT(2, 2));
	good("UPDATE attempt SET state = 'SUCCEEDED' WHERE id = 2");
	refused("UPDATE attempt SET state = 'SUCCEEDED' WHERE id = 1", "UNIQUE");
	assert_int_equal(store_number(&s, "SELECT count(*) FROM attempt WHERE state = 'SUCCEEDED'"), 1);
}

/* A reader from before flow took the lock in hand may hold the file for a moment; a writer that never lets go is told of. */
static void file_that_another_program_holds_is_busy(void **state)
{
	char path[300];
	sqlite3 *other = NULL;
	struct err e;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/.flow/flow.db", s.folder.path);
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_busy_timeout(s.db.handle, 10);
	assert_int_equal(db_begin(&s.db, &e), ERR_BUSY);
	assert_string_equal(e.id, "E0506");
	(void)sqlite3_close(other);
	GOOD(db_begin(&s.db, &e));
	db_rollback(&s.db);
}

static void full_disk_says_so(void **state)
{
	struct err e;

	(void)state;
	good("PRAGMA max_page_count = 60");
	GOOD(db_begin(&s.db, &e));
	refused("INSERT INTO reuse VALUES(x'00', zeroblob(1000000))", "the disk is full");
	db_rollback(&s.db);
	(void)store_do(&s, "INSERT INTO reuse VALUES(x'00', zeroblob(1000000))", &e);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(e.sys, ENOSPC);
	assert_string_equal(e.id, "E0502");
	good(ONE_RUN); /* a little is left */
}

/* Killed in the middle of a transaction: what was committed is there, the rest is not. */
static void killed_writer_loses_nothing_committed(void **state)
{
	pid_t child;
	int status;

	(void)state;
	store_shut(&s);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct err e;

		store_open_again(&s);
		(void)store_do(&s, ONE_RUN, &e);
		(void)db_begin(&s.db, &e);
		(void)store_do(&s, "DELETE FROM run", &e);
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	store_open_again(&s); /* the lock went with the process */
	assert_int_equal(store_number(&s, "SELECT count(*) FROM run"), 1);
	assert_string_equal(store_text(&s, "PRAGMA integrity_check"), "ok");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(schema_is_made_once),
		TEST(reader_sees_what_is_committed),
		TEST(reader_changes_nothing),
		TEST(reader_of_a_project_without_runs),
		TEST(newer_version_is_refused_and_left_alone),
		TEST(schema_is_made_whole_or_not_at_all),
		TEST(older_version_becomes_what_a_new_one_is),
		TEST(reader_sees_an_older_version_as_a_new_one_and_changes_nothing),
		TEST(schema_is_migrated_whole_or_not_at_all),
		TEST(garbage_is_called_damaged),
		TEST(what_is_no_file_is_refused),
		TEST(transactions_hold_together),
		TEST(kept_statement_takes_new_values),
		TEST(values_come_back_as_they_went_in),
		TEST(runs_move_as_they_may),
		TEST(tasks_and_attempts_move_as_they_may),
		TEST(task_succeeds_once),
		TEST(file_that_another_program_holds_is_busy),
		TEST(full_disk_says_so),
		TEST(killed_writer_loses_nothing_committed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
