#include "support/stage_host.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM_PAIRS   32
#define ROOM_METRICS 65536
#define ROOM_PATHS   512

struct pair {
	char name[128];
	char value[512];
};

struct pairs {
	struct pair pair[ROOM_PAIRS];
	unsigned count;
};

struct flow_ctx {
	struct pairs deps, outs, with;
	char failure[1200];
	struct {
		char name[129];
		double value;
		long step;
	} metric[ROOM_METRICS];
	size_t metric_count;
	unsigned long seed;
	unsigned threads;
	const char *checkpoint; /* NULL: none */
	long questions; /* cancelled() calls left; below 0: no limit */
	char folder[64];
	char path[ROOM_PATHS][200];
	unsigned path_count;
};

static void must(int holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "stage_host: %s\n", what);
	abort();
}

static void copy(char *to, size_t room, const char *text)
{
	must(snprintf(to, room, "%s", text) < (int)room, "text too long");
}

static const char *find(const struct pairs *pairs, const char *name)
{
	for (unsigned i = 0; i < pairs->count; i++)
		if (strcmp(pairs->pair[i].name, name) == 0 && pairs->pair[i].value[0] != '\0')
			return pairs->pair[i].value;
	return NULL;
}

static void set(struct pairs *pairs, const char *name, const char *value)
{
	unsigned i = 0;

	while (i < pairs->count && strcmp(pairs->pair[i].name, name) != 0)
		i++;
	must(i < ROOM_PAIRS, "too many pairs");
	if (i == pairs->count)
		pairs->count++;
	copy(pairs->pair[i].name, sizeof pairs->pair[i].name, name);
	copy(pairs->pair[i].value, sizeof pairs->pair[i].value, value != NULL ? value : "");
}

static int host_fail(flow_ctx *ctx, const char *why)
{
	if (ctx->failure[0] == '\0')
		(void)snprintf(ctx->failure, sizeof ctx->failure, "%s", why);
	return -1;
}

static const char *host_dep(flow_ctx *ctx, const char *name)
{
	return find(&ctx->deps, name);
}

static const char *host_out(flow_ctx *ctx, const char *name)
{
	return find(&ctx->outs, name);
}

static const char *host_dep_name(flow_ctx *ctx, unsigned i)
{
	return i < ctx->deps.count ? ctx->deps.pair[i].name : NULL;
}

static const char *host_out_name(flow_ctx *ctx, unsigned i)
{
	return i < ctx->outs.count ? ctx->outs.pair[i].name : NULL;
}

static int host_has(flow_ctx *ctx, const char *key)
{
	return find(&ctx->with, key) != NULL;
}

static void host_wrong(flow_ctx *ctx, const char *key, const char *wanted)
{
	char why[300];

	(void)snprintf(why, sizeof why, "with.%s: %s", key, wanted);
	(void)host_fail(ctx, why);
}

static double host_number(
	flow_ctx *ctx, const char *key, double fallback, double minimum, double maximum)
{
	const char *text = find(&ctx->with, key);
	char *end;
	double value;

	if (text == NULL)
		return fallback;
	value = strtod(text, &end);
	if (*end != '\0' || !(value >= minimum && value <= maximum)) {
		host_wrong(ctx, key, "not a number in its range");
		return fallback;
	}
	return value;
}

static long host_integer(flow_ctx *ctx, const char *key, long fallback, long minimum, long maximum)
{
	const char *text = find(&ctx->with, key);
	char *end;
	long value;

	if (text == NULL)
		return fallback;
	value = strtol(text, &end, 10);
	if (*end != '\0' || value < minimum || value > maximum) {
		host_wrong(ctx, key, "not a whole number in its range");
		return fallback;
	}
	return value;
}

static int host_boolean(flow_ctx *ctx, const char *key, int fallback)
{
	const char *text = find(&ctx->with, key);

	if (text == NULL)
		return fallback;
	return strcmp(text, "true") == 0;
}

static const char *keep_path(flow_ctx *ctx, const char *text)
{
	must(ctx->path_count < ROOM_PATHS, "too many texts");
	copy(ctx->path[ctx->path_count], sizeof ctx->path[0], text);
	return ctx->path[ctx->path_count++];
}

/* Texts of tests have no escapes: the quotes are all there is to take off. */
static const char *host_text(flow_ctx *ctx, const char *key, const char *fallback)
{
	const char *text = find(&ctx->with, key);
	char plain[200];
	size_t length;

	if (text == NULL)
		return fallback;
	length = strlen(text);
	if (length < 2 || length - 2 >= sizeof plain || text[0] != '"') {
		host_wrong(ctx, key, "not a text");
		return fallback;
	}
	memcpy(plain, text + 1, length - 2);
	plain[length - 2] = '\0';
	return keep_path(ctx, plain);
}

static const char *host_json(flow_ctx *ctx, const char *key)
{
	return find(&ctx->with, key);
}

static const char *host_param(flow_ctx *ctx, const char *key)
{
	(void)ctx;
	(void)key;
	return NULL;
}

static int host_failed(flow_ctx *ctx)
{
	return ctx->failure[0] != '\0';
}

static void host_metric(flow_ctx *ctx, const char *name, double value, long step)
{
	must(ctx->metric_count < ROOM_METRICS, "too many metrics");
	copy(ctx->metric[ctx->metric_count].name, sizeof ctx->metric[0].name, name);
	ctx->metric[ctx->metric_count].value = value;
	ctx->metric[ctx->metric_count].step = step;
	ctx->metric_count++;
}

static void host_progress(flow_ctx *ctx, double done, double total, const char *what)
{
	(void)ctx;
	(void)what;
	must(done >= 0 && done <= total, "progress out of range");
}

static void host_log(flow_ctx *ctx, const char *line)
{
	(void)ctx;
	must(strchr(line, '\n') == NULL, "a log line with a line end in it");
}

static unsigned long host_seed(flow_ctx *ctx)
{
	return ctx->seed;
}

static int host_cancelled(flow_ctx *ctx)
{
	if (ctx->questions > 0)
		ctx->questions--;
	return ctx->questions == 0;
}

static const char *host_tmpdir(flow_ctx *ctx)
{
	return ctx->folder;
}

static const char *host_checkpoint(flow_ctx *ctx)
{
	return ctx->checkpoint;
}

static unsigned host_threads(flow_ctx *ctx)
{
	return ctx->threads;
}

static const flow_host functions = {
	.abi = FLOW_ABI,
	.size = sizeof(flow_host),
	.fail = host_fail,
	.dep = host_dep,
	.out = host_out,
	.dep_name = host_dep_name,
	.out_name = host_out_name,
	.has = host_has,
	.number = host_number,
	.integer = host_integer,
	.boolean = host_boolean,
	.text = host_text,
	.json = host_json,
	.param = host_param,
	.failed = host_failed,
	.metric = host_metric,
	.progress = host_progress,
	.log = host_log,
	.seed = host_seed,
	.cancelled = host_cancelled,
	.tmpdir = host_tmpdir,
	.checkpoint = host_checkpoint,
	.threads = host_threads,
};

flow_ctx *stage_host_new(void)
{
	flow_ctx *host = calloc(1, sizeof *host);

	must(host != NULL, "out of memory");
	host->questions = -1;
	host->threads = 1;
	copy(host->folder, sizeof host->folder, "/tmp/flow-stage-XXXXXX");
	must(mkdtemp(host->folder) != NULL, "cannot make a folder");
	return host;
}

/* Empty a folder of files, and remove it. */
static void remove_folder(const char *name)
{
	DIR *folder = opendir(name);
	struct dirent *entry;
	char path[600];

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		(void)snprintf(path, sizeof path, "%s/%s", name, entry->d_name);
		(void)unlink(path);
	}
	if (folder != NULL)
		(void)closedir(folder);
	(void)rmdir(name);
}

void stage_host_free(flow_ctx *host)
{
	if (host->checkpoint != NULL)
		remove_folder(host->checkpoint);
	remove_folder(host->folder);
	free(host);
}

void stage_host_dep(flow_ctx *host, const char *name, const char *path)
{
	set(&host->deps, name, path);
}

void stage_host_out(flow_ctx *host, const char *name, const char *path)
{
	set(&host->outs, name, path);
}

void stage_host_with(flow_ctx *host, const char *key, const char *json)
{
	set(&host->with, key, json);
}

void stage_host_seed(flow_ctx *host, unsigned long seed)
{
	host->seed = seed;
}

void stage_host_threads(flow_ctx *host, unsigned threads)
{
	host->threads = threads;
}

const char *stage_host_checkpoint(flow_ctx *host, const char *name)
{
	if (host->checkpoint != NULL)
		remove_folder(host->checkpoint);
	host->checkpoint = name != NULL ? stage_host_path(host, name) : NULL;
	return host->checkpoint;
}

void stage_host_cancel_after(flow_ctx *host, long questions)
{
	host->questions = questions + 1;
}

int stage_host_run(flow_ctx *host, const flow_stage *stage)
{
	host->failure[0] = '\0';
	host->metric_count = 0;
	return stage->run(&functions, host);
}

const char *stage_host_failure(const flow_ctx *host)
{
	return host->failure;
}

int stage_host_metric(const flow_ctx *host, const char *name, long step, double *value)
{
	for (size_t i = host->metric_count; i-- > 0;) {
		if (strcmp(host->metric[i].name, name) == 0 && host->metric[i].step == step) {
			*value = host->metric[i].value;
			return 1;
		}
	}
	return 0;
}

size_t stage_host_metric_count(const flow_ctx *host)
{
	return host->metric_count;
}

const char *stage_host_path(flow_ctx *host, const char *name)
{
	char path[200];

	must(snprintf(path, sizeof path, "%s/%s", host->folder, name) < (int)sizeof path,
		"path too long");
	return keep_path(host, path);
}

const char *stage_host_write(flow_ctx *host, const char *name, const void *data, size_t size)
{
	const char *path = stage_host_path(host, name);
	FILE *stream = fopen(path, "wb");

	must(stream != NULL && fwrite(data, 1, size, stream) == size && fclose(stream) == 0,
		"cannot write a file");
	return path;
}

const char *stage_host_idx(flow_ctx *host, const char *name, const unsigned *dimension,
	unsigned dimensions, const unsigned char *data)
{
	size_t header = 4 + 4 * (size_t)dimensions, size = 1;
	unsigned char *bytes;
	const char *path;

	for (unsigned i = 0; i < dimensions; i++)
		size *= dimension[i];
	bytes = calloc(1, header + size);
	must(bytes != NULL, "out of memory");
	bytes[2] = 8;
	bytes[3] = (unsigned char)dimensions;
	for (unsigned i = 0; i < 4 * dimensions; i++)
		bytes[4 + i] = (unsigned char)(dimension[i / 4] >> (24 - 8 * (i % 4)));
	memcpy(bytes + header, data, size);
	path = stage_host_write(host, name, bytes, header + size);
	free(bytes);
	return path;
}

char *stage_host_read(const char *path, size_t *size)
{
	FILE *stream = fopen(path, "rb");
	size_t room = 4096, used = 0;
	char *data = NULL;

	if (stream == NULL)
		return NULL;
	for (;;) {
		data = realloc(data, room + 1);
		must(data != NULL, "out of memory");
		used += fread(data + used, 1, room - used, stream);
		if (used < room)
			break;
		room *= 2;
	}
	(void)fclose(stream);
	data[used] = '\0';
	if (size != NULL)
		*size = used;
	return data;
}
