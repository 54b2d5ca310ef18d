/*
 * dag/freeze.h - the finished graph as one block, and the block's layout.
 *
 * The block is: head, stages, nodes, deps, outs, fields (of nodes, then params, then sources),
 * links, words, text; in native byte order, checked by magic, format, struct sizes and a checksum
 * over all that follows the head's first 24 bytes.
 */
#ifndef FLOW_DAG_FREEZE_H
#define FLOW_DAG_FREEZE_H

#include <stdint.h>

#include "dag/graph.h"

struct build;

#define GRAPH_MAGIC  "FLOWGRP2"
#define GRAPH_FORMAT 2u /* raised whenever a struct of dag/graph.h, or what it means, changes */

struct graph_head {
	char magic[8];
	uint64_t size;     /* of the block */
	uint64_t checksum; /* XXH3-64 of what follows this member */
	uint32_t format;
	uint32_t layout; /* graph_layout() of the writer */
	uint32_t stages, nodes, deps, outs;
	uint32_t fields, params, sources; /* of nodes; of the dag; read to make it */
	uint32_t links, words, text;      /* text: bytes */
	uint32_t name;                    /* text */
	uint32_t zero;
};

/* Where the tables of a block with that head begin; returns the block's size, or 0 when the
 * counts overflow. */
uint64_t graph_tables(struct graph *g, const struct graph_head *head);
uint32_t graph_layout(void); /* changes when a struct's size does */
uint64_t graph_checksum(const struct graph_head *head);

/* Copy a build into a block of its own. */
void graph_freeze(struct graph *g, const struct build *b);

#endif
