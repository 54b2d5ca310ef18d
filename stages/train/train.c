#include "train/train.h"

#include <stdio.h>
#include <string.h>

#include "common/dataset.h"
#include "common/fault.h"
#include "common/linear.h"
#include "common/safetensors.h"
#include "train/fit.h"

static int check_model(const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *model = host->text(ctx, "model", "softmax");

	if (model == NULL || strcmp(model, "softmax") == 0)
		return 0;
	return fault_set(fault, "with.model: '%s' is not known; known is: softmax", model);
}

static int read_schedule(
	struct fit_options *options, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *schedule = host->text(ctx, "schedule", "cosine");

	options->is_cosine = schedule == NULL || strcmp(schedule, "cosine") == 0;
	if (options->is_cosine || strcmp(schedule, "constant") == 0)
		return 0;
	return fault_set(
		fault, "with.schedule: '%s' is not known; known are: cosine, constant", schedule);
}

/* -1 also when a getter has told the host already. */
static int read_options(
	struct fit_options *options, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	if (check_model(host, ctx, fault) < 0 || read_schedule(options, host, ctx, fault) < 0)
		return -1;
	options->epochs = host->integer(ctx, "epochs", 20, 1, 1000000);
	options->batch_size = (size_t)host->integer(ctx, "batch_size", 128, 1, 65536);
	options->rate = host->number(ctx, "lr", 0.01, 1e-12, 1e12);
	options->momentum = host->number(ctx, "momentum", 0.9, 0, 0.9999);
	options->decay = host->number(ctx, "weight_decay", 1e-3, 0, 1e6);
	options->patience = host->integer(ctx, "patience", 5, 0, 1000000);
	options->seed = host->seed(ctx);
	return host->failed(ctx) ? -1 : 0;
}

/* The data sets; *has_valid is 0 when no validation rows are given. What was opened is the caller's
 * to close. */
static int open_data(struct dataset *train, struct dataset *valid, int *has_valid,
	const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *images = host->dep(ctx, "images"), *labels = host->dep(ctx, "labels");
	const char *valid_rows = host->dep(ctx, "valid_rows");

	*has_valid = valid_rows != NULL;
	if (images == NULL || labels == NULL)
		return fault_set(fault, "needs deps named 'images' and 'labels'");
	if (dataset_open(train, images, labels, host->dep(ctx, "rows"), fault) < 0)
		return -1;
	if (train->classes < 2)
		return fault_set(fault, "'%s' has only one class", labels);
	if (train->features > LINEAR_FEATURES_MAX)
		return fault_set(
			fault, "'%s' has images of %zu pixels, too many", images, train->features);
	return *has_valid ? dataset_open(valid, images, labels, valid_rows, fault) : 0;
}

static void tell(const struct fit_result *result, const struct dataset *train, int has_valid,
	const flow_host *host, flow_ctx *ctx)
{
	host->metric(ctx, "rows", (double)train->count, -1);
	host->metric(ctx, "epochs", (double)result->epochs, -1);
	host->metric(ctx, "best_epoch", (double)result->best_epoch, -1);
	if (!has_valid)
		return;
	host->metric(ctx, "best_valid_loss", result->valid_loss, -1);
	host->metric(ctx, "best_valid_accuracy", result->valid_accuracy, -1);
}

static void describe_number(struct tensors *notes, const char *key, double value)
{
	char text[40];

	(void)snprintf(text, sizeof text, "%.17g", value);
	tensors_describe(notes, key, text);
}

/* What made the model goes into its metadata: nothing that differs from one run to the next with
 * the same inputs. */
static int save(const struct linear *model, const struct fit_options *options,
	const struct fit_result *result, const char *path, struct fault *fault)
{
	struct tensors notes = { .count = 0 };
	int rc;

	tensors_describe(&notes, "format", "pt");
	tensors_describe(&notes, "model", "softmax");
	tensors_describe(&notes, "input", "(pixel / 255 - input.mean) / input.std");
	describe_number(&notes, "epochs", (double)result->epochs);
	describe_number(&notes, "best_epoch", (double)result->best_epoch);
	describe_number(&notes, "batch_size", (double)options->batch_size);
	describe_number(&notes, "lr", options->rate);
	describe_number(&notes, "momentum", options->momentum);
	describe_number(&notes, "weight_decay", options->decay);
	tensors_describe(&notes, "schedule", options->is_cosine ? "cosine" : "constant");
	rc = linear_save(model, &notes, path, fault);
	tensors_release(&notes);
	return rc;
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	struct dataset train = { .count = 0 }, valid = { .count = 0 };
	struct linear model = { .classes = 0 };
	const char *path = host->out(ctx, "model");
	struct fit_options options;
	struct fit_result result;
	int has_valid;

	if (path == NULL)
		return host->fail(ctx, "needs an out named 'model'");
	if (read_options(&options, host, ctx, &fault) < 0 ||
		open_data(&train, &valid, &has_valid, host, ctx, &fault) < 0)
		goto out;
	linear_init(&model, train.classes, train.features);
	fit_standardise(&model, &train);
	if (fit_run(&model, &train, has_valid ? &valid : NULL, &options, host, ctx, &result,
		    &fault) < 0)
		goto out;
	tell(&result, &train, has_valid, host, ctx);
	(void)save(&model, &options, &result, path, &fault);
out:
	linear_release(&model);
	dataset_close(&train);
	dataset_close(&valid);
	if (fault.text[0] != '\0')
		return host->fail(ctx, fault.text);
	return host->failed(ctx) ? -1 : 0;
}

static const flow_port deps[] = {
	{ "images", "images, IDX of bytes: rows, height, width", 1 },
	{ "labels", "labels, IDX of bytes: one a row", 1 },
	{ "rows", "rows to train on, NPY int64; all of them when absent", 0 },
	{ "valid_rows", "rows to validate on after each epoch, NPY int64", 0 },
	{ NULL, NULL, 0 },
};

static const flow_port outs[] = {
	{ "model", "safetensors: linear.weight, linear.bias, input.mean, input.std", 1 },
	{ NULL, NULL, 0 },
};

static const flow_option options_known[] = {
	{ "model", "text", "softmax", "kind of model; softmax: multinomial logistic regression" },
	{ "epochs", "integer", "20", "walks over the training rows, at most" },
	{ "batch_size", "integer", "128", "rows a step, 1 to 65536" },
	{ "lr", "number", "0.01", "learning rate of the first step" },
	{ "schedule", "text", "cosine", "cosine: the rate falls to 0; constant: it stays" },
	{ "momentum", "number", "0.9", "how much of the last step is kept, 0 to 0.9999" },
	{ "weight_decay", "number", "0.001", "L2 penalty on the weights" },
	{ "patience", "integer", "5",
		"epochs without a better validation loss before training stops; 0: never" },
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_train = { sizeof(flow_stage), "train", "1",
	"fit a softmax regression to labelled images by mini-batch descent", deps, outs,
	options_known, run };
