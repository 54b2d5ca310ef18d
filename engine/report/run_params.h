/*
 * report/run_params.h - the parameters of a run, out of the JSON text that the journal has.
 *
 *     run_params_read(&params, run.params, run.changed, &arena)
 *     const struct run_param *p = run_params_find(&params, "train.lr");
 *
 * Sorted by name. Values are JSON text; numbers are written the shortest way, so that equal values are equal texts. A text that
 * is no JSON object gives no parameters and sets damaged: a report goes on without them.
 */
#ifndef FLOW_REPORT_RUN_PARAMS_H
#define FLOW_REPORT_RUN_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct buf;

struct run_param {
	const char *name;   /* dotted */
	const char *value;  /* JSON */
	bool set;           /* by -p on the command line */
};

struct run_params {
	struct run_param *items;
	size_t count;
	bool damaged;
};

void run_params_read(struct run_params *out, const char *json, const char *changed, struct arena *a);
const struct run_param *run_params_find(const struct run_params *p, const char *name);

#endif
