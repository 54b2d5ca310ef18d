/*
 * dag/iterate.h - the instances of a stage: foreach, matrix, or just one.
 *
 *     if (iteration_begin(&it, scope, stage) == 0)
 *             while (iteration_next(&it, scratch, &instance)) ...
 * The count is known before the first instance is made. Instances are made one at a time; what they
 * hold lives in the scratch arena (or the tree). iteration_begin returns -1 after a diagnostic.
 * Parameters that only list instances do not count as used: a longer list leaves the instances that
 * were there as they are.
 */
#ifndef FLOW_DAG_ITERATE_H
#define FLOW_DAG_ITERATE_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct scope;
struct stage_spec;
struct yaml;

struct instance {
	const char *suffix;      /* behind `@` of the name; "": a plain stage */
	const struct yaml *item; /* or NULL */
	const char *key;         /* or NULL */
};

struct iteration {
	const struct yaml *at; /* value of foreach or matrix, for messages; NULL: a plain stage */
	const struct yaml *items;  /* foreach: resolved list or map */
	const struct yaml *matrix; /* resolved, with include and exclude */
	const struct yaml *include, *exclude;
	uint64_t count; /* combinations that exclude drops are counted too */
	uint64_t next;
};

int iteration_begin(struct iteration *it, struct scope *scope, const struct stage_spec *stage);
bool iteration_next(struct iteration *it, struct arena *scratch, struct instance *out);

#endif
