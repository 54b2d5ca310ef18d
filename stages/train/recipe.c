#include "train/recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "common/option.h"
#include "common/text.h"
#include "nn/bags.h"
#include "nn/feed.h"
#include "nn/samples.h"

static const char *const losses[] = { "softmax", "sigmoid", "mse", "huber", "quantile", NULL };
static const char *const models[] = { "mlp", "cnn", "text", NULL };
static const char *const norms[] = { "none", "batch", "layer", NULL };
static const char *const activations[] = { "relu", "gelu", NULL };
static const char *const optimisers[] = { "adamw", "sgd", NULL };
static const char *const schedules[] = { "constant", "step", "cosine", "one_cycle", "plateau",
	NULL };

const char *recipe_loss_name(int loss)
{
	return losses[loss];
}

int recipe_time(double *seconds, const char *key, const char *given, struct fault *fault)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 } };
	char *end;
	double value;

	*seconds = 0;
	if (given == NULL || given[0] == '\0')
		return 0;
	value = strtod(given, &end);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (end != given && strcmp(end, units[i].unit) == 0 && value > 0 && value < 1e7) {
			*seconds = value * units[i].seconds;
			return 0;
		}
	return fault_set(fault, "with.%s: '%s' is no time; write 90s, 10m or 2h", key, given);
}

/* A list of whole numbers, into value; given as NULL it stays. */
static int read_widths(size_t *value, size_t *count, const char *json, struct fault *fault)
{
	struct jsonin in;
	int more;

	if (json == NULL)
		return 0;
	*count = 0;
	jsonin_open(&in, json, '[');
	while ((more = jsonin_item(&in, fault)) == 1) {
		uint64_t width;

		if (*count == NET_DEPTH_MAX)
			return fault_set(fault, "more than %d entries", NET_DEPTH_MAX);
		if (jsonin_integer(&in, &width, fault) < 0)
			return -1;
		if (width == 0 || width > NET_WIDTH_MAX)
			return fault_set(fault, "a width of %llu; from 1 to %d are possible",
				(unsigned long long)width, NET_WIDTH_MAX);
		value[(*count)++] = (size_t)width;
	}
	return more;
}

/* with.class_weights: "none", "balanced" or a list of numbers. */
static int read_weights(struct recipe *r, const char *json, struct fault *fault)
{
	struct jsonin in;
	int more;

	if (json == NULL || strcmp(json, "\"none\"") == 0)
		return 0;
	r->class_weights = WEIGHTS_BALANCED;
	if (strcmp(json, "\"balanced\"") == 0)
		return 0;
	if (json[0] != '[')
		return fault_set(fault, "%.60s is not none, balanced or a list", json);
	r->class_weights = WEIGHTS_LISTED;
	r->weight = array_new(CLASSES_MAX, sizeof *r->weight);
	jsonin_open(&in, json, '[');
	while ((more = jsonin_item(&in, fault)) == 1) {
		double weight;

		if (r->weight_count == CLASSES_MAX)
			return fault_set(fault, "more than %d weights", CLASSES_MAX);
		if (jsonin_number(&in, &weight, fault) < 0)
			return -1;
		if (!(weight >= 0 && weight <= 1e6))
			return fault_set(fault, "%g is not from 0 to 1e6", weight);
		r->weight[r->weight_count++] = (float)weight;
	}
	return more;
}

/* Of a text: its column, its runs, and whether each has a vector before it has a score. */
static int read_text(struct recipe *r, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *fallback, *tokens;

	r->design.embedding = (size_t)host->integer(ctx, "embedding", 0, 0, NET_WIDTH_MAX);
	if (r->design.kind != NET_TEXT)
		return 0;
	fallback = r->design.embedding == 0 ? "tfidf 65536 1 2" : "words 65536 1 2";
	tokens = host->text(ctx, "tokens", fallback);
	r->column = host->text(ctx, "text", "");
	if (tokens == NULL || r->column == NULL || r->column[0] == '\0')
		return fault_set(fault, "with.text: which column of the table holds the texts?");
	if (bags_read_step(&r->tokens, tokens, fault) < 0)
		return fault_context(fault, "with.tokens");
	if (r->design.embedding == 0 && r->design.hidden_count != 0)
		return fault_set(fault, "with.hidden: a text needs with.embedding before it");
	return 0;
}

static int read_design(struct recipe *r, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	struct net_design *design = &r->design;
	int kind = option_word(host, ctx, "model", models, "mlp", fault), norm, activation;

	if (kind < 0)
		return -1;
	design->kind = (enum net_kind)kind;
	design->hidden[0] = kind == NET_CNN ? 128 : 256;
	design->hidden[1] = 128;
	design->hidden_count = kind == NET_TEXT ? 0 : kind == NET_CNN ? 1 : 2;
	design->stages[0] = 32;
	design->stages[1] = 64;
	design->stage_count = kind == NET_CNN ? 2 : 0;
	if (option_read("hidden",
		    read_widths(design->hidden, &design->hidden_count, host->json(ctx, "hidden"),
			    fault),
		    fault) < 0 ||
		option_read("stages",
			read_widths(design->stages, &design->stage_count,
				host->json(ctx, "stages"), fault),
			fault) < 0 ||
		(norm = option_word(host, ctx, "norm", norms, kind == NET_CNN ? "batch" : "none",
			 fault)) < 0 ||
		(activation = option_word(host, ctx, "activation", activations, "relu", fault)) < 0)
		return -1;
	design->norm = (enum net_norm)norm;
	design->activation = (enum nn_activation)activation;
	design->dropout = (float)host->number(ctx, "dropout", 0, 0, 0.95);
	design->residual = host->boolean(ctx, "residual", 0);
	return read_text(r, host, ctx, fault);
}

static int is_auto(const flow_host *host, flow_ctx *ctx, const char *key)
{
	const char *json = host->json(ctx, key);

	return json != NULL && strcmp(json, "\"auto\"") == 0;
}

static int read_optimiser(
	struct recipe *r, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	int optimiser = option_word(host, ctx, "optimizer", optimisers, "adamw", fault), schedule;
	double rate;

	if (optimiser < 0 ||
		(schedule = option_word(host, ctx, "schedule", schedules, "cosine", fault)) < 0)
		return -1;
	r->optimiser = (enum optimiser)optimiser;
	r->schedule = (enum schedule)schedule;
	rate = optimiser == OPTIMISER_ADAMW ? 1e-3 : 1e-2;
	r->is_rate_tested = is_auto(host, ctx, "lr");
	r->is_rate_written = host->has(ctx, "lr") && !r->is_rate_tested;
	r->rate = r->is_rate_written ? host->number(ctx, "lr", rate, 1e-12, 1e12) : rate;
	r->momentum = host->number(ctx, "momentum", 0.9, 0, 0.9999);
	r->beta = host->number(ctx, "beta2", 0.999, 0, 0.999999);
	r->nesterov = host->boolean(ctx, "nesterov", 0);
	r->decay = host->number(
		ctx, "weight_decay", optimiser == OPTIMISER_ADAMW ? 1e-2 : 1e-3, 0, 1e6);
	r->l1 = host->number(ctx, "l1", 0, 0, 1e12);
	r->clip = host->number(ctx, "clip", 0, 0, 1e12);
	r->smoothing = host->number(ctx, "label_smoothing", 0, 0, 0.99);
	r->average = host->number(ctx, "ema", 0, 0, 0.999999);
	r->warmup = host->number(ctx, "warmup", 0, 0, 1e6);
	r->step_every = host->number(ctx, "step_every", 10, 1e-3, 1e6);
	r->factor = host->number(ctx, "factor", 0.1, 1e-6, 1);
	return 0;
}

int recipe_read_rules(struct recipe *r, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *loss = host->text(ctx, "loss", "auto");

	*r = (struct recipe){ .loss = -1, .augment = { .crop = 1 } };
	if (loss != NULL && strcmp(loss, "auto") != 0 &&
		(r->loss = option_word(host, ctx, "loss", losses, "auto", fault)) < 0)
		return -1;
	if (option_read("class_weights", read_weights(r, host->json(ctx, "class_weights"), fault),
		    fault) < 0 ||
		recipe_time(&r->max_time, "max_time", host->text(ctx, "max_time", ""), fault) < 0)
		return -1;
	r->delta = host->number(ctx, "delta", r->loss == NN_QUANTILE ? 0.5 : 1, 1e-6, 1e12);
	if (r->loss == NN_QUANTILE && r->delta >= 1)
		return fault_set(fault,
			"with.delta: %g is no quantile; between 0 and 1 are possible", r->delta);
	r->patience = host->integer(ctx, "patience", 5, 0, 1000000);
	r->checkpoint_every = host->integer(ctx, "checkpoint_every", 0, 0, 1000000000);
	r->fast_dev_run = host->boolean(ctx, "fast_dev_run", 0);
	r->seed = host->seed(ctx);
	return host->failed(ctx) ? -1 : 0;
}

int recipe_read(struct recipe *r, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	if (recipe_read_rules(r, host, ctx, fault) < 0 || read_design(r, host, ctx, fault) < 0 ||
		read_optimiser(r, host, ctx, fault) < 0 ||
		groups_read(&r->groups, host, ctx, fault) < 0 ||
		categories_read(&r->categories, host, ctx, fault) < 0 ||
		augment_read(&r->augment, host->json(ctx, "augment"), fault) < 0)
		return -1;
	r->epochs = host->integer(ctx, "epochs", 20, 1, 1000000);
	if (!is_auto(host, ctx, "batch_size"))
		r->batch_size = (size_t)host->integer(ctx, "batch_size", 128, 1, 65536);
	r->accumulate = host->integer(ctx, "accumulate", 1, 1, 65536);
	r->diverge = host->number(ctx, "diverge", 2, 0, 1e12);
	r->metric_every = host->integer(ctx, "metric_every", 100, 1, 1000000000);
	r->overfit_batches = host->integer(ctx, "overfit_batches", 0, 0, 1000000);
	r->standardize = host->boolean(ctx, "standardize", 1);
	r->shuffle_rows = host->integer(ctx, "shuffle_rows", 0, 0, 1000000000);
	r->decode_threads = host->integer(ctx, "decode_threads", -1, -1, FEED_THREADS_MAX);
	r->batches_ahead = host->integer(ctx, "batches_ahead", 16, 2, FEED_AHEAD_MAX);
	return host->failed(ctx) ? -1 : 0;
}

static int choose_loss(struct recipe *r, const struct samples *s, struct fault *fault)
{
	int wants_classes;

	if (r->loss < 0)
		r->loss = s->classes != 0 ? NN_SOFTMAX : NN_SQUARED;
	wants_classes = r->loss == NN_SOFTMAX;
	if (wants_classes && s->classes == 0)
		return fault_set(fault, "with.loss: softmax wants classes (whole numbers), but the "
					"targets are floats");
	if (!wants_classes && r->loss != NN_SIGMOID && s->classes != 0)
		return fault_set(fault,
			"with.loss: %s wants numbers, but the targets are classes, as whole "
			"numbers are; give floats (in the stage `table`, columns: {NAME: float64})",
			losses[r->loss]);
	if (r->loss == NN_SIGMOID && s->classes > 2)
		return fault_set(fault,
			"with.loss: sigmoid wants 0 and 1, but there are %zu classes; softmax is "
			"for them",
			s->classes);
	for (size_t i = 0; r->loss == NN_SIGMOID && i < s->count * s->targets; i++) {
		size_t row = (size_t)s->row[i / s->targets], column = i % s->targets;
		float target = s->target[row * s->targets + column];

		if (!(target >= 0 && target <= 1))
			return fault_set(fault,
				"row %zu, column %zu of the targets is %g; sigmoid wants 0 to 1",
				row, column, (double)target);
	}
	return 0;
}

/* rows / (classes * rows of the class): a class without rows counts nothing and weighs 1. */
static void balance(struct recipe *r, const struct samples *s)
{
	size_t *count = array_new(s->classes, sizeof *count);

	r->weight = array_new(r->design.outputs, sizeof *r->weight);
	samples_count(s, count);
	if (r->loss == NN_SIGMOID) /* of the positives */
		r->weight[0] = count[1] != 0 ? (float)count[0] / (float)count[1] : 1;
	for (size_t i = 0; r->loss == NN_SOFTMAX && i < s->classes; i++)
		r->weight[i] =
			count[i] != 0 ? (float)s->count / ((float)s->classes * (float)count[i]) : 1;
	free(count);
}

int recipe_fit(struct recipe *r, const struct samples *s, struct fault *fault)
{
	if (choose_loss(r, s, fault) < 0)
		return -1;
	r->design.height = s->height;
	r->design.width = s->width;
	r->design.channels = s->channels;
	r->design.outputs = r->loss == NN_SOFTMAX ? s->classes : s->targets;
	if (r->design.kind == NET_TEXT && r->decode_threads > 0)
		return fault_set(fault, "with.decode_threads is not for text: its rows lie ready in "
					"memory");
	if (r->design.kind == NET_TEXT && r->accumulate > 1)
		return fault_set(fault, "with.accumulate is not for text: a larger batch_size does "
					"the same, and its rows are short");
	if (categories_fit(&r->categories, s, &r->design, fault) < 0)
		return -1;
	if (r->design.kind == NET_CNN && (s->height < 2 || s->width < 2))
		return fault_set(fault,
			"a cnn wants images, but a row is %zu x %zu x %zu; mlp takes "
			"tables",
			s->height, s->width, s->channels);
	if (augment_check(&r->augment, s->height, s->width, fault) < 0)
		return -1;
	if (r->class_weights != WEIGHTS_NONE && r->loss != NN_SOFTMAX && r->loss != NN_SIGMOID)
		return fault_set(fault, "with.class_weights: the targets are numbers");
	if (r->class_weights == WEIGHTS_BALANCED && s->classes == 0)
		return fault_set(
			fault, "with.class_weights: balanced wants classes; list the weights");
	if (r->class_weights == WEIGHTS_LISTED && r->weight_count != r->design.outputs)
		return fault_set(fault, "with.class_weights has %zu weights for %zu outputs",
			r->weight_count, r->design.outputs);
	if (r->class_weights == WEIGHTS_BALANCED)
		balance(r, s);
	/* A batch is never larger than the data: the last one of an epoch is as small as it is. */
	if (r->batch_size > s->count)
		r->batch_size = s->count;
	if (r->design.norm == NET_NORM_BATCH && (r->batch_size == 1 || s->count < 2))
		return fault_set(fault, "norm: batch needs batches of at least 2 rows");
	return 0;
}

void recipe_text(const struct recipe *r, const struct samples *s, struct text *text)
{
	const struct net_design *d = &r->design;

	text_format(text, "data %016llx rows %zu/%zu/%zu input %zux%zux%zu outputs %zu seed %llu\n",
		(unsigned long long)s->digest, s->rows, s->count, s->valid_count, d->height,
		d->width, d->channels, d->outputs, (unsigned long long)r->seed);
	text_format(text, "model %s norm %s activation %s dropout %.9g residual %d hidden",
		models[d->kind], norms[d->norm], activations[d->activation], (double)d->dropout,
		d->residual);
	for (size_t i = 0; i < d->hidden_count; i++)
		text_format(text, " %zu", d->hidden[i]);
	text_format(text, " stages");
	for (size_t i = 0; i < d->stage_count; i++)
		text_format(text, " %zu", d->stages[i]);
	text_format(text, "\ncategories");
	for (size_t i = 0; i < d->category_count; i++)
		text_format(text, " %zu:%zux%zu", d->category[i].column, d->category[i].codes,
			d->category[i].width);
	if (d->kind == NET_TEXT) {
		text_format(text, "\nembedding %zu tokens ", d->embedding);
		bags_tokens(&r->tokens, text);
	}
	if (augment_is_on(&r->augment))
		text_format(text, "\naugment flip %d shift %zu crop %.17g", r->augment.mirrors,
			r->augment.shift, r->augment.crop);
	text_format(text, "\nloss %s %.17g smoothing %.17g weights %d %.9g\n", losses[r->loss],
		r->delta, r->smoothing, (int)r->class_weights,
		r->weight != NULL ? (double)r->weight[0] : 0);
	text_format(text,
		"optimizer %s lr %d %.17g %.17g %.17g nesterov %d decay %.17g l1 %.17g clip %.17g ema "
		"%.17g\n",
		optimisers[r->optimiser], r->is_rate_tested, r->rate, r->momentum, r->beta,
		r->nesterov, r->decay, r->l1, r->clip, r->average);
	text_format(text,
		"schedule %s %.17g %.17g %.17g epochs %ld batch %zu x %ld patience %ld overfit "
		"%ld dev %d shuffle %ld\n",
		schedules[r->schedule], r->warmup, r->step_every, r->factor, r->epochs,
		r->batch_size, r->accumulate, r->patience, r->overfit_batches, r->fast_dev_run,
		r->shuffle_rows);
	text_format(text, "init %016llx\n", (unsigned long long)r->init_digest);
	groups_text(&r->groups, text);
}

void recipe_release(struct recipe *r)
{
	free(r->weight);
	free(r->tokens.weight);
	r->weight = r->tokens.weight = NULL;
	groups_release(&r->groups);
	categories_release(&r->categories);
}
