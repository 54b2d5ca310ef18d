/*
 * store/graph_cache.h - the compiled graph, kept in .flow/graph.cache.
 *
 *     graph_cache_load(&g, flow_fd, &input)     1 the graph; 0 there is none that fits: load the text
 *     graph_cache_save(&g, flow_fd, &input)        best effort: a cache that cannot be written is no fault
 *
 * It fits when dag.yaml, every file it includes, every environment variable it reads and every -p option are the same, byte
 * for byte. A file that is damaged or of another version does not fit. Reading YAML is most of what a run with nothing to do costs.
 */
#ifndef FLOW_STORE_GRAPH_CACHE_H
#define FLOW_STORE_GRAPH_CACHE_H

struct dag_input;
struct graph;

int graph_cache_load(struct graph *g, int flow_fd, const struct dag_input *input);
void graph_cache_save(const struct graph *g, int flow_fd, const struct dag_input *input);

#endif
