/*
 * train/validate.h - what the net is worth on the validation rows: their mean loss, and one figure
 * that people read.
 *
 * The figure is the share of rows named rightly (classes: the largest score; sigmoid: every output
 * on the right side of a half) or the root of the mean squared error.
 */
#ifndef FLOW_STAGES_TRAIN_VALIDATE_H
#define FLOW_STAGES_TRAIN_VALIDATE_H

struct session;

const char *validate_quality_name(const struct session *s); /* of the metric */
double validate(struct session *s, double *quality);

#endif
