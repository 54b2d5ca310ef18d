#include "select/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/philox.h"
#include "common/text.h"
#include "select/features.h"

#define MORE_AXES 8 /* beside those wanted: they make the others settle sooner */
#define ROUNDS    6
#define SWEEPS    60

/* One pass: next = (covariance of the rows) * axes. */
struct pass {
	const struct features *f;
	const double *mean, *axes;
	size_t count; /* of axes */
	double rows, *sum, *next, *along;
};

static int take_sums(
	void *context, const double *rows, const double *target, size_t count, struct fault *fault)
{
	struct pass *p = context;

	(void)target;
	(void)fault;
	p->rows += (double)count;
	for (size_t r = 0; r < count; r++)
		for (size_t i = 0; i < p->f->count; i++)
			p->sum[i] += rows[r * p->f->count + i];
	return 0;
}

static int take_products(
	void *context, const double *rows, const double *target, size_t count, struct fault *fault)
{
	struct pass *p = context;
	size_t n = p->f->count;

	(void)target;
	(void)fault;
	for (size_t r = 0; r < count; r++) {
		for (size_t a = 0; a < p->count; a++) {
			double along = 0;

			for (size_t i = 0; i < n; i++)
				along += (rows[r * n + i] - p->mean[i]) * p->axes[a * n + i];
			for (size_t i = 0; i < n; i++)
				p->next[a * n + i] += (rows[r * n + i] - p->mean[i]) * along;
		}
	}
	return 0;
}

static double dot(const double *a, const double *b, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += a[i] * b[i];
	return sum;
}

/* Each at a right angle to those before it, of length 1; twice, since once is not exact. An axis that
 * lies within the others becomes 0. */
static void straighten(double *axes, size_t count, size_t n)
{
	for (size_t a = 0; a < count; a++) {
		double *axis = axes + a * n, before = sqrt(dot(axis, axis, n)), length;

		for (int twice = 0; twice < 2; twice++)
			for (size_t b = 0; b < a; b++) {
				double along = dot(axis, axes + b * n, n);

				for (size_t i = 0; i < n; i++)
					axis[i] -= along * axes[b * n + i];
			}
		length = sqrt(dot(axis, axis, n));
		for (size_t i = 0; i < n; i++)
			axis[i] = length > 1e-12 * before && length > 0 ? axis[i] / length : 0;
	}
}

/* Jacobi: turns of two axes until the symmetric matrix is diagonal. turned[k] are its eigenvectors. */
static void diagonalize(double *matrix, double *turned, size_t n)
{
	memset(turned, 0, n * n * sizeof *turned);
	for (size_t i = 0; i < n; i++)
		turned[i * n + i] = 1;
	for (int sweep = 0; sweep < SWEEPS; sweep++) {
		for (size_t i = 0; i < n; i++) {
			for (size_t k = i + 1; k < n; k++) {
				double off = matrix[i * n + k], half, t, c, s;

				if (fabs(off) <=
					1e-15 * sqrt(fabs(matrix[i * n + i] * matrix[k * n + k])))
					continue;
				half = (matrix[k * n + k] - matrix[i * n + i]) / (2 * off);
				t = copysign(1, half) / (fabs(half) + sqrt(half * half + 1));
				c = 1 / sqrt(t * t + 1);
				s = t * c;
				for (size_t j = 0; j < n; j++) {
					double a = matrix[j * n + i], b = matrix[j * n + k];

					matrix[j * n + i] = c * a - s * b;
					matrix[j * n + k] = s * a + c * b;
				}
				for (size_t j = 0; j < n; j++) {
					double a = matrix[i * n + j], b = matrix[k * n + j];

					matrix[i * n + j] = c * a - s * b;
					matrix[k * n + j] = s * a + c * b;
					a = turned[i * n + j];
					b = turned[k * n + j];
					turned[i * n + j] = c * a - s * b;
					turned[k * n + j] = s * a + c * b;
				}
			}
		}
	}
}

static void draw(double *axes, size_t count, uint64_t seed)
{
	for (size_t i = 0; i < count; i++)
		axes[i] = (double)(philox_row(seed, PHILOX_AXES, 0, i) >> 11) / 4503599627370496.0 -
			  1;
}

/* The axes turned so that variance along them falls; signs so that the greatest cell is above 0. */
static void turn(struct pass *p, double *axes, size_t wanted, double *variance)
{
	size_t n = p->f->count, m = p->count;
	double *small = array_new(m * m, sizeof *small), *turned = array_new(m * m, sizeof *turned);
	char *used = array_new(m, 1);

	for (size_t a = 0; a < m; a++)
		for (size_t b = 0; b < m; b++)
			small[a * m + b] = dot(p->axes + a * n, p->next + b * n, n) / p->rows;
	diagonalize(small, turned, m);
	for (size_t k = 0; k < wanted; k++) {
		size_t best = m, most = 0;

		for (size_t a = 0; a < m; a++)
			if (!used[a] && (best == m || small[a * m + a] > small[best * m + best]))
				best = a;
		used[best] = 1;
		variance[k] = fmax(0, small[best * m + best]);
		memset(axes + k * n, 0, n * sizeof *axes);
		for (size_t a = 0; a < m; a++)
			for (size_t i = 0; i < n; i++)
				axes[k * n + i] += turned[best * m + a] * p->axes[a * n + i];
		for (size_t i = 1; i < n; i++)
			if (fabs(axes[k * n + i]) > fabs(axes[k * n + most]) * (1 + 1e-9))
				most = i;
		for (size_t i = 0, negative = axes[k * n + most] < 0; negative && i < n; i++)
			axes[k * n + i] = -axes[k * n + i];
	}
	free(small);
	free(turned);
	free(used);
}

int find_axes(const struct features *f, size_t wanted, uint64_t seed, double *mean, double *axes,
	double *variance, struct fault *fault)
{
	size_t n = f->count, count = wanted + MORE_AXES < n ? wanted + MORE_AXES : n;
	double *now = array_new(count * n, sizeof *now), *next = array_new(count * n, sizeof *next);
	struct pass p = {
		.f = f, .mean = mean, .axes = now, .count = count, .sum = mean, .next = next
	};
	int rc = features_walk(f, take_sums, &p, fault);

	for (size_t i = 0; i < n && rc == 0; i++)
		mean[i] /= p.rows;
	draw(now, count * n, seed);
	for (int round = 0; round < ROUNDS && rc == 0; round++) {
		if (round > 0)
			memcpy(now, next, count * n * sizeof *now);
		straighten(now, count, n);
		memset(next, 0, count * n * sizeof *next);
		rc = features_walk(f, take_products, &p, fault);
	}
	if (rc == 0)
		turn(&p, axes, wanted, variance);
	free(now);
	free(next);
	return rc;
}
