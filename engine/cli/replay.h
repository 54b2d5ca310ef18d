/*
 * cli/replay.h - run a task of a scratch project (report/scratch.h), with everything above it.
 *
 *     struct replay r = { .dag = replay_dag(c, &scratch), .params = &params, .task = "train", .force = true };
 *     status = replay_run(c, &r);           EXIT_DONE: it succeeded; else what went wrong was shown, unless r.quiet
 *     if (replay_stopped(&r)) ...           by Ctrl-C or a signal
 *
 * It is shown as `flow run` shows it. The signals that run_all() takes are the process's own again afterwards.
 */
#ifndef FLOW_CLI_REPLAY_H
#define FLOW_CLI_REPLAY_H

#include <stdbool.h>

#include "run/run.h"

struct cli;
struct err;
struct graph;
struct past_params;
struct scratch;

struct replay {
	const char *dag;
	const struct past_params *params;
	const char *task;
	bool alone;               /* nothing above it */
	bool force;               /* reuse nothing */
	bool quiet;               /* show nothing */
	int (*given)(void *user, const struct graph *g, struct err *e); /* after loading, or NULL */
	void *user;
	struct run_result result;
};

int replay_run(struct cli *c, struct replay *r);
bool replay_stopped(const struct replay *r);
const char *replay_dag(struct cli *c, const struct scratch *s); /* its dag.yaml as the user would type it */

#endif
