#include "common/linear.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/dataset.h"
#include "common/fault.h"
#include "common/kernel.h"
#include "common/safetensors.h"
#include "common/text.h"

void linear_init(struct linear *model, size_t classes, size_t features)
{
	*model = (struct linear){ .classes = classes, .features = features };
	model->lanes = kernel_round(classes, KERNEL_LANES);
	model->inputs = kernel_round(features, KERNEL_BLOCK);
	model->weight = array_new(model->inputs * model->lanes, sizeof(float));
	model->bias = array_new(model->lanes, sizeof(float));
	model->mean = array_new(features, sizeof(float));
	model->deviation = array_new(features, sizeof(float));
	model->scale = array_new(features, sizeof(float));
	model->shift = array_new(features, sizeof(float));
}

void linear_release(struct linear *model)
{
	free(model->weight);
	free(model->bias);
	free(model->mean);
	free(model->deviation);
	free(model->scale);
	free(model->shift);
	*model = (struct linear){ 0 };
}

void linear_standardise(struct linear *model, const float *mean, const float *deviation)
{
	for (size_t i = 0; i < model->features; i++) {
		model->mean[i] = mean[i];
		model->deviation[i] = deviation[i];
		model->scale[i] = 1.0f / (255.0f * deviation[i]);
		model->shift[i] = -mean[i] / deviation[i];
	}
}

/* [inputs][lanes] <-> [classes][features] */
static void to_rows(float *rows, const struct linear *model)
{
	for (size_t label = 0; label < model->classes; label++)
		for (size_t i = 0; i < model->features; i++)
			rows[label * model->features + i] = model->weight[i * model->lanes + label];
}

static void from_rows(struct linear *model, const float *rows)
{
	for (size_t label = 0; label < model->classes; label++)
		for (size_t i = 0; i < model->features; i++)
			model->weight[i * model->lanes + label] = rows[label * model->features + i];
}

int linear_save(
	const struct linear *model, struct tensors *notes, const char *path, struct fault *fault)
{
	const uint64_t shape[2] = { model->classes, model->features };
	float *rows = array_new(model->classes * model->features, sizeof *rows);
	int rc;

	to_rows(rows, model);
	tensors_add(notes, "linear.weight", TENSOR_F32, shape, 2, rows);
	tensors_add(notes, "linear.bias", TENSOR_F32, shape, 1, model->bias);
	tensors_add(notes, "input.mean", TENSOR_F32, shape + 1, 1, model->mean);
	tensors_add(notes, "input.std", TENSOR_F32, shape + 1, 1, model->deviation);
	rc = tensors_write(notes, path, fault);
	free(rows);
	return rc;
}

/* The tensor of that name, as floats of the caller's, if it is what the model needs; NULL: it is
 * not. */
static float *take(const struct tensors *file, const char *name, unsigned dimensions,
	const uint64_t *shape, struct fault *fault)
{
	const struct tensor *tensor = tensors_find(file, name);
	float *values;

	if (tensor == NULL) {
		(void)fault_set(fault, "has no tensor '%s'", name);
		return NULL;
	}
	if (tensor->type != TENSOR_F32 || tensor->dimensions != dimensions ||
		memcmp(tensor->shape, shape, dimensions * sizeof *shape) != 0) {
		(void)fault_set(
			fault, "tensor '%s' has not the type and shape of this model", name);
		return NULL;
	}
	values = array_new(tensor->size, 1);
	memcpy(values, tensor->data, tensor->size);
	for (size_t i = 0; i < tensor->size / sizeof *values; i++) {
		if (!isfinite(values[i])) {
			(void)fault_set(fault, "tensor '%s' has values that are not finite", name);
			free(values);
			return NULL;
		}
	}
	return values;
}

static int check_deviation(const float *deviation, size_t count, struct fault *fault)
{
	for (size_t i = 0; i < count; i++)
		if (!(deviation[i] > 0.0f))
			return fault_set(
				fault, "tensor 'input.std' has a value that is not above 0");
	return 0;
}

static int load(struct linear *model, const struct tensors *file, struct fault *fault)
{
	const struct tensor *tensor = tensors_find(file, "linear.weight");
	float *weight = NULL, *bias = NULL, *mean = NULL, *deviation = NULL;
	const uint64_t *shape;
	int rc = -1;

	if (tensor == NULL || tensor->dimensions != 2)
		return fault_set(fault, "is not a linear model: no tensor 'linear.weight' of two "
					"dimensions");
	shape = tensor->shape;
	if (shape[0] == 0 || shape[0] > LINEAR_CLASSES_MAX || shape[1] == 0 ||
		shape[1] > LINEAR_FEATURES_MAX)
		return fault_set(fault, "has 0 or too many classes or features");
	weight = take(file, "linear.weight", 2, shape, fault);
	bias = weight != NULL ? take(file, "linear.bias", 1, shape, fault) : NULL;
	mean = bias != NULL ? take(file, "input.mean", 1, shape + 1, fault) : NULL;
	deviation = mean != NULL ? take(file, "input.std", 1, shape + 1, fault) : NULL;
	if (deviation == NULL || check_deviation(deviation, (size_t)shape[1], fault) < 0)
		goto out;
	linear_init(model, (size_t)shape[0], (size_t)shape[1]);
	from_rows(model, weight);
	memcpy(model->bias, bias, model->classes * sizeof *bias);
	linear_standardise(model, mean, deviation);
	rc = 0;
out:
	free(weight);
	free(bias);
	free(mean);
	free(deviation);
	return rc;
}

int linear_load(struct linear *model, const char *path, struct fault *fault)
{
	struct tensors file = { 0 };
	int rc;

	if (tensors_read(&file, path, fault) < 0)
		return -1;
	rc = load(model, &file, fault);
	if (rc < 0)
		(void)fault_context(fault, "'%s'", path);
	tensors_release(&file);
	return rc;
}

void scorer_init(struct scorer *scorer, const struct linear *model, size_t room)
{
	size_t rows = kernel_round(room, KERNEL_BLOCK);

	*scorer = (struct scorer){ .model = model, .room = room };
	scorer->input = array_new(rows * model->inputs, sizeof(float));
	scorer->score = array_new(rows * model->lanes, sizeof(float));
}

void scorer_release(struct scorer *scorer)
{
	free(scorer->input);
	free(scorer->score);
	*scorer = (struct scorer){ 0 };
}

float *scorer_run(struct scorer *scorer, const struct dataset *d, const int64_t *rows, size_t count)
{
	const struct linear *model = scorer->model;

	assert(count <= scorer->room && d->features == model->features);
	for (size_t i = 0; i < count; i++)
		kernel_scale(scorer->input + i * model->inputs, dataset_pixels(d, rows[i]),
			model->scale, model->shift, model->features);
	kernel_forward(scorer->score, scorer->input, model->weight,
		kernel_round(count, KERNEL_BLOCK), model->inputs, model->lanes);
	for (size_t i = 0; i < count; i++)
		for (size_t lane = 0; lane < model->lanes; lane++)
			scorer->score[i * model->lanes + lane] += model->bias[lane];
	return scorer->score;
}
