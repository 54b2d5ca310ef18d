/*
 * dag/params.h - the parameters of a dag: defaults from dag.yaml and its includes, overridden by
 * files and -p options.
 *
 *     params_read(&p, build, spec.params)   then params_find, params_below, params_tree
 * Leaves are kept flat and sorted by their dotted names: a leaf is a scalar, a list or an empty
 * map. The type of a default binds every override: whole numbers are good for numbers, anything is
 * good for null. All faults are collected; returns 0 or ERR_INPUT. What was read is noted in
 * build->sources. Everything lives in build->arena.
 */
#ifndef FLOW_DAG_PARAMS_H
#define FLOW_DAG_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct build;
struct near;
struct yaml;

struct param {
	const char *name;            /* dotted */
	const struct yaml *standard; /* the default, whose type binds */
	const struct yaml *value;
	const char *origin; /* of the value: "params.yaml:6", "-p train.lr" */
};

struct params {
	struct param *items; /* sorted by name */
	uint32_t count;
};

int params_read(struct params *p, struct build *b, const struct yaml *map);

/* Index of a leaf, or UINT32_MAX. */
uint32_t params_find(const struct params *p, const char *name);

/* Leaves below `name`: *first and the count; 0 when it names no subtree. */
uint32_t params_below(const struct params *p, const char *name, uint32_t *first);

/* The value of a leaf or, as a map, of a subtree; NULL when there is neither. */
const struct yaml *params_tree(const struct params *p, const char *name, struct arena *a);

/* The known name that is nearest, leaf or subtree, or NULL. In the arena. */
const char *params_near(const struct params *p, const char *name, struct arena *a);

#endif
