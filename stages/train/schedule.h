/*
 * train/schedule.h - the learning rate of a step, as a function of how far training is.
 *
 * `done` counts epochs, with fractions. Warm-up rises in a straight line to the rate; what follows
 * is stretched over the rest. plateau's cuts are counted by whoever validates.
 */
#ifndef FLOW_STAGES_TRAIN_SCHEDULE_H
#define FLOW_STAGES_TRAIN_SCHEDULE_H

struct recipe;

/* rate: the highest. */
double schedule_rate(const struct recipe *r, double rate, double done, long cuts);

#endif
