/*
 * evaluate/measure.h - scores of rows become figures, whichever they are for that model.
 *
 *     struct measure m;
 *     measure_init(&m, &task, rows, &options);
 *     for each row: measure_class(&m, truth, scores)  or  measure_row(&m, truths, scores);
 *     measure_finish(&m);
 *     measure_write(&m, path, fault);  measure_tell(&m, host, ctx);  measure_release(&m);
 *
 * measure_class() is for classes, measure_row() for labels and numbers. Both turn the scores, in
 * place, into what the model predicts: probabilities, or the numbers themselves.
 */
#ifndef FLOW_STAGES_EVALUATE_MEASURE_H
#define FLOW_STAGES_EVALUATE_MEASURE_H

#include <flow/plugin.h>

#include <stddef.h>

#include "evaluate/binary.h"
#include "evaluate/labels.h"
#include "evaluate/numbers.h"
#include "evaluate/report.h"
#include "evaluate/task.h"

struct fault;

struct measure_options {
	double threshold;         /* of two classes, and of labels */
	size_t positive;          /* of two classes */
	const char *const *names; /* of classes, labels or numbers; NULL: none */
};

/* Of the kind of the task; the others are empty. */
struct measure {
	struct task task;
	struct measure_options options;
	struct report report;
	struct binary binary;
	struct labels labels;
	struct numbers numbers;
};

/* Texts of the options are borrowed. */
void measure_init(struct measure *m, const struct task *task, size_t rows,
	const struct measure_options *options);
void measure_class(struct measure *m, size_t truth, float *scores);
void measure_row(struct measure *m, const float *truth, float *scores);
void measure_finish(struct measure *m); /* at least one row */
void measure_release(struct measure *m); /* zeroed: nothing */

int measure_write(const struct measure *m, const char *path, struct fault *fault);
/* What people look at comes first. A figure that is not defined is told in the log instead. */
void measure_tell(const struct measure *m, const flow_host *host, flow_ctx *ctx);

#endif
