/*
 * dag/codes.h - what the error codes of dag.yaml mean: the long texts of `flow help E0107`.
 *
 * Rows are in dag/codes.def as CODE(id, title, text): E01xx yaml and keys, E02xx graph, E03xx
 * parameters and expressions, E04xx stages. A code keeps its meaning for ever; one that is no
 * longer used is not given again. Each text tells what is wrong, shows the fault and the repair,
 * and ends in a newline.
 */
#ifndef FLOW_DAG_CODES_H
#define FLOW_DAG_CODES_H

#include <stddef.h>

struct code_info {
	const char *id; /* "E0107" */
	const char *title;
	const char *text;
};

extern const struct code_info code_table[]; /* ascending */
extern const size_t code_count;

const struct code_info *code_find(const char *id); /* in either case; NULL: unknown */

#endif
