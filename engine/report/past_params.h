/*
 * report/past_params.h - the options that give a dag the parameters of a past run.
 *
 *     struct past_params p = { .file = "/x/params.json" };
 *     past_params_add(&p, &run, "train.lr");              for each; the value that the run had
 *     past_params_make(&p, "/x/dag.yaml", &arena, e)      p.sets for -p, p.files for --params
 *     past_params_release(&p)
 *
 * What the dag gives anyway is left alone, and a -p option is taken as it was typed: `2.0` and `2` are the same number but not the same
 * command. The rest goes through the file. Parameters that the dag does not have are left out. ERR_INPUT: the dag cannot be read.
 */
#ifndef FLOW_REPORT_PAST_PARAMS_H
#define FLOW_REPORT_PAST_PARAMS_H

#include <stddef.h>

struct arena;
struct err;
struct run_params;

struct past_param {
	const char *name, *value; /* JSON */
	const char *typed;        /* "train.lr=2.0", or NULL */
};

struct past_params {
	const char *file;         /* written if it is needed */
	struct { struct past_param *items; size_t count, cap; } wanted;
	struct { const char **items; size_t count, cap; } sets;
	const char *files[1];
	size_t file_count;
};

/* Parameter `name` of a run, whose -p options are the lines of `changed`; nothing when it has none. */
void past_params_add(struct past_params *p, const struct run_params *params, const char *changed, const char *name, struct arena *a);
int past_params_make(struct past_params *p, const char *dag, struct arena *a, struct err *e);
void past_params_release(struct past_params *p);

#endif
