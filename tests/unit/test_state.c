#include "../support/folder.h"

#include "run/state.h"
#include "store/db.h"
#include "store/project.h"

static bool schema_has_move(struct db *db, const char *old, const char *new)
{
	struct sqlite3_stmt *s = NULL;
	struct err e;
	bool found;

	GOOD(db_query(db, "SELECT count(*) FROM move WHERE what = 'task' AND old = ? AND new = ?", &s, &e));
	db_bind_text(s, 1, old);
	db_bind_text(s, 2, new);
	assert_int_equal(db_step(db, s, &e), 1);
	found = db_int(s, 0) != 0;
	db_finish(s);
	return found;
}

static uint32_t schema_moves(struct db *db)
{
	struct sqlite3_stmt *s = NULL;
	uint32_t count;
	struct err e;

	GOOD(db_query(db, "SELECT count(*) FROM move WHERE what = 'task'", &s, &e));
	assert_int_equal(db_step(db, s, &e), 1);
	count = (uint32_t)db_int(s, 0);
	db_finish(s);
	return count;
}

static void moves_are_those_of_the_schema(void **state)
{
	struct folder f;
	struct project p;
	struct db db;
	struct err e;
	uint32_t from, to, legal = 0;

	(void)state;
	folder_open(&f);
	GOOD(project_open(&p, f.path, PROJECT_WRITE, &e));
	GOOD(db_open(&db, &p, PROJECT_WRITE, &e));
	for (from = 0; from < TASK_STATES; from++)
		for (to = 0; to < TASK_STATES; to++) {
			const char *old = task_state_name((enum task_state)from);
			const char *new = task_state_name((enum task_state)to);
			bool is_legal = task_move_is_legal((enum task_state)from, (enum task_state)to);

			if (is_legal != schema_has_move(&db, old, new))
				fail_msg("%s -> %s is legal in one place only", old, new);
			legal += is_legal;
		}
	assert_int_equal(legal, schema_moves(&db));
	db_close(&db);
	project_close(&p);
	folder_close(&f);
}

static void nothing_leaves_an_end(void **state)
{
	uint32_t from, to;

	(void)state;
	for (from = 0; from < TASK_STATES; from++) {
		uint32_t ways = 0;

		for (to = 0; to < TASK_STATES; to++)
			ways += task_move_is_legal((enum task_state)from, (enum task_state)to);
		assert_int_equal(ways == 0, task_state_is_end((enum task_state)from));
	}
}

static void every_state_is_reached(void **state)
{
	uint32_t from, to;

	(void)state;
	for (to = 0; to < TASK_STATES; to++) {
		uint32_t ways = to == TASK_PENDING;

		for (from = 0; from < TASK_STATES; from++)
			ways += task_move_is_legal((enum task_state)from, (enum task_state)to);
		assert_true(ways > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_are_those_of_the_schema),
		cmocka_unit_test(nothing_leaves_an_end),
		cmocka_unit_test(every_state_is_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
