#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "run/kept.h"
#include "support/folder.h"

static void put(int dir, const char *path, size_t bytes)
{
	static char data[65536];
	struct err e;

	memset(data, 'x', sizeof data);
	assert_int_equal(folder_make_parents(dir, path, 0700, &e), 0);
	assert_int_equal(file_write_atomic(dir, path, data, bytes, 0600, &e), 0);
}

/* Two runs, three attempts: 10 is younger than 9. */
static void fill(int dir)
{
	put(dir, "runs/019a0000-old/train/1/log", 10);
	put(dir, "runs/019a0000-old/train/1/partial-0", 60000);
	put(dir, "runs/019a0000-old/params-0.json", 10);
	put(dir, "runs/019b0000-new/train/9/log", 10);
	put(dir, "runs/019b0000-new/train/9/core", 60000);
	put(dir, "runs/019b0000-new/train/10/log", 10);
	put(dir, "runs/019b0000-new/train/10/deep/er/core", 60000);
}

static void newest_attempts_stay(void **state)
{
	struct folder f;
	struct err e;

	(void)state;
	folder_open(&f);
	fill(f.fd);
	assert_int_equal(kept_prune(f.fd, 1, UINT64_MAX, &e), 0);
	assert_true(file_exists(f.fd, "runs/019b0000-new/train/10/deep/er/core"));
	assert_false(file_exists(f.fd, "runs/019b0000-new/train/9/core"));
	assert_false(file_exists(f.fd, "runs/019a0000-old/train/1/partial-0"));
	folder_close(&f);
}

static void logs_and_other_files_stay(void **state)
{
	struct folder f;
	struct err e;

	(void)state;
	folder_open(&f);
	fill(f.fd);
	assert_int_equal(kept_prune(f.fd, 0, 0, &e), 0);
	assert_true(file_exists(f.fd, "runs/019a0000-old/train/1/log"));
	assert_true(file_exists(f.fd, "runs/019a0000-old/params-0.json"));
	assert_true(file_exists(f.fd, "runs/019b0000-new/train/9/log"));
	assert_false(file_exists(f.fd, "runs/019b0000-new/train/10/deep"));
	folder_close(&f);
}

static void bytes_are_limited_too(void **state)
{
	struct folder f;
	struct err e;

	(void)state;
	folder_open(&f);
	fill(f.fd);
	assert_int_equal(kept_prune(f.fd, 100, 150000, &e), 0);
	assert_true(file_exists(f.fd, "runs/019b0000-new/train/10/deep/er/core"));
	assert_true(file_exists(f.fd, "runs/019b0000-new/train/9/core"));
	assert_false(file_exists(f.fd, "runs/019a0000-old/train/1/partial-0"));
	folder_close(&f);
}

/* A project of many runs is not walked again each time. */
static void what_is_cleared_is_not_looked_at_again(void **state)
{
	struct folder f;
	struct err e;

	(void)state;
	folder_open(&f);
	fill(f.fd);
	put(f.fd, "runs/019c0000-two/train/1/core", 10);
	put(f.fd, "runs/019c0000-two/train/2/core", 10);
	assert_int_equal(kept_prune(f.fd, 2, UINT64_MAX, &e), 0);
	assert_string_equal(folder_text(&f, "kept"), "019b0000-new");
	put(f.fd, "runs/019a0000-old/train/1/again", 10);
	put(f.fd, "runs/019d0000-young/train/1/core", 10);
	assert_int_equal(kept_prune(f.fd, 2, UINT64_MAX, &e), 0);
	assert_true(file_exists(f.fd, "runs/019d0000-young/train/1/core"));
	assert_true(file_exists(f.fd, "runs/019c0000-two/train/2/core"));
	assert_false(file_exists(f.fd, "runs/019c0000-two/train/1/core"));
	assert_true(file_exists(f.fd, "runs/019a0000-old/train/1/again"));
	/* Without the note, or with one that says nothing, it is. */
	put(f.fd, "kept", 0);
	assert_int_equal(kept_prune(f.fd, 2, UINT64_MAX, &e), 0);
	assert_false(file_exists(f.fd, "runs/019a0000-old/train/1/again"));
	folder_close(&f);
}

/* Half of a run's attempts are within the quota: it is looked at the next time too. */
static void run_that_is_kept_in_part_is_not_called_cleared(void **state)
{
	struct folder f;
	struct err e;

	(void)state;
	folder_open(&f);
	fill(f.fd);
	assert_int_equal(kept_prune(f.fd, 1, UINT64_MAX, &e), 0);
	assert_string_equal(folder_text(&f, "kept"), "019a0000-old");
	put(f.fd, "runs/019c0000-two/train/1/core", 10);
	assert_int_equal(kept_prune(f.fd, 1, UINT64_MAX, &e), 0);
	assert_false(file_exists(f.fd, "runs/019b0000-new/train/10/deep"));
	folder_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_attempts_stay),
		cmocka_unit_test(logs_and_other_files_stay),
		cmocka_unit_test(bytes_are_limited_too),
		cmocka_unit_test(what_is_cleared_is_not_looked_at_again),
		cmocka_unit_test(run_that_is_kept_in_part_is_not_called_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
