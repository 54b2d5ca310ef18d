/*
 * tests/fuzz/world.h - a disk and an environment out of nothing, and everything that reads a graph.
 *
 *     struct dag_input input = fuzz_input(text, len);  dag_load(&g, &input, &diags, &e);  fuzz_read_graph(&g);
 */
#ifndef FLOW_TESTS_FUZZ_WORLD_H
#define FLOW_TESTS_FUZZ_WORLD_H

#include <stddef.h>

#include "dag/load.h"

struct graph;

/* params.yaml is there with some parameters, absent.yaml is not; any other file is empty. UNSET is no variable. */
struct dag_input fuzz_input(const char *text, size_t len);

/* Load it; everything that reads a graph reads it; a graph that was refused has at least one diagnostic. */
void fuzz_load(const struct dag_input *input);

/* Draw it, select from it, make keys and a plan of it. A text that leads out of the pool is the sanitizer's to find. */
void fuzz_read_graph(const struct graph *g);

#endif
