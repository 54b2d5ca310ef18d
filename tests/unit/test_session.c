#include "../support/folder.h"

#include "run/session.h"
#include "store/objects.h"

static struct folder f;
static struct session s;
static char dag[300];
static const char *sets[] = { "lr=0.5", NULL };

static const char text[] = "params: {include: [params.yaml], lr: 0.1}\n"
			   "stages:\n"
			   "  prep: {cmd: 'prep > data', deps: [raw], outs: [data]}\n"
			   "  train: {cmd: 'train ${params.lr} > model', deps: [data], outs: [model], params: [lr]}\n"
			   "  other: {cmd: 'other > else', outs: [else]}\n";

static int setup(void **state)
{
	(void)state;
	folder_open(&f);
	folder_write(&f, "p/dag.yaml", text);
	folder_write(&f, "p/params.yaml", "epochs: 3\n");
	folder_write(&f, "p/raw", "1");
	(void)snprintf(dag, sizeof dag, "%s/p/dag.yaml", f.path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	folder_close(&f);
	return 0;
}

static int open_mode(enum project_mode mode, struct err *e)
{
	struct session_options options = { .dag = dag, .mode = mode };

	return session_open(&s, &options, e);
}

static void open_good(enum project_mode mode)
{
	struct err e;

	GOOD(open_mode(mode, &e));
}

static void load_good_one(void)
{
	struct err e;

	if (session_load(&s, &e) < 0)
		fail_msg("%s: %s", e.text, s.diags.count > 0 ? s.diags.items[0].message : "");
}

static void plan_good(const struct session_wish *wish)
{
	static const struct session_wish none;
	struct err e;

	GOOD(session_plan(&s, wish != NULL ? wish : &none, &e));
}

static enum verdict verdict_of(const char *task)
{
	uint32_t node = graph_find(&s.graph, task);

	assert_true(node != NO_NODE);
	return (enum verdict)s.plan.choices[node].verdict;
}

static void reader_looks_and_leaves_no_trace(void **state)
{
	(void)state;
	open_good(PROJECT_READ);
	assert_false(s.has_project || s.has_db);
	assert_int_equal(s.root[0], '/');
	load_good_one();
	plan_good(NULL);
	assert_int_equal(verdict_of("prep"), VERDICT_RUN);
	assert_int_equal(verdict_of("train"), VERDICT_RUN);
	session_close(&s);
	assert_false(file_exists(f.fd, "p/.flow"));
}

static void writer_makes_the_project(void **state)
{
	(void)state;
	open_good(PROJECT_WRITE);
	assert_true(s.has_project && s.has_db);
	load_good_one();
	assert_false(s.from_cache);
	plan_good(NULL);
	session_close(&s);
	assert_true(file_exists(f.fd, "p/.flow/flow.db"));
	assert_true(file_exists(f.fd, "p/.flow/graph.cache"));
}

static void graph_comes_from_the_cache_while_nothing_changes(void **state)
{
	(void)state;
	writer_makes_the_project(state);
	open_good(PROJECT_READ);
	load_good_one();
	assert_true(s.from_cache);
	plan_good(NULL);
	session_close(&s);
	folder_write(&f, "p/params.yaml", "epochs: 4\n");
	open_good(PROJECT_READ);
	load_good_one();
	assert_false(s.from_cache);
	session_close(&s);
	open_good(PROJECT_READ); /* a reader did not write it anew */
	load_good_one();
	assert_false(s.from_cache);
	session_close(&s);
}

static void options_reach_the_graph(void **state)
{
	struct session_options options = { .dag = dag, .sets = sets, .set_count = 1 };
	struct err e;

	(void)state;
	writer_makes_the_project(state);
	GOOD(session_open(&s, &options, &e));
	load_good_one();
	assert_false(s.from_cache);
	assert_string_equal(graph_text(&s.graph, s.graph.nodes[1].text), "train 0.5 > model");
	session_close(&s);
}

static void project_without_a_database_has_no_past(void **state)
{
	(void)state;
	folder_make_one(&f, "p/.flow");
	open_good(PROJECT_READ);
	assert_true(s.has_project && !s.has_db);
	load_good_one();
	plan_good(NULL);
	assert_int_equal(verdict_of("prep"), VERDICT_RUN);
	session_close(&s);
}

static void stages_of_every_kind_are_found(void **state)
{
	char path[300];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/own", f.path);
	assert_int_equal(setenv("FLOW_STAGE_PATH", path, 1), 0);
	assert_int_equal(setenv("FLOW_TEST_WORD", "hello", 1), 0);
	folder_write(&f, "own/flow_stage_add.so", "ELF");
	folder_write(&f, "own/stages/norm.lua", "return {}");
	folder_write(&f, "p/dag.yaml", "env: {FLOW_TEST_WORD: }\n"
				       "stages:\n  a: {uses: add}\n  b: {uses: norm}\n  c: {cmd: 'x ${env.FLOW_TEST_WORD}'}\n");
	open_good(PROJECT_READ);
	load_good_one();
	assert_int_equal(node_stage(&s.graph, 0)->kind, STAGE_PLUGIN);
	assert_int_equal(node_stage(&s.graph, 1)->kind, STAGE_LUA);
	assert_string_equal(graph_text(&s.graph, s.graph.nodes[2].text), "x hello");
	plan_good(NULL);
	assert_int_equal(s.plan.count[VERDICT_RUN], 3);
	session_close(&s);
}

static void faults_of_the_text_are_in_diags(void **state)
{
	struct err e;

	(void)state;
	folder_write(&f, "p/dag.yaml", "stages: {a: {cmd: x, retrys: 3}, b: {cmd: y, needs: [c]}}");
	open_good(PROJECT_WRITE);
	assert_int_equal(session_load(&s, &e), ERR_INPUT);
	assert_true(s.diags.count >= 1);
	assert_string_equal(s.diags.items[0].code, "E0107");
	session_close(&s);
	assert_false(file_exists(f.fd, "p/.flow/graph.cache"));
}

/* Asked again each time: the disk is not part of the cache. */
static void missing_dep_is_told_from_the_cache_too(void **state)
{
	struct err e;

	(void)state;
	writer_makes_the_project(state);
	assert_int_equal(unlinkat(f.fd, "p/raw", 0), 0);
	open_good(PROJECT_READ);
	assert_int_equal(session_load(&s, &e), ERR_INPUT);
	assert_true(s.from_cache);
	assert_int_equal(s.diags.count, 1);
	assert_string_equal(s.diags.items[0].code, "E0204");
	session_close(&s);
}

static void no_dag_says_how_to_begin(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(unlinkat(f.fd, "p/dag.yaml", 0), 0);
	assert_int_equal(open_mode(PROJECT_WRITE, &e), ERR_INPUT);
	assert_string_equal(e.id, "E0100");
	assert_non_null(strstr(e.hint, "flow init"));
	session_close(&s);
	assert_false(file_exists(f.fd, "p/.flow"));
	folder_make_one(&f, "p/dag.yaml");
	assert_int_equal(open_mode(PROJECT_READ, &e), ERR_INPUT);
	session_close(&s);
}

static void second_writer_is_busy(void **state)
{
	struct session first;
	struct err e;

	(void)state;
	open_good(PROJECT_WRITE);
	first = s;
	assert_int_equal(open_mode(PROJECT_WRITE, &e), ERR_BUSY);
	session_close(&s);
	session_close(&first);
}

static void wishes_narrow_the_plan(void **state)
{
	static const char *const names[] = { "prep" }, *const nobody[] = { "prepp" };
	struct session_wish wish = { .select = { .names = names, .count = 1 } };
	struct err e;

	(void)state;
	open_good(PROJECT_READ);
	load_good_one();
	plan_good(&wish);
	assert_int_equal(verdict_of("prep"), VERDICT_RUN);
	assert_int_equal(verdict_of("train"), VERDICT_LEFT_OUT);
	assert_int_equal(verdict_of("other"), VERDICT_LEFT_OUT);
	session_close(&s);
	open_good(PROJECT_READ);
	load_good_one();
	wish.select.names = nobody;
	assert_int_equal(session_plan(&s, &wish, &e), ERR_USAGE);
	assert_non_null(strstr(e.hint, "prep"));
	session_close(&s);
}

static void forced_tasks_run(void **state)
{
	static const char *const one[] = { "train" }, *const nobody[] = { "trayn" };
	struct session_wish wish = { .forced = one, .forced_count = 1 };
	struct err e;

	(void)state;
	open_good(PROJECT_READ);
	load_good_one();
	plan_good(&wish);
	assert_true(s.forced[1] && !s.forced[0] && !s.forced[2]);
	assert_int_equal(s.plan.choices[1].reason, REASON_FORCED);
	session_close(&s);
	open_good(PROJECT_READ);
	load_good_one();
	wish = (struct session_wish){ .force_all = true };
	plan_good(&wish);
	assert_int_equal(s.plan.choices[0].reason, REASON_FORCED);
	session_close(&s);
	open_good(PROJECT_READ);
	load_good_one();
	wish = (struct session_wish){ .forced = nobody, .forced_count = 1 };
	assert_int_equal(session_plan(&s, &wish, &e), ERR_USAGE);
	session_close(&s);
}

static void code_that_is_not_there_stops_the_plan(void **state)
{
	static const struct session_wish none;
	struct err e;

	(void)state;
	folder_write(&f, "p/dag.yaml", "stages: {a: {uses: ./s.lua}}");
	open_good(PROJECT_READ);
	load_good_one();
	assert_int_equal(session_plan(&s, &none, &e), ERR_INPUT);
	assert_string_equal(e.id, "E0403");
	session_close(&s);
}

/* dag.yaml in the folder one stands in. */
static void folder_of_the_dag_is_the_project(void **state)
{
	char before[4096];
	struct session_options options = { .dag = "dag.yaml", .mode = PROJECT_READ };
	struct err e;

	(void)state;
	assert_non_null(getcwd(before, sizeof before));
	(void)snprintf(dag, sizeof dag, "%s/p", f.path);
	assert_int_equal(chdir(dag), 0);
	GOOD(session_open(&s, &options, &e));
	assert_string_equal(s.root, dag);
	load_good_one();
	session_close(&s);
	assert_int_equal(chdir(before), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(reader_looks_and_leaves_no_trace),
		TEST(writer_makes_the_project),
		TEST(graph_comes_from_the_cache_while_nothing_changes),
		TEST(options_reach_the_graph),
		TEST(project_without_a_database_has_no_past),
		TEST(stages_of_every_kind_are_found),
		TEST(faults_of_the_text_are_in_diags),
		TEST(missing_dep_is_told_from_the_cache_too),
		TEST(no_dag_says_how_to_begin),
		TEST(second_writer_is_busy),
		TEST(wishes_narrow_the_plan),
		TEST(forced_tasks_run),
		TEST(code_that_is_not_there_stops_the_plan),
		TEST(folder_of_the_dag_is_the_project),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
