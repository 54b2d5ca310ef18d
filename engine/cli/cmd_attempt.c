/*
 * flow attempt shell [RUN] TASK: look around where an attempt failed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "cli/shown.h"
#include "report/log.h"
#include "run/kept.h"
#include "store/runs.h"

#define NAMES_MAX 8 /* tasks that an error lists */

static int not_one(struct cli *c, const struct run_record *run, const struct log_list *logs, struct err *e)
{
	const char *names = "";
	size_t i;

	if (logs->count == 0)
		return err_set(e, ERR_NOTFOUND, "nothing ran in %s", run->name);
	for (i = 0; i < logs->count && i < NAMES_MAX; i++)
		names = arena_printf(&c->arena, "%s%s%.60s", names, i > 0 ? ", " : "", logs->items[i].attempt.task);
	err_set(e, ERR_USAGE, "which task is meant? %s%s", names, i < logs->count ? ", ..." : "");
	return err_hint(e, "name it: `flow attempt shell TASK`");
}

/* The one attempt that is meant, and its folder below .flow. */
static int find_attempt(struct cli *c, struct records *r, struct attempt_record *attempt, struct err *e)
{
	struct log_list logs = { 0 };
	struct run_record run;
	const char *task;
	int rc = records_attempt(c, &r->db, &run, &task, e);

	if (rc == 0)
		rc = logs_find(&logs, &r->db, &run, task, c->attempt, &c->arena, e);
	if (rc == 0 && logs.count != 1)
		return not_one(c, &run, &logs, e);
	if (rc == 0)
		*attempt = logs.items[0].attempt;
	return rc;
}

static int check_kept(struct cli *c, const struct records *r, const struct attempt_record *a, struct err *e)
{
	const char *environment = arena_printf(&c->arena, "%s/" KEPT_ENVIRONMENT, a->folder);

	if (a->folder[0] != '\0' && file_exists(r->project.flow_fd, environment))
		return 0;
	err_set(e, ERR_NOTFOUND, "the folder of attempt %lld of `%.100s` was not kept", (long long)a->number, a->task);
	if (attempt_is_open(a))
		return err_hint(e, "it still runs");
	if (strcmp(a->state, "SUCCEEDED") == 0)
		return err_hint(e, "only failed attempts are kept; its outs are in their place");
	return err_hint(e, "only the newest %u failed attempts are, and at most %u GiB of them; their logs stay: `flow log`",
		KEPT_ATTEMPTS, (unsigned)(KEPT_BYTES >> 30));
}

/* Variables of flow that the caller has, when he is himself a stage, are another attempt's. */
static void forget_own(struct cli *c)
{
	size_t i, count = 0;

	while (environ[count] != NULL)
		count++;
	for (i = count; i-- > 0;)
		if (strncmp(environ[i], "FLOW_", 5) == 0)
			(void)unsetenv(arena_strndup(&c->arena, environ[i], strcspn(environ[i], "=")));
}

static int enter(struct cli *c, const struct records *r, const struct attempt_record *a, struct err *e)
{
	const char *shell = getenv("SHELL"), *how = c->command_text != NULL ? "-c" : NULL;
	int folder = openat(r->project.flow_fd, a->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (folder < 0 || fchdir(folder) < 0)
		return err_system(e, "cannot enter `.flow/%s`", a->folder);
	if (shell == NULL || shell[0] != '/')
		shell = "/bin/sh";
	screen_printf(&c->talk, "%s attempt %lld: %s\n.flow/%s, with its environment; `cd -` goes to the project\n",
		shown(c, a->task), (long long)a->number, shown(c, attempt_fate(c, a)), shown(c, a->folder));
	(void)screen_flush(&c->talk, e);
	forget_own(c);
	(void)setenv("OLDPWD", r->project.root, 1);
	(void)execl("/bin/sh", "sh", "-c", ". ./" KEPT_ENVIRONMENT "; exec \"$@\"", "sh", shell, how, c->command_text,
		(char *)NULL);
	return err_system(e, "cannot start /bin/sh");
}

static int shell_main(struct cli *c)
{
	struct attempt_record attempt;
	struct records r;
	struct err e;
	int rc;

	if (records_open(&r, c, &e) < 0)
		return records_fail(c, &e, NULL);
	rc = find_attempt(c, &r, &attempt, &e);
	if (rc == 0)
		rc = check_kept(c, &r, &attempt, &e);
	db_close(&r.db); /* nothing of ours stays open in the shell */
	if (rc == 0)
		(void)enter(c, &r, &attempt, &e);
	return records_lost(c, &r, &e);
}

static const struct opt opts[] = {
	{ 'c', "command", OPT_TEXT, "TEXT", "do this and come back, instead of asking", OPT_AT(command_text), NULL },
	{ 0, "attempt", OPT_NUMBER, "N", "this attempt, from 1 (default: the last)", OPT_AT(attempt), NULL },
	{ 0, "file", OPT_TEXT, "FILE", "the pipeline (default: dag.yaml)", OPT_AT(dag), NULL },
	OPT_END,
};

const struct command cmd_attempt_shell = { .name = "attempt shell",
	.group = GROUP_LOOK,
	.args = "[RUN] [TASK]",
	.summary = "open a shell where an attempt failed",
	.about = "In the attempt's folder, which holds its log, what it wrote there and what\n"
		 "it had of its outs (partial-0, ...), with the variables it was given. TASK\n"
		 "may be left out when one task failed. RUN as in `flow runs show`; the default\n"
		 "is @last. The newest 100 failed attempts are kept, at most 2 GiB of them.\n",
	.examples = "flow attempt shell\n"
		    "flow attempt shell train --attempt 1\n"
		    "flow attempt shell train -c 'ls -l; env | grep FLOW_'\n",
	.most = 2,
	.opts = opts,
	.run = shell_main };
