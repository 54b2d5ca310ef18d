#include "../support/folder.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "store/objects.h"
#include "store/project.h"
#include "store/stats.h"

static struct folder f;
static struct project p;
static struct objects o;

static int setup(void **state)
{
	struct err e;

	(void)state;
	folder_open(&f);
	GOOD(project_open(&p, f.path, PROJECT_WRITE, &e));
	o = objects_of(&p);
	return 0;
}

static unsigned files_in_tmp(void)
{
	struct stat st = folder_stat(&f, ".flow/objects/tmp");
	char command[300];
	FILE *pipe;
	unsigned count = 99;

	(void)st;
	(void)snprintf(command, sizeof command, "ls -A %s/.flow/objects/tmp | wc -l", f.path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%u", &count), 1);
	(void)pclose(pipe);
	return count;
}

static int teardown(void **state)
{
	unsigned left = files_in_tmp();

	(void)state;
	project_close(&p);
	folder_close(&f);
	return left == 0 ? 0 : -1;
}

static struct made take(const char *path)
{
	struct made made = { .size = 0 };
	struct stat_id id;
	struct err e;

	GOOD(object_take(&o, f.fd, path, &made, &id, &e));
	return made;
}

static void restore(const struct made *made, const char *path)
{
	struct stat_id id;
	struct err e;

	GOOD(object_restore(&o, made, path, &id, &e));
}

/* Path of an object below the project. */
static const char *path_of(const struct digest *d)
{
	static char path[100];
	char inner[80];

	(void)snprintf(path, sizeof path, ".flow/%s", object_path(d, inner));
	return path;
}

/* Other bytes in an object, as a failing disk writes them. */
static void damage(const struct digest *d, const char *text)
{
	const char *path = path_of(d);

	(void)unlinkat(f.fd, path, 0);
	folder_write(&f, path, text);
}

static void file_becomes_a_link_to_its_object(void **state)
{
	struct made made = { .size = 0 };
	struct stat file, object;
	struct digest want;
	struct stat_id id, now;
	struct err e;

	(void)state;
	folder_write(&f, "m/x", "model");
	GOOD(object_take(&o, f.fd, "m/x", &made, &id, &e));
	digest_of(&want, "model", 5);
	assert_true(digest_same(&made.digest, &want));
	assert_int_equal(made.size, 5);
	assert_int_equal(made.mode, 0644);
	file = folder_stat(&f, "m/x");
	object = folder_stat(&f, path_of(&want));
	assert_true(file.st_ino == object.st_ino && file.st_nlink == 2);
	assert_int_equal(file.st_mode & 07777, 0444);
	stat_id_of(&now, &file);
	assert_true(stat_id_same(&id, &now));
	assert_true(object_has(&o, &made));
	assert_string_equal(folder_text(&f, "m/x"), "model");
}

static void same_bytes_are_kept_once(void **state)
{
	struct made a, b;

	(void)state;
	folder_write(&f, "a", "same");
	folder_write(&f, "b", "same");
	a = take("a");
	b = take("b");
	assert_true(digest_same(&a.digest, &b.digest));
	a = take("a"); /* once more */
	assert_int_equal(folder_mode(&f, "b"), 0444);
	assert_int_equal(folder_stat(&f, path_of(&a.digest)).st_nlink, 2);
}

static void programs_stay_programs(void **state)
{
	struct made plain, program;

	(void)state;
	folder_write(&f, "plain", "#!/bin/sh");
	folder_write(&f, "program", "#!/bin/sh");
	assert_int_equal(fchmodat(f.fd, "program", 04711, 0), 0);
	plain = take("plain");
	program = take("program");
	assert_int_equal(program.mode, 0755);
	assert_int_equal(folder_mode(&f, "program"), 0555);
	assert_int_equal(unlinkat(f.fd, "program", 0), 0);
	assert_int_equal(unlinkat(f.fd, "plain", 0), 0);
	restore(&program, "program");
	restore(&plain, "plain");
	assert_int_equal(folder_mode(&f, "program"), 0555);
	assert_int_equal(folder_mode(&f, "plain"), 0444);
}

static void what_is_no_file_is_refused(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct made made;
	struct stat_id id;
	struct err e;

	(void)state;
	assert_int_equal(object_take(&o, f.fd, "nothing", &made, &id, &e), ERR_NOTFOUND);
	assert_int_equal(symlinkat("/etc/passwd", f.fd, "link"), 0);
	assert_int_equal(object_take(&o, f.fd, "link", &made, &id, &e), ERR_POLICY);
	assert_non_null(strstr(e.text, "symbolic link"));
	assert_int_equal(symlinkat("nothing", f.fd, "dangling"), 0);
	assert_int_equal(object_take(&o, f.fd, "dangling", &made, &id, &e), ERR_POLICY);
	assert_int_equal(mkfifoat(f.fd, "pipe", 0600), 0);
	assert_int_equal(object_take(&o, f.fd, "pipe", &made, &id, &e), ERR_POLICY);
	assert_string_equal(e.text, "`pipe`: is neither a regular file nor a folder");
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%.90s/sock", f.path);
	assert_int_equal(bind(sock, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(object_take(&o, f.fd, "sock", &made, &id, &e), ERR_POLICY);
	(void)close(sock);
	folder_make_one(&f, "d");
	assert_int_equal(symlinkat("/etc/passwd", f.fd, "d/link"), 0);
	assert_int_equal(object_take(&o, f.fd, "d", &made, &id, &e), ERR_POLICY);
}

static void folder_goes_and_comes_back(void **state)
{
	struct made made;
	struct stat_id id, none;
	struct err e;

	(void)state;
	memset(&none, 0, sizeof none);
	folder_write(&f, "d/a", "one");
	folder_write(&f, "d/b/c", "three");
	folder_write(&f, "d/odd\nname", "");
	folder_write(&f, "d/run", "#!");
	assert_int_equal(fchmodat(f.fd, "d/run", 0755, 0), 0);
	assert_int_equal(symlinkat("b/c", f.fd, "d/link"), 0);
	GOOD(object_take(&o, f.fd, "d", &made, &id, &e));
	assert_true(stat_id_same(&id, &none));
	assert_int_equal(made.mode, MADE_FOLDER | 0755);
	assert_int_equal(made.size, 10);
	assert_true(object_has(&o, &made));
	GOOD(tree_remove(f.fd, "d", &e));
	folder_write(&f, "d/other", "in the way");
	restore(&made, "d");
	assert_string_equal(folder_text(&f, "d/b/c"), "three");
	assert_string_equal(folder_text(&f, "d/odd\nname"), "");
	assert_string_equal(folder_text(&f, "d/other"), "(none)");
	assert_true(S_ISLNK(folder_stat(&f, "d/link").st_mode));
	assert_string_equal(folder_text(&f, "d/link"), "three");
	assert_int_equal(folder_mode(&f, "d/run"), 0555);
	assert_int_equal(folder_mode(&f, "d/a"), 0444);
}

/* The digest that the plan works out for a folder is the one its object has. */
static void folder_has_the_digest_of_its_manifest(void **state)
{
	struct stats stats = { .count = 0 };
	struct digest d;
	struct made made;
	struct err e;

	(void)state;
	folder_write(&f, "d/a", "one");
	folder_write(&f, "d/b/c", "three");
	GOOD(stats_digest(&stats, f.fd, "d", &d, &e));
	made = take("d");
	assert_true(digest_same(&made.digest, &d));
	stats_release(&stats);
}

static void empty_file_and_empty_folder(void **state)
{
	struct made file, folder;

	(void)state;
	folder_write(&f, "empty", "");
	folder_make_one(&f, "d");
	file = take("empty");
	folder = take("d");
	assert_true(object_has(&o, &file) && object_has(&o, &folder));
	assert_int_equal(unlinkat(f.fd, "empty", 0), 0);
	assert_int_equal(unlinkat(f.fd, "d", AT_REMOVEDIR), 0);
	restore(&file, "empty");
	restore(&folder, "d");
	assert_string_equal(folder_text(&f, "empty"), "");
	assert_true(S_ISDIR(folder_stat(&f, "d").st_mode));
}

static void what_is_in_the_way_is_replaced(void **state)
{
	struct made made;

	(void)state;
	folder_write(&f, "x", "mine");
	made = take("x");
	restore(&made, "x"); /* is there already: the same inode */
	assert_string_equal(folder_text(&f, "x"), "mine");
	assert_int_equal(unlinkat(f.fd, "x", 0), 0);
	folder_write(&f, "x", "another");
	restore(&made, "x");
	assert_string_equal(folder_text(&f, "x"), "mine");
	assert_int_equal(unlinkat(f.fd, "x", 0), 0);
	folder_write(&f, "x/y", "a folder");
	restore(&made, "x");
	assert_string_equal(folder_text(&f, "x"), "mine");
	assert_int_equal(unlinkat(f.fd, "x", 0), 0);
	folder_write(&f, "other", "untouched");
	assert_int_equal(symlinkat("other", f.fd, "x"), 0);
	restore(&made, "x");
	assert_string_equal(folder_text(&f, "other"), "untouched");
	assert_true(S_ISREG(folder_stat(&f, "x").st_mode));
	restore(&made, "new/folder/x");
	assert_string_equal(folder_text(&f, "new/folder/x"), "mine");
}

static void absent_out_is_taken_away(void **state)
{
	struct made absent = { .mode = MADE_ABSENT };

	(void)state;
	folder_write(&f, "x", "left over");
	assert_true(object_has(&o, &absent));
	restore(&absent, "x");
	assert_string_equal(folder_text(&f, "x"), "(none)");
	restore(&absent, "x");
}

static void damaged_object_is_never_served(void **state)
{
	struct made made;
	struct stat_id id;
	struct err e;
	char path[100], hex[DIGEST_HEX];

	(void)state;
	folder_write(&f, "x", "right");
	made = take("x");
	assert_int_equal(unlinkat(f.fd, "x", 0), 0);
	folder_write(&f, "x", "the user's own");
	damage(&made.digest, "wrong");
	assert_int_equal(object_restore(&o, &made, "x", &id, &e), ERR_CORRUPT);
	assert_string_equal(e.id, "E0503");
	assert_string_equal(folder_text(&f, "x"), "the user's own");
	assert_false(object_has(&o, &made));
	(void)snprintf(path, sizeof path, ".flow/quarantine/%s", digest_hex(&made.digest, hex));
	assert_string_equal(folder_text(&f, path), "wrong");
	assert_int_equal(object_restore(&o, &made, "x", &id, &e), ERR_NOTFOUND);
}

static void cut_object_is_not_there(void **state)
{
	struct made made;

	(void)state;
	folder_write(&f, "x", "right");
	made = take("x");
	assert_int_equal(unlinkat(f.fd, "x", 0), 0);
	damage(&made.digest, "");
	assert_false(object_has(&o, &made));
}

/* The power went before the bytes were on the disk: the next take of the same bytes must repair it. */
static void cut_object_is_replaced_by_the_next_take(void **state)
{
	struct made made;

	(void)state;
	folder_write(&f, "x", "right");
	made = take("x");
	assert_int_equal(unlinkat(f.fd, "x", 0), 0);
	damage(&made.digest, "");
	folder_write(&f, "x", "right");
	made = take("x");
	assert_true(object_has(&o, &made));
	assert_string_equal(folder_text(&f, path_of(&made.digest)), "right");
}

static void damaged_manifest_is_replaced_by_the_next_take(void **state)
{
	struct made made;

	(void)state;
	folder_write(&f, "d/a", "one");
	made = take("d");
	damage(&made.digest, "100644 of the same length, but all wrong xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
	assert_false(object_has(&o, &made));
	made = take("d");
	assert_true(object_has(&o, &made));
}

/* What lies in the place of a folder stays until the folder can be brought back whole. */
static void folder_is_restored_whole_or_not_at_all(void **state)
{
	struct made made, file;
	struct stat_id id;
	struct err e;

	(void)state;
	folder_write(&f, "d/a", "one");
	folder_write(&f, "d/b", "two");
	made = take("d");
	file = take("d/b");
	GOOD(tree_remove(f.fd, "d", &e));
	folder_write(&f, "d/mine", "of the user");
	damage(&file.digest, "TWO");
	assert_true(object_restore(&o, &made, "d", &id, &e) < 0);
	assert_string_equal(folder_text(&f, "d/mine"), "of the user");
	assert_string_equal(folder_text(&f, "d/a"), "(none)");
	assert_false(object_has(&o, &made));
}

/* A process that had our number died and left its temporary names. */
static void litter_of_the_dead_is_no_trouble(void **state)
{
	struct made file, folder, program;
	char path[100];
	struct err e;
	int i;

	(void)state;
	folder_write(&f, "x", "same");
	folder_write(&f, "d/a", "one");
	file = take("x");
	folder = take("d");
	program = file;
	program.mode = 0755; /* has to be a copy */
	for (i = 0; i < 200; i++) {
		(void)snprintf(path, sizeof path, ".flow/objects/tmp/%ld.%d%s", (long)getpid(), i, i % 2 == 0 ? "" : "/old");
		folder_write(&f, path, "old");
	}
	for (i = 0; i < 10; i++) {
		GOOD(tree_remove(f.fd, "d", &e));
		restore(&folder, "d");
		assert_string_equal(folder_text(&f, "d/old"), "(none)");
	}
	for (i = 0; i < 200; i++) {
		(void)snprintf(path, sizeof path, ".flow/objects/tmp/%ld.%d", (long)getpid(), i);
		GOOD(tree_remove(f.fd, path, &e));
		folder_write(&f, path, "old");
	}
	restore(&program, "x");
	assert_int_equal(folder_mode(&f, "x"), 0555);
	GOOD(tree_remove(f.fd, ".flow/objects/tmp", &e));
	folder_make_one(&f, ".flow/objects/tmp");
}

static void bytes_are_put_and_read(void **state)
{
	struct buf text = { 0 };
	struct digest d, other;
	struct err e;

	(void)state;
	GOOD(object_put(&o, "patch", 5, &d, &e));
	GOOD(object_put(&o, "patch", 5, &d, &e));
	GOOD(object_read(&o, &d, 100, &text, &e));
	assert_string_equal(buf_text(&text), "patch");
	assert_int_equal(folder_mode(&f, path_of(&d)), 0444);
	assert_int_equal(object_read(&o, &d, 4, &text, &e), ERR_INPUT);
	digest_of(&other, "other", 5);
	assert_int_equal(object_read(&o, &other, 100, &text, &e), ERR_NOTFOUND);
	damage(&d, "pitch");
	assert_int_equal(object_read(&o, &d, 100, &text, &e), ERR_CORRUPT);
	GOOD(object_put(&o, "patch", 5, &d, &e)); /* heals it */
	GOOD(object_read(&o, &d, 100, &text, &e));
	GOOD(object_put(&o, NULL, 0, &d, &e));
	buf_release(&text);
}

static void check_reads_every_byte(void **state)
{
	struct made made, file;
	struct err e;

	(void)state;
	folder_write(&f, "d/a", "one");
	folder_write(&f, "d/b", "two");
	made = take("d");
	file = take("d/b");
	assert_true(object_check(&o, &made) && object_check(&o, &file));
	GOOD(tree_remove(f.fd, "d", &e));
	damage(&file.digest, "TWO");
	assert_true(object_has(&o, &made)); /* by its size */
	assert_false(object_check(&o, &made));
	assert_false(object_has(&o, &made));
	assert_true(object_check(&o, &(struct made){ .mode = MADE_ABSENT }));
}

/* .flow is a link to another disk: links and renames are out of the question. */
static void store_may_lie_on_another_disk(void **state)
{
	char other[] = "/dev/shm/flow-test-XXXXXX";
	struct made file, folder;
	struct stat here, there;
	struct err e;

	(void)state;
	if (mkdtemp(other) == NULL || stat(other, &there) < 0 || fstat(f.fd, &here) < 0 || here.st_dev == there.st_dev)
		skip();
	project_close(&p);
	GOOD(tree_remove(f.fd, ".flow", &e));
	assert_int_equal(symlinkat(other, f.fd, ".flow"), 0);
	GOOD(project_open(&p, f.path, PROJECT_WRITE, &e));
	o = objects_of(&p);
	folder_write(&f, "x", "file");
	folder_write(&f, "d/run", "#!");
	assert_int_equal(fchmodat(f.fd, "d/run", 0755, 0), 0);
	file = take("x");
	folder = take("d");
	assert_int_equal(folder_mode(&f, "x"), 0444);
	assert_int_equal(unlinkat(f.fd, "x", 0), 0);
	GOOD(tree_remove(f.fd, "d", &e));
	folder_write(&f, "d/other", "");
	restore(&file, "x");
	restore(&folder, "d");
	assert_string_equal(folder_text(&f, "x"), "file");
	assert_string_equal(folder_text(&f, "d/run"), "#!");
	assert_string_equal(folder_text(&f, "d/other"), "(none)");
	assert_int_equal(folder_mode(&f, "x"), 0444);
	assert_int_equal(folder_mode(&f, "d/run"), 0555);
	assert_int_equal(files_in_tmp(), 0);
	GOOD(tree_remove(AT_FDCWD, other, &e));
	(void)unlinkat(f.fd, ".flow", 0);
	folder_make_one(&f, ".flow/objects/tmp");
}

/* -- several at once ---------------------------------------------------------------------------- */

#define THREADS 8
#define ROUNDS  40

struct taker {
	pthread_t thread;
	unsigned number, failures;
};

/* All threads take the same bytes, and one folder each of files that others have too. */
static void *take_many(void *user)
{
	struct taker *t = user;
	struct made made;
	struct stat_id id;
	char path[64], text[64];
	struct err e;
	unsigned i;

	for (i = 0; i < ROUNDS; i++) {
		(void)snprintf(path, sizeof path, "t/%u/%u", t->number, i);
		(void)snprintf(text, sizeof text, "text %u", i % 10);
		folder_write(&f, path, text);
		t->failures += object_take(&o, f.fd, path, &made, &id, &e) < 0;
		t->failures += object_put(&o, text, strlen(text), &made.digest, &e) < 0;
		(void)snprintf(path, sizeof path, "back/%u/%u", t->number, i);
		made.mode = 0644;
		t->failures += object_restore(&o, &made, path, &id, &e) < 0;
	}
	(void)snprintf(path, sizeof path, "t/%u", t->number);
	t->failures += object_take(&o, f.fd, path, &made, &id, &e) < 0;
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	struct taker takers[THREADS];
	unsigned i, k;

	(void)state;
	for (i = 0; i < THREADS; i++) {
		takers[i] = (struct taker){ .number = i };
		assert_int_equal(pthread_create(&takers[i].thread, NULL, take_many, &takers[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(takers[i].thread, NULL), 0);
		assert_int_equal(takers[i].failures, 0);
	}
	for (i = 0; i < THREADS; i++)
		for (k = 0; k < ROUNDS; k++) {
			char path[64], text[64];

			(void)snprintf(path, sizeof path, "back/%u/%u", i, k);
			(void)snprintf(text, sizeof text, "text %u", k % 10);
			assert_string_equal(folder_text(&f, path), text);
		}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(file_becomes_a_link_to_its_object),
		TEST(same_bytes_are_kept_once),
		TEST(programs_stay_programs),
		TEST(what_is_no_file_is_refused),
		TEST(folder_goes_and_comes_back),
		TEST(folder_has_the_digest_of_its_manifest),
		TEST(empty_file_and_empty_folder),
		TEST(what_is_in_the_way_is_replaced),
		TEST(absent_out_is_taken_away),
		TEST(damaged_object_is_never_served),
		TEST(cut_object_is_not_there),
		TEST(cut_object_is_replaced_by_the_next_take),
		TEST(damaged_manifest_is_replaced_by_the_next_take),
		TEST(folder_is_restored_whole_or_not_at_all),
		TEST(litter_of_the_dead_is_no_trouble),
		TEST(bytes_are_put_and_read),
		TEST(check_reads_every_byte),
		TEST(store_may_lie_on_another_disk),
		TEST(threads_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
