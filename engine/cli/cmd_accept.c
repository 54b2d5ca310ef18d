#include <limits.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/shown.h"
#include "run/accept.h"
#include "run/recover.h"

/* The project with its plan, as `flow run` would find it. */
static int prepare(struct cli *c, struct session *s, struct err *e)
{
	struct session_wish all = { 0 };
	struct recovery found;

	if (cli_session(c, s, PROJECT_WRITE, e) < 0 ||
		recover(&s->project, &s->db, &s->stats, &found, e) < 0)
		return e->code;
	return session_plan(s, &all, e);
}

/* The tasks of a name, producers first; of a stage those that are not cached. */
static int accept_named(struct cli *c, struct acceptance *a, const char *name, struct err *e)
{
	struct session_wish wish = { .select = { .only = name } };
	struct session *s = a->session;
	struct selection selection;
	struct kept_outs kept;
	uint32_t i, count = 0, found = NO_NODE;
	int rc = 0;

	if (selection_make(&selection, &s->graph, &wish.select, e) < 0)
		return e->code;
	for (i = 0; i < s->graph.node_count && rc == 0; i++) {
		if (!selection_has(&selection, i))
			continue;
		found = i;
		if (s->plan.choices[i].verdict == VERDICT_REUSE)
			continue;
		rc = accept_task(a, i, &kept, e);
		if (rc < 0)
			break;
		count++;
		screen_printf(&c->out, "accepted %s: %s\n", shown(c, node_name(&s->graph, i)),
			shown(c, kept.change));
		screen_printf(&c->out, "  the outs of run %s are kept\n", kept.run);
	}
	selection_release(&selection);
	if (rc == 0 && count == 0 && found != NO_NODE)
		rc = accept_task(a, found, &kept, e); /* says that there is nothing to accept */
	return rc;
}

static int accept_main(struct cli *c)
{
	struct acceptance a;
	struct session s;
	struct err e;
	size_t i;
	int rc;

	if (prepare(c, &s, &e) < 0)
		return cli_fail_session(c, &s, &e);
	rc = accept_begin(&a, &s, &e);
	for (i = 0; i < c->args.count && rc == 0; i++)
		rc = accept_named(c, &a, c->args.items[i], &e);
	if (rc == 0)
		rc = accept_end(&a, &e);
	if (rc < 0) {
		buf_clear(&c->out.text);
		accept_drop(&a);
		return cli_fail_session(c, &s, &e);
	}
	session_close(&s);
	return EXIT_DONE;
}

const struct command cmd_cache_accept = { .name = "cache accept",
	.group = GROUP_RUN,
	.args = "TASK... [FILE.yaml]",
	.summary = "keep the outs of a task though something it depends on changed",
	.about = "For a change that you know to be cosmetic: a comment, a renamed variable, a log\n"
		 "line. The outs of the nearest earlier success (see `flow explain`) count from\n"
		 "now on as made by what is there today. Nothing runs; what was accepted, when\n"
		 "and at which commit is recorded, and `flow artifact trace` tells it. Of a stage\n"
		 "with several tasks, those that would run are accepted.\n",
	.examples = "flow explain train       # what has changed?\n"
		    "flow cache accept train\n",
	.least = 1,
	.most = UINT_MAX,
	.takes_dag = true,
	.takes_params = true,
	.run = accept_main };
