#include "../support/folder.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "store/project.h"

static struct folder f;

static int setup(void **state)
{
	(void)state;
	folder_open(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	folder_close(&f);
	return 0;
}

static void writer_makes_what_it_needs(void **state)
{
	static const char *const folders[] = { ".flow", ".flow/objects", ".flow/objects/tmp", ".flow/quarantine",
		".flow/logs", ".flow/runs", ".flow/work" };
	struct project p;
	struct err e;
	size_t i;

	(void)state;
	GOOD(project_open(&p, f.path, PROJECT_WRITE, &e));
	for (i = 0; i < sizeof folders / sizeof *folders; i++) {
		assert_true(S_ISDIR(folder_stat(&f, folders[i]).st_mode));
		assert_int_equal(folder_mode(&f, folders[i]), 0700);
	}
	assert_string_equal(folder_text(&f, ".flow/.gitignore"), "*\n");
	assert_int_equal(p.root[0], '/');
	assert_true(fcntl(p.lock_fd, F_GETFD) & FD_CLOEXEC);
	project_close(&p);
	project_close(&p); /* once is enough, twice does no harm */
	assert_null(p.root);
}

static void half_made_folder_is_completed(void **state)
{
	struct project p;
	struct err e;

	(void)state;
	folder_make_one(&f, ".flow/objects");
	GOOD(project_open(&p, f.path, PROJECT_WRITE, &e));
	assert_true(S_ISDIR(folder_stat(&f, ".flow/work").st_mode));
	project_close(&p);
}

static void reader_creates_nothing(void **state)
{
	struct project p, writer;
	struct err e;

	(void)state;
	assert_int_equal(project_open(&p, f.path, PROJECT_READ, &e), ERR_NOTFOUND);
	assert_false(file_exists(f.fd, ".flow"));
	GOOD(project_open(&writer, f.path, PROJECT_WRITE, &e));
	GOOD(project_open(&p, f.path, PROJECT_READ, &e)); /* beside a writer */
	assert_int_equal(p.lock_fd, -1);
	project_close(&p);
	project_close(&writer);
}

static void second_writer_is_told_who_the_first_is(void **state)
{
	struct project first, second;
	char pid[32];
	struct err e;

	(void)state;
	GOOD(project_open(&first, f.path, PROJECT_WRITE, &e));
	assert_int_equal(project_open(&second, f.path, PROJECT_WRITE, &e), ERR_BUSY);
	assert_string_equal(e.id, "E0506");
	(void)snprintf(pid, sizeof pid, ": process %ld", (long)getpid());
	assert_non_null(strstr(e.text, pid));
	assert_non_null(strstr(e.hint, "nothing has to be unlocked"));
	project_close(&first);
	GOOD(project_open(&second, f.path, PROJECT_WRITE, &e));
	project_close(&second);
}

/* A child between fork and exec has the descriptor a moment longer than the writer that was killed. */
static void lock_of_a_dead_writer_is_waited_for(void **state)
{
	struct project p;
	struct err e;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		if (project_open(&p, f.path, PROJECT_WRITE, &e) < 0)
			_exit(1);
		if (fork() == 0)
			folder_pause(300);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	GOOD(project_open(&p, f.path, PROJECT_WRITE, &e));
	project_close(&p);
}

/* A writer in another process; returns when it holds the lock. */
static pid_t writer_process(int *ends)
{
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct project p;
		struct err e;
		pid_t heir;

		if (project_open(&p, f.path, PROJECT_WRITE, &e) < 0)
			_exit(1);
		heir = fork(); /* what it starts does not keep the lock: the descriptor closes at exec */
		if (heir == 0) {
			(void)execl("/bin/sleep", "sleep", "20", (char *)NULL);
			_exit(2);
		}
		(void)!write(ends[1], &heir, sizeof heir);
		for (;;)
			(void)pause();
	}
	(void)close(ends[1]);
	return child;
}

static void lock_goes_with_the_process(void **state)
{
	struct project p;
	int ends[2], i, rc;
	pid_t child, heir = 0;
	struct err e;

	(void)state;
	child = writer_process(ends);
	assert_int_equal(read(ends[0], &heir, sizeof heir), sizeof heir);
	assert_int_equal(project_open(&p, f.path, PROJECT_WRITE, &e), ERR_BUSY);
	(void)kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(kill(heir, 0), 0); /* still there, and no trouble once it is a program of its own */
	for (i = 0; (rc = project_open(&p, f.path, PROJECT_WRITE, &e)) == ERR_BUSY && i < 1000; i++)
		folder_pause(2);
	GOOD(rc);
	project_close(&p);
	(void)kill(heir, SIGKILL);
	(void)close(ends[0]);
}

static void garbage_in_the_lock_file_is_no_trouble(void **state)
{
	struct project first, second;
	struct buf text = { 0 };
	struct err e;

	(void)state;
	GOOD(project_open(&first, f.path, PROJECT_WRITE, &e));
	buf_repeat(&text, 'x', 5000);
	folder_write(&f, ".flow/writer.lock", buf_text(&text));
	assert_int_equal(project_open(&second, f.path, PROJECT_WRITE, &e), ERR_BUSY);
	folder_write(&f, ".flow/writer.lock", "");
	assert_int_equal(project_open(&second, f.path, PROJECT_WRITE, &e), ERR_BUSY);
	assert_null(strstr(e.text, "process"));
	project_close(&first);
	buf_release(&text);
}

static void folders_that_will_not_do(void **state)
{
	struct project p;
	char path[300];
	struct err e;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/nothing", f.path);
	assert_int_equal(project_open(&p, path, PROJECT_WRITE, &e), ERR_SYSTEM);
	assert_non_null(strstr(e.text, "cannot open folder"));
	folder_write(&f, "file", "");
	(void)snprintf(path, sizeof path, "%s/file", f.path);
	assert_int_equal(project_open(&p, path, PROJECT_READ, &e), ERR_SYSTEM);
	folder_write(&f, ".flow", "a file");
	assert_int_equal(project_open(&p, f.path, PROJECT_WRITE, &e), ERR_SYSTEM);
	assert_int_equal(e.sys, ENOTDIR);
	assert_int_equal(unlinkat(f.fd, ".flow", 0), 0);
	folder_make_one(&f, ".flow");
	assert_int_equal(symlinkat("/etc/passwd", f.fd, ".flow/writer.lock"), 0);
	assert_int_equal(project_open(&p, f.path, PROJECT_WRITE, &e), ERR_SYSTEM);
}

static void somebody_elses_folder_is_refused(void **state)
{
	struct project p;
	struct err e;

	(void)state;
	if (geteuid() != 0)
		skip();
	folder_make_one(&f, ".flow");
	assert_int_equal(fchownat(f.fd, ".flow", 12345, 12345, 0), 0);
	assert_int_equal(project_open(&p, f.path, PROJECT_WRITE, &e), ERR_POLICY);
	assert_string_equal(e.id, "E0508");
	assert_non_null(strstr(e.text, "uid 12345"));
}

static void renamed_project_goes_on(void **state)
{
	struct project p;
	char other[300];
	struct err e;

	(void)state;
	GOOD(project_open(&p, f.path, PROJECT_WRITE, &e));
	(void)snprintf(other, sizeof other, "%s-renamed", f.path);
	assert_int_equal(rename(f.path, other), 0);
	assert_true(file_exists(p.flow_fd, ".gitignore"));
	assert_int_equal(rename(other, f.path), 0);
	project_close(&p);
}

static void boot_has_a_name(void **state)
{
	char one[37], two[37];

	(void)state;
	assert_int_equal(strlen(boot_id(one)), 36);
	assert_string_equal(one, boot_id(two));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(writer_makes_what_it_needs),
		TEST(half_made_folder_is_completed),
		TEST(reader_creates_nothing),
		TEST(second_writer_is_told_who_the_first_is),
		TEST(lock_goes_with_the_process),
		TEST(lock_of_a_dead_writer_is_waited_for),
		TEST(garbage_in_the_lock_file_is_no_trouble),
		TEST(folders_that_will_not_do),
		TEST(somebody_elses_folder_is_refused),
		TEST(renamed_project_goes_on),
		cmocka_unit_test(boot_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
