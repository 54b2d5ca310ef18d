/* The two passes of a network: which operation each layer is. */
#include <string.h>

#include "nn/bags.h"
#include "nn/net.h"

#define RUNNING_SHARE 0.1f /* of the newest batch in a batch norm's running mean and variance */
#define KERNEL_SIDE   3

static float *input_of(const struct net *net, size_t i)
{
	return i == 0 ? net->input : net->layer[i - 1].y;
}

static struct nn_conv conv_of(const struct net *net, size_t i, size_t rows)
{
	const struct layer *layer = &net->layer[i];

	return (struct nn_conv){ .count = rows,
		.height = layer->in.height,
		.width = layer->in.width,
		.channels = layer->in.channels,
		.outputs = layer->out.channels,
		.size = KERNEL_SIDE,
		.pad = KERNEL_SIDE / 2,
		.x = input_of(net, i),
		.weight = net->weight + layer->weight,
		.bias = net->weight + layer->bias,
		.y = layer->y,
		.relu = layer->relu };
}

static struct nn_pool pool_of(const struct net *net, size_t i, size_t rows)
{
	const struct layer *layer = &net->layer[i];

	return (struct nn_pool){ .count = rows,
		.height = layer->in.height,
		.width = layer->in.width,
		.channels = layer->in.channels,
		.size = layer->kind == LAYER_POOL ? 2 : 0,
		.x = input_of(net, i),
		.y = layer->y };
}

/* A norm works on rows of channels: an image is as many rows as it has places. */
static struct nn_norm norm_of(const struct net *net, size_t i, size_t rows)
{
	const struct layer *layer = &net->layer[i];
	size_t channels = layer->out.channels;

	return (struct nn_norm){ .rows = rows * (shape_size(&layer->out) / channels),
		.columns = channels,
		.x = input_of(net, i),
		.gain = net->weight + layer->weight,
		.shift = net->weight + layer->bias,
		.y = layer->y,
		.relu = layer->relu,
		.stats = layer->stats,
		.mean = net->running + layer->running,
		.variance = net->running + layer->running + channels };
}

static struct nn_map map_of(
	const struct net *net, size_t i, size_t rows, const struct net_mode *mode)
{
	const struct layer *layer = &net->layer[i];

	return (struct nn_map){ .to = layer->y,
		.a = input_of(net, i),
		.b = layer->kind == LAYER_ADD ? net->layer[layer->skip].y : NULL,
		.count = rows * shape_size(&layer->out),
		.kind = net->design.activation,
		.keep = 1 - net->design.dropout,
		.seed = mode->seed,
		.stream = { mode->step, (uint32_t)i } };
}

static int is_frozen(const struct layer *layer)
{
	return layer_weights(layer) == 0 || (layer->is_weight_frozen && layer->is_bias_frozen);
}

static int is_fixed(const struct layer *layer)
{
	return layer->kind == LAYER_BATCH_NORM && is_frozen(layer);
}

static void batch_norm(struct net *net, size_t i, size_t rows, int is_training)
{
	const struct nn_norm norm = norm_of(net, i, rows);
	float *running = net->running + net->layer[i].running;
	struct nn_map blend = { .count = norm.columns, .share = RUNNING_SHARE };

	if (!is_training || is_fixed(&net->layer[i])) {
		net->ops->batch_norm_apply(net->device, &norm);
		return;
	}
	net->ops->batch_norm(net->device, &norm);
	blend.to = running;
	blend.a = norm.stats;
	net->ops->blend(net->device, &blend);
	blend.to = running + norm.columns;
	blend.a = norm.stats + 2 * norm.columns;
	net->ops->blend(net->device, &blend);
}

static void linear(struct net *net, size_t i, size_t rows)
{
	const struct layer *layer = &net->layer[i];

	net->ops->product(net->device, &(struct nn_product){ .rows = rows,
					       .columns = layer->out.channels,
					       .depth = shape_size(&layer->in),
					       .a = input_of(net, i),
					       .b = net->weight + layer->weight,
					       .c = layer->y,
					       .bias = net->weight + layer->bias,
					       .relu = layer->relu });
}

static struct nn_embed embed_of(const struct net *net, size_t i, size_t rows)
{
	const struct layer *layer = &net->layer[i];

	return (struct nn_embed){ .rows = rows,
		.columns = layer->in.channels,
		.plain = layer->plain,
		.plain_count = layer->plain_count,
		.table = layer->table,
		.table_count = layer->table_count,
		.outputs = layer->out.channels,
		.x = input_of(net, i),
		.weight = net->weight + layer->weight,
		.y = layer->y };
}

static void bag(struct net *net, size_t i, size_t rows)
{
	const struct layer *layer = &net->layer[i];
	const struct bag_batch *batch = net->bag;
	int is_biased = layer_biases(layer) != 0;

	net->ops->bag(net->device, &(struct nn_bag){ .rows = rows,
					   .columns = layer->out.channels,
					   .begin = batch->begin,
					   .index = batch->cell,
					   .share = batch->share,
					   .from = net->weight + layer->weight,
					   .bias = is_biased ? net->weight + layer->bias : NULL,
					   .to = layer->y });
}

static void forward(struct net *net, size_t i, size_t rows, const struct net_mode *mode)
{
	const struct nn_conv conv = conv_of(net, i, rows);
	const struct nn_pool pool = pool_of(net, i, rows);
	const struct nn_norm norm = norm_of(net, i, rows);
	const struct nn_map map = map_of(net, i, rows, mode);
	const struct nn_embed embed = embed_of(net, i, rows);

	switch (net->layer[i].kind) {
	case LAYER_LINEAR: linear(net, i, rows); break;
	case LAYER_BAG: bag(net, i, rows); break;
	case LAYER_CONV: net->ops->conv(net->device, &conv); break;
	case LAYER_BATCH_NORM: batch_norm(net, i, rows, mode->is_training); break;
	case LAYER_LAYER_NORM: net->ops->layer_norm(net->device, &norm); break;
	case LAYER_ACTIVATE: net->ops->activate(net->device, &map); break;
	case LAYER_DROPOUT:
		if (mode->is_training)
			net->ops->dropout(net->device, &map);
		else
			net->ops->copy(net->device, map.to, map.a, map.count * sizeof(float));
		break;
	case LAYER_POOL:
	case LAYER_MEAN: net->ops->pool(net->device, &pool); break;
	case LAYER_ADD: net->ops->add(net->device, &map); break;
	case LAYER_EMBED: net->ops->embed(net->device, &embed); break;
	}
}

float *net_forward(struct net *net, size_t rows, const struct net_mode *mode)
{
	for (size_t i = 0; i < net->layer_count; i++)
		forward(net, i, rows, mode);
	return net->layer[net->layer_count - 1].y;
}

/* Can the layer above leave the slope of this one's ReLU to its product? */
static int is_gated(const struct layer *layer)
{
	return layer->relu && !layer->is_kept;
}

static void linear_back(struct net *net, size_t i, size_t rows, const float *dy, float *dx)
{
	const struct layer *layer = &net->layer[i];
	size_t in = shape_size(&layer->in), out = layer->out.channels;

	if (!layer->is_weight_frozen)
		net->ops->product(net->device, &(struct nn_product){ .rows = in,
						       .columns = out,
						       .depth = rows,
						       .a = input_of(net, i),
						       .a_turned = 1,
						       .b = dy,
						       .c = net->gradient + layer->weight });
	if (!layer->is_bias_frozen)
		net->ops->column_sum(net->device, net->gradient + layer->bias, dy, rows, out);
	if (i > net->first)
		net->ops->product(
			net->device, &(struct nn_product){ .rows = rows,
					     .columns = in,
					     .depth = out,
					     .a = dy,
					     .b = net->weight + layer->weight,
					     .b_turned = 1,
					     .c = dx,
					     .gate = is_gated(layer - 1) ? layer[-1].y : NULL });
}

static void bag_back(struct net *net, size_t i, size_t rows, const float *dy)
{
	const struct layer *layer = &net->layer[i];
	const struct bag_batch *batch = net->bag;

	if (!layer->is_weight_frozen)
		net->ops->bag(net->device, &(struct nn_bag){ .rows = batch->cells,
						   .columns = layer->out.channels,
						   .begin = batch->cell_begin,
						   .index = batch->row,
						   .share = batch->row_share,
						   .from = dy,
						   .to = net->gradient + layer->weight });
	if (layer_biases(layer) != 0 && !layer->is_bias_frozen)
		net->ops->column_sum(net->device, net->gradient + layer->bias, dy, rows,
			layer->out.channels);
}

static void conv_back(struct net *net, size_t i, size_t rows, const float *dy, float *dx)
{
	const struct layer *layer = &net->layer[i];
	struct nn_conv conv = conv_of(net, i, rows);

	conv.dy = dy;
	conv.dx = dx;
	conv.dweight = net->gradient + layer->weight;
	if (!layer->is_weight_frozen)
		net->ops->conv_back_weight(net->device, &conv);
	if (!layer->is_bias_frozen)
		net->ops->column_sum(net->device, net->gradient + layer->bias, dy,
			rows * layer->out.height * layer->out.width, layer->out.channels);
	if (i > net->first)
		net->ops->conv_back_input(net->device, &conv);
}

static void norm_back(struct net *net, size_t i, size_t rows, const float *dy, float *dx)
{
	const struct layer *layer = &net->layer[i];
	struct nn_norm norm = norm_of(net, i, rows);

	if (is_fixed(layer)) { /* a factor for each column, as forward, but without the shifts */
		norm.x = dy;
		norm.y = dx;
		norm.mean = norm.shift = net->zeros;
		norm.relu = 0;
		net->ops->batch_norm_apply(net->device, &norm);
		return;
	}
	norm.dy = dy;
	norm.dx = dx;
	norm.dgain = layer->is_weight_frozen ? net->unused : net->gradient + layer->weight;
	norm.dshift =
		layer->is_bias_frozen ? net->unused + norm.columns : net->gradient + layer->bias;
	if (layer->kind == LAYER_BATCH_NORM)
		net->ops->batch_norm_back(net->device, &norm);
	else
		net->ops->layer_norm_back(net->device, &norm);
}

/* dy is made complete: what came by a skip, the slope of a ReLU that went along. */
static void complete(struct net *net, size_t i, size_t rows, float *dy)
{
	const struct layer *layer = &net->layer[i], *above = layer + 1;
	struct nn_map map = { .to = dy, .a = dy, .count = rows * shape_size(&layer->out) };
	int done = i + 1 < net->layer_count && above->kind == LAYER_LINEAR && is_gated(layer);

	if (layer->is_kept) {
		map.b = layer->more;
		net->ops->add(net->device, &map);
	}
	if (layer->relu && !done) {
		map.b = layer->y;
		map.kind = NN_RELU;
		net->ops->activate_back(net->device, &map);
	}
}

/* The slope of the layer's input, in dx or, when 1 is returned, in dy itself. Below the first layer
 * that learns nobody wants it. */
static int backward(
	struct net *net, size_t i, size_t rows, const struct net_mode *mode, float *dy, float *dx)
{
	struct nn_pool pool = pool_of(net, i, rows);
	struct nn_map map = map_of(net, i, rows, mode);
	struct nn_embed embed = embed_of(net, i, rows);

	map.to = dy;
	map.a = dy;
	switch (net->layer[i].kind) {
	case LAYER_LINEAR: linear_back(net, i, rows, dy, dx); return 0;
	case LAYER_BAG: bag_back(net, i, rows, dy); return 0;
	case LAYER_CONV: conv_back(net, i, rows, dy, dx); return 0;
	case LAYER_BATCH_NORM:
	case LAYER_LAYER_NORM: norm_back(net, i, rows, dy, dx); return 0;
	case LAYER_POOL:
	case LAYER_MEAN:
		pool.dy = dy;
		pool.dx = dx;
		net->ops->pool_back(net->device, &pool);
		return 0;
	case LAYER_ACTIVATE:
		map.b = input_of(net, i);
		net->ops->activate_back(net->device, &map);
		return 1;
	case LAYER_DROPOUT: net->ops->dropout(net->device, &map); return 1;
	case LAYER_ADD:
		net->ops->copy(net->device, net->layer[net->layer[i].skip].more, dy,
			map.count * sizeof(float));
		return 1;
	case LAYER_EMBED:
		embed.dy = dy;
		embed.dweight = net->gradient + net->layer[i].weight;
		net->ops->embed_back(net->device, &embed);
		return 0;
	}
	return 1;
}

void net_backward(struct net *net, size_t rows, const struct net_mode *mode)
{
	float *dy = net->layer[net->layer_count - 1].y;
	int other = 0;

	for (net->first = 0; net->first < net->layer_count; net->first++)
		if (!is_frozen(&net->layer[net->first]))
			break;
	for (size_t i = net->layer_count; i-- > net->first;) {
		complete(net, i, rows, dy);
		if (backward(net, i, rows, mode, dy, net->slope[other]))
			continue;
		dy = net->slope[other];
		other = !other;
	}
}
