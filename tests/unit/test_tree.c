#include "../support/folder.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/arena.h"
#include "base/digest.h"
#include "store/tree.h"

static struct folder f;
static struct arena a;
static struct tree_entry *entries;
static size_t count;

static int setup(void **state)
{
	(void)state;
	folder_open(&f);
	folder_make_one(&f, "t");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&a);
	folder_close(&f);
	return 0;
}

static void list_good(void)
{
	struct err e;

	GOOD(tree_list(f.fd, "t", &a, &entries, &count, &e));
}

static void link_to(const char *target, const char *path)
{
	assert_int_equal(symlinkat(target, f.fd, path), 0);
}

static void entries_come_in_the_order_of_their_paths(void **state)
{
	static const char *const names[] = { "a", "a-b", "a.x/y", "a/b", "b/c/d", "\xff" };
	char path[64];
	size_t i;

	(void)state;
	for (i = 6; i-- > 1;) {
		if (i == 3)
			continue;
		(void)snprintf(path, sizeof path, "t/%s", names[i]);
		folder_write(&f, path, "x");
	}
	folder_write(&f, "t/e/b", "x");
	list_good();
	assert_int_equal(count, 5);
	for (i = 1; i < count; i++)
		assert_true(strcmp(entries[i - 1].path, entries[i].path) < 0);
	assert_string_equal(entries[4].path, "\xff");
}

static void empty_folders_leave_no_trace(void **state)
{
	(void)state;
	folder_make_one(&f, "t/a/b");
	list_good();
	assert_int_equal(count, 0);
}

static void links_that_stay_are_entries(void **state)
{
	(void)state;
	folder_write(&f, "t/d/x", "x");
	link_to("x", "t/d/same");
	link_to("../d/./x", "t/d/around");
	link_to("d", "t/folder");
	link_to("nothing", "t/dangling");
	link_to("d/../d/../d", "t/winding");
	list_good();
	assert_int_equal(count, 6);
	assert_string_equal(entries[0].path, "d/around");
	assert_string_equal(entries[0].target, "../d/./x");
}

static void links_that_leave_are_refused(void **state)
{
	static const char *const targets[] = { "/etc/passwd", "..", "../x", "d/../../x", "../t/x", "/" };
	size_t i;
	struct err e;

	(void)state;
	for (i = 0; i < sizeof targets / sizeof *targets; i++) {
		link_to(targets[i], "t/l");
		if (tree_list(f.fd, "t", &a, &entries, &count, &e) != ERR_POLICY)
			fail_msg("a link to %s was taken", targets[i]);
		assert_non_null(strstr(e.text, "link `l` leaves the folder"));
		assert_int_equal(unlinkat(f.fd, "t/l", 0), 0);
	}
}

static void special_files_are_refused(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err e;

	(void)state;
	assert_int_equal(mkfifoat(f.fd, "t/p", 0600), 0);
	assert_int_equal(tree_list(f.fd, "t", &a, &entries, &count, &e), ERR_POLICY);
	assert_string_equal(e.text, "`t`: `p` is neither a file nor a folder");
	assert_int_equal(unlinkat(f.fd, "t/p", 0), 0);
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%.90s/t/s", f.path);
	assert_int_equal(bind(sock, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(tree_list(f.fd, "t", &a, &entries, &count, &e), ERR_POLICY);
	(void)close(sock);
}

static void depth_has_an_end(void **state)
{
	struct buf path = { 0 };
	struct err e;
	unsigned i;

	(void)state;
	buf_str(&path, "t");
	for (i = 0; i < TREE_DEPTH_MAX; i++)
		buf_str(&path, "/d");
	buf_str(&path, "/x");
	folder_write(&f, buf_text(&path), "x");
	list_good();
	assert_int_equal(count, 1);
	path.len -= 2;
	buf_str(&path, "/d/x");
	folder_write(&f, buf_text(&path), "x");
	assert_int_equal(tree_list(f.fd, "t", &a, &entries, &count, &e), ERR_INPUT);
	assert_non_null(strstr(e.text, "nested more than 64 deep"));
	buf_release(&path);
}

static void what_is_no_folder_says_so(void **state)
{
	struct err e;

	(void)state;
	folder_write(&f, "file", "x");
	assert_true(tree_list(f.fd, "file", &a, &entries, &count, &e) < 0);
	assert_int_equal(e.sys, ENOTDIR);
	assert_true(tree_list(f.fd, "nothing", &a, &entries, &count, &e) < 0);
	assert_int_equal(e.sys, ENOENT);
}

/* -- manifests ---------------------------------------------------------------------------------- */

/* The manifest of the folder, with the digest of "" for every file. */
static void manifest(struct buf *out)
{
	struct digest d;
	size_t i;

	digest_of(&d, "", 0);
	list_good();
	buf_clear(out);
	for (i = 0; i < count; i++)
		manifest_add(out, &entries[i], &d);
}

static void manifest_is_read_back(void **state)
{
	struct manifest_line line;
	struct buf text = { 0 };
	bool bad = false;
	char *at;

	(void)state;
	folder_write(&f, "t/a b", "12345");
	folder_write(&f, "t/sh", "");
	assert_int_equal(fchmodat(f.fd, "t/sh", 0744, 0), 0);
	link_to("a b", "t/link");
	manifest(&text);
	at = text.data;
	assert_true(manifest_next(&at, &line, &bad));
	assert_true(line.mode == 0100644 && line.size == 5 && line.target == NULL);
	assert_string_equal(line.path, "a b");
	assert_string_equal(line.digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_true(manifest_next(&at, &line, &bad));
	assert_int_equal(line.mode, 0120000);
	assert_string_equal(line.path, "link");
	assert_string_equal(line.target, "a b");
	assert_true(manifest_next(&at, &line, &bad));
	assert_int_equal(line.mode, 0100755);
	assert_false(manifest_next(&at, &line, &bad));
	assert_false(bad);
	buf_release(&text);
}

/* Any byte but a slash and NUL may stand in a name. */
static void odd_names_survive(void **state)
{
	static const char *const names[] = { "a\nb", "a\tb", "a\\b", "a\\nb", "-rf", " lead", "\x01\x7f",
		"\xff\xfe", "trail " };
	struct manifest_line line;
	struct buf text = { 0 };
	bool bad = false, found;
	char path[64], *at;
	size_t i, lines = 0;

	(void)state;
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(path, sizeof path, "t/%s", names[i]);
		folder_write(&f, path, "");
		(void)snprintf(path, sizeof path, "t/link to %zu", i);
		link_to(names[i], path);
	}
	manifest(&text);
	for (at = text.data; manifest_next(&at, &line, &bad); lines++) {
		const char *name = line.target != NULL ? line.target : line.path;

		for (i = 0, found = false; i < sizeof names / sizeof *names; i++)
			found = found || strcmp(names[i], name) == 0;
		if (!found)
			fail_msg("`%s` came out of the manifest", name);
	}
	assert_false(bad);
	assert_int_equal(lines, 2 * sizeof names / sizeof *names);
	buf_release(&text);
}

/* A name must not be able to look like another entry. */
static void names_cannot_forge_entries(void **state)
{
	struct buf one = { 0 }, two = { 0 };
	static const char forged[] =
		"t/a\n100644 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 b";

	(void)state;
	folder_write(&f, forged, "");
	manifest(&one);
	assert_int_equal(unlinkat(f.fd, forged, 0), 0);
	folder_write(&f, "t/a", "");
	folder_write(&f, "t/b", "");
	manifest(&two);
	assert_true(one.len != two.len || memcmp(one.data, two.data, one.len) != 0);
	buf_release(&one);
	buf_release(&two);
}

#define SOME "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void hostile_manifests_are_damaged(void **state)
{
	static const char *const texts[] = {
		"100644 " SOME " 0 ../x\n", "100644 " SOME " 0 /etc/x\n", "100644 " SOME " 0 a/../../x\n",
		"100644 " SOME " 0 a//b\n", "100644 " SOME " 0 .\n", "100644 " SOME " 0 \n", "100644 " SOME " 0 a/\n",
		"100644 " SOME " 0 a", "100644 " SOME "\n", "100644\n", "\n", "garbage\n",
		"100600 " SOME " 0 a\n", "104755 " SOME " 0 a\n", "40755 " SOME " 0 a\n",
		"100644 " SOME " -1 a\n", "100644 " SOME " 1x a\n", "100644 " SOME "  a\n",
		"100644 - 0 a\n", "100644 e3b0 0 a\n",
		"120000 - 0 a\n", "120000 - 0 a\t/etc/passwd\n", "120000 - 0 a\t../x\n", "120000 - 0 a/b\t../../x\n",
		"120000 - 0 a\t\n", "120000 - 0 ../a\tb\n", "120000 " SOME " 0 a\tb\n",
		"100644 " SOME " 0 a\\x\n", "100644 " SOME " 0 a\\\n",
	};
	struct manifest_line line;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		char *copy = strdup(texts[i]), *at = copy;
		bool bad = false;

		assert_non_null(copy);
		if (manifest_next(&at, &line, &bad) || !bad)
			fail_msg("taken: %s", texts[i]);
		free(copy);
	}
}

/* -- files ---------------------------------------------------------------------------------------- */

static int hash(const char *path, const struct stat *before, struct digest *d, struct err *e)
{
	int fd = openat(f.fd, path, O_RDONLY | O_CLOEXEC), rc;

	assert_true(fd >= 0);
	rc = file_hash(fd, before, d, e);
	(void)close(fd);
	return rc;
}

static void files_of_every_size_are_hashed(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 131071, 131072, 131073, 1000000 };
	struct digest d, want;
	struct stat st;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char *data = malloc(sizes[i] + 1);

		assert_non_null(data);
		memset(data, (int)i + 1, sizes[i] + 1);
		folder_write_bytes(&f, "x", data, sizes[i]);
		st = folder_stat(&f, "x");
		GOOD(hash("x", &st, &d, &e));
		digest_of(&want, data, sizes[i]);
		assert_true(digest_same(&d, &want));
		free(data);
	}
}

static void file_that_changes_under_our_eyes_is_refused(void **state)
{
	struct digest d;
	struct stat st;
	struct err e;

	(void)state;
	folder_write(&f, "x", "12345");
	folder_age(&f, "x", 10);
	st = folder_stat(&f, "x");
	folder_write(&f, "x", "123456");
	assert_int_equal(hash("x", &st, &d, &e), ERR_INPUT);
	assert_string_equal(e.text, "changed while it was read");
	folder_write(&f, "x", "1234");
	assert_int_equal(hash("x", &st, &d, &e), ERR_INPUT);
	folder_write(&f, "x", "54321"); /* as long as it was */
	assert_int_equal(hash("x", &st, &d, &e), ERR_INPUT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(entries_come_in_the_order_of_their_paths),
		TEST(empty_folders_leave_no_trace),
		TEST(links_that_stay_are_entries),
		TEST(links_that_leave_are_refused),
		TEST(special_files_are_refused),
		TEST(depth_has_an_end),
		TEST(what_is_no_folder_says_so),
		TEST(manifest_is_read_back),
		TEST(odd_names_survive),
		TEST(names_cannot_forge_entries),
		cmocka_unit_test(hostile_manifests_are_damaged),
		TEST(files_of_every_size_are_hashed),
		TEST(file_that_changes_under_our_eyes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
