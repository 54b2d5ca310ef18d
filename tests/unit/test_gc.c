#include "../support/past_runs.h"

#include "store/changed_files.h"
#include "store/gc.h"
#include "store/journal.h"
#include "store/objects.h"
#include "store/stats.h"
#include "store/verify.h"

static struct store s;
static int64_t run;

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

static void new_run(const char *uuid)
{
	struct run_row row = { .uuid = uuid, .dag_path = "", .dag_name = "", .params = "{}", .changed = "", .host = "",
		.boot_id = "", .version = "" };
	struct err e;

	GOOD(journal_run_begin(&s.db, &row, &run, &e));
}

/* A task that took so long and made what lies at the path, which does not stay there. Its input, or NULL. */
static int64_t success_from(const char *task, const char *path, int64_t took_ms, const struct digest *input)
{
	struct objects o = objects_of(&s.project);
	struct buf parts = { 0 };
	struct attempt_begin begin = { .run = run, .began_ms = 0, .task = task, .folder = "", .log = "", .number = 1,
		.parts = &parts };
	struct attempt_end end = { .ended_ms = took_ms, .state = "SUCCEEDED", .error = "", .exit_code = 0, .signal = -1 };
	struct made made = { .size = 0 };
	struct stat_id id;
	struct err e;

	digest_of(&begin.key, path, strlen(path));
	if (input != NULL)
		part_put(&parts, PART_INPUT, "raw", input->bytes, DIGEST_SIZE);
	GOOD(journal_task_new(&s.db, run, task, "", "", &e));
	GOOD(journal_attempt_begin(&s.db, &begin, &end.attempt, &e));
	GOOD(journal_attempt_end(&s.db, &end, &e));
	GOOD(object_take(&o, s.folder.fd, path, &made, &id, &e));
	GOOD(journal_artifact(&s.db, end.attempt, 0, path, path, &made, &e));
	GOOD(journal_task_state(&s.db, run, task, "RUNNING", 0, &e));
	GOOD(journal_task_state(&s.db, run, task, "SUCCEEDED", end.attempt, &e));
	GOOD(tree_remove(s.folder.fd, path, &e));
	buf_release(&parts);
	return end.attempt;
}

static int64_t success(const char *task, const char *path, int64_t took_ms)
{
	return success_from(task, path, took_ms, NULL);
}

static bool is_stored(int64_t attempt)
{
	char sql[200];

	(void)snprintf(sql, sizeof sql, "SELECT gone FROM artifact WHERE attempt = %lld", (long long)attempt);
	return store_text(&s, sql)[0] == '\0';
}

static struct gc collect(const struct gc_wish *wish)
{
	struct gc g;
	struct err e;

	GOOD(gc_plan(&g, &s.project, &s.db, wish, &e));
	GOOD(gc_do(&g, &e));
	gc_release(&g);
	return g;
}

static void fill(const char *path, char c, size_t size)
{
	struct buf text = { 0 };

	buf_repeat(&text, c, size);
	folder_write(&s.folder, path, buf_text(&text));
	buf_release(&text);
}

static void cheapest_for_each_byte_goes_first(void **state)
{
	struct gc_wish wish = { .keep.last = 1, .has_budget = true, .budget = 2500 };
	int64_t large, slow, small, last;
	struct gc g;

	(void)state;
	new_run("one");
	fill("large", 'a', 2000);
	large = success("large", "large", 1000); /* 0.5 ms a byte */
	fill("slow", 'b', 1000);
	slow = success("slow", "slow", 900);     /* 0.9 */
	fill("small", 'c', 500);
	small = success("small", "small", 300);  /* 0.6 */
	new_run("two");
	fill("last", 'd', 800);
	last = success("last", "last", 0);       /* worth nothing, but of the last run */
	g = collect(&wish);
	assert_int_equal(g.evicted, 1);
	assert_int_equal(g.freed_bytes, 2000);
	assert_false(is_stored(large));
	assert_true(is_stored(slow) && is_stored(small) && is_stored(last));
	wish.budget = 0;
	g = collect(&wish);
	assert_int_equal(g.evicted, 2);
	assert_false(is_stored(slow) || is_stored(small));
	assert_true(is_stored(last));
}

static void what_is_pinned_or_tagged_or_in_the_work_tree_stays(void **state)
{
	struct gc_wish wish = { .keep.last = 1 };
	int64_t pinned, tagged, tree, other;
	struct digest key;
	struct made made = { .size = 0 };
	struct err e;

	(void)state;
	new_run("pinned");
	fill("p", 'p', 10);
	pinned = success("a", "p", 1);
	GOOD(store_do(&s, "UPDATE run SET pinned_ms = 5", &e));
	new_run("tagged");
	fill("t", 't', 10);
	tagged = success("a", "t", 1);
	GOOD(store_do(&s, "INSERT INTO tag VALUES('best', 2, 0)", &e));
	new_run("tree");
	fill("w", 'w', 10);
	tree = success("a", "w", 1);
	digest_of(&key, "w", 1);
	GOOD(journal_latest(&s.db, "a", tree, &key, &made, 1, 1, &e));
	folder_write(&s.folder, "w", "whatever lies there");
	new_run("other");
	fill("o", 'o', 10);
	other = success("b", "o", 1);
	new_run("last");
	assert_int_equal(collect(&wish).evicted, 1);
	assert_true(is_stored(pinned) && is_stored(tagged) && is_stored(tree));
	assert_false(is_stored(other));
	GOOD(tree_remove(s.folder.fd, "w", &e));
	assert_int_equal(collect(&wish).evicted, 1);
	assert_false(is_stored(tree));
}

/* A file that a kept folder has, too; and one of two folders that share most of their files. */
static void what_something_else_claims_stays(void **state)
{
	struct gc_wish wish = { .keep.last = 1 };
	struct objects o = objects_of(&s.project);
	struct made folder = { .size = 0 };
	struct stat_id id;
	struct err e;
	struct gc g;

	(void)state;
	new_run("one");
	folder_write(&s.folder, "d/same", "same");
	folder_write(&s.folder, "d/old", "old");
	(void)success("d", "d", 1);
	folder_write(&s.folder, "f", "same");
	(void)success("f", "f", 1);
	new_run("two");
	folder_write(&s.folder, "d/same", "same");
	folder_write(&s.folder, "d/new", "new");
	GOOD(object_take(&o, s.folder.fd, "d", &folder, &id, &e));
	(void)success("d", "d", 1);
	g = collect(&wish);
	assert_int_equal(g.evicted, 2);
	assert_int_equal(g.freed_objects, 2); /* the old manifest, and `old` */
	assert_true(object_check(&o, &folder));
}

/* What was kept so that a result can be made again goes with the last result that was made from it. */
static void inputs_and_changed_files_go_with_what_was_made_of_them(void **state)
{
	struct gc_wish wish = { .keep.last = 1, .grace_ms = -1000 };
	struct objects o = objects_of(&s.project);
	struct digest raw, folder, inside, changed, list_of;
	struct source_row source = { .commit_id = "", .branch = "", .note = "" };
	struct buf list = { 0 }, patch = { 0 };
	char line[200], hex[DIGEST_HEX];
	struct err e;
	struct gc g;

	(void)state;
	GOOD(object_put(&o, "raw", 3, &raw, &e));
	GOOD(object_put(&o, "in it", 5, &inside, &e));
	(void)snprintf(line, sizeof line, "100644 %s 5 f\n", digest_hex(&inside, hex));
	GOOD(object_put(&o, line, strlen(line), &folder, &e));
	GOOD(object_put(&o, "changed", 7, &changed, &e));
	changed_add(&list, 0100644, &changed, "x.py");
	GOOD(object_put(&o, list.data, list.len, &list_of, &e));
	changed_head(&patch, &list_of);
	GOOD(object_put(&o, patch.data, patch.len, &source.patch, &e));
	new_run("one");
	GOOD(journal_run_source(&s.db, run, &source, &e));
	fill("a", 'a', 10);
	(void)success_from("a", "a", 1, &raw);
	fill("b", 'b', 10);
	(void)success_from("b", "b", 1, &folder);
	new_run("two");
	fill("c", 'c', 10);
	(void)success_from("c", "c", 1, &raw); /* of the last run: its input stays */
	wish.keep.last = 2;
	assert_int_equal(collect(&wish).freed_objects, 0);
	wish.keep.last = 1;
	g = collect(&wish);
	assert_int_equal(g.evicted, 2);
	assert_int_equal(g.freed_objects, 6); /* a, b, the folder, what is in it, the changed file and their list */
	assert_true(object_has(&o, &(struct made){ .digest = raw, .size = 3 }));
	assert_true(object_has(&o, &(struct made){ .digest = source.patch, .size = patch.len }));
	buf_release(&list);
	buf_release(&patch);
}

/* As a gc leaves it that was killed between its commit and its sweep, and a run that used the result since. */
static void what_was_evicted_and_is_used_again_stays(void **state)
{
	struct gc_wish wish = { .keep.last = 1 };
	int64_t attempt;
	struct err e;
	struct gc g;

	(void)state;
	new_run("one");
	fill("x", 'x', 10);
	attempt = success("x", "x", 1);
	GOOD(store_do(&s, "UPDATE artifact SET gone = 'evicted'", &e));
	g = collect(&wish);
	assert_int_equal(g.freed_objects, 0);
	assert_true(is_stored(attempt));
}

static void strangers_are_swept_after_the_grace_period(void **state)
{
	struct gc_wish wish = { .keep.last = UINT32_MAX, .grace_ms = GC_GRACE_MS };
	struct objects o = objects_of(&s.project);
	struct digest d;
	struct err e;

	(void)state;
	new_run("one");
	GOOD(object_put(&o, "of nobody", 9, &d, &e));
	assert_int_equal(collect(&wish).freed_objects, 0);
	wish.grace_ms = -1000;
	assert_int_equal(collect(&wish).freed_objects, 1);
}

static void damage_is_named_with_what_it_hurts(void **state)
{
	struct objects o = objects_of(&s.project);
	struct verify v;
	struct digest d;
	char path[80];
	struct err e;

	(void)state;
	new_run("one");
	folder_write(&s.folder, "d/a", "aaaa");
	folder_write(&s.folder, "d/b", "bbbb");
	(void)success("d", "d", 1);
	digest_of(&d, "bbbb", 4);
	assert_int_equal(fchmodat(o.store_fd, object_path(&d, path), 0644, 0), 0);
	{
		int fd = openat(o.store_fd, path, O_WRONLY);

		assert_int_equal(pwrite(fd, "B", 1, 0), 1);
		(void)close(fd);
	}
	GOOD(verify_begin(&v, &s.project, &s.db, false, &e));
	assert_int_equal(v.damaged, 1);
	assert_int_equal(v.hurt.count, 1);
	assert_string_equal(v.hurt.items[0].path, "d");
	assert_int_equal(v.hurt.items[0].damage, DAMAGE_BYTES);
	assert_true(digest_same(&v.hurt.items[0].object, &d));
	GOOD(verify_repair(&v, &e));
	verify_release(&v);
	GOOD(verify_begin(&v, &s.project, &s.db, true, &e));
	assert_int_equal(v.damaged, 0);
	assert_int_equal(v.hurt.count, 0);
	verify_release(&v);
	assert_int_equal(store_number(&s, "SELECT count(*) FROM artifact WHERE gone = 'damaged'"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cheapest_for_each_byte_goes_first),
		TEST(what_is_pinned_or_tagged_or_in_the_work_tree_stays),
		TEST(what_something_else_claims_stays),
		TEST(inputs_and_changed_files_go_with_what_was_made_of_them),
		TEST(what_was_evicted_and_is_used_again_stays),
		TEST(strangers_are_swept_after_the_grace_period),
		TEST(damage_is_named_with_what_it_hurts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
