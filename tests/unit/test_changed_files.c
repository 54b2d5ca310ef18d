#include "../support/store.h"

#include <stdbool.h>

#include "store/changed_files.h"
#include "store/objects.h"

static struct store s;
static struct objects o;

static int setup(void **state)
{
	(void)state;
	store_open(&s);
	o = (struct objects){ .root_fd = s.project.root_fd, .store_fd = s.project.store_fd };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(&s);
	return 0;
}

static struct digest put(const char *text)
{
	struct digest d;
	struct err e;

	GOOD(object_put(&o, text, strlen(text), &d, &e));
	return d;
}

static void what_is_listed_is_read_back(void **state)
{
	struct digest d = put("bytes"), none = { { 0 } }, list_digest, patch_digest;
	struct buf list = { 0 }, patch = { 0 };
	struct changed_file file;
	bool bad = false;
	struct err e;
	char *at;

	(void)state;
	changed_add(&list, 0, &none, "gone");
	changed_add(&list, 0100755, &d, "a folder/with blanks");
	list_digest = put(buf_text(&list));
	changed_head(&patch, &list_digest);
	buf_str(&patch, "diff --git a/x b/x\n");
	patch_digest = put(buf_text(&patch));
	buf_clear(&list);
	GOOD(changed_list(&o, &patch_digest, &list, &e));
	at = list.data;
	assert_true(changed_next(&at, &file, &bad));
	assert_int_equal(file.mode, 0);
	assert_string_equal(file.path, "gone");
	assert_true(changed_next(&at, &file, &bad));
	assert_int_equal(file.mode, 0100755);
	assert_true(digest_same(&file.digest, &d));
	assert_string_equal(file.path, "a folder/with blanks");
	assert_false(changed_next(&at, &file, &bad));
	assert_false(bad);
	buf_release(&list);
	buf_release(&patch);
}

static void patch_without_a_list_is_not_found(void **state)
{
	struct digest old = put("diff --git a/x b/x\n"), none = { { 1 } };
	struct buf list = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(changed_list(&o, &old, &list, &e), ERR_NOTFOUND);
	assert_int_equal(changed_list(&o, &none, &list, &e), ERR_NOTFOUND);
	buf_release(&list);
}

static void damaged_lines_are_refused(void **state)
{
#define HEX "0123456789012345678901234567890123456789012345678901234567890123"
	static const char *const lines[] = { "x\n", "100644\n", "100644 12 a\n", "100644 " HEX "\n", "100644 " HEX " ../a\n",
		"100644 " HEX " /etc/passwd\n", "100644 " HEX " a/../../b\n", "100644 " HEX " a//b\n", "100644 " HEX " no end" };
	struct changed_file file;
	char text[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof lines / sizeof *lines; i++) {
		char *at = text;
		bool bad = false;

		(void)snprintf(text, sizeof text, "%s", lines[i]);
		assert_false(changed_next(&at, &file, &bad));
		assert_true(bad);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_listed_is_read_back),
		TEST(patch_without_a_list_is_not_found),
		TEST(damaged_lines_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
