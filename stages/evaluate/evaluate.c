#include "evaluate/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/npy.h"
#include "common/softmax.h"
#include "common/text.h"
#include "evaluate/predict.h"
#include "evaluate/report.h"

#define NAME_MAX 100

/* with.class_names: one text a class. */
struct names {
	char (*text)[NAME_MAX];
	const char **list; /* NULL: none given */
};

static void names_release(struct names *names)
{
	free(names->text);
	free(names->list);
	*names = (struct names){ 0 };
}

static int read_names(struct names *names, const char *json, size_t classes, struct fault *fault)
{
	struct jsonin in;
	size_t count = 0;
	int more;

	if (json == NULL)
		return 0;
	names->text = array_new(classes, sizeof *names->text);
	names->list = array_new(classes, sizeof *names->list);
	jsonin_begin(&in, json, strlen(json));
	if (jsonin_enter(&in, '[', fault) < 0)
		return -1;
	while ((more = jsonin_item(&in, fault)) == 1) {
		if (count == classes)
			return fault_set(
				fault, "more names than the %zu classes of the model", classes);
		if (jsonin_string(&in, names->text[count], NAME_MAX, fault) < 0)
			return -1;
		names->list[count] = names->text[count];
		count++;
	}
	if (more == 0 && count == 0) {
		names_release(names);
		return 0;
	}
	if (more == 0 && count != classes)
		return fault_set(
			fault, "%zu names for the %zu classes of the model", count, classes);
	return more;
}

/* Score all rows into the report; probabilities, [rows][classes], may be NULL. */
static int score(struct report *report, float *probabilities, struct predictor *p,
	const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	float *scores = array_new(PREDICTOR_ROWS * p->classes, sizeof *scores);
	size_t size;
	int rc = 0;

	for (size_t first = 0; first < p->count && rc == 0; first += size) {
		float *row = scores;

		size = p->count - first < PREDICTOR_ROWS ? p->count - first : PREDICTOR_ROWS;
		rc = predictor_run(p, first, size, scores, fault);
		for (size_t i = first; rc == 0 && i < first + size; i++, row += p->classes) {
			size_t truth = predictor_label(p, i);
			size_t predicted = softmax_best(row, p->classes);

			report_add(report, truth, predicted, softmax_row(row, p->classes, truth));
			if (probabilities != NULL)
				memcpy(probabilities + i * p->classes, row,
					p->classes * sizeof *row);
		}
		host->progress(ctx, (double)(first + size), (double)p->count, NULL);
		if (rc == 0 && host->cancelled(ctx))
			rc = fault_set(fault, "stopped");
	}
	free(scores);
	return rc;
}

static void tell(const struct report *report, const flow_host *host, flow_ctx *ctx)
{
	host->metric(ctx, "accuracy", report->accuracy, -1);
	host->metric(ctx, "macro_f1", report->macro.f1, -1);
	host->metric(ctx, "log_loss", report->loss, -1);
}

static int evaluate(struct predictor *p, const char *const *names, const flow_host *host,
	flow_ctx *ctx, struct fault *fault)
{
	const char *predictions = host->out(ctx, "predictions");
	float *probabilities = NULL;
	struct report report;
	int rc;

	if (predictions != NULL)
		probabilities = array_new(p->count * p->classes, sizeof *probabilities);
	report_init(&report, p->classes);
	rc = score(&report, probabilities, p, host, ctx, fault);
	if (rc < 0)
		goto out;
	report_finish(&report);
	rc = report_write(&report, names, host->out(ctx, "report"), fault);
	if (rc == 0 && predictions != NULL)
		rc = npy_write(
			predictions, NPY_FLOAT32, probabilities, p->count, p->classes, fault);
	if (rc == 0)
		tell(&report, host, ctx);
out:
	report_release(&report);
	free(probabilities);
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
	struct predictor p = { .classes = 0 };
	struct names names = { .list = NULL };
	struct fault fault = { "" };

	if (paths.model == NULL || ways != 1 || (paths.table != NULL) == (paths.labels != NULL))
		return host->fail(ctx, "needs deps named 'model', 'images' (or 'features' or "
				       "'texts') and 'labels', or 'model' and 'table'");
	if (host->out(ctx, "report") == NULL)
		return host->fail(ctx, "needs an out named 'report'");
	if (predictor_open(&p, &paths, host->threads(ctx), &fault) < 0)
		goto out;
	if (read_names(&names, host->json(ctx, "class_names"), p.classes, &fault) < 0) {
		(void)fault_context(&fault, "with.class_names");
		goto out;
	}
	if (names.list == NULL && p.origin.name != NULL && p.origin.names >= p.classes)
		(void)evaluate(&p, (const char *const *)p.origin.name, host, ctx, &fault);
	else
		(void)evaluate(&p, names.list, host, ctx, &fault);
out:
	names_release(&names);
	predictor_close(&p);
	return fault.text[0] != '\0' ? host->fail(ctx, fault.text) : 0;
}

static const flow_port deps[] = {
	{ "model", "as the stage `train` writes it: safetensors, or XGBoost's", 1 },
	{ "images", "images, IDX of bytes: rows, height, width", 0 },
	{ "features", "gbdt, mlp, cnn: rows of values, NPY; instead of images", 0 },
	{ "texts", "text: a table with the column that the model was trained on", 0 },
	{ "labels", "IDX of bytes, or NPY of whole numbers for gbdt, mlp, cnn and text: one a row",
		0 },
	{ "table",
		"mlp, cnn: a shard, instead of images or features and of labels; transformed as "
		"the one the model learned from, or raw, when the model holds the recipe",
		0 },
	{ "rows", "rows to evaluate, NPY int64; all of them when absent", 0 },
	{ NULL, NULL, 0 },
};

static const flow_port outs[] = {
	{ "report", "JSON: accuracy, log loss, figures of each class, confusion matrix", 1 },
	{ "predictions", "probabilities, NPY float32: rows, classes", 0 },
	{ NULL, NULL, 0 },
};

static const flow_option options[] = {
	{ "class_names", "list", "[]",
		"a name for each class, shown in the report; a model that learned from a table "
		"knows them" },
	{ "target", "text", "",
		"of a table: the column of the truth, other than the one the model learned" },
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_evaluate = { sizeof(flow_stage), "evaluate", "3",
	"measure a model on labelled rows: accuracy, F1, log loss, confusion matrix", deps, outs,
	options, run };
