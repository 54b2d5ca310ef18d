/*
 * evaluate/labels.h - several labels at once, each of which a row has or has not.
 *
 *     struct labels l;
 *     labels_init(&l, labels, rows, threshold);
 *     for each row: labels_add(&l, truths, probabilities, loss);       loss: summed over its labels
 *     labels_finish(&l);  ...l.micro.f1, l.subset_accuracy...
 *     labels_write(&l, names, path, fault);  labels_release(&l);
 *
 * A label is predicted when its probability is at least the threshold. Definitions are those of
 * scikit-learn: micro counts all labels of all rows as one, macro is the mean over all labels,
 * weighted the mean by how many rows have each; division by zero gives 0. subset_accuracy is the
 * share of rows with every label right, hamming_loss that of labels that are wrong. The macro
 * roc_auc and average_precision leave out labels for which they are not defined (curve.h).
 */
#ifndef FLOW_STAGES_EVALUATE_LABELS_H
#define FLOW_STAGES_EVALUATE_LABELS_H

#include <stddef.h>
#include <stdint.h>

#include "evaluate/curve.h"
#include "evaluate/figures.h"

struct fault;

struct label {
	uint64_t hits; /* rows that have it and are predicted to */
	struct figures figures;
	struct curve curve;
};

struct labels {
	size_t labels, rows;
	double threshold;
	float *probability; /* [rows][labels] */
	uint8_t *truth;     /* [labels][room] */
	size_t room;        /* rows to come */
	struct label *label;
	uint64_t exact;
	double loss; /* sum, then mean over rows and labels */
	double subset_accuracy, hamming_loss;
	struct figures micro, macro, weighted;
	double roc_auc, average_precision; /* macro */
};

void labels_init(struct labels *l, size_t labels, size_t rows, double threshold);
void labels_add(struct labels *l, const float *truth, const float *probability, double loss);
void labels_finish(struct labels *l); /* at least one row */
void labels_release(struct labels *l); /* zeroed: nothing */

/* names: one text a label, or NULL. */
int labels_write(const struct labels *l, const char *const *names, const char *path,
	struct fault *fault);

#endif
