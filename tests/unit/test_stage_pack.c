#include "pack/pack.h"
#include "unpack/unpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/shard.h"
#include "common/shardout.h"
#include "support/stage_case.h"

static int set_up(void **state)
{
	*state = stage_host_new();
	return 0;
}

/* A shard of one file of that name. */
static void give(flow_ctx *host, const char *name, size_t length)
{
	static const struct column columns[2] = {
		{ .name = "name", .type = COLUMN_TEXT, .width = 1 },
		{ .name = "data", .type = COLUMN_BYTES, .width = 1 }
	};
	struct cells cells[2] = { { 0 } };
	struct shardout out;
	struct fault fault;

	for (int c = 0; c < 2; c++)
		cells_begin(&cells[c], &columns[c]);
	for (int i = 0; i < 2; i++) {
		cells_add_text(&cells[0], name, length);
		cells_add_text(&cells[1], "x", 1);
	}
	assert_int_equal(
		shardout_open(&out, stage_host_path(host, "s.shard"), columns, 2, 0, &fault), 0);
	shardout_add(&out, cells, 0, 2);
	assert_int_equal(shardout_commit(&out, &fault), 0);
	for (int c = 0; c < 2; c++)
		cells_release(&cells[c]);
	stage_host_dep(host, "table", stage_host_path(host, "s.shard"));
	stage_host_out(host, "data", stage_host_path(host, "out"));
}

static void names_that_leave_the_folder_are_refused(void **state)
{
	static const char *const bad[] = { "../x", "/x", "a/../x", ".", "..", "a//b", "a/", "",
		"./x" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		give(*state, bad[i], strlen(bad[i]));
		expect_failure_of(*state, &stage_unpack, "is no name of a file below the folder");
	}
	give(*state, "a\0b", 3);
	expect_failure_of(*state, &stage_unpack, "is no name of a file below the folder");
	give(*state, "same", 4);
	expect_failure_of(*state, &stage_unpack, "is there twice");
	(void)unlink(stage_host_path(*state, "out/same"));
	(void)rmdir(stage_host_path(*state, "out"));
}

static void a_damaged_shard_is_not_unpacked(void **state)
{
	size_t size;
	char *bytes;

	give(*state, "a", 1);
	bytes = stage_host_read(stage_host_path(*state, "s.shard"), &size);
	bytes[4096] ^= 1;
	stage_host_dep(*state, "table", stage_host_write(*state, "d.shard", bytes, size));
	expect_failure_of(*state, &stage_unpack, "group 1 of column 'name' is damaged");
	stage_host_dep(*state, "table", stage_host_write(*state, "d.shard", bytes, size - 1));
	expect_failure_of(*state, &stage_unpack, "has been cut or lengthened");
	bytes[20] ^= 1;
	stage_host_dep(*state, "table", stage_host_write(*state, "d.shard", bytes, size));
	expect_failure_of(*state, &stage_unpack, "the header of");
	bytes[0] ^= 1;
	stage_host_dep(*state, "table", stage_host_write(*state, "d.shard", bytes, size));
	expect_failure_of(*state, &stage_unpack, "is not a shard");
	free(bytes);
	(void)rmdir(stage_host_path(*state, "out"));
}

static void groups_of_texts_end_when_they_are_large(void **state)
{
	static const struct column column = { .name = "t", .type = COLUMN_TEXT, .width = 1 };
	static char text[1 << 20];
	struct cells cells = { 0 };
	struct shardout out;
	struct shard shard;
	struct fault fault;

	memset(text, 'x', sizeof text);
	assert_int_equal(
		shardout_open(&out, stage_host_path(*state, "t.shard"), &column, 1, 0, &fault), 0);
	for (int i = 0; i < 150; i++) {
		cells_begin(&cells, &column);
		cells_add_text(&cells, text, sizeof text);
		shardout_add(&out, &cells, 0, 1);
	}
	assert_int_equal(shardout_commit(&out, &fault), 0);
	cells_release(&cells);
	assert_int_equal(shard_open(&shard, stage_host_path(*state, "t.shard"), &fault), 0);
	assert_int_equal(shard.group_rows, 64);
	assert_int_equal(shard.groups, 3);
	shard_close(&shard);
}

static void what_cannot_be_packed_is_named(void **state)
{
	stage_host_dep(*state, "data", stage_host_path(*state, "none"));
	stage_host_out(*state, "table", stage_host_path(*state, "t"));
	expect_failure_of(*state, &stage_pack, "cannot look at");
	assert_int_equal(mkdir(stage_host_path(*state, "none"), 0777), 0);
	expect_failure_of(*state, &stage_pack, "has no files");
	(void)symlink("/etc/passwd", stage_host_path(*state, "none/link"));
	expect_failure_of(*state, &stage_pack, "none/link' is neither a file nor a folder");
	(void)unlink(stage_host_path(*state, "none/link"));
	(void)stage_host_write(*state, "none/file", "x", 1);
	stage_host_with(*state, "label", "\"folder\"");
	expect_failure_of(*state, &stage_pack, "'file' lies in no folder that could be its label");
	stage_host_with(*state, "label", "\"name\"");
	expect_failure_of(*state, &stage_pack, "with.label is either none or folder");
	stage_host_with(*state, "label", NULL);
	stage_host_dep(*state, "data", stage_host_path(*state, "none/file"));
	expect_failure_of(*state, &stage_pack, "is no folder");
	(void)unlink(stage_host_path(*state, "none/file"));
	(void)rmdir(stage_host_path(*state, "none"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(names_that_leave_the_folder_are_refused),
		CASE(a_damaged_shard_is_not_unpacked),
		CASE(groups_of_texts_end_when_they_are_large),
		CASE(what_cannot_be_packed_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
