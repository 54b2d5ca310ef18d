/*
 * nn/host.h - the memory half of the table, for devices whose memory is the host's, and the parts
 * of the loss that must be the same everywhere.
 */
#ifndef FLOW_STAGES_NN_HOST_H
#define FLOW_STAGES_NN_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "nn/ops.h"

void *host_alloc(struct nn_device *d, size_t bytes); /* on a border of 64 bytes */
void host_release(struct nn_device *d, void *memory);
void host_copy(struct nn_device *d, void *to, const void *from, size_t bytes);
void host_sync(struct nn_device *d);

/* Four random numbers for values 4 * group to 4 * group + 3 of a dropout, and whether a number means
 * that its value is kept. */
void host_draw(uint32_t draw[4], uint64_t seed, const uint32_t stream[2], size_t group);
int host_kept(uint32_t draw, float keep);

/* The row of a table that stands for x. */
size_t host_code(const struct nn_table *table, float x);

/* The loss of one value, of any kind but softmax, and its slope. */
double host_loss(
	const struct nn_loss *l, size_t column, double score, double target, double *slope);

#endif
