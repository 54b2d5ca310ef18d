#include "transform/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/fitted.h"
#include "common/moments.h"
#include "common/philox.h"
#include "common/runs.h"
#include "common/shard.h"
#include "common/text.h"

#define SAMPLE_MAX ((size_t)1 << 20)
#define ONEHOT_MAX 4096
#define BLOCK      1024

/* One step of one column under way. */
struct fit {
	const struct shard *shard;
	const uint8_t *learn;
	uint64_t seed;
	size_t column;
	const struct fitted_column *recipe;
	struct fitted_step *step;
	size_t before; /* steps that are fitted */
	struct dictionary names;
	struct moments moments;
	double block[BLOCK];
	size_t block_count;
	double *sample; /* NULL: not needed */
	uint64_t values, texts;
	struct runs runs; /* tfidf: of one text */
	void (*note)(void *context, const char *line);
	void *context;
};

static void add_sample(struct fit *f, double x)
{
	uint64_t at = f->values;

	if (at >= SAMPLE_MAX)
		at = philox_row(f->seed, PHILOX_SAMPLE, (uint32_t)f->column, f->values) %
		     (f->values + 1);
	if (at < SAMPLE_MAX)
		f->sample[at] = x;
	f->values++;
}

static void flush(struct fit *f)
{
	moments_add(&f->moments, f->block, NULL, f->block_count);
	f->block_count = 0;
}

static int add_number(
	struct fit *f, const struct cells *cells, size_t row, uint64_t number, struct fault *fault)
{
	double x = cells_present(cells, row) ? column_number(cells->type, cells->data, row)
					     : (double)NAN;

	x = fitted_number(f->recipe, f->before, x);
	if (isnan(x))
		return 0;
	if (isinf(x))
		return fault_set(fault, "row %llu of column '%s' is infinite; clip it first",
			(unsigned long long)number, f->recipe->name);
	if (f->sample != NULL)
		add_sample(f, x);
	f->block[f->block_count++] = x;
	if (f->block_count == BLOCK)
		flush(f);
	return 0;
}

static int add_text(struct fit *f, const struct cells *cells, size_t row, struct fault *fault)
{
	struct fitted_step *s = f->step;
	char digits[32];
	size_t length = 0;
	const char *text = fitted_text(cells, &f->names, row, digits, &length);
	uint32_t most = s->kind == STEP_ONEHOT ? ONEHOT_MAX : FITTED_FEATURES_MAX;

	f->texts++;
	if (text == NULL)
		return 0;
	if (s->kind != STEP_TFIDF) {
		(void)dictionary_add(&s->names, text, length);
		if (s->names.count > most)
			return fault_set(fault,
				"column '%s' has more than %u different values; use `hash`",
				f->recipe->name, most);
		return 0;
	}
	runs_find(&f->runs, s, text, length);
	runs_gather(&f->runs);
	for (size_t i = 0; i < f->runs.count; i++)
		s->weight[f->runs.cell[i]] += 1.0f;
	return 0;
}

static int walk(struct fit *f, struct fault *fault)
{
	struct cells cells = { 0 };
	int rc = 0;

	for (size_t g = 0; g < f->shard->groups && rc == 0; g++) {
		uint64_t first = g * f->shard->group_rows;
		struct shard_part part;

		rc = shard_verify(f->shard, g, f->column, fault);
		if (rc < 0)
			break;
		shard_part(&part, f->shard, g, f->column);
		cells_begin(&cells, &f->shard->column[f->column]);
		shard_cells(&cells, &part, 0, part.rows);
		for (size_t row = 0; row < part.rows && rc == 0; row++) {
			if (f->learn != NULL && !f->learn[first + row])
				continue;
			rc = fitted_step_is_text(f->step->kind)
				     ? add_text(f, &cells, row, fault)
				     : add_number(f, &cells, row, first + row, fault);
		}
	}
	flush(f);
	cells_release(&cells);
	return rc;
}

static int compare(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* The value below which that share of the sample lies, between two if need be. */
static double quantile(const double *sorted, size_t count, double share)
{
	double at = share * (double)(count - 1);
	size_t low = (size_t)at;

	if (low + 1 >= count)
		return sorted[count - 1];
	return sorted[low] + (at - (double)low) * (sorted[low + 1] - sorted[low]);
}

static void settle_spread(struct fit *f, double first, double second)
{
	char line[COLUMN_NAME_MAX + 100];

	f->step->first = first;
	f->step->second = second;
	if (f->moments.minimum < f->moments.maximum)
		return;
	/* One value only: it becomes 0. */
	f->step->second = f->step->kind == STEP_MINMAX ? first + fmax(1, fabs(first)) : 1;
	(void)snprintf(line, sizeof line,
		"column '%s' has one value only where it is fitted: it becomes 0", f->recipe->name);
	f->note(f->context, line);
}

static void settle_number(struct fit *f)
{
	struct fitted_step *s = f->step;
	size_t count = f->values < SAMPLE_MAX ? (size_t)f->values : SAMPLE_MAX;

	if (f->sample != NULL)
		qsort(f->sample, count, sizeof *f->sample, compare);
	if (s->kind == STEP_IMPUTE) {
		s->first = s->is_median ? quantile(f->sample, count, 0.5) : f->moments.mean;
	} else if (s->kind == STEP_CLIP) {
		double low = quantile(f->sample, count, s->first / 100);

		s->second = quantile(f->sample, count, s->second / 100);
		s->first = low;
	} else if (s->kind == STEP_STANDARDIZE) {
		settle_spread(f, f->moments.mean, moments_deviation(&f->moments));
	} else {
		settle_spread(f, f->moments.minimum, f->moments.maximum);
	}
}


static int needs_fitting(const struct fitted_step *s)
{
	switch (s->kind) {
	case STEP_IMPUTE:
	case STEP_CLIP: return !s->is_fixed;
	case STEP_STANDARDIZE:
	case STEP_MINMAX:
	case STEP_ONEHOT:
	case STEP_ORDINAL:
	case STEP_TFIDF: return 1;
	case STEP_LOG:
	case STEP_HASH:
	case STEP_WORDS:
	case STEP_CHARS: break;
	}
	return 0;
}

static int fit_step(struct fit *f, struct fault *fault)
{
	struct fitted_step *s = f->step;
	int rc;

	f->moments = MOMENTS_NONE;
	f->values = f->texts = f->block_count = 0;
	if (s->is_median || s->is_share)
		f->sample = array_new(SAMPLE_MAX, sizeof *f->sample);
	if (s->kind == STEP_TFIDF)
		s->weight = array_new(s->size, sizeof *s->weight);
	rc = walk(f, fault);
	if (rc == 0 && (fitted_step_is_text(s->kind) ? f->texts == 0 || (s->kind == STEP_ONEHOT &&
										s->names.count == 0)
						     : f->moments.count == 0))
		rc = fault_set(fault,
			"column '%s' has no value on the rows it is fitted on; drop it",
			f->recipe->name);
	if (rc == 0 && s->kind == STEP_TFIDF)
		fitted_weigh_rarity(s, f->texts);
	else if (rc == 0 && !fitted_step_is_text(s->kind))
		settle_number(f);
	free(f->sample);
	runs_release(&f->runs);
	f->sample = NULL;
	return rc;
}

static int fit_column(struct fit *f, struct fitted_column *c, struct fault *fault)
{
	int rc = 0;

	f->recipe = c;
	for (uint32_t i = 0; i < f->shard->record[f->column].categories; i++) {
		size_t length;
		const char *name = shard_category(f->shard, f->column, i, &length);

		(void)dictionary_add(&f->names, name, length);
	}
	for (size_t k = 0; k < c->steps && rc == 0; k++) {
		f->step = &c->step[k];
		f->before = k;
		if (needs_fitting(f->step))
			rc = fit_step(f, fault);
	}
	dictionary_release(&f->names);
	return rc;
}

int fit_recipe(struct fitted *recipe, const struct shard *shard, const uint8_t *learn,
	uint64_t seed, void (*note)(void *context, const char *line), void *context,
	struct fault *fault)
{
	struct fit *f = array_new(1, sizeof *f);
	int rc = 0;

	*f = (struct fit){
		.shard = shard, .learn = learn, .seed = seed, .note = note, .context = context
	};
	for (size_t i = 0; i < recipe->count && rc == 0; i++) {
		f->column = shard_find(shard, recipe->column[i].name);
		rc = fit_column(f, &recipe->column[i], fault);
	}
	free(f);
	return rc;
}
