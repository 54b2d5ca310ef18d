/* The local executor with a real flow-worker. */
#include "../support/folder.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "run/exec.h"

#define CROWD 500

static struct folder f;
static struct exec x;
static char worker[4096], run[64], token[96];
static int log_fd;
static uint64_t next;

static void open_worker(void)
{
	struct exec_options options = { worker, f.path, run, NULL };
	struct err e;

	GOOD(exec_open(&x, &options, &e));
	GOOD(exec_slot(&x, 0, log_fd, &e));
}

static int setup(void **state)
{
	static unsigned serial;

	(void)state;
	folder_open(&f);
	(void)snprintf(run, sizeof run, "test-exec-%ld-%u", (long)getpid(), serial++);
	log_fd = openat(f.fd, "log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	folder_make_one(&f, "work");
	open_worker();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	exec_close(&x);
	(void)close(log_fd);
	folder_close(&f);
	return exec_sweep(run, 2000) == 0 ? 0 : -1;
}

static uint64_t submit(enum wire_stage stage, const char *text, const char *const *argv, uint32_t count)
{
	struct wire_start s = { .id = ++next,
		.stage = stage,
		.cwd = "",
		.text = text,
		.uses = "",
		.entry = "",
		.with = "{}",
		.params = "{}",
		.task = "t",
		.run_id = run,
		.workdir = "work",
		.report = "work/report",
		.checkpoint = "",
		.attempt = 1,
		.threads = 1 };
	struct err e;

	s.argv.items = argv;
	s.argv.count = count;
	(void)snprintf(token, sizeof token, "%s.%llu", run, (unsigned long long)next);
	s.token = token;
	GOOD(exec_submit(&x, &s, &e));
	return next;
}

/* The next end; negative: the error. */
static int wait_end(struct wire_ended *ended, struct err *e)
{
	struct pollfd ready = { .fd = x.sock, .events = POLLIN };
	int rc;

	while ((rc = exec_next(&x, ended, e)) == 0)
		assert_int_equal(poll(&ready, 1, 20000), 1);
	return rc;
}

static struct wire_ended run_shell(const char *text)
{
	struct wire_ended ended = { 0 };
	struct err e;
	uint64_t id = submit(WIRE_SHELL, text, NULL, 0);

	GOOD(wait_end(&ended, &e));
	assert_int_equal(ended.id, id);
	return ended;
}

static void await_log(const char *text)
{
	int i;

	for (i = 0; i < 2000 && strstr(folder_text(&f, "log"), text) == NULL; i++)
		folder_pause(2);
	if (strstr(folder_text(&f, "log"), text) == NULL)
		fail_msg("`%s` did not come", text);
}

/* Processes whose environment has that text. */
static unsigned bearers(const char *text)
{
	char command[300];
	unsigned count = 999;
	FILE *pipe;

	(void)snprintf(command, sizeof command, "grep -lsazF -- '%s' /proc/[0-9]*/environ 2>/dev/null | wc -l", text);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%u", &count), 1);
	(void)pclose(pipe);
	return count;
}

static void command_and_shell_run(void **state)
{
	static const char *const yes[] = { "true" };
	struct wire_ended ended;
	struct err e;

	(void)state;
	(void)submit(WIRE_COMMAND, "", yes, 1);
	GOOD(wait_end(&ended, &e));
	assert_true(ended.end == END_EXIT && ended.value == 0);
	ended = run_shell("echo hello; exit 3");
	assert_true(ended.end == END_EXIT && ended.value == 3);
	assert_string_equal(folder_text(&f, "log"), "hello\n");
	ended = run_shell("pwd > here");
	assert_int_equal(strncmp(folder_text(&f, "here"), f.path, strlen(f.path)), 0);
}

static void nothing_yet_is_no_end(void **state)
{
	struct wire_ended ended;
	struct err e;

	(void)state;
	assert_int_equal(exec_next(&x, &ended, &e), 0);
	(void)submit(WIRE_SHELL, "sleep 0.05", NULL, 0);
	assert_int_equal(exec_next(&x, &ended, &e), 0);
	GOOD(wait_end(&ended, &e));
}

static void signal_reaches_the_attempt(void **state)
{
	struct wire_ended ended;
	uint64_t id = submit(WIRE_SHELL, "echo up; exec sleep 100", NULL, 0);
	struct err e;

	(void)state;
	await_log("up");
	GOOD(exec_signal(&x, id, SIGTERM, &e));
	GOOD(wait_end(&ended, &e));
	assert_true(ended.end == END_SIGNAL && ended.value == SIGTERM);
}

static void attempt_bears_both_marks(void **state)
{
	char line[200];

	(void)state;
	(void)run_shell("env");
	(void)snprintf(line, sizeof line, "FLOW_ATTEMPT=%s\n", token);
	assert_non_null(strstr(folder_text(&f, "log"), line));
}

static void dead_worker_is_noticed_and_its_children_swept(void **state)
{
	struct wire_ended ended;
	struct err e;

	(void)state;
	(void)submit(WIRE_SHELL, "trap '' TERM INT HUP; (setsid sleep 300 &); sleep 301 & echo up; wait", NULL, 0);
	await_log("up");
	assert_true(bearers(run) >= 3);
	assert_int_equal(kill(x.pid, SIGKILL), 0);
	assert_int_equal(wait_end(&ended, &e), ERR_CANCELED);
	exec_close(&x);
	assert_int_equal(exec_sweep(run, 5000), 0);
	assert_int_equal(bearers(run), 0);
	open_worker(); /* and on it goes */
	assert_int_equal(run_shell("exit 0").value, 0);
}

/* A stopped process does not answer, but it can be killed. */
static void closing_kills_what_runs(void **state)
{
	(void)state;
	(void)submit(WIRE_SHELL, "trap '' TERM INT HUP; (setsid sleep 300 &); echo up; kill -STOP $$", NULL, 0);
	await_log("up");
	exec_close(&x);
	assert_int_equal(x.sock, -1);
	assert_int_equal(bearers(run), 0);
	exec_close(&x);
}

static void sweep_spares_other_runs(void **state)
{
	char other[64];
	pid_t child = fork();
	int i, status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		(void)snprintf(other, sizeof other, "FLOW_ATTEMPT=another-%ld.1", (long)getppid());
		(void)execl("/usr/bin/env", "env", other, "sleep", "100", (char *)NULL);
		_exit(1);
	}
	(void)snprintf(other, sizeof other, "another-%ld", (long)getpid());
	for (i = 0; i < 1000 && bearers(other) == 0; i++)
		folder_pause(2);
	assert_int_equal(exec_sweep("another", 0), 0); /* the beginning of its name is not its name */
	other[0] = 'A';
	assert_int_equal(exec_sweep(other, 0), 0); /* nor is one as long */
	other[0] = 'a';
	assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
	assert_int_equal(exec_sweep(other, 5000), 0);
	/* Killed; and reaped, unless it was still on its way out when the sweep had seen all. */
	i = waitpid(child, &status, 0);
	if (i == -1)
		assert_int_equal(errno, ECHILD);
	else
		assert_true(i == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Processes that make each look of a sweep long; they end with this one. */
static void crowd(pid_t *pids, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				(void)pause();
		}
	}
}

static void disperse(const pid_t *pids, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		(void)kill(pids[i], SIGKILL);
	for (i = 0; i < count; i++)
		(void)waitpid(pids[i], NULL, 0);
}

/* While a process becomes another program its environment cannot be read for a moment: then it is not free of the mark. */
static void process_that_becomes_another_is_found(void **state)
{
	pid_t others[CROWD];
	char mark[64];
	char *words[] = { (char *)(uintptr_t) "test_exec", (char *)(uintptr_t) "again", NULL }, *environment[] = { mark, NULL };
	int i, wait, missed = 0;

	(void)state;
	crowd(others, CROWD);
	for (i = 0; i < 50; i++) {
		pid_t child;

		(void)snprintf(mark, sizeof mark, "FLOW_ATTEMPT=becomes-%ld-%d.1", (long)getpid(), i);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			(void)execve("/proc/self/exe", words, environment);
			_exit(1);
		}
		(void)snprintf(mark, sizeof mark, "becomes-%ld-%d", (long)getpid(), i);
		for (wait = 0; wait < 1000 && bearers(mark) == 0; wait++)
			folder_pause(1);
		(void)exec_sweep(mark, 5000);
		for (wait = 0; wait < 100 && waitpid(child, NULL, WNOHANG) == 0; wait++)
			folder_pause(1);
		if (wait == 100) {
			missed++;
			(void)kill(child, SIGKILL);
			(void)waitpid(child, NULL, 0);
		}
	}
	disperse(others, CROWD);
	assert_int_equal(missed, 0);
}

/* Lives for a moment, and its child after it, for some seconds: whoever asks for those of a list finds them gone. */
static int comet(void)
{
	int64_t until = clock_mono_ms() + 5000;

	while (clock_mono_ms() < until) {
		pid_t child = fork();

		if (child != 0)
			_exit(child < 0);
	}
	return 0;
}

/* Is the other end held by nobody any more? */
static bool is_abandoned(int fd)
{
	struct pollfd end = { .fd = fd, .events = POLLIN };

	return poll(&end, 1, 500) == 1 && (end.revents & POLLHUP) != 0;
}

static void process_that_forks_away_is_found(void **state)
{
	char mark[64];
	char *words[] = { (char *)(uintptr_t) "test_exec", (char *)(uintptr_t) "comet", NULL }, *environment[] = { mark, NULL };
	int i, ends[2], missed = 0;

	(void)state;
	for (i = 0; i < 5; i++) {
		pid_t child;

		assert_int_equal(pipe(ends), 0);
		(void)snprintf(mark, sizeof mark, "FLOW_ATTEMPT=comet-%ld-%d.1", (long)getpid(), i);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			(void)execve("/proc/self/exe", words, environment);
			_exit(1);
		}
		(void)close(ends[1]);
		assert_int_equal(waitpid(child, NULL, 0), child); /* the first of them is over */
		(void)snprintf(mark, sizeof mark, "comet-%ld-%d", (long)getpid(), i);
		assert_int_equal(exec_sweep(mark, 4000), 0);
		missed += !is_abandoned(ends[0]);
		(void)close(ends[0]);
	}
	assert_int_equal(missed, 0);
}

static void large_start_goes_through(void **state)
{
	struct buf text = { 0 };
	struct wire_ended ended;

	(void)state;
	buf_str(&text, "true '");
	buf_repeat(&text, 'x', 100000);
	buf_str(&text, "'; exit 7");
	ended = run_shell(buf_text(&text));
	assert_true(ended.end == END_EXIT && ended.value == 7);
	buf_release(&text);
}

static void worker_that_is_not_there(void **state)
{
	struct exec_options options = { "/nonexistent/flow-worker", f.path, run, NULL };
	struct exec other;
	struct err e;

	(void)state;
	assert_int_equal(exec_open(&other, &options, &e), ERR_SYSTEM);
	assert_string_equal(e.id, "E0510");
	assert_int_equal(e.sys, ENOENT);
	assert_true(other.sock == -1 && other.pid == -1);
	exec_close(&other);
}

/* flow was started with its standard input closed: the worker's end of the socket comes to be descriptor 3 itself. */
static void worker_starts_whatever_descriptors_are_free(void **state)
{
	int saved[4], i;

	(void)state;
	exec_close(&x);
	for (i = 0; i < 4; i += 3) {
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
		(void)close(i);
	}
	open_worker();
	assert_int_equal(run_shell("exit 5").value, 5);
	exec_close(&x);
	for (i = 0; i < 4; i += 3) {
		if (saved[i] >= 0) {
			(void)dup2(saved[i], i);
			(void)close(saved[i]);
		}
	}
}

static void many_at_once_all_end(void **state)
{
	struct wire_ended ended;
	struct err e;
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		(void)submit(WIRE_SHELL, "exit 2", NULL, 0);
	for (i = 0; i < 100; i++) {
		GOOD(wait_end(&ended, &e));
		assert_int_equal(ended.value, 2);
	}
	assert_int_equal(exec_next(&x, &ended, &e), 0);
}

static int reap(void **state)
{
	(void)state;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(command_and_shell_run),
		TEST(nothing_yet_is_no_end),
		TEST(signal_reaches_the_attempt),
		TEST(attempt_bears_both_marks),
		TEST(dead_worker_is_noticed_and_its_children_swept),
		TEST(closing_kills_what_runs),
		TEST(sweep_spares_other_runs),
		TEST(process_that_becomes_another_is_found),
		TEST(process_that_forks_away_is_found),
		TEST(large_start_goes_through),
		TEST(worker_that_is_not_there),
		TEST(worker_starts_whatever_descriptors_are_free),
		TEST(many_at_once_all_end),
	};
	const char *path = getenv("FLOW_WORKER");

	if (argc == 2 && strcmp(argv[1], "comet") == 0)
		return comet();
	if (argc == 2) /* becomes itself, again and again */
		return execve("/proc/self/exe", argv, environ);
	(void)snprintf(worker, sizeof worker, "%s", path != NULL ? path : "./flow-worker");
	return cmocka_run_group_tests(tests, NULL, reap);
}
