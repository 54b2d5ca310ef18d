#include "train/validate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/softmax.h"
#include "common/text.h"
#include "nn/feed.h"
#include "nn/ops.h"
#include "nn/samples.h"
#include "train/recipe.h"
#include "train/session.h"

static int is_named(const struct session *s)
{
	return s->recipe->loss == NN_SOFTMAX || s->recipe->loss == NN_SIGMOID;
}

const char *validate_quality_name(const struct session *s)
{
	return is_named(s) ? "valid_accuracy" : "valid_rmse";
}

/* One row's share of the figure. */
static double quality_of(const struct session *s, const float *score, const float *target)
{
	size_t outputs = s->net->design.outputs;
	double sum = 0;

	if (s->recipe->loss == NN_SOFTMAX)
		return softmax_best(score, outputs) == (size_t)target[0];
	for (size_t j = 0; j < outputs; j++) {
		double off = (double)score[j] - (double)target[j];

		if (s->recipe->loss == NN_SIGMOID && (score[j] > 0) != (target[j] > 0.5f))
			return 0;
		sum += off * off / (double)outputs;
	}
	return is_named(s) ? 1 : sum;
}

/* Losses as they are: no smoothing, no weights of classes. */
static double loss_of(struct session *s, float *score, const int64_t *rows, size_t count)
{
	size_t targets = s->samples->targets;
	const struct nn_ops *ops = s->net->ops;
	const double nothing = 0;
	double loss = 0;

	for (size_t i = 0; i < count; i++)
		memcpy(s->batch_target + i * targets,
			s->samples->target + (size_t)rows[i] * targets, targets * sizeof(float));
	ops->upload(s->net->device, s->target, s->batch_target, count * targets * sizeof(float));
	ops->upload(s->net->device, s->loss, &nothing, sizeof nothing);
	ops->loss(s->net->device, &(struct nn_loss){ .kind = (enum nn_loss_kind)s->recipe->loss,
					  .rows = count,
					  .columns = s->net->design.outputs,
					  .score = score,
					  .target = s->target,
					  .delta = (float)s->recipe->delta,
					  .denominator = 1,
					  .sum = s->loss });
	ops->download(s->net->device, &loss, s->loss, sizeof loss);
	return loss;
}

double validate(struct session *s, double *quality)
{
	const struct net_mode mode = { .is_training = 0 };
	size_t outputs = s->net->design.outputs, targets = s->samples->targets, size;
	float *scores = array_new(s->recipe->batch_size * outputs, sizeof *scores);
	double loss = 0, sum = 0;

	feed_begin(s->feed, s->samples->valid, s->valid_count, 0);
	for (size_t first = 0; first < s->valid_count; first += size) {
		const int64_t *rows = s->samples->valid + first;
		float *made;

		size = s->valid_count - first < s->recipe->batch_size ? s->valid_count - first
								      : s->recipe->batch_size;
		made = session_score(s, rows, size, &mode);
		s->net->ops->download(
			s->net->device, scores, made, size * outputs * sizeof *scores);
		for (size_t i = 0; i < size; i++)
			sum += quality_of(s, scores + i * outputs,
				s->samples->target + (size_t)rows[i] * targets);
		loss += loss_of(s, made, rows, size);
	}
	free(scores);
	*quality = sum / (double)s->valid_count;
	if (!is_named(s))
		*quality = sqrt(*quality);
	return loss / (double)s->valid_count;
}
