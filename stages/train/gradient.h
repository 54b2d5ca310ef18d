/*
 * train/gradient.h - one mini-batch of softmax regression, and one step of momentum descent.
 *
 *     gradient_init(&g, &model, batch_size);
 *     loss = gradient_batch(&g, &data, rows, count);
 *     gradient_step(&g, &model, rate, momentum, decay, l1);  gradient_release(&g);
 *
 * gradient_batch() does not change the model: it leaves the gradient of the mean loss of those rows
 * in g.weight and g.bias, laid out as the model's own. The penalty on weights (decay / 2 *
 * |weight|^2; none on the bias) is added in the step; that of l1 * |weight| is a soft threshold after it.
 */
#ifndef FLOW_STAGES_TRAIN_GRADIENT_H
#define FLOW_STAGES_TRAIN_GRADIENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/linear.h"

struct gradient {
	struct scorer scorer;
	float *weight, *bias;             /* the gradient: [inputs][lanes], [lanes] */
	float *weight_speed, *bias_speed; /* what momentum keeps of the steps before */
};

void gradient_init(struct gradient *gradient, const struct linear *model, size_t batch_size);
void gradient_release(struct gradient *gradient); /* zeroed: nothing */

/* Returns the SUM of the losses of the rows; not finite when training has diverged. count <=
 * batch_size. */
double gradient_batch(
	struct gradient *gradient, const struct dataset *d, const int64_t *rows, size_t count);

void gradient_step(
	struct gradient *gradient, struct linear *model, float rate, float momentum, float decay, float l1);

#endif
