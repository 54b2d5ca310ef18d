#include "nn/netfile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/safetensors.h"
#include "common/text.h"

static const char *const kinds[] = { [NET_MLP] = "mlp", [NET_CNN] = "cnn", [NET_TEXT] = "text" };
static const char *const norms[] = { "none", "batch", "layer" };
static const char *const activations[] = { "relu", "gelu" };

void scaling_init(struct scaling *scaling, size_t features, float unit)
{
	*scaling = (struct scaling){ .features = features, .unit = unit };
	scaling->mean = array_new(features, sizeof(float));
	scaling->deviation = array_new(features, sizeof(float));
	for (size_t i = 0; i < features; i++)
		scaling->deviation[i] = 1;
}

void scaling_release(struct scaling *scaling)
{
	free(scaling->mean);
	free(scaling->deviation);
	*scaling = (struct scaling){ 0 };
}

void scaling_linear(const struct scaling *scaling, float *scale, float *shift)
{
	for (size_t i = 0; i < scaling->features; i++) {
		scale[i] = scaling->unit / scaling->deviation[i];
		shift[i] = -scaling->mean[i] / scaling->deviation[i];
	}
}

/* Shape of a layer's weight as PyTorch has it; the number of dimensions. */
static unsigned weight_shape(const struct layer *layer, uint64_t shape[4])
{
	shape[0] = layer->out.channels;
	if (layer->kind == LAYER_BAG && layer_biases(layer) == 0) { /* an embedding */
		shape[0] = layer->in.channels;
		shape[1] = layer->out.channels;
		return 2;
	}
	if (layer->kind == LAYER_LINEAR || layer->kind == LAYER_BAG) {
		shape[1] = shape_size(&layer->in);
		return 2;
	}
	if (layer->kind != LAYER_CONV)
		return 1;
	shape[1] = layer->in.channels;
	shape[2] = shape[3] = 3;
	return 4;
}

static int table_of(const struct layer *layer, unsigned which, struct net_tensor *tensor)
{
	const struct nn_table *table = &layer->table[which];

	if (which >= layer->table_count)
		return 0;
	*tensor = (struct net_tensor){ .dimensions = 2,
		.shape = { table->rows, table->width },
		.offset = layer->weight + table->weight };
	(void)snprintf(tensor->name, sizeof tensor->name, "%s.%u.weight", layer->name, which);
	return 1;
}

int net_tensor_of(const struct layer *layer, unsigned which, struct net_tensor *tensor)
{
	static const char *const suffix[] = { "weight", "bias", "running_mean", "running_var" };
	unsigned count = layer_weights(layer) == 0 ? 0 : layer_biases(layer) == 0 ? 1 : 2;

	if (layer->kind == LAYER_EMBED)
		return table_of(layer, which, tensor);
	if (layer->kind == LAYER_BATCH_NORM)
		count = 4;
	if (which >= count)
		return 0;
	*tensor = (struct net_tensor){ .dimensions = 1, .shape = { layer->out.channels } };
	(void)snprintf(tensor->name, sizeof tensor->name, "%s.%s", layer->name, suffix[which]);
	if (which == 0)
		tensor->dimensions = weight_shape(layer, tensor->shape);
	tensor->offset = which == 0 ? layer->weight : which == 1 ? layer->bias : layer->running;
	tensor->is_running = which >= 2;
	if (which == 3)
		tensor->offset += layer->out.channels;
	return 1;
}

size_t net_tensor_size(const struct net_tensor *tensor)
{
	size_t size = 1;

	for (unsigned i = 0; i < tensor->dimensions; i++)
		size *= (size_t)tensor->shape[i];
	return size;
}

static void describe_list(struct tensors *file, const char *key, const size_t *value, size_t count)
{
	struct text text = { 0 };

	text_add(&text, "[", 1);
	for (size_t i = 0; i < count; i++)
		text_format(&text, i == 0 ? "%zu" : ",%zu", value[i]);
	text_add(&text, "]", 1);
	tensors_describe(file, key, text.data);
	text_release(&text);
}

/* Column, codes and width of each, in one list. */
static void describe_categories(const struct net_design *design, struct tensors *file)
{
	size_t number[3 * NET_CATEGORIES_MAX], count = 0;

	for (size_t i = 0; i < design->category_count; i++) {
		number[count++] = design->category[i].column;
		number[count++] = design->category[i].codes;
		number[count++] = design->category[i].width;
	}
	if (count != 0)
		describe_list(file, "categories", number, count);
}

static void describe(const struct net_design *design, struct tensors *file)
{
	const size_t input[] = { design->height, design->width, design->channels };
	char dropout[40];

	tensors_describe(file, "model", kinds[design->kind]);
	describe_list(file, "input_shape", input, 3);
	describe_list(file, "outputs", &design->outputs, 1);
	describe_list(file, "hidden", design->hidden, design->hidden_count);
	describe_list(file, "stages", design->stages, design->stage_count);
	describe_categories(design, file);
	if (design->kind == NET_TEXT)
		describe_list(file, "embedding", &design->embedding, 1);
	tensors_describe(file, "norm", norms[design->norm]);
	tensors_describe(file, "activation", activations[design->activation]);
	(void)snprintf(dropout, sizeof dropout, "%.9g", (double)design->dropout);
	tensors_describe(file, "dropout", dropout);
	tensors_describe(file, "residual", design->residual ? "true" : "false");
}

void netfile_add(
	const struct net *net, const float *rows, const float *running, struct tensors *file)
{
	static const int64_t no_batches = 0; /* PyTorch counts batches; nothing depends on it */
	struct net_tensor tensor;

	describe(&net->design, file);
	for (size_t i = 0; i < net->layer_count; i++) {
		for (unsigned which = 0; net_tensor_of(&net->layer[i], which, &tensor); which++)
			tensors_add(file, tensor.name, TENSOR_F32, tensor.shape, tensor.dimensions,
				(tensor.is_running ? running : rows) + tensor.offset);
		if (net->layer[i].kind != LAYER_BATCH_NORM)
			continue;
		(void)snprintf(tensor.name, sizeof tensor.name, "%s.num_batches_tracked",
			net->layer[i].name);
		tensors_add(file, tensor.name, TENSOR_I64, tensor.shape, 0, &no_batches);
	}
}

static void format_shape(struct text *text, const uint64_t *shape, unsigned dimensions)
{
	for (unsigned i = 0; i < dimensions; i++)
		text_format(text, i == 0 ? "[%llu" : ", %llu", (unsigned long long)shape[i]);
	text_format(text, dimensions == 0 ? "[]" : "]");
}

static int other_shape(
	const struct tensor *is, const struct net_tensor *wanted, struct fault *fault)
{
	struct text text = { 0 };

	format_shape(&text, is->shape, is->dimensions);
	text_format(&text, "%s where ", is->type == TENSOR_I64 ? " of whole numbers" : "");
	format_shape(&text, wanted->shape, wanted->dimensions);
	(void)fault_set(fault, "tensor '%s' has not the type and shape of this model: %s is wanted",
		wanted->name, text.data);
	text_release(&text);
	return -1;
}

int netfile_take_one(
	float *to, const struct tensors *file, const struct net_tensor *wanted, struct fault *fault)
{
	const struct tensor *is = tensors_find(file, wanted->name);

	if (is == NULL)
		return fault_set(fault, "has no tensor '%s'", wanted->name);
	if (is->type != TENSOR_F32 || is->dimensions != wanted->dimensions ||
		memcmp(is->shape, wanted->shape, wanted->dimensions * sizeof *wanted->shape) != 0)
		return other_shape(is, wanted, fault);
	memcpy(to, is->data, is->size);
	for (size_t i = 0; i < is->size / sizeof *to; i++)
		if (!isfinite(to[i]))
			return fault_set(
				fault, "tensor '%s' has values that are not finite", wanted->name);
	return 0;
}

int netfile_take(const struct net *net, float *rows, float *running, const struct tensors *file,
	struct fault *fault)
{
	struct net_tensor tensor;

	for (size_t i = 0; i < net->layer_count; i++)
		for (unsigned which = 0; net_tensor_of(&net->layer[i], which, &tensor); which++)
			if (netfile_take_one((tensor.is_running ? running : rows) + tensor.offset,
				    file, &tensor, fault) < 0)
				return -1;
	return 0;
}

void netfile_down(const struct net *net, const float *weights, float *rows, float *running)
{
	size_t bytes = net->weight_count * sizeof *rows;
	float *ours = array_new(net->weight_count, sizeof *ours);

	net->ops->download(net->device, ours, weights != NULL ? weights : net->weight, bytes);
	net->ops->download(
		net->device, running, net->running, net->running_count * sizeof *running);
	net_to_rows(net, rows, ours);
	free(ours);
}

void netfile_up(const struct net *net, const float *rows, const float *running)
{
	size_t bytes = net->weight_count * sizeof *rows;
	float *ours = array_new(net->weight_count, sizeof *ours);

	net_from_rows(net, ours, rows);
	net->ops->upload(net->device, net->weight, ours, bytes);
	net->ops->upload(net->device, net->running, running, net->running_count * sizeof *running);
	free(ours);
}

int netfile_save(const struct net *net, const float *weights, const struct scaling *scaling,
	struct tensors *notes, const char *path, struct fault *fault)
{
	const uint64_t features = scaling->features;
	float *rows = array_new(net->weight_count, sizeof *rows);
	float *running = array_new(net->running_count + 1, sizeof *running);
	char unit[40];
	int rc;

	netfile_down(net, weights, rows, running);
	netfile_add(net, rows, running, notes);
	(void)snprintf(unit, sizeof unit, "%.9g", (double)scaling->unit);
	if (features != 0) {
		tensors_describe(notes, "unit", unit);
		tensors_add(notes, "input.mean", TENSOR_F32, &features, 1, scaling->mean);
		tensors_add(notes, "input.std", TENSOR_F32, &features, 1, scaling->deviation);
	}
	rc = tensors_write(notes, path, fault);
	free(rows);
	free(running);
	return rc;
}

static const char *note_of(const struct tensors *file, const char *key, struct fault *fault)
{
	const char *text = tensors_note(file, key);

	if (text == NULL)
		(void)fault_set(fault, "is not a network: its metadata has no '%s'", key);
	return text;
}

/* Index of the note's text in a list of words. */
static int read_word(const struct tensors *file, const char *key, const char *const *words,
	unsigned count, struct fault *fault)
{
	const char *text = note_of(file, key, fault);

	if (text == NULL)
		return -1;
	for (unsigned i = 0; i < count; i++)
		if (strcmp(text, words[i]) == 0)
			return (int)i;
	return fault_set(fault, "'%s' is '%.40s', which is not known", key, text);
}

/* How many numbers the list has, or -1. */
static int read_list(const struct tensors *file, const char *key, size_t *value, unsigned most,
	struct fault *fault)
{
	const char *text = note_of(file, key, fault);
	struct jsonin in;
	unsigned count = 0;
	int more;

	if (text == NULL)
		return -1;
	jsonin_begin(&in, text, strlen(text));
	if (jsonin_enter(&in, '[', fault) < 0)
		return fault_context(fault, "'%s'", key);
	while ((more = jsonin_item(&in, fault)) == 1) {
		uint64_t number;

		if (count == most)
			return fault_set(fault, "'%s' has more than %u entries", key, most);
		if (jsonin_integer(&in, &number, fault) < 0)
			return fault_context(fault, "'%s'", key);
		value[count++] = (size_t)number;
	}
	return more < 0 ? fault_context(fault, "'%s'", key) : (int)count;
}

static int read_number(
	const struct tensors *file, const char *key, double *value, struct fault *fault)
{
	const char *text = note_of(file, key, fault);
	struct jsonin in;

	if (text == NULL)
		return -1;
	jsonin_begin(&in, text, strlen(text));
	if (jsonin_number(&in, value, fault) < 0 || jsonin_finish(&in, fault) < 0)
		return fault_context(fault, "'%s'", key);
	return 0;
}

static int read_categories(
	struct net_design *design, const struct tensors *file, struct fault *fault)
{
	size_t number[3 * NET_CATEGORIES_MAX];
	int count;

	if (tensors_note(file, "categories") == NULL)
		return 0;
	count = read_list(file, "categories", number, 3 * NET_CATEGORIES_MAX, fault);
	if (count < 0)
		return -1;
	if (count % 3 != 0)
		return fault_set(fault, "'categories' has %d entries, not three for each", count);
	design->category_count = (size_t)count / 3;
	for (size_t i = 0; i < design->category_count; i++)
		design->category[i] = (struct net_category){ .column = number[3 * i],
			.codes = number[3 * i + 1],
			.width = number[3 * i + 2] };
	return 0;
}

static int read_design(struct net_design *design, const struct tensors *file, struct fault *fault)
{
	static const char *const truth[] = { "false", "true" };
	size_t input[3] = { 0 };
	double dropout = 0;
	int kind = read_word(file, "model", kinds, 3, fault), norm, activation, hidden, stages;

	if (kind < 0 || read_list(file, "input_shape", input, 3, fault) < 0 ||
		read_list(file, "outputs", &design->outputs, 1, fault) < 0 ||
		(hidden = read_list(file, "hidden", design->hidden, NET_DEPTH_MAX, fault)) < 0 ||
		(stages = read_list(file, "stages", design->stages, NET_DEPTH_MAX, fault)) < 0 ||
		(norm = read_word(file, "norm", norms, 3, fault)) < 0 ||
		(activation = read_word(file, "activation", activations, 2, fault)) < 0 ||
		read_number(file, "dropout", &dropout, fault) < 0 ||
		(design->residual = read_word(file, "residual", truth, 2, fault)) < 0 ||
		read_categories(design, file, fault) < 0 ||
		(kind == NET_TEXT && read_list(file, "embedding", &design->embedding, 1, fault) < 0))
		return -1;
	design->kind = (enum net_kind)kind;
	design->height = input[0];
	design->width = input[1];
	design->channels = input[2];
	design->hidden_count = (size_t)hidden;
	design->stage_count = (size_t)stages;
	design->norm = (enum net_norm)norm;
	design->activation = (enum nn_activation)activation;
	design->dropout = (float)dropout;
	return 0;
}

int netfile_take_scaling(struct scaling *scaling, const struct tensors *file, struct fault *fault)
{
	struct net_tensor tensor = {
		.name = "input.mean", .dimensions = 1, .shape = { scaling->features }
	};

	if (netfile_take_one(scaling->mean, file, &tensor, fault) < 0)
		return -1;
	(void)snprintf(tensor.name, sizeof tensor.name, "input.std");
	if (netfile_take_one(scaling->deviation, file, &tensor, fault) < 0)
		return -1;
	for (size_t i = 0; i < scaling->features; i++)
		if (!(scaling->deviation[i] > 0))
			return fault_set(
				fault, "tensor 'input.std' has a value that is not above 0");
	return 0;
}

static int load_scaling(
	struct scaling *scaling, size_t features, const struct tensors *file, struct fault *fault)
{
	double unit;

	scaling_init(scaling, features, 1);
	if (features == 0) /* of a text: nothing is scaled */
		return 0;
	if (read_number(file, "unit", &unit, fault) < 0)
		return -1;
	scaling->unit = (float)unit;
	return netfile_take_scaling(scaling, file, fault);
}

static int load_weights(struct net *net, const struct tensors *file, struct fault *fault)
{
	float *rows = array_new(net->weight_count, sizeof *rows);
	float *running = array_new(net->running_count + 1, sizeof *running);
	int rc = netfile_take(net, rows, running, file, fault);

	if (rc == 0)
		netfile_up(net, rows, running);
	free(rows);
	free(running);
	return rc;
}

static int load(struct net *net, struct scaling *scaling, char loss[20], const struct nn_ops *ops,
	unsigned threads, const struct tensors *file, struct fault *fault)
{
	struct net_design design = { .outputs = 0 };
	struct net made = { .layer = NULL };
	struct scaling scale = { 0 };
	const char *kind = note_of(file, "loss", fault);

	if (kind == NULL || read_design(&design, file, fault) < 0)
		return -1;
	/* The weights must be in the file: a design that asks for more is a lie, found before memory
	 * is taken for it. */
	design.weights_max = file->file.size / sizeof(float);
	if (net_init(&made, &design, ops, threads, fault) < 0)
		return -1;
	if (load_weights(&made, file, fault) < 0 ||
		load_scaling(&scale, made.features, file, fault) < 0) {
		scaling_release(&scale);
		net_release(&made);
		return -1;
	}
	(void)snprintf(loss, 20, "%.19s", kind);
	*net = made;
	*scaling = scale;
	return 0;
}

int netfile_load(struct net *net, struct scaling *scaling, char loss[20], const struct nn_ops *ops,
	unsigned threads, const char *path, struct fault *fault)
{
	struct tensors file = { 0 };
	int rc;

	if (tensors_read(&file, path, fault) < 0)
		return -1;
	rc = load(net, scaling, loss, ops, threads, &file, fault);
	if (rc < 0)
		(void)fault_context(fault, "'%s'", path);
	tensors_release(&file);
	return rc;
}
