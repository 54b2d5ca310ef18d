/*
 * cli/opt.h - the option table: one description of every command and option, for the parser, `--help` and the reference page.
 *
 *     static const struct opt run_opts[] = {
 *             { 'j', "jobs", OPT_NUMBER, "N", "attempts at once (default: one for each core)", OPT_AT(jobs), NULL },
 *             OPT_END
 *     };
 *     const struct command cmd_run = { .name = "run", .group = GROUP_RUN, ..., .opts = run_opts, .run = run_main };
 *
 *     opt_parse(&cli, argc, argv, e)      fills cli and cli.command; ERR_USAGE with a hint otherwise
 *     opt_help(&buf, command)             the text of --help; NULL: of flow itself
 *     opt_reference(&buf)                 docs/reference/command-line.md
 *
 * Grammar: `flow [global options] COMMAND [SUB] [options and arguments]`; global options may stand anywhere. `-j4 -j 4 --jobs=4
 * --jobs 4`, `--` ends options, letters of flags may be joined. No abbreviations. An unknown word gets "did you mean". The last
 * argument that ends in .yaml or .yml, of a command with `takes_dag` that can do without it, is the dag file. `flow runs` is
 * `flow runs list`.
 */
#ifndef FLOW_CLI_OPT_H
#define FLOW_CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct cli;
struct err;

enum opt_kind {
	OPT_FLAG,    /* bool */
	OPT_COUNT,   /* unsigned: how often it was given */
	OPT_TEXT,    /* const char * */
	OPT_LIST,    /* struct texts: may be given more than once */
	OPT_NUMBER,  /* unsigned */
	OPT_CHOICE,  /* unsigned: index into choices */
	OPT_LAST,
};

struct opt {
	char letter;                 /* 0: none */
	const char *name;            /* without dashes */
	enum opt_kind kind;
	const char *arg;             /* "N", "FILE"; NULL for flags; "[STAGE]" may be left out (then only as --name=VALUE) */
	const char *help;            /* one line, lower case */
	size_t offset;               /* of the member of struct cli */
	const char *const *choices;  /* OPT_CHOICE: NULL-terminated */
};

#define OPT_AT(member) offsetof(struct cli, member)
#define OPT_END        { 0, NULL, OPT_LAST, NULL, NULL, 0, NULL }

/* Texts are borrowed from argv. vec_release. */
struct texts {
	const char **items;
	size_t count, cap;
};

enum group { GROUP_START, GROUP_RUN, GROUP_LOOK, GROUP_UPKEEP };

struct command {
	const char *name;            /* "run", "runs list" */
	enum group group;
	const char *args;            /* "[STAGE...]", "" */
	const char *summary;         /* one line, lower case */
	const char *about;           /* paragraphs for --help and the reference, each line at most 78 columns; or "" */
	const char *examples;        /* lines of `flow ...` with `# what`; or "" */
	unsigned least, most;        /* arguments; most UINT_MAX: any number */
	bool takes_dag, takes_params; /* adds -f; adds -p and --params */
	bool shows;                  /* adds --json */
	const struct opt *opts;      /* its own; ends with OPT_END; NULL: none */
	int (*run)(struct cli *cli); /* exit status */
};

extern const struct command *const command_table[]; /* NULL at the end, in the order of --help */
extern const struct opt global_opts[];
extern const struct opt dag_opts[], params_opts[], shows_opts[]; /* of commands with takes_dag, takes_params, shows */

int opt_parse(struct cli *cli, int argc, char **argv, struct err *e);
const struct command *command_find(const char *name); /* "run", "runs list"; NULL: none */
void opt_help(struct buf *out, const struct command *command);
void opt_reference(struct buf *out);
void opt_overview(struct buf *out); /* what `flow` alone says */

#endif
