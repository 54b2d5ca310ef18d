/*
 * train/range.h - what `lr: auto` and `batch_size: auto` come to.
 *
 * range_batch() follows a rule, so that the same data and options give the same model on any
 * machine: the power of two from 32 to 1024 of which an epoch has at least 128, less when the
 * values between the layers would take more than 256 MiB, and never more than there are rows. A
 * rate that is not written grows with the root of it: what is usual is meant for 128 rows.
 *
 * range_test() is a learning-rate range test (L. N. Smith, "Cyclical Learning Rates", 2017): up to
 * 100 steps from the first weights, in an order of their own, with a rate that grows from a
 * thousandth to a thousand times the usual one; it ends when the smoothed loss is four times its
 * lowest. The rate is a tenth of that of the lowest. Everything is put back then, so training
 * begins as with a rate that was written. Metrics: range_lr and range_loss of each step.
 */
#ifndef FLOW_STAGES_TRAIN_RANGE_H
#define FLOW_STAGES_TRAIN_RANGE_H

#include <stddef.h>

struct fault;
struct net;
struct recipe;
struct session;

/* Sets r->batch_size, and r->rate unless it was written. rows: to train on. */
void range_batch(struct recipe *r, const struct net *net, size_t rows);

/* Before the first step; sets s->at.rate. -1: the host wants the stage to end. */
int range_test(struct session *s, struct fault *fault);

#endif
