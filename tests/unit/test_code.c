#include "../support/folder.h"

#include "../support/dag_text.h"
#include "base/path.h"
#include "plan/key.h"
#include "run/code.h"
#include "stage/registry.h"
#include "store/stats.h"

static struct folder f;
static struct loaded l;
static struct arena a;
static struct registry registry;
static struct stats stats;
static struct code c;

/* Bare names are Lua stages that come with flow. */
static int builtin(void *user, const char *name)
{
	(void)user;
	return strcmp(name, "norm") == 0 ? STAGE_LUA : STAGE_PLUGIN;
}

static void load_stages(const char *text)
{
	struct text_world world = { NULL, NULL };
	struct dag_input input = { .text = text,
		.len = strlen(text),
		.read = text_read,
		.getenv = text_getenv,
		.builtin = builtin,
		.user = &world };

	load_input(&l, &input);
	if (l.rc < 0)
		fail_msg("%s", l.diags.items[0].message);
	code_open(&c, &l.graph, &stats, f.fd, &registry);
}

static int setup(void **state)
{
	char path[300];

	(void)state;
	memset(&stats, 0, sizeof stats);
	memset(&c, 0, sizeof c);
	memset(&l, 0, sizeof l);
	folder_open(&f);
	(void)snprintf(path, sizeof path, "%s/flow's", f.path);
	assert_int_equal(setenv("FLOW_STAGE_PATH", path, 1), 0);
	registry_open(&registry, &a, "/nonexistent/flow");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	code_close(&c);
	stats_release(&stats);
	loaded_release(&l);
	arena_release(&a);
	folder_close(&f);
	return 0;
}

static const struct code_list *good_code(const char *task)
{
	const struct code_list *list = NULL;
	struct err e;

	GOOD(code_of(&c, node_of(&l, task), &list, &e));
	return list;
}

static int bad_code(const char *task, struct err *e)
{
	const struct code_list *list;

	return code_of(&c, node_of(&l, task), &list, e);
}

/* "name name " of its files, in order. */
static const char *names_of(const struct code_list *list)
{
	static char text[1000];
	size_t i;

	text[0] = '\0';
	for (i = 0; i < list->count; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s|", list->files[i].name);
	return text;
}

static const char *module_path(const struct code_list *list, const char *name)
{
	uint32_t i;

	for (i = 0; i < list->module_count; i++)
		if (strcmp(list->modules[i].name, name) == 0)
			return list->modules[i].value;
	return "(none)";
}

static void plugin_is_its_file(void **state)
{
	const struct code_list *list;
	struct digest want;

	(void)state;
	folder_write(&f, "stages/p.so", "ELF");
	load_stages("stages: {a: {uses: ./stages/p.so}, b: {uses: './stages/p.so#second'}}");
	list = good_code("a");
	assert_string_equal(list->path, "stages/p.so");
	assert_string_equal(list->entry, "");
	assert_int_equal(list->count, 1);
	assert_int_equal(strncmp(list->files[0].name, "plugin ", 7), 0);
	digest_of(&want, "ELF", 3);
	assert_true(digest_same(list->files[0].digest, &want));
	list = good_code("b");
	assert_string_equal(list->path, "stages/p.so");
	assert_string_equal(list->entry, "second");
}

static void script_is_all_that_it_requires(void **state)
{
	const struct code_list *list;

	(void)state;
	folder_write(&f, "own/s.lua", "local a = require \"a\"\nlocal b = require('sub.b')\n-- require 'nothing'\n");
	folder_write(&f, "own/a.lua", "local c = require \"c\"\n");
	folder_write(&f, "own/sub/b.lua", "local a = require \"a\"\n");
	folder_write(&f, "lua/c.lua", "local d = require \"flow.d\"\nlocal a = require \"a\"\n");
	folder_write(&f, "flow's/flow/d.lua", "return {}\n");
	load_stages("stages: {a: {uses: ./own/s.lua}}");
	list = good_code("a");
	assert_string_equal(list->path, "own/s.lua");
	assert_string_equal(names_of(list), "./own/s.lua|module a|module sub.b|module c|module flow.d|");
	assert_int_equal(list->module_count, 4);
	assert_string_equal(module_path(list, "a"), "own/a.lua");
	assert_string_equal(module_path(list, "sub.b"), "own/sub/b.lua");
	assert_string_equal(module_path(list, "c"), "lua/c.lua");
	assert_true(module_path(list, "flow.d")[0] == '/');
}

static void modules_in_a_circle_end(void **state)
{
	(void)state;
	folder_write(&f, "s.lua", "require 'a'");
	folder_write(&f, "a.lua", "require 'b'");
	folder_write(&f, "b.lua", "require 'a' require 's'");
	load_stages("stages: {a: {uses: ./s.lua}}");
	assert_string_equal(names_of(good_code("a")), "./s.lua|module a|module b|module s|");
}

static void inline_script_has_modules_too(void **state)
{
	const struct code_list *list;

	(void)state;
	folder_write(&f, "lua/m.lua", "return 1");
	load_stages("stages: {a: {lua: \"local m = require 'm'\"}, b: {lua: 'return 1'}}");
	list = good_code("a");
	assert_string_equal(list->path, "");
	assert_string_equal(names_of(list), "module m|");
	assert_string_equal(module_path(list, "m"), "lua/m.lua");
	assert_int_equal(good_code("b")->count, 0);
}

static void bare_name_is_a_stage_of_flows_own(void **state)
{
	const struct code_list *list;

	(void)state;
	folder_write(&f, "flow's/stages/norm.lua", "require 'help'");
	folder_write(&f, "flow's/stages/help.lua", "");
	folder_write(&f, "flow's/flow_stage_train.so", "ELF");
	load_stages("stages: {a: {uses: norm}, b: {uses: train}}");
	list = good_code("a");
	assert_string_equal(path_base(list->path), "norm.lua");
	assert_string_equal(names_of(list), "norm|module help|");
	list = good_code("b");
	assert_string_equal(path_base(list->path), "flow_stage_train.so");
	assert_string_equal(names_of(list), "plugin train|");
}

static void what_is_not_there_is_told(void **state)
{
	struct err e;

	(void)state;
	folder_write(&f, "s.lua", "require 'a'");
	folder_write(&f, "a.lua", "require 'lost.module'");
	load_stages("stages: {a: {uses: ./p.so}, b: {uses: ./s.lua}, c: {uses: ./t.lua}}");
	assert_int_equal(bad_code("a", &e), ERR_INPUT);
	assert_string_equal(e.id, "E0403");
	assert_string_equal(e.text, "stage `a`: `p.so` is not there");
	assert_int_equal(bad_code("b", &e), ERR_INPUT);
	assert_string_equal(e.id, "E0608");
	assert_string_equal(e.text, "stage `b`: no Lua module `lost.module`");
	assert_non_null(strstr(e.hint, "beside the script"));
	assert_int_equal(bad_code("c", &e), ERR_INPUT);
}

/* A module has a name, not a path: else a script could read any file that ends in .lua. */
static void module_names_are_no_paths(void **state)
{
	static const char *const names[] = { "/etc/x", "../x", "..x", "a/b", "", "a..b", ".a" };
	char text[100];
	struct err e;
	size_t i;

	(void)state;
	folder_write(&f, "x.lua", "");
	folder_write(&f, "lua/a/b.lua", "");
	folder_write(&f, "s/x.lua", "");
	load_stages("stages: {a: {uses: ./s/s.lua}}");
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(text, sizeof text, "require \"%s\"", names[i]);
		folder_write(&f, "s/s.lua", text);
		stats_forget(&stats, "s/s.lua");
		if (bad_code("a", &e) != ERR_INPUT && names[i][0] != '\0')
			fail_msg("`%s` was taken for a module", names[i]);
		code_close(&c);
		code_open(&c, &l.graph, &stats, f.fd, &registry);
	}
}

static void instances_share_what_was_found(void **state)
{
	uint32_t i;

	(void)state;
	folder_write(&f, "p.so", "ELF");
	load_stages("stages: {a: {uses: ./p.so, foreach: [1, 2, 3, 4]}, b: {uses: ./p.so}}");
	for (i = 0; i < 5; i++)
		assert_ptr_equal(good_code("a@1"), good_code(node_name(&l.graph, i)));
	assert_int_equal(c.lists.count, 1);
	assert_int_equal(stats.hashed, 1);
}

/* The text of an inline script is not the name of a file. */
static void text_and_name_are_kept_apart(void **state)
{
	(void)state;
	folder_write(&f, "flow's/flow_stage_x.so", "ELF");
	load_stages("stages: {a: {uses: x}, b: {lua: x}}");
	assert_int_equal(good_code("a")->count, 1);
	assert_int_equal(good_code("b")->count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(plugin_is_its_file),
		TEST(script_is_all_that_it_requires),
		TEST(modules_in_a_circle_end),
		TEST(inline_script_has_modules_too),
		TEST(bare_name_is_a_stage_of_flows_own),
		TEST(what_is_not_there_is_told),
		TEST(module_names_are_no_paths),
		TEST(instances_share_what_was_found),
		TEST(text_and_name_are_kept_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
