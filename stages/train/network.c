#include "train/network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/fault.h"
#include "common/safetensors.h"
#include "nn/feed.h"
#include "nn/netfile.h"
#include "nn/origin.h"
#include "nn/samples.h"
#include "train/categories.h"
#include "train/coefficients.h"
#include "train/data.h"
#include "train/importance.h"
#include "train/init.h"
#include "train/range.h"
#include "train/recipe.h"
#include "train/session.h"
#include "train/telemetry.h"

static int open_samples(struct samples *samples, struct recipe *recipe, const flow_host *host,
	flow_ctx *ctx, struct fault *fault)
{
	if (recipe->design.kind == NET_TEXT)
		return data_open_texts(
			samples, recipe->column, &recipe->tokens, host, ctx, fault);
	if (data_open(samples, 0, host, ctx, fault) < 0)
		return -1;
	/* The numbers of categories are those of their table. */
	if (samples->is_table && codes_are_in(&samples->table) &&
		host->dep(ctx, "init_from") != NULL)
		return fault_set(fault,
			"init_from: the table has columns of categories, and their numbers mean "
			"others in that model; make numbers of them with transform: ordinal");
	return 0;
}

/* Of the cores that the attempt holds, those that fetch do not compute; one always does. */
static unsigned share_cores(struct recipe *recipe, const struct samples *samples, unsigned cores)
{
	if (recipe->decode_threads < 0)
		recipe->decode_threads = (long)feed_threads(samples, cores);
	return cores > recipe->decode_threads ? cores - (unsigned)recipe->decode_threads : 1;
}

static void describe_number(struct tensors *notes, const char *key, double value)
{
	char text[40];

	(void)snprintf(text, sizeof text, "%.17g", value);
	tensors_describe(notes, key, text);
}

/* Nothing goes into the file that differs from one run to the next with the same inputs. */
static int save(const struct session *s, const struct scaling *scaling, struct origin *origin,
	const char *path, struct fault *fault)
{
	struct tensors notes = { .count = 0 };
	int rc;

	tensors_describe(&notes, "format", "pt");
	tensors_describe(&notes, "loss", recipe_loss_name(s->recipe->loss));
	if (s->recipe->loss == NN_QUANTILE)
		describe_number(&notes, "quantile", s->recipe->delta);
	if (s->recipe->design.kind == NET_TEXT)
		bags_describe(&s->recipe->tokens, s->recipe->column, &notes);
	else
		tensors_describe(&notes, "input", "(value * unit - input.mean) / input.std");
	describe_number(&notes, "batch_size", (double)s->recipe->batch_size);
	describe_number(&notes, "lr", s->at.rate);
	describe_number(&notes, "best_epoch", s->at.best_epoch);
	origin_add(origin, &notes);
	rc = netfile_save(s->net, NULL, scaling, &notes, path, fault);
	tensors_release(&notes);
	return rc;
}

/* What the net and its input's scaling are before the first step. */
static int begin(struct recipe *recipe, const struct samples *samples, struct net *net,
	struct scaling *scaling, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *path = host->dep(ctx, "init_from");
	char line[200];

	if (groups_apply(&recipe->groups, net, fault) < 0)
		return -1;
	scaling_init(scaling, samples->features, samples->is_bytes ? 1.0f / 255 : 1);
	if (recipe->standardize && samples->features != 0)
		samples_scale(samples, recipe->design.kind == NET_CNN, scaling);
	categories_scale(&recipe->design, scaling);
	net_draw(net, recipe->seed);
	categories_begin(net, samples);
	if (path == NULL && recipe->groups.skipped.count != 0)
		return fault_set(fault, "with.init_skip wants a dep named 'init_from'");
	if (path == NULL)
		return 0;
	if (init_take(net, scaling, recipe, path, &recipe->init_digest, line, fault) < 0)
		return -1;
	host->log(ctx, line);
	return 0;
}

static int train(struct recipe *recipe, const struct samples *samples, struct net *net,
	struct origin *origin, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	struct scaling scaling = { 0 };
	struct session session = { .net = NULL };
	int rc;

	rc = begin(recipe, samples, net, &scaling, host, ctx, fault);
	if (rc == 0)
		rc = session_init(&session, recipe, samples, net, &scaling, host, ctx, fault);
	if (rc == 0)
		rc = session_run(&session, fault);
	if (rc == 0)
		rc = save(&session, &scaling, origin, host->out(ctx, "model"), fault);
	if (rc == 0 && host->out(ctx, "importance") != NULL)
		rc = coefficients_write(recipe, samples, &scaling, host->out(ctx, "model"),
			host->out(ctx, "importance"), fault);
	if (rc == 0)
		telemetry_end(&session);
	session_release(&session);
	scaling_release(&scaling);
	return rc;
}

int network_train(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	struct recipe recipe = { .loss = -1 };
	struct samples samples = { .rows = 0 };
	struct net net = { .layer = NULL };
	struct origin origin = { .target = NULL };

	if (host->out(ctx, "model") == NULL)
		return host->fail(ctx, "needs an out named 'model'");
	if (recipe_read(&recipe, host, ctx, &fault) < 0 ||
		importance_check(recipe.design.kind == NET_MLP && recipe.design.hidden_count == 0,
			host, ctx, &fault) < 0 ||
		open_samples(&samples, &recipe, host, ctx, &fault) < 0 ||
		data_origin(&origin, &samples, host, ctx, &fault) < 0 ||
		recipe_fit(&recipe, &samples, &fault) < 0 ||
		net_init(&net, &recipe.design, &nn_cpu,
			share_cores(&recipe, &samples, host->threads(ctx)), &fault) < 0)
		goto out;
	data_tell_rare(&samples, host, ctx);
	if (recipe.batch_size == 0)
		range_batch(&recipe, &net, samples.count);
	if (host->checkpoint(ctx) != NULL)
		samples_digest(&samples); /* a checkpoint is of these data */
	(void)train(&recipe, &samples, &net, &origin, host, ctx, &fault);
out:
	net_release(&net);
	samples_close(&samples);
	origin_release(&origin);
	recipe_release(&recipe);
	if (fault.text[0] != '\0')
		return host->fail(ctx, fault.text);
	return host->failed(ctx) ? -1 : 0;
}
