#include "split/split.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/idx.h"
#include "common/jsonin.h"
#include "common/option.h"
#include "common/npy.h"
#include "common/text.h"
#include "split/column.h"

#define DEFAULT_PARTS "{\"train\": 0.9, \"valid\": 0.1}"

/* What `with: parts` says. */
struct parts {
	char name[SPLIT_PARTS_MAX][65];
	double share[SPLIT_PARTS_MAX];
	size_t count;
	size_t rest; /* the part that said "rest", or SPLIT_PARTS_MAX */
};

static int read_share(struct parts *parts, struct jsonin *in, struct fault *fault)
{
	const char *name = parts->name[parts->count];
	char word[16];

	if (jsonin_peek(in) == '"') {
		if (jsonin_string(in, word, sizeof word, fault) < 0 || strcmp(word, "rest") != 0)
			return fault_set(fault, "part '%s' must be a number or 'rest'", name);
		if (parts->rest != SPLIT_PARTS_MAX)
			return fault_set(fault, "only one part can be 'rest'");
		parts->rest = parts->count;
		return 0;
	}
	if (jsonin_number(in, &parts->share[parts->count], fault) < 0)
		return fault_context(fault, "part '%s'", name);
	if (!(parts->share[parts->count] > 0 && parts->share[parts->count] < 1))
		return fault_set(fault, "part '%s' must be between 0 and 1, not %g", name,
			parts->share[parts->count]);
	return 0;
}

static int check_sum(struct parts *parts, struct fault *fault)
{
	double sum = 0;

	if (parts->count < 2)
		return fault_set(fault, "at least two parts are needed");
	for (size_t p = 0; p < parts->count; p++)
		sum += parts->share[p];
	if (parts->rest != SPLIT_PARTS_MAX) {
		if (sum > 1 - 1e-9)
			return fault_set(fault, "the parts sum to %g and leave no rest", sum);
		parts->share[parts->rest] = 1 - sum;
		return 0;
	}
	if (fabs(sum - 1) > 1e-6)
		return fault_set(fault, "the parts sum to %g, not to 1", sum);
	return 0;
}

static int read_parts(struct parts *parts, const char *json, struct fault *fault)
{
	struct jsonin in;
	int more;

	*parts = (struct parts){ .rest = SPLIT_PARTS_MAX };
	jsonin_open(&in, json, '{');
	for (;;) {
		char *name;

		if (parts->count == SPLIT_PARTS_MAX)
			return fault_set(fault, "fewer than %d parts are allowed", SPLIT_PARTS_MAX);
		name = parts->name[parts->count];
		more = jsonin_key(&in, name, sizeof parts->name[0], fault);
		if (more != 1)
			break;
		if (read_share(parts, &in, fault) < 0)
			return -1;
		parts->count++;
	}
	return more < 0 ? -1 : check_sum(parts, fault);
}

static int is_part(const struct parts *parts, const char *name)
{
	for (size_t p = 0; p < parts->count; p++)
		if (strcmp(parts->name[p], name) == 0)
			return 1;
	return 0;
}

/* Every part has an out of its name, and every out is a part. */
static int check_outs(
	const struct parts *parts, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *name;

	for (size_t p = 0; p < parts->count; p++)
		if (host->out(ctx, parts->name[p]) == NULL)
			return fault_set(
				fault, "part '%s' needs an out of that name", parts->name[p]);
	for (unsigned i = 0; (name = host->out_name(ctx, i)) != NULL; i++)
		if (!is_part(parts, name))
			return fault_set(fault, "out '%s' is none of the parts", name);
	return 0;
}

enum method { METHOD_RANDOM, METHOD_STRATIFIED, METHOD_GROUP, METHOD_TIME };

static const char *const method_names[] = { "random", "stratified", "group", "time", NULL };

/* What `with:` says beside the parts. */
struct how {
	enum method method;
	const char *column;
	long folds, fold; /* 0: parts, no folds */
	uint64_t seed;
};

static int read_how(struct how *how, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	int method;

	how->column = host->text(ctx, "column", NULL);
	how->folds = host->integer(ctx, "folds", 0, 0, SPLIT_PARTS_MAX - 1);
	how->fold = host->integer(ctx, "fold", 0, 0, SPLIT_PARTS_MAX - 1);
	/* The folds of one split are tasks of their own and must agree. */
	how->seed = host->has(ctx, "seed") || how->folds != 0
			    ? (uint64_t)host->integer(ctx, "seed", 0, 0, INT32_MAX)
			    : host->seed(ctx);
	if (how->folds == 1 || (how->folds == 0 && how->fold != 0) ||
		(how->folds != 0 && (how->fold < 1 || how->fold > how->folds)))
		return fault_set(fault, "with.folds is 2 or more, and with.fold from 1 to that");
	method = option_word(host, ctx, "by", method_names,
		how->column != NULL ? "stratified" : "random", fault);
	if (method < 0)
		return -1;
	how->method = (enum method)method;
	return how->method == METHOD_RANDOM || how->column != NULL
		       ? 0
		       : fault_set(fault, "with.by: %s needs with.column", method_names[method]);
}

/* Folds are parts of one size; of times one more, since the first can only be learnt from. */
static void fold_parts(struct parts *parts, const struct how *how)
{
	*parts = (struct parts){ .count = (size_t)how->folds + (how->method == METHOD_TIME) };
	for (size_t p = 0; p < parts->count; p++)
		parts->share[p] = 1 / (double)parts->count;
}

/* train and valid of one fold. */
static void take_fold(uint8_t *part, size_t rows, const struct how *how)
{
	uint8_t valid = (uint8_t)(how->fold - 1 + (how->method == METHOD_TIME));

	for (size_t i = 0; i < rows; i++) {
		if (part[i] == valid)
			part[i] = 1;
		else
			part[i] = how->method == METHOD_TIME && part[i] > valid ? 2 : 0;
	}
}

/* The list of the rows of one part, ascending. */
static int write_part(const char *name, size_t which, const uint8_t *part, size_t rows,
	const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	int64_t *list = array_new(rows, sizeof *list);
	size_t count = 0;
	char metric[80];
	int rc;

	for (size_t i = 0; i < rows; i++)
		if (part[i] == which)
			list[count++] = (int64_t)i;
	rc = npy_write(host->out(ctx, name), NPY_INT64, list, count, 0, fault);
	(void)snprintf(metric, sizeof metric, "rows.%s", name);
	if (rc == 0)
		host->metric(ctx, metric, (double)count, -1);
	free(list);
	return rc;
}

static int check_images(size_t rows, const char *path, struct fault *fault)
{
	struct idx images;
	size_t count;

	if (path == NULL)
		return 0;
	if (idx_open(&images, path, 3, fault) < 0)
		return -1;
	count = images.rows;
	idx_close(&images);
	if (count != rows)
		return fault_set(fault, "there are %zu images, but %zu labels", count, rows);
	return 0;
}

static int assign(uint8_t *part, const struct split_column *c, const struct parts *parts,
	const struct how *how, struct fault *fault)
{
	if (c->rows < parts->count)
		return fault_set(fault, "there are %zu rows for %zu parts", c->rows, parts->count);
	if (how->method == METHOD_TIME)
		return split_times(part, c->number, c->rows, parts->share, parts->count, fault);
	if (how->method == METHOD_GROUP)
		return split_groups(part, c->code, c->rows, c->codes, parts->share, parts->count,
			how->seed, fault);
	return split_rows(
		part, c->code, c->rows, c->codes, parts->share, parts->count, how->seed, fault);
}

static int read_column(struct split_column *c, const struct how *how, const flow_host *host,
	flow_ctx *ctx, struct fault *fault)
{
	const char *table = host->dep(ctx, "table"), *labels = host->dep(ctx, "labels");

	if ((table == NULL) == (labels == NULL))
		return fault_set(fault, "needs either a dep named 'table' or one named 'labels'");
	if (labels != NULL && (how->column != NULL || host->has(ctx, "by")))
		return fault_set(
			fault, "with.by and column are for tables; labels are kept in proportion");
	if (labels != NULL)
		return split_column_labels(c, labels, fault) < 0
			       ? -1
			       : check_images(c->rows, host->dep(ctx, "images"), fault);
	if (how->method == METHOD_TIME)
		return split_column_numbers(c, table, how->column, fault);
	return split_column_read(c, table, how->method == METHOD_RANDOM ? NULL : how->column,
		how->method == METHOD_GROUP, fault);
}

static int split(const struct parts *parts, const struct how *how, const flow_host *host,
	flow_ctx *ctx, struct fault *fault)
{
	static const char *const fold_names[] = { "train", "valid" };
	struct split_column c = { 0 };
	uint8_t *part = NULL;
	int rc = read_column(&c, how, host, ctx, fault);

	if (rc == 0) {
		part = array_new(c.rows, sizeof *part);
		rc = assign(part, &c, parts, how, fault);
	}
	if (rc == 0 && how->folds != 0)
		take_fold(part, c.rows, how);
	for (size_t p = 0; p < (how->folds != 0 ? 2 : parts->count) && rc == 0; p++)
		rc = write_part(how->folds != 0 ? fold_names[p] : parts->name[p], p, part, c.rows,
			host, ctx, fault);
	free(part);
	split_column_release(&c);
	return rc;
}

static int prepare(struct parts *parts, struct how *how, const flow_host *host, flow_ctx *ctx,
	struct fault *fault)
{
	const char *json = host->json(ctx, "parts");

	if (read_how(how, host, ctx, fault) < 0)
		return -1;
	if (how->folds != 0) {
		if (json != NULL)
			return fault_set(fault, "with.parts and with.folds exclude each other");
		if (host->out(ctx, "train") == NULL || host->out(ctx, "valid") == NULL)
			return fault_set(fault, "with.folds needs the outs 'train' and 'valid'");
		fold_parts(parts, how);
		return 0;
	}
	if (read_parts(parts, json != NULL ? json : DEFAULT_PARTS, fault) < 0)
		return fault_context(fault, "with.parts");
	return check_outs(parts, host, ctx, fault);
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	struct parts parts;
	struct how how = { .method = METHOD_RANDOM };

	if (prepare(&parts, &how, host, ctx, &fault) == 0 && !host->failed(ctx))
		(void)split(&parts, &how, host, ctx, &fault);
	if (host->failed(ctx))
		return -1;
	return fault.text[0] != '\0' ? host->fail(ctx, fault.text) : 0;
}

static const flow_port deps[] = {
	{ "table", "a shard", 0 },
	{ "labels",
		"instead: labels, IDX of bytes with one dimension; the classes to keep in "
		"proportion",
		0 },
	{ "images", "images, IDX of bytes; only checked to have as many rows as the labels", 0 },
	{ NULL, NULL, 0 },
};

static const flow_port outs[] = {
	{ "train", "row numbers of the part `train`, NPY int64; outs are named as the parts are",
		0 },
	{ "valid", "row numbers of the part `valid`", 0 },
	{ "test", "row numbers of the part `test`", 0 },
	{ NULL, NULL, 0 },
};

static const flow_option options[] = {
	{ "parts", "map", DEFAULT_PARTS,
		"share of each part; they sum to 1, or one of them is the word rest" },
	{ "by", "text", "random",
		"of a table: random; stratified: classes keep their shares; group: equal values "
		"stay "
		"in one part; time: the earliest rows are the first part. stratified when there is "
		"a "
		"column" },
	{ "column", "text", "", "the column of classes, groups or times" },
	{ "folds", "integer 0..32", "0", "instead of parts: cross-validation with so many folds" },
	{ "fold", "integer 0..32", "0",
		"the fold that is valid, from 1; by time, train is what lies before it" },
	{ "seed", "integer 0..2147483647", "0", "other than that of the task; with folds 0 unless given" },
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_split = { sizeof(flow_stage), "split", "2",
	"divide rows into parts, as lists of row numbers", deps, outs, options, run };
