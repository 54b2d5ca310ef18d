#include "select/select.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonout.h"
#include "common/option.h"
#include "common/rows.h"
#include "common/shard.h"
#include "common/shardout.h"
#include "common/text.h"
#include "select/features.h"
#include "select/score.h"

enum method { METHOD_VARIANCE, METHOD_INFORMATION, METHOD_L1, METHOD_PCA };

static const char *const method_names[] = { "variance", "information", "l1", "pca", NULL };

struct select {
	const flow_host *host;
	flow_ctx *ctx;
	enum method method;
	struct shard shard;
	struct features features;
	char *except; /* [column] */
	uint8_t *learn, *kept; /* kept[feature] */
	size_t keep;           /* how many; 0: all with a score above least */
	double least;
	double *score, *mean, *axes;
};

static int read_options(struct select *s, struct fault *fault)
{
	const char *target = s->host->text(s->ctx, "target", NULL);
	int m = option_word(s->host, s->ctx, "method", method_names, "variance", fault);

	if (m < 0)
		return -1;
	s->method = (enum method)m;
	s->keep = (size_t)s->host->integer(s->ctx, "keep", 0, 0, FEATURES_MAX);
	s->least = s->host->number(s->ctx, "least", 0, 0, 1e300);
	if ((m == METHOD_INFORMATION || m == METHOD_L1) && target == NULL)
		return fault_set(fault, "with.target: %s needs one", method_names[m]);
	if (m == METHOD_PCA && s->keep == 0)
		return fault_set(fault, "with.keep: pca needs the number of axes");
	s->except = array_new(s->shard.columns, 1);
	if (option_columns(s->except, &s->shard, s->host, s->ctx, "except", fault) < 0 ||
		features_find(&s->features, target, s->except, fault) < 0)
		return -1;
	if (s->keep > s->features.count)
		return fault_set(fault, "with.keep is %zu, but a row has %zu numbers", s->keep,
			s->features.count);
	if (rows_mark(&s->learn, s->shard.rows, s->host->dep(s->ctx, "rows"), fault) < 0)
		return -1;
	s->features.learn = s->learn;
	return 0;
}

static int find_scores(struct select *s, struct fault *fault)
{
	double penalty = s->host->number(s->ctx, "penalty", 0.05, 0, 1);
	long bins = s->host->integer(s->ctx, "bins", 16, 2, 256);

	s->score = array_new(s->features.count, sizeof *s->score);
	if (s->method == METHOD_VARIANCE)
		return score_variance(&s->features, s->score, fault);
	if (s->method == METHOD_INFORMATION)
		return score_information(&s->features, (size_t)bins, s->score, fault);
	if (s->method == METHOD_L1)
		return score_l1(&s->features, penalty, s->score, fault);
	s->mean = array_new(s->features.count, sizeof *s->mean);
	s->axes = array_new(s->keep * s->features.count, sizeof *s->axes);
	return find_axes(
		&s->features, s->keep, s->host->seed(s->ctx), s->mean, s->axes, s->score, fault);
}

/* Those of the best scores, the earlier one of equals; all above `least`. */
static int choose(struct select *s, struct fault *fault)
{
	size_t count = s->features.count, most = s->keep != 0 ? s->keep : count, chosen = 0;

	s->kept = array_new(count, 1);
	for (; chosen < most; chosen++) {
		size_t best = count;

		for (size_t i = 0; i < count; i++)
			if (!s->kept[i] && s->score[i] > s->least &&
				(best == count || s->score[i] > s->score[best]))
				best = i;
		if (best == count)
			break;
		s->kept[best] = 1;
	}
	return chosen != 0 ? 0 : fault_set(fault, "no column has a score above %g", s->least);
}

static size_t is_axes(const struct select *s)
{
	return s->method == METHOD_PCA;
}

/* Columns that come out: a feature column with the cells that are kept, others as they are. */
static size_t plan(const struct select *s, struct column *columns, size_t *from)
{
	size_t count = 0, feature = 0, f = 0;

	for (size_t c = 0; c < s->shard.columns; c++) {
		uint32_t width = 0;

		from[count] = c;
		columns[count] = s->shard.column[c];
		if (f == s->features.columns || s->features.column[f] != c) {
			count++;
			continue;
		}
		f++;
		for (uint32_t k = 0; k < s->shard.column[c].width; k++, feature++)
			width += !is_axes(s) && s->kept[feature];
		if (width != columns[count].width && columns[count].dimensions != 0) {
			columns[count].dimensions = 1;
			columns[count].dimension[0] = width;
		}
		columns[count].width = width;
		count += width != 0;
	}
	if (is_axes(s))
		columns[count++] = (struct column){ .name = s->host->text(s->ctx, "into", "pca"),
			.type = COLUMN_FLOAT32,
			.width = (uint32_t)s->keep,
			.dimensions = 1,
			.dimension = { (uint32_t)s->keep } };
	return count;
}

/* The kept cells of a column of features. */
static void copy_cells(
	const struct select *s, const struct shard_part *part, size_t column, struct cells *out)
{
	size_t first = 0, cell = column_cell_size(part->type);

	for (size_t f = 0; s->features.column[f] != column; f++)
		first += s->shard.column[s->features.column[f]].width;
	cells_reserve(out, part->rows, 0);
	for (size_t row = 0; row < part->rows; row++)
		for (size_t k = 0; k < part->width; k++)
			if (s->kept[first + k]) {
				memcpy(out->data + out->size,
					(const unsigned char *)part->data +
						(row * part->width + k) * cell,
					cell);
				out->size += cell;
			}
	out->rows = part->rows;
}

static int project(const struct select *s, size_t group, struct cells *out, struct fault *fault)
{
	size_t rows = shard_group_rows(&s->shard, group), n = s->features.count;
	double *row = array_new(rows * n, sizeof *row);
	int rc = features_group(&s->features, group, row, fault);

	cells_reserve(out, rows, 0);
	for (size_t r = 0; r < rows && rc == 0; r++)
		for (size_t a = 0; a < s->keep; a++) {
			double along = 0;

			for (size_t i = 0; i < n; i++)
				along += (row[r * n + i] - s->mean[i]) * s->axes[a * n + i];
			((float *)(void *)out->data)[r * s->keep + a] = (float)along;
		}
	out->rows = rows;
	out->size = rows * s->keep * sizeof(float);
	free(row);
	return rc;
}

static int copy_group(const struct select *s, size_t group, const struct column *columns,
	const size_t *from, size_t count, struct cells *cells, struct fault *fault)
{
	for (size_t k = 0; k < count; k++) {
		struct shard_part part;

		cells_begin(&cells[k], &columns[k]);
		if (is_axes(s) && k == count - 1)
			return project(s, group, &cells[k], fault);
		if (shard_verify(&s->shard, group, from[k], fault) < 0)
			return -1;
		shard_part(&part, &s->shard, group, from[k]);
		if (columns[k].width != part.width)
			copy_cells(s, &part, from[k], &cells[k]);
		else
			shard_cells(&cells[k], &part, 0, part.rows);
	}
	return 0;
}

static void copy_categories(
	const struct select *s, const size_t *from, size_t count, struct shardout *out)
{
	for (size_t k = 0; k < count - is_axes(s); k++)
		for (uint32_t i = 0; i < s->shard.record[from[k]].categories; i++) {
			size_t length;
			const char *name = shard_category(&s->shard, from[k], i, &length);

			shardout_category(out, k, name, length);
		}
}

static int write_table(const struct select *s, const char *path, struct fault *fault)
{
	struct column *columns = array_new(s->shard.columns + 1, sizeof *columns);
	size_t *from = array_new(s->shard.columns + 1, sizeof *from),
	       count = plan(s, columns, from);
	struct cells *cells = array_new(count, sizeof *cells);
	struct shardout out = { 0 };
	int rc = shardout_open(&out, path, columns, count, s->shard.group_rows, fault);

	/* Whole columns are still what the recipe makes of raw ones; parts of them and axes are not. */
	out.state = is_axes(s) ? 0 : s->shard.state;
	for (size_t k = 0; k < count - is_axes(s); k++)
		if (columns[k].width != s->shard.column[from[k]].width)
			out.state = 0;
	for (size_t g = 0; g < s->shard.groups && rc == 0; g++) {
		rc = s->host->cancelled(s->ctx)
			     ? fault_set(fault, "stopped")
			     : copy_group(s, g, columns, from, count, cells, fault);
		if (rc == 0)
			shardout_add(&out, cells, 0, shard_group_rows(&s->shard, g));
	}
	if (rc == 0) {
		copy_categories(s, from, count, &out);
		rc = shardout_commit(&out, fault);
	}
	shardout_abandon(&out);
	for (size_t k = 0; k < count; k++)
		cells_release(&cells[k]);
	free(cells);
	free(columns);
	free(from);
	return rc;
}

static void put_numbers(struct jsonout *json, const char *key, const double *numbers, size_t count)
{
	jsonout_key(json, key);
	jsonout_open(json, '[');
	for (size_t i = 0; i < count; i++)
		jsonout_number(json, numbers[i]);
	jsonout_close(json);
}

/* Names, scores and what was kept; of axes also what they are. */
static int write_report(const struct select *s, const char *path, struct fault *fault)
{
	struct text text = { 0 };
	struct jsonout json = { .out = &text };
	size_t feature = 0;

	if (path == NULL)
		return 0;
	jsonout_open(&json, '{');
	jsonout_text(&json, "method", method_names[s->method]);
	if (is_axes(s)) {
		put_numbers(&json, "variance", s->score, s->keep);
		put_numbers(&json, "mean", s->mean, s->features.count);
		put_numbers(&json, "axes", s->axes, s->keep * s->features.count);
	}
	jsonout_key(&json, "features");
	jsonout_open_tall(&json, '[');
	for (size_t f = 0; f < s->features.columns; f++) {
		const struct column *c = &s->shard.column[s->features.column[f]];

		for (uint32_t k = 0; k < c->width; k++, feature++) {
			jsonout_open_flat(&json, '{');
			jsonout_text(&json, "column", c->name);
			jsonout_key(&json, "cell");
			jsonout_integer(&json, k);
			if (!is_axes(s)) {
				jsonout_key(&json, "score");
				jsonout_number(&json, s->score[feature]);
				jsonout_key(&json, "kept");
				jsonout_integer(&json, s->kept[feature]);
			}
			jsonout_close(&json);
		}
	}
	jsonout_close(&json);
	jsonout_close(&json);
	return jsonout_save(&json, path, fault);
}

static int work(struct select *s, const char *out, struct fault *fault)
{
	size_t kept = 0;

	if (read_options(s, fault) < 0 || s->host->failed(s->ctx) || find_scores(s, fault) < 0)
		return -1;
	if (!is_axes(s) && choose(s, fault) < 0)
		return -1;
	for (size_t i = 0; i < s->features.count && !is_axes(s); i++)
		kept += s->kept[i];
	s->host->metric(s->ctx, "features", (double)s->features.count, -1);
	s->host->metric(s->ctx, "kept", (double)(is_axes(s) ? s->keep : kept), -1);
	return write_table(s, out, fault) < 0
		       ? -1
		       : write_report(s, s->host->out(s->ctx, "report"), fault);
}

static int run(const flow_host *host, flow_ctx *ctx)
{
	struct fault fault = { "" };
	struct select s = { .host = host, .ctx = ctx };
	const char *table = host->dep(ctx, "table"), *out = host->out(ctx, "table");
	int rc;

	if (table == NULL || out == NULL)
		return host->fail(ctx, "needs a dep and an out named 'table'");
	if (shard_open(&s.shard, table, &fault) < 0)
		return host->fail(ctx, fault.text);
	s.features.shard = &s.shard;
	rc = work(&s, out, &fault);
	features_release(&s.features);
	free(s.except);
	free(s.learn);
	free(s.kept);
	free(s.score);
	free(s.mean);
	free(s.axes);
	shard_close(&s.shard);
	return rc < 0 ? host->fail(ctx, fault.text) : 0;
}

static const flow_port deps[] = {
	{ "table", "a shard; its columns of numbers must have nothing missing", 1 },
	{ "rows", "row numbers to choose by, NPY int64; without it all rows", 0 },
	{ NULL, NULL, 0 },
};

static const flow_port outs[] = {
	{ "table", "the table with the columns that were kept", 1 },
	{ "report", "score of each column, or the axes, JSON", 0 },
	{ NULL, NULL, 0 },
};

static const flow_option options[] = {
	{ "method", "text", "variance",
		"variance; information: mutual information with the target; l1: weight in a linear "
		"model "
		"with an L1 penalty; pca: the main axes of all in place of them" },
	{ "target", "text", "", "the column to be foretold, a category or a number" },
	{ "except", "list", "[]", "columns that stay as they are" },
	{ "keep", "integer 0..65536", "0",
		"how many numbers a row to keep; 0: all with a score above least" },
	{ "least", "number 0..", "0", "scores up to that are left out" },
	{ "bins", "integer 2..256", "16", "of information: into how many parts numbers are cut" },
	{ "penalty", "number 0..1", "0.05", "of l1: share of the penalty that leaves out all" },
	{ "into", "text", "pca", "of pca: name of the column with the axes" },
	{ NULL, NULL, NULL, NULL },
};

const flow_stage stage_select = { sizeof(flow_stage), "select", "1",
	"keep the columns that tell something, or the main axes of all", deps, outs, options, run };
