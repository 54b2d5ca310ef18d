#include "../support/folder.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "store/source.h"

static struct folder f;
static struct arena a;
static struct source_answer answer;
static char helper[4096];
static bool has_git;
static const char *asked; /* questions */
static size_t asked_len;

/* Run a command line in the temporary folder. */
static void run(const char *text)
{
	char command[2000];

	(void)snprintf(command, sizeof command,
		"cd %s && export HOME=%s GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b "
		"GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b; { %s; } >/dev/null 2>&1",
		f.path, f.path, text);
	if (system(command) != 0)
		fail_msg("%s", text);
}

static int ask(const char *program, const char *root, int wait_first_ms, struct err *e)
{
	struct source s;
	struct pollfd ready;
	int rc = source_ask(&s, program, root, asked, asked_len, e);

	if (rc < 0)
		return rc;
	folder_pause(wait_first_ms);
	source_answer_release(&answer);
	while ((rc = source_read(&s, &answer, &a, e)) == 0) {
		ready = (struct pollfd){ .fd = s.fd, .events = POLLIN };
		assert_int_equal(poll(&ready, 1, 20000), 1);
	}
	source_close(&s);
	source_close(&s);
	return rc;
}

static void ask_good(const char *below)
{
	char root[400];
	struct err e;

	(void)snprintf(root, sizeof root, "%s%s", f.path, below);
	GOOD(ask(helper, root, 0, &e));
}

static int setup(void **state)
{
	(void)state;
	folder_open(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	source_answer_release(&answer);
	asked = NULL;
	asked_len = 0;
	arena_release(&a);
	folder_close(&f);
	return 0;
}

static void need_git(void)
{
	if (!has_git)
		skip();
}

/* A repository with one commit of `x`, on branch main. */
static void make_repository(void)
{
	need_git();
	folder_write(&f, "x", "one\n");
	run("git init -q -b main . && git add x && git commit -q -m first");
}

static void no_repository_is_said_plainly(void **state)
{
	(void)state;
	ask_good("");
	assert_string_equal(answer.note, "not in a git repository");
	assert_string_equal(answer.commit, "");
	assert_int_equal(answer.patch_len, 0);
}

static void repository_without_a_commit(void **state)
{
	(void)state;
	need_git();
	run("git init -q .");
	ask_good("");
	assert_string_equal(answer.note, "the git repository has no commit yet");
	assert_string_equal(answer.commit, "");
}

static void clean_work_tree(void **state)
{
	(void)state;
	make_repository();
	ask_good("");
	assert_int_equal(strlen(answer.commit), 40);
	assert_string_equal(answer.branch, "main");
	assert_string_equal(answer.note, "");
	assert_int_equal(answer.dirty, 0);
	assert_int_equal(answer.patch_len, 0);
}

static void edit_is_in_the_patch(void **state)
{
	(void)state;
	make_repository();
	folder_write(&f, "x", "two\n");
	ask_good("");
	assert_int_equal(answer.dirty, 1);
	assert_non_null(strstr(answer.patch, "\n-one\n+two\n"));
	assert_int_equal(strlen(answer.patch), answer.patch_len);
}

static void staged_and_deleted_files_are_in_the_patch(void **state)
{
	(void)state;
	make_repository();
	folder_write(&f, "new", "staged\n");
	run("git add new && rm x");
	ask_good("");
	assert_int_equal(answer.dirty, 2);
	assert_non_null(strstr(answer.patch, "+staged"));
	assert_non_null(strstr(answer.patch, "-one"));
}

/* What is recorded is enough to make the work tree again from the commit. */
static void patch_can_be_applied(void **state)
{
	(void)state;
	make_repository();
	folder_write_bytes(&f, "bin", "a\0b\xff", 4);
	run("git add bin && git commit -q -m second");
	folder_write_bytes(&f, "bin", "c\0d\xfe\x01", 5);
	folder_write(&f, "x", "one\ntwo without an end");
	ask_good("");
	assert_int_equal(answer.dirty, 2);
	folder_write_bytes(&f, "../patch.tmp", answer.patch, answer.patch_len);
	run("git checkout -q . && git apply ../patch.tmp && rm ../patch.tmp");
	assert_string_equal(folder_text(&f, "x"), "one\ntwo without an end");
	(void)folder_text(&f, "bin");
	assert_int_equal(f.text.len, 5);
	assert_memory_equal(f.text.data, "c\0d\xfe\x01", 5);
}

static void untracked_files_are_in_the_patch(void **state)
{
	(void)state;
	make_repository();
	folder_write(&f, "new", "fresh\n");
	ask_good("");
	assert_int_equal(answer.dirty, 1);
	assert_non_null(strstr(answer.patch, "+fresh"));
	assert_int_equal(answer.changed.count, 1);
	assert_string_equal(answer.changed.items[0], "new");
}

/* Is a path among those listed? */
static bool lists(const struct source_paths *paths, const char *path)
{
	size_t i;

	for (i = 0; i < paths->count; i++)
		if (strcmp(paths->items[i], path) == 0)
			return true;
	return false;
}

static void what_tasks_make_stays_out_and_what_git_lacks_is_named(void **state)
{
	static const char questions[] = "oout\0ofolder\0draw\0dx\0dlarge\0dsecret\0dfolder/in";
	struct buf large = { 0 };

	(void)state;
	make_repository();
	folder_write(&f, ".git/info/exclude", "raw\nsecret\n");
	folder_write(&f, "raw/a", "1");
	folder_write(&f, "raw/deep/b", "2");
	folder_write(&f, "secret", "3");
	folder_write(&f, "out", "made");
	folder_write(&f, "folder/in", "made");
	folder_write(&f, "x", "two\n");
	buf_repeat(&large, 'x', (1 << 20) + 1);
	folder_write(&f, "large", buf_text(&large));
	buf_release(&large);
	asked = questions;
	asked_len = sizeof questions;
	ask_good("");
	assert_true(lists(&answer.changed, "x"));
	assert_int_equal(answer.changed.count, 1);
	assert_null(strstr(answer.patch, "made"));
	assert_true(lists(&answer.loose, "raw/a") && lists(&answer.loose, "raw/deep/b"));
	assert_true(lists(&answer.loose, "secret") && lists(&answer.loose, "large"));
	assert_int_equal(answer.loose.count, 4);
}

static void files_that_are_gone_are_named(void **state)
{
	(void)state;
	make_repository();
	folder_write(&f, "p/y", "1");
	run("git add p && git commit -q -m second && rm p/y && mv x z");
	ask_good("");
	assert_true(lists(&answer.gone, "p/y") && lists(&answer.gone, "x"));
	assert_true(lists(&answer.changed, "z"));
	folder_write(&f, "p/w", "1");
	ask_good("/p"); /* paths are the project's */
	assert_true(lists(&answer.gone, "y") && lists(&answer.changed, "w"));
	assert_int_equal(answer.gone.count + answer.changed.count, 2);
}

static const char *head(void)
{
	static char text[41];

	run("git rev-parse HEAD > ../flow-head.tmp && mv ../flow-head.tmp .git/flow-head");
	(void)snprintf(text, sizeof text, "%.40s", folder_text(&f, ".git/flow-head"));
	return text;
}

/* Into f.path/.git/scratch: git does not look there. */
static int check_out(const char *below, const char *commit, struct source_place *place, struct err *e)
{
	char root[400], to[400];

	(void)snprintf(root, sizeof root, "%s%s", f.path, below);
	(void)snprintf(to, sizeof to, "%s/.git/scratch", f.path);
	return source_checkout(helper, root, commit, to, &a, place, e);
}

static void commit_is_checked_out_elsewhere(void **state)
{
	struct source_place place;
	char commit[41];
	struct err e;

	(void)state;
	make_repository();
	folder_write(&f, "p/y", "1");
	run("git add p && git commit -q -m second");
	(void)snprintf(commit, sizeof commit, "%s", head());
	run("git rm -q x && git commit -q -m third && echo dirty > p/y");
	GOOD(check_out("/p", commit, &place, &e));
	assert_string_equal(place.folder, "p");
	assert_string_equal(place.submodules, "");
	assert_string_equal(folder_text(&f, ".git/scratch/x"), "one\n");
	assert_string_equal(folder_text(&f, ".git/scratch/p/y"), "1");
	assert_string_equal(folder_text(&f, "p/y"), "dirty\n");
	run("test $(git -C .git/scratch rev-parse HEAD) = $(git rev-parse HEAD~1)");
	run("test -z \"$(git worktree list | sed 1d)\" && test ! -e .git/worktrees");
}

static void commit_that_is_not_there_is_said(void **state)
{
	struct source_place place;
	struct source_log log;
	struct err e;

	(void)state;
	make_repository();
	assert_int_equal(check_out("", "0123456789012345678901234567890123456789", &place, &e), ERR_NOTFOUND);
	assert_string_equal(e.text, "commit 012345678901 is not in this repository any more: `git fetch` may bring it");
	assert_int_equal(check_out("", "x; rm -rf", &place, &e), ERR_NOTFOUND);
	assert_int_equal(source_log(helper, f.path, head(), "0123456789012345678901234567890123456789", &a, &log, &e), ERR_NOTFOUND);
}

static void no_repository_cannot_be_checked_out(void **state)
{
	struct source_place place;
	struct err e;

	(void)state;
	assert_int_equal(check_out("", "0123456789012345678901234567890123456789", &place, &e), ERR_NOTFOUND);
	assert_string_equal(e.text, "not in a git repository");
}

static void log_names_commits_on_the_way_and_files(void **state)
{
	char first[41], last[41], side[41];
	struct source_log log;
	struct err e;

	(void)state;
	make_repository();
	(void)snprintf(first, sizeof first, "%s", head());
	run("echo two >> x && git commit -qam second && echo three >> x && git commit -qam third");
	(void)snprintf(last, sizeof last, "%s", head());
	GOOD(source_log(helper, f.path, first, last, &a, &log, &e));
	assert_string_equal(log.way, "forward");
	assert_int_equal(log.commits.count, 2);
	assert_string_equal(log.commits.items[0].summary, "second");
	assert_string_equal(log.commits.items[1].id, last);
	assert_int_equal(log.files.count, 1);
	assert_string_equal(log.files.items[0].path, "x");
	assert_int_equal(log.files.items[0].added, 2);
	GOOD(source_log(helper, f.path, last, first, &a, &log, &e));
	assert_string_equal(log.way, "back");
	assert_int_equal(log.commits.count, 2);
	assert_string_equal(log.commits.items[0].summary, "third");
	assert_string_equal(log.commits.items[1].summary, "second");
	GOOD(source_log(helper, f.path, last, last, &a, &log, &e));
	assert_string_equal(log.way, "same");
	run("git checkout -q -b side HEAD~1 && git commit -q --allow-empty -m aside");
	(void)snprintf(side, sizeof side, "%s", head());
	GOOD(source_log(helper, f.path, last, side, &a, &log, &e));
	assert_string_equal(log.way, "apart");
	assert_int_equal(log.commits.count, 0);
}

static void own_folder_and_ignored_files_do_not_count(void **state)
{
	(void)state;
	make_repository();
	folder_write(&f, ".flow/.gitignore", "*\n");
	folder_write(&f, ".flow/flow.db", "x");
	folder_write(&f, ".git/info/exclude", "ignored\n");
	folder_write(&f, "ignored", "x");
	ask_good("");
	assert_int_equal(answer.dirty, 0);
}

static void detached_head_has_no_branch(void **state)
{
	(void)state;
	make_repository();
	run("git checkout -q --detach");
	ask_good("");
	assert_int_equal(strlen(answer.commit), 40);
	assert_string_equal(answer.branch, "");
}

static void only_what_is_below_the_project_counts(void **state)
{
	(void)state;
	make_repository();
	folder_write(&f, "p/in", "one\n");
	folder_write(&f, "p[1]/in", "one\n");
	folder_write(&f, "p1/in", "one\n");
	run("git add . && git commit -q -m second");
	folder_write(&f, "x", "outside\n");
	ask_good("/p");
	assert_int_equal(answer.dirty, 0);
	assert_int_equal(answer.patch_len, 0);
	folder_write(&f, "p/in", "two\n");
	ask_good("/p");
	assert_int_equal(answer.dirty, 1);
	assert_non_null(strstr(answer.patch, "p/in"));
	assert_null(strstr(answer.patch, "outside"));
	folder_write(&f, "p1/in", "two\n"); /* a name is no pattern */
	ask_good("/p[1]");
	assert_int_equal(answer.dirty, 0);
	folder_write(&f, "p[1]/in", "two\n");
	ask_good("/p[1]");
	assert_int_equal(answer.dirty, 1);
	assert_null(strstr(answer.patch, "p1/in"));
}

/* More than a pipe holds, and a reader that comes late. */
static void long_patch_comes_whole(void **state)
{
	struct buf text = { 0 };
	char root[300];
	struct err e;
	int i;

	(void)state;
	make_repository();
	for (i = 0; i < 40000; i++)
		buf_printf(&text, "line %d\n", i);
	folder_write(&f, "x", buf_text(&text));
	(void)snprintf(root, sizeof root, "%s", f.path);
	GOOD(ask(helper, root, 200, &e));
	assert_int_equal(answer.dirty, 1);
	assert_true(answer.patch_len > text.len);
	assert_non_null(strstr(answer.patch, "\n+line 39999\n"));
	buf_release(&text);
}

static void too_long_a_patch_is_left_out_and_told(void **state)
{
	struct buf text = { 0 };

	(void)state;
	make_repository();
	buf_repeat(&text, 'x', 70u << 20);
	buf_char(&text, '\n');
	folder_write(&f, "x", buf_text(&text));
	buf_release(&text);
	run("git config core.bigFileThreshold 1g");
	ask_good("");
	assert_int_equal(answer.dirty, 1);
	assert_int_equal(answer.patch_len, 0);
	assert_string_equal(answer.note, "no patch was recorded: it is over 64 MiB");
}

static void damaged_repository_is_no_disaster(void **state)
{
	(void)state;
	make_repository();
	run("find .git/objects -type f -exec chmod u+w {} + && find .git/objects -type f -exec sh -c 'echo x > {}' ';'");
	ask_good("");
	assert_true(answer.note[0] != '\0' || answer.commit[0] != '\0');
}

/* A program that is not flow-source, or that dies. */
static int ask_script(const char *text, struct err *e)
{
	char path[300];

	folder_write(&f, "helper", "#!/bin/sh\n");
	folder_append(&f, "helper", text);
	assert_int_equal(fchmodat(f.fd, "helper", 0755, 0), 0);
	(void)snprintf(path, sizeof path, "%s/helper", f.path);
	return ask(path, f.path, 0, e);
}

static void helper_that_fails_is_an_error(void **state)
{
	static const char *const scripts[] = { "exit 1\n", "kill -9 $$\n", "echo commit 12\n",
		"echo patch 10; echo short\n", "echo patch 1; echo long\n", "echo rubbish\n", "echo patch -1\n" };
	char path[300];
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof scripts / sizeof *scripts; i++)
		assert_int_equal(ask_script(scripts[i], &e), ERR_SYSTEM);
	(void)snprintf(path, sizeof path, "%s/nothing", f.path);
	assert_int_equal(ask(path, f.path, 0, &e), ERR_SYSTEM);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(ask_script("echo new 1; echo patch 2; printf ab\n", &e), 1); /* a later version says more */
	assert_memory_equal(answer.patch, "ab", 2);
}

static void closing_ends_the_helper(void **state)
{
	struct source s;
	char path[300];
	struct err e;
	pid_t pid;

	(void)state;
	folder_write(&f, "helper", "#!/bin/sh\nexec sleep 100\n");
	assert_int_equal(fchmodat(f.fd, "helper", 0755, 0), 0);
	(void)snprintf(path, sizeof path, "%s/helper", f.path);
	GOOD(source_ask(&s, path, f.path, NULL, 0, &e));
	pid = s.pid;
	assert_int_equal(source_read(&s, &answer, &a, &e), 0);
	source_close(&s);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(no_repository_is_said_plainly),
		TEST(repository_without_a_commit),
		TEST(clean_work_tree),
		TEST(edit_is_in_the_patch),
		TEST(staged_and_deleted_files_are_in_the_patch),
		TEST(patch_can_be_applied),
		TEST(untracked_files_are_in_the_patch),
		TEST(what_tasks_make_stays_out_and_what_git_lacks_is_named),
		TEST(files_that_are_gone_are_named),
		TEST(commit_is_checked_out_elsewhere),
		TEST(commit_that_is_not_there_is_said),
		TEST(no_repository_cannot_be_checked_out),
		TEST(log_names_commits_on_the_way_and_files),
		TEST(own_folder_and_ignored_files_do_not_count),
		TEST(detached_head_has_no_branch),
		TEST(only_what_is_below_the_project_counts),
		TEST(long_patch_comes_whole),
		TEST(too_long_a_patch_is_left_out_and_told),
		TEST(damaged_repository_is_no_disaster),
		TEST(helper_that_fails_is_an_error),
		TEST(closing_ends_the_helper),
	};
	const char *build = getenv("FLOW_BUILD_DIR");

	(void)snprintf(helper, sizeof helper, "%s/flow-source", build != NULL ? build : ".");
	has_git = system("git --version >/dev/null 2>&1") == 0;
	(void)unsetenv("GIT_DIR");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
