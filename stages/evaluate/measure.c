#include "evaluate/measure.h"

#include <math.h>
#include <stdio.h>

#include "common/softmax.h"

void measure_init(struct measure *m, const struct task *task, size_t rows,
	const struct measure_options *options)
{
	*m = (struct measure){ .task = *task, .options = *options };
	switch (task->kind) {
	case TASK_CLASSES:
		report_init(&m->report, task->outputs);
		if (task->outputs == 2)
			binary_init(&m->binary, rows, options->positive, options->threshold);
		break;
	case TASK_LABELS:
		labels_init(&m->labels, task->outputs, rows, options->threshold);
		break;
	case TASK_NUMBERS: numbers_init(&m->numbers, task->outputs, task->quantile); break;
	}
}

void measure_release(struct measure *m)
{
	report_release(&m->report);
	binary_release(&m->binary);
	labels_release(&m->labels);
	numbers_release(&m->numbers);
}

void measure_class(struct measure *m, size_t truth, float *scores)
{
	size_t classes = m->task.outputs, predicted = softmax_best(scores, classes);
	double loss = softmax_row(scores, classes, truth);

	if (classes == 2)
		predicted = binary_add(&m->binary, truth, scores);
	report_add(&m->report, truth, predicted, loss);
}

void measure_row(struct measure *m, const float *truth, float *scores)
{
	double loss = 0;

	if (m->task.kind == TASK_NUMBERS) {
		numbers_add(&m->numbers, truth, scores);
		return;
	}
	for (size_t j = 0; j < m->task.outputs; j++) {
		/* sigmoid(s) is the softmax of 0 and s. */
		float pair[2] = { 0, scores[j] };

		loss += softmax_row(pair, 2, truth[j] > 0.5f);
		scores[j] = pair[1];
	}
	labels_add(&m->labels, truth, scores, loss);
}

void measure_finish(struct measure *m)
{
	switch (m->task.kind) {
	case TASK_CLASSES:
		report_finish(&m->report);
		if (m->task.outputs == 2) {
			binary_finish(&m->binary);
			m->report.binary = &m->binary;
		}
		break;
	case TASK_LABELS: labels_finish(&m->labels); break;
	case TASK_NUMBERS: numbers_finish(&m->numbers); break;
	}
}

int measure_write(const struct measure *m, const char *path, struct fault *fault)
{
	switch (m->task.kind) {
	case TASK_CLASSES: break;
	case TASK_LABELS: return labels_write(&m->labels, m->options.names, path, fault);
	case TASK_NUMBERS: return numbers_write(&m->numbers, m->options.names, path, fault);
	}
	return report_write(&m->report, m->options.names, path, fault);
}

struct named {
	const char *name;
	double value; /* NaN: not defined */
};

static void tell(const struct named *list, size_t count, const flow_host *host, flow_ctx *ctx)
{
	char line[120];

	for (size_t i = 0; i < count; i++) {
		if (!isnan(list[i].value)) {
			host->metric(ctx, list[i].name, list[i].value, -1);
			continue;
		}
		(void)snprintf(line, sizeof line,
			"%s is not defined for these rows: there are too few, or of one class only",
			list[i].name);
		host->log(ctx, line);
	}
}

static void tell_classes(const struct measure *m, const flow_host *host, flow_ctx *ctx)
{
	const struct report *r = &m->report;
	const struct binary *b = &m->binary;
	const struct figures *positive = &r->of_class[b->positive];
	const struct named of_two[] = { { "accuracy", r->accuracy },
		{ "roc_auc", b->curve.roc_auc },
		{ "average_precision", b->curve.average_precision }, { "f1", positive->f1 },
		{ "log_loss", r->loss }, { "precision", positive->precision },
		{ "recall", positive->recall }, { "macro_f1", r->macro.f1 }, { "brier", b->brier },
		{ "ece", b->ece } };
	const struct named of_many[] = { { "accuracy", r->accuracy }, { "macro_f1", r->macro.f1 },
		{ "log_loss", r->loss } };

	if (m->task.outputs == 2)
		tell(of_two, sizeof of_two / sizeof of_two[0], host, ctx);
	else
		tell(of_many, sizeof of_many / sizeof of_many[0], host, ctx);
}

static void tell_labels(const struct labels *l, const flow_host *host, flow_ctx *ctx)
{
	const struct named list[] = { { "micro_f1", l->micro.f1 }, { "macro_f1", l->macro.f1 },
		{ "subset_accuracy", l->subset_accuracy }, { "log_loss", l->loss },
		{ "roc_auc", l->roc_auc }, { "average_precision", l->average_precision },
		{ "hamming_loss", l->hamming_loss } };

	tell(list, sizeof list / sizeof list[0], host, ctx);
}

static void tell_numbers(const struct numbers *n, const flow_host *host, flow_ctx *ctx)
{
	const struct named quantile[] = { { "pinball", n->mean.pinball },
		{ "coverage", n->mean.coverage } };
	const struct named list[] = { { "rmse", n->mean.rmse }, { "mae", n->mean.mae },
		{ "r2", n->mean.r2 }, { "mse", n->mean.mse } };

	if (!isnan(n->quantile))
		tell(quantile, 2, host, ctx);
	tell(list, sizeof list / sizeof list[0], host, ctx);
}

void measure_tell(const struct measure *m, const flow_host *host, flow_ctx *ctx)
{
	switch (m->task.kind) {
	case TASK_CLASSES: tell_classes(m, host, ctx); break;
	case TASK_LABELS: tell_labels(&m->labels, host, ctx); break;
	case TASK_NUMBERS: tell_numbers(&m->numbers, host, ctx); break;
	}
}
