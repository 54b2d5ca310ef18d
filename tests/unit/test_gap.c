#include "../support/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/gap.h"

#define MIB ((uint64_t)1 << 20)

static struct folder f;
static int fd;

static int setup(void **state)
{
	(void)state;
	folder_open(&f);
	fd = openat(f.fd, "log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	folder_close(&f);
	return 0;
}

/* Appends so many bytes, each 64 KiB of which begins with its own number. */
static void append(uint64_t bytes)
{
	static char chunk[65536];
	struct stat st;

	for (; bytes > 0; bytes -= sizeof chunk) {
		assert_int_equal(fstat(fd, &st), 0);
		memset(chunk, '.', sizeof chunk);
		(void)snprintf(chunk, 32, "%lld", (long long)(st.st_size / (off_t)sizeof chunk));
		assert_int_equal(write(fd, chunk, sizeof chunk), sizeof chunk);
	}
}

static struct stat stat_now(void)
{
	struct stat st;

	assert_int_equal(fsync(fd), 0); /* blocks are counted when they are there */
	assert_int_equal(fstat(fd, &st), 0);
	return st;
}

static void short_log_is_left_whole(void **state)
{
	struct gap gap;

	(void)state;
	append(2 * MIB);
	assert_false(gap_cut(fd, 0, 2 * MIB, 2 * MIB));
	gap_find(fd, 0, 2 * MIB, &gap);
	assert_true(gap.from == 2 * MIB && gap.to == 2 * MIB);
}

static void head_and_tail_stay_and_the_disk_gets_the_rest(void **state)
{
	unsigned len;
	char text[GAP_TEXT], first[8] = "", last[8] = "";
	struct gap gap;

	(void)state;
	append(3 * MIB); /* of an earlier attempt */
	append(64 * MIB);
	assert_true(gap_cut(fd, 3 * MIB, 67 * MIB, 2 * MIB));
	gap_find(fd, 3 * MIB, 67 * MIB, &gap);
	assert_true(gap.from == 4 * MIB && gap.to == 66 * MIB);
	assert_true(stat_now().st_blocks * 512 < 7 * (off_t)MIB);
	assert_int_equal(stat_now().st_size, 67 * MIB);
	len = gap_text(&gap, text);
	assert_int_equal(len, strlen(text));
	assert_string_equal(text, "\n[flow: 65011712 bytes of the log were left out here]\n");
	assert_int_equal(pread(fd, first, 1, 0), 1);
	assert_int_equal(pread(fd, last, 4, 66 * MIB), 4);
	assert_string_equal(first, "0");
	assert_string_equal(last, "1056");
}

/* Cut again and again while somebody writes: it never takes much, and it is one gap. */
static void gap_grows_with_the_log(void **state)
{
	struct gap gap;
	uint64_t size;

	(void)state;
	for (size = 4 * MIB; size <= 400 * MIB; size += 4 * MIB) {
		append(4 * MIB);
		assert_true(gap_cut(fd, 0, size, 2 * MIB));
		assert_false(gap_cut(fd, 0, size, 2 * MIB));
		if (size % (100 * MIB) == 0)
			assert_true(stat_now().st_blocks * 512 < 8 * (off_t)MIB);
	}
	gap_find(fd, 0, 400 * MIB, &gap);
	assert_true(gap.from == MIB && gap.to == 399 * MIB);
}

static void odd_ranges_are_left_alone(void **state)
{
	struct gap gap;

	(void)state;
	append(MIB);
	assert_false(gap_cut(fd, 5 * MIB, MIB, 0));
	assert_false(gap_cut(fd, 0, 0, 0));
	assert_false(gap_cut(-1, 0, 90 * MIB, MIB));
	gap_find(fd, 9 * MIB, MIB, &gap);
	assert_true(gap.from == MIB && gap.to == MIB);
	gap_find(-1, 0, MIB, &gap);
	assert_true(gap.from == MIB && gap.to == MIB);
	/* What was promised and is not there counts as missing. */
	gap_find(fd, 0, 3 * MIB, &gap);
	assert_true(gap.from == MIB && gap.to == 3 * MIB);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(short_log_is_left_whole),
		TEST(head_and_tail_stay_and_the_disk_gets_the_rest),
		TEST(gap_grows_with_the_log),
		TEST(odd_ranges_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
