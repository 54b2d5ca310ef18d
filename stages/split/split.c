#include "split/split.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/idx.h"
#include "common/jsonin.h"
#include "common/npy.h"
#include "common/text.h"

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
	jsonin_begin(&in, json, strlen(json));
	if (jsonin_enter(&in, '{', fault) < 0)
		return -1;
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
	if (more < 0 || jsonin_finish(&in, fault) < 0)
		return -1;
	return check_sum(parts, fault);
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

/* The list of the rows of one part, ascending. */
static int write_part(const struct parts *parts, size_t which, const uint8_t *part, size_t rows,
	const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	int64_t *list = array_new(rows, sizeof *list);
	size_t count = 0;
	char metric[80];
	int rc;

	for (size_t i = 0; i < rows; i++)
		if (part[i] == which)
			list[count++] = (int64_t)i;
	rc = npy_write(host->out(ctx, parts->name[which]), NPY_INT64, list, count, 0, fault);
	(void)snprintf(metric, sizeof metric, "rows.%s", parts->name[which]);
	if (rc == 0)
		host->metric(ctx, metric, (double)count, -1);
	free(list);
	return rc;
}

static int check_images(const struct idx *labels, const char *path, struct fault *fault)
{
	struct idx images;
	size_t rows;

	if (path == NULL)
		return 0;
	if (idx_open(&images, path, 3, fault) < 0)
		return -1;
	rows = images.rows;
	idx_close(&images);
	if (rows != labels->rows)
		return fault_set(fault, "there are %zu images, but %zu labels", rows, labels->rows);
	return 0;
}

static int split(const struct parts *parts, const struct idx *labels, const flow_host *host,
	flow_ctx *ctx, struct fault *fault)
{
	uint8_t *part = array_new(labels->rows, sizeof *part);
	int rc = split_rows(part, labels->data, labels->rows, parts->share, parts->count,
		host->seed(ctx), fault);

	for (size_t p = 0; p < parts->count && rc == 0; p++)
		rc = write_part(parts, p, part, labels->rows, host, ctx, fault);
	free(part);
	return rc;
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	struct idx labels = { .rows = 0 };
	const char *path = host->dep(ctx, "labels"), *json = host->json(ctx, "parts");
	struct parts parts;

	if (path == NULL)
		return host->fail(ctx, "needs a dep named 'labels'");
	if (read_parts(&parts, json != NULL ? json : DEFAULT_PARTS, &fault) < 0) {
		(void)fault_context(&fault, "with.parts");
		goto out;
	}
	if (check_outs(&parts, host, ctx, &fault) < 0 || idx_open(&labels, path, 1, &fault) < 0 ||
		check_images(&labels, host->dep(ctx, "images"), &fault) < 0)
		goto out;
	(void)split(&parts, &labels, host, ctx, &fault);
out:
	idx_close(&labels);
	return fault.text[0] != '\0' ? host->fail(ctx, fault.text) : 0;
}

static const flow_port deps[] = {
	{ "labels", "labels, IDX of bytes with one dimension; the classes to keep in proportion",
		1 },
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
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_split = { sizeof(flow_stage), "split", "1",
	"divide rows into parts, class by class, as lists of row numbers", deps, outs, options,
	run };
