#include "../support/folder.h"

#include "../support/dag_text.h"
#include "store/graph_cache.h"

static const char text[] = "params: {include: [params.yaml], p: 1}\n"
			   "env: {SEED: , MODE: }\n"
			   "stages:\n"
			   "  a: {cmd: 'a ${params.p} ${env.SEED}', outs: [x], params: [q]}\n"
			   "  b: {cmd: 'b > y', deps: [x], outs: [y]}\n";

static struct folder f;
static struct loaded l;
static struct graph cached;
static struct text_world world;
static struct dag_input input;

/* What stands for the disk and the environment. */
static const char *files[] = { "params.yaml", "q: 1\n", "more.yaml", "p: 7\n", NULL };
static const char *variables[] = { "SEED", "42", NULL, NULL, NULL };
static const char *sets[] = { "p=2" };
static const char *more[] = { "more.yaml" };

static int setup(void **state)
{
	(void)state;
	folder_open(&f);
	files[1] = "q: 1\n";
	variables[1] = "42";
	variables[2] = NULL;
	world = (struct text_world){ files, variables };
	input = (struct dag_input){ .text = text,
		.len = strlen(text),
		.read = text_read,
		.getenv = text_getenv,
		.user = &world };
	load_input(&l, &input);
	assert_int_equal(l.rc, 0);
	graph_cache_save(&l.graph, f.fd, &input);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	loaded_release(&l);
	folder_close(&f);
	return 0;
}

static bool fits(void)
{
	int rc = graph_cache_load(&cached, f.fd, &input);

	if (rc == 1)
		graph_release(&cached);
	assert_true(rc == 0 || rc == 1);
	return rc == 1;
}

static void what_was_kept_comes_back(void **state)
{
	(void)state;
	assert_int_equal(graph_cache_load(&cached, f.fd, &input), 1);
	assert_int_equal(cached.size, l.graph.size);
	assert_memory_equal(cached.block, l.graph.block, cached.size);
	assert_string_equal(node_name(&cached, 1), "b");
	graph_release(&cached);
	assert_true(fits()); /* as often as one likes */
}

static void nothing_kept_nothing_found(void **state)
{
	(void)state;
	assert_int_equal(unlinkat(f.fd, "graph.cache", 0), 0);
	assert_false(fits());
	folder_write(&f, "graph.cache", "");
	assert_false(fits());
	assert_int_equal(unlinkat(f.fd, "graph.cache", 0), 0);
	assert_int_equal(mkfifoat(f.fd, "graph.cache", 0600), 0);
	assert_false(fits()); /* and does not wait for a writer */
	graph_cache_save(&l.graph, -1, &input); /* cannot be kept: no fault */
}

static void other_text_does_not_fit(void **state)
{
	char *edited = strdup(text);

	(void)state;
	assert_non_null(edited);
	edited[strlen(edited) - 1] = ' ';
	input.text = edited;
	assert_false(fits());
	input.text = text;
	input.len--;
	assert_false(fits());
	input.len++;
	assert_true(fits());
	input.path = "other.yaml"; /* stands in messages */
	assert_false(fits());
	free(edited);
}

static void other_options_do_not_fit(void **state)
{
	(void)state;
	input.sets = sets;
	input.set_count = 1;
	assert_false(fits());
	input.set_count = 0;
	assert_true(fits());
	input.files = more;
	input.file_count = 1;
	assert_false(fits());
}

static void options_are_part_of_what_is_kept(void **state)
{
	static const char *const swapped[] = { "q=3", "p=2" };
	static const char *const straight[] = { "p=2", "q=3" };

	(void)state;
	loaded_release(&l);
	input.sets = straight;
	input.set_count = 2;
	load_input(&l, &input);
	assert_int_equal(l.rc, 0);
	graph_cache_save(&l.graph, f.fd, &input);
	assert_true(fits());
	input.sets = swapped;
	assert_false(fits());
	input.set_count = 1;
	assert_false(fits());
}

static void edited_include_does_not_fit(void **state)
{
	(void)state;
	files[1] = "q: 2\n";
	assert_false(fits());
	files[1] = "q: 1\n";
	assert_true(fits());
	files[0] = "elsewhere.yaml";
	assert_false(fits());
	files[0] = "params.yaml";
}

static void other_environment_does_not_fit(void **state)
{
	(void)state;
	variables[1] = "43";
	assert_false(fits());
	variables[1] = "42";
	assert_true(fits());
	variables[0] = "NOTHING"; /* SEED is unset */
	assert_false(fits());
	variables[0] = "SEED";
	variables[2] = "MODE"; /* was unset */
	variables[3] = "fast";
	assert_false(fits());
	variables[3] = "";
	assert_false(fits());
	variables[2] = "UNUSED"; /* nobody asks for it */
	assert_true(fits());
}

static void damaged_cache_does_not_fit(void **state)
{
	struct buf whole = { 0 };
	size_t i, step;

	(void)state;
	(void)folder_text(&f, "graph.cache");
	buf_add(&whole, f.text.data, f.text.len);
	step = whole.len / 200 + 1;
	for (i = 0; i < whole.len; i += step) {
		whole.data[i] ^= 0x10;
		folder_write_bytes(&f, "graph.cache", whole.data, whole.len);
		if (fits())
			fail_msg("byte %zu was changed and it fits", i);
		whole.data[i] ^= 0x10;
	}
	for (i = 0; i < whole.len; i += step) {
		folder_write_bytes(&f, "graph.cache", whole.data, i);
		assert_false(fits());
	}
	folder_write_bytes(&f, "graph.cache", whole.data, whole.len);
	assert_true(fits());
	buf_char(&whole, 'x');
	folder_write_bytes(&f, "graph.cache", whole.data, whole.len);
	assert_false(fits());
	buf_release(&whole);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_kept_comes_back),
		TEST(nothing_kept_nothing_found),
		TEST(other_text_does_not_fit),
		TEST(other_options_do_not_fit),
		TEST(options_are_part_of_what_is_kept),
		TEST(edited_include_does_not_fit),
		TEST(other_environment_does_not_fit),
		TEST(damaged_cache_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
