/*
 * cli/records.h - from the command line to the journal alone: for the commands that ask about the past, with no need of a dag.yaml
 * that can be read.
 *
 *     struct records r;
 *     if (records_open(&r, c, &e) < 0)
 *             return records_fail(c, &e, "{\"v\":1,\"runs\":[]}");
 *     ...
 *     records_close(&r);
 *
 * All that a command reads is of one moment: it holds a read transaction until records_close(), or records_live() for one that goes on
 * watching; records_again() begins another. A project without runs is ERR_NOTFOUND; records_fail() then says so kindly, and it is no failure when an empty answer
 * is given (NULL: the command was asked for something that is not there).
 */
#ifndef FLOW_CLI_RECORDS_H
#define FLOW_CLI_RECORDS_H

#include "store/db.h"
#include "store/project.h"

struct cli;
struct err;
struct run_record;

struct records {
	struct project project;
	struct db db;
};

int records_open(struct records *r, struct cli *c, struct err *e);
/* What the arguments [RUN] [TASK] mean, where a single word that is no run is a task of the last one. *task NULL: none was named. */
int records_attempt(struct cli *c, struct db *db, struct run_record *run, const char **task, struct err *e);
void records_live(struct records *r);
int records_again(struct records *r, struct err *e);
void records_close(struct records *r);
int records_fail(struct cli *c, const struct err *e, const char *empty_json); /* exit status */
int records_done(struct cli *c, struct records *r);                          /* closes it; EXIT_DONE */
int records_lost(struct cli *c, struct records *r, const struct err *e);     /* closes it, then cli_fail() */

#endif
