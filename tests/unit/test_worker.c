#include "support/zoo/client.h"

#include <sys/resource.h>

static void shell(struct client *c, const char *text, uint32_t end, uint32_t value)
{
	struct wire_start s = client_task(c, WIRE_SHELL);
	struct wire_ended ended;

	s.text = text;
	ended = client_run(c, &s);
	if (ended.end != end || ended.value != value)
		fail_msg("`%s` ended with %u/%u (%s)", text, ended.end, ended.value, ended.text);
}

static void command(
	struct client *c, const char *const *argv, uint32_t count, struct wire_ended *ended)
{
	struct wire_start s = client_task(c, WIRE_COMMAND);

	s.argv.items = argv;
	s.argv.count = count;
	*ended = client_run(c, &s);
}

static void exit_codes_come_back_exactly(void **state)
{
	static const uint32_t codes[] = { 0, 1, 2, 75, 126, 127, 128, 255 };
	char text[32];
	size_t i;

	for (i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		(void)snprintf(text, sizeof text, "exit %u", codes[i]);
		shell(*state, text, END_EXIT, codes[i]);
	}
}

static void deadly_signals_come_back_exactly(void **state)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGABRT, SIGKILL, SIGSEGV, SIGPIPE, SIGTERM,
		SIGUSR1 };
	char text[64];
	size_t i;

	for (i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		(void)snprintf(text, sizeof text, "ulimit -c 0; kill -%d $$", signals[i]);
		shell(*state, text, END_SIGNAL, (uint32_t)signals[i]);
	}
}

static void words_reach_argv_byte_for_byte(void **state)
{
	static const char *const argv[] = { "printf", "%s|", "a b", "$HOME `x` ; 'q' \"d\"", "",
		"\xC3\xA9\n", "*" };
	struct wire_ended ended;

	command(*state, argv, 7, &ended);
	assert_int_equal(ended.end, END_EXIT);
	assert_int_equal(ended.value, 0);
	assert_string_equal(client_log(*state), "a b|$HOME `x` ; 'q' \"d\"||\xC3\xA9\n|*|");
}

static void what_cannot_start_says_why(void **state)
{
	static const char *const absent[] = { "pythn" }, *const no_file[] = { "./no/such" };
	static const char *const empty[] = { "" }, *const folder[] = { "/tmp" },
				 *const fine[] = { "true" };
	struct client *c = *state;
	struct wire_ended ended;
	struct wire_start s;

	command(c, absent, 1, &ended);
	assert_int_equal(ended.end, END_NOT_FOUND);
	assert_int_equal(ended.value, ENOENT);
	assert_string_equal(ended.text, "command not found: `pythn`");
	command(c, no_file, 1, &ended);
	assert_int_equal(ended.value, ENOENT);
	assert_string_equal(ended.text, "command not found: `./no/such` is not there");
	command(c, folder, 1, &ended);
	assert_int_equal(ended.value, EACCES);
	command(c, empty, 1, &ended);
	assert_int_equal(ended.end, END_NOT_FOUND);
	command(c, NULL, 0, &ended);
	assert_string_equal(ended.text, "the command is empty");
	s = client_task(c, WIRE_COMMAND);
	s.argv.items = fine;
	s.argv.count = 1;
	s.cwd = "not/there";
	ended = client_run(c, &s);
	assert_int_equal(ended.end, END_NOT_FOUND);
	assert_string_equal(ended.text, "cwd `not/there` is not there");
	s.id = ++c->next;
	s.cwd = "";
	s.slot = 9;
	ended = client_run(c, &s);
	assert_string_equal(ended.text, "its slot has no log");
}

static void too_large_an_environment_says_so(void **state)
{
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_SHELL);
	size_t size = 3u << 20;
	char *big = malloc(size + 1);
	struct wire_pair pair = { "BIG", big };
	struct wire_ended ended;

	assert_non_null(big);
	memset(big, 'x', size);
	big[size] = '\0';
	s.text = "true";
	s.env.items = &pair;
	s.env.count = 1;
	ended = client_run(c, &s);
	free(big);
	assert_int_equal(ended.end, END_NOT_FOUND);
	assert_int_equal(ended.value, E2BIG);
	assert_non_null(strstr(ended.text, "larger than the system takes"));
}

static void script_without_interpreter_runs_in_sh(void **state)
{
	static const char *const argv[] = { "./script", "an arg" };
	struct client *c = *state;
	char path[CLIENT_PATH + 16];
	struct wire_ended ended;
	int fd;

	(void)snprintf(path, sizeof path, "%s/script", c->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_int_equal(write(fd, "echo \"got $1\"\n", 14), 14);
	(void)close(fd);
	command(c, argv, 2, &ended);
	assert_int_equal(ended.end, END_EXIT);
	assert_string_equal(client_log(c), "got an arg\n");
}

static void assert_logged(struct client *c, const char *line)
{
	if (strstr(client_log(c), line) == NULL)
		fail_msg("`%s` is not in the log:\n%s", line, client_log(c));
}

static void environment_keeps_the_contract(void **state)
{
	static const struct wire_pair env[] = { { "MINE", "1" }, { "HOME", "/nowhere" },
		{ "FLOW_PARAMS", "/p.json" }, { "PATH", "/usr/bin:/bin" } };
	static const struct wire_pair deps[] = { { "raw-data.csv", "raw/x.csv" },
		{ "abs", "/abs" } };
	static const struct wire_pair outs[] = { { "model", "models/m" } };
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_SHELL);
	char line[CLIENT_PATH + 64], real[CLIENT_PATH];

	s.text = "env";
	s.env.items = env;
	s.env.count = 4;
	s.deps.items = deps;
	s.deps.count = 2;
	s.outs.items = outs;
	s.outs.count = 1;
	s.checkpoint = "ck";
	s.attempt = 3;
	s.limits.memory_bytes = 300 << 20;
	assert_int_equal(client_run(c, &s).value, 0);
	assert_non_null(realpath(c->dir, real));
	assert_logged(c, "FLOW_RUN_ID=0190-run\n");
	assert_logged(c, "FLOW_STAGE=train\n");
	assert_logged(c, "FLOW_TASK=train@seed-2\n");
	assert_logged(c, "FLOW_ATTEMPT_NUMBER=3\n");
	assert_logged(c, "FLOW_SEED=42\n");
	assert_logged(c, "FLOW_THREADS=2\n");
	assert_logged(c, "FLOW_MEMORY=314572800\n");
	assert_logged(c, "FLOW_PARAMS=/p.json\n");
	assert_logged(c, "FLOW_DEP_ABS=/abs\n");
	assert_logged(c, "MINE=1\n");
	assert_logged(c, "HOME=/nowhere\n");
	assert_logged(c, "\nPATH=/usr/bin:/bin\n");
	(void)snprintf(line, sizeof line, "FLOW_ATTEMPT=%s\n", c->token);
	assert_logged(c, line);
	(void)snprintf(line, sizeof line, "FLOW_DEP_RAW_DATA_CSV=%s/raw/x.csv\n", real);
	assert_logged(c, line);
	(void)snprintf(line, sizeof line, "FLOW_OUT_MODEL=%s/models/m\n", real);
	assert_logged(c, line);
	(void)snprintf(line, sizeof line, "FLOW_CHECKPOINT=%s/ck\n", real);
	assert_logged(c, line);
	(void)snprintf(line, sizeof line, "\nTMPDIR=%s\n", c->workdir);
	assert_logged(c, line);
	(void)snprintf(line, sizeof line, "FLOW_METRICS=%s\n", c->report);
	assert_logged(c, line);
}

static void stale_flow_variables_do_not_leak(void **state)
{
	/* set by the group's setup before the worker started */
	shell(*state, "test -z \"$FLOW_STALE\"", END_EXIT, 0);
}

static void process_starts_clean(void **state)
{
	struct client *c = *state;

	/* stdin at its end, own session, no other descriptor, nothing ignored or blocked */
	shell(c, "if read x; then exit 9; fi", END_EXIT, 0);
	shell(c, "test \"$(ps -o sid= -p $$ | tr -d ' ')\" = $$", END_EXIT, 0);
	shell(c, "exec ls /proc/self/fd", END_EXIT, 0);
	assert_string_equal(client_log(c), "0\n1\n2\n3\n"); /* 3 is the folder itself */
	client_clear(c);
	shell(c, "exec grep -E '^Sig(Blk|Ign|Pnd)' /proc/self/status", END_EXIT, 0);
	assert_non_null(strstr(client_log(c), "SigBlk:\t0000000000000000"));
	assert_non_null(strstr(client_log(c), "SigIgn:\t0000000000000000"));
}

static void cwd_is_entered(void **state)
{
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_SHELL);

	s.cwd = "work";
	s.text = "basename \"$PWD\"; test -d \"$FLOW_TMPDIR\"";
	assert_int_equal(client_run(c, &s).value, 0);
	assert_string_equal(client_log(c), "work\n");
}

static void both_outputs_are_appended_to_the_log(void **state)
{
	struct client *c = *state;

	shell(c, "echo one; echo two >&2; printf 'a\\000b\\377'", END_EXIT, 0);
	(void)client_log(c);
	assert_int_equal(c->text.len, 12);
	assert_memory_equal(c->text.data, "one\ntwo\na\0b\xff", 12);
	shell(c, "echo three", END_EXIT, 0);
	(void)client_log(c);
	assert_memory_equal(c->text.data + 12, "three\n", 6);
}

static void assert_gone(const char *token)
{
	int ms;

	for (ms = 0; ms < 2000 && client_bearers(token) > 0; ms += 5)
		client_pause(5);
	assert_int_equal(client_bearers(token), 0);
}

/* Run a command that leaves processes behind: it ends at once, they are counted and gone. */
static void leaves(struct client *c, const char *text, uint32_t strays)
{
	struct wire_start s = client_task(c, WIRE_SHELL);
	struct wire_ended ended;
	struct timespec before, after;

	s.text = text;
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	ended = client_run(c, &s);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(ended.end, END_EXIT);
	assert_int_equal(ended.value, 5);
	assert_int_equal(client_bearers(c->token), 0);
	assert_true(after.tv_sec - before.tv_sec < 20);
	if (ended.strays != strays)
		fail_msg("`%s` left %u, counted %u", text, strays, ended.strays);
}

static void nothing_outlives_its_attempt(void **state)
{
	leaves(*state, "sleep 300 & exit 5", 1);
	leaves(*state, "setsid sleep 300 & sleep 0.05; exit 5", 1);
	leaves(*state, "(setsid sh -c 'sleep 300 & sleep 301 & wait' &) ; sleep 0.1; exit 5", 3);
	leaves(*state, "(trap '' TERM INT HUP; setsid sleep 300 &) ; sleep 0.05; exit 5", 1);
	leaves(*state, "sh -c 'kill -STOP $$' & sleep 0.05; exit 5", 1);
}

static void strays_without_marker_are_found_by_session(void **state)
{
	leaves(*state, "(env -i sleep 300 &) ; sleep 0.05; exit 5", 1);
}

static void strays_that_nobody_claims_go_with_the_last_attempt(void **state)
{
	leaves(*state, "(env -i setsid sleep 300 &) ; sleep 0.05; exit 5", 1);
}

static void orphans_of_a_running_attempt_live_on(void **state)
{
	struct client *c = *state;
	struct wire_start first = client_task(c, WIRE_SHELL), second;
	char token[64];
	struct wire_ended ended;

	memcpy(token, c->token, sizeof token);
	first.token = token;
	first.text = "(setsid sleep 300 &) ; echo up; sleep 300";
	client_start(c, &first);
	client_await(c, "up");
	second = client_task(c, WIRE_SHELL);
	second.text = "(setsid sleep 300 &) ; sleep 0.05; exit 5";
	ended = client_run(c, &second);
	assert_int_equal(ended.strays, 1);
	assert_int_equal(client_bearers(c->token), 0);
	assert_int_equal(client_bearers(token), 3);
	client_signal(c, first.id, SIGKILL);
	ended = client_wait(c);
	assert_int_equal(ended.id, first.id);
	assert_int_equal(ended.end, END_SIGNAL);
	assert_int_equal(ended.value, SIGKILL);
	assert_int_equal(client_bearers(token), 0);
}

/* While it becomes another program nobody can see whose a process is: the attempt waits until that is known. */
static void stray_that_becomes_another_is_waited_for(void **state)
{
	struct client *c = *state;
	struct wire_start first = client_task(c, WIRE_SHELL), second;
	char token[64], text[300], self[200];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	unsigned i, missed = 0;

	assert_true(len > 0);
	self[len] = '\0';
	memcpy(token, c->token, sizeof token);
	first.token = token;
	first.text = "echo up; sleep 300";
	client_start(c, &first);
	client_await(c, "up");
	for (i = 0; i < 40; i++) {
		second = client_task(c, WIRE_SHELL);
		(void)snprintf(text, sizeof text, "(setsid '%s' again &) ; sleep 0.03; exit 5", self);
		second.text = text;
		missed += client_run(c, &second).strays != 1 || client_bearers(c->token) != 0;
	}
	assert_int_equal(missed, 0);
	client_signal(c, first.id, SIGKILL);
	assert_int_equal(client_wait(c).id, first.id);
}

static void signals_reach_the_whole_group(void **state)
{
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_SHELL);
	struct wire_ended ended;

	s.text = "trap 'echo caught; exit 7' TERM; echo ready; sleep 300 & wait";
	client_start(c, &s);
	client_await(c, "ready");
	client_signal(c, 999, SIGTERM); /* nobody's */
	client_signal(c, s.id, SIGTERM);
	ended = client_wait(c);
	assert_int_equal(ended.end, END_EXIT);
	assert_int_equal(ended.value, 7);
	assert_logged(c, "caught");
	assert_gone(c->token);
}

static void kill_works_on_what_ignores_all_else(void **state)
{
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_SHELL);
	struct wire_ended ended;

	s.text = "trap '' TERM INT HUP; echo ready; kill -STOP $$; sleep 300";
	client_start(c, &s);
	client_await(c, "ready");
	client_signal(c, s.id, SIGTERM);
	client_signal(c, s.id, SIGKILL);
	ended = client_wait(c);
	assert_int_equal(ended.end, END_SIGNAL);
	assert_int_equal(ended.value, SIGKILL);
}

static void stopped_attempt_hears_that_it_shall_end(void **state)
{
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_SHELL);
	struct wire_ended ended;

	s.text = "trap 'exit 7' TERM; echo ready; kill -STOP $$; sleep 300 & wait";
	client_start(c, &s);
	client_await(c, "ready");
	client_pause(50);
	client_signal(c, s.id, SIGTERM);
	ended = client_wait(c);
	assert_int_equal(ended.end, END_EXIT);
	assert_int_equal(ended.value, 7);
}

static void usage_is_measured(void **state)
{
	struct client *c = *state;
	struct wire_start s = client_task(c, WIRE_SHELL);
	struct wire_ended ended;

	s.text = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
	ended = client_run(c, &s);
	assert_true(ended.user_us + ended.system_us > 10000);
	assert_true(ended.peak_rss_kib > 100);
}

static void many_at_a_time_all_come_back(void **state)
{
	struct client *c = *state;
	char token[64];
	uint32_t i, seen = 0;

	for (i = 0; i < 200; i++) {
		struct wire_start s = client_task(c, WIRE_SHELL);

		s.text = i % 2 == 0 ? "exit 3" : "sleep 300 & (setsid sleep 300 &); exit 3";
		client_start(c, &s);
		memcpy(token, c->token, sizeof token);
	}
	for (i = 0; i < 200; i++) {
		struct wire_ended ended = client_wait(c);

		assert_int_equal(ended.end, END_EXIT);
		assert_int_equal(ended.value, 3);
		seen += ended.strays;
	}
	assert_true(seen >= 100);
	assert_gone(token);
}

static void zombie_flood_is_reaped(void **state)
{
	shell(*state, "i=0; while [ $i -lt 500 ]; do (sh -c 'true &' &); i=$((i+1)); done; exit 0",
		END_EXIT, 0);
}

static void hanging_up_kills_everything(void **state)
{
	struct client c;
	struct wire_start s;
	char first[64];

	(void)state;
	client_open(&c);
	s = client_task(&c, WIRE_SHELL);
	memcpy(first, c.token, sizeof first);
	s.token = first;
	s.text = "trap '' TERM HUP; setsid sleep 300 & (setsid setsid sleep 300 &); echo one; "
		 "sleep 300";
	client_start(&c, &s);
	s = client_task(&c, WIRE_PLUGIN);
	s.uses = client_plugin("stubborn");
	client_start(&c, &s);
	client_await(&c, "one");
	client_await(&c, "stubborn");
	assert_true(client_bearers(first) > 0);
	assert_int_equal(client_close(&c), 0);
	assert_int_equal(client_bearers(first), 0);
	assert_int_equal(client_bearers(c.token), 0);
}

static void damaged_message_ends_the_worker(void **state)
{
	struct client c;
	struct buf b = { 0 };

	(void)state;
	client_open(&c);
	buf_str(&b, "this is no message");
	client_send(&c, &b, -1);
	buf_release(&b);
	assert_int_equal(client_close(&c), 0);
}

static void stale(void)
{
	(void)setenv("FLOW_STALE", "1", 1);
}

int main(int argc, char **argv)
{
#define WITH_WORKER(test) cmocka_unit_test_setup_teardown(test, client_setup, client_teardown)
	const struct CMUnitTest tests[] = {
		WITH_WORKER(exit_codes_come_back_exactly),
		WITH_WORKER(deadly_signals_come_back_exactly),
		WITH_WORKER(words_reach_argv_byte_for_byte),
		WITH_WORKER(what_cannot_start_says_why),
		WITH_WORKER(too_large_an_environment_says_so),
		WITH_WORKER(script_without_interpreter_runs_in_sh),
		WITH_WORKER(environment_keeps_the_contract),
		WITH_WORKER(stale_flow_variables_do_not_leak),
		WITH_WORKER(process_starts_clean),
		WITH_WORKER(cwd_is_entered),
		WITH_WORKER(both_outputs_are_appended_to_the_log),
		WITH_WORKER(nothing_outlives_its_attempt),
		WITH_WORKER(strays_without_marker_are_found_by_session),
		WITH_WORKER(strays_that_nobody_claims_go_with_the_last_attempt),
		WITH_WORKER(orphans_of_a_running_attempt_live_on),
		WITH_WORKER(stray_that_becomes_another_is_waited_for),
		WITH_WORKER(signals_reach_the_whole_group),
		WITH_WORKER(kill_works_on_what_ignores_all_else),
		WITH_WORKER(stopped_attempt_hears_that_it_shall_end),
		WITH_WORKER(usage_is_measured),
		WITH_WORKER(many_at_a_time_all_come_back),
		WITH_WORKER(zombie_flood_is_reaped),
		cmocka_unit_test(hanging_up_kills_everything),
		cmocka_unit_test(damaged_message_ends_the_worker),
	};

	if (argc == 2) /* becomes itself, again and again */
		return execve("/proc/self/exe", argv, environ);
	stale();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
