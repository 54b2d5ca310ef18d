/*
 * train/session.h - a training from the first step to the last, that can be left and taken up.
 *
 *     struct session s;
 *     session_init(&s, &recipe, &samples, &net, &scaling, host, ctx);
 *     session_run(&s, fault);           the best weights are in the net, s.at says what came of it
 *     session_release(&s);
 *
 * Everything that decides the next step is in the net, the optimiser's runs and s.at: a checkpoint
 * is these (checkpoint.h), and a training that goes on from one takes the same steps to the bit, as
 * it would with any other number of threads. The order of an epoch's rows follows from the seed and
 * the epoch, what dropout leaves out from the seed, the step and the layer.
 */
#ifndef FLOW_STAGES_TRAIN_SESSION_H
#define FLOW_STAGES_TRAIN_SESSION_H

#include <flow/plugin.h>

#include <stddef.h>
#include <stdint.h>

#include "nn/bags.h"
#include "nn/net.h"

struct checkpoint;
struct fault;
struct feed;
struct recipe;
struct samples;
struct scaling;

/* Where a training is: all numbers, so that a checkpoint can name them. */
struct cursor {
	double epoch;      /* at work, from 1 */
	double taken;      /* steps of it */
	double step;       /* done */
	double loss, rows; /* of the epoch: summed loss, rows done */
	double first_loss; /* of the first batch */
	double best_epoch; /* 0: none yet */
	double best_loss, best_quality;
	double rate;            /* the highest of the schedule */
	double cuts, cut_epoch; /* plateau: how often the rate was cut, and when last */
	double seconds;         /* spent, by all attempts */
};

struct session {
	const struct recipe *recipe;
	const struct samples *samples;
	struct net *net;
	struct feed *feed;
	const flow_host *host;
	flow_ctx *ctx;
	struct cursor at;
	/* Runs of the device, as long as the net's weights; NULL where the recipe needs none. */
	float *first, *second, *average, *best;
	float *best_running;
	float *sum; /* of the gradients so far of one step; nothing between two steps */
	/* Of the device: the inputs' scale and shift, targets of a batch, weights of the classes. */
	float *scale, *shift, *target, *weight;
	double *loss, *norm;
	struct bag_batch bag; /* text: of the batch at work */
	/* Of the host. */
	int64_t *order;
	float *batch_target;
	struct nn_view *view; /* of the batch's images; NULL: as they lie */
	size_t train_count, valid_count;  /* that are used */
	double valid_quality, epoch_loss; /* of the last epoch */
	int has_ended;                    /* max_time is over */
	/* Since the last metrics of steps: when, and what was waited until then; time and waits of
	 * the epochs before this one. */
	double since, waited, took, took_waiting, since_rows, since_loss;
	double epoch_began, epoch_waited;
	double data_wait; /* of the last epoch, per cent */
	struct checkpoint *checkpoint; /* on its way to the disk; NULL: none was written */
	double stalled;                /* seconds that training stood still for checkpoints */
	char line[200];
};

int session_init(struct session *s, const struct recipe *recipe, const struct samples *samples,
	struct net *net, const struct scaling *scaling, const flow_host *host, flow_ctx *ctx,
	struct fault *fault);
int session_run(struct session *s, struct fault *fault);
void session_release(struct session *s); /* zeroed: nothing */

/* For the test of rates, before the first step. The order of s->at.epoch; one step, which returns its
 * summed loss; where a training stands that has taken none, its weights being in the net. */
void session_shuffle(struct session *s);
double session_step(struct session *s, const int64_t *rows, size_t count, double rate);
void session_begin(struct session *s);

/* The rows of the data's scores for `count` rows, by the net as it is: for validation and tests.
 * count <= net.room. */
float *session_score(
	struct session *s, const int64_t *rows, size_t count, const struct net_mode *mode);

#endif
