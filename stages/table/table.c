#include "table/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonout.h"
#include "common/shard.h"
#include "common/shardout.h"
#include "table/arrays.h"
#include "table/read.h"
#include "table/summary.h"
#include "table/trim.h"

#define ARRAY_BATCH ((size_t)4 << 20) /* bytes of rows at a time */

/* Files of arrays side by side: as many rows each. */
struct arrays {
	struct array_file file[2];
	struct column column[2];
	struct cells cells[2];
	size_t count;
};

static int arrays_open(struct arrays *a, const struct options *o, const char *name,
	const char *labels, struct fault *fault)
{
	const char *const path[2] = { o->path, labels }, *const names[2] = { name, "label" };

	for (size_t i = 0; i < 2 && path[i] != NULL; i++) {
		if (array_open(&a->file[i], path[i], o->format, fault) < 0)
			return -1;
		a->count++;
		a->column[i] = a->file[i].column;
		a->column[i].name = names[i];
		cells_begin(&a->cells[i], &a->column[i]);
	}
	if (a->count == 2 && a->file[0].rows != a->file[1].rows)
		return fault_set(fault, "'%s' has %llu rows, but '%s' has %llu", path[0],
			(unsigned long long)a->file[0].rows, path[1],
			(unsigned long long)a->file[1].rows);
	return 0;
}

static int arrays_copy(struct arrays *a, struct shardout *out, const flow_host *host, flow_ctx *ctx,
	struct fault *fault)
{
	size_t row_size = a->column[0].width * column_cell_size(a->column[0].type), batch;
	uint64_t rows = a->file[0].rows;

	batch = ARRAY_BATCH / row_size + 1;
	for (uint64_t done = 0; done < rows; done += batch) {
		size_t take = rows - done < batch ? (size_t)(rows - done) : batch;

		if (host->cancelled(ctx))
			return fault_set(fault, "stopped");
		for (size_t i = 0; i < a->count; i++) {
			cells_begin(&a->cells[i], &a->column[i]);
			if (array_read(&a->file[i], &a->cells[i], take, fault) < 0)
				return -1;
		}
		shardout_add(out, a->cells, 0, take);
		host->progress(ctx, (double)done, (double)rows, "read");
	}
	for (size_t i = 0; i < a->count; i++)
		if (array_finish(&a->file[i], fault) < 0)
			return -1;
	return 0;
}

static int from_arrays(const struct options *o, const char *path, const flow_host *host,
	flow_ctx *ctx, struct fault *fault)
{
	struct arrays a = { .count = 0 };
	struct shardout out = { 0 };
	size_t group_rows = (size_t)o->group_rows;
	int rc = -1;

	if (o->where.count != 0 || o->keep.count != 0 || o->drop.count != 0) {
		(void)fault_set(fault, "with.where, keep and drop are for csv, jsonl and shards");
		goto out;
	}
	if (arrays_open(&a, o, host->text(ctx, "name", "x"), host->dep(ctx, "labels"), fault) < 0)
		goto out;
	if (shardout_open(&out, path, a.column, a.count, group_rows, fault) < 0)
		goto out;
	rc = arrays_copy(&a, &out, host, ctx, fault);
	if (rc == 0)
		rc = shardout_commit(&out, fault);
out:
	shardout_abandon(&out);
	for (size_t i = 0; i < 2; i++) {
		array_close(&a.file[i]);
		cells_release(&a.cells[i]);
	}
	return rc;
}

static int from_text(const struct options *o, const char *path, const flow_host *host,
	flow_ctx *ctx, struct fault *fault)
{
	struct reading r = { .options = o, .host = host, .ctx = ctx };
	const char *bad = host->out(ctx, "bad_rows");
	int rc = read_text(&r, path, fault);

	if (rc == 0 && bad != NULL)
		rc = output_file(bad, r.bad_list.data != NULL ? r.bad_list.data : "",
			r.bad_list.length, fault);
	if (rc == 0 && r.bad_rows != 0 && bad == NULL)
		host->log(ctx, r.first_bad);
	if (rc == 0)
		host->metric(ctx, "bad_rows", (double)r.bad_rows, -1);
	reading_release(&r);
	return rc;
}

static int make(const struct options *o, const char *path, const flow_host *host, flow_ctx *ctx,
	struct fault *fault)
{
	int rc = -1;

	switch (o->format) {
	case FORMAT_CSV:
	case FORMAT_JSONL: rc = from_text(o, path, host, ctx, fault); break;
	case FORMAT_NPY:
	case FORMAT_IDX: rc = from_arrays(o, path, host, ctx, fault); break;
	case FORMAT_SHARD: rc = trim_shard(o, path, host, ctx, fault); break;
	}
	return rc;
}

/* What came of it: metrics, and the out `schema`. */
static int tell(const char *path, const flow_host *host, flow_ctx *ctx, struct fault *fault)
{
	const char *schema = host->out(ctx, "schema");
	struct shard shard;
	int rc = 0;

	if (shard_open(&shard, path, fault) < 0)
		return -1;
	host->metric(ctx, "rows", (double)shard.rows, -1);
	host->metric(ctx, "columns", (double)shard.columns, -1);
	if (schema != NULL)
		rc = summary_write(schema, &shard, fault);
	shard_close(&shard);
	return rc;
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	const char *path = host->out(ctx, "table");
	struct options o = { .path = host->dep(ctx, "data") };

	if (o.path == NULL)
		return host->fail(ctx, "needs a dep named 'data'");
	if (path == NULL)
		return host->fail(ctx, "needs an out named 'table'");
	if (options_read(&o, host, ctx, &fault) == 0 && !host->failed(ctx) &&
		make(&o, path, host, ctx, &fault) == 0)
		(void)tell(path, host, ctx, &fault);
	options_release(&o);
	if (host->failed(ctx))
		return -1;
	return fault.text[0] != '\0' ? host->fail(ctx, fault.text) : 0;
}

static const flow_port deps[] = {
	{ "data", "the file: csv, tsv, JSON lines, NPY, IDX (each plain, gzip or zstd), or a shard",
		1 },
	{ "labels", "of npy and idx: a second file with as many rows, column `label`", 0 },
	{ NULL, NULL, 0 },
};

static const flow_port outs[] = {
	{ "table", "the columns, a shard", 1 },
	{ "schema", "type and figures of each column, JSON", 0 },
	{ "bad_rows", "line and reason of each row left out, JSON lines", 0 },
	{ NULL, NULL, 0 },
};

const flow_stage stage_table = { sizeof(flow_stage), "table", "2",
	"read csv, tsv, JSON lines, NPY or IDX into typed columns", deps, outs, options_table,
	run };
