/*
 * report/reproduce.h - make an artifact again from its record, and compare.
 *
 *     reproduce_open(&r, &db, &project, &artifact, e)   traces it; finds the run that it came from
 *     reproduce_prepare(&r, alone, e)                   the scratch: source, inputs, parameters, environment
 *     ...run r.task of r.scratch.dag with r.params, without reuse; alone: that task only...
 *     reproduce_given(&r, &graph, e)                    between load and plan: outs of frozen stages, which nobody makes again
 *     reproduce_judge(&r, e)                            r.outs: what was recorded, what was made now
 *     reproduce_difference(&r, out, &difference, &where, e)
 *     reproduce_close(&r)
 *
 * Outs stand in the order in which they were made, so the first that is not the same is where the difference comes from. It sets
 * environment variables of this process: those that the keys of the tasks hold.
 */
#ifndef FLOW_REPORT_REPRODUCE_H
#define FLOW_REPORT_REPRODUCE_H

#include <stdbool.h>
#include <stddef.h>

#include "report/difference.h"
#include "report/past_params.h"
#include "report/scratch.h"
#include "report/trace.h"

struct graph;

/* One out of a task that the artifact depends on. */
struct remade {
	const char *task, *name, *path;
	struct made was, is;    /* is: mode MADE_ABSENT when it was not made */
	bool same;
	bool counts;            /* it is the artifact, or was read on the way to it */
	int64_t attempt;        /* that made it first */
};

struct remade_list {
	struct remade *items;
	size_t count, cap;
};

struct reproduction {
	struct arena arena;
	struct db *db;
	struct scratch scratch;
	struct trace trace;
	const struct run_record *run; /* whose source and parameters are taken */
	const char *task;             /* that makes the artifact */
	struct past_params params;
	bool alone;
	struct remade_list outs;
	size_t target;                /* in outs */
	size_t first;                 /* that counts and differs; outs.count: none */
};

int reproduce_open(struct reproduction *r, struct db *db, const struct project *p, const struct artifact_record *artifact,
	struct err *e);
int reproduce_prepare(struct reproduction *r, bool alone, struct err *e);
int reproduce_given(struct reproduction *r, const struct graph *g, struct err *e);
int reproduce_judge(struct reproduction *r, struct err *e);
/* 1: found; 0: the recorded bytes are no longer stored. *where: the file of a folder, or "". */
int reproduce_difference(struct reproduction *r, const struct made *was, const struct made *is, struct difference *out,
	const char **where, struct err *e);
void reproduce_close(struct reproduction *r);

#endif
