#include "nn/net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/philox.h"
#include "common/text.h"
#include "nn/embed.h"

#define KERNEL_SIDE 3
#define NET_HEAD    "head"

size_t shape_size(const struct shape *shape)
{
	return shape->height * shape->width * shape->channels;
}

size_t layer_weights(const struct layer *layer)
{
	switch (layer->kind) {
	case LAYER_BAG:
	case LAYER_LINEAR: return shape_size(&layer->in) * layer->out.channels;
	case LAYER_CONV:
		return KERNEL_SIDE * KERNEL_SIDE * layer->in.channels * layer->out.channels;
	case LAYER_BATCH_NORM:
	case LAYER_LAYER_NORM: return layer->out.channels;
	case LAYER_EMBED: return embed_weights(layer);
	case LAYER_ACTIVATE:
	case LAYER_DROPOUT:
	case LAYER_POOL:
	case LAYER_MEAN:
	case LAYER_ADD: break;
	}
	return 0;
}

static int is_embedding(const struct layer *layer)
{
	return layer->kind == LAYER_BAG && strcmp(layer->name, NET_HEAD) != 0;
}

size_t layer_biases(const struct layer *layer)
{
	if (is_embedding(layer) || layer->kind == LAYER_EMBED)
		return 0;
	return layer_weights(layer) != 0 ? layer->out.channels : 0;
}

static int has_matrix(const struct layer *layer)
{
	return layer->kind == LAYER_LINEAR || layer->kind == LAYER_CONV ||
	       layer->kind == LAYER_EMBED || layer->kind == LAYER_BAG;
}

/* One more layer after those that are there; its output is shaped as its input until said. */
static struct layer *add(struct net *net, enum layer_kind kind)
{
	struct layer *layer = &net->layer[net->layer_count++];
	const struct net_design *design = &net->design;

	layer->kind = kind;
	if (net->layer_count > 1)
		layer->in = layer[-1].out;
	else
		layer->in = (struct shape){ design->height, design->width, design->channels };
	layer->out = layer->in;
	return layer;
}

static void add_norm(struct net *net, const char *block, size_t number)
{
	struct layer *layer;

	if (net->design.norm == NET_NORM_NONE)
		return;
	layer = add(net, net->design.norm == NET_NORM_BATCH ? LAYER_BATCH_NORM : LAYER_LAYER_NORM);
	(void)snprintf(layer->name, sizeof layer->name, "%.27s.%zu.norm", block, number);
}

/* A ReLU goes along with the layer before. */
static void add_activation(struct net *net)
{
	if (net->design.activation == NN_RELU)
		net->layer[net->layer_count - 1].relu = 1;
	else
		(void)add(net, LAYER_ACTIVATE);
}

static void add_skip(struct net *net, size_t from)
{
	add(net, LAYER_ADD)->skip = from;
	net->layer[from].is_kept = 1;
}

static void add_hidden(struct net *net, size_t number)
{
	size_t before = net->layer_count; /* of the block's input, plus 1 */
	int is_first = before == 0 || net->layer[before - 1].kind == LAYER_EMBED;
	struct layer *layer = add(net, LAYER_LINEAR);
	int fits;

	(void)snprintf(layer->name, sizeof layer->name, "hidden.%zu.linear", number);
	layer->out = (struct shape){ 1, 1, net->design.hidden[number] };
	fits = net->design.residual && !is_first && shape_size(&layer->in) == layer->out.channels &&
	       layer->in.height == 1;
	add_norm(net, "hidden", number);
	add_activation(net);
	if (net->design.dropout > 0)
		(void)add(net, LAYER_DROPOUT);
	if (fits)
		add_skip(net, before - 1);
}

static void add_conv(struct net *net, size_t stage, size_t number)
{
	struct layer *layer = add(net, LAYER_CONV);
	char name[28];

	(void)snprintf(name, sizeof name, "stages.%zu", stage);
	(void)snprintf(layer->name, sizeof layer->name, "%.27s.%zu.conv", name, number);
	layer->out.channels = net->design.stages[stage];
	add_norm(net, name, number);
}

static void add_stage(struct net *net, size_t stage)
{
	struct layer *layer;
	size_t first;

	add_conv(net, stage, 0);
	add_activation(net);
	first = net->layer_count - 1;
	add_conv(net, stage, 1);
	if (net->design.residual) {
		add_skip(net, first);
		(void)add(net, LAYER_ACTIVATE);
	} else {
		add_activation(net);
	}
	layer = &net->layer[net->layer_count - 1];
	if (layer->out.height < 2 || layer->out.width < 2)
		return;
	layer = add(net, LAYER_POOL);
	layer->out.height /= 2;
	layer->out.width /= 2;
}

static void add_layers(struct net *net)
{
	const struct net_design *design = &net->design;
	struct layer *layer;

	if (design->category_count != 0)
		embed_build(add(net, LAYER_EMBED), design);
	if (design->embedding != 0) {
		layer = add(net, LAYER_BAG);
		(void)snprintf(layer->name, sizeof layer->name, "embedding");
		layer->out = (struct shape){ 1, 1, design->embedding };
	}
	for (size_t i = 0; i < design->stage_count; i++)
		add_stage(net, i);
	if (design->stage_count != 0 && design->hidden_count == 0) {
		layer = add(net, LAYER_MEAN);
		layer->out.height = layer->out.width = 1;
	}
	for (size_t i = 0; i < design->hidden_count; i++)
		add_hidden(net, i);
	layer = add(net, design->kind == NET_TEXT && net->layer_count == 0 ? LAYER_BAG
									 : LAYER_LINEAR);
	(void)snprintf(layer->name, sizeof layer->name, NET_HEAD);
	layer->out = (struct shape){ 1, 1, design->outputs };
}

/* Where weights lie: matrices first, since only they decay. */
static int place(struct net *net, struct fault *fault)
{
	size_t most = net->design.weights_max != 0 ? net->design.weights_max
						   : NET_BYTES_MAX / sizeof(float);

	for (int matrices = 1; matrices >= 0; matrices--) {
		for (size_t i = 0; i < net->layer_count; i++) {
			struct layer *layer = &net->layer[i];

			if (has_matrix(layer) == matrices) {
				layer->weight = net->weight_count;
				net->weight_count += layer_weights(layer);
			}
			if (!matrices) {
				layer->bias = net->weight_count;
				net->weight_count += layer_biases(layer);
			}
			if (net->weight_count > most)
				return fault_set(fault,
					"the network has more than the %zu weights there may be",
					most);
		}
		if (matrices)
			net->decayed = net->weight_count;
	}
	for (size_t i = 0; i < net->layer_count; i++) {
		if (net->layer[i].kind != LAYER_BATCH_NORM)
			continue;
		net->layer[i].running = net->running_count;
		net->running_count += 2 * net->layer[i].out.channels;
	}
	return 0;
}

static int check_widths(const size_t *width, size_t count, const char *what, struct fault *fault)
{
	if (count > NET_DEPTH_MAX)
		return fault_set(fault, "%s has more than %d entries", what, NET_DEPTH_MAX);
	for (size_t i = 0; i < count; i++)
		if (width[i] == 0 || width[i] > NET_WIDTH_MAX)
			return fault_set(fault, "%s has a width of %zu; from 1 to %d are possible",
				what, width[i], NET_WIDTH_MAX);
	return 0;
}

static int check(const struct net_design *design, struct fault *fault)
{
	const size_t side_max = 4096, values_max = (size_t)1 << 24;

	if (check_widths(design->hidden, design->hidden_count, "hidden", fault) < 0 ||
		check_widths(design->stages, design->stage_count, "stages", fault) < 0)
		return -1;
	if (design->height == 0 || design->width == 0 || design->channels == 0 ||
		design->height > side_max || design->width > side_max ||
		design->channels > values_max / design->height / design->width)
		return fault_set(fault, "a network cannot take rows of %zu x %zu x %zu values",
			design->height, design->width, design->channels);
	if (embed_check(design, fault) < 0)
		return -1;
	if (design->outputs == 0 || design->outputs > NET_WIDTH_MAX)
		return fault_set(fault, "a network cannot have %zu outputs", design->outputs);
	if (!(design->dropout >= 0 && design->dropout < 1))
		return fault_set(fault, "dropout is %g; from 0 to below 1 is possible",
			(double)design->dropout);
	if (design->embedding > NET_WIDTH_MAX || (design->embedding != 0) > (design->kind == NET_TEXT))
		return fault_set(fault, "an embedding of %zu; from 0 to %d are possible, for text",
			design->embedding, NET_WIDTH_MAX);
	if (design->kind == NET_TEXT && design->embedding == 0 && design->hidden_count != 0)
		return fault_set(fault, "hidden layers of a text need an embedding before them");
	if (design->kind != NET_CNN && design->stage_count != 0)
		return fault_set(fault, "stages are for a cnn");
	if (design->kind == NET_CNN && design->stage_count == 0)
		return fault_set(fault, "a cnn needs at least one stage");
	if (design->kind == NET_CNN && design->norm == NET_NORM_LAYER)
		return fault_set(fault, "a cnn has batch norm or none");
	return 0;
}

static void free_layers(struct net *net)
{
	for (size_t i = 0; i < net->layer_count; i++) {
		free(net->layer[i].plain);
		free(net->layer[i].table);
	}
	free(net->layer);
}

int net_init(struct net *net, const struct net_design *design, const struct nn_ops *ops,
	unsigned threads, struct fault *fault)
{
	struct net made = { .design = *design, .ops = ops };

	if (check(design, fault) < 0)
		return -1;
	if (design->kind != NET_TEXT)
		made.features = design->height * design->width * design->channels;
	made.layer = array_new(NET_LAYERS_MAX, sizeof *made.layer);
	add_layers(&made);
	if (place(&made, fault) < 0) {
		free_layers(&made);
		return -1;
	}
	if (made.layer[0].kind == LAYER_BAG)
		made.sparse = layer_weights(&made.layer[0]);
	made.device = ops->open(threads);
	made.weight = ops->alloc(made.device, made.weight_count * sizeof(float));
	made.running = ops->alloc(made.device, (made.running_count + 1) * sizeof(float));
	*net = made;
	return 0;
}

static void release_room(struct net *net)
{
	for (size_t i = 0; i < net->layer_count; i++) {
		struct layer *layer = &net->layer[i];

		net->ops->release(net->device, layer->y);
		net->ops->release(net->device, layer->stats);
		net->ops->release(net->device, layer->more);
		layer->y = layer->stats = layer->more = NULL;
	}
	net->ops->release(net->device, net->input);
	net->ops->release(net->device, net->slope[0]);
	net->ops->release(net->device, net->slope[1]);
	net->ops->release(net->device, net->zeros);
	net->input = net->slope[0] = net->slope[1] = net->zeros = NULL;
}

void net_release(struct net *net)
{
	if (net->device == NULL)
		return;
	release_room(net);
	net->ops->release(net->device, net->weight);
	net->ops->release(net->device, net->gradient);
	net->ops->release(net->device, net->running);
	net->ops->close(net->device);
	free_layers(net);
	*net = (struct net){ .layer = NULL };
}

static void reserve_layer(struct net *net, struct layer *layer, size_t rows, int is_training)
{
	size_t bytes = rows * shape_size(&layer->out) * sizeof(float);

	layer->y = net->ops->alloc(net->device, bytes);
	if (is_training && layer->is_kept)
		layer->more = net->ops->alloc(net->device, bytes);
	if (layer->kind == LAYER_BATCH_NORM)
		layer->stats =
			net->ops->alloc(net->device, 3 * layer->out.channels * sizeof(float));
	if (layer->kind == LAYER_LAYER_NORM)
		layer->stats = net->ops->alloc(net->device, 2 * rows * sizeof(float));
}

static size_t largest_row(const struct net *net)
{
	size_t largest = net->features;

	for (size_t i = 0; i < net->layer_count; i++) {
		size_t size = shape_size(&net->layer[i].out);

		largest = size > largest ? size : largest;
	}
	return largest;
}

size_t net_row_values(const struct net *net)
{
	size_t all = net->features + 2 * largest_row(net);

	for (size_t i = 0; i < net->layer_count; i++)
		all += shape_size(&net->layer[i].out) * (net->layer[i].is_kept ? 2 : 1);
	return all;
}

static size_t widest_row(const struct net *net)
{
	size_t widest = 0;

	for (size_t i = 0; i < net->layer_count; i++)
		widest = net->layer[i].out.channels > widest ? net->layer[i].out.channels : widest;
	return widest;
}

int net_reserve(struct net *net, size_t rows, int is_training, struct fault *fault)
{
	size_t largest = largest_row(net), widest = widest_row(net);

	if (net_row_values(net) > NET_BYTES_MAX / sizeof(float) / rows)
		return fault_set(fault,
			"a batch of %zu rows needs more than %zu GiB; lower batch_size", rows,
			NET_BYTES_MAX >> 30);
	release_room(net);
	net->room = rows;
	net->input = net->ops->alloc(net->device, rows * net->features * sizeof(float));
	for (size_t i = 0; i < net->layer_count; i++)
		reserve_layer(net, &net->layer[i], rows, is_training);
	if (!is_training)
		return 0;
	for (int i = 0; i < 2; i++)
		net->slope[i] = net->ops->alloc(net->device, rows * largest * sizeof(float));
	net->zeros = net->ops->alloc(net->device, 3 * widest * sizeof(float));
	net->unused = net->zeros + widest;
	if (net->gradient == NULL)
		net->gradient = net->ops->alloc(net->device, net->weight_count * sizeof(float));
	return 0;
}

static float drawn(uint64_t seed, uint32_t layer, size_t i, float border)
{
	uint64_t number = philox_row(seed, PHILOX_WEIGHTS, layer, i);

	return ((float)(number >> 40) / 8388608.0f - 1.0f) * border;
}

static void draw_norm(const struct layer *layer, float *weight, float *running)
{
	size_t count = layer_weights(layer);

	for (size_t j = 0; j < count; j++)
		weight[layer->weight + j] = 1;
	for (size_t j = 0; layer->kind == LAYER_BATCH_NORM && j < count; j++)
		running[layer->running + count + j] = 1;
}

static void draw_tables(const struct layer *layer, float *weight, uint64_t seed, uint32_t number)
{
	for (size_t t = 0; t < layer->table_count; t++) {
		const struct nn_table *table = &layer->table[t];
		float border = 1 / sqrtf((float)table->width);

		for (size_t j = 0; j < (table->rows - 1) * table->width; j++)
			weight[layer->weight + table->weight + j] =
				drawn(seed, number, table->weight + j, border);
	}
}

void net_draw(struct net *net, uint64_t seed)
{
	float *weight = array_new(net->weight_count, sizeof *weight);
	float *running = array_new(net->running_count + 1, sizeof *running);

	for (size_t i = 0; i < net->layer_count; i++) {
		const struct layer *layer = &net->layer[i];
		size_t count = layer_weights(layer), biases = layer_biases(layer);
		float border;

		if (layer->kind == LAYER_EMBED)
			draw_tables(layer, weight, seed, (uint32_t)i);
		else if (!has_matrix(layer))
			draw_norm(layer, weight, running);
		if (layer->kind == LAYER_EMBED || !has_matrix(layer))
			continue;
		border = 1 / sqrtf((float)(is_embedding(layer) ? layer->out.channels
							      : count / biases));
		for (size_t j = 0; j < count; j++)
			weight[layer->weight + j] = drawn(seed, (uint32_t)i, j, border);
		for (size_t j = 0; j < biases; j++)
			weight[layer->bias + j] = drawn(seed, (uint32_t)i, count + j, border);
	}
	net->ops->upload(net->device, net->weight, weight, net->weight_count * sizeof *weight);
	net->ops->upload(net->device, net->running, running, net->running_count * sizeof *running);
	free(weight);
	free(running);
}

/* Our place of a weight, given PyTorch's: outputs, then channels, then the window or image. */
static size_t place_of(const struct layer *layer, size_t output, size_t channel, size_t pixel)
{
	return (pixel * layer->in.channels + channel) * layer->out.channels + output;
}

static void turn(const struct net *net, float *to, const float *from, int to_rows)
{
	memcpy(to, from, net->weight_count * sizeof *to);
	for (size_t i = 0; i < net->layer_count; i++) {
		const struct layer *layer = &net->layer[i];
		size_t pixels = layer->kind == LAYER_CONV ? KERNEL_SIDE * KERNEL_SIDE
							  : layer->in.height * layer->in.width;
		size_t row = layer->weight;

		if (!has_matrix(layer) || layer->kind == LAYER_EMBED || is_embedding(layer))
			continue;
		for (size_t o = 0; o < layer->out.channels; o++)
			for (size_t c = 0; c < layer->in.channels; c++)
				for (size_t p = 0; p < pixels; p++, row++) {
					size_t ours = layer->weight + place_of(layer, o, c, p);

					if (to_rows)
						to[row] = from[ours];
					else
						to[ours] = from[row];
				}
	}
}

void net_to_rows(const struct net *net, float *rows, const float *weights)
{
	turn(net, rows, weights, 1);
}

void net_from_rows(const struct net *net, float *weights, const float *rows)
{
	turn(net, weights, rows, 0);
}
