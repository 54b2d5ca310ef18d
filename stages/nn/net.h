/*
 * nn/net.h - a network: layers in a row, their weights, one forward and one backward pass.
 *
 *     struct net net;
 *     net_init(&net, &design, &nn_cpu, threads, fault);  net_reserve(&net, rows, 1, fault);
 *     net_draw(&net, seed);                              first weights
 *     ...fill net.input...  scores = net_forward(&net, rows, &mode);
 *     ...turn the scores into their slopes, in place...  net_backward(&net, rows, &mode);
 *     net_release(&net);
 *
 * All weights lie in one run of floats, and so do their gradients, in the same order: what an
 * optimiser or a checkpoint does, it does to the whole. The matrices come first: [0, decayed) is
 * what weight decay is for. The design says everything; layers follow from it alone, so a model
 * file needs the design and the weights (netfile.h).
 *
 * mlp: columns that are categories are replaced by their numbers, behind the others; a code that is
 * none takes the last row of its table, which is 0 and does not learn (PyTorch's padding_idx). Then
 * for each of `hidden`: linear, norm, activation, dropout, and the block's input added when
 * `residual` and the widths agree, though not around the first; then the head. cnn: for each of `stages`: two 3 x 3 convolutions
 * of that many channels with norm and activation, the first one's output added to the second's when
 * `residual`, halved by a pool; then as mlp, or the mean over the image when there is no hidden.
 * text: rows are bags of cells (bags.h), net.bag instead of net.input: each cell's row of an
 * embedding, added up by share, then as mlp; without an embedding the head is that sum. The gradient
 * of those weights is short: row i of its place belongs to cell bag->distinct[i], for bag->cells of
 * them.
 */
#ifndef FLOW_STAGES_NN_NET_H
#define FLOW_STAGES_NN_NET_H

#include <stddef.h>
#include <stdint.h>

#include "nn/ops.h"

struct bag_batch;
struct fault;

#define NET_DEPTH_MAX      32    /* entries of hidden, and of stages */
#define NET_WIDTH_MAX      65536 /* of one */
#define NET_LAYERS_MAX     400
#define NET_NAME_MAX       60
#define NET_CATEGORIES_MAX 48                /* columns that are embedded */
#define NET_CODES_MAX      65536             /* of one */
#define NET_BYTES_MAX      ((size_t)1 << 36) /* of one run of floats */

enum net_kind { NET_MLP, NET_CNN, NET_TEXT };
enum net_norm { NET_NORM_NONE, NET_NORM_BATCH, NET_NORM_LAYER };

/* A column whose whole numbers from 0 to codes - 1 are names; each has `width` numbers that learn. */
struct net_category {
	size_t column, codes, width;
};

struct net_design {
	enum net_kind kind;
	size_t height, width, channels; /* of the input; a table is 1 x 1 x columns, text x cells */
	size_t outputs;
	size_t hidden[NET_DEPTH_MAX], hidden_count;
	size_t stages[NET_DEPTH_MAX], stage_count;        /* cnn */
	struct net_category category[NET_CATEGORIES_MAX]; /* mlp: by column */
	size_t category_count;
	size_t embedding; /* text: its width; 0: none */
	enum net_norm norm;
	enum nn_activation activation;
	float dropout; /* share that is left out */
	int residual;
	size_t weights_max; /* more are refused; 0: as many as there may be */
};

enum layer_kind {
	LAYER_LINEAR,
	LAYER_CONV,
	LAYER_BATCH_NORM,
	LAYER_LAYER_NORM,
	LAYER_ACTIVATE,
	LAYER_DROPOUT,
	LAYER_POOL,  /* by 2, the largest */
	LAYER_MEAN,  /* over the image */
	LAYER_ADD,   /* the output of layer `skip` */
	LAYER_EMBED, /* the first: categories by their tables */
	LAYER_BAG,   /* text: the first */
};

struct shape {
	size_t height, width, channels;
};

struct layer {
	enum layer_kind kind;
	char name[NET_NAME_MAX]; /* of what has weights */
	struct shape in, out;
	int relu;    /* a ReLU is done in the same go */
	int is_kept; /* a later ADD wants its output */
	size_t skip;
	size_t weight, bias; /* where they begin in the run; a norm's gain and shift */
	size_t running;      /* batch norm: where mean and variance begin in net.running */
	/* They do not learn: no gradient is made for them, theirs stays 0. A batch norm of which
	 * neither learns keeps its running mean and variance as well, and uses them. */
	int is_weight_frozen, is_bias_frozen;
	/* Embedding: the columns that stay, and the others' tables, of the net. */
	size_t *plain, plain_count;
	struct nn_table *table;
	size_t table_count;
	/* From net_reserve(). */
	float *y, *stats;
	float *more; /* what reaches y's gradient by a skip */
};

/* What a pass is for. */
struct net_mode {
	int is_training; /* batch statistics, dropout */
	uint64_t seed;
	uint32_t step; /* dropout's numbers are a function of seed, step and layer */
};

struct net {
	struct net_design design;
	const struct nn_ops *ops;
	struct nn_device *device;
	struct layer *layer;
	size_t layer_count;
	size_t features;              /* values of an input row; text: 0 */
	size_t weight_count, decayed; /* floats */
	size_t sparse; /* weights at the beginning that are a bag's */
	size_t running_count;
	float *weight, *gradient, *running; /* the device's */
	/* From net_reserve(). */
	size_t room;
	float *input, *slope[2];
	float *zeros, *unused; /* as long as a norm is wide; twice that, for what nobody wants */
	size_t first;          /* layer that has something to learn, of the pass at work */
	const struct bag_batch *bag; /* text: of the next pass; the caller's */
};

/* Checks the design; *net is written on success only. */
int net_init(struct net *net, const struct net_design *design, const struct nn_ops *ops,
	unsigned threads, struct fault *fault);
void net_release(struct net *net); /* zeroed: nothing */

/* Tensor number `which` of a layer, as netfile.h counts them, does not learn. */
void net_freeze(struct net *net, size_t layer, unsigned which);

/* Floats that a training pass needs for each row, beside the weights. */
size_t net_row_values(const struct net *net);
/* Memory for passes of up to that many rows. */
int net_reserve(struct net *net, size_t rows, int is_training, struct fault *fault);

/* First weights as PyTorch draws them: uniform within 1 / sqrt(inputs); norms are 1 and 0. */
void net_draw(struct net *net, uint64_t seed);

/* Scores [rows][outputs] of net.input, the device's, valid until the next pass. */
float *net_forward(struct net *net, size_t rows, const struct net_mode *mode);
/* From the slopes that lie where the scores were to net.gradient. After net_forward() in training
 * mode, of the same rows. */
void net_backward(struct net *net, size_t rows, const struct net_mode *mode);

/* The same weights in PyTorch's layout and back: [out][in], [out][in][height][width]. Both runs are
 * the host's, and each layer's weights begin at the same place in both. */
void net_to_rows(const struct net *net, float *rows, const float *weights);
void net_from_rows(const struct net *net, float *weights, const float *rows);

size_t shape_size(const struct shape *shape);
size_t layer_weights(const struct layer *layer); /* floats from .weight on */
size_t layer_biases(const struct layer *layer);

#endif
