#include "../support/folder.h"

#include "base/digest.h"
#include "store/batch.h"

#define LARGE ((size_t)300000)

static struct folder f;
static struct batch b;
static char text[LARGE];
static struct stat unseen[128], looked[128];

static int setup(void **state)
{
	size_t i;

	(void)state;
	folder_open(&f);
	b = (struct batch){ .dir = f.fd };
	memset(unseen, 0, sizeof unseen);
	for (i = 0; i < LARGE; i++)
		text[i] = (char)(i * 7 + i / 251);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	batch_release(&b);
	folder_close(&f);
	return 0;
}

static void expect(const struct batch_file *file, size_t len)
{
	struct digest d;

	digest_of(&d, text, len);
	assert_int_equal(file->rc, 0);
	assert_true(digest_same(&d, &file->digest));
	assert_int_equal(file->st->st_size, len);
}

/* 90 files of three folders and of none, of sizes around those that are read in another way. */
static size_t size_of(size_t i)
{
	static const size_t sizes[] = { 0, 1, 4096, 16383, 16384, 16385, 131072, 131073, LARGE };

	return sizes[i % 9];
}

static const char *path_of(size_t i)
{
	static char paths[90][32];

	(void)snprintf(paths[i], sizeof paths[i], i < 70 ? "d%zu/%zu" : "%zu%zu", i / 35, i);
	return paths[i];
}

static void make_90(void)
{
	size_t i;

	for (i = 0; i < 90; i++) {
		folder_write_bytes(&f, path_of(i), text, size_of(i));
		looked[i] = folder_stat(&f, path_of(i));
	}
}

static void check_90(void)
{
	size_t i, at;

	assert_int_equal(b.count, 90);
	for (i = 0; i < 90; i++) {
		for (at = 0; strcmp(b.items[at].path, path_of(i)) != 0; at++)
			assert_true(at < 89);
		expect(&b.items[at], size_of(i));
	}
}

static void new_files_are_looked_at_when_they_are_read(void **state)
{
	size_t i;

	(void)state;
	make_90();
	for (i = 0; i < 90; i++)
		batch_add(&b, path_of(i), &unseen[i]);
	batch_read(&b);
	check_90();
}

static void known_ones_come_out_the_same(void **state)
{
	size_t i;

	(void)state;
	make_90();
	for (i = 0; i < 90; i++)
		batch_add(&b, path_of(i), i % 2 == 0 ? &looked[i] : &unseen[i]);
	batch_read(&b);
	check_90();
}

static void what_cannot_be_read_harms_no_other(void **state)
{
	static const char *const paths[] = { "d/a", "d/none", "d/folder", "d/fifo", "d/z" };
	size_t i;

	(void)state;
	folder_write_bytes(&f, "d/a", text, 5);
	folder_write_bytes(&f, "d/z", text, 6);
	folder_make_one(&f, "d/folder");
	assert_int_equal(mkfifoat(f.fd, "d/fifo", 0600), 0);
	for (i = 0; i < 5; i++)
		batch_add(&b, paths[i], &unseen[i]);
	batch_read(&b);
	expect(&b.items[0], 5);
	for (i = 1; i < 4; i++)
		assert_true(b.items[i].rc < 0);
	expect(&b.items[4], 6);
}

static void one_alone_says_what_is_wrong(void **state)
{
	struct digest d;
	struct stat st = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(mkfifoat(f.fd, "fifo", 0600), 0);
	assert_int_equal(batch_read_one(f.fd, "fifo", &st, &d, &e), ERR_INPUT);
	assert_string_equal(e.text, "`fifo` is not a regular file");
	st = folder_stat(&f, "fifo");
	assert_int_equal(batch_read_one(f.fd, "fifo", &st, &d, &e), ERR_INPUT);
	memset(&st, 0, sizeof st);
	assert_true(batch_read_one(f.fd, "none", &st, &d, &e) < 0);
	assert_non_null(strstr(e.text, "cannot open `none`"));
}

/* What is told of it is what was looked at: the stat cache sees that it is another file. */
static void file_written_to_since_is_read_as_it_is(void **state)
{
	struct digest d, now;
	struct stat st;
	struct err e;

	(void)state;
	folder_write_bytes(&f, "x", text, 50000);
	folder_age(&f, "x", 10);
	st = folder_stat(&f, "x");
	folder_write_bytes(&f, "x", text, 50);
	GOOD(batch_read_one(f.fd, "x", &st, &d, &e));
	digest_of(&now, text, 50);
	assert_true(digest_same(&now, &d));
	assert_int_equal(st.st_size, 50000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(new_files_are_looked_at_when_they_are_read),
		TEST(known_ones_come_out_the_same),
		TEST(what_cannot_be_read_harms_no_other),
		TEST(one_alone_says_what_is_wrong),
		TEST(file_written_to_since_is_read_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
