/* The table for the CPU: cuts each operation into parts, has the pool do them, adds up what they
 * leave. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "nn/host.h"
#include "nn/parts.h"

#define VALUES_A_PART 16384 /* of an operation on single values: what is worth handing over */
#define SMALL_PRODUCT 200000 /* multiplications: one thread does it */
#define WIDEST        16
#define IMAGES_A_SUM  8 /* images whose weight gradients are added up by one thread */

struct nn_device {
	struct pool *pool;
	unsigned threads;
	const struct product_parts *product;
	const struct value_parts *value;
	float *partial; /* grows with need */
	size_t partial_room;
	double *sum;
	size_t sum_room;
};

struct nn_device *cpu_open_width(unsigned threads, unsigned floats)
{
	struct nn_device *d = array_new(1, sizeof *d);

	d->product = &product_any;
	d->value = &values_any;
#if defined(__x86_64__)
	if (floats >= 16 && __builtin_cpu_supports("avx512f")) {
		d->product = &product_avx512;
		d->value = &values_avx512;
	} else if (floats >= 8 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
		d->product = &product_avx2;
		d->value = &values_avx2;
	}
#else
	(void)floats;
#endif
	d->threads = threads != 0 ? threads : 1;
	d->pool = pool_new(d->threads);
	return d;
}

static struct nn_device *cpu_open(unsigned threads)
{
	return cpu_open_width(threads, WIDEST);
}

static void cpu_close(struct nn_device *d)
{
	if (d == NULL)
		return;
	pool_free(d->pool);
	free(d->partial);
	free(d->sum);
	free(d);
}

static float *partial_of(struct nn_device *d, size_t count)
{
	if (count > d->partial_room) {
		free(d->partial);
		d->partial = array_new(count, sizeof *d->partial);
		d->partial_room = count;
	}
	return d->partial;
}

static size_t parts_of(size_t count, size_t grain)
{
	return (count + grain - 1) / grain;
}

/* Rows of so many columns that make a part. */
static size_t rows_a_part(size_t columns)
{
	return columns < VALUES_A_PART / 16 ? VALUES_A_PART / columns : 16;
}

static void run(struct nn_device *d, pool_part *part, const void *operands, size_t count,
	size_t grain, size_t scratch)
{
	const struct work work = {
		.operands = operands, .partial = d->partial, .sum = d->sum, .grain = grain
	};

	pool_run(d->pool, count, grain, scratch, part, &work);
}

/* Run a part that leaves a number, and add the numbers up. */
static double run_sum(
	struct nn_device *d, pool_part *part, const void *operands, size_t count, size_t grain)
{
	size_t parts = parts_of(count, grain);
	double sum = 0;

	if (parts > d->sum_room) {
		free(d->sum);
		d->sum = array_new(parts, sizeof *d->sum);
		d->sum_room = parts;
	}
	run(d, part, operands, count, grain, 0);
	for (size_t i = 0; i < parts; i++)
		sum += d->sum[i];
	return sum;
}

/* to[j] = the sum of value j of every part's row. */
static void add_partials(
	struct nn_device *d, float *to, size_t offset, size_t columns, size_t width, size_t parts)
{
	for (size_t j = 0; j < columns; j++)
		to[j] = d->partial[offset + j];
	for (size_t i = 1; i < parts; i++)
		for (size_t j = 0; j < columns; j++)
			to[j] += d->partial[i * width + offset + j];
}

static void cpu_gather(struct nn_device *d, const struct nn_gather *g)
{
	run(d, d->value->gather, g, g->count, rows_a_part(g->columns), 0);
}

/* Where c is cut changes no value of it: each is one chain of additions. Every part packs what it needs
 * of b, and of a when that is turned: rows of it are fewer parts. */
static void cpu_product(struct nn_device *d, const struct nn_product *p)
{
	int by_rows = p->rows > p->columns;
	size_t count = by_rows ? p->rows : p->columns;
	size_t unit = by_rows ? d->product->tile_rows : d->product->tile_columns;
	size_t parts = d->threads == 1 ? 1 : (by_rows ? 2 : 4) * (size_t)d->threads;
	size_t grain = parts_of(parts_of(count, unit), parts) * unit;

	if (p->rows * p->columns * p->depth < SMALL_PRODUCT)
		grain = count;
	run(d, by_rows ? d->product->product_rows : d->product->product_columns, p, count, grain,
		PRODUCT_SCRATCH);
}

static void cpu_column_sum(
	struct nn_device *d, float *to, const float *x, size_t rows, size_t columns)
{
	const struct nn_norm operands = { .x = x, .rows = rows, .columns = columns };
	size_t grain = rows_a_part(columns), parts = parts_of(rows, grain);

	(void)partial_of(d, parts * columns);
	run(d, d->value->column_sum, &operands, rows, grain, 0);
	add_partials(d, to, 0, columns, columns, parts);
}

/* Room for an image as a matrix, beside what its product needs. */
static size_t conv_scratch(const struct nn_conv *c)
{
	size_t high = c->height + 2 * c->pad - c->size + 1,
	       wide = c->width + 2 * c->pad - c->size + 1;
	size_t window = c->size * c->size * c->channels;

	return PRODUCT_SCRATCH + high * wide * window + window * c->outputs;
}

static void cpu_conv(struct nn_device *d, const struct nn_conv *c)
{
	run(d, d->product->conv, c, c->count, 1, conv_scratch(c));
}

static void cpu_conv_back_weight(struct nn_device *d, const struct nn_conv *c)
{
	size_t values = c->size * c->size * c->channels * c->outputs;
	size_t parts = parts_of(c->count, IMAGES_A_SUM);

	(void)partial_of(d, parts * values);
	run(d, d->product->conv_back_weight, c, c->count, IMAGES_A_SUM, conv_scratch(c));
	add_partials(d, c->dweight, 0, values, values, parts);
}

static void cpu_conv_back_input(struct nn_device *d, const struct nn_conv *c)
{
	run(d, d->product->conv_back_input, c, c->count, 1, conv_scratch(c));
}

static void cpu_pool(struct nn_device *d, const struct nn_pool *p)
{
	run(d, d->value->pool, p, p->count, rows_a_part(p->height * p->width * p->channels), 0);
}

static void cpu_pool_back(struct nn_device *d, const struct nn_pool *p)
{
	run(d, d->value->pool_back, p, p->count, rows_a_part(p->height * p->width * p->channels),
		2 * p->channels);
}

static void cpu_add(struct nn_device *d, const struct nn_map *m)
{
	run(d, d->value->add, m, m->count, VALUES_A_PART, 0);
}

static void cpu_activate(struct nn_device *d, const struct nn_map *m)
{
	run(d, d->value->activate, m, m->count, VALUES_A_PART, 0);
}

static void cpu_activate_back(struct nn_device *d, const struct nn_map *m)
{
	run(d, d->value->activate_back, m, m->count, VALUES_A_PART, 0);
}

static void cpu_dropout(struct nn_device *d, const struct nn_map *m)
{
	run(d, d->value->dropout, m, m->count, VALUES_A_PART / 4, 0);
}

static void cpu_blend(struct nn_device *d, const struct nn_map *m)
{
	run(d, d->value->blend, m, m->count, VALUES_A_PART, 0);
}

static void cpu_layer_norm(struct nn_device *d, const struct nn_norm *n)
{
	run(d, d->value->layer_norm, n, n->rows, rows_a_part(n->columns), n->columns);
}

static void cpu_layer_norm_back(struct nn_device *d, const struct nn_norm *n)
{
	size_t grain = rows_a_part(n->columns), parts = parts_of(n->rows, grain);

	(void)partial_of(d, parts * 2 * n->columns);
	run(d, d->value->layer_norm_back, n, n->rows, grain, 2 * n->columns);
	add_partials(d, n->dgain, 0, n->columns, 2 * n->columns, parts);
	add_partials(d, n->dshift, n->columns, n->columns, 2 * n->columns, parts);
}

/* Moments of two groups of rows make those of both (Chan, Golub, LeVeque 1979). */
static void join_moments(const struct nn_device *d, const struct nn_norm *n, size_t grain)
{
	size_t columns = n->columns;

	for (size_t j = 0; j < columns; j++) {
		double mean = 0, square = 0, rows = 0;

		for (size_t first = 0, part = 0; first < n->rows; first += grain, part++) {
			const float *of_part = d->partial + part * 2 * columns;
			double more = (double)(n->rows - first < grain ? n->rows - first : grain);
			double off = (double)of_part[j] - mean;

			square += (double)of_part[columns + j] +
				  off * off * rows * more / (rows + more);
			mean += off * more / (rows + more);
			rows += more;
		}
		n->stats[j] = (float)mean;
		n->stats[columns + j] = (float)(1 / sqrt(square / rows + (double)NN_NORM_EPSILON));
		n->stats[2 * columns + j] = (float)(square / (rows > 1 ? rows - 1 : 1));
	}
}

static void cpu_batch_norm(struct nn_device *d, const struct nn_norm *n)
{
	size_t grain = rows_a_part(n->columns), parts = parts_of(n->rows, grain);
	float *factor = partial_of(d, (parts + 1) * 2 * n->columns);

	run(d, d->value->batch_moments, n, n->rows, grain, 0);
	join_moments(d, n, grain);
	for (size_t j = 0; j < n->columns; j++) {
		factor[j] = n->stats[n->columns + j] * n->gain[j];
		factor[n->columns + j] = n->shift[j] - n->stats[j] * factor[j];
	}
	run(d, d->value->batch_norm, n, n->rows, grain, 0);
}

static void cpu_batch_norm_apply(struct nn_device *d, const struct nn_norm *n)
{
	float *factor = partial_of(d, 2 * n->columns);

	for (size_t j = 0; j < n->columns; j++) {
		factor[j] = n->gain[j] / sqrtf(n->variance[j] + NN_NORM_EPSILON);
		factor[n->columns + j] = n->shift[j] - n->mean[j] * factor[j];
	}
	run(d, d->value->batch_norm, n, n->rows, rows_a_part(n->columns), 0);
}

static void cpu_batch_norm_back(struct nn_device *d, const struct nn_norm *n)
{
	size_t grain = rows_a_part(n->columns), parts = parts_of(n->rows, grain),
	       columns = n->columns;
	float *factor = partial_of(d, (parts * 2 + 3) * columns), rows = (float)n->rows;

	run(d, d->value->batch_sums, n, n->rows, grain, 0);
	add_partials(d, n->dshift, 0, columns, 2 * columns, parts);
	add_partials(d, n->dgain, columns, columns, 2 * columns, parts);
	for (size_t j = 0; j < columns; j++) {
		float mean = n->stats[j], scale = n->stats[columns + j];
		float a = n->gain[j] * scale, b = -a * scale * n->dgain[j] / rows;

		factor[j] = a;
		factor[columns + j] = b;
		factor[2 * columns + j] = -a * n->dshift[j] / rows - b * mean;
	}
	run(d, d->value->batch_back, n, n->rows, grain, 0);
}

static void loss_part(const void *given, size_t begin, size_t end, float *scratch)
{
	const struct work *work = given;
	const struct nn_loss *l = work->operands;
	double sum = 0, columns = (double)l->columns, slope;

	(void)scratch;
	for (size_t i = begin; i < end; i++)
		for (size_t j = 0; j < l->columns; j++) {
			size_t at = i * l->columns + j;

			sum += host_loss(l, j, (double)l->score[at], (double)l->target[at], &slope);
			l->score[at] = (float)(slope / columns / (double)l->denominator);
		}
	work->sum[begin / work->grain] = sum / columns;
}

static void cpu_loss(struct nn_device *d, const struct nn_loss *l)
{
	*l->sum += run_sum(d, l->kind == NN_SOFTMAX ? d->value->softmax : loss_part, l, l->rows,
		rows_a_part(l->columns * 16));
}

static void cpu_sum_squares(struct nn_device *d, const struct nn_sum *s)
{
	*s->to = (s->is_first ? 0 : *s->to) +
		 run_sum(d, d->value->sum_squares, s, s->count, VALUES_A_PART);
}

/* An update of some rows, and what does one of them. */
struct row_update {
	const struct nn_update *all;
	pool_part *update;
};

static void update_rows(const void *given, size_t begin, size_t end, float *scratch)
{
	const struct row_update *o = ((const struct work *)given)->operands;

	for (size_t i = begin; i < end; i++) {
		struct nn_update of_row = *o->all;
		const struct work work = { .operands = &of_row };
		size_t at = o->all->row[i] * o->all->columns;

		of_row.weight += at;
		of_row.first += at;
		of_row.second = of_row.second != NULL ? of_row.second + at : NULL;
		of_row.gradient += i * o->all->columns;
		o->update(&work, 0, o->all->columns, scratch);
	}
}

static void update(struct nn_device *d, pool_part *part, const struct nn_update *u)
{
	const struct row_update rows = { .all = u, .update = part };

	if (u->row == NULL)
		run(d, part, u, u->count, VALUES_A_PART, 0);
	else
		run(d, update_rows, &rows, u->count / u->columns, rows_a_part(u->columns), 0);
}

static void cpu_adamw(struct nn_device *d, const struct nn_update *u)
{
	update(d, d->value->adamw, u);
}

static void cpu_sgd(struct nn_device *d, const struct nn_update *u)
{
	update(d, d->value->sgd, u);
}

/* Rows are short here and long there: the parts are small, and more than there are threads. */
static void cpu_bag(struct nn_device *d, const struct nn_bag *b)
{
	run(d, d->value->bag, b, b->rows, b->rows / 64 + 1, 0);
}

static void embed_rows(const void *given, size_t begin, size_t end, float *scratch)
{
	const struct nn_embed *e = ((const struct work *)given)->operands;

	(void)scratch;
	for (size_t i = begin; i < end; i++) {
		const float *x = e->x + i * e->columns;
		float *y = e->y + i * e->outputs;

		for (size_t j = 0; j < e->plain_count; j++)
			*y++ = x[e->plain[j]];
		for (size_t t = 0; t < e->table_count; t++) {
			const struct nn_table *table = &e->table[t];
			size_t code = host_code(table, x[table->column]);

			memcpy(y, e->weight + table->weight + code * table->width,
				table->width * sizeof *y);
			y += table->width;
		}
	}
}

static void embed_tables_back(const void *given, size_t begin, size_t end, float *scratch)
{
	const struct nn_embed *e = ((const struct work *)given)->operands;
	size_t offset = e->plain_count;

	(void)scratch;
	for (size_t t = 0; t < end; offset += e->table[t++].width) {
		const struct nn_table *table = &e->table[t];
		float *dweight = e->dweight + table->weight;

		if (t < begin || table->is_frozen)
			continue;
		memset(dweight, 0, table->rows * table->width * sizeof *dweight);
		for (size_t i = 0; i < e->rows; i++) {
			size_t code = host_code(table, e->x[i * e->columns + table->column]);
			const float *dy = e->dy + i * e->outputs + offset;

			for (size_t k = 0; k < table->width && code + 1 < table->rows; k++)
				dweight[code * table->width + k] += dy[k];
		}
	}
}

static void cpu_embed(struct nn_device *d, const struct nn_embed *e)
{
	run(d, embed_rows, e, e->rows, rows_a_part(e->outputs), 0);
}

/* A table is one thread's: its rows are added up in order. */
static void cpu_embed_back(struct nn_device *d, const struct nn_embed *e)
{
	run(d, embed_tables_back, e, e->table_count, 1, 0);
}

const struct nn_ops nn_cpu = { NN_ABI, sizeof(struct nn_ops), "cpu", cpu_open, cpu_close,
	host_alloc, host_release, host_copy, host_copy, host_copy, host_sync, cpu_gather,
	cpu_product, cpu_column_sum, cpu_conv, cpu_conv_back_weight, cpu_conv_back_input, cpu_pool,
	cpu_pool_back, cpu_add, cpu_activate, cpu_activate_back, cpu_dropout, cpu_blend,
	cpu_layer_norm, cpu_layer_norm_back, cpu_batch_norm, cpu_batch_norm_apply,
	cpu_batch_norm_back, cpu_loss, cpu_sum_squares, cpu_adamw, cpu_sgd, cpu_embed,
	cpu_embed_back, cpu_bag };
