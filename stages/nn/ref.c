/*
 * The oracle: each operation as its formula says, one value after the other, sums in double. It is
 * slow and shall stay so: what is written here is read beside the formula.
 */
#include <math.h>
#include <stdlib.h>

#include "common/text.h"
#include "nn/host.h"

static struct nn_device *ref_open(unsigned threads)
{
	(void)threads;
	return array_new(1, 1);
}

static void ref_close(struct nn_device *d)
{
	free(d);
}

static float given_at(const struct nn_gather *g, size_t row, size_t column)
{
	size_t at = (size_t)g->rows[row] * g->columns + column;

	return g->is_bytes ? (float)((const uint8_t *)g->data)[at] : ((const float *)g->data)[at];
}

/* A pixel of an image, 0 beyond its border. */
static double pixel_at(const struct nn_gather *g, size_t row, double y, double x, size_t channel)
{
	if (!(y >= 0 && x >= 0 && y < (double)g->height && x < (double)g->width))
		return 0;
	return (double)given_at(
		g, row, ((size_t)y * g->width + (size_t)x) * g->channels + channel);
}

/* What a view shows at a column: the four pixels around, the nearer the more. */
static double seen_at(const struct nn_gather *g, size_t row, size_t column)
{
	const struct nn_view *v = &g->view[row];
	size_t channel = column % g->channels, i = column / g->channels / g->width;
	size_t j = column / g->channels % g->width;
	double y, x, top, left;

	j = v->is_mirrored ? g->width - 1 - j : j;
	y = (double)v->top + ((double)i + 0.5) * (double)v->height / (double)g->height - 0.5;
	x = (double)v->left + ((double)j + 0.5) * (double)v->width / (double)g->width - 0.5;
	top = floor(y);
	left = floor(x);
	y -= top;
	x -= left;
	return (1 - y) * ((1 - x) * pixel_at(g, row, top, left, channel) +
				 x * pixel_at(g, row, top, left + 1, channel)) +
	       y * ((1 - x) * pixel_at(g, row, top + 1, left, channel) +
			   x * pixel_at(g, row, top + 1, left + 1, channel));
}

static void ref_gather(struct nn_device *d, const struct nn_gather *g)
{
	(void)d;
	for (size_t i = 0; i < g->count; i++)
		for (size_t j = 0; j < g->columns; j++) {
			float value = g->view != NULL ? (float)seen_at(g, i, j) : given_at(g, i, j);

			g->to[i * g->columns + j] = value * g->scale[j] + g->shift[j];
		}
}

static void ref_product(struct nn_device *d, const struct nn_product *p)
{
	(void)d;
	for (size_t i = 0; i < p->rows; i++)
		for (size_t j = 0; j < p->columns; j++) {
			double sum = p->bias != NULL ? (double)p->bias[j] : 0;

			for (size_t k = 0; k < p->depth; k++)
				sum += (double)p->a[p->a_turned ? k * p->rows + i
								: i * p->depth + k] *
				       (double)p->b[p->b_turned ? j * p->depth + k
								: k * p->columns + j];
			if ((p->relu && sum < 0) ||
				(p->gate != NULL && !(p->gate[i * p->columns + j] > 0)))
				sum = 0;
			p->c[i * p->columns + j] = (float)sum;
		}
}

static void ref_column_sum(
	struct nn_device *d, float *to, const float *x, size_t rows, size_t columns)
{
	(void)d;
	for (size_t j = 0; j < columns; j++) {
		double sum = 0;

		for (size_t i = 0; i < rows; i++)
			sum += (double)x[i * columns + j];
		to[j] = (float)sum;
	}
}

/* The value a convolution sees at output (y, x) through window place (v, u): 0 beyond the border.
 * *at is where it lies. */
static int conv_at(const struct nn_conv *c, size_t y, size_t x, size_t v, size_t u, size_t *at)
{
	size_t row = y + v, column = x + u;

	if (row < c->pad || column < c->pad || row - c->pad >= c->height ||
		column - c->pad >= c->width)
		return 0;
	*at = ((row - c->pad) * c->width + column - c->pad) * c->channels;
	return 1;
}

/* What a convolution does at every pair of an input value and an output value. */
enum conv_way { FORWARD, WEIGHT, INPUT };

static void conv_walk(const struct nn_conv *c, enum conv_way way, size_t n, size_t o, double *sum)
{
	size_t high = c->height + 2 * c->pad - c->size + 1,
	       wide = c->width + 2 * c->pad - c->size + 1;
	size_t image = n * c->height * c->width * c->channels, at = 0;

	for (size_t y = 0; y < high; y++)
		for (size_t x = 0; x < wide; x++) {
			size_t out = ((n * high + y) * wide + x) * c->outputs + o;
			double value = way == FORWARD && c->bias != NULL ? (double)c->bias[o] : 0;

			for (size_t v = 0; v < c->size; v++)
				for (size_t u = 0; u < c->size; u++) {
					if (!conv_at(c, y, x, v, u, &at))
						continue;
					for (size_t i = 0; i < c->channels; i++) {
						size_t w = ((v * c->size + u) * c->channels + i) *
								   c->outputs +
							   o;

						if (way == FORWARD)
							value += (double)c->x[image + at + i] *
								 (double)c->weight[w];
						else if (way == WEIGHT)
							sum[w] += (double)c->x[image + at + i] *
								  (double)c->dy[out];
						else
							sum[image + at + i] +=
								(double)c->weight[w] *
								(double)c->dy[out];
					}
				}
			if (way == FORWARD)
				c->y[out] = c->relu && value < 0 ? 0 : (float)value;
		}
}

static void conv_all(const struct nn_conv *c, enum conv_way way, float *to, size_t size)
{
	double *sum = array_new(size + 1, sizeof *sum);

	for (size_t n = 0; n < c->count; n++)
		for (size_t o = 0; o < c->outputs; o++)
			conv_walk(c, way, n, o, sum);
	for (size_t i = 0; i < size; i++)
		to[i] = (float)sum[i];
	free(sum);
}

static void ref_conv(struct nn_device *d, const struct nn_conv *c)
{
	(void)d;
	conv_all(c, FORWARD, NULL, 0);
}

static void ref_conv_back_weight(struct nn_device *d, const struct nn_conv *c)
{
	(void)d;
	conv_all(c, WEIGHT, c->dweight, c->size * c->size * c->channels * c->outputs);
}

static void ref_conv_back_input(struct nn_device *d, const struct nn_conv *c)
{
	(void)d;
	conv_all(c, INPUT, c->dx, c->count * c->height * c->width * c->channels);
}

/* One window of one channel; is_back: its gradient goes to the first of the largest. */
static void pool_window(const struct nn_pool *p, const float *x, float *dx, size_t high,
	size_t wide, float *y, float dy)
{
	size_t best = 0;
	double sum = 0;

	for (size_t v = 0; v < high; v++)
		for (size_t u = 0; u < wide; u++) {
			size_t at = (v * p->width + u) * p->channels;

			sum += (double)x[at];
			if (x[at] > x[best])
				best = at;
			if (dx != NULL)
				dx[at] = p->size == 0 ? dy / (float)(high * wide) : 0;
		}
	if (dx != NULL && p->size != 0)
		dx[best] = dy;
	if (y != NULL)
		*y = p->size == 0 ? (float)(sum / (double)(high * wide)) : x[best];
}

static void pool_all(const struct nn_pool *p, int is_back)
{
	size_t side = p->size, high = side ? side : p->height, wide = side ? side : p->width;
	size_t down = p->height / high, across = p->width / wide;

	for (size_t n = 0; n < p->count; n++)
		for (size_t y = 0; y < down; y++)
			for (size_t x = 0; x < across; x++)
				for (size_t c = 0; c < p->channels; c++) {
					size_t in =
						((n * p->height + y * high) * p->width + x * wide) *
							p->channels +
						c;
					size_t out =
						((n * down + y) * across + x) * p->channels + c;

					pool_window(p, p->x + in, is_back ? p->dx + in : NULL, high,
						wide, is_back ? NULL : p->y + out,
						is_back ? p->dy[out] : 0);
				}
}

static void ref_pool(struct nn_device *d, const struct nn_pool *p)
{
	(void)d;
	pool_all(p, 0);
}

static void ref_pool_back(struct nn_device *d, const struct nn_pool *p)
{
	(void)d;
	for (size_t i = 0; i < p->count * p->height * p->width * p->channels; i++)
		p->dx[i] = 0;
	pool_all(p, 1);
}

static void ref_add(struct nn_device *d, const struct nn_map *m)
{
	(void)d;
	for (size_t i = 0; i < m->count; i++)
		m->to[i] = m->a[i] + m->b[i];
}

static double gelu(double x)
{
	return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}

static double gelu_slope(double x)
{
	double t = tanh(0.7978845608028654 * (x + 0.044715 * x * x * x));

	return 0.5 * (1 + t) +
	       0.5 * x * (1 - t * t) * 0.7978845608028654 * (1 + 3 * 0.044715 * x * x);
}

static void ref_activate(struct nn_device *d, const struct nn_map *m)
{
	(void)d;
	for (size_t i = 0; i < m->count; i++)
		m->to[i] = m->kind == NN_GELU ? (float)gelu((double)m->a[i])
			   : m->a[i] < 0      ? 0 /* NaN stays NaN */
					      : m->a[i];
}

static void ref_activate_back(struct nn_device *d, const struct nn_map *m)
{
	(void)d;
	for (size_t i = 0; i < m->count; i++)
		m->to[i] = m->kind == NN_GELU
				   ? (float)((double)m->a[i] * gelu_slope((double)m->b[i]))
			   : m->b[i] > 0 ? m->a[i]
					 : 0;
}

static void ref_dropout(struct nn_device *d, const struct nn_map *m)
{
	uint32_t draw[4];

	(void)d;
	for (size_t i = 0; i < m->count; i++) {
		host_draw(draw, m->seed, m->stream, i / 4);
		m->to[i] = host_kept(draw[i % 4], m->keep) ? m->a[i] / m->keep : 0;
	}
}

static void ref_blend(struct nn_device *d, const struct nn_map *m)
{
	(void)d;
	for (size_t i = 0; i < m->count; i++)
		m->to[i] += m->share * (m->a[i] - m->to[i]);
}

/* Mean and variance of `count` values that lie `stride` apart. */
static void moments(const float *x, size_t count, size_t stride, double *mean, double *variance)
{
	double sum = 0, square = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)x[i * stride];
	*mean = sum / (double)count;
	for (size_t i = 0; i < count; i++)
		square += ((double)x[i * stride] - *mean) * ((double)x[i * stride] - *mean);
	*variance = square / (double)count;
}

static float positive(double value, int relu)
{
	return relu && value < 0 ? 0 : (float)value;
}

static void ref_layer_norm(struct nn_device *d, const struct nn_norm *n)
{
	(void)d;
	for (size_t i = 0; i < n->rows; i++) {
		const float *x = n->x + i * n->columns;
		double mean, variance, scale;

		moments(x, n->columns, 1, &mean, &variance);
		scale = 1 / sqrt(variance + (double)NN_NORM_EPSILON);
		n->stats[2 * i] = (float)mean;
		n->stats[2 * i + 1] = (float)scale;
		for (size_t j = 0; j < n->columns; j++)
			n->y[i * n->columns + j] =
				positive(((double)x[j] - mean) * scale * (double)n->gain[j] +
						 (double)n->shift[j],
					n->relu);
	}
}

static void ref_layer_norm_back(struct nn_device *d, const struct nn_norm *n)
{
	double width = (double)n->columns;

	(void)d;
	for (size_t j = 0; j < n->columns; j++) {
		double gain = 0, shift = 0;

		for (size_t i = 0; i < n->rows; i++) {
			double dy = (double)n->dy[i * n->columns + j];

			gain += dy * ((double)n->x[i * n->columns + j] - (double)n->stats[2 * i]) *
				(double)n->stats[2 * i + 1];
			shift += dy;
		}
		n->dgain[j] = (float)gain;
		n->dshift[j] = (float)shift;
	}
	for (size_t i = 0; i < n->rows; i++) {
		const float *x = n->x + i * n->columns, *dy = n->dy + i * n->columns;
		double mean = (double)n->stats[2 * i], scale = (double)n->stats[2 * i + 1];
		double sum = 0, along = 0;

		for (size_t j = 0; j < n->columns; j++) {
			sum += (double)dy[j] * (double)n->gain[j];
			along += (double)dy[j] * (double)n->gain[j] * ((double)x[j] - mean) * scale;
		}
		for (size_t j = 0; j < n->columns; j++)
			n->dx[i * n->columns + j] =
				(float)(scale *
					((double)dy[j] * (double)n->gain[j] - sum / width -
						((double)x[j] - mean) * scale * along / width));
	}
}

static void ref_batch_norm(struct nn_device *d, const struct nn_norm *n)
{
	(void)d;
	for (size_t j = 0; j < n->columns; j++) {
		double mean, variance, scale, rows = (double)n->rows;

		moments(n->x + j, n->rows, n->columns, &mean, &variance);
		scale = 1 / sqrt(variance + (double)NN_NORM_EPSILON);
		n->stats[j] = (float)mean;
		n->stats[n->columns + j] = (float)scale;
		n->stats[2 * n->columns + j] =
			(float)(n->rows > 1 ? variance * rows / (rows - 1) : variance);
		for (size_t i = 0; i < n->rows; i++)
			n->y[i * n->columns + j] =
				positive(((double)n->x[i * n->columns + j] - mean) * scale *
							 (double)n->gain[j] +
						 (double)n->shift[j],
					n->relu);
	}
}

static void ref_batch_norm_apply(struct nn_device *d, const struct nn_norm *n)
{
	(void)d;
	for (size_t i = 0; i < n->rows; i++)
		for (size_t j = 0; j < n->columns; j++) {
			double scale = 1 / sqrt((double)n->variance[j] + (double)NN_NORM_EPSILON);

			n->y[i * n->columns + j] =
				positive(((double)n->x[i * n->columns + j] - (double)n->mean[j]) *
							 scale * (double)n->gain[j] +
						 (double)n->shift[j],
					n->relu);
		}
}

static void ref_batch_norm_back(struct nn_device *d, const struct nn_norm *n)
{
	double rows = (double)n->rows;

	(void)d;
	for (size_t j = 0; j < n->columns; j++) {
		double mean = (double)n->stats[j], scale = (double)n->stats[n->columns + j];
		double sum = 0, along = 0;

		for (size_t i = j; i < n->rows * n->columns; i += n->columns) {
			sum += (double)n->dy[i];
			along += (double)n->dy[i] * ((double)n->x[i] - mean) * scale;
		}
		n->dshift[j] = (float)sum;
		n->dgain[j] = (float)along;
		for (size_t i = j; i < n->rows * n->columns; i += n->columns)
			n->dx[i] =
				(float)((double)n->gain[j] * scale *
					((double)n->dy[i] - sum / rows -
						((double)n->x[i] - mean) * scale * along / rows));
	}
}

static void loss_softmax(const struct nn_loss *l, size_t row)
{
	float *score = l->score + row * l->columns;
	size_t label = (size_t)l->target[row];
	double weight = l->weight != NULL ? (double)l->weight[label] : 1,
	       smooth = (double)l->smoothing;
	double highest = (double)score[0], sum = 0, loss = 0;

	for (size_t j = 1; j < l->columns; j++)
		highest = fmax(highest, (double)score[j]);
	for (size_t j = 0; j < l->columns; j++)
		sum += exp((double)score[j] - highest);
	for (size_t j = 0; j < l->columns; j++) {
		double wanted = smooth / (double)l->columns + (j == label ? 1 - smooth : 0);
		double natural = (double)score[j] - highest - log(sum);

		loss -= wanted * natural;
		score[j] = (float)(weight * (exp(natural) - wanted) / (double)l->denominator);
	}
	*l->sum += weight * loss;
}

static void ref_loss(struct nn_device *d, const struct nn_loss *l)
{
	(void)d;
	for (size_t i = 0; i < l->rows; i++) {
		if (l->kind == NN_SOFTMAX) {
			loss_softmax(l, i);
			continue;
		}
		for (size_t j = 0; j < l->columns; j++) {
			size_t at = i * l->columns + j;
			double slope, columns = (double)l->columns;

			*l->sum += host_loss(l, j, (double)l->score[at], (double)l->target[at],
					   &slope) /
				   columns;
			l->score[at] = (float)(slope / columns / (double)l->denominator);
		}
	}
}

static void ref_sum_squares(struct nn_device *d, const struct nn_sum *s)
{
	(void)d;
	if (s->is_first)
		*s->to = 0;
	for (size_t i = 0; i < s->count; i++)
		*s->to += (double)s->x[i] * (double)s->x[i];
}

static double clipping(const struct nn_update *u)
{
	return u->clip > 0 && sqrt(*u->norm) > (double)u->clip ? (double)u->clip / sqrt(*u->norm)
							       : 1;
}

/* Where value i of the gradient belongs. */
static size_t updated(const struct nn_update *u, size_t i)
{
	return u->row == NULL ? i : u->row[i / u->columns] * u->columns + i % u->columns;
}

/* Soft threshold: of |w| by shrink, at 0 it stays. */
static float shrunk(const struct nn_update *u, double w)
{
	return (float)(fabs(w) <= (double)u->shrink ? 0 : w - copysign((double)u->shrink, w));
}

static void ref_adamw(struct nn_device *d, const struct nn_update *u)
{
	double factor = clipping(u);

	(void)d;
	for (size_t i = 0; i < u->count; i++) {
		size_t at = updated(u, i);
		double g = factor * (double)u->gradient[i], one = (double)u->momentum;
		double m = one * (double)u->first[at] + (1 - one) * g, two = (double)u->beta;
		double v = two * (double)u->second[at] + (1 - two) * g * g;
		double w = (double)u->weight[at] * (1 - (double)u->rate * (double)u->decay);

		u->first[at] = (float)m;
		u->second[at] = (float)v;
		w -= (double)u->rate * m * (double)u->correction /
		     (sqrt(v) * (double)u->root_correction + (double)u->epsilon);
		u->weight[at] = shrunk(u, w);
	}
}

static void ref_sgd(struct nn_device *d, const struct nn_update *u)
{
	double factor = clipping(u);

	(void)d;
	for (size_t i = 0; i < u->count; i++) {
		size_t at = updated(u, i);
		double g =
			factor * (double)u->gradient[i] + (double)u->decay * (double)u->weight[at];
		double speed = (double)u->momentum * (double)u->first[at] + g;

		u->first[at] = (float)speed;
		u->weight[at] = shrunk(u, (double)u->weight[at] -
			(double)u->rate * (u->nesterov ? g + (double)u->momentum * speed : speed));
	}
}

static void ref_embed(struct nn_device *d, const struct nn_embed *e)
{
	(void)d;
	for (size_t i = 0; i < e->rows; i++) {
		const float *x = e->x + i * e->columns;
		float *y = e->y + i * e->outputs;

		for (size_t j = 0; j < e->plain_count; j++)
			*y++ = x[e->plain[j]];
		for (size_t t = 0; t < e->table_count; t++) {
			const struct nn_table *table = &e->table[t];
			size_t code = host_code(table, x[table->column]);

			for (size_t k = 0; k < table->width; k++)
				*y++ = e->weight[table->weight + code * table->width + k];
		}
	}
}

/* Each number of a table: the slopes of the rows that took it. */
static void ref_embed_back(struct nn_device *d, const struct nn_embed *e)
{
	size_t offset = e->plain_count;

	(void)d;
	for (size_t t = 0; t < e->table_count; offset += e->table[t++].width) {
		const struct nn_table *table = &e->table[t];
		float *to = e->dweight + table->weight;

		for (size_t w = 0; w < table->rows * table->width && !table->is_frozen; w++) {
			size_t code = w / table->width, k = w % table->width;
			double sum = 0;

			for (size_t i = 0; i < e->rows && code + 1 < table->rows; i++)
				if (host_code(table, e->x[i * e->columns + table->column]) == code)
					sum += (double)e->dy[i * e->outputs + offset + k];
			to[w] = (float)sum;
		}
	}
}

static void ref_bag(struct nn_device *d, const struct nn_bag *b)
{
	(void)d;
	for (size_t i = 0; i < b->rows; i++)
		for (size_t j = 0; j < b->columns; j++) {
			double sum = b->bias != NULL ? (double)b->bias[j] : 0;

			for (size_t k = b->begin[i]; k < b->begin[i + 1]; k++)
				sum += (double)b->share[k] *
				       (double)b->from[b->index[k] * b->columns + j];
			b->to[i * b->columns + j] = (float)sum;
		}
}

const struct nn_ops nn_ref = { NN_ABI, sizeof(struct nn_ops), "ref", ref_open, ref_close,
	host_alloc, host_release, host_copy, host_copy, host_copy, host_sync, ref_gather,
	ref_product, ref_column_sum, ref_conv, ref_conv_back_weight, ref_conv_back_input, ref_pool,
	ref_pool_back, ref_add, ref_activate, ref_activate_back, ref_dropout, ref_blend,
	ref_layer_norm, ref_layer_norm_back, ref_batch_norm, ref_batch_norm_apply,
	ref_batch_norm_back, ref_loss, ref_sum_squares, ref_adamw, ref_sgd, ref_embed,
	ref_embed_back, ref_bag };
