#include "train/slopes.h"

#include <math.h>
#include <stdlib.h>

#include "common/philox.h"
#include "common/softmax.h"
#include "common/text.h"
#include "nn/ops.h"
#include "nn/pool.h"
#include "nn/samples.h"

#define GRAIN 4096 /* rows of a part */

/* Sum of weight * log(value) where most weights are alike: one logarithm for many values. */
struct logs {
	double sum, product, weight;
};

static void logs_flush(struct logs *logs)
{
	if (logs->product > 1)
		logs->sum += logs->weight * log(logs->product);
	logs->product = 1;
}

static void logs_add(struct logs *logs, double value, double weight)
{
	if (logs->product > 1e300 / CLASSES_MAX || weight < logs->weight || weight > logs->weight)
		logs_flush(logs);
	logs->weight = weight;
	logs->product *= value;
}

/* A row's place: its score, what it should come to, how much it counts, and where to write. */
struct row {
	const float *score;
	double target, weight;
	double *slope, *curve; /* [outputs] */
};

struct part {
	double loss;
	struct logs logs;
	double right; /* rows named rightly, or the sum of squares */
};

static void one_score(const struct row *row, struct part *part)
{
	double score = (double)*row->score, small = (double)softmax_exp(-fabsf(*row->score));
	double share = score >= 0 ? 1 / (1 + small) : small / (1 + small);

	*row->slope = row->weight * (share - row->target);
	*row->curve = row->weight * share * (1 - share);
	part->loss += row->weight * (fmax(score, 0) - score * row->target);
	logs_add(&part->logs, 1 + small, row->weight);
	part->right += (score > 0) == (row->target > 0.5);
}

static void many_scores(const struct row *row, size_t outputs, struct part *part)
{
	size_t best = softmax_best(row->score, outputs), label = (size_t)row->target;
	float highest = row->score[best];
	double sum = 0;

	for (size_t j = 0; j < outputs; j++) {
		row->slope[j] = (double)softmax_exp(row->score[j] - highest);
		sum += row->slope[j];
	}
	for (size_t j = 0; j < outputs; j++) {
		double share = row->slope[j] / sum;

		row->slope[j] = row->weight * (share - (j == label));
		row->curve[j] = row->weight * 2 * share * (1 - share);
	}
	part->loss += row->weight * ((double)highest - (double)row->score[label]);
	logs_add(&part->logs, sum, row->weight);
	part->right += best == label;
}

static void number(const struct slopes *s, const struct row *row, struct part *part)
{
	double off = (double)*row->score - row->target, size = fabs(off);

	*row->slope = off;
	*row->curve = 1;
	part->right += off * off;
	if (s->loss != NN_HUBER) {
		part->loss += off * off;
		return;
	}
	*row->slope = fmax(-s->delta, fmin(s->delta, off));
	part->loss += size <= s->delta ? 0.5 * off * off : s->delta * (size - 0.5 * s->delta);
}

static void look(const struct slopes *s, const struct row *row, struct part *part)
{
	if (s->loss != NN_SOFTMAX && s->loss != NN_SIGMOID)
		number(s, row, part);
	else if (s->outputs == 1)
		one_score(row, part);
	else
		many_scores(row, s->outputs, part);
}

static double weight_of(const struct slopes *s, double target)
{
	if (s->weight == NULL)
		return 1;
	if (s->loss == NN_SIGMOID)
		return target > 0.5 ? (double)s->weight[0] : 1;
	return (double)s->weight[(size_t)target];
}

/* Adding and taking away so large a number leaves what is a multiple of 2^-52 of it. */
static double grid_of(double largest)
{
	int power;

	(void)frexp(largest, &power);
	return ldexp(1.5, power - 24 + 52);
}

static float to_grid(double value, double grid)
{
	return (float)((value + grid) - grid);
}

struct taking {
	const struct slopes *s;
	const float *scores;
	uint32_t round;
	double slope_grid, curve_grid;
	struct part *parts;
};

static int is_left_out(const struct taking *t, size_t row)
{
	uint64_t draw;

	if (t->s->row_sample >= 1)
		return 0;
	draw = philox_row(t->s->seed, PHILOX_ROUND_ROWS, t->round, row);
	return (double)(draw >> 11) * 0x1p-53 >= t->s->row_sample;
}

static void take_part(const void *given, size_t begin, size_t end, float *scratch)
{
	const struct taking *t = given;
	const struct slopes *s = t->s;
	struct part part = { .logs = { .product = 1 } };
	size_t outputs = s->outputs;
	double one[2], *made = outputs == 1 ? one : array_new(2 * outputs, sizeof *made);

	(void)scratch;
	for (size_t i = begin; i < end; i++) {
		size_t number_of_row = (size_t)s->samples->row[i];
		double target = (double)s->samples->target[number_of_row];
		const struct row row = { .score = t->scores + i * outputs,
			.target = target,
			.weight = weight_of(s, target),
			.slope = made,
			.curve = made + outputs };
		int is_out = is_left_out(t, number_of_row);

		look(s, &row, &part);
		for (size_t j = 0; j < outputs; j++) {
			s->slope[i * outputs + j] =
				is_out ? 0 : to_grid(row.slope[j], t->slope_grid);
			s->curve[i * outputs + j] =
				is_out ? 0 : to_grid(row.curve[j], t->curve_grid);
		}
	}
	if (made != one)
		free(made);
	logs_flush(&part.logs);
	t->parts[begin / GRAIN] = part;
}

/* No slope is larger: the weight of a class, delta, or, of squares, the largest distance. */
static double largest_slope(const struct slopes *s, const float *scores)
{
	double largest = s->loss == NN_SIGMOID || s->weight_count == 0 ? 1 : 0;

	if (s->loss == NN_HUBER)
		return s->delta;
	for (size_t i = 0; i < s->weight_count; i++)
		largest = fmax(largest, (double)s->weight[i]);
	for (size_t i = 0; s->loss == NN_SQUARED && i < s->samples->count; i++)
		largest = fmax(largest,
			fabs((double)scores[i] - (double)s->samples->target[s->samples->row[i]]));
	return largest;
}

double slopes_take(struct slopes *s, const float *scores, uint32_t round)
{
	size_t count = s->samples->count, parts = (count - 1) / GRAIN + 1;
	double largest = largest_slope(s, scores), loss = 0;
	struct taking taking = { .s = s,
		.scores = scores,
		.round = round,
		.slope_grid = grid_of(largest),
		.curve_grid = grid_of(s->weight_count != 0 ? largest : 1),
		.parts = array_new(parts, sizeof *taking.parts) };

	pool_run(s->pool, count, GRAIN, 0, take_part, &taking);
	for (size_t i = 0; i < parts; i++)
		loss += taking.parts[i].loss + taking.parts[i].logs.sum;
	free(taking.parts);
	return loss / (double)count;
}

double slopes_judge(const struct slopes *s, const float *scores, const int64_t *rows, size_t count,
	double *quality)
{
	int is_number = s->loss != NN_SOFTMAX && s->loss != NN_SIGMOID;
	double *made = array_new(2 * s->outputs, sizeof *made);
	struct part part = { .logs = { .product = 1 } };

	for (size_t i = 0; i < count; i++) {
		const struct row row = { .score = scores + i * s->outputs,
			.target = (double)s->samples->target[rows[i]],
			.weight = 1,
			.slope = made,
			.curve = made + s->outputs };

		look(s, &row, &part);
	}
	free(made);
	logs_flush(&part.logs);
	*quality = part.right / (double)count;
	if (is_number)
		*quality = sqrt(*quality);
	return (part.loss + part.logs.sum) / (double)count;
}
