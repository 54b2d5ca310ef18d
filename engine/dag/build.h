/*
 * dag/build.h - a graph under construction.
 *
 * dag_load() makes one, hands it from step to step and releases it: params fill `sources`; expand
 * fills stages, nodes and what hangs on them; edges fills `links` and the producers of deps; order
 * fills depths; freeze copies the tables into one block. Texts are offsets into `text`, as in the
 * finished graph.
 */
#ifndef FLOW_DAG_BUILD_H
#define FLOW_DAG_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dag/graph.h"
#include "dag/text_pool.h"

#define BUILD_NODES_MAX 1000000u
#define BUILD_PORTS_MAX 20000000u /* deps and outs together; edges */

struct arena;
struct dag_input;
struct diags;

/* A wish of a node: to come after a stage or task of that name. */
struct need {
	uint32_t node;
	uint32_t name; /* text */
	struct pos at;
	uint32_t width;
};

#define BUILD_TABLE(name, type)    \
	struct name##_table {      \
		type *items;       \
		size_t count, cap; \
	}

BUILD_TABLE(node, struct node);
BUILD_TABLE(stage, struct stage);
BUILD_TABLE(field, struct field);
BUILD_TABLE(dep, struct dep);
BUILD_TABLE(out, struct out);
BUILD_TABLE(word, uint32_t);
BUILD_TABLE(need, struct need);

struct build {
	struct arena *arena; /* lives until dag_load ends */
	struct diags *diags;
	const struct dag_input *input;
	struct text_pool text;
	struct node_table nodes;
	struct stage_table stages;
	struct field_table fields; /* with, params and env of nodes */
	struct field_table params; /* all leaves, sorted */
	struct field_table sources;
	struct dep_table deps;
	struct out_table outs;
	struct word_table links, words;
	struct need_table needs;
	uint32_t name; /* of the dag */
};

#endif
