/*
 * nn/netfile.h - a network as a model file: safetensors with PyTorch's names and layout.
 *
 *     netfile_save(&net, &scale, notes, path, fault);
 *     netfile_load(&net, &scale, &task, &nn_cpu, threads, path, fault);  ...  net_release(&net);
 *
 * Tensors: `hidden.0.linear.weight`, `hidden.0.norm.running_mean`, ..., `head.bias`, and
 * `input.mean`, `input.std` (see struct scaling), so that whoever uses the model prepares its input
 * with the bytes it was trained with. The design is in the metadata, as text. A file is checked
 * against its design tensor by tensor; values that are not finite are refused.
 */
#ifndef FLOW_STAGES_NN_NETFILE_H
#define FLOW_STAGES_NN_NETFILE_H

#include <stddef.h>

#include "nn/net.h"

struct tensors;

/* input[j] = (value[j] * unit - mean[j]) / deviation[j]; unit is 1/255 for bytes, 1 for numbers. */
struct scaling {
	size_t features;
	float unit;
	float *mean, *deviation;
};

void scaling_init(struct scaling *scaling, size_t features, float unit); /* mean 0, deviation 1 */
void scaling_release(struct scaling *scaling);                           /* zeroed: nothing */
/* The same as one factor and one shift, for nn_gather. */
void scaling_linear(const struct scaling *scaling, float *scale, float *shift);

/* The net's tensors and notes added to `file`; rows and running, of the caller, are borrowed until
 * the file is written: rows as net_to_rows() made them. */
void netfile_add(
	const struct net *net, const float *rows, const float *running, struct tensors *file);
/* The reverse, into the same runs; names and shapes must be those of the net. */
int netfile_take(const struct net *net, float *rows, float *running, const struct tensors *file,
	struct fault *fault);

/* weights, running: of the device, NULL for the net's own. `notes` holds more metadata, and gets the
 * tensors. */
int netfile_save(const struct net *net, const float *weights, const struct scaling *scaling,
	struct tensors *notes, const char *path, struct fault *fault);
/* Both written on success only. `loss` is the note of that name: what the outputs are. */
int netfile_load(struct net *net, struct scaling *scaling, char loss[20], const struct nn_ops *ops,
	unsigned threads, const char *path, struct fault *fault);

#endif
