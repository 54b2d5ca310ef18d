#include "nn/embed.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/fault.h"
#include "common/text.h"
#include "nn/net.h"

int embed_check(const struct net_design *design, struct fault *fault)
{
	if (design->category_count > NET_CATEGORIES_MAX)
		return fault_set(fault, "%zu columns are categories; up to %d are possible",
			design->category_count, NET_CATEGORIES_MAX);
	if (design->category_count != 0 && (design->kind != NET_MLP || design->height != 1))
		return fault_set(fault, "categories are for a mlp and columns of numbers");
	/* Each column has a weight at least: lists as long as a liar says are not made. */
	if (design->weights_max != 0 && design->channels > design->weights_max)
		return fault_set(fault,
			"%zu columns need more than the %zu weights there may be", design->channels,
			design->weights_max);
	for (size_t i = 0; i < design->category_count; i++) {
		const struct net_category *c = &design->category[i];

		if (c->column >= design->channels || (i > 0 && c->column <= c[-1].column))
			return fault_set(fault,
				"column %zu cannot be the next category: there are %zu columns",
				c->column, design->channels);
		if (c->codes == 0 || c->codes > NET_CODES_MAX)
			return fault_set(fault,
				"column %zu has %zu categories; from 1 to %d are possible, and the "
				"transform `hash` makes fewer of more",
				c->column, c->codes, NET_CODES_MAX);
		if (c->width == 0 || c->width > NET_WIDTH_MAX / NET_CATEGORIES_MAX)
			return fault_set(fault, "column %zu has %zu numbers a category", c->column,
				c->width);
	}
	return 0;
}

void embed_build(struct layer *layer, const struct net_design *design)
{
	size_t weights = 0, outputs;

	(void)snprintf(layer->name, sizeof layer->name, "embedding");
	layer->plain = array_new(design->channels, sizeof *layer->plain);
	layer->table = array_new(design->category_count, sizeof *layer->table);
	for (size_t j = 0; j < design->channels; j++) {
		const struct net_category *next = &design->category[layer->table_count];

		if (layer->table_count == design->category_count || next->column != j) {
			layer->plain[layer->plain_count++] = j;
			continue;
		}
		layer->table[layer->table_count++] = (struct nn_table){ .column = j,
			.rows = next->codes + 1,
			.width = next->width,
			.weight = weights };
		weights += (next->codes + 1) * next->width;
	}
	outputs = layer->plain_count;
	for (size_t t = 0; t < layer->table_count; t++)
		outputs += layer->table[t].width;
	layer->out.channels = outputs;
}

size_t embed_weights(const struct layer *layer)
{
	const struct nn_table *last = &layer->table[layer->table_count - 1];

	return last->weight + last->rows * last->width;
}

void net_freeze(struct net *net, size_t number, unsigned which)
{
	struct layer *layer = &net->layer[number];

	if (layer->kind != LAYER_EMBED) {
		*(which == 0 ? &layer->is_weight_frozen : &layer->is_bias_frozen) = 1;
		return;
	}
	layer->table[which].is_frozen = 1;
	layer->is_weight_frozen = 1;
	for (size_t t = 0; t < layer->table_count; t++)
		layer->is_weight_frozen &= layer->table[t].is_frozen;
	layer->is_bias_frozen = layer->is_weight_frozen; /* it has none */
}
