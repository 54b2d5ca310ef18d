/*
 * dag/expand.h - spec -> nodes: foreach and matrix unrolled, every ${...} resolved.
 *
 *     expand(build, spec, params)
 * Fills the stages, nodes, deps, outs, fields, words and needs of the build. Counts before it
 * makes: more than BUILD_NODES_MAX tasks is an error at once. Returns 0, or ERR_INPUT with
 * diagnostics.
 */
#ifndef FLOW_DAG_EXPAND_H
#define FLOW_DAG_EXPAND_H

struct build;
struct params;
struct spec;

int expand(struct build *b, const struct spec *spec, const struct params *params);

#endif
