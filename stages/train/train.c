#include "train/train.h"

#include <stdio.h>
#include <string.h>

#include "common/dataset.h"
#include "common/fault.h"
#include "common/linear.h"
#include "common/option.h"
#include "common/safetensors.h"
#include "train/auto.h"
#include "train/fit.h"
#include "train/gbdt.h"
#include "train/importance.h"
#include "train/keys.h"
#include "train/network.h"

static int read_schedule(
	struct fit_options *options, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *schedule = host->text(ctx, "schedule", "cosine");

	options->is_cosine = schedule == NULL || strcmp(schedule, "cosine") == 0;
	if (options->is_cosine || strcmp(schedule, "constant") == 0)
		return 0;
	return fault_set(fault,
		"with.schedule: '%s' is not known to softmax; known are: cosine, constant",
		schedule);
}

/* -1 also when a getter has told the host already. */
static int read_options(
	struct fit_options *options, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	if (read_schedule(options, host, ctx, fault) < 0)
		return -1;
	options->epochs = host->integer(ctx, "epochs", 20, 1, 1000000);
	options->batch_size = (size_t)host->integer(ctx, "batch_size", 128, 1, 65536);
	options->rate = host->number(ctx, "lr", 0.01, 1e-12, 1e12);
	options->momentum = host->number(ctx, "momentum", 0.9, 0, 0.9999);
	options->decay = host->number(ctx, "weight_decay", 1e-3, 0, 1e6);
	options->l1 = host->number(ctx, "l1", 0, 0, 1e12);
	options->patience = host->integer(ctx, "patience", 5, 0, 1000000);
	options->seed = host->seed(ctx);
	return host->failed(ctx) ? -1 : 0;
}

/* The data sets; *has_valid is 0 when no validation rows are given. What was opened is the caller's
 * to close. */
/* One class alone cannot be told from another. */
static int check_classes(const struct dataset *train, struct fault *fault)
{
	size_t first = dataset_label(train, train->row[0]);

	for (size_t i = 1; i < train->count; i++)
		if (dataset_label(train, train->row[i]) != first)
			return 0;
	return fault_set(fault, "the training rows have only one class");
}

static int open_data(struct dataset *train, struct dataset *valid, int *has_valid,
	const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *images = host->dep(ctx, "images"), *labels = host->dep(ctx, "labels");
	const char *valid_rows = host->dep(ctx, "valid_rows");

	*has_valid = valid_rows != NULL;
	if (images == NULL || labels == NULL)
		return fault_set(fault, "needs deps named 'images' and 'labels'; tables and features "
					"are for `model: mlp`, which with `hidden: []` is linear");
	if (host->dep(ctx, "init_from") != NULL)
		return fault_set(fault, "the dep 'init_from' is for the models mlp and cnn");
	if (dataset_open(train, images, labels, host->dep(ctx, "rows"), fault) < 0)
		return -1;
	if (check_classes(train, fault) < 0)
		return -1;
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
	if (options->l1 > 0)
		describe_number(&notes, "l1", options->l1);
	tensors_describe(&notes, "schedule", options->is_cosine ? "cosine" : "constant");
	rc = linear_save(model, &notes, path, fault);
	tensors_release(&notes);
	return rc;
}

static int run_linear(const flow_host *host, flow_ctx *ctx)
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
		importance_check(0, host, ctx, &fault) < 0 ||
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

static const char *const models[] = { "softmax", "linear", "gbdt", "mlp", "cnn", "text", "auto",
	NULL };
static int (*const trainers[])(const flow_host *host, flow_ctx *ctx) = { run_linear, run_linear,
	gbdt_train, network_train, network_train, network_train, auto_train };

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	int model;

	if (host->threads(ctx) == 0)
		return host->fail(ctx, "holds no CPU core: give the stage resources: {cpu: 1}");
	model = option_word(host, ctx, "model", models, "softmax", &fault);
	if (model < 0 || keys_check(models[model], host, ctx, &fault) < 0)
		return host->fail(ctx, fault.text);
	return trainers[model](host, ctx);
}

static const flow_port deps[] = {
	{ "images", "images, IDX of bytes: rows, height, width", 0 },
	{ "features",
		"gbdt, mlp, cnn: rows of values, NPY of bytes or floats; instead of images; gbdt: "
		"NaN is missing",
		0 },
	{ "texts", "text: a table with a column of texts; instead of images", 0 },
	{ "labels",
		"IDX of bytes: one a row; gbdt, mlp, cnn, text also NPY: whole numbers are classes, "
		"floats are numbers",
		0 },
	{ "table",
		"gbdt, mlp, cnn, auto: a shard, instead of images or features and of labels; gbdt: "
		"with missing values and categories as they are",
		0 },
	{ "recipe",
		"of the table, as `transform` fitted it: it goes into the model, so that raw rows "
		"can be given to it",
		0 },
	{ "rows", "rows to train on, NPY int64; all of them when absent", 0 },
	{ "init_from",
		"mlp, cnn, text: safetensors with the weights to begin with, by PyTorch's names and "
		"layout",
		0 },
	{ "valid_rows", "rows to validate on after each epoch, NPY int64", 0 },
	{ NULL, NULL, 0 },
};

static const flow_port outs[] = {
	{ "model", "safetensors, with PyTorch's names and layout; gbdt: XGBoost's UBJSON", 1 },
	{ "checkpoint",
		"gbdt, mlp, cnn, text, auto: a folder of kind checkpoint, from which the next "
		"attempt goes on",
		0 },
	{ "importance",
		"gbdt, mlp with hidden: []: JSON: columns, the most important first: the gain of "
		"trees, or standardised coefficients",
		0 },
	{ "leaderboard", "auto: JSON: the models that were tried, their figures and seconds", 0 },
	{ NULL, NULL, 0 },
};

static const flow_option options_known[] = {
	{ "model", "text", "softmax",
		"softmax (or linear): multinomial logistic regression; gbdt: boosted trees; mlp; "
		"cnn; text; auto: the best of linear, gbdt, mlp" },
	{ "epochs", "integer 1..1000000", "20", "walks over the training rows, at most" },
	{ "batch_size", "any", "128",
		"rows a step, 1 to 65536, at most all rows; mlp, cnn, text also auto: by rows and net" },
	{ "accumulate", "integer 1..65536", "1",
		"mlp, cnn: batches whose gradients make one step, for batches that memory cannot "
		"hold" },
	{ "lr", "any", "0.01",
		"learning rate of the first step; adamw: 0.001; mlp, cnn, text also auto: by a "
		"range test; gbdt: share of each tree, 0.1" },
	{ "schedule", "text", "cosine",
		"cosine: the rate falls to 0; constant; mlp, cnn, text also: step, one_cycle, plateau" },
	{ "init_skip", "list", "[]",
		"names of tensors that are not taken from init_from, such as head.*" },
	{ "freeze", "list", "[]",
		"mlp, cnn, text: names of tensors that do not learn; * is any text" },
	{ "lr_groups", "map", "{}",
		"mlp, cnn, text: what lr is multiplied by for tensors of a name, as {\"hidden.*\": "
		"0.1}" },
	{ "momentum", "number 0..0.9999", "0.9",
		"how much of the last step is kept; adamw: its beta1" },
	{ "weight_decay", "number 0..1000000", "0.001", "L2 penalty on the weights; adamw: decoupled, 0.01" },
	{ "patience", "integer 0..1000000", "5",
		"epochs without a better validation loss before training stops; 0: never; gbdt: "
		"rounds, 20" },
	{ "hidden", "list", "[256, 128]", "mlp: widths of the hidden layers; cnn: [128]; text: []" },
	{ "stages", "list", "[32, 64]",
		"cnn: channels of each pair of convolutions, halved in size after each" },
	{ "categories", "any", "[]",
		"gbdt, mlp: columns that are categories, whole numbers from 0: by number, from 0, "
		"or by name in a table; or a map of them to how many there are; what the table has "
		"as categories is one without it" },
	{ "category_width", "integer 0..600", "0",
		"numbers that stand for a category; 0: by how many there are" },
	{ "augment", "map", "{}",
		"cnn, training rows: flip: horizontal, half of them; shift: so many pixels, black "
		"comes in; crop: see at least this share of each side, as 0.8" },
	{ "text", "text", "", "text: the column of the table that holds the texts" },
	{ "tokens", "text", "tfidf 65536 1 2",
		"text: runs of words or characters, hashed: tfidf, words or chars, how many cells "
		"(up to 16777216), shortest and longest run; with an embedding: words" },
	{ "embedding", "integer 0..65536", "0",
		"text: numbers in the vector of each cell, before hidden layers; 0: each cell has "
		"a weight for each output, a linear model" },
	{ "norm", "text", "none", "batch, layer (mlp) or none; cnn: batch" },
	{ "activation", "text", "relu", "relu or gelu" },
	{ "dropout", "number 0..0.95", "0", "share of hidden values left out in training" },
	{ "residual", "boolean", "false",
		"a block's input is added to its output where the widths agree" },
	{ "loss", "text", "auto",
		"softmax, sigmoid (binary, multilabel), mse, huber, quantile; auto: softmax for "
		"classes, mse for numbers" },
	{ "delta", "number 1e-06..", "1", "huber: where it becomes linear; quantile: which one, 0.5" },
	{ "label_smoothing", "number 0..0.99", "0", "softmax: share of the truth spread over all classes" },
	{ "class_weights", "any", "none", "none, balanced, or a list with one for each class" },
	{ "optimizer", "text", "adamw", "adamw or sgd" },
	{ "beta2", "number 0..0.999999", "0.999", "adamw: how much of the squares is kept" },
	{ "nesterov", "boolean", "false", "sgd: look ahead" },
	{ "clip", "number 0..", "0", "longest gradient, by the norm of all of it; 0: any" },
	{ "ema", "number 0..0.999999", "0",
		"weights of the model are a running average that keeps this much a step; 0: not" },
	{ "warmup", "number 0..1000000", "0", "epochs in which the rate rises from 0" },
	{ "step_every", "number 0.001..1000000", "10",
		"epochs: between two cuts of step; without a better loss before one of plateau" },
	{ "factor", "number 1e-06..1", "0.1", "step, plateau: what the rate is multiplied by" },
	{ "diverge", "number 0..", "2",
		"training fails when an epoch's loss is this many times the first batch's; 0: "
		"never" },
	{ "max_time", "text", "",
		"training ends after this time, such as 10m; the best so far stays" },
	{ "fast_dev_run", "boolean", "false", "one batch through everything" },
	{ "overfit_batches", "integer 0..1000000", "0", "train on so many batches only, unshuffled; 0: all" },
	{ "standardize", "boolean", "true",
		"columns (cnn: channels) to mean 0 and deviation 1, by the training rows" },
	{ "target", "text", "label", "of a table: the column to be learned" },
	{ "inputs", "list", "[]", "of a table: the columns to learn from; empty: all others" },
	{ "shuffle_rows", "integer 0..1000000000", "0",
		"so many rows are drawn from one stretch of the data, and shuffled in it, before "
		"the next is read: for data larger than memory; 0: from all" },
	{ "decode_threads", "integer -1..64", "-1",
		"of the cores, how many fetch batches ahead instead of computing; 0: none; -1: one "
		"for data above 1 GiB, and for a table with 4 cores" },
	{ "batches_ahead", "integer 2..1024", "16", "batches that are ready at most" },
	{ "metric_every", "integer 1..1000000000", "100", "steps between two of the metrics named step_" },
	{ "checkpoint_every", "integer 0..1000000000", "0",
		"steps between two checkpoints; 0: one at the end of each epoch; gbdt: rounds; 0: "
		"so seldom that they cost little" },
	{ "time_budget", "text", "", "auto: time for all models together, such as 10m" },
	{ "rounds", "integer 1..100000", "200",
		"gbdt: rounds of boosting, at most; a tree each, or one a class" },
	{ "depth", "integer 1..16", "6",
		"gbdt: questions from a tree's root to a leaf, at most, 1 to 16" },
	{ "subsample", "number 1e-06..1", "1", "gbdt: share of the rows that a round looks at" },
	{ "column_sample", "number 1e-06..1", "1", "gbdt: share of the columns that a round looks at" },
	{ "min_child_weight", "number 0..", "1",
		"gbdt: least sum of second derivatives in a leaf; of numbers: rows" },
	{ "min_gain", "number 0..", "0", "gbdt: least a split must better the loss by" },
	{ "l1", "number 0..", "0",
		"L1 penalty on the weights: those that tell little become 0; gbdt: on what leaves say" },
	{ "l2", "number 0..", "1", "gbdt: L2 penalty on what leaves say" },
	{ "bins", "integer 2..65536", "256", "gbdt: bins of a column, at most, between which splits lie" },
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_train = { sizeof(flow_stage), "train", "4",
	"fit a model to labelled rows: softmax regression, boosted trees, or a network (mlp, cnn, "
	"text)",
	deps, outs, options_known, run };
