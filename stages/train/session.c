#include "train/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/seconds.h"
#include "common/text.h"
#include "nn/feed.h"
#include "nn/netfile.h"
#include "nn/samples.h"
#include "train/checkpoint.h"
#include "train/order.h"
#include "train/range.h"
#include "train/recipe.h"
#include "train/schedule.h"
#include "train/telemetry.h"
#include "train/validate.h"

#define STEPS_SEEN 16  /* between two looks at the host */
#define WAIT_SHOWN 3.0 /* per cent: less is no matter */

static void *device_floats(const struct session *s, size_t count)
{
	return s->net->ops->alloc(s->net->device, count * sizeof(float));
}

static void swap(float **one, float **other)
{
	float *kept = *one;

	*one = *other;
	*other = kept;
}

static void make_runs(struct session *s)
{
	const struct recipe *r = s->recipe;
	size_t count = s->net->weight_count;

	s->first = device_floats(s, count);
	if (r->accumulate > 1)
		s->sum = device_floats(s, count);
	if (r->optimiser == OPTIMISER_ADAMW)
		s->second = device_floats(s, count);
	if (r->average > 0)
		s->average = device_floats(s, count);
	if (s->valid_count != 0) {
		s->best = device_floats(s, count);
		s->best_running = device_floats(s, s->net->running_count + 1);
	}
}

static void clear(struct session *s, float *run)
{
	float *zeros;

	if (run == NULL)
		return;
	zeros = array_new(s->net->weight_count, sizeof *zeros);
	s->net->ops->upload(s->net->device, run, zeros, s->net->weight_count * sizeof *zeros);
	free(zeros);
}

void session_begin(struct session *s)
{
	s->at = (struct cursor){ .epoch = 1 };
	clear(s, s->first);
	clear(s, s->second);
	if (s->average != NULL)
		s->net->ops->copy(s->net->device, s->average, s->net->weight,
			s->net->weight_count * sizeof(float));
}

int session_init(struct session *s, const struct recipe *recipe, const struct samples *samples,
	struct net *net, const struct scaling *scaling, const flow_host *host, flow_ctx *ctx,
	struct fault *fault)
{
	size_t limit = recipe->fast_dev_run ? 1 : (size_t)recipe->overfit_batches;
	size_t features = net->features;
	float *values = array_new(features, 2 * sizeof *values);

	*s = (struct session){
		.recipe = recipe, .samples = samples, .net = net, .host = host, .ctx = ctx
	};
	s->train_count = samples->count;
	s->valid_count = samples->valid_count;
	if (limit != 0 && limit < (samples->count - 1) / recipe->batch_size + 1)
		s->train_count = limit * recipe->batch_size;
	if (recipe->fast_dev_run && s->valid_count > recipe->batch_size)
		s->valid_count = recipe->batch_size;
	s->scale = device_floats(s, features);
	s->shift = device_floats(s, features);
	scaling_linear(scaling, values, values + features);
	net->ops->upload(net->device, s->scale, values, features * sizeof *values);
	net->ops->upload(net->device, s->shift, values + features, features * sizeof *values);
	free(values);
	s->target = device_floats(s, recipe->batch_size * samples->targets);
	s->loss = net->ops->alloc(net->device, sizeof *s->loss);
	s->norm = net->ops->alloc(net->device, sizeof *s->norm);
	if (recipe->weight != NULL) {
		s->weight = device_floats(s, net->design.outputs);
		net->ops->upload(net->device, s->weight, recipe->weight,
			net->design.outputs * sizeof(float));
	}
	samples_scattered(samples);
	s->feed = feed_open(samples, &(struct feed_shape){ .batch = recipe->batch_size,
					     .ahead = (size_t)recipe->batches_ahead,
					     .threads = (unsigned)recipe->decode_threads });
	s->order = array_new(samples->count, sizeof *s->order);
	s->batch_target = array_new(recipe->batch_size * samples->targets, sizeof(float));
	if (augment_is_on(&recipe->augment))
		s->view = array_new(recipe->batch_size, sizeof *s->view);
	make_runs(s);
	session_begin(s);
	return net_reserve(net, recipe->batch_size, 1, fault);
}

void session_release(struct session *s)
{
	void *memory[] = { s->first, s->second, s->sum, s->average, s->best, s->best_running,
		s->scale, s->shift, s->target, s->weight, s->loss, s->norm };

	checkpoint_release(s);
	for (size_t i = 0; s->net != NULL && i < sizeof memory / sizeof memory[0]; i++)
		s->net->ops->release(s->net->device, memory[i]);
	feed_close(s->feed);
	bags_release_batch(&s->bag);
	free(s->order);
	free(s->batch_target);
	free(s->view);
	*s = (struct session){ .net = NULL };
}

/* Training rows are seen in as many ways as there are epochs. */
static const struct nn_view *views_of(struct session *s, const int64_t *rows, size_t count)
{
	const struct samples *samples = s->samples;

	if (s->view != NULL)
		augment_views(&s->recipe->augment, s->view, rows, count, samples->height,
			samples->width, s->recipe->seed, (uint32_t)s->at.epoch);
	return s->view;
}

float *session_score(
	struct session *s, const int64_t *rows, size_t count, const struct net_mode *mode)
{
	const struct samples *samples = s->samples;
	struct net *net = s->net;
	struct feed_batch batch;

	if (samples->is_texts) {
		bags_batch(&s->bag, &samples->bags, rows, count);
		net->bag = &s->bag;
		return net_forward(net, count, mode);
	}
	feed_take(s->feed, rows, count, &batch);
	net->ops->gather(net->device,
		&(struct nn_gather){ .to = net->input,
			.data = batch.values,
			.is_bytes = samples->is_bytes,
			.rows = batch.rows,
			.count = count,
			.columns = net->features,
			.scale = s->scale,
			.shift = s->shift,
			.view = mode->is_training ? views_of(s, rows, count) : NULL,
			.height = samples->height,
			.width = samples->width,
			.channels = samples->channels });
	return net_forward(net, count, mode);
}

static void send_targets(struct session *s, const int64_t *rows, size_t count)
{
	size_t targets = s->samples->targets;

	for (size_t i = 0; i < count; i++)
		memcpy(s->batch_target + i * targets,
			s->samples->target + (size_t)rows[i] * targets, targets * sizeof(float));
	s->net->ops->upload(
		s->net->device, s->target, s->batch_target, count * targets * sizeof(float));
}

/* Scores become slopes of the mean over all rows of the step; the batch's loss is added to
 * *s->loss. */
static void add_loss(struct session *s, float *score, size_t count, size_t of_step)
{
	const struct recipe *r = s->recipe;

	s->net->ops->loss(s->net->device, &(struct nn_loss){ .kind = (enum nn_loss_kind)r->loss,
						  .rows = count,
						  .columns = s->net->design.outputs,
						  .score = score,
						  .target = s->target,
						  .weight = s->weight,
						  .smoothing = (float)r->smoothing,
						  .delta = (float)r->delta,
						  .denominator = (float)of_step,
						  .sum = s->loss });
}

/* Of a bag: the cells of the batch, and no others. Their gradient is short (nn/net.h). */
static void narrow(const struct session *s, struct nn_update *u)
{
	u->row = s->bag.distinct;
	u->columns = s->net->layer[0].out.channels;
	u->count = s->bag.cells * u->columns;
}

static void update_segment(struct session *s, const struct segment *part, double rate)
{
	const struct recipe *r = s->recipe;
	struct net *net = s->net;
	double step = s->at.step + 1;
	int is_adamw = r->optimiser == OPTIMISER_ADAMW;
	struct nn_update u = { .weight = net->weight + part->from,
		.first = s->first + part->from,
		.second = is_adamw ? s->second + part->from : NULL,
		.gradient = net->gradient + part->from,
		.count = part->count,
		.rate = (float)rate * part->factor,
		.decay = part->decays ? (float)r->decay : 0,
		.shrink = part->decays ? (float)(rate * r->l1 / (is_adamw ? 1 : 1 - r->momentum)) *
						 part->factor
				       : 0,
		.momentum = (float)r->momentum,
		.beta = (float)r->beta,
		.epsilon = 1e-8f,
		.correction = (float)(1 / (1 - pow(r->momentum, step))),
		.root_correction = (float)(1 / sqrt(1 - pow(r->beta, step))),
		.nesterov = r->nesterov,
		.clip = (float)r->clip,
		.norm = s->norm };

	if (part->is_bag)
		narrow(s, &u);
	if (is_adamw)
		net->ops->adamw(net->device, &u);
	else
		net->ops->sgd(net->device, &u);
}

static void update(struct session *s, double rate)
{
	const struct groups *groups = &s->recipe->groups;
	struct net *net = s->net;
	double step = s->at.step + 1;
	/* At first the average keeps less, or it would long be the first weights. */
	double keep = fmin(s->recipe->average, step / (step + 9));

	for (size_t i = 0; i < groups->segment_count; i++)
		update_segment(s, &groups->segment[i], rate);
	if (s->average != NULL)
		net->ops->blend(net->device, &(struct nn_map){ .to = s->average,
						     .a = net->weight,
						     .count = net->weight_count,
						     .share = (float)(1 - keep) });
}

static void measure_gradient(struct session *s)
{
	const struct net *net = s->net;
	struct nn_sum sum = { .to = s->norm, .x = net->gradient, .is_first = 1 };

	if (net->sparse != 0) {
		sum.count = s->bag.cells * net->layer[0].out.channels;
		net->ops->sum_squares(net->device, &sum);
		sum.is_first = 0;
	}
	sum.x = net->gradient + net->sparse;
	sum.count = net->weight_count - net->sparse;
	net->ops->sum_squares(net->device, &sum);
}

static int diverged(const struct session *s, double loss, struct fault *fault)
{
	if (!isfinite(loss))
		return fault_set(fault,
			"training diverged in epoch %.0f, step %.0f: the loss is no longer a "
			"number; "
			"lower lr (it is %g)",
			s->at.epoch, s->at.step, s->at.rate);
	return fault_set(fault,
		"training diverged in epoch %.0f: loss %g, where the first batch had %.3g; lower "
		"lr "
		"(it is %g)",
		s->at.epoch, loss, s->at.first_loss, s->at.rate);
}

static size_t rows_a_step(const struct session *s)
{
	return s->recipe->batch_size * (size_t)s->recipe->accumulate;
}

/* A batch norm cannot do with one row: the last of an epoch's order is left out when it is alone. */
static size_t rows_an_epoch(const struct session *s)
{
	int is_alone = s->train_count % s->recipe->batch_size == 1;

	return s->train_count - (is_alone && s->recipe->design.norm == NET_NORM_BATCH);
}

static double epochs_done(const struct session *s)
{
	double steps = ceil((double)rows_an_epoch(s) / (double)rows_a_step(s));

	return s->at.epoch - 1 + s->at.taken / steps;
}

static double rate_now(const struct session *s)
{
	return schedule_rate(s->recipe, s->at.rate, epochs_done(s), (long)s->at.cuts);
}

/* The gradient of one batch of a step, in net.gradient. */
static void run_batch(
	struct session *s, const int64_t *rows, size_t count, uint32_t number, size_t of_step)
{
	const struct net_mode mode = { .is_training = 1, .seed = s->recipe->seed, .step = number };

	send_targets(s, rows, count);
	add_loss(s, session_score(s, rows, count, &mode), count, of_step);
	net_backward(s->net, count, &mode);
}

/* The gradient of all batches of a step, in net.gradient. */
static void run_batches(struct session *s, const int64_t *rows, size_t count)
{
	size_t batch_size = s->recipe->batch_size, size;
	uint32_t number = (uint32_t)s->at.step * (uint32_t)s->recipe->accumulate;
	struct net *net = s->net;
	const double nothing = 0;

	net->ops->upload(net->device, s->loss, &nothing, sizeof nothing);
	for (size_t first = 0; first < count; first += size, number++) {
		size = count - first < batch_size ? count - first : batch_size;
		if (first != 0)
			swap(&net->gradient, &s->sum); /* what there is so far is the sum */
		run_batch(s, rows + first, size, number, count);
		if (first != 0)
			net->ops->add(net->device, &(struct nn_map){ .to = net->gradient,
							   .a = net->gradient,
							   .b = s->sum,
							   .count = net->weight_count });
	}
}

double session_step(struct session *s, const int64_t *rows, size_t count, double rate)
{
	int is_told = (long)(s->at.step + 1) % s->recipe->metric_every == 0;
	double loss = 0;

	run_batches(s, rows, count);
	if (s->recipe->clip > 0 || is_told)
		measure_gradient(s);
	update(s, rate);
	s->net->ops->download(s->net->device, &loss, s->loss, sizeof loss);
	return loss;
}

static int take_step(struct session *s, const int64_t *rows, size_t count, struct fault *fault)
{
	const double rate = rate_now(s);
	double loss = session_step(s, rows, count, rate);

	if (!isfinite(loss))
		return diverged(s, loss, fault);
	if (s->at.step < 1)
		s->at.first_loss = loss / (double)count;
	s->at.step++;
	s->at.taken++;
	s->at.loss += loss;
	s->at.rows += (double)count;
	s->since_loss += loss;
	s->since_rows += (double)count;
	if ((long)s->at.step % s->recipe->metric_every == 0)
		telemetry_steps(s, rate, seconds());
	return 0;
}

static int keep(struct session *s, struct fault *fault)
{
	double began = seconds();
	int rc = checkpoint_write(s, fault);

	s->stalled += seconds() - began;
	return rc;
}

/* What is asked between two steps: has the time run out, is a checkpoint due, is the host still
 * there? */
static int look_around(struct session *s, struct fault *fault)
{
	const struct recipe *r = s->recipe;

	if ((long)s->at.step % STEPS_SEEN == 0) {
		if (s->host->cancelled(s->ctx))
			return fault_set(fault, "stopped in epoch %.0f", s->at.epoch);
		s->host->progress(s->ctx, epochs_done(s), (double)r->epochs + 1e-9, s->line);
	}
	if (r->max_time > 0 && s->at.seconds + seconds() - s->epoch_began > r->max_time)
		s->has_ended = 1;
	if (r->checkpoint_every > 0 && (long)s->at.step % r->checkpoint_every == 0)
		return keep(s, fault);
	return 0;
}

void session_shuffle(struct session *s)
{
	feed_end(s->feed);
	if (s->recipe->overfit_batches == 0)
		order_epoch(s->order, s->samples->row, s->train_count,
			(size_t)s->recipe->shuffle_rows, s->recipe->seed, (uint32_t)s->at.epoch);
	else
		memcpy(s->order, s->samples->row, s->train_count * sizeof *s->order);
}

/* The rest of the epoch, from s->at.taken on. */
static int run_epoch(struct session *s, struct fault *fault)
{
	size_t many = rows_a_step(s), count = rows_an_epoch(s);
	size_t done = (size_t)s->at.taken * many;

	session_shuffle(s);
	s->epoch_began = s->since = seconds();
	s->epoch_waited = s->waited = feed_waited(s->feed);
	if (done < count)
		feed_begin(s->feed, s->order + done, count - done, (size_t)s->recipe->shuffle_rows);
	for (size_t first = done; first < count; first += many) {
		size_t left = count - first;

		if (take_step(s, s->order + first, left < many ? left : many, fault) < 0 ||
			look_around(s, fault) < 0)
			return -1;
		if (s->has_ended)
			break;
	}
	s->took += seconds() - s->since;
	s->took_waiting += feed_waited(s->feed) - s->waited;
	s->epoch_loss = s->at.loss / s->at.rows;
	if (s->recipe->diverge > 0 && s->epoch_loss > s->recipe->diverge * s->at.first_loss + 1e-6)
		return diverged(s, s->epoch_loss, fault);
	return 0;
}

static void keep_best(struct session *s, double loss)
{
	struct net *net = s->net;

	s->at.best_epoch = s->at.epoch;
	s->at.best_loss = loss;
	s->at.best_quality = s->valid_quality;
	net->ops->copy(net->device, s->best, net->weight, net->weight_count * sizeof(float));
	net->ops->copy(
		net->device, s->best_running, net->running, net->running_count * sizeof(float));
}

/* After an epoch: validate by what would be the model, and decide whether to go on. */
static void judge(struct session *s)
{
	const struct recipe *r = s->recipe;
	const char *quality = validate_quality_name(s);
	double loss = 0;

	(void)snprintf(
		s->line, sizeof s->line, "epoch %.0f: loss %.4f", s->at.epoch, s->epoch_loss);
	if (s->valid_count == 0) {
		s->at.best_epoch = s->at.epoch;
		return;
	}
	if (s->average != NULL)
		swap(&s->net->weight, &s->average);
	loss = validate(s, &s->valid_quality);
	if (s->at.best_epoch < 1 || loss < s->at.best_loss)
		keep_best(s, loss);
	if (s->average != NULL)
		swap(&s->net->weight, &s->average);
	s->host->metric(s->ctx, "valid_loss", loss, (long)s->at.epoch);
	s->host->metric(s->ctx, quality, s->valid_quality, (long)s->at.epoch);
	(void)snprintf(s->line, sizeof s->line, "epoch %.0f: loss %.4f, valid loss %.4f, %s %.4f",
		s->at.epoch, s->epoch_loss, loss, quality, s->valid_quality);
	if (r->schedule == SCHEDULE_PLATEAU &&
		s->at.epoch - fmax(s->at.best_epoch, s->at.cut_epoch) >= r->step_every) {
		s->at.cuts++;
		s->at.cut_epoch = s->at.epoch;
	}
}

static void end_epoch(struct session *s)
{
	double took = seconds() - s->epoch_began;
	long epoch = (long)s->at.epoch;

	s->host->metric(s->ctx, "loss", s->epoch_loss, epoch);
	s->host->metric(s->ctx, "lr", rate_now(s), epoch);
	if (took > 0) {
		s->host->metric(s->ctx, "samples_per_second", s->at.rows / took, epoch);
		s->data_wait = 100 * (feed_waited(s->feed) - s->epoch_waited) / took;
		s->host->metric(s->ctx, "data_wait", s->data_wait, epoch);
	}
	judge(s);
	if (s->data_wait >= WAIT_SHOWN) {
		size_t length = strlen(s->line);

		(void)snprintf(s->line + length, sizeof s->line - length,
			", waited for data %.0f %%", s->data_wait);
	}
	s->at.seconds += seconds() - s->epoch_began;
	s->epoch_began = seconds();
	s->host->log(s->ctx, s->line);
	s->at.epoch++;
	s->at.taken = s->at.loss = s->at.rows = 0;
}

/* The weights that are the model: of the best epoch, or the average of the last. */
static void settle(struct session *s)
{
	struct net *net = s->net;
	const float *chosen = s->best != NULL && s->at.best_epoch > 0 ? s->best : s->average;

	if (chosen != NULL)
		net->ops->copy(net->device, net->weight, chosen, net->weight_count * sizeof(float));
	if (chosen != NULL && chosen == s->best)
		net->ops->copy(net->device, net->running, s->best_running,
			net->running_count * sizeof(float));
}

/* Are there more epochs to run? It is asked of the cursor, so that who takes a training up decides
 * as who left it. */
static int goes_on(const struct session *s)
{
	const struct recipe *r = s->recipe;
	double done = s->at.epoch - 1;

	if (s->has_ended || done >= (double)(r->fast_dev_run ? 1 : r->epochs))
		return 0;
	return r->patience == 0 || done - s->at.best_epoch < (double)r->patience;
}

int session_run(struct session *s, struct fault *fault)
{
	const struct recipe *r = s->recipe;

	checkpoint_read(s);
	if (s->at.rate <= 0 && r->is_rate_tested && !r->fast_dev_run && range_test(s, fault) < 0)
		return -1;
	if (s->at.rate <= 0)
		s->at.rate = r->rate;
	while (goes_on(s)) {
		if (run_epoch(s, fault) < 0)
			return -1;
		end_epoch(s);
		if (keep(s, fault) < 0)
			return -1;
	}
	settle(s);
	return checkpoint_wait(s, fault);
}
