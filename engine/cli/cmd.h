/*
 * cli/cmd.h - what every command gets: the options as typed, and where to write.
 *
 *     static int plan_main(struct cli *c)
 *     {
 *             struct session s;
 *             struct err e;
 *
 *             if (cli_session(c, &s, PROJECT_READ, &e) < 0)
 *                     return cli_fail_session(c, &s, &e);
 *             ...
 *             session_close(&s);
 *             return screen_end(&c->out);
 *     }
 *
 * Data goes to c->out (stdout), talk to c->talk (stderr). A command returns an exit status (EXIT_...); whatever goes wrong ends in
 * cli_fail(), which prints the error as rustc would and returns its status.
 */
#ifndef FLOW_CLI_CMD_H
#define FLOW_CLI_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "cli/opt.h"
#include "cli/screen.h"
#include "run/session.h"

enum {
	EXIT_DONE = 0,
	EXIT_STAGE = 1,       /* a stage failed */
	EXIT_USAGE = 2,
	EXIT_INVALID = 3,     /* dag.yaml, params or config */
	EXIT_NO = 4,          /* a question answered "no" */
	EXIT_MACHINE = 5,     /* disk full, missing tool, permission */
	EXIT_BUSY = 6,
	EXIT_REFUSED = 7,
	EXIT_BUG = 70,
	EXIT_INTERRUPTED = 130,
	EXIT_TERMINATED = 143,
};

enum progress { PROGRESS_AUTO, PROGRESS_TTY, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };

struct cli {
	const struct command *command;
	int64_t began_ms;          /* of the process, monotonic */
	struct arena arena;
	struct screen out, talk;

	/* everywhere */
	const char *folder;        /* -C */
	const char *dag;           /* -f, or the positional .yaml; default "dag.yaml" */
	bool quiet;                /* -q */
	unsigned verbose;          /* -v, repeatable */
	unsigned color;            /* enum screen_color */
	unsigned progress;         /* enum progress */
	bool json, help, version;

	/* by command */
	struct texts sets, files;  /* -p, --params */
	struct texts force;        /* --force[=STAGE]; an entry "" means all */
	const char *from, *until, *only;
	unsigned jobs, limit, attempt, lines, format, times;
	bool now, keep_going, dry_run, exit_code, all, follow, reference, tasks, plugins, keep, down, remove, move, undo;
	const char *state, *against, *template, *command_text, *tolerance;
	const char *budget, *keep_since, *grace; /* gc */
	unsigned keep_last;
	struct texts forget;
	const char *columns;       /* shards cat */
	struct texts where;
	bool groups;               /* shards ls */
	const char *task, *svg;    /* plots */
	bool log;
	bool explain, read_data, repair, unset;
	struct texts args;         /* what is left: positional */
};

/* Open and load the project for a command (-C was applied already). On failure: cli_fail_session(), which prints the diagnostics
 * or the error, closes the session and returns the exit status. */
int cli_session(struct cli *c, struct session *s, enum project_mode mode, struct err *e);
int cli_graph(struct cli *c, struct session *s, struct err *e); /* the same to look at the graph alone: there will be no plan */
int cli_fail_session(struct cli *c, struct session *s, const struct err *e);

/* The selection and --force of the command line. Lives in c->arena. */
void cli_wish(struct cli *c, struct session_wish *wish);

int cli_fail(struct cli *c, const struct err *e);   /* prints, returns the status */
int cli_status(const struct err *e);                /* exit status of an error */

#endif
