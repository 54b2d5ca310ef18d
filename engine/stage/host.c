#include "stage/host.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/near.h"
#include "stage/option.h"
#include "stage/wire.h"

#define PROGRESS_MS 50

static volatile sig_atomic_t was_cancelled, alarm_s;

static void on_signal(int signo)
{
	(void)signo;
	was_cancelled = 1;
	if (alarm_s > 0)
		(void)alarm((unsigned)alarm_s);
}

void host_alarm_when_cancelled(int seconds)
{
	alarm_s = seconds;
}

void host_catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
}

int host_cancelled(void)
{
	return was_cancelled != 0;
}

const char *host_path(struct flow_ctx *ctx, const char *path)
{
	if (path[0] == '/' || path[0] == '\0' || ctx->start->cwd[0] == '\0')
		return path;
	return arena_printf(&ctx->arena, "%s/%s", ctx->root, path);
}

static json_t *parse_object(const char *text)
{
	json_t *value = json_loads(text, 0, NULL);

	if (json_is_object(value))
		return value;
	json_decref(value);
	return json_loads("{}", 0, NULL);
}

void host_init(struct flow_ctx *ctx, const struct wire_start *start, const char *root)
{
	memset(ctx, 0, sizeof *ctx);
	ctx->start = start;
	ctx->root = root;
	ctx->with = parse_object(start->with);
	ctx->params = parse_object(start->params);
	ctx->report = start->report[0] == '/' || start->report[0] == '\0'
			      ? start->report
			      : arena_printf(&ctx->arena, "%s/%s", root, start->report);
}

int host_fail_at(struct flow_ctx *ctx, const struct failure *f)
{
	if (!ctx->has_failed)
		record_fail(ctx->report, f);
	ctx->has_failed = true;
	return -1;
}

int host_fail(struct flow_ctx *ctx, const char *code, const char *fmt, ...)
{
	struct failure f = { .code = code };
	va_list ap;

	va_start(ap, fmt);
	f.text = arena_vprintf(&ctx->arena, fmt, ap);
	va_end(ap);
	return host_fail_at(ctx, &f);
}

_Noreturn void host_leave(struct flow_ctx *ctx)
{
	ctx->is_done = true;
	(void)fflush(NULL);
	if (!ctx->has_failed)
		record_end(ctx->report);
	_exit(ctx->has_failed ? 1 : 0);
}

const char *host_find(const struct wire_list *list, const char *name)
{
	uint32_t i;

	for (i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].name, name) == 0)
			return list->items[i].value;
	}
	return NULL;
}

const char *host_near(
	struct flow_ctx *ctx, const char *word, const char *const *names, size_t count)
{
	const char *best = near_find(word, names, count);

	return best != NULL ? arena_printf(&ctx->arena, ", did you mean `%s`?", best) : "";
}

static const char *near_option(const flow_option *options, const char *key)
{
	struct near n;
	const flow_option *o;

	near_start(&n, key);
	for (o = options; o->key != NULL; o++)
		near_offer(&n, o->key);
	return n.best;
}

/* NULL: it fits. */
static const char *fault_of(
	const flow_option *options, const char *key, const json_t *value, struct arena *a)
{
	const flow_option *o = options;
	struct option option;

	while (o->key != NULL && strcmp(o->key, key) != 0)
		o++;
	if (o->key == NULL)
		return option_unknown(key, near_option(options, key), a);
	if (o->type == NULL)
		return NULL;
	option_read(&option, key, o->type);
	return option_fault(&option, value, a);
}

int host_check_with(struct flow_ctx *ctx, const flow_option *options, const char *code)
{
	const flow_option *o;
	const char *key, *why;
	json_t *value;

	json_object_foreach(ctx->with, key, value)
	{
		why = fault_of(options, key, value, &ctx->arena);
		if (why != NULL)
			return host_fail(ctx, code, "%s", why);
	}
	for (o = options; o->key != NULL; o++)
		if (o->value == NULL && json_object_get(ctx->with, o->key) == NULL)
			return host_fail(
				ctx, code, "%s", option_missing(o->key, o->help, &ctx->arena));
	return 0;
}

const char *host_tmpdir(struct flow_ctx *ctx)
{
	const char *path = host_path(ctx, ctx->start->workdir);
	struct err e;

	if (path[0] != '\0' && folder_make(AT_FDCWD, path, 0700, &e) < 0)
		(void)host_fail(
			ctx, NULL, "cannot make the folder for temporary files: %s", e.text);
	return path;
}

/* The functions of the table. */

static int table_fail(flow_ctx *ctx, const char *why)
{
	return host_fail(ctx, NULL, "%s", why != NULL ? why : "the stage failed");
}

static const char *table_dep(flow_ctx *ctx, const char *name)
{
	const char *path = host_find(&ctx->start->deps, name);

	return path != NULL ? host_path(ctx, path) : NULL;
}

static const char *table_out(flow_ctx *ctx, const char *name)
{
	const char *path = host_find(&ctx->start->outs, name);

	return path != NULL ? host_path(ctx, path) : NULL;
}

static const char *table_dep_name(flow_ctx *ctx, unsigned i)
{
	return i < ctx->start->deps.count ? ctx->start->deps.items[i].name : NULL;
}

static const char *table_out_name(flow_ctx *ctx, unsigned i)
{
	return i < ctx->start->outs.count ? ctx->start->outs.items[i].name : NULL;
}

static int table_has(flow_ctx *ctx, const char *key)
{
	return json_object_get(ctx->with, key) != NULL;
}

/* The value of a key when it is there with that type; a wrong type fails the attempt. */
static const json_t *typed(flow_ctx *ctx, const char *key, const char *type)
{
	const json_t *value = json_object_get(ctx->with, key);

	if (value == NULL || option_type_fits(value, type))
		return value;
	(void)host_fail(ctx, NULL, "`with.%s` must be of type %s, it is %s", key, type,
		option_type_name(value));
	return NULL;
}

static double table_number(flow_ctx *ctx, const char *key, double fallback, double min, double max)
{
	const json_t *value = typed(ctx, key, "number");
	double x = value != NULL ? json_number_value(value) : fallback;

	if (value == NULL || (x >= min && x <= max))
		return x;
	(void)host_fail(
		ctx, NULL, "`with.%s` is %.12g, it must be from %.12g to %.12g", key, x, min, max);
	return fallback;
}

static long table_integer(flow_ctx *ctx, const char *key, long fallback, long min, long max)
{
	const json_t *value = typed(ctx, key, "integer");
	json_int_t n = fallback;

	if (value != NULL)
		n = json_is_integer(value) ? json_integer_value(value)
					   : (json_int_t)json_real_value(value);
	if (value == NULL || (n >= min && n <= max))
		return (long)n;
	(void)host_fail(ctx, NULL, "`with.%s` is %lld, it must be from %ld to %ld", key,
		(long long)n, min, max);
	return fallback;
}

static int table_boolean(flow_ctx *ctx, const char *key, int fallback)
{
	const json_t *value = typed(ctx, key, "boolean");

	return value != NULL ? json_is_true(value) : fallback;
}

static const char *table_text(flow_ctx *ctx, const char *key, const char *fallback)
{
	const json_t *value = typed(ctx, key, "text");

	return value != NULL ? json_string_value(value) : fallback;
}

static const char *as_json(flow_ctx *ctx, const json_t *value)
{
	char *text = value != NULL ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	const char *copy = text != NULL ? arena_strdup(&ctx->arena, text) : NULL;

	free(text);
	return copy;
}

static const char *table_json(flow_ctx *ctx, const char *key)
{
	return as_json(ctx, json_object_get(ctx->with, key));
}

static const char *table_param(flow_ctx *ctx, const char *key)
{
	const json_t *value = ctx->params;
	char *name = arena_strdup(&ctx->arena, key), *rest = name;

	while (value != NULL && rest != NULL) {
		char *part = strsep(&rest, ".");

		value = json_object_get(value, part);
	}
	return as_json(ctx, value);
}

static int table_failed(flow_ctx *ctx)
{
	return ctx->has_failed;
}

static void table_metric(flow_ctx *ctx, const char *name, double value, long step)
{
	if (name != NULL && metric_name_is_valid(name))
		record_metric(ctx->report, name, value, step);
	else
		(void)host_fail(ctx, NULL,
			"`%.140s` is no name for a metric: use letters, digits and _ . / -",
			name != NULL ? name : "");
}

static void table_progress(flow_ctx *ctx, double done, double total, const char *what)
{
	int64_t now = clock_mono_ms();

	if (now - ctx->progress_ms < PROGRESS_MS && done < total)
		return;
	ctx->progress_ms = now;
	record_progress(ctx->report, done, total, what);
}

static void table_log(flow_ctx *ctx, const char *text)
{
	(void)ctx;
	(void)dprintf(2, "%s\n", text != NULL ? text : "");
}

static unsigned long table_seed(flow_ctx *ctx)
{
	return (unsigned long)ctx->start->seed;
}

static int table_cancelled(flow_ctx *ctx)
{
	(void)ctx;
	return host_cancelled();
}

static const char *table_checkpoint(flow_ctx *ctx)
{
	const char *path = ctx->start->checkpoint;

	return path[0] != '\0' ? host_path(ctx, path) : NULL;
}

static unsigned table_threads(flow_ctx *ctx)
{
	return ctx->start->threads != 0 ? ctx->start->threads : 1;
}

const flow_host host_table = {
	.abi = FLOW_ABI,
	.size = sizeof(flow_host),
	.fail = table_fail,
	.dep = table_dep,
	.out = table_out,
	.dep_name = table_dep_name,
	.out_name = table_out_name,
	.has = table_has,
	.number = table_number,
	.integer = table_integer,
	.boolean = table_boolean,
	.text = table_text,
	.json = table_json,
	.param = table_param,
	.failed = table_failed,
	.metric = table_metric,
	.progress = table_progress,
	.log = table_log,
	.seed = table_seed,
	.cancelled = table_cancelled,
	.tmpdir = host_tmpdir,
	.checkpoint = table_checkpoint,
	.threads = table_threads,
};
