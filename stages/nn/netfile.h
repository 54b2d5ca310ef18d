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

#include <stdint.h>

#include "nn/net.h"

struct tensors;

#define NET_TENSOR_NAME_MAX (NET_NAME_MAX + 20)

/* One tensor of a layer as PyTorch has it, and where its floats lie in net.weight or net.running. */
struct net_tensor {
	char name[NET_TENSOR_NAME_MAX];
	unsigned dimensions;
	uint64_t shape[4];
	size_t offset;
	int is_running;
};

/* Tensor number `which` of a layer: 0 its weight, 1 its bias. 0: it has no more. */
int net_tensor_of(const struct layer *layer, unsigned which, struct net_tensor *tensor);
size_t net_tensor_size(const struct net_tensor *tensor); /* floats */

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

/* All weights of the net, as net_to_rows() has them, from its device and to it. weights: of the device,
 * NULL for the net's own. */
void netfile_down(const struct net *net, const float *weights, float *rows, float *running);
void netfile_up(const struct net *net, const float *rows, const float *running);

/* One of them. Its floats are written even when they are refused for not being finite. */
int netfile_take_one(float *to, const struct tensors *file, const struct net_tensor *tensor,
	struct fault *fault);

/* input.mean and input.std, of scaling->features values each. */
int netfile_take_scaling(struct scaling *scaling, const struct tensors *file, struct fault *fault);

/* weights, running: of the device, NULL for the net's own. `notes` holds more metadata, and gets the
 * tensors. */
int netfile_save(const struct net *net, const float *weights, const struct scaling *scaling,
	struct tensors *notes, const char *path, struct fault *fault);
/* Both written on success only. `loss` is the note of that name: what the outputs are. */
int netfile_load(struct net *net, struct scaling *scaling, char loss[20], const struct nn_ops *ops,
	unsigned threads, const char *path, struct fault *fault);

#endif
