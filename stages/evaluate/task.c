#include "evaluate/task.h"

#include <math.h>
#include <string.h>

#include "common/fault.h"
#include "nn/samples.h"

int task_of(struct task *task, size_t outputs, const char *loss, const char *model,
	struct fault *fault)
{
	static const struct {
		const char *loss;
		enum task_kind kind;
	} known[] = { { "softmax", TASK_CLASSES }, { "sigmoid", TASK_LABELS },
		{ "mse", TASK_NUMBERS }, { "huber", TASK_NUMBERS }, { "quantile", TASK_NUMBERS } };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(loss, known[i].loss) != 0)
			continue;
		*task = (struct task){ known[i].kind, outputs, 0, (double)NAN };
		if (outputs > 1 || task->kind == TASK_NUMBERS)
			return 0;
		*task = (struct task){ TASK_CLASSES, 2, 1, (double)NAN };
		return 0;
	}
	return fault_set(fault,
		"'%s' was trained with the loss '%s', and what its outputs mean is not known",
		model, loss);
}

const char *task_noun(const struct task *task)
{
	static const char *const nouns[] = { "classes", "labels", "numbers" };

	return nouns[task->kind];
}

/* Whole numbers are classes; floats may be 0 and 1, for one score. */
static int check_classes(
	const struct task *task, const struct samples *s, const char *path, struct fault *fault)
{
	if (s->classes == 0 && (!task->is_one_score || s->targets != 1))
		return fault_set(fault, "'%s' holds numbers, not classes", path);
	for (size_t i = 0; i < s->count; i++) {
		float label = s->target[s->row[i]];

		if (s->classes == 0 && label != 0.0f && label != 1.0f)
			return fault_set(fault, "row %lld of '%s' is %g; a class of two is 0 or 1",
				(long long)s->row[i], path, (double)label);
		if (label >= (float)task->outputs)
			return fault_set(fault,
				"row %lld has label %.0f, but the model knows %zu classes",
				(long long)s->row[i], (double)label, task->outputs);
	}
	return 0;
}

static int check_labels(const struct samples *s, const char *path, struct fault *fault)
{
	for (size_t i = 0; i < s->count * s->targets; i++) {
		size_t row = (size_t)s->row[i / s->targets], column = i % s->targets;
		float label = s->target[row * s->targets + column];

		if (label != 0.0f && label != 1.0f)
			return fault_set(fault,
				"row %zu, column %zu of '%s' is %g; a label is 0 or 1", row, column,
				path, (double)label);
	}
	return 0;
}

int task_check(const struct task *task, const struct samples *samples, const char *path,
	struct fault *fault)
{
	if (task->kind == TASK_CLASSES)
		return check_classes(task, samples, path, fault);
	if (samples->classes != 0)
		return fault_set(fault,
			"'%s' holds whole numbers, which are classes, but the model gives %zu %s: "
			"floats are wanted (in the stage `table`, columns: {NAME: float64})",
			path, task->outputs, task_noun(task));
	if (samples->targets != task->outputs)
		return fault_set(fault, "the model gives %zu %s a row, but '%s' has %zu",
			task->outputs, task_noun(task), path, samples->targets);
	return task->kind == TASK_LABELS ? check_labels(samples, path, fault) : 0;
}
