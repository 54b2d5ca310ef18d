/*
 * nn/embed.h - the layer of a network that turns categories into numbers; for net.c.
 *
 * Its weights are the tables, one behind the other: tensor number t of the layer is table t.
 */
#ifndef FLOW_STAGES_NN_EMBED_H
#define FLOW_STAGES_NN_EMBED_H

#include <stddef.h>

struct fault;
struct layer;
struct net_design;

int embed_check(const struct net_design *design, struct fault *fault);
/* Fills in the layer; its lists are free()d with it. */
void embed_build(struct layer *layer, const struct net_design *design);
size_t embed_weights(const struct layer *layer);

#endif
