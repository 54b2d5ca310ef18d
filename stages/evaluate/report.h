/*
 * evaluate/report.h - from a confusion matrix to figures.
 *
 *     report_init(&r, classes);  for each row: report_add(&r, truth, predicted, loss);
 *     report_finish(&r);  ...r.accuracy, r.of_class[i].f1...
 *     report_write(&r, names, path, fault);  report_release(&r);
 *
 * What is divided by zero is 0 (figures.h), and the report says so. Averages run over the classes
 * that occur or were predicted.
 */
#ifndef FLOW_STAGES_EVALUATE_REPORT_H
#define FLOW_STAGES_EVALUATE_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "evaluate/figures.h"

struct binary;
struct fault;

struct report {
	size_t classes;
	uint64_t rows;
	uint64_t *confusion; /* [truth][predicted] */
	double loss;         /* sum, then mean of -log(probability of the truth) */
	double accuracy;
	struct figures *of_class;
	struct figures macro;    /* plain mean over classes */
	struct figures weighted; /* mean over classes by support */
	const struct binary *binary; /* of two classes: finished, the caller's; NULL: not given */
};

void report_init(struct report *report, size_t classes);
void report_add(struct report *report, size_t truth, size_t predicted, double loss);
void report_finish(struct report *report);
void report_release(struct report *report); /* zeroed: nothing */

/* names: one text a class, or NULL. */
int report_write(const struct report *report, const char *const *names, const char *path,
	struct fault *fault);

#endif
