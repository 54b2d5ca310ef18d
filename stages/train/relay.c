#include "train/relay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the stage says of all models. */
static const char *const shared[] = { "loss", "delta", "class_weights", "categories",
	"fast_dev_run", "target", "inputs", NULL };

flow_ctx *relay_ctx(struct relay *r)
{
	return (flow_ctx *)(void *)r;
}

static struct relay *relay_of(flow_ctx *ctx)
{
	return (struct relay *)(void *)ctx;
}

void relay_init(struct relay *r, const flow_host *host, flow_ctx *ctx, const char *model,
	const struct relay_value *values, const char *path, double seconds)
{
	const char *folder = host->checkpoint(ctx);

	*r = (struct relay){ .host = host, .ctx = ctx, .model = model, .values = values };
	(void)snprintf(r->path, sizeof r->path, "%s", path);
	if (folder != NULL)
		(void)snprintf(r->checkpoint, sizeof r->checkpoint, "%s/%s", folder, model);
	(void)snprintf(r->max_time, sizeof r->max_time, "%.9fs", fmax(seconds, 1e-6));
}

/* JSON text of a key that the model may see, NULL when it is not there. */
static const char *value_of(const struct relay *r, const char *key)
{
	int is_shared = 0;

	for (const struct relay_value *v = r->values; v->key != NULL; v++)
		if (strcmp(v->key, key) == 0)
			return v->json;
	for (size_t i = 0; shared[i] != NULL; i++)
		is_shared |= strcmp(shared[i], key) == 0;
	return is_shared ? r->host->json(r->ctx, key) : NULL;
}

static int is_given_here(const struct relay *r, const char *key)
{
	for (const struct relay_value *v = r->values; v->key != NULL; v++)
		if (strcmp(v->key, key) == 0)
			return 1;
	return 0;
}

static int relay_fail(flow_ctx *ctx, const char *why)
{
	struct relay *r = relay_of(ctx);

	if (r->failure[0] == '\0')
		(void)snprintf(r->failure, sizeof r->failure, "%s", why);
	return -1;
}

static const char *relay_dep(flow_ctx *ctx, const char *name)
{
	return relay_of(ctx)->host->dep(relay_of(ctx)->ctx, name);
}

static const char *relay_out(flow_ctx *ctx, const char *name)
{
	return strcmp(name, "model") == 0 ? relay_of(ctx)->path : NULL;
}

static const char *relay_dep_name(flow_ctx *ctx, unsigned i)
{
	return relay_of(ctx)->host->dep_name(relay_of(ctx)->ctx, i);
}

static const char *relay_out_name(flow_ctx *ctx, unsigned i)
{
	(void)ctx;
	return i == 0 ? "model" : NULL;
}

static int relay_has(flow_ctx *ctx, const char *key)
{
	return value_of(relay_of(ctx), key) != NULL;
}

static double relay_number(flow_ctx *ctx, const char *key, double fallback, double min, double max)
{
	const struct relay *r = relay_of(ctx);
	const char *json = value_of(r, key);

	if (json == NULL)
		return fallback;
	return is_given_here(r, key) ? strtod(json, NULL)
				     : r->host->number(r->ctx, key, fallback, min, max);
}

static long relay_integer(flow_ctx *ctx, const char *key, long fallback, long min, long max)
{
	const struct relay *r = relay_of(ctx);
	const char *json = value_of(r, key);

	if (json == NULL)
		return fallback;
	return is_given_here(r, key) ? strtol(json, NULL, 10)
				     : r->host->integer(r->ctx, key, fallback, min, max);
}

static int relay_boolean(flow_ctx *ctx, const char *key, int fallback)
{
	const struct relay *r = relay_of(ctx);
	const char *json = value_of(r, key);

	if (json == NULL)
		return fallback;
	return is_given_here(r, key) ? strcmp(json, "true") == 0
				     : r->host->boolean(r->ctx, key, fallback);
}

/* Texts of ours are written without quotes: they are words. */
static const char *relay_text(flow_ctx *ctx, const char *key, const char *fallback)
{
	const struct relay *r = relay_of(ctx);
	const char *json;

	if (strcmp(key, "max_time") == 0)
		return r->max_time;
	json = value_of(r, key);
	if (json == NULL)
		return fallback;
	return is_given_here(r, key) ? json : r->host->text(r->ctx, key, fallback);
}

static const char *relay_json(flow_ctx *ctx, const char *key)
{
	return value_of(relay_of(ctx), key);
}

static const char *relay_param(flow_ctx *ctx, const char *key)
{
	return relay_of(ctx)->host->param(relay_of(ctx)->ctx, key);
}

static int relay_failed(flow_ctx *ctx)
{
	const struct relay *r = relay_of(ctx);

	return r->failure[0] != '\0' || r->host->failed(r->ctx);
}

static void relay_metric(flow_ctx *ctx, const char *name, double value, long step)
{
	struct relay *r = relay_of(ctx);
	char full[120];

	if (step >= 0) {
		(void)snprintf(full, sizeof full, "%s/%s", r->model, name);
		r->host->metric(r->ctx, full, value, step);
	} else if (strcmp(name, "seconds") == 0) {
		r->seconds = value;
	} else if (strcmp(name, "best_valid_loss") == 0) {
		r->loss = value;
		r->has_loss = 1;
	} else if (strncmp(name, "best_valid_", 11) == 0) {
		r->quality = value;
		(void)snprintf(r->quality_name, sizeof r->quality_name, "%s", name + 5);
	}
}

static void relay_progress(flow_ctx *ctx, double done, double total, const char *what)
{
	const struct relay *r = relay_of(ctx);
	char line[240];

	(void)snprintf(line, sizeof line, "%s: %s", r->model, what != NULL ? what : "");
	r->host->progress(r->ctx,
		100 * (r->done_before + r->share * (total > 0 ? done / total : 0)), 100, line);
}

static void relay_log(flow_ctx *ctx, const char *text)
{
	const struct relay *r = relay_of(ctx);
	char line[1200];

	(void)snprintf(line, sizeof line, "%s: %s", r->model, text != NULL ? text : "");
	r->host->log(r->ctx, line);
}

static unsigned long relay_seed(flow_ctx *ctx)
{
	return relay_of(ctx)->host->seed(relay_of(ctx)->ctx);
}

static int relay_cancelled(flow_ctx *ctx)
{
	return relay_of(ctx)->host->cancelled(relay_of(ctx)->ctx);
}

static const char *relay_tmpdir(flow_ctx *ctx)
{
	return relay_of(ctx)->host->tmpdir(relay_of(ctx)->ctx);
}

static const char *relay_checkpoint(flow_ctx *ctx)
{
	const struct relay *r = relay_of(ctx);

	return r->checkpoint[0] != '\0' ? r->checkpoint : NULL;
}

static unsigned relay_threads(flow_ctx *ctx)
{
	return relay_of(ctx)->host->threads(relay_of(ctx)->ctx);
}

const flow_host relay_host = { .abi = FLOW_ABI,
	.size = sizeof(flow_host),
	.fail = relay_fail,
	.dep = relay_dep,
	.out = relay_out,
	.dep_name = relay_dep_name,
	.out_name = relay_out_name,
	.has = relay_has,
	.number = relay_number,
	.integer = relay_integer,
	.boolean = relay_boolean,
	.text = relay_text,
	.json = relay_json,
	.param = relay_param,
	.failed = relay_failed,
	.metric = relay_metric,
	.progress = relay_progress,
	.log = relay_log,
	.seed = relay_seed,
	.cancelled = relay_cancelled,
	.tmpdir = relay_tmpdir,
	.checkpoint = relay_checkpoint,
	.threads = relay_threads };
