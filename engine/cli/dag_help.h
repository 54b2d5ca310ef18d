/*
 * cli/dag_help.h - the keys of dag.yaml, from the table in dag/keys.def.
 */
#ifndef FLOW_CLI_DAG_HELP_H
#define FLOW_CLI_DAG_HELP_H

struct buf;
struct err;

/* For a terminal. place: "stage", "retry" ...; NULL: all. ERR_USAGE when there is no such place. */
int dag_help(struct buf *out, const char *place, struct err *e);

/* docs/reference/dag.md */
void dag_reference(struct buf *out);

#endif
