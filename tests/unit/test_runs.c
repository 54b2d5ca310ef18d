#include "../support/past_runs.h"

#include "base/clock.h"
#include "store/tasks.h"

static int64_t resolve(struct past_runs *p, const char *ref)
{
	int64_t id = 0;
	struct err e;
	int rc = runs_resolve(p->db, ref, &id, &e);

	return rc < 0 ? rc : id;
}

static void a_run_is_named_in_many_ways(void **state)
{
	struct past_runs p;

	(void)state;
	past_runs_open(&p);
	assert_int_equal(resolve(&p, past_uuid[0]), p.run[0]);
	assert_int_equal(resolve(&p, "019aa3b2-7c1e"), p.run[0]);
	assert_int_equal(resolve(&p, "019AA3B2-7D"), p.run[1]);
	assert_int_equal(resolve(&p, "@last"), p.run[1]);
	assert_int_equal(resolve(&p, "@{0}"), p.run[1]);
	assert_int_equal(resolve(&p, "@{1}"), p.run[0]);
	assert_int_equal(resolve(&p, "@last-ok"), p.run[0]);
	past_runs_close(&p);
}

static void what_is_no_run_is_not_found(void **state)
{
	static const char *const refs[] = { "", "019", "zzzz", "@", "@{2}", "@{-1}", "@{1", "@{99999999999999999999}", "@lst",
		"019aa3b2-7c1e-7000-8000-0000000000010", "%", "019aa3b2%" };
	struct past_runs p;
	struct err e;
	int64_t id;
	size_t i;

	(void)state;
	past_runs_open(&p);
	for (i = 0; i < sizeof refs / sizeof *refs; i++) {
		assert_int_equal(runs_resolve(p.db, refs[i], &id, &e), ERR_NOTFOUND);
		assert_string_equal(e.hint, "`flow runs` lists them");
	}
	past_runs_close(&p);
}

static void an_ambiguous_prefix_names_the_candidates(void **state)
{
	struct past_runs p;
	struct err e;
	int64_t id;

	(void)state;
	past_runs_open(&p);
	assert_int_equal(runs_resolve(p.db, "019aa3b2", &id, &e), ERR_USAGE);
	assert_string_equal(e.text, "`019aa3b2` is the beginning of several runs: 019aa3b2-7d2f, 019aa3b2-7c1e");
	past_runs_close(&p);
}

static void a_run_is_read_whole(void **state)
{
	struct run_record r;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	GOOD(run_get(p.db, p.run[1], &p.arena, &r, &e));
	assert_string_equal(r.name, "019aa3b2-7d2f");
	assert_true(run_is(&r, "FAILED"));
	assert_string_equal(r.changed, "train.lr=0.003\n");
	assert_string_equal(r.branch, "main");
	assert_int_equal(r.dirty, 1);
	assert_false(digest_is_zero(&r.patch));
	assert_false(digest_is_zero(&r.reuse));
	assert_int_equal(run_took_ms(&r, 0), 60000);
	assert_int_equal(run_get(p.db, 99, &p.arena, &r, &e), ERR_NOTFOUND);
	past_runs_close(&p);
}

static void damaged_times_are_brought_into_range(void **state)
{
	struct run_record r;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	GOOD(store_do(&p.store, "UPDATE run SET began_ms = -9223372036854775807, ended_ms = 9223372036854775807", &e));
	GOOD(run_get(p.db, p.run[1], &p.arena, &r, &e));
	assert_int_equal(r.began_ms, 0);
	assert_true(run_took_ms(&r, 0) > 0);
	past_runs_close(&p);
}

static void the_newest_runs_come_first(void **state)
{
	struct run_list list;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	GOOD(runs_newest(p.db, NULL, 0, &p.arena, &list, &e));
	assert_int_equal(list.count, 2);
	assert_int_equal(list.items[0].id, p.run[1]);
	GOOD(runs_newest(p.db, "SUCCEEDED", 1, &p.arena, &list, &e));
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].id, p.run[0]);
	GOOD(runs_newest(p.db, "CANCELLED", 1, &p.arena, &list, &e));
	assert_int_equal(list.count, 0);
	past_runs_close(&p);
}

static void a_run_is_alive_while_its_process_holds_the_project(void **state)
{
	struct run_record r = { .pid = getpid() };
	struct past_runs p;
	char boot[37];

	(void)state;
	past_runs_open(&p);
	r.boot_id = boot_id(boot);
	assert_true(run_is_alive(p.project, &r));
	r.pid = 0x7ffffff0;
	assert_false(run_is_alive(p.project, &r));
	r.pid = INT64_MAX;
	assert_false(run_is_alive(p.project, &r));
	r.pid = getpid();
	r.boot_id = "another boot";
	assert_false(run_is_alive(p.project, &r));
	past_runs_close(&p);
}

static void without_the_lock_no_run_is_alive(void **state)
{
	struct run_record r = { .pid = getpid() };
	struct project reader;
	struct past_runs p;
	char boot[37];
	struct err e;

	(void)state;
	past_runs_open(&p);
	r.boot_id = boot_id(boot);
	store_shut(&p.store);
	GOOD(project_open(&reader, p.store.folder.path, PROJECT_READ, &e));
	assert_false(run_is_alive(&reader, &r));
	project_close(&reader);
	store_open_again(&p.store);
	past_runs_close(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_named_in_many_ways),
		cmocka_unit_test(what_is_no_run_is_not_found),
		cmocka_unit_test(an_ambiguous_prefix_names_the_candidates),
		cmocka_unit_test(a_run_is_read_whole),
		cmocka_unit_test(damaged_times_are_brought_into_range),
		cmocka_unit_test(the_newest_runs_come_first),
		cmocka_unit_test(a_run_is_alive_while_its_process_holds_the_project),
		cmocka_unit_test(without_the_lock_no_run_is_alive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
