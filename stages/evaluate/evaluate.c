#include "evaluate/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/npy.h"
#include "common/text.h"
#include "evaluate/measure.h"
#include "evaluate/names.h"
#include "evaluate/predict.h"

/* Score all rows into the measure; predictions, [rows][outputs], may be NULL. */
static int score(struct measure *m, float *predictions, struct predictor *p, const flow_host *host,
	flow_ctx *ctx, struct fault *fault)
{
	size_t outputs = p->task.outputs, size;
	float *scores = array_new(PREDICTOR_ROWS * outputs, sizeof *scores);
	int rc = 0;

	for (size_t first = 0; first < p->count && rc == 0; first += size) {
		float *row = scores;

		size = p->count - first < PREDICTOR_ROWS ? p->count - first : PREDICTOR_ROWS;
		rc = predictor_run(p, first, size, scores, fault);
		for (size_t i = first; rc == 0 && i < first + size; i++, row += outputs) {
			if (p->task.kind == TASK_CLASSES)
				measure_class(m, predictor_label(p, i), row);
			else
				measure_row(m, predictor_truth(p, i), row);
			if (predictions != NULL)
				memcpy(predictions + i * outputs, row, outputs * sizeof *row);
		}
		host->progress(ctx, (double)(first + size), (double)p->count, NULL);
		if (rc == 0 && host->cancelled(ctx))
			rc = fault_set(fault, "stopped");
	}
	free(scores);
	return rc;
}

static int evaluate(struct predictor *p, const struct measure_options *options,
	const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *path = host->out(ctx, "predictions");
	float *predictions = NULL;
	struct measure measure;
	int rc;

	if (path != NULL)
		predictions = array_new(p->count * p->task.outputs, sizeof *predictions);
	measure_init(&measure, &p->task, p->count, options);
	rc = score(&measure, predictions, p, host, ctx, fault);
	if (rc < 0)
		goto out;
	measure_finish(&measure);
	rc = measure_write(&measure, host->out(ctx, "report"), fault);
	if (rc == 0 && path != NULL)
		rc = npy_write(path, NPY_FLOAT32, predictions, p->count, p->task.outputs, fault);
	if (rc == 0)
		measure_tell(&measure, host, ctx);
out:
	measure_release(&measure);
	free(predictions);
	return rc;
}

/* What is asked of the figures must mean something for that model. */
static int read_options(struct measure_options *options, const struct task *task,
	const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	int is_binary = task->kind == TASK_CLASSES && task->outputs == 2;

	options->threshold = host->number(ctx, "threshold", 0.5, 0, 1);
	if (host->has(ctx, "threshold") && !is_binary && task->kind != TASK_LABELS)
		return fault_set(fault,
			"with.threshold is for two classes and for labels; the model gives %zu %s",
			task->outputs, task_noun(task));
	if (host->has(ctx, "positive") && !is_binary)
		return fault_set(fault,
			"with.positive is for two classes; the model gives %zu %s", task->outputs,
			task_noun(task));
	if (names_positive(&options->positive, options->names, host->json(ctx, "positive"), fault) <
		0)
		return fault_context(fault, "with.positive");
	return host->failed(ctx) ? -1 : 0;
}

/* Names as written, or as the model learned them. */
static int measure_all(
	struct predictor *p, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	struct names names = { .list = NULL };
	struct measure_options options = { .names = NULL };
	int rc = names_read(&names, host->json(ctx, "class_names"), p->task.outputs,
		task_noun(&p->task), fault);

	if (rc < 0)
		(void)fault_context(fault, "with.class_names");
	options.names = names.list;
	if (names.list == NULL && p->origin.name != NULL && p->origin.names >= p->task.outputs)
		options.names = (const char *const *)p->origin.name;
	if (rc == 0)
		rc = read_options(&options, &p->task, host, ctx, fault);
	if (rc == 0)
		rc = evaluate(p, &options, host, ctx, fault);
	names_release(&names);
	return rc;
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	const char *images = host->dep(ctx, "images"), *features = host->dep(ctx, "features");
	const struct predictor_paths paths = { .model = host->dep(ctx, "model"),
		.values = images != NULL ? images : features,
		.labels = host->dep(ctx, "labels"),
		.rows = host->dep(ctx, "rows"),
		.table = host->dep(ctx, "table"),
		.target = host->has(ctx, "target") ? host->text(ctx, "target", "") : NULL,
		.texts = host->dep(ctx, "texts"),
		.folder = host->tmpdir(ctx) };
	int ways = (paths.values != NULL) + (paths.texts != NULL) + (paths.table != NULL);
	struct predictor p = { .count = 0 };
	struct fault fault = { "" };

	if (paths.model == NULL || ways != 1 || (paths.table != NULL) == (paths.labels != NULL))
		return host->fail(ctx, "needs deps named 'model', 'images' (or 'features' or "
				       "'texts') and 'labels', or 'model' and 'table'");
	if (host->out(ctx, "report") == NULL)
		return host->fail(ctx, "needs an out named 'report'");
	if (predictor_open(&p, &paths, host->threads(ctx), &fault) == 0)
		(void)measure_all(&p, host, ctx, &fault);
	predictor_close(&p);
	if (fault.text[0] != '\0')
		return host->fail(ctx, fault.text);
	return host->failed(ctx) ? -1 : 0;
}

static const flow_port deps[] = {
	{ "model", "as the stage `train` writes it: safetensors, or XGBoost's", 1 },
	{ "images", "images, IDX of bytes: rows, height, width", 0 },
	{ "features", "gbdt, mlp, cnn: rows of values, NPY; instead of images", 0 },
	{ "texts", "text: a table with the column that the model was trained on", 0 },
	{ "labels", "IDX of bytes, or NPY of whole numbers for gbdt, mlp, cnn and text: one a row",
		0 },
	{ "table",
		"gbdt, mlp, cnn: a shard, instead of images or features and of labels; transformed as "
		"the one the model learned from, or raw, when the model holds the recipe",
		0 },
	{ "rows", "rows to evaluate, NPY int64; all of them when absent", 0 },
	{ NULL, NULL, 0 },
};

static const flow_port outs[] = {
	{ "report",
		"JSON. Classes: accuracy, log loss, figures of each class, confusion matrix; of "
		"two also roc_auc, average_precision, brier, ece; labels: the same figures, micro "
		"and macro, subset_accuracy; numbers: mse, rmse, mae, r2, of a quantile pinball "
		"and coverage",
		1 },
	{ "predictions",
		"NPY float32: rows, and probabilities of classes or labels, or the numbers", 0 },
	{ NULL, NULL, 0 },
};

static const flow_option options[] = {
	{ "class_names", "list", "[]",
		"a name for each class, label or number, shown in the report; a model that "
		"learned classes from a table knows them" },
	{ "threshold", "number 0..1", "0.5",
		"two classes, labels: from this probability on a row is predicted to have it" },
	{ "positive", "any", "1",
		"two classes: name or number of the one that is to be found, whose f1, precision, "
		"recall, average_precision, brier and ece are metrics" },
	{ "target", "text", "",
		"of a table: the column of the truth, other than the one the model learned" },
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_evaluate = { sizeof(flow_stage), "evaluate", "4",
	"measure a model on rows whose truth is known: classes, labels or numbers", deps, outs,
	options, run };
