#include "support/zoo/client.h"

static struct wire_ended script(struct client *c, const char *text)
{
	struct wire_start s = client_task(c, WIRE_LUA);

	client_clear(c);
	s.text = text;
	s.entry = "dag.yaml:12";
	return client_run(c, &s);
}

/* The body of run(ctx). */
static struct wire_ended body(struct client *c, const char *text)
{
	char whole[8192];

	(void)snprintf(whole, sizeof whole, "return { run = function(ctx) %s end }", text);
	return script(c, whole);
}

static void assert_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("`%s` is not in:\n%s", part, text);
}

static void succeeds(struct client *c, const char *text, const char *log)
{
	struct wire_ended ended = body(c, text);

	if (ended.end != END_EXIT || ended.value != 0)
		fail_msg("`%s` ended with %u/%u: %s", text, ended.end, ended.value, client_log(c));
	assert_in(client_log(c), log);
	assert_in(client_report(c), "{\"end\":0}\n");
}

static void fails(struct client *c, const char *text, const char *why)
{
	struct wire_ended ended = body(c, text);

	if (ended.end != END_EXIT || ended.value != 1)
		fail_msg("`%s` ended with %u/%u: %s", text, ended.end, ended.value, client_log(c));
	assert_in(client_report(c), "{\"fail\":");
	assert_in(client_report(c), why);
	assert_null(strstr(client_report(c), "\"end\""));
}

static void good_script_does_its_work(void **state)
{
	static const struct wire_pair outs[] = { { "report", "out/report.json" },
		{ "note", "note.txt" } };
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_LUA);
	struct wire_pair dep = { "text", client_file("norm.lua") };

	s.text = "return {\n"
		 "name = 'good', version = '1', help = 'h',\n"
		 "inputs = { text = 'lines' }, outputs = { report = 'json', note = {type = 'text'} "
		 "},\n"
		 "params = { threshold = { type = 'number', default = 0.5, min = 0, max = 1 }, top "
		 "= 3 },\n"
		 "run = function(ctx)\n"
		 "  local lines = ctx:read('text')\n"
		 "  ctx:metric('lines', #lines) ctx:metric('loss', 0.1, 4)\n"
		 "  ctx:progress(1, 2, 'half') ctx:progress(2, 2)\n"
		 "  ctx:log('threshold', ctx.with.threshold, ctx.params.top, ctx.params.train.lr)\n"
		 "  ctx:warn('careful')\n"
		 "  print('printed', ctx.seed, ctx.attempt, ctx.run_id, ctx.task, ctx.stage, "
		 "ctx.threads)\n"
		 "  ctx:write('report', { n = #lines, ok = true, list = {1, 2.5}, none = "
		 "json.null, empty = json.array() })\n"
		 "  ctx:write('note', 42)\n"
		 "end }";
	s.with = "{\"threshold\":0.75}";
	s.params = "{\"train\":{\"lr\":0.01}}";
	s.deps.items = &dep;
	s.deps.count = 1;
	s.outs.items = outs;
	s.outs.count = 2;
	if (client_run(c, &s).value != 0)
		fail_msg("%s", client_log(c));
	assert_string_equal(client_report(c), "{\"key\":\"lines\",\"value\":13}\n"
					      "{\"key\":\"loss\",\"value\":0.1,\"step\":4}\n"
					      "{\"progress\":1,\"total\":2,\"what\":\"half\"}\n"
					      "{\"progress\":2,\"total\":2}\n"
					      "{\"end\":0}\n");
	assert_in(client_log(c), "threshold 0.75 3 0.01\nwarning: careful\n");
	assert_in(client_log(c), "printed\t42\t1\t0190-run\ttrain@seed-2\ttrain\t2\n");
	assert_string_equal(client_text(c, "out/report.json"), "{\n"
							       "  \"empty\": [],\n"
							       "  \"list\": [\n"
							       "    1,\n"
							       "    2.5\n"
							       "  ],\n"
							       "  \"n\": 13,\n"
							       "  \"none\": null,\n"
							       "  \"ok\": true\n"
							       "}\n");
	assert_string_equal(client_text(c, "note.txt"), "42");
}

static void deep_recursion_is_told_once(void **state)
{
	const char *log, *first;

	fails(*state, "local function f(n) return 1 + f(n + 1) end f(1)", "stack overflow");
	log = client_log(*state);
	first = strstr(log, "in function 'f'");
	assert_non_null(first);
	assert_null(strstr(first + 1, "in function 'f'"));
	assert_in(log, "more like it)");
}

static void fail_is_clean(void **state)
{
	fails(*state, "ctx:fail('only %d of %s', 3, 'ten')", "{\"fail\":\"only 3 of ten\"}\n");
	assert_string_equal(client_log(*state), "error: only 3 of ten\n");
	fails(*state, "pcall(ctx.fail, ctx, 'caught') ctx:log('went on')",
		"{\"fail\":\"caught\"}\n");
	assert_in(client_log(*state), "went on\n");
}

static void runtime_error_names_file_and_line(void **state)
{
	static const char expected[] =
		"error[E0602]: attempt to perform arithmetic on a nil value (field 'count')\n"
		"  --> lua/norm.lua:5\n"
		"  |\n"
		"5 | \treturn t.sum / t.count\n"
		"  | \t                 ^^^^^\n"
		"   = in function 'mean' (lua/norm.lua:5)\n"
		"   = in function 'of' (lua/norm.lua:9)\n"
		"   = in run (lua/score.lua:6)\n";
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_LUA);
	struct wire_pair module = { "norm", "lua/norm.lua" };
	char path[CLIENT_PATH];
	struct err e;

	/* the worker's folder is the project's: the user knows lua/norm.lua */
	(void)snprintf(path, sizeof path, "%s/lua", c->dir);
	assert_int_equal(folder_make(AT_FDCWD, path, 0700, &e), 0);
	(void)snprintf(path, sizeof path, "%s/lua/norm.lua", c->dir);
	assert_int_equal(symlink(client_file("norm.lua"), path), 0);
	s.uses = client_file("score.lua");
	s.entry = "lua/score.lua";
	s.modules.items = &module;
	s.modules.count = 1;
	assert_int_equal(client_run(c, &s).value, 1);
	assert_string_equal(client_log(c), expected);
	assert_in(client_report(c), "\"code\":\"E0602\",\"file\":\"lua/"
				    "norm.lua\",\"line\":5,\"trace\":\"in function 'mean'");
}

static void errors_of_every_kind_are_told(void **state)
{
	struct client *c = *state;

	fails(c, "error('plain')",
		"\"fail\":\"plain\",\"code\":\"E0602\",\"file\":\"dag.yaml:12\",\"line\":1");
	fails(c, "error({})", "the error is a table, not a text");
	fails(c, "error()", "the error is a nil, not a text");
	fails(c, "error(setmetatable({}, {__tostring = function() return 'told' end}))", "told");
	fails(c, "error(setmetatable({}, {__tostring = function() error('again') end}))",
		"\"fail\":\"the error is not a text, and cannot be made one\"");
	fails(c, "error(setmetatable({}, {__tostring = function() error({}) end}))",
		"\"fail\":\"the error is not a text, and cannot be made one\"");
	fails(c, "local function f() return f() + 1 end f()", "stack overflow");
	fails(c, "coroutine.wrap(function() error('inside') end)()", "inside");
	fails(c, "('x'):bad()", "attempt to call a nil value (method 'bad')");
}

static void bad_scripts_are_refused(void **state)
{
	struct client *c = *state;

	assert_int_equal(script(c, "return {\nrun = = 3 }").value, 1);
	assert_in(client_report(c), "\"code\":\"E0601\",\"file\":\"dag.yaml:12\",\"line\":2");
	assert_in(client_log(c), "error[E0601]: unexpected symbol near '='\n  --> dag.yaml:12:2\n");
	assert_int_equal(script(c, "return 3").value, 1);
	assert_in(client_report(c), "must return a table with `run`");
	assert_int_equal(script(c, "return { name = 'x' }").value, 1);
	assert_in(client_report(c), "has no function `run`");
	assert_int_equal(script(c, "return { run = print, imputs = {} }").value, 1);
	assert_in(client_report(c),
		"unknown key `imputs` in the stage's table, did you mean `inputs`?");
	assert_int_equal(script(c, "return { run = print, inputs = { x = 'jsn' } }").value, 1);
	assert_in(client_report(c), "port `x` has the unknown type `jsn`, did you mean `json`?");
	assert_int_equal(script(c, "return { run = print, inputs = { x = 'json' } }").value, 1);
	assert_in(client_report(c), "needs a dep named `x`");
	assert_int_equal(script(c, "return { run = print, outputs = { x = 'json' } }").value, 1);
	assert_in(client_report(c), "needs an out named `x`");
	assert_int_equal(
		script(c,
			"return { run = print, inputs = { x = {type = 'csv', optional = true} } }")
			.value,
		0);
	assert_int_equal(script(c, "\x1bLua").value, 1);
	assert_in(client_report(c), "attempt to load a binary chunk");
	assert_int_equal(
		script(c, "#!/usr/bin/env lua\nreturn { run = function() error('x') end }").value,
		1);
	assert_in(client_report(c), "\"line\":2");
}

static void with_is_checked(struct client *c, const char *with, const char *why)
{
	struct wire_start s = client_task(c, WIRE_LUA);

	client_clear(c);
	s.text = "return { params = { rate = {type='number', min=0, max=1}, model = {type='text', "
		 "default='mlp'} },\n"
		 "run = function(ctx) ctx:log(ctx.with.rate, ctx.params.model) end }";
	s.with = with;
	(void)client_run(c, &s);
	assert_in(why[0] == '>' ? client_log(c) : client_report(c), why + (why[0] == '>'));
}

static void declared_params_are_checked(void **state)
{
	with_is_checked(*state, "{\"rate\":0.5}", ">0.5 mlp\n");
	with_is_checked(*state, "{\"rate\":1,\"model\":\"cnn\"}", ">1 cnn\n");
	with_is_checked(*state, "{}", "`with.rate` is missing and has no default");
	with_is_checked(
		*state, "{\"rate\":\"x\"}", "`with.rate` must be of type number, it is text");
	with_is_checked(*state, "{\"rate\":2}", "`with.rate` is 2, it must be at most 1");
	with_is_checked(*state, "{\"rate\":-1}", "`with.rate` is -1, it must be at least 0");
	with_is_checked(*state, "{\"rate\":1,\"modle\":2}",
		"unknown key `modle` under `with:`, did you mean `model`?");
}

static void unknown_names_are_errors(void **state)
{
	struct client *c = *state;

	fails(c, "cuont = 3", "global `cuont` is not declared: write `local cuont`");
	fails(c, "local x = tabel", "unknown global `tabel`, did you mean `table`?");
	fails(c, "local x = ctx.sede", "ctx has no field `sede`, did you mean `seed`?");
	fails(c, "ctx:metrik('a', 1)", "ctx has no field `metrik`, did you mean `metric`?");
	fails(c, "ctx.x = 3", "ctx cannot be changed: `x`");
	fails(c, "local x = ctx.params.lr", "`ctx.params` has no key `lr`");
	fails(c, "ctx:input('x')", "no dep is named `x`");
	fails(c, "ctx:metric('a b', 1)", "is no name for a metric");
	fails(c, "ctx.log('x')", "call it with a colon");
	fails(c, "ctx:metric('a', 'x')", "number expected, got string");
	assert_int_equal(script(c, "function helper() end return { run = helper }").value, 1);
	assert_in(client_report(c), "global `helper` is not declared");
}

static void sandbox_holds(void **state)
{
	struct client *c = *state;

	fails(c, "local x = io", "unknown global `io`");
	fails(c, "local x = os", "unknown global `os`");
	fails(c, "local x = debug", "unknown global `debug`");
	fails(c, "local x = package", "unknown global `package`");
	fails(c, "local x = dofile", "unknown global `dofile`");
	fails(c, "local x = loadfile", "unknown global `loadfile`");
	fails(c, "ctx:exec{'true'}", "ctx:exec needs `unsafe: true`");
	succeeds(c, "assert(string.dump == nil) print'absent'", "absent");
	succeeds(c, "print(load('\\27Lua'))", "attempt to load a binary chunk");
	succeeds(c, "print(load('\\27Lua', 'x', 'b'))", "attempt to load a binary chunk");
	succeeds(c, "print(load(function() return nil end, 'x', 'bt'))", "function: ");
	succeeds(c, "print(load('return 1 + 1')())", "2\n");
	succeeds(c, "print(load('return x', 'n', 't', {x = 7})())", "7\n");
	succeeds(c, "print(pcall(load('return io')))", "unknown global `io`");
	succeeds(c, "print(getmetatable(''))", "false\n");
	fails(c, "getmetatable('').__index = {}", "attempt to index a boolean value");
	fails(c, "setmetatable(_G, {})", "cannot change a protected metatable");
	fails(c, "collectgarbage('stop')", "invalid option 'stop'");
	succeeds(c, "print(collectgarbage('count') > 0)", "true");
	fails(c, "require('os')",
		"module `os` was not found before the run: write its name as a literal");
	fails(c, "math.randomseed()", "a seed is needed");
}

static void random_follows_the_seed(void **state)
{
	struct client *c = *state;
	char first[256];

	succeeds(c, "print(math.random(1 << 40), math.random())", "\t");
	(void)snprintf(first, sizeof first, "%s", client_log(c));
	succeeds(c, "print(math.random(1 << 40), math.random())", first);
}

static void memory_is_capped(void **state)
{
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_LUA);
	struct wire_ended ended;

	s.text =
		"return { run = function() local t = {} for i = 1, 1e9 do t[i] = i .. '' end end }";
	s.limits.memory_bytes = 32u << 20;
	ended = client_run(c, &s);
	assert_int_equal(ended.value, 1);
	assert_in(client_report(c), "memory limit of 32 MiB reached");
	assert_true(ended.peak_rss_kib < 200u << 10);
	s = client_task(c, WIRE_LUA);
	client_clear(c);
	s.text = "return { run = function() string.rep('x', 1e9) end }";
	s.limits.memory_bytes = 32u << 20;
	assert_int_equal(client_run(c, &s).value, 1);
	assert_in(client_report(c), "memory limit");
}

/* A loop that no error can break: only leaving the process does. */
static void endless_loops_end_on_sigterm(void **state)
{
	static const char *const loops[] = {
		"return { run = function(ctx) ctx:log('up') while true do pcall(function() while "
		"true do end end) end end }",
		"return { run = function(ctx) ctx:log('up') coroutine.wrap(function() while true "
		"do end end)() end }",
		"return { run = function(ctx) ctx:log('up') ctx:sleep(1000) end }",
	};
	/* No hook runs here: neither the flag nor the report is seen to. */
	static const char *const deaf[] = {
		"return { run = function(ctx) ctx:log('up') print(('a'):rep(60):find(('a*'):rep(40) .. 'b')) end }",
		"return { run = function(ctx) setmetatable({}, {__gc = function() ctx:log('up') while true do end end})\n"
		"collectgarbage() end }",
	};
	struct client *c = *state;
	size_t i;

	for (i = 0; i < sizeof loops / sizeof loops[0]; i++) {
		struct wire_start s = client_task(c, WIRE_LUA);

		client_clear(c);
		s.text = loops[i];
		client_start(c, &s);
		client_await(c, "up");
		client_signal(c, s.id, SIGTERM);
		assert_int_equal(client_wait(c).value, 1);
		assert_in(client_report(c), "\"fail\":\"stopped by flow\",\"code\":\"E0605\"");
	}
	for (i = 0; i < sizeof deaf / sizeof deaf[0]; i++) {
		struct wire_start s = client_task(c, WIRE_LUA);

		client_clear(c);
		s.text = deaf[i];
		client_start(c, &s);
		client_await(c, "up");
		client_signal(c, s.id, SIGTERM);
		assert_int_equal(client_wait(c).value, 1);
		assert_in(client_log(c), "error[E0605]: stopped by flow");
	}
}

static void scripts_may_end_in_their_own_way(void **state)
{
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_LUA);

	s.text = "return { run = function(ctx) ctx:log('up') while not ctx:cancelled() do end\n"
		 "print(ctx:sleep(100)) ctx:fail('asked to end') end }";
	client_start(c, &s);
	client_await(c, "up");
	client_signal(c, s.id, SIGTERM);
	assert_int_equal(client_wait(c).value, 1);
	assert_in(client_report(c), "asked to end");
	assert_in(client_log(c), "false\n");
}

static void instructions_are_limited(void **state)
{
	static const struct wire_pair env[] = { { "FLOW_LUA_INSTRUCTIONS", "1000000" } };
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_LUA);

	s.text = "return { run = function() while true do pcall(error) end end }";
	s.env.items = env;
	s.env.count = 1;
	assert_int_equal(client_run(c, &s).value, 1);
	assert_in(client_report(c), "instruction limit of 1000000 reached\",\"code\":\"E0604\"");
}

static void put_file(struct client *c, const char *name, const void *data, size_t len)
{
	char path[CLIENT_PATH];
	struct err e;

	(void)snprintf(path, sizeof path, "%s/%s", c->dir, name);
	assert_int_equal(file_write_atomic(AT_FDCWD, path, data, len, 0600, &e), 0);
}

static void modules_are_loaded_once(void **state)
{
	static const struct wire_pair modules[] = { { "m.one", "one.lua" },
		{ "self", "self.lua" } };
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_LUA);

	put_file(c, "one.lua", "print('loading', ...) return { x = 5 }", 38);
	put_file(c, "self.lua", "return require 'self'", 21);
	s.modules.items = modules;
	s.modules.count = 2;
	s.text = "local one = require 'm.one' return { run = function() print(require('m.one').x, "
		 "one == require 'm.one') end }";
	assert_int_equal(client_run(c, &s).value, 0);
	assert_string_equal(client_log(c), "loading\tm.one\n5\ttrue\n");
	s.id = ++c->next;
	s.text = "return { run = function() require 'self' end }";
	assert_int_equal(client_run(c, &s).value, 1);
	assert_in(client_report(c), "module `self` requires itself");
	s.id = ++c->next;
	client_clear(c);
	s.text = "return { run = function() require 'm.on' end }";
	assert_int_equal(client_run(c, &s).value, 1);
	assert_in(client_report(c), "unknown module `m.on`, did you mean `m.one`?");
}

static void statistics_come_with_flow(void **state)
{
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_LUA);
	struct wire_pair module = { "flow.stats", client_file("../../../lua/flow/stats.lua") };

	s.text = "local stats = require 'flow.stats' return { run = function()\n"
		 "local s = stats.summary({4, 1, 3, 2})\n"
		 "print(s.count, s.mean, s.min, s.median, s.max, string.format('%.6f', s.stddev))\n"
		 "print(stats.quantile({1, 2, 3}, 0.25), stats.sum({1e100, 1, -1e100}), "
		 "stats.variance({7}))\n"
		 "stats.mean({}) end }";
	s.modules.items = &module;
	s.modules.count = 1;
	assert_int_equal(client_run(c, &s).value, 1);
	assert_in(client_log(c), "4\t2.5\t1\t2.5\t4\t1.290994\n1.5\t1.0\t0.0\n");
	assert_in(client_report(c), "mean of an empty list");
}

static void unsafe_scripts_may_do_more(void **state)
{
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_LUA);

	s.unsafe = 1;
	s.text = "return { run = function(ctx)\n"
		 "print(os.getenv('FLOW_TASK'), type(io.open))\n"
		 "local r = ctx:exec{'sh', '-c', 'echo out; echo err >&2; exit 3'}\n"
		 "print(r.code, r.ok, r.output)\n"
		 "r = ctx:exec{'sleep', '100', timeout = 0.1}\n"
		 "print(r.signal, r.timed_out)\n"
		 "print(pcall(ctx.exec, ctx, {'no-such-program'}))\n"
		 "os.exit(0) end }";
	assert_int_equal(client_run(c, &s).value, 1);
	assert_in(client_log(c), "train@seed-2\tfunction\n");
	assert_in(client_log(c), "err\n");
	assert_in(client_log(c), "3\tfalse\tout\n");
	assert_in(client_log(c), "9\ttrue\n");
	assert_in(client_log(c), "cannot execute `no-such-program`");
	assert_in(client_report(c), "left by exit(0) instead of returning");
}

/* flow-worker --check-lua */
static int check(const char *file, const char *chunkname, struct buf *out)
{
	char worker[CLIENT_PATH], command[3 * CLIENT_PATH];
	FILE *pipe;
	int c;

	client_worker_path(worker);
	(void)snprintf(command, sizeof command, "'%s' --check-lua '%s' '%s' 2>&1", worker, file,
		chunkname);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while ((c = getc(pipe)) != EOF)
		buf_char(out, (char)c);
	return WEXITSTATUS(pclose(pipe));
}

static void check_compiles_only(void **state)
{
	static const char name[] =
		"lua/a/rather/long/path/that/does/not/fit/into/sixty/characters.lua";
	struct client *c = *state;
	struct buf out = { 0 };
	char path[CLIENT_PATH];

	assert_int_equal(check(client_file("score.lua"), "lua/score.lua", &out), 0);
	assert_int_equal(out.len, 0);
	put_file(c, "bad.lua", "print('ran')\nlocal = 3\n", 23);
	(void)snprintf(path, sizeof path, "%s/bad.lua", c->dir);
	assert_int_equal(check(path, name, &out), 1);
	assert_string_equal(buf_text(&out), "lua/a/rather/long/path/that/does/not/fit/into/sixty/"
					    "characters.lua:2: <name> expected near '='\n");
	assert_int_equal(check("/no/such.lua", "x", &out), 5);
	buf_release(&out);
}

int main(void)
{
#define WITH_WORKER(test) cmocka_unit_test_setup_teardown(test, client_setup, client_teardown)
	const struct CMUnitTest tests[] = {
		WITH_WORKER(good_script_does_its_work),
		WITH_WORKER(deep_recursion_is_told_once),
		WITH_WORKER(fail_is_clean),
		WITH_WORKER(runtime_error_names_file_and_line),
		WITH_WORKER(errors_of_every_kind_are_told),
		WITH_WORKER(bad_scripts_are_refused),
		WITH_WORKER(declared_params_are_checked),
		WITH_WORKER(unknown_names_are_errors),
		WITH_WORKER(sandbox_holds),
		WITH_WORKER(random_follows_the_seed),
		WITH_WORKER(memory_is_capped),
		WITH_WORKER(endless_loops_end_on_sigterm),
		WITH_WORKER(scripts_may_end_in_their_own_way),
		WITH_WORKER(instructions_are_limited),
		WITH_WORKER(modules_are_loaded_once),
		WITH_WORKER(statistics_come_with_flow),
		WITH_WORKER(unsafe_scripts_may_do_more),
		WITH_WORKER(check_compiles_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
