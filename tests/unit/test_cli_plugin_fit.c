#include "../support/dag_text.h"

#include "base/vec.h"
#include "cli/plugin_fit.h"

/* A plugin as `flow-worker --describe` tells of it. */
static const char described[] = "{\"abi\":1,\"stages\":["
				"{\"name\":\"count\",\"version\":\"1\",\"help\":\"\",\"deps\":["
				"{\"name\":\"text\",\"help\":\"\",\"required\":true},"
				"{\"name\":\"words\",\"help\":\"\",\"required\":false}],"
				"\"outs\":[{\"name\":\"counts\",\"help\":\"\",\"required\":true}],"
				"\"options\":["
				"{\"key\":\"rounds\",\"type\":\"integer\",\"min\":1,\"max\":9,\"default\":\"1\",\"help\":\"\"},"
				"{\"key\":\"rate\",\"type\":\"number\",\"min\":0,\"default\":null,\"help\":\"of learning\"}]},"
				"{\"name\":\"any\",\"version\":\"1\",\"help\":\"\",\"deps\":[],\"outs\":[],\"options\":null}]}\n";

static struct loaded l;
static struct arena arena;
static struct plugin_faults faults;

static int teardown(void **state)
{
	(void)state;
	loaded_release(&l);
	vec_release(&faults);
	arena_release(&arena);
	return 0;
}

static int is_plugin(void *user, const char *name)
{
	(void)user;
	return strcmp(name, "count") == 0 ? STAGE_PLUGIN : -1;
}

/* What is wrong with the one task of the dag, a line each; "": nothing. */
static const char *faults_of(const char *text, const char *entry, const char *dag)
{
	struct dag_input input = { .text = dag, .len = strlen(dag), .builtin = is_plugin };
	struct plugin_fit fit;
	const char *all = "";
	size_t i;

	loaded_release(&l);
	load_input(&l, &input);
	assert_int_equal(l.rc, 0);
	assert_true(plugin_fit_read(&fit, text, entry, &arena));
	faults.count = 0;
	plugin_fit_ports(&faults, &fit, &l.graph, 0);
	plugin_fit_with(&faults, &fit, &l.graph, 0);
	for (i = 0; i < faults.count; i++) {
		const struct plugin_fault *f = &faults.items[i];

		assert_string_equal(f->code, "E0703");
		all = arena_printf(&arena, "%s%s%s%s: %s\n", all, f->is_unknown ? "key " : "", f->key != NULL ? f->key : "",
			f->key != NULL ? "" : "stage", f->text);
	}
	return all;
}

#define DAG(rest) "stages: {a: {uses: count, " rest "}}"
#define PORTS     "deps: {text: x}, outs: {counts: y}"

static void what_fits_has_no_faults(void **state)
{
	(void)state;
	assert_string_equal(faults_of(described, "count", DAG(PORTS ", with: {rounds: 9, rate: 0.5}")), "");
	assert_string_equal(faults_of(described, "", DAG(PORTS ", with: {rounds: 1, rate: 1e9}")), "");
	assert_string_equal(faults_of(described, "any", DAG("with: {whatever: [1]}, outs: [z]")), "");
	/* More than it names is its own affair. */
	assert_string_equal(faults_of(described, "count", DAG("deps: {text: x, more: z}, outs: {counts: y, other: w}, with: {rate: 0}")), "");
}

static void each_fault_is_told(void **state)
{
	(void)state;
	assert_string_equal(faults_of(described, "count", DAG("deps: [text], outs: {conuts: y}, with: {rounds: 10, rats: 1}")),
		"stage: `count` needs an out named `counts`: outs: {counts: ...}\n"
		"key rats: unknown key `rats` under `with:`, did you mean `rate`?\n"
		"rounds: `with.rounds` is 10, it must be from 1 to 9\n"
		"stage: `with.rate` is missing: of learning\n");
	assert_string_equal(faults_of(described, "count", DAG("outs: {counts: y}, with: {rounds: '5', rate: -1}")),
		"stage: `count` needs a dep named `text`: deps: {text: ...}\n"
		"rate: `with.rate` is -1, it must be at least 0\n"
		"rounds: `with.rounds` must be of type integer, it is text\n");
	assert_string_equal(faults_of(described, "count", DAG(PORTS)), "stage: `with.rate` is missing: of learning\n");
}

static void stage_that_is_not_there_is_told(void **state)
{
	struct plugin_fit fit;

	(void)state;
	assert_false(plugin_fit_read(&fit, described, "cuont", &arena));
	assert_string_equal(fit.near, "count");
	assert_false(plugin_fit_read(&fit, described, "quite other", &arena));
	assert_null(fit.near);
}

/* A plugin's description is its own word: whatever it says, nothing is read that is not there. */
static void odd_descriptions_do_no_harm(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"abi\":1}", "{\"abi\":1,\"stages\":{}}", "{\"abi\":1,\"stages\":[]}",
		"{\"abi\":1,\"stages\":[1]}", "{\"abi\":1,\"stages\":[{\"name\":1}]}" };
	struct plugin_fit fit;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_false(plugin_fit_read(&fit, texts[i], "count", &arena));
	assert_string_equal(faults_of("{\"abi\":1,\"stages\":[{\"name\":\"x\",\"deps\":7,\"outs\":[1,{}],\"options\":{}}]}", "x",
				    DAG("with: {rounds: 1}, outs: [y]")),
		"");
	assert_string_equal(faults_of("{\"abi\":1,\"stages\":[{\"name\":\"x\",\"options\":[1,{\"key\":2,\"type\":[],\"min\":\"a\"}]}]}", "x",
				    DAG("with: {rounds: 1}, outs: [y]")),
		"key rounds: unknown key `rounds` under `with:`\n"
		"stage: `with.` is missing: \n"
		"stage: `with.` is missing: \n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_fits_has_no_faults),
		TEST(each_fault_is_told),
		TEST(stage_that_is_not_there_is_told),
		TEST(odd_descriptions_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
