/*
 * report/diff.h - two runs, side by side: what went in, what came out.
 *
 *     struct diff diff;
 *     diff_make(&diff, &db, &project, "@{1}", "@last", &arena, e)
 *     diff_log(&diff, project.root, &arena)      the commits and files between, asked of git when the commits differ
 *     if (diff.differs) ...
 *     diff_json(&buf, &diff, clock_wall_ms())
 *
 * A task whose outs are those of the same attempt in both runs is the same and costs nothing. Timings count as different when they are
 * more than a tenth and more than 100 ms apart; they do not make runs differ. Everything lives in the arena.
 */
#ifndef FLOW_REPORT_DIFF_H
#define FLOW_REPORT_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/runs.h"
#include "store/source.h"

struct arena;
struct buf;
struct db;
struct err;
struct project;

/* One thing that differs. was, is: NULL where it is not there. */
struct change_text {
	const char *task;          /* "" when it is none's; "train (and 3 others)" for a group */
	const char *kind;          /* code: "input" (a source file), "code", "command", "with", "env", "out", "cwd", "format" */
	const char *name;
	const char *was, *is;
};

struct change_number {
	const char *task, *name;
	double was, is;            /* NaN: it is not there */
};

struct text_changes {
	struct change_text *items;
	size_t count, cap;
};

struct number_changes {
	struct change_number *items;
	size_t count, cap;
};

struct diff {
	struct run_record a, b;
	bool a_alive, b_alive;
	bool differs;
	struct text_changes params;     /* values are JSON */
	struct text_changes source;     /* commit, branch, patch, dag.yaml */
	struct text_changes code;
	struct text_changes tasks;      /* states that differ; new and gone tasks */
	struct text_changes outs;       /* digests */
	struct number_changes metrics;
	struct number_changes timings;  /* ms */
	size_t same_params, same_metrics, same_outs, same_tasks;
	bool has_log;                   /* log is set */
	struct source_log log;
	bool is_tree;                   /* b is the work tree (report/diff_tree.h): of b only name, params and dag_digest are set */
};

int diff_make(struct diff *out, struct db *db, const struct project *p, const char *a_ref, const char *b_ref, struct arena *a,
	struct err *e);
/* What git says lies between the two commits. That it cannot say is no error. */
void diff_log(struct diff *d, const char *root, struct arena *a);
void diff_json(struct buf *out, const struct diff *d, int64_t now_ms);

#endif
