#include "../support/folder.h"

#include "store/description_cache.h"

static struct folder f;
static struct digest train, split;

static int setup(void **state)
{
	struct description_cache c = { 0 };

	(void)state;
	folder_open(&f);
	digest_of(&train, "train", 5);
	digest_of(&split, "split", 5);
	description_cache_add(&c, &train, "{\"abi\":1,\"stages\":[]}\n");
	description_cache_add(&c, &split, "");
	description_cache_save(&c, f.fd);
	description_cache_release(&c);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	folder_close(&f);
	return 0;
}

/* Is what setup() kept there, just as it was? Anything else than that or nothing fails. */
static bool is_kept(void)
{
	struct description_cache c = { 0 };
	const char *text;
	size_t count;

	description_cache_load(&c, f.fd);
	count = c.kept.count;
	text = description_cache_find(&c, &train);
	assert_int_equal(count, text != NULL ? 2 : 0);
	if (text != NULL) {
		assert_string_equal(text, "{\"abi\":1,\"stages\":[]}\n");
		assert_string_equal(description_cache_find(&c, &split), "");
	}
	description_cache_release(&c);
	return count > 0;
}

static void what_was_kept_comes_back(void **state)
{
	struct description_cache c = { 0 };
	struct digest other;

	(void)state;
	assert_true(is_kept());
	digest_of(&other, "other", 5);
	description_cache_load(&c, f.fd);
	assert_null(description_cache_find(&c, &other));
	assert_int_equal(folder_mode(&f, "plugins.cache"), 0600);
	description_cache_release(&c);
}

static void damaged_file_has_nothing(void **state)
{
	struct buf whole = { 0 };
	size_t i;

	(void)state;
	(void)folder_text(&f, "plugins.cache");
	buf_add(&whole, f.text.data, f.text.len);
	for (i = 0; i < whole.len; i++) {
		whole.data[i] ^= 0x10;
		folder_write_bytes(&f, "plugins.cache", whole.data, whole.len);
		if (is_kept())
			fail_msg("byte %zu was changed and it is used", i);
		whole.data[i] ^= 0x10;
		folder_write_bytes(&f, "plugins.cache", whole.data, i);
		assert_false(is_kept());
	}
	folder_write_bytes(&f, "plugins.cache", whole.data, whole.len);
	assert_true(is_kept());
	buf_char(&whole, 'x');
	folder_write_bytes(&f, "plugins.cache", whole.data, whole.len);
	assert_false(is_kept());
	buf_release(&whole);
}

static void what_is_no_file_has_nothing(void **state)
{
	struct description_cache c = { 0 };

	(void)state;
	assert_int_equal(unlinkat(f.fd, "plugins.cache", 0), 0);
	assert_false(is_kept());
	assert_int_equal(mkfifoat(f.fd, "plugins.cache", 0600), 0);
	assert_false(is_kept()); /* and does not wait for a writer */
	assert_int_equal(unlinkat(f.fd, "plugins.cache", 0), 0);
	folder_make_one(&f, "plugins.cache");
	assert_false(is_kept());
	description_cache_add(&c, &train, "x");
	description_cache_save(&c, f.fd); /* cannot be kept: no fault */
	description_cache_release(&c);
}

static void nothing_added_nothing_written(void **state)
{
	struct description_cache c = { 0 };

	(void)state;
	assert_int_equal(unlinkat(f.fd, "plugins.cache", 0), 0);
	description_cache_save(&c, f.fd);
	assert_false(file_exists(f.fd, "plugins.cache"));
	description_cache_release(&c);
}

/* One a run, as when a plugin is built again and again. */
static void add_in_turn(unsigned number, const char *text)
{
	struct description_cache c = { 0 };
	struct digest d;

	digest_of(&d, &number, sizeof number);
	description_cache_load(&c, f.fd);
	description_cache_add(&c, &d, text);
	description_cache_save(&c, f.fd);
	description_cache_release(&c);
}

static size_t count_kept(unsigned newest)
{
	struct description_cache c = { 0 };
	struct digest d;
	size_t count;

	digest_of(&d, &newest, sizeof newest);
	description_cache_load(&c, f.fd);
	assert_non_null(description_cache_find(&c, &d));
	assert_null(description_cache_find(&c, &train)); /* the first that was kept */
	count = c.kept.count;
	description_cache_release(&c);
	return count;
}

static void of_too_many_the_oldest_go(void **state)
{
	char *text = malloc(DESCRIPTION_BYTES_MAX + 2);
	unsigned i;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < DESCRIPTIONS_MAX + 10; i++)
		add_in_turn(i, "text");
	assert_int_equal(count_kept(i - 1), DESCRIPTIONS_MAX);
	memset(text, 'x', DESCRIPTION_BYTES_MAX + 1);
	text[DESCRIPTION_BYTES_MAX] = '\0';
	for (i = 0; i < 10; i++)
		add_in_turn(i, text);
	assert_int_equal(count_kept(i - 1), DESCRIPTIONS_BYTES_MAX / DESCRIPTION_BYTES_MAX - 1);
	assert_true(folder_stat(&f, "plugins.cache").st_size <= (off_t)DESCRIPTIONS_BYTES_MAX);
	text[DESCRIPTION_BYTES_MAX] = 'x';
	text[DESCRIPTION_BYTES_MAX + 1] = '\0';
	add_in_turn(i, text); /* too long */
	assert_int_equal(count_kept(i - 1), DESCRIPTIONS_BYTES_MAX / DESCRIPTION_BYTES_MAX - 1);
	free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_kept_comes_back),
		TEST(damaged_file_has_nothing),
		TEST(what_is_no_file_has_nothing),
		TEST(nothing_added_nothing_written),
		TEST(of_too_many_the_oldest_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
