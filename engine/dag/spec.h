/*
 * dag/spec.h - dag.yaml as typed values, before foreach and ${...}.
 *
 *     spec_read(&spec, arena, input, root, diags)
 * Every key is checked against dag/keys.def; texts that may hold ${...} stay nodes of the YAML
 * tree, so that whatever is wrong with them can be shown in place. All faults are collected. The
 * spec lives in the arena and refers to the tree. Returns 0, or ERR_INPUT with diagnostics.
 */
#ifndef FLOW_DAG_SPEC_H
#define FLOW_DAG_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "dag/graph.h"

struct arena;
struct dag_input;
struct diags;
struct yaml;

/* One entry of deps, outs, metrics or plots. */
struct port_spec {
	const char *name; /* NULL: its path is its name */
	const struct yaml *path;
	uint32_t kind, flags; /* of an out: enum out_kind, enum out_flags */
};

struct ports {
	struct port_spec *items;
	uint32_t count;
};

/* What `defaults:` and a stage may both say. */
struct settings {
	struct retry retry;
	int64_t timeout_ms;
	uint64_t mem_bytes, log_bytes;
	struct stage_limits limits;
	uint32_t cpu_milli;
	bool allow_failure, no_cache;
};

struct stage_spec {
	const struct yaml *name;
	uint32_t kind;  /* enum stage_kind */
	uint32_t flags; /* enum stage_flags */
	uint32_t max_parallel;
	const struct yaml *action; /* value of cmd, uses or lua */
	const struct yaml
		*with; /* maps, lists or texts; NULL where the key is absent, from here on */
	const struct yaml *env, *cwd, *params, *needs;
	const struct yaml *foreach, *matrix, *secrets;
	struct ports deps, outs;  /* outs: metrics and plots last */
	struct settings settings; /* defaults merged in */
};

struct spec {
	const char *name;                              /* "" when absent */
	const struct yaml *params, *env, *default_env, *secrets; /* maps, or NULL */
	struct stage_spec *stages;
	uint32_t stage_count;
};

int spec_read(struct spec *s, struct arena *a, const struct dag_input *input,
	const struct yaml *root, struct diags *d);

#endif
