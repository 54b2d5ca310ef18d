#include "select/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/shard.h"
#include "common/text.h"
#include "select/features.h"

#define CLASSES_MAX 1024
#define L1_ROUNDS   1000
#define L1_SETTLED  1e-7

/* Mean, spread and limits of each feature, and the same of the target at the end. */
struct spread {
	const struct features *f;
	double rows, *mean, *squares, *least, *most;
};

static void spread_add(struct spread *s, size_t i, double x)
{
	double delta = x - s->mean[i];

	s->mean[i] += delta / s->rows;
	s->squares[i] += delta * (x - s->mean[i]);
	s->least[i] = x < s->least[i] ? x : s->least[i];
	s->most[i] = x > s->most[i] ? x : s->most[i];
}

static int take_spread(
	void *context, const double *rows, const double *target, size_t count, struct fault *fault)
{
	struct spread *s = context;

	(void)fault;
	for (size_t r = 0; r < count; r++) {
		s->rows++;
		for (size_t i = 0; i < s->f->count; i++)
			spread_add(s, i, rows[r * s->f->count + i]);
		if (s->f->target < s->f->shard->columns)
			spread_add(s, s->f->count, target[r]);
	}
	return 0;
}

static int measure(struct spread *s, const struct features *f, struct fault *fault)
{
	*s = (struct spread){ .f = f };
	s->mean = array_new(4 * (f->count + 1), sizeof *s->mean);
	s->squares = s->mean + f->count + 1;
	s->least = s->squares + f->count + 1;
	s->most = s->least + f->count + 1;
	for (size_t i = 0; i <= f->count; i++) {
		s->least[i] = (double)INFINITY;
		s->most[i] = -(double)INFINITY;
	}
	if (features_walk(f, take_spread, s, fault) < 0)
		return -1;
	return s->rows >= 2 ? 0 : fault_set(fault, "there are fewer than two rows to choose by");
}

int score_variance(const struct features *f, double *score, struct fault *fault)
{
	struct spread s;
	int rc = measure(&s, f, fault);

	for (size_t i = 0; i < f->count && rc == 0; i++)
		score[i] = s.squares[i] / s.rows;
	free(s.mean);
	return rc;
}

struct counts {
	const struct spread *spread;
	size_t bins, classes;
	int is_category;
	uint32_t *cell; /* [feature][bin][class] */
};

static size_t bin_of(const struct spread *s, size_t i, double x, size_t bins)
{
	double width = s->most[i] - s->least[i];
	size_t bin = width > 0 ? (size_t)((x - s->least[i]) / width * (double)bins) : 0;

	return bin < bins ? bin : bins - 1;
}

static int take_counts(
	void *context, const double *rows, const double *target, size_t count, struct fault *fault)
{
	struct counts *c = context;
	size_t features = c->spread->f->count;

	(void)fault;
	for (size_t r = 0; r < count; r++) {
		size_t class = c->is_category ? (size_t)target[r]
					      : bin_of(c->spread, features, target[r], c->classes);

		for (size_t i = 0; i < features; i++) {
			size_t bin = bin_of(c->spread, i, rows[r * features + i], c->bins);

			c->cell[(i * c->bins + bin) * c->classes + class]++;
		}
	}
	return 0;
}

static double information(
	const uint32_t *cell, size_t bins, size_t classes, double rows, double *margin)
{
	double sum = 0;

	memset(margin, 0, classes * sizeof *margin);
	for (size_t b = 0; b < bins; b++)
		for (size_t k = 0; k < classes; k++)
			margin[k] += cell[b * classes + k];
	for (size_t b = 0; b < bins; b++) {
		double of_bin = 0;

		for (size_t k = 0; k < classes; k++)
			of_bin += cell[b * classes + k];
		for (size_t k = 0; k < classes; k++) {
			double n = cell[b * classes + k];

			if (n > 0)
				sum += n / rows * log(n * rows / (of_bin * margin[k]));
		}
	}
	return sum > 0 ? sum : 0;
}

int score_information(const struct features *f, size_t bins, double *score, struct fault *fault)
{
	struct spread s;
	struct counts c = { .spread = &s, .bins = bins, .classes = bins };
	double *margin = NULL;
	int rc = measure(&s, f, fault);

	if (rc == 0 && f->shard->column[f->target].type == COLUMN_CATEGORY) {
		c.is_category = 1;
		c.classes = f->shard->record[f->target].categories;
	}
	if (rc == 0 && c.classes > CLASSES_MAX)
		rc = fault_set(
			fault, "the target has %zu classes, at most %d", c.classes, CLASSES_MAX);
	if (rc == 0) {
		c.cell = array_new(f->count * bins * c.classes, sizeof *c.cell);
		margin = array_new(c.classes, sizeof *margin);
		rc = features_walk(f, take_counts, &c, fault);
	}
	for (size_t i = 0; i < f->count && rc == 0; i++)
		score[i] =
			information(c.cell + i * bins * c.classes, bins, c.classes, s.rows, margin);
	free(margin);
	free(c.cell);
	free(s.mean);
	return rc;
}

/* Products of standardized features with each other and with each class of the target. */
struct products {
	const struct spread *spread;
	size_t classes; /* 0: the target is a number */
	double *scale, *with_each, *with_target, *class_share, *row;
};

static int take_products(
	void *context, const double *rows, const double *target, size_t count, struct fault *fault)
{
	struct products *p = context;
	const struct spread *s = p->spread;
	size_t n = s->f->count;

	(void)fault;
	for (size_t r = 0; r < count; r++) {
		size_t class = p->classes != 0 ? (size_t)target[r] : 0;
		double y = p->classes != 0 ? 1 : (target[r] - s->mean[n]) * p->scale[n];

		p->class_share[class]++;
		for (size_t i = 0; i < n; i++) {
			p->row[i] = (rows[r * n + i] - s->mean[i]) * p->scale[i];
			p->with_target[class * n + i] += p->row[i] * y;
		}
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k <= i; k++)
				p->with_each[i * n + k] += p->row[i] * p->row[k];
	}
	return 0;
}

/* Coordinate descent: one weight after the other is set to what the others leave, less the penalty. */
static void descend(const struct products *p, const double *target, double penalty, double *weight)
{
	size_t n = p->spread->f->count;
	double rows = p->spread->rows;

	for (int round = 0; round < L1_ROUNDS; round++) {
		double moved = 0;

		for (size_t i = 0; i < n; i++) {
			double own = p->with_each[i * n + i], pull = target[i], next;

			if (own == 0)
				continue;
			for (size_t k = 0; k < n; k++)
				if (k != i && weight[k] != 0)
					pull -= weight[k] *
						p->with_each[i > k ? i * n + k : k * n + i];
			next = fabs(pull) > penalty * rows
				       ? (pull - copysign(penalty * rows, pull)) / own
				       : 0;
			moved = fmax(moved, fabs(next - weight[i]));
			weight[i] = next;
		}
		if (moved < L1_SETTLED)
			break;
	}
}

static double greatest(const double *values, size_t count)
{
	double most = 0;

	for (size_t i = 0; i < count; i++)
		most = fmax(most, fabs(values[i]));
	return most;
}

static void score_classes(const struct products *p, double penalty, double *score)
{
	size_t n = p->spread->f->count, classes = p->classes != 0 ? p->classes : 1;
	double *weight = array_new(n, sizeof *weight);

	for (size_t class = 0; class < classes; class ++) {
		double *target = p->with_target + class * n;

		memset(weight, 0, n * sizeof *weight);
		descend(p, target, penalty * greatest(target, n) / p->spread->rows, weight);
		for (size_t i = 0; i < n; i++)
			score[i] = fmax(score[i], fabs(weight[i]));
	}
	free(weight);
}

int score_l1(const struct features *f, double penalty, double *score, struct fault *fault)
{
	struct spread s;
	struct products p = { .spread = &s };
	size_t n = f->count, classes;
	int rc;

	if (n > SCORE_L1_MAX)
		return fault_set(
			fault, "l1 takes at most %d numbers a row, there are %zu", SCORE_L1_MAX, n);
	rc = measure(&s, f, fault);
	if (rc == 0 && f->shard->column[f->target].type == COLUMN_CATEGORY)
		p.classes = f->shard->record[f->target].categories;
	if (rc == 0 && p.classes > CLASSES_MAX)
		rc = fault_set(
			fault, "the target has %zu classes, at most %d", p.classes, CLASSES_MAX);
	classes = p.classes != 0 ? p.classes : 1;
	if (rc == 0) {
		p.scale = array_new(n + 1, sizeof *p.scale);
		p.with_each = array_new(n * n, sizeof *p.with_each);
		p.with_target = array_new(classes * n, sizeof *p.with_target);
		p.class_share = array_new(classes, sizeof *p.class_share);
		p.row = array_new(n, sizeof *p.row);
		for (size_t i = 0; i <= n; i++)
			p.scale[i] = s.squares[i] > 0 ? 1 / sqrt(s.squares[i] / s.rows) : 0;
		rc = features_walk(f, take_products, &p, fault);
	}
	if (rc == 0)
		score_classes(&p, penalty, score);
	free(p.scale);
	free(p.with_each);
	free(p.with_target);
	free(p.class_share);
	free(p.row);
	free(s.mean);
	return rc;
}
