#include "cli/replay.h"

#include <signal.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "cli/cmd.h"
#include "cli/view.h"
#include "report/past_params.h"
#include "report/scratch.h"
#include "store/project.h"

static int fail(struct cli *c, struct session *s, const struct replay *r, const struct err *e)
{
	int status = cli_status(e);

	if (!r->quiet)
		return cli_fail_session(c, s, e);
	session_close(s);
	return status;
}

static int prepare(struct session *s, const struct replay *r, struct err *e)
{
	struct session_options options = { .dag = r->dag,
		.sets = r->params->sets.items,
		.set_count = r->params->sets.count,
		.files = r->params->files,
		.file_count = r->params->file_count,
		.mode = PROJECT_WRITE };
	struct session_wish wish = { .force_all = r->force };

	if (r->alone)
		wish.select.only = r->task;
	else
		wish.select = (struct selection_wish){ .names = &r->task, .count = 1 };
	if (session_open(s, &options, e) < 0 || session_load(s, e) < 0)
		return e->code;
	if (r->given != NULL && r->given(r->user, &s->graph, e) < 0)
		return e->code;
	return session_plan(s, &wish, e);
}

static int run_quietly(
	struct session *s, const struct run_options *options, struct replay *r, struct err *e)
{
	struct run_options silent = *options;

	silent.watch = (struct watch){ 0 };
	return run_all(s, &silent, &r->result, e);
}

static int run_shown(struct cli *c, struct session *s, struct run_options *options,
	struct replay *r, struct err *e)
{
	const char *dag = c->dag;
	struct view v;
	int rc;

	c->dag = r->dag; /* what is told to the user to type is about that one */
	view_open(&v, c, s, &r->result);
	options->watch = v.watch;
	rc = run_all(s, options, &r->result, e);
	view_close(&v);
	if (rc == 0 && strcmp(r->result.state, "SUCCEEDED") != 0)
		summary_write(&v, &r->result);
	view_release(&v);
	c->dag = dag;
	return rc;
}

int replay_run(struct cli *c, struct replay *r)
{
	struct run_options options = { .jobs = c->jobs };
	struct session s;
	sigset_t signals;
	struct err e;
	int rc;

	if (prepare(&s, r, &e) < 0)
		return fail(c, &s, r, &e);
	(void)sigprocmask(SIG_BLOCK, NULL, &signals);
	rc = r->quiet ? run_quietly(&s, &options, r, &e) : run_shown(c, &s, &options, r, &e);
	(void)sigprocmask(SIG_SETMASK, &signals, NULL);
	if (rc < 0)
		return fail(c, &s, r, &e);
	session_close(&s);
	if (replay_stopped(r))
		return r->result.signo == SIGINT ? EXIT_INTERRUPTED : EXIT_TERMINATED;
	return strcmp(r->result.state, "SUCCEEDED") == 0 ? EXIT_DONE : EXIT_STAGE;
}

const char *replay_dag(struct cli *c, const struct scratch *s)
{
	return path_join(
		&c->arena, path_folder(&c->arena, c->dag), s->dag + strlen(s->project->root) + 1);
}

bool replay_stopped(const struct replay *r)
{
	return r->result.state != NULL && strcmp(r->result.state, "CANCELLED") == 0;
}
