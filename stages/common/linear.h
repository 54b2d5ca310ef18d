/*
 * common/linear.h - the model: one score a class, each a weighted sum of standardised pixels.
 *
 *     made:   linear_init(&m, classes, features);  linear_standardise(&m, mean, deviation);
 *             ...m.weight, m.bias...  linear_save(&m, &notes, path, fault);  linear_release(&m);
 *     loaded: linear_load(&m, path, fault);  ...  linear_release(&m);
 *     used:   struct scorer s;  scorer_init(&s, &m, room);
 *             scores = scorer_run(&s, &data, rows, count);  scorer_release(&s);
 *
 * The file is safetensors with PyTorch's names and layout: `linear.weight` [classes, features],
 * `linear.bias` [classes], and `input.mean`, `input.std` [features], so that whoever uses the model
 * prepares pixels with the bytes it was trained with: input = (pixel / 255 - mean) / std. In memory
 * weights lie feature by feature with classes across lanes (see kernel.h).
 */
#ifndef FLOW_STAGES_COMMON_LINEAR_H
#define FLOW_STAGES_COMMON_LINEAR_H

#include <stddef.h>
#include <stdint.h>

struct dataset;
struct fault;
struct tensors;

#define LINEAR_CLASSES_MAX  256
#define LINEAR_FEATURES_MAX (1u << 24)

struct linear {
	size_t classes, features;
	size_t lanes;            /* classes, rounded up to KERNEL_LANES */
	size_t inputs;           /* features, rounded up to KERNEL_BLOCK */
	float *weight;           /* [inputs][lanes]; the rounded-up part is 0 */
	float *bias;             /* [lanes] */
	float *mean, *deviation; /* [features], of pixel / 255 */
	float *scale, *shift;    /* [features]: input = pixel * scale + shift */
};

void linear_init(struct linear *model, size_t classes, size_t features); /* all weights 0 */
void linear_release(struct linear *model);                               /* zeroed: nothing */
void linear_standardise(struct linear *model, const float *mean, const float *deviation);

/* `notes` holds the metadata on entry; the tensors are added to it. */
int linear_save(
	const struct linear *model, struct tensors *notes, const char *path, struct fault *fault);
/* *model is written on success only. */
int linear_load(struct linear *model, const char *path, struct fault *fault);

/* Room for the inputs and the scores of up to `room` rows at a time. Borrows the model. */
struct scorer {
	const struct linear *model;
	size_t room;
	float *input; /* [room, rounded up][inputs] */
	float *score; /* [room, rounded up][lanes] */
};

void scorer_init(struct scorer *scorer, const struct linear *model, size_t room);
void scorer_release(struct scorer *scorer); /* zeroed: nothing */

/* Scores of those rows of the data, [count][lanes], valid until the next call; count <= room. */
float *scorer_run(
	struct scorer *scorer, const struct dataset *d, const int64_t *rows, size_t count);

#endif
