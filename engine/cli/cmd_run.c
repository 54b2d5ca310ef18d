#include <limits.h>
#include <signal.h>
#include <string.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/plugin_check.h"
#include "cli/view.h"
#include "run/recover.h"
#include "run/run.h"

static const char *const progress_choices[] = { "auto", "tty", "plain", "json", "none", NULL };

static const struct opt opts[] = {
	{ 'j', "jobs", OPT_NUMBER, "N", "tasks at once (default: one for each core)", OPT_AT(jobs),
		NULL },
	{ 'k', "keep-going", OPT_FLAG, NULL, "after a failure, run what does not depend on it",
		OPT_AT(keep_going), NULL },
	{ 0, "force", OPT_LIST, "[STAGE]", "run it anew though nothing changed; alone: everything",
		OPT_AT(force), NULL },
	{ 0, "from", OPT_TEXT, "STAGE", "it and everything below it", OPT_AT(from), NULL },
	{ 0, "until", OPT_TEXT, "STAGE", "it and everything above it", OPT_AT(until), NULL },
	{ 0, "only", OPT_TEXT, "STAGE", "it alone", OPT_AT(only), NULL },
	{ 'n', "dry-run", OPT_FLAG, NULL, "show what would run, and run nothing (as `flow plan`)",
		OPT_AT(dry_run), NULL },
	{ 0, "progress", OPT_CHOICE, "FORM", "auto, tty, plain, json or none", OPT_AT(progress),
		progress_choices },
	OPT_END,
};

static void tell_recovery(struct cli *c, const struct recovery *found)
{
	struct err e;

	if (found->runs == 0 || c->quiet || c->progress == PROGRESS_JSON)
		return;
	screen_printf(&c->talk, "the last run did not end by itself: %u attempt%s lost",
		found->attempts, found->attempts == 1 ? " was" : "s were");
	if (found->processes > 0)
		screen_printf(
			&c->talk, "; %u of its processes could not be ended", found->processes);
	if (found->damaged > 0)
		screen_printf(&c->talk, "; %u damaged outs will be made again", found->damaged);
	screen_str(&c->talk, "; what was done stays done\n");
	(void)screen_flush(&c->talk, &e);
}

static int prepare(struct cli *c, struct session *s, struct err *e)
{
	struct session_wish wish;
	struct recovery found = { 0 };

	if (cli_session(c, s, PROJECT_WRITE, e) < 0)
		return e->code;
	if (recover(&s->project, &s->db, &s->stats, &found, e) < 0)
		return e->code;
	tell_recovery(c, &found);
	cli_wish(c, &wish);
	return session_plan(s, &wish, e) < 0 ? e->code : plugin_check(s, PLUGIN_LOAD_ALL, e);
}

static int status_of(const struct run_result *result)
{
	if (strcmp(result->state, "SUCCEEDED") == 0)
		return EXIT_DONE;
	if (strcmp(result->state, "CANCELLED") == 0)
		return result->signo == SIGINT ? EXIT_INTERRUPTED : EXIT_TERMINATED;
	return EXIT_STAGE;
}

static int run_main(struct cli *c)
{
	struct run_options options = { .jobs = c->jobs, .keep_going = c->keep_going };
	struct run_result result = { 0 };
	struct session s;
	struct view v;
	struct err e;
	int rc;

	if (c->json)
		c->progress = PROGRESS_JSON;
	if (c->dry_run)
		return cmd_plan_main(c);
	if (prepare(c, &s, &e) < 0)
		return cli_fail_session(c, &s, &e);
	view_open(&v, c, &s, &result);
	options.watch = v.watch;
	rc = run_all(&s, &options, &result, &e);
	view_close(&v);
	if (rc < 0) {
		view_release(&v);
		return cli_fail_session(c, &s, &e);
	}
	summary_write(&v, &result);
	view_release(&v);
	session_close(&s);
	return status_of(&result);
}

const struct command cmd_run = { .name = "run",
	.group = GROUP_RUN,
	.args = "[STAGE...] [FILE.yaml]",
	.summary = "run what is out of date",
	.about = "Runs the stages named, with everything they depend on; without a name, all of\n"
		 "them. A task whose command, code, parameters and inputs are those of an\n"
		 "earlier success is not run again: its outs are there, or come back from the\n"
		 "store.\n"
		 "\n"
		 "Before anything starts, the plugins of all that may run are asked what they\n"
		 "take: a dep, an out or a value under `with:` that does not fit ends it at once,\n"
		 "with status 3.\n"
		 "\n"
		 "The first Ctrl-C asks running tasks to end, the second kills them. What was\n"
		 "done stays done: the same command goes on where the run was stopped.\n",
	.examples = "flow run                        # everything that is out of date\n"
		    "flow run evaluate -j 4          # what `evaluate` needs, four tasks at once\n"
		    "flow run -p train.lr=0.1        # with another parameter\n"
		    "flow run --force=train          # train again, from the first step\n",
	.most = UINT_MAX,
	.takes_dag = true,
	.takes_params = true,
	.shows = true,
	.opts = opts,
	.run = run_main };
