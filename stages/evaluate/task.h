/*
 * evaluate/task.h - what the outputs of a model mean, and whether the truth of the rows is of that kind.
 *
 *     struct task t;
 *     task_of(&t, outputs, loss, model, fault);          loss: that it was trained with
 *     task_check(&t, &samples, path, fault);             path: of what holds the truth
 *
 * softmax tells classes apart, and so does a single output of sigmoid, which is then the score of
 * class 1; several outputs of sigmoid are labels, each of which a row has or has not; the others
 * are numbers.
 */
#ifndef FLOW_STAGES_EVALUATE_TASK_H
#define FLOW_STAGES_EVALUATE_TASK_H

#include <stddef.h>

struct fault;
struct samples;

struct task {
	enum task_kind { TASK_CLASSES, TASK_LABELS, TASK_NUMBERS } kind;
	size_t outputs;   /* classes, labels, or numbers */
	int is_one_score; /* the model gives that of class 1 only */
	double quantile;  /* that the numbers are; NaN: they are means, or it is not known */
};

/* *task is written on success only. */
int task_of(struct task *task, size_t outputs, const char *loss, const char *model,
	struct fault *fault);
int task_check(const struct task *task, const struct samples *samples, const char *path,
	struct fault *fault);

const char *task_noun(const struct task *task); /* "classes", ... */

#endif
