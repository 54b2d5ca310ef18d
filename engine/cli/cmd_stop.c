/*
 * flow stop [RUN]: end a run that another terminal, or a service, has started.
 */
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "run/stop.h"
#include "store/runs.h"

static int stop_main(struct cli *c)
{
	struct records r;
	struct run_record run;
	struct err e;
	int rc;

	if (records_open(&r, c, &e) < 0)
		return records_fail(c, &e, NULL);
	rc = run_find(&r.db, c->args.count > 0 ? c->args.items[0] : "@last", &c->arena, &run, &e);
	/* Reading must not hold up the run's own writing while we wait for it. */
	records_live(&r);
	if (rc == 0)
		rc = run_stop(&r.project, &run, c->now, &e);
	if (rc < 0)
		return records_lost(c, &r, &e);
	screen_printf(&c->talk, "stopped %s; `flow run` goes on from there\n", run.name);
	return records_done(c, &r);
}

static const struct opt opts[] = {
	{ 0, "now", OPT_FLAG, NULL, "kill what it runs instead of asking it to end", OPT_AT(now),
		NULL },
	OPT_END,
};

const struct command cmd_stop = { .name = "stop",
	.group = GROUP_RUN,
	.args = "[RUN]",
	.summary = "end a run that goes on in another terminal",
	.about = "As one Ctrl-C there would: nothing more is started, running tasks are asked\n"
		 "to end and killed after 10 s. Waits until the run is over. RUN as in\n"
		 "`flow runs show`; the default is @last. What is finished stays done.\n",
	.examples = "flow stop\n"
		    "flow stop --now\n",
	.most = 1,
	.opts = opts,
	.run = stop_main };
