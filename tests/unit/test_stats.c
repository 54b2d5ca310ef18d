#include "../support/store.h"

#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "store/stats.h"

static struct store s;
static struct stats stats;

static int setup(void **state)
{
	(void)state;
	memset(&stats, 0, sizeof stats);
	store_open(&s);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	stats_release(&stats);
	store_close(&s);
	return 0;
}

static void expect_digest(const char *path, const char *text)
{
	struct digest d, want;
	struct err e;

	GOOD(stats_digest(&stats, s.folder.fd, path, &d, &e));
	digest_of(&want, text, strlen(text));
	if (!digest_same(&d, &want))
		fail_msg("%s does not have the digest of `%s`", path, text);
}

static struct digest digest_now(const char *path)
{
	struct digest d;
	struct err e;

	GOOD(stats_digest(&stats, s.folder.fd, path, &d, &e));
	return d;
}

static void expect_absent(const char *path)
{
	struct digest d;
	struct err e;

	assert_int_equal(stats_digest(&stats, s.folder.fd, path, &d, &e), ERR_NOTFOUND);
}

/* As at the end of one process and the begin of the next. */
static void next_process(void)
{
	struct err e;

	GOOD(db_begin(&s.db, &e));
	GOOD(stats_save(&stats, &s.db, &e));
	GOOD(db_commit(&s.db, &e));
	stats_release(&stats);
	memset(&stats, 0, sizeof stats);
	GOOD(stats_load(&stats, &s.db, &e));
}

/* Long enough for what was written before to be beyond doubt. */
static void settle(void)
{
	folder_pause(25);
}

static void file_is_read_once(void **state)
{
	(void)state;
	folder_write(&s.folder, "x", "one");
	settle();
	expect_digest("x", "one");
	expect_digest("x", "one");
	assert_int_equal(stats.hashed, 1);
	next_process();
	expect_digest("x", "one");
	assert_int_equal(stats.hashed, 0);
	next_process();
	assert_int_equal(store_number(&s, "SELECT count(*) FROM file"), 1);
}

static void edited_file_is_read_again(void **state)
{
	(void)state;
	folder_write(&s.folder, "x", "one");
	settle();
	expect_digest("x", "one");
	next_process();
	folder_write(&s.folder, "x", "two"); /* as long as before */
	expect_digest("x", "two");
	next_process();
	expect_digest("x", "two");
}

static void touched_file_is_read_again_and_is_the_same(void **state)
{
	(void)state;
	folder_write(&s.folder, "x", "one");
	settle();
	expect_digest("x", "one");
	next_process();
	folder_age(&s.folder, "x", 100);
	expect_digest("x", "one");
	assert_int_equal(stats.hashed, 1);
}

/* Another file of the same size and times in its place: the inode tells. */
static void replaced_file_is_read_again(void **state)
{
	struct timespec times[2];
	struct stat st;

	(void)state;
	folder_write(&s.folder, "x", "one");
	folder_write(&s.folder, "y", "two");
	st = folder_stat(&s.folder, "x");
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	settle();
	expect_digest("x", "one");
	next_process();
	assert_int_equal(utimensat(s.folder.fd, "y", times, 0), 0);
	assert_int_equal(renameat(s.folder.fd, "y", s.folder.fd, "x"), 0);
	expect_digest("x", "two");
}

/* Hashed in the very tick it was written in: a second write in that tick would look the same. */
static void racy_entry_is_not_trusted(void **state)
{
	int64_t written;
	int tries = 0;

	(void)state;
	do { /* again when somebody else had the processor in between */
		stats_forget(&stats, "x");
		folder_write(&s.folder, "x", "one");
		written = clock_mono_ms();
		expect_digest("x", "one");
	} while (clock_mono_ms() - written > 5 && tries++ < 100);
	next_process();
	expect_digest("x", "one");
	assert_int_equal(stats.hashed, 1);
	settle();
	next_process();
	expect_digest("x", "one"); /* hashed again, late enough now */
	next_process();
	expect_digest("x", "one");
	assert_int_equal(stats.hashed, 0);
}

static void racy_edit_is_seen(void **state)
{
	char text[2] = "a";
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		text[0] = (char)('a' + i % 26);
		folder_write(&s.folder, "x", text);
		expect_digest("x", text);
		next_process();
	}
}

static void file_of_the_future_is_never_trusted(void **state)
{
	(void)state;
	folder_write(&s.folder, "x", "one");
	folder_age(&s.folder, "x", -100000);
	settle();
	expect_digest("x", "one");
	next_process();
	expect_digest("x", "one");
	assert_int_equal(stats.hashed, 1);
}

static void what_vanished_is_not_there(void **state)
{
	(void)state;
	folder_write(&s.folder, "x", "one");
	settle();
	expect_digest("x", "one");
	next_process();
	assert_int_equal(unlinkat(s.folder.fd, "x", 0), 0);
	expect_absent("x");
	folder_write(&s.folder, "x", "two");
	expect_absent("x"); /* looked at already */
	stats_forget(&stats, "x");
	expect_digest("x", "two");
	expect_absent("no/such/folder");
	folder_write(&s.folder, "file", "");
	expect_absent("file/below");
}

static void answer_stays_the_same_in_a_process(void **state)
{
	(void)state;
	folder_write(&s.folder, "x", "one");
	expect_digest("x", "one");
	folder_write(&s.folder, "x", "two");
	expect_digest("x", "one");
	stats_forget(&stats, "x");
	expect_digest("x", "two");
}

static void note_spares_the_reading(void **state)
{
	struct stat st;
	struct stat_id id;
	struct digest d;

	(void)state;
	expect_absent("x");
	folder_write(&s.folder, "x", "one");
	settle();
	st = folder_stat(&s.folder, "x");
	stat_id_of(&id, &st);
	digest_of(&d, "one", 3);
	stats_note(&stats, "x", &id, &d);
	expect_digest("x", "one");
	next_process();
	expect_digest("x", "one");
	assert_int_equal(stats.hashed, 0);
}

/* -- folders -------------------------------------------------------------------------------------- */

static void folder_changes_with_its_files(void **state)
{
	struct digest first, second;

	(void)state;
	folder_write(&s.folder, "d/a", "one");
	folder_write(&s.folder, "d/b/c", "two");
	settle();
	first = digest_now("d");
	assert_int_equal(stats.hashed, 2);
	next_process();
	second = digest_now("d");
	assert_true(digest_same(&first, &second));
	assert_int_equal(stats.hashed, 0);
	next_process();
	folder_write(&s.folder, "d/b/c", "TWO");
	second = digest_now("d");
	assert_false(digest_same(&first, &second));
	assert_int_equal(stats.hashed, 1);
	next_process();
	folder_write(&s.folder, "d/b/c", "two");
	folder_write(&s.folder, "d/new", "");
	second = digest_now("d");
	assert_false(digest_same(&first, &second));
	next_process();
	assert_int_equal(unlinkat(s.folder.fd, "d/new", 0), 0);
	second = digest_now("d");
	assert_true(digest_same(&first, &second));
}

static void note_of_a_file_changes_its_folders(void **state)
{
	struct digest first, second;
	struct stat st;
	struct stat_id id;
	struct digest d;

	(void)state;
	folder_write(&s.folder, "d/b/c", "one");
	first = digest_now("d");
	(void)digest_now("d/b");
	folder_write(&s.folder, "d/b/c", "two");
	st = folder_stat(&s.folder, "d/b/c");
	stat_id_of(&id, &st);
	digest_of(&d, "two", 3);
	stats_note(&stats, "d/b/c", &id, &d);
	second = digest_now("d");
	assert_false(digest_same(&first, &second));
	expect_digest("d/b/c", "two");
}

/* A folder that is made anew: what was known of the files in it holds no longer. */
static void forgotten_folder_is_forgotten_whole(void **state)
{
	struct digest first, second;

	(void)state;
	folder_write(&s.folder, "d/a", "one");
	folder_write(&s.folder, "d-x", "near");
	first = digest_now("d");
	expect_absent("d/b");
	expect_digest("d/a", "one");
	expect_digest("d-x", "near");
	folder_write(&s.folder, "d/a", "two");
	folder_write(&s.folder, "d/b", "new");
	folder_write(&s.folder, "d-x", "else");
	stats_forget(&stats, "d");
	expect_digest("d/a", "two");
	expect_digest("d/b", "new");
	expect_digest("d-x", "near"); /* not below it */
	second = digest_now("d");
	assert_false(digest_same(&first, &second));
}

/* Only what was known before: what was learnt since is not asked for again, however often its folder is forgotten. */
static void forgotten_folder_is_learnt_anew(void **state)
{
	(void)state;
	folder_write(&s.folder, "d/e/a", "one");
	expect_digest("d/e/a", "one");
	stats_forget(&stats, "d");
	stats_forget(&stats, "d/e");
	folder_write(&s.folder, "d/e/a", "two");
	expect_digest("d/e/a", "two");
	folder_write(&s.folder, "d/e/a", "three");
	expect_digest("d/e/a", "two"); /* each path is looked at once */
	stats_forget(&stats, "d");
	expect_digest("d/e/a", "three");
	assert_true(stats_still(&stats, s.folder.fd, "d/e/a"));
}

/* CPU seconds of forgetting folders beside so many entries. */
static double cost_of_forgetting(uint32_t entries)
{
	struct stats many = { 0 };
	char path[32];
	clock_t began;
	uint32_t i;

	for (i = 0; i < entries; i++) {
		(void)snprintf(path, sizeof path, "file-%u", i);
		stats_expect(&many, path);
	}
	began = clock();
	for (i = 0; i < 20000; i++) {
		(void)snprintf(path, sizeof path, "folder-%u", i);
		stats_forget(&many, path);
	}
	began = clock() - began;
	stats_release(&many);
	return (double)began / CLOCKS_PER_SEC;
}

/* A run of 100,000 tasks that make folders must not take 100,000 looks at 100,000 entries. */
static void forgetting_costs_the_same_in_a_large_project(void **state)
{
	double small, large;

	(void)state;
	small = cost_of_forgetting(1000);
	large = cost_of_forgetting(40000);
	if (large > 5 * small + 0.1)
		fail_msg("%.3f s beside 1,000 entries, %.3f s beside 40,000", small, large);
}

static void expected_path_is_looked_at_like_any_other(void **state)
{
	(void)state;
	stats_expect(&stats, "x");
	stats_expect(&stats, "x");
	assert_int_equal(stats.count, 1);
	expect_absent("x");
	stats_forget(&stats, "x");
	folder_write(&s.folder, "x", "one");
	expect_digest("x", "one");
}

/* Files that this process has hashed already are not read again for their folder, young as they are. */
static void folder_of_known_files_costs_no_reading(void **state)
{
	(void)state;
	folder_write(&s.folder, "d/a", "one");
	folder_write(&s.folder, "d/b", "two");
	expect_digest("d/a", "one");
	expect_digest("d/b", "two");
	(void)digest_now("d");
	assert_int_equal(stats.hashed, 2);
}

static void whole_project_is_a_folder_without_its_flow(void **state)
{
	struct digest first, second;

	(void)state;
	folder_write(&s.folder, "x", "one");
	folder_write(&s.folder, "d/.flow/x", "is not ours");
	first = digest_now(".");
	assert_int_equal(stats.hashed, 2);
	folder_write(&s.folder, ".flow/logs/new", "something");
	next_process();
	second = digest_now(".");
	assert_true(digest_same(&first, &second));
	folder_write(&s.folder, "x", "two");
	stats_forget(&stats, "x");
	second = digest_now(".");
	assert_false(digest_same(&first, &second));
}

static void link_is_followed_to_what_it_names(void **state)
{
	(void)state;
	folder_write(&s.folder, "real", "one");
	assert_int_equal(symlinkat("real", s.folder.fd, "link"), 0);
	assert_int_equal(symlinkat("nothing", s.folder.fd, "dangling"), 0);
	expect_digest("link", "one");
	expect_absent("dangling");
}

static void what_cannot_be_looked_at_is_an_error(void **state)
{
	struct digest d;
	struct err e;

	(void)state;
	assert_int_equal(symlinkat("loop", s.folder.fd, "loop"), 0);
	assert_int_equal(stats_digest(&stats, s.folder.fd, "loop", &d, &e), ERR_SYSTEM);
	assert_int_equal(unlinkat(s.folder.fd, "loop", 0), 0);
	folder_write(&s.folder, "loop", "a file for once");
	expect_digest("loop", "a file for once");
	next_process();
	assert_int_equal(unlinkat(s.folder.fd, "loop", 0), 0);
	assert_int_equal(symlinkat("loop", s.folder.fd, "loop"), 0);
	assert_int_equal(stats_digest(&stats, s.folder.fd, "loop", &d, &e), ERR_SYSTEM);
	assert_int_equal(mkfifoat(s.folder.fd, "pipe", 0600), 0);
	assert_int_equal(stats_digest(&stats, s.folder.fd, "pipe", &d, &e), ERR_INPUT);
	assert_string_equal(e.text, "`pipe` is not a regular file");
}

/* Has a source changed since the key was made of it? A further link to it, or a touched mode, is no change. */
static void source_is_what_it_was_or_not(void **state)
{
	(void)state;
	folder_write(&s.folder, "x", "one");
	folder_write(&s.folder, "d/y", "two");
	assert_true(stats_still(&stats, s.folder.fd, "x")); /* nobody has asked */
	expect_digest("x", "one");
	(void)digest_now("d");
	folder_pause(15);
	assert_int_equal(linkat(s.folder.fd, "x", s.folder.fd, "x2", 0), 0);
	assert_int_equal(fchmodat(s.folder.fd, "x", 0444, 0), 0);
	assert_true(stats_still(&stats, s.folder.fd, "x"));
	assert_true(stats_still(&stats, s.folder.fd, "d"));
	assert_int_equal(unlinkat(s.folder.fd, "x", 0), 0);
	assert_false(stats_still(&stats, s.folder.fd, "x"));
	folder_write(&s.folder, "x", "one");
	assert_false(stats_still(&stats, s.folder.fd, "x"));
	stats_forget(&stats, "x");
	expect_digest("x", "one");
	folder_pause(15);
	folder_write(&s.folder, "x", "two");
	assert_false(stats_still(&stats, s.folder.fd, "x"));
}

static void damaged_rows_are_not_trusted(void **state)
{
	struct err e;

	(void)state;
	folder_write(&s.folder, "x", "one");
	settle();
	expect_digest("x", "one");
	next_process();
	GOOD(store_do(&s, "UPDATE file SET digest = x'00'", &e));
	stats_release(&stats);
	memset(&stats, 0, sizeof stats);
	GOOD(stats_load(&stats, &s.db, &e));
	expect_digest("x", "one");
	assert_int_equal(stats.hashed, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(file_is_read_once),
		TEST(edited_file_is_read_again),
		TEST(touched_file_is_read_again_and_is_the_same),
		TEST(replaced_file_is_read_again),
		TEST(racy_entry_is_not_trusted),
		TEST(racy_edit_is_seen),
		TEST(file_of_the_future_is_never_trusted),
		TEST(what_vanished_is_not_there),
		TEST(answer_stays_the_same_in_a_process),
		TEST(note_spares_the_reading),
		TEST(folder_changes_with_its_files),
		TEST(note_of_a_file_changes_its_folders),
		TEST(forgotten_folder_is_forgotten_whole),
		TEST(forgotten_folder_is_learnt_anew),
		TEST(forgetting_costs_the_same_in_a_large_project),
		TEST(expected_path_is_looked_at_like_any_other),
		TEST(folder_of_known_files_costs_no_reading),
		TEST(whole_project_is_a_folder_without_its_flow),
		TEST(link_is_followed_to_what_it_names),
		TEST(what_cannot_be_looked_at_is_an_error),
		TEST(source_is_what_it_was_or_not),
		TEST(damaged_rows_are_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
