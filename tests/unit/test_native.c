#include <poll.h>

#include "support/zoo/client.h"

static void shell(struct client *c, const char *text, uint32_t end, uint32_t value)
{
	struct wire_start s = client_task(c, WIRE_SHELL);
	struct wire_ended ended;

	s.text = text;
	ended = client_run(c, &s);
	if (ended.end != end || ended.value != value)
		fail_msg("`%s` ended with %u/%u (%s)", text, ended.end, ended.value, ended.text);
}

static void assert_logged(struct client *c, const char *line)
{
	if (strstr(client_log(c), line) == NULL)
		fail_msg("`%s` is not in the log:\n%s", line, client_log(c));
}

static struct wire_ended plugin(struct client *c, const char *name, const char *entry)
{
	struct wire_start s = client_task(c, WIRE_PLUGIN);

	s.uses = client_plugin(name);
	s.entry = entry;
	return client_run(c, &s);
}

static void assert_reported(struct client *c, const char *text)
{
	if (strstr(client_report(c), text) == NULL)
		fail_msg("`%s` is not in the report:\n%s\nlog:\n%s", text, client_report(c),
			client_log(c));
}

static void good_plugin_does_its_work(void **state)
{
	static const struct wire_pair outs[] = { { "counts", "counts" } };
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_PLUGIN);
	struct wire_pair dep = { "text", client_file("norm.lua") };

	s.uses = client_plugin("ok");
	s.deps.items = &dep;
	s.deps.count = 1;
	s.outs.items = outs;
	s.outs.count = 1;
	assert_int_equal(client_run(c, &s).value, 0);
	assert_string_equal(client_text(c, "counts"), "13\n");
	assert_string_equal(client_report(c), "{\"key\":\"lines\",\"value\":13}\n"
					      "{\"key\":\"loss\",\"value\":0.25,\"step\":7}\n"
					      "{\"progress\":1,\"total\":1,\"what\":\"counted\"}\n"
					      "{\"end\":0}\n");
	assert_logged(c, "counted the lines\n");
	assert_logged(c, "stdout of a plugin\n");
}

static void plugin_gets_its_options(void **state)
{
	static const struct wire_pair deps[] = { { "x", "y" } };
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_PLUGIN);

	s.uses = client_plugin("ok");
	s.entry = "show";
	s.with = "{\"rate\":0.125,\"epochs\":5.0,\"bias\":false,\"model\":\"cnn\",\"hidden\":[512,"
		 "256]}";
	s.params = "{\"train\":{\"lr\":0.01}}";
	s.deps.items = deps;
	s.deps.count = 1;
	assert_int_equal(client_run(c, &s).value, 0);
	assert_logged(c, "rate=0.125 epochs=5 bias=0 model=cnn hidden=[512,256] lr=0.01 has=1\n");
	assert_logged(c, "seed=42 threads=2 ");
	assert_logged(c, c->token);
	assert_logged(c, " dep0=x out0=-\n");
}

static void refuses(struct client *c, const char *with, const char *why)
{
	struct wire_start s = client_task(c, WIRE_PLUGIN);

	s.uses = client_plugin("ok");
	s.entry = "show";
	s.with = with;
	client_clear(c);
	assert_int_equal(client_run(c, &s).value, 1);
	assert_reported(c, why);
	assert_null(strstr(client_report(c), "\"end\""));
}

static void wrong_options_are_named(void **state)
{
	refuses(*state, "{\"model\":\"m\",\"epoch\":3}",
		"unknown key `epoch` under `with:`, did you mean `epochs`?");
	refuses(*state, "{}", "`with.model` is missing: which model");
	refuses(*state, "{\"model\":1}", "`with.model` must be of type text, it is an integer");
	refuses(*state, "{\"model\":\"m\",\"epochs\":1.5}",
		"must be of type integer, it is a number");
	refuses(*state, "{\"model\":\"m\",\"rate\":7}", "`with.rate` is 7, it must be from 0 to 1");
	refuses(*state, "{\"model\":\"m\",\"epochs\":0}",
		"`with.epochs` is 0, it must be from 1 to 100");
	refuses(*state, "{\"model\":\"m\",\"share\":0.6}",
		"`with.share` is 0.6, it must be from 0 to 0.5");
	refuses(*state, "{\"model\":\"m\",\"share\":\"x\"}",
		"`with.share` must be of type number, it is text");
	refuses(*state, "{\"model\":\"m\",\"least\":1}", "`with.least` is 1, it must be at least 2");
	refuses(*state, "{\"model\":\"m\",\"most\":10}", "`with.most` is 10, it must be at most 9");
}

static void missing_ports_and_stages_are_named(void **state)
{
	struct client *c = *state;

	assert_int_equal(plugin(c, "ok", "count").value, 1);
	assert_reported(c, "needs a dep named `text`: deps: {text: ...} in dag.yaml");
	client_clear(c);
	assert_int_equal(plugin(c, "ok", "shwo").value, 1);
	assert_reported(c, "has no stage `shwo`, did you mean `show`?");
}

static void bad_plugin(
	struct client *c, const char *name, uint32_t end, uint32_t value, const char *report)
{
	struct wire_ended ended;

	client_clear(c);
	ended = plugin(c, name, "");
	if (ended.end != end || ended.value != value)
		fail_msg("%s ended with %u/%u: %s", name, ended.end, ended.value, client_report(c));
	assert_reported(c, report);
	assert_null(strstr(client_report(c), "\"end\""));
}

static void bad_plugins_fail_alone(void **state)
{
	struct client *c = *state;

	bad_plugin(c, "fail", END_EXIT, 1, "{\"fail\":\"the data is \\\"odd\\\"\"}\n");
	assert_null(strstr(client_report(c), "not this one"));
	bad_plugin(c, "silent", END_EXIT, 1, "stage `silent` failed and did not say why");
	bad_plugin(c, "crash", END_SIGNAL, SIGSEGV, "");
	bad_plugin(c, "leaves", END_EXIT, 1, "left by exit(0) instead of returning");
	bad_plugin(c, "vanishes", END_EXIT, 0, "");
	bad_plugin(c, "constructor", END_EXIT, 0, "");
	bad_plugin(
		c, "abi", END_EXIT, 1, "was built for plugin ABI 8, this flow has 1: rebuild it");
	bad_plugin(c, "small", END_EXIT, 1, "a stage of 8 bytes, at least 64 are needed");
	bad_plugin(c, "nosymbol", END_EXIT, 1,
		"is no flow plugin: it exports no `flow_plugin_stages`");
	bad_plugin(c, "unresolved", END_EXIT, 1, "undefined symbol: zoo_function_that_nobody_has");
	client_clear(c);
	shell(c, "exit 0", END_EXIT, 0);
}

static void scribbling_spoils_nothing_but_the_log(void **state)
{
	struct client *c = *state;

	assert_int_equal(plugin(c, "scribbles", "").value, 0);
	assert_string_equal(client_report(c), "{\"key\":\"after\",\"value\":1}\n{\"end\":0}\n");
	shell(c, "exit 4", END_EXIT, 4);
}

static void plugin_leaves_nothing_behind(void **state)
{
	struct client *c = *state;
	struct wire_ended ended = plugin(c, "spawns", "");

	assert_int_equal(ended.value, 0);
	assert_int_equal(client_bearers(c->token), 0);
	assert_int_equal(ended.strays, 2);
}

static void plugins_are_asked_then_killed(void **state)
{
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_PLUGIN);
	struct wire_ended ended;

	s.uses = client_plugin("polite");
	client_start(c, &s);
	client_await(c, "polite");
	client_signal(c, s.id, SIGTERM);
	ended = client_wait(c);
	assert_int_equal(ended.end, END_EXIT);
	assert_reported(c, "was asked to end");
	s = client_task(c, WIRE_PLUGIN);
	s.uses = client_plugin("stubborn");
	client_start(c, &s);
	client_await(c, "stubborn");
	client_signal(c, s.id, SIGTERM);
	client_pause(50);
	client_signal(c, s.id, SIGKILL);
	ended = client_wait(c);
	assert_int_equal(ended.end, END_SIGNAL);
	assert_int_equal(ended.value, SIGKILL);
}

/* The file itself: absent, a link, no ELF, open to others. */
static void refuses_file(struct client *c, const char *name, const char *why)
{
	struct wire_start s = client_task(c, WIRE_PLUGIN);

	s.uses = name;
	client_clear(c);
	assert_int_equal(client_run(c, &s).value, 1);
	assert_reported(c, why);
	assert_reported(c, "\"code\":\"E0701\"");
}

/* cut.so: the first half of a plugin. */
static void cut_plugin(struct client *c, char path[CLIENT_PATH + 16])
{
	char bytes[2000];
	int from = open(client_plugin("ok"), O_RDONLY | O_CLOEXEC), to;

	(void)snprintf(path, CLIENT_PATH + 16, "%s/cut.so", c->dir);
	to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(read(from, bytes, sizeof bytes), sizeof bytes);
	assert_int_equal(write(to, bytes, sizeof bytes), sizeof bytes);
	(void)close(from);
	(void)close(to);
}

static void plugin_files_are_checked(void **state)
{
	struct client *c = *state;
	char path[CLIENT_PATH + 16];
	int fd;

	refuses_file(c, "absent.so", "No such file");
	(void)snprintf(path, sizeof path, "%s/link.so", c->dir);
	assert_int_equal(symlink(client_plugin("ok"), path), 0);
	refuses_file(c, "link.so", "is a symbolic link");
	(void)snprintf(path, sizeof path, "%s/text.so", c->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, "no ELF", 6), 6);
	refuses_file(c, "text.so", "cannot load `text.so`: ");
	cut_plugin(c, path);
	refuses_file(c, "cut.so", "cannot load `cut.so`: the file is cut short");
	(void)snprintf(path, sizeof path, "%s/text.so", c->dir);
	assert_int_equal(fchmod(fd, 0666), 0);
	(void)close(fd);
	refuses_file(c, "text.so", "can be written by others");
	refuses_file(c, ".", "is not a regular file");
}

/* flow-worker --describe */
static void describe_reads_the_table_only(void **state)
{
	char worker[CLIENT_PATH], command[3 * CLIENT_PATH];
	struct buf out = { 0 };
	FILE *pipe;
	int c;

	(void)state;
	client_worker_path(worker);
	(void)snprintf(
		command, sizeof command, "'%s' --describe '%s' 2>&1", worker, client_plugin("ok"));
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while ((c = getc(pipe)) != EOF)
		buf_char(&out, (char)c);
	assert_int_equal(WEXITSTATUS(pclose(pipe)), 0);
	assert_non_null(strstr(
		buf_text(&out), "{\"abi\":1,\"stages\":[{\"name\":\"count\",\"version\":\"1.0\""));
	assert_non_null(strstr(buf_text(&out),
		"\"deps\":[{\"name\":\"text\",\"help\":\"the text to count\",\"required\":true}]"));
	assert_non_null(
		strstr(buf_text(&out), "{\"key\":\"model\",\"type\":\"text\",\"default\":null"));
	buf_release(&out);
	(void)snprintf(command, sizeof command, "'%s' --describe '%s' >/dev/null 2>&1", worker,
		client_plugin("abi"));
	assert_int_equal(WEXITSTATUS(system(command)), 1);
}

/* One that was asked and does not answer is killed, and so is the process that loads the plugin for it. */
static void describing_leaves_nothing_behind(void **state)
{
	char worker[CLIENT_PATH], said[6];
	const char *plugin = client_plugin("hangs");
	struct pollfd closed = { .events = POLLIN };
	int ends[2];
	pid_t pid;

	(void)state;
	client_worker_path(worker);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], 1);
		(void)execl(worker, worker, "--describe", plugin, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], said, sizeof said), (ssize_t)sizeof said);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	closed.fd = ends[0];
	assert_int_equal(poll(&closed, 1, 10000), 1); /* nobody holds the other end any more */
	assert_int_equal(read(ends[0], said, sizeof said), 0);
	(void)close(ends[0]);
}

int main(void)
{
#define WITH_WORKER(test) cmocka_unit_test_setup_teardown(test, client_setup, client_teardown)
	const struct CMUnitTest tests[] = {
		WITH_WORKER(good_plugin_does_its_work),
		WITH_WORKER(plugin_gets_its_options),
		WITH_WORKER(wrong_options_are_named),
		WITH_WORKER(missing_ports_and_stages_are_named),
		WITH_WORKER(bad_plugins_fail_alone),
		WITH_WORKER(scribbling_spoils_nothing_but_the_log),
		WITH_WORKER(plugin_leaves_nothing_behind),
		WITH_WORKER(plugins_are_asked_then_killed),
		WITH_WORKER(plugin_files_are_checked),
		cmocka_unit_test(describe_reads_the_table_only),
		cmocka_unit_test(describing_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
