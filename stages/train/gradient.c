#include "train/gradient.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/dataset.h"
#include "common/kernel.h"
#include "common/softmax.h"
#include "common/text.h"

void gradient_init(struct gradient *gradient, const struct linear *model, size_t batch_size)
{
	size_t weights = model->inputs * model->lanes;

	scorer_init(&gradient->scorer, model, batch_size);
	gradient->weight = array_new(weights, sizeof(float));
	gradient->bias = array_new(model->lanes, sizeof(float));
	gradient->weight_speed = array_new(weights, sizeof(float));
	gradient->bias_speed = array_new(model->lanes, sizeof(float));
}

void gradient_release(struct gradient *gradient)
{
	scorer_release(&gradient->scorer);
	free(gradient->weight);
	free(gradient->bias);
	free(gradient->weight_speed);
	free(gradient->bias_speed);
	*gradient = (struct gradient){ .weight = NULL };
}

/* Turn scores into d(mean loss)/d(score) = (probability - truth) / count, in place; the sum of the
 * losses. */
static double differentiate(float *score, const struct linear *model, const struct dataset *d,
	const int64_t *rows, size_t count)
{
	const float share = 1.0f / (float)count;
	double loss = 0;

	for (size_t i = 0; i < count; i++) {
		float *row = score + i * model->lanes;
		size_t label = dataset_label(d, rows[i]);

		loss += softmax_row(row, model->classes, label);
		row[label] -= 1.0f;
		for (size_t j = 0; j < model->classes; j++)
			row[j] *= share;
		for (size_t j = model->classes; j < model->lanes; j++)
			row[j] = 0.0f;
	}
	return loss;
}

double gradient_batch(
	struct gradient *gradient, const struct dataset *d, const int64_t *rows, size_t count)
{
	const struct linear *model = gradient->scorer.model;
	float *delta = scorer_run(&gradient->scorer, d, rows, count);
	double loss = differentiate(delta, model, d, rows, count);

	kernel_backward(gradient->weight, gradient->scorer.input, delta, count, model->inputs,
		model->lanes);
	memset(gradient->bias, 0, model->lanes * sizeof *gradient->bias);
	for (size_t i = 0; i < count; i++)
		for (size_t lane = 0; lane < model->lanes; lane++)
			gradient->bias[lane] += delta[i * model->lanes + lane];
	return loss;
}

/* Soft threshold: a weight that is nearer to 0 than that is 0. A slope that stays moves a weight by rate / (1 - momentum) times itself
 * a step: so does the penalty. */
static void shrink(float *weight, size_t count, float by)
{
	for (size_t i = 0; i < count; i++) {
		float left = fabsf(weight[i]) - by;

		weight[i] = left > 0 ? copysignf(left, weight[i]) : 0;
	}
}

void gradient_step(struct gradient *gradient, struct linear *model, float rate, float momentum,
	float decay, float l1)
{
	kernel_descend(model->weight, gradient->weight_speed, gradient->weight, rate, momentum,
		decay, model->inputs * model->lanes);
	if (l1 > 0)
		shrink(model->weight, model->inputs * model->lanes, rate * l1 / (1 - momentum));
	kernel_descend(model->bias, gradient->bias_speed, gradient->bias, rate, momentum, 0.0f,
		model->lanes);
}
