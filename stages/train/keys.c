#include "train/keys.h"

#include <string.h>

#include "common/fault.h"
#include "common/text.h"

enum {
	SOFTMAX = 1,
	GBDT = 2,
	MLP = 4,
	CNN = 8,
	TEXT = 16,
	AUTO = 32,
	LAYERS = MLP | CNN, /* whose rows are numbers */
	NETS = LAYERS | TEXT,
	STEPS = SOFTMAX | NETS,
	ALL = STEPS | GBDT | AUTO
};

static const struct {
	const char *name;
	unsigned bit;
} models[] = { { "softmax", SOFTMAX }, { "linear", SOFTMAX }, { "gbdt", GBDT }, { "mlp", MLP }, { "cnn", CNN },
	{ "text", TEXT }, { "auto", AUTO } };

static const struct {
	const char *key;
	unsigned models;
} keys[] = {
	{ "model", ALL },
	{ "epochs", STEPS },
	{ "batch_size", STEPS },
	{ "accumulate", NETS },
	{ "lr", STEPS | GBDT },
	{ "schedule", STEPS },
	{ "init_skip", NETS },
	{ "freeze", NETS },
	{ "lr_groups", NETS },
	{ "momentum", STEPS },
	{ "weight_decay", STEPS },
	{ "patience", STEPS | GBDT },
	{ "hidden", NETS },
	{ "stages", CNN },
	{ "categories", GBDT | MLP | AUTO },
	{ "category_width", MLP },
	{ "augment", CNN },
	{ "text", TEXT },
	{ "tokens", TEXT },
	{ "embedding", TEXT },
	{ "norm", NETS },
	{ "activation", NETS },
	{ "dropout", NETS },
	{ "residual", NETS },
	{ "loss", NETS | GBDT | AUTO },
	{ "delta", NETS | GBDT | AUTO },
	{ "label_smoothing", NETS },
	{ "class_weights", NETS | GBDT | AUTO },
	{ "optimizer", NETS },
	{ "beta2", NETS },
	{ "nesterov", NETS },
	{ "clip", NETS },
	{ "ema", NETS },
	{ "warmup", NETS },
	{ "step_every", NETS },
	{ "factor", NETS },
	{ "diverge", NETS },
	{ "max_time", NETS | GBDT },
	{ "fast_dev_run", NETS | GBDT | AUTO },
	{ "overfit_batches", NETS },
	{ "standardize", LAYERS },
	{ "target", NETS | GBDT | AUTO },
	{ "inputs", NETS | GBDT | AUTO },
	{ "shuffle_rows", NETS },
	{ "decode_threads", NETS },
	{ "batches_ahead", LAYERS },
	{ "metric_every", NETS },
	{ "checkpoint_every", NETS | GBDT },
	{ "time_budget", AUTO },
	{ "rounds", GBDT },
	{ "depth", GBDT },
	{ "subsample", GBDT },
	{ "column_sample", GBDT },
	{ "min_child_weight", GBDT },
	{ "min_gain", GBDT },
	{ "l1", STEPS | GBDT },
	{ "l2", GBDT },
	{ "bins", GBDT },
};

#define KEYS   (sizeof keys / sizeof keys[0])
#define MODELS (sizeof models / sizeof models[0])

/* Of which models the key is; 0: of none. */
static unsigned models_of(const char *key)
{
	for (size_t i = 0; i < KEYS; i++)
		if (strcmp(keys[i].key, key) == 0)
			return keys[i].models;
	return 0;
}

int keys_has(const char *model, const char *key)
{
	for (size_t i = 0; i < MODELS; i++)
		if (strcmp(models[i].name, model) == 0)
			return (models_of(key) & models[i].bit) != 0;
	return 0;
}

static int refuse(const char *model, int is_said, const char *key, struct fault *fault)
{
	struct text others = { 0 };
	int rc;

	for (size_t i = 0; i < MODELS; i++)
		if ((models_of(key) & models[i].bit) != 0 && strcmp(models[i].name, "linear") != 0)
			text_format(&others, others.length == 0 ? "%s" : ", %s", models[i].name);
	rc = fault_set(fault, "with.%s: %s%s has no such option; it is for %s", key, model,
		is_said ? "" : ", the default model,", others.data);
	text_release(&others);
	return rc;
}

int keys_check(const char *model, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	for (size_t i = 0; i < KEYS; i++)
		if (host->has(ctx, keys[i].key) && !keys_has(model, keys[i].key))
			return refuse(model, host->has(ctx, "model"), keys[i].key, fault);
	return 0;
}
