#include "../support/dag_text.h"

#include "dag/spec.h"

static const struct wrong_text wrongs[] = {
	{ "list at the top", "- a\n", "E0108", 1, 1, "begins with `stages:`", NULL, NULL },
	{ "empty file", "", "E0108", 1, 1, "begins with `stages:`", NULL, NULL },
	{ "no stages", "name: x\n", "E0108", 1, 1, "there are no stages", NULL, NULL },
	{ "empty stages", "stages: {}\n", "E0108", 1, 1, "there are no stages", NULL, NULL },
	{ "unknown key of a stage", "stages:\n  a:\n    cmd: x\n    retrys: 3\n", "E0107", 4, 5,
		"unknown key `retrys` in stage `a`", "did you mean `retry`?", "flow help dag" },
	{ "unknown key at the top", "stage: {a: {cmd: x}}\n", "E0107", 1, 1,
		"unknown key `stage` in dag.yaml", "did you mean `stages`?", NULL },
	{ "unknown key of retry", "stages: {a: {cmd: x, retry: {limits: 1}}}\n", "E0107", 1, 30,
		"unknown key `limits` in `retry`", "did you mean `limit`?", NULL },
	{ "key of a later version", "stages:\n  a: {cmd: x, if: success()}\n", "E0111", 2, 15,
		"`if` in stage `a` is not supported by this version of flow", NULL, NULL },
	{ "secret without a source", "secrets: {A: {}}\nstages: {a: {cmd: x}}\n", "E0215", 1, 11,
		"the secret `A` has none of `env`, `file` and `command`", NULL, NULL },
	{ "secret that is none", "secrets: {TOKEN: {env: A}}\nstages: {a: {cmd: x, secrets: [TOKN]}}\n", "E0214", 2, 32,
		"there is no secret `TOKN`", "did you mean `TOKEN`?", NULL },
	{ "secret in a command", "secrets: {T: {env: A}}\nstages: {a: {cmd: 'x ${env.A}'}}\n", "E0216", 2, 22,
		"`A` is a secret", NULL, NULL },
	{ "secret under env", "secrets: {T: {env: A}}\nstages: {a: {cmd: x, env: {T: 1}}}\n", "E0216", 2, 28,
		"`T` is a secret", NULL, NULL },
	{ "gpu", "stages: {a: {cmd: x, resources: {gpu: 1}}}\n", "E0111", 1, 34, "`gpu`", NULL,
		NULL },
	{ "fan-out at run time", "stages: {a: {cmd: x, foreach: {from: p.q}}}\n", "E0111", 1, 32,
		"`foreach: {from: ...}` is not supported", NULL, NULL },
	{ "stage is text", "stages: {a: x}\n", "E0109", 1, 13, "stage `a` must be a map, not text",
		NULL, NULL },
	{ "stages is a list", "stages: [a]\n", "E0109", 1, 9, "`stages` must be a map, not a list",
		NULL, NULL },
	{ "cache: no", "stages: {a: {cmd: x, cache: no}}\n", "E0109", 1, 29,
		"`cache` must be true or false, not text", NULL, NULL },
	{ "with is a list", "stages: {a: {uses: b, with: [c]}}\n", "E0109", 1, 29,
		"`with` must be a map, not a list", NULL, NULL },
	{ "dep is a list", "stages: {a: {cmd: x, deps: [[b]]}}\n", "E0109", 1, 29,
		"`deps` must be made of paths, not a list", NULL, NULL },
	{ "bare timeout", "stages: {a: {cmd: x, timeout: 30}}\n", "E0110", 1, 31,
		"`30` has no unit; write 30s, 30m or 30h", NULL, NULL },
	{ "timeout out of range", "stages: {a: {cmd: x, timeout: 1e99}}\n", "E0110", 1, 31, "1e99",
		NULL, NULL },
	{ "bare memory", "stages: {a: {cmd: x, resources: {mem: 512}}}\n", "E0110", 1, 39,
		"`512` has no unit; write 512M or 512G", NULL, NULL },
	{ "retry that is no number", "stages: {a: {cmd: x, retry: often}}\n", "E0109", 1, 29, NULL, NULL, NULL },
	{ "retry beyond its range", "stages: {a: {cmd: x, retry: 1001}}\n", "E0110", 1, 29, NULL, NULL, NULL },
	{ "negative retries", "stages: {a: {cmd: x, retry: {limit: -1}}}\n", "E0110", 1, 37,
		"`limit`: -1 is not between 0 and 1000", NULL, NULL },
	{ "retries beyond 64 bits", "stages: {a: {cmd: x, retry: {limit: 99999999999999999999}}}\n",
		"E0110", 1, 37, "is not between 0 and 1000", NULL, NULL },
	{ "kind of failure", "stages: {a: {cmd: x, retry: {on: [signl]}}}\n", "E0110", 1, 35,
		"`signl` is not a kind of failure", "did you mean `signal`?",
		"exit:1 to exit:255" },
	{ "exit status", "stages: {a: {cmd: x, retry: {on: [\"exit:256\"]}}}\n", "E0110", 1, 35,
		"`exit:256`", NULL, NULL },
	{ "kind of failure of a later version", "stages: {a: {cmd: x, retry: {on: gpu_oom}}}\n",
		"E0111", 1, 34, "`gpu_oom` is not supported", NULL, NULL },
	{ "cpu of nothing", "stages: {a: {cmd: x, resources: {cpu: 0}}}\n", "E0110", 1, 39,
		"`cpu`: 0 is not between", NULL, NULL },
	{ "version 2", "version: 2\nstages: {a: {cmd: x}}\n", "E0110", 1, 10,
		"`version`: 2 is not between 1 and 1", NULL, NULL },
	{ "kind of an out", "stages: {a: {cmd: x, outs: {o: {path: p, kind: tmp}}}}\n", "E0110", 1,
		48, "`kind` is output, temp or checkpoint, not `tmp`", "did you mean `temp`?",
		NULL },
	{ "out without a path", "stages: {a: {cmd: x, outs: {o: {kind: temp}}}}\n", "E0108", 1, 32,
		"has no `path`", NULL, NULL },
	{ "name of a stage", "stages: {a b: {cmd: x}}\n", "E0112", 1, 10,
		"`a b` cannot be the name of a stage", "letters", NULL },
	{ "name of an instance", "stages: {a@b: {cmd: x}}\n", "E0112", 1, 10, "`a@b`", NULL, NULL },
	{ "name with letters that look alike", "stages: {tr\xd0\xb0in: {cmd: x}}\n", "E0112", 1, 10,
		"cannot be the name of a stage", NULL, NULL },
	{ "name of an out", "stages: {a: {cmd: x, outs: {b c: d}}}\n", "E0112", 1, 29,
		"`b c` cannot be a name", NULL, NULL },
	{ "name of a variable", "env: {A=B: c}\nstages: {a: {cmd: x}}\n", "E0112", 1, 7,
		"environment variable", NULL, NULL },
	{ "nothing to do", "stages: {a: {deps: [b]}}\n", "E0401", 1, 10,
		"stage `a` has nothing to do: give it `cmd`, `uses` or `lua`", NULL, NULL },
	{ "two things to do", "stages: {a: {cmd: x, uses: y}}\n", "E0401", 1, 10,
		"more than one of `cmd`, `uses` and `lua`", NULL, NULL },
	{ "with beside cmd", "stages: {a: {cmd: x, with: {b: 1}}}\n", "E0402", 1, 28,
		"`with` is for `uses` and `lua`", NULL, NULL },
	{ "uses a C file", "stages: {a: {uses: ./b.c}}\n", "E0404", 1, 20, "ends in .lua or .so",
		NULL, NULL },
	{ "unsafe command", "stages: {a: {cmd: x, unsafe: true}}\n", "E0406", 1, 30,
		"`unsafe` is for Lua stages", NULL, NULL },
	{ "foreach and matrix", "stages: {a: {cmd: x, foreach: [1], matrix: {b: [1]}}}\n", "E0210",
		1, 44, "both `foreach` and `matrix`", NULL, NULL },
};

static void faults_of_keys_are_shown_in_place(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++)
		check_wrong(&wrongs[i]);
}

static void all_faults_are_told_at_once(void **state)
{
	struct loaded l;

	(void)state;
	load_text(&l, "nam: x\n"
		      "stages:\n"
		      "  a: {cmd: x, timeout: 5}\n"
		      "  b: {deps: [c]}\n"
		      "  c: {cmd: x, cahce: false}\n");
	assert_int_equal(l.rc, ERR_INPUT);
	assert_int_equal(l.diags.count, 4);
	assert_int_equal(l.diags.items[0].line, 1);
	assert_int_equal(l.diags.items[1].line, 3);
	assert_int_equal(l.diags.items[2].line, 4);
	assert_int_equal(l.diags.items[3].line, 5);
	loaded_release(&l);
}

static void at_most_twenty_faults_are_kept(void **state)
{
	struct buf text = { 0 };
	struct loaded l;
	int i;

	(void)state;
	buf_str(&text, "stages:\n");
	for (i = 0; i < 30; i++)
		buf_printf(&text, "  a%d: {cmd: x, bad: 1}\n", i);
	load_text(&l, buf_text(&text));
	assert_int_equal(l.diags.count, DIAG_MAX);
	assert_int_equal(l.diags.dropped, 10);
	loaded_release(&l);
	buf_release(&text);
}

static void settings_have_their_defaults(void **state)
{
	const struct stage *s;
	struct loaded l;

	(void)state;
	load_good(&l, "stages: {a: {cmd: x}}\n");
	s = &l.graph.stages[0];
	assert_int_equal(s->cpu_milli, 1000);
	assert_int_equal(s->mem_bytes, 0);
	assert_true(s->log_bytes == UINT64_C(256) << 20);
	assert_int_equal(s->timeout_ms, 0);
	assert_int_equal(s->flags, 0);
	assert_int_equal(s->retry.limit, 0);
	assert_int_equal(s->retry.delay_ms, 1000);
	assert_int_equal(s->retry.max_delay_ms, 600000);
	assert_true(s->retry.backoff == 2 && s->retry.jitter == 1);
	assert_int_equal(
		s->retry.on, RETRY_ERROR | RETRY_SIGNAL | RETRY_TIMEOUT | RETRY_OOM | RETRY_LOST);
	loaded_release(&l);
}

static void stages_replace_defaults_key_by_key(void **state)
{
	const struct stage *s;
	struct loaded l;

	(void)state;
	load_good(&l,
		"defaults:\n"
		"  timeout: 2h\n"
		"  retry: {limit: 1, delay: 5s}\n"
		"  resources: {cpu: 0.5, mem: 2G}\n"
		"  env: {A: '1', B: '2'}\n"
		"  allow_failure: true\n"
		"  cache: false\n"
		"stages:\n"
		"  a: {cmd: x}\n"
		"  b: {cmd: x, timeout: 3h, retry: {limit: 4, on: [oom, 'exit:75']}, cache: true,\n"
		"    resources: {cpu: 2, log: 3M}, env: {B: '3'}, allow_failure: false, frozen: true}\n"
		"  c: {cmd: x, retry: 7}\n");
	s = &l.graph.stages[0];
	assert_int_equal(s->timeout_ms, 7200000);
	assert_int_equal(s->retry.limit, 1);
	assert_int_equal(s->cpu_milli, 500);
	assert_int_equal(s->flags, STAGE_ALLOW_FAILURE | STAGE_NO_CACHE);
	s = &l.graph.stages[1];
	assert_int_equal(s->timeout_ms, 10800000);
	assert_int_equal(s->retry.limit, 4);
	assert_int_equal(s->retry.delay_ms, 5000);
	assert_int_equal(s->retry.on, RETRY_OOM);
	assert_true(s->retry.exit_codes[1] == UINT64_C(1) << 11);
	assert_int_equal(s->cpu_milli, 2000);
	assert_true(s->mem_bytes == UINT64_C(2) << 30);
	assert_true(s->log_bytes == UINT64_C(3) << 20);
	assert_int_equal(s->flags, STAGE_FROZEN);
	assert_int_equal(l.graph.stages[2].retry.limit, 7); /* alone, it stands for the map with that limit */
	assert_int_equal(l.graph.stages[2].retry.delay_ms, 5000);
	assert_string_equal(field_of(&l, l.graph.nodes[1].env, "A"), "1");
	assert_string_equal(field_of(&l, l.graph.nodes[1].env, "B"), "3");
	loaded_release(&l);
}

static int builtin(void *user, const char *name)
{
	(void)user;
	if (strcmp(name, "train") == 0)
		return STAGE_PLUGIN;
	return strcmp(name, "notify") == 0 ? STAGE_LUA : -1;
}

static void uses_tells_the_kind_of_a_stage(void **state)
{
	static const struct {
		const char *uses;
		enum stage_kind kind;
	} cases[] = {
		{ "train", STAGE_PLUGIN },
		{ "notify", STAGE_LUA },
		{ "./lua/x.lua", STAGE_LUA },
		{ "./stages/x.so", STAGE_PLUGIN },
		{ "./stages/x.so#second", STAGE_PLUGIN },
	};
	struct buf text = { 0 };
	struct loaded l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct dag_input input = { .builtin = builtin };

		buf_clear(&text);
		buf_printf(&text, "stages: {a: {uses: '%s'}}\n", cases[i].uses);
		input.text = buf_text(&text);
		input.len = text.len;
		load_input(&l, &input);
		assert_int_equal(l.rc, 0);
		assert_int_equal(l.graph.stages[0].kind, cases[i].kind);
		assert_string_equal(graph_text(&l.graph, l.graph.nodes[0].uses), cases[i].uses);
		loaded_release(&l);
	}
	buf_release(&text);
}

static void unknown_built_in_stage_has_a_suggestion(void **state)
{
	static const char *const names[] = { "train", "notify", NULL };
	static const char text[] = "stages:\n  a:\n    uses: trian\n";
	static const struct wrong_text wrong = { "builtin", text, "E0403", 3, 11,
		"no built-in stage `trian`", "did you mean `train`?", ".lua or .so" };
	struct dag_input input = {
		.text = text, .len = sizeof text - 1, .builtin = builtin, .builtins = names
	};
	struct loaded l;

	(void)state;
	load_input(&l, &input);
	assert_int_equal(l.rc, ERR_INPUT);
	check_diag(&wrong, &l.diags.items[0]);
	loaded_release(&l);
}

static void scripts_are_kept_as_written(void **state)
{
	struct loaded l;

	(void)state;
	load_good(&l, "stages:\n"
		      "  a:\n"
		      "    unsafe: true\n"
		      "    with: {x: 1}\n"
		      "    lua: |\n"
		      "      return '${not.ours}'\n");
	assert_int_equal(l.graph.stages[0].kind, STAGE_INLINE);
	assert_int_equal(l.graph.stages[0].flags, STAGE_UNSAFE);
	assert_string_equal(command_of(&l, "a"), "return '${not.ours}'\n");
	assert_string_equal(field_of(&l, l.graph.nodes[0].with, "x"), "1");
	loaded_release(&l);
}

static void entries_of_outs_have_kinds(void **state)
{
	const struct out *o;
	struct loaded l;

	(void)state;
	load_good(&l, "stages:\n"
		      "  a:\n"
		      "    cmd: x\n"
		      "    outs: [plain, {path: t, kind: temp, optional: true}]\n"
		      "    metrics: m.json\n"
		      "    plots: [p.csv, plain]\n"
		      "  b: {cmd: x, outs: {model: {path: c, kind: checkpoint}, n: d/}}\n");
	assert_int_equal(l.graph.nodes[0].outs.count, 4);
	o = &l.graph.outs[l.graph.nodes[0].outs.first];
	assert_int_equal(o[0].flags, OUT_PLOTS);
	assert_int_equal(o[1].kind, OUT_TEMP);
	assert_int_equal(o[1].flags, OUT_OPTIONAL);
	assert_int_equal(o[2].flags, OUT_METRICS);
	assert_string_equal(graph_text(&l.graph, o[2].name), "m.json");
	assert_int_equal(o[3].flags, OUT_PLOTS);
	o = &l.graph.outs[l.graph.nodes[1].outs.first];
	assert_int_equal(o[0].kind, OUT_CHECKPOINT);
	assert_string_equal(graph_text(&l.graph, o[0].name), "model");
	assert_string_equal(graph_text(&l.graph, o[1].path), "d");
	loaded_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_of_keys_are_shown_in_place),
		cmocka_unit_test(all_faults_are_told_at_once),
		cmocka_unit_test(at_most_twenty_faults_are_kept),
		cmocka_unit_test(settings_have_their_defaults),
		cmocka_unit_test(stages_replace_defaults_key_by_key),
		cmocka_unit_test(uses_tells_the_kind_of_a_stage),
		cmocka_unit_test(unknown_built_in_stage_has_a_suggestion),
		cmocka_unit_test(scripts_are_kept_as_written),
		cmocka_unit_test(entries_of_outs_have_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
