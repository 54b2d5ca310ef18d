/*
 * report/scratch.h - a project as it was when a run began, in a folder of its own: .flow/scratch.
 *
 *     scratch_open(&s, &project, e)                 one at a time a project: ERR_BUSY; what an earlier one left is removed
 *     scratch_checkout(&s, &run, e)                 the commit, the files that differed from it, dag.yaml; may be called again
 *     scratch_input(&s, "raw/x.csv", &digest, e)    make sure that an input is there byte for byte
 *     scratch_past(&s, &db, e)                      its runs reuse what the user's journal knows; writes go to copies
 *     ...s.dag is run like any other...
 *     scratch_close(&s)                             removes it, unless s.keep
 *
 * The user's work tree, index and repository stay as they are. The scratch has a journal and a store of its own, in s.root's .flow; a
 * second checkout keeps them. An input comes, in this order, from the checkout, the work tree (if it is still the same) or the
 * store. What can be had nowhere is ERR_SYSTEM with E0515.
 */
#ifndef FLOW_REPORT_SCRATCH_H
#define FLOW_REPORT_SCRATCH_H

#include <stdbool.h>

#include "base/arena.h"
#include "store/objects.h"

struct db;
struct digest;
struct err;
struct graph;
struct project;
struct run_record;

struct scratch {
	const struct project *project; /* the user's */
	struct objects objects;        /* the user's store; its root is the scratch */
	struct arena arena;
	const char *top;        /* ROOT/.flow/scratch */
	const char *root;       /* the project in it */
	const char *dag;        /* dag.yaml in that */
	const char *submodules; /* that were not checked out, or "" */
	int lock_fd, root_fd;   /* -1: none */
	bool keep;
};

int scratch_open(struct scratch *s, const struct project *p, struct err *e);
int scratch_checkout(struct scratch *s, const struct run_record *run, struct err *e);
int scratch_input(struct scratch *s, const char *path, const struct digest *d, struct err *e);
bool scratch_has(const struct scratch *s, const char *path, const struct digest *d);
int scratch_drop(struct scratch *s, const char *path, struct err *e); /* an input that is not to be there */
int scratch_past(struct scratch *s, struct db *db, struct err *e);
/* Files that secrets are read from are in no record: those of today. */
int scratch_secrets(struct scratch *s, const struct graph *g, struct err *e);
void scratch_close(struct scratch *s);

#endif
