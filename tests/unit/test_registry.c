#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "stage/registry.h"

static char folder[200];

static void put(const char *name)
{
	char path[400];
	struct err e;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(folder_make_parents(AT_FDCWD, path, 0700, &e), 0);
	assert_int_equal(file_write_atomic(AT_FDCWD, path, "", 0, 0600, &e), 0);
}

static int make_tree(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(folder, sizeof folder, "%s/flow-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder));
	put("own/mine.lua");
	put("own/flow_stage_train.so");
	put("bin/flow");
	put("lib/flow/stages/flow_stage_train.so");
	put("lib/flow/stages/flow_stage_split.so");
	put("share/flow/lua/stages/report.lua");
	put("share/flow/lua/flow/stats.lua");
	put("share/flow/lua/flow.d.lua");
	return 0;
}

static int remove_tree(void **state)
{
	struct err e;

	(void)state;
	return tree_remove(AT_FDCWD, folder, &e);
}

static void open_registry(struct registry *r, struct arena *a, const char *listed)
{
	char path[400];

	if (listed != NULL) {
		(void)snprintf(path, sizeof path, "/no/such:%s/%s", folder, listed);
		(void)setenv("FLOW_STAGE_PATH", path, 1);
	} else {
		(void)unsetenv("FLOW_STAGE_PATH");
	}
	(void)snprintf(path, sizeof path, "%s/bin/flow", folder);
	registry_open(r, a, arena_strdup(a, path));
}

static void assert_found(const struct registry *r, struct arena *a, const char *name,
	const char *tail, enum wire_stage kind)
{
	const char *path;
	enum wire_stage got;

	assert_true(registry_find(r, name, a, &path, &got));
	assert_int_equal(got, kind);
	assert_string_equal(path, arena_printf(a, "%s/%s", folder, tail));
}

static void installed_stages_are_found(void **state)
{
	struct arena a = { 0 };
	struct registry r;
	const char *path;
	enum wire_stage kind;

	(void)state;
	open_registry(&r, &a, NULL);
	assert_found(&r, &a, "train", "lib/flow/stages/flow_stage_train.so", WIRE_PLUGIN);
	assert_found(&r, &a, "report", "share/flow/lua/stages/report.lua", WIRE_LUA);
	assert_false(registry_find(&r, "mine", &a, &path, &kind));
	assert_false(registry_find(&r, "flow.d", &a, &path, &kind));
	assert_false(registry_find(&r, "../x", &a, &path, &kind));
	assert_false(registry_find(&r, "", &a, &path, &kind));
	arena_release(&a);
}

static void listed_folders_come_first(void **state)
{
	struct arena a = { 0 };
	struct registry r;

	(void)state;
	open_registry(&r, &a, "own");
	assert_found(&r, &a, "train", "own/flow_stage_train.so", WIRE_PLUGIN);
	assert_found(&r, &a, "mine", "own/mine.lua", WIRE_LUA);
	assert_found(&r, &a, "split", "lib/flow/stages/flow_stage_split.so", WIRE_PLUGIN);
	arena_release(&a);
}

static bool is_own(const struct registry *r, struct arena *a, const char *path)
{
	return registry_is_own(r, arena_printf(a, "%s/%s", folder, path));
}

static void own_folders_are_told_from_listed_ones(void **state)
{
	struct arena a = { 0 };
	struct registry r;
	enum wire_stage kind;
	const char *path;

	(void)state;
	open_registry(&r, &a, "own");
	assert_true(is_own(&r, &a, "lib/flow/stages/flow_stage_split.so"));
	assert_false(is_own(&r, &a, "own/flow_stage_train.so"));
	assert_false(is_own(&r, &a, "lib/flow/stages/../../../own/flow_stage_train.so"));
	assert_false(is_own(&r, &a, "lib/flow/stages2/flow_stage_split.so"));
	assert_false(is_own(&r, &a, "lib/flow/stages/more/flow_stage_split.so"));
	assert_false(registry_is_own(&r, "flow_stage_split.so"));
	assert_false(registry_is_own(&r, "./own.so"));
	assert_false(registry_is_own(&r, "/own.so"));
	open_registry(&r, &a, NULL);
	assert_true(registry_find(&r, "train", &a, &path, &kind));
	assert_true(registry_is_own(&r, path));
	arena_release(&a);
}

static bool is_named(const char *const *names, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

static void names_are_sorted_and_each_once(void **state)
{
	struct arena a = { 0 };
	struct registry r;
	const char *const *names;
	size_t count, i;

	(void)state;
	open_registry(&r, &a, "own");
	count = registry_names(&r, &a, &names);
	for (i = 1; i < count; i++)
		assert_true(strcmp(names[i - 1], names[i]) < 0);
	assert_true(is_named(names, count, "mine"));
	assert_true(is_named(names, count, "report"));
	assert_true(is_named(names, count, "split"));
	assert_true(is_named(names, count, "train"));
	assert_false(is_named(names, count, "flow.d"));
	arena_release(&a);
}

static void modules_are_found_by_dotted_name(void **state)
{
	struct arena a = { 0 };
	struct registry r;

	(void)state;
	open_registry(&r, &a, NULL);
	assert_string_equal(registry_module(&r, "flow.stats", &a),
		arena_printf(&a, "%s/share/flow/lua/flow/stats.lua", folder));
	assert_null(registry_module(&r, "flow.no", &a));
	assert_null(registry_module(&r, "flow/stats", &a));
	assert_null(registry_module(&r, "..flow.stats", &a));
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(installed_stages_are_found),
		cmocka_unit_test(listed_folders_come_first),
		cmocka_unit_test(own_folders_are_told_from_listed_ones),
		cmocka_unit_test(names_are_sorted_and_each_once),
		cmocka_unit_test(modules_are_found_by_dotted_name),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
