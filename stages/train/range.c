#include "train/range.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/fault.h"
#include "nn/net.h"
#include "train/recipe.h"
#include "train/session.h"

#define BATCH_LEAST  32
#define BATCH_MOST   1024
#define BATCHES      128 /* an epoch */
#define BATCH_USUAL  128
#define BATCH_BYTES  ((size_t)256 << 20)
#define BATCH_FORCED 8 /* no less than this for want of memory */

#define TEST_STEPS  100
#define TEST_RANGE  1e3 /* on both sides of the usual rate */
#define TEST_KEEP   0.9 /* of the smoothed loss, a step */
#define TEST_WORSE  4.0
#define TEST_MARGIN 10.0

void range_batch(struct recipe *r, const struct net *net, size_t rows)
{
	size_t size = BATCH_LEAST, bytes = net_row_values(net) * sizeof(float);

	while (2 * size <= BATCH_MOST && 2 * size * BATCHES <= rows)
		size *= 2;
	while (size > BATCH_FORCED && size > BATCH_BYTES / bytes)
		size /= 2;
	r->batch_size = size < rows ? size : rows;
	if (!r->is_rate_written)
		r->rate *= sqrt((double)r->batch_size / BATCH_USUAL);
}

/* Two digits are what a test on a hundred steps can tell. */
static double rounded(double rate)
{
	char text[40];

	(void)snprintf(text, sizeof text, "%.1e", rate);
	return strtod(text, NULL);
}

/* The rate of the lowest smoothed loss; 0: it never fell. */
static double lowest(struct session *s)
{
	const struct recipe *r = s->recipe;
	size_t many = r->batch_size * (size_t)r->accumulate, first = 0;
	double smooth = 0, weight = 1, best = 0, found = 0;

	many = many < s->train_count ? many : s->train_count;
	for (long step = 0; step < TEST_STEPS && !s->host->cancelled(s->ctx); step++) {
		double rate = r->rate * pow(TEST_RANGE, 2 * (double)step / (TEST_STEPS - 1) - 1),
		       loss;

		if (first + many > s->train_count)
			first = 0;
		loss = session_step(s, s->order + first, many, rate) / (double)many;
		first += many;
		if (!isfinite(loss))
			break;
		smooth = TEST_KEEP * smooth + (1 - TEST_KEEP) * loss;
		weight *= TEST_KEEP;
		loss = smooth / (1 - weight);
		s->host->metric(s->ctx, "range_lr", rate, step + 1);
		s->host->metric(s->ctx, "range_loss", loss, step + 1);
		if (step == 0 || loss < best) {
			best = loss;
			found = step == 0 ? 0 : rate;
		} else if (loss > TEST_WORSE * best) {
			break;
		}
		s->at.step++;
	}
	return found;
}

int range_test(struct session *s, struct fault *fault)
{
	struct net *net = s->net;
	size_t weights = net->weight_count * sizeof(float);
	size_t running = net->running_count * sizeof(float);
	float *weight = net->ops->alloc(net->device, weights);
	float *kept = net->ops->alloc(net->device, running + sizeof(float));
	double found;
	char line[120];

	net->ops->copy(net->device, weight, net->weight, weights);
	net->ops->copy(net->device, kept, net->running, running);
	s->at.epoch = 0;
	session_shuffle(s);
	found = lowest(s);
	net->ops->copy(net->device, net->weight, weight, weights);
	net->ops->copy(net->device, net->running, kept, running);
	net->ops->release(net->device, weight);
	net->ops->release(net->device, kept);
	session_begin(s);
	if (s->host->cancelled(s->ctx))
		return fault_set(fault, "stopped in the range test of lr");
	s->at.rate = found > 0 ? rounded(found / TEST_MARGIN) : s->recipe->rate;
	(void)snprintf(line, sizeof line,
		found > 0 ? "lr %g: a tenth of where the loss was lowest in a test of rates"
			  : "lr %g: the usual one, since no rate lowered the loss in a test",
		s->at.rate);
	s->host->log(s->ctx, line);
	return 0;
}
