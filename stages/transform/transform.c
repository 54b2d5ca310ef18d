#include "transform/transform.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/file.h"
#include "common/fitted.h"
#include "common/npy.h"
#include "common/shard.h"
#include "common/shardout.h"
#include "common/text.h"
#include "transform/fit.h"
#include "transform/steps.h"

/* A column of what comes in, and what becomes of it. */
struct route {
	const struct fitted_column *recipe; /* NULL: it passes */
	int is_joined;                      /* goes into the wide column */
	struct dictionary names;
	struct cells in, out;
	struct column result;
};

struct transform {
	const flow_host *host;
	flow_ctx *ctx;
	struct shard shard;
	struct fitted recipe;
	uint8_t *learn;
	const char *into;
	struct route *route;    /* of each column of the shard */
	struct column *columns; /* of what comes out */
	struct cells *cells;
	size_t count;
	uint32_t joined; /* width of the wide column */
};

static void note(void *context, const char *line)
{
	struct transform *t = context;

	t->host->log(t->ctx, line);
}

static int read_rows(struct transform *t, const char *path, struct fault *fault)
{
	struct npy_rows rows;
	int rc = 0;

	if (path == NULL) {
		note(t, "no dep `rows`: fitted on all rows");
		return 0;
	}
	if (npy_read_rows(&rows, path, fault) < 0)
		return -1;
	t->learn = array_new(t->shard.rows, 1);
	for (size_t i = 0; i < rows.count && rc == 0; i++) {
		if (rows.row[i] < 0 || (uint64_t)rows.row[i] >= t->shard.rows)
			rc = fault_set(fault, "'%s' lists row %lld, but the table has %llu rows",
				path, (long long)rows.row[i], (unsigned long long)t->shard.rows);
		else
			t->learn[rows.row[i]] = 1;
	}
	if (rc == 0 && rows.count == 0)
		rc = fault_set(fault, "'%s' lists no rows to fit on", path);
	npy_close_rows(&rows);
	return rc;
}

static int read_recipe(struct transform *t, const char *path, struct fault *fault)
{
	struct mapped file;
	int rc;

	if (t->host->has(t->ctx, "columns") || t->host->has(t->ctx, "numbers") ||
		t->host->has(t->ctx, "categories") || t->host->has(t->ctx, "except"))
		return fault_set(fault,
			"with a dep `recipe` the steps are known; with.columns, numbers, "
			"categories and except do not go with it");
	if (mapped_open(&file, path, fault) < 0)
		return -1;
	rc = fitted_read(
		&t->recipe, file.data != NULL ? (const char *)file.data : "", file.size, fault);
	mapped_close(&file);
	for (size_t i = 0; i < t->recipe.count && rc == 0; i++) {
		const struct fitted_column *c = &t->recipe.column[i];
		size_t at = shard_find(&t->shard, c->name);

		if (at == t->shard.columns || t->shard.column[at].width != 1)
			rc = fault_set(fault,
				"the recipe needs column '%s', which the table has not", c->name);
		else if (t->shard.column[at].type != c->type)
			rc = fault_set(fault, "column '%s' is %s, the recipe was fitted to %s",
				c->name, column_type_name(t->shard.column[at].type),
				column_type_name(c->type));
	}
	return rc;
}

static int fit(struct transform *t, struct fault *fault)
{
	const char *path = t->host->dep(t->ctx, "recipe");

	if (path != NULL)
		return read_recipe(t, path, fault);
	if (steps_read(&t->recipe, &t->shard, t->host, t->ctx, fault) < 0 ||
		read_rows(t, t->host->dep(t->ctx, "rows"), fault) < 0)
		return -1;
	return fit_recipe(&t->recipe, &t->shard, t->learn, t->host->seed(t->ctx), note, t, fault);
}

static void find_names(struct route *r, const struct shard *shard, size_t column)
{
	for (uint32_t i = 0; i < shard->record[column].categories; i++) {
		size_t length;
		const char *name = shard_category(shard, column, i, &length);

		(void)dictionary_add(&r->names, name, length);
	}
}

/* Which columns come out, in the order of those that came in; the wide one last. */
static int plan(struct transform *t, struct fault *fault)
{
	uint64_t joined = 0;

	t->route = array_new(t->shard.columns, sizeof *t->route);
	t->columns = array_new(t->shard.columns + 1, sizeof *t->columns);
	t->cells = array_new(t->shard.columns + 1, sizeof *t->cells);
	for (size_t c = 0; c < t->shard.columns; c++) {
		struct route *r = &t->route[c];

		r->result = t->shard.column[c];
		for (size_t i = 0; i < t->recipe.count; i++)
			if (strcmp(t->recipe.column[i].name, t->shard.column[c].name) == 0)
				r->recipe = &t->recipe.column[i];
		if (r->recipe != NULL) {
			fitted_result(r->recipe, &r->result);
			find_names(r, &t->shard, c);
			r->is_joined = t->into != NULL && r->result.type == COLUMN_FLOAT32;
		}
		if (r->is_joined)
			joined += r->result.width;
		else
			t->columns[t->count++] = r->result;
		if (t->into != NULL && !r->is_joined && strcmp(t->into, r->result.name) == 0)
			return fault_set(
				fault, "with.into: there is a column '%s' already", t->into);
	}
	if (t->into == NULL)
		return 0;
	if (joined == 0 || joined > COLUMN_WIDTH_MAX)
		return fault_set(
			fault, "with.into: %llu numbers a row", (unsigned long long)joined);
	t->joined = (uint32_t)joined;
	t->columns[t->count++] = (struct column){ .name = t->into,
		.type = COLUMN_FLOAT32,
		.width = t->joined,
		.dimensions = 1,
		.dimension = { t->joined } };
	return 0;
}

/* The rows of the joined columns side by side. */
static int join(
	struct transform *t, size_t rows, uint64_t first, struct cells *wide, struct fault *fault)
{
	float *row_cells;

	cells_reserve(wide, rows, 0);
	for (size_t row = 0; row < rows; row++) {
		row_cells = (float *)(void *)(wide->data + row * t->joined * sizeof(float));
		for (size_t c = 0; c < t->shard.columns; c++) {
			const struct route *r = &t->route[c];

			if (!r->is_joined)
				continue;
			if (!cells_present(&r->out, row))
				return fault_set(fault,
					"row %llu has no '%s'; give it a step `impute`, or "
					"leave it out of with.into",
					(unsigned long long)(first + row), r->result.name);
			memcpy(row_cells,
				(const float *)(const void *)r->out.data + row * r->out.width,
				r->out.width * sizeof(float));
			row_cells += r->out.width;
		}
	}
	wide->rows = rows;
	wide->size = rows * t->joined * sizeof(float);
	return 0;
}

static int apply_column(struct transform *t, size_t group, size_t c, struct fault *fault)
{
	struct route *r = &t->route[c];
	struct shard_part part;

	if (shard_verify(&t->shard, group, c, fault) < 0)
		return -1;
	shard_part(&part, &t->shard, group, c);
	cells_begin(&r->in, &t->shard.column[c]);
	shard_cells(&r->in, &part, 0, part.rows);
	cells_begin(&r->out, &r->result);
	return r->recipe != NULL ? fitted_apply(r->recipe, &r->in, &r->names, &r->out, fault) : 0;
}

static int apply_group(struct transform *t, size_t group, struct shardout *out, struct fault *fault)
{
	size_t rows = shard_group_rows(&t->shard, group), k = 0;
	int rc = 0;

	for (size_t c = 0; c < t->shard.columns && rc == 0; c++) {
		struct route *r = &t->route[c];

		rc = apply_column(t, group, c, fault);
		if (r->is_joined)
			continue;
		/* Borrowed: the route keeps its memory. */
		t->cells[k++] = r->recipe != NULL ? r->out : r->in;
	}
	if (rc == 0 && t->into != NULL) {
		cells_begin(&t->cells[k], &t->columns[k]);
		rc = join(t, rows, group * t->shard.group_rows, &t->cells[k], fault);
	}
	if (rc == 0)
		shardout_add(out, t->cells, 0, rows);
	return rc;
}

static void copy_categories(const struct transform *t, struct shardout *out)
{
	for (size_t c = 0, k = 0; c < t->shard.columns; c++) {
		if (t->route[c].is_joined)
			continue;
		for (uint32_t i = 0;
			t->route[c].recipe == NULL && i < t->shard.record[c].categories; i++) {
			size_t length;
			const char *name = shard_category(&t->shard, c, i, &length);

			shardout_category(out, k, name, length);
		}
		k++;
	}
}

static int apply(struct transform *t, const char *path, struct fault *fault)
{
	struct shardout out;
	int rc = 0;

	if (plan(t, fault) < 0 || shardout_open(&out, path, t->columns, t->count, 0, fault) < 0)
		return -1;
	for (size_t g = 0; g < t->shard.groups && rc == 0; g++) {
		rc = t->host->cancelled(t->ctx) ? fault_set(fault, "stopped")
						: apply_group(t, g, &out, fault);
		t->host->progress(t->ctx, (double)g, (double)t->shard.groups, "groups");
	}
	if (rc == 0) {
		copy_categories(t, &out);
		rc = shardout_commit(&out, fault);
	}
	shardout_abandon(&out);
	return rc;
}

static int write_recipe(const struct transform *t, struct fault *fault)
{
	const char *path = t->host->out(t->ctx, "recipe");
	struct text json = { 0 };
	int rc;

	if (path == NULL)
		return 0;
	fitted_write(&t->recipe, &json);
	rc = output_file(path, json.data, json.length, fault);
	text_release(&json);
	return rc;
}

static void transform_release(struct transform *t)
{
	for (size_t c = 0; t->route != NULL && c < t->shard.columns; c++) {
		dictionary_release(&t->route[c].names);
		cells_release(&t->route[c].in);
		cells_release(&t->route[c].out);
	}
	if (t->into != NULL && t->cells != NULL && t->count != 0)
		cells_release(&t->cells[t->count - 1]);
	free(t->route);
	free(t->columns);
	free(t->cells);
	free(t->learn);
	fitted_release(&t->recipe);
	shard_close(&t->shard);
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	struct transform t = { .host = host, .ctx = ctx, .into = host->text(ctx, "into", NULL) };
	const char *table = host->dep(ctx, "table"), *out = host->out(ctx, "table");
	int rc;

	if (table == NULL || out == NULL)
		return host->fail(ctx, "needs a dep and an out named 'table'");
	if (shard_open(&t.shard, table, &fault) < 0)
		return host->fail(ctx, fault.text);
	rc = fit(&t, &fault);
	if (rc == 0)
		rc = write_recipe(&t, &fault);
	if (rc == 0)
		rc = apply(&t, out, &fault);
	if (rc == 0)
		host->metric(ctx, "rows", (double)t.shard.rows, -1);
	transform_release(&t);
	return rc < 0 ? host->fail(ctx, fault.text) : 0;
}

static const flow_port deps[] = {
	{ "table", "a shard", 1 },
	{ "rows", "row numbers to fit on, NPY int64, as split makes them; without it all rows", 0 },
	{ "recipe", "instead of fitting: what another transform has fitted", 0 },
	{ NULL, NULL, 0 },
};

static const flow_port outs[] = {
	{ "table", "the table, all its rows", 1 },
	{ "recipe", "the fitted steps, JSON", 0 },
	{ NULL, NULL, 0 },
};

static const flow_option options[] = {
	{ "columns", "map", "{}",
		"steps of single columns, one or a list. Numbers: impute mean|median|NUMBER, "
		"standardize, minmax, clip LOW HIGH (numbers, or 1% 99%), log. Texts, categories "
		"and "
		"whole numbers, one alone: onehot, ordinal, hash SIZE, words SIZE [LOW HIGH], "
		"tfidf "
		"SIZE [LOW HIGH], chars SIZE [LOW HIGH]" },
	{ "numbers", "list", "[]", "steps of all other columns of numbers" },
	{ "categories", "list", "[]", "steps of all other columns of categories" },
	{ "except", "list", "[]", "columns that numbers and categories do not mean, as the label" },
	{ "into", "text", "",
		"put all columns of float32 that come of steps side by side into this one" },
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_transform = { sizeof(flow_stage), "transform", "1",
	"scale, fill in and encode columns, fitted on the training rows only", deps, outs, options,
	run };
