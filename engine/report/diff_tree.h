/*
 * report/diff_tree.h - a run beside the work tree: what would go in now, and what lies there.
 *
 *     session_open() session_load() session_plan()        of the project, to read
 *     diff_tree(&diff, &session, "@last", &arena, e)
 *
 * Parameters, dag.yaml, code and raw inputs of each task are compared with those of its attempt in the run, outs by the bytes that lie in
 * the work tree. A work tree has no metrics and no times. Everything lives in the arena.
 */
#ifndef FLOW_REPORT_DIFF_TREE_H
#define FLOW_REPORT_DIFF_TREE_H

struct arena;
struct diff;
struct err;
struct session;

int diff_tree(struct diff *out, struct session *s, const char *a_ref, struct arena *a, struct err *e);

#endif
