#include "../support/folder.h"

static struct folder f;

static int setup(void **state)
{
	(void)state;
	folder_open(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	folder_close(&f);
	return 0;
}

static void write_letters(const char *path, size_t len)
{
	char *letters = malloc(len + 1);
	size_t i;

	assert_non_null(letters);
	for (i = 0; i < len; i++)
		letters[i] = (char)('a' + i % 26);
	folder_write_bytes(&f, path, letters, len);
	free(letters);
}

static void reads_back(size_t len)
{
	struct buf text = { 0 };
	struct err e;
	size_t i;

	write_letters("x", len);
	GOOD(file_read(&text, f.fd, "x", len, &e));
	assert_int_equal(text.len, len);
	for (i = 0; i < len; i++)
		assert_int_equal(text.data[i], 'a' + i % 26);
	assert_int_equal(text.data[len], '\0');
	buf_release(&text);
}

static void files_of_every_size_are_read(void **state)
{
	(void)state;
	reads_back(0);
	reads_back(1);
	reads_back(62);
	reads_back(63);
	reads_back(64);
	reads_back(4096);
	reads_back(131071);
	reads_back(131072);
	reads_back(1000000);
}

static void small_file_takes_little_memory(void **state)
{
	struct buf text = { 0 };
	struct err e;

	(void)state;
	write_letters("x", 5000);
	GOOD(file_read(&text, f.fd, "x", 1 << 20, &e));
	assert_in_range(text.cap, 5001, 5100);
	buf_release(&text);
}

static void what_was_there_stays_before_it(void **state)
{
	struct buf text = { 0 };
	struct err e;

	(void)state;
	buf_str(&text, "before ");
	folder_write(&f, "x", "after");
	GOOD(file_read(&text, f.fd, "x", 5, &e));
	assert_string_equal(buf_text(&text), "before after");
	buf_release(&text);
}

static void file_over_the_limit_is_refused(void **state)
{
	struct buf text = { 0 };
	struct err e;

	(void)state;
	write_letters("x", 5001);
	assert_int_equal(file_read(&text, f.fd, "x", 5000, &e), ERR_INPUT);
	assert_string_equal(e.text, "`x`: is larger than 5000 bytes");
	buf_release(&text);
}

/* The kernel says of these that they have no bytes. */
static void file_of_unknown_size_is_read_to_its_end(void **state)
{
	struct buf text = { 0 };
	struct err e;

	(void)state;
	GOOD(file_read(&text, AT_FDCWD, "/proc/self/status", 1 << 20, &e));
	assert_non_null(strstr(buf_text(&text), "VmPeak"));
	assert_non_null(strstr(buf_text(&text), "nonvoluntary_ctxt_switches"));
	buf_release(&text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(files_of_every_size_are_read),
		TEST(small_file_takes_little_memory),
		TEST(what_was_there_stays_before_it),
		TEST(file_over_the_limit_is_refused),
		TEST(file_of_unknown_size_is_read_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
