#include "evaluate/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "common/dataset.h"
#include "common/fault.h"
#include "common/jsonin.h"
#include "common/linear.h"
#include "common/npy.h"
#include "common/softmax.h"
#include "common/text.h"
#include "evaluate/report.h"

#define ROWS_AT_ONCE 256
#define NAME_MAX     100

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

/* The model and the data must be made for each other. */
static int check_fit(const struct linear *model, const struct dataset *d, struct fault *fault)
{
	if (model->features != d->features)
		return fault_set(fault, "the model takes %zu pixels, but the images have %zu",
			model->features, d->features);
	for (size_t i = 0; i < d->count; i++)
		if (dataset_label(d, d->row[i]) >= model->classes)
			return fault_set(fault,
				"row %lld has label %zu, but the model knows %zu "
				"classes",
				(long long)d->row[i], dataset_label(d, d->row[i]), model->classes);
	return 0;
}

/* Score all rows into the report; probabilities, [rows][classes], may be NULL. */
static int score(struct report *report, float *probabilities, const struct linear *model,
	const struct dataset *d, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	struct scorer scorer;
	size_t size;
	int rc = 0;

	scorer_init(&scorer, model, ROWS_AT_ONCE);
	for (size_t first = 0; first < d->count && rc == 0; first += size) {
		float *row;

		size = d->count - first < ROWS_AT_ONCE ? d->count - first : ROWS_AT_ONCE;
		row = scorer_run(&scorer, d, d->row + first, size);
		for (size_t i = first; i < first + size; i++, row += model->lanes) {
			size_t truth = dataset_label(d, d->row[i]);
			size_t predicted = softmax_best(row, model->classes);

			report_add(
				report, truth, predicted, softmax_row(row, model->classes, truth));
			if (probabilities != NULL)
				memcpy(probabilities + i * model->classes, row,
					model->classes * sizeof *row);
		}
		host->progress(ctx, (double)(first + size), (double)d->count, NULL);
		if (host->cancelled(ctx))
			rc = fault_set(fault, "stopped");
	}
	scorer_release(&scorer);
	return rc;
}

static void tell(const struct report *report, const flow_host *host, flow_ctx *ctx)
{
	host->metric(ctx, "accuracy", report->accuracy, -1);
	host->metric(ctx, "macro_f1", report->macro.f1, -1);
	host->metric(ctx, "log_loss", report->loss, -1);
}

static int evaluate(const struct linear *model, const struct dataset *d, const char *const *names,
	const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *predictions = host->out(ctx, "predictions");
	float *probabilities = NULL;
	struct report report;
	int rc;

	if (predictions != NULL)
		probabilities = array_new(d->count * model->classes, sizeof *probabilities);
	report_init(&report, model->classes);
	rc = score(&report, probabilities, model, d, host, ctx, fault);
	if (rc < 0)
		goto out;
	report_finish(&report);
	rc = report_write(&report, names, host->out(ctx, "report"), fault);
	if (rc == 0 && predictions != NULL)
		rc = npy_write(
			predictions, NPY_FLOAT32, probabilities, d->count, model->classes, fault);
	if (rc == 0)
		tell(&report, host, ctx);
out:
	report_release(&report);
	free(probabilities);
	return rc;
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	const char *path = host->dep(ctx, "model"), *images = host->dep(ctx, "images");
	const char *labels = host->dep(ctx, "labels");
	struct linear model = { .classes = 0 };
	struct dataset d = { .count = 0 };
	struct names names = { .list = NULL };
	struct fault fault = { "" };

	if (path == NULL || images == NULL || labels == NULL)
		return host->fail(ctx, "needs deps named 'model', 'images' and 'labels'");
	if (host->out(ctx, "report") == NULL)
		return host->fail(ctx, "needs an out named 'report'");
	if (linear_load(&model, path, &fault) < 0 ||
		dataset_open(&d, images, labels, host->dep(ctx, "rows"), &fault) < 0 ||
		check_fit(&model, &d, &fault) < 0)
		goto out;
	if (read_names(&names, host->json(ctx, "class_names"), model.classes, &fault) < 0) {
		(void)fault_context(&fault, "with.class_names");
		goto out;
	}
	(void)evaluate(&model, &d, names.list, host, ctx, &fault);
out:
	names_release(&names);
	linear_release(&model);
	dataset_close(&d);
	return fault.text[0] != '\0' ? host->fail(ctx, fault.text) : 0;
}

static const flow_port deps[] = {
	{ "model", "safetensors, as the stage `train` writes it", 1 },
	{ "images", "images, IDX of bytes: rows, height, width", 1 },
	{ "labels", "labels, IDX of bytes: one a row", 1 },
	{ "rows", "rows to evaluate, NPY int64; all of them when absent", 0 },
	{ NULL, NULL, 0 },
};

static const flow_port outs[] = {
	{ "report", "JSON: accuracy, log loss, figures of each class, confusion matrix", 1 },
	{ "predictions", "probabilities, NPY float32: rows, classes", 0 },
	{ NULL, NULL, 0 },
};

static const flow_option options[] = {
	{ "class_names", "list", "[]", "a name for each class, shown in the report" },
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_evaluate = { sizeof(flow_stage), "evaluate", "1",
	"measure a model on labelled images: accuracy, F1, log loss, confusion matrix", deps, outs,
	options, run };
