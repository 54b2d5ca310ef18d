/* Every operation of nn_cpu against nn_ref, on odd shapes, in every width of vector, with one thread
 * and with three; and the backward ones of nn_ref against finite differences of the forward ones. */
#include "nn/ops.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/nn_world.h"

static void act_gather(struct world *w, size_t rows, size_t columns)
{
	struct nn_gather g = { .to = w->out[0], .data = w->in[0], .rows = w->rows,
		.count = rows < 400 ? rows : 400, .columns = columns, .scale = w->in[1],
		.shift = w->in[2] };

	w->ops->gather(w->d, &g);
	g.data = w->bytes;
	g.is_bytes = 1;
	g.to = w->out[1];
	w->ops->gather(w->d, &g);
}

static void gather_agrees(void **state)
{
	(void)state;
	try_all(act_gather);
}

/* Images with a side of 2 to 10, seen through windows that reach beyond them, or lie in them. */
static void act_view(struct world *w, size_t rows, size_t columns)
{
	static struct nn_view view[30];
	struct nn_gather g = { .to = w->out[0], .data = w->in[0], .rows = w->rows, .count = 30,
		.scale = w->in[1], .shift = w->in[2], .view = view, .height = rows % 9 + 2,
		.width = columns % 7 + 2, .channels = columns % 3 + 1 };

	g.columns = g.height * g.width * g.channels;
	for (size_t i = 0; i < 30; i++)
		view[i] = (struct nn_view){ .top = 3 * noise(i, 20),
			.left = 3 * noise(i, 21),
			.height = (float)g.height * (1.2f + noise(i, 22)),
			.width = (float)g.width * (1.2f + noise(i, 23)),
			.is_mirrored = (int)i % 2 };
	w->ops->gather(w->d, &g);
	g.data = w->bytes;
	g.is_bytes = 1;
	g.to = w->out[1];
	w->ops->gather(w->d, &g);
	for (size_t i = 0; i < 30; i++) /* the whole image: as it lies, to the bit */
		view[i] = (struct nn_view){ 0, 0, (float)g.height, (float)g.width, 0 };
	g.to = w->out[2];
	w->ops->gather(w->d, &g);
	g.view = NULL;
	g.to = w->out[3];
	w->ops->gather(w->d, &g);
	assert_memory_equal(w->out[2], w->out[3], 30 * g.columns * sizeof(float));
}

static void views_agree(void **state)
{
	(void)state;
	try_all(act_view);
}

static unsigned turned; /* bits: a, b; plain or with all that is done to c */

static void act_product(struct world *w, size_t rows, size_t columns)
{
	static const size_t depth[] = { 1, 5, 64, 300 };

	for (unsigned i = 0; i < 4; i++)
		w->ops->product(w->d, &(struct nn_product){ .rows = rows, .columns = columns,
						.depth = depth[i], .a = w->in[0], .b = w->in[1],
						.a_turned = (turned & 1) != 0,
						.b_turned = (turned & 2) != 0, .c = w->out[i],
						.bias = (turned & 4) != 0 ? w->in[2] : NULL,
						.relu = (turned & 4) != 0,
						.gate = (turned & 8) != 0 ? w->in[3] : NULL });
}

static void products_agree(void **state)
{
	(void)state;
	for (turned = 0; turned < 16; turned += 3)
		try_all(act_product);
	turned = 6;
	try_at(act_product, 70, 550);
	try_at(act_product, 550, 70);
	turned = 1;
	try_at(act_product, 256, 512);
}

static void act_conv(struct world *w, size_t rows, size_t columns)
{
	struct nn_conv c = { .count = rows % 11 + 1, .height = columns % 9 + 3, .width = columns % 5 + 4,
		.channels = rows % 4 + 1, .outputs = columns % 35 + 1, .size = 3, .pad = rows % 2,
		.x = w->in[0], .weight = w->in[1], .bias = w->in[2], .y = w->out[0], .relu = 1,
		.dy = w->in[3], .dweight = w->out[1], .dx = w->out[2] };

	w->ops->conv(w->d, &c);
	w->ops->conv_back_weight(w->d, &c);
	w->ops->conv_back_input(w->d, &c);
}

static void convolutions_agree(void **state)
{
	(void)state;
	try_all(act_conv);
}

static void act_pool(struct world *w, size_t rows, size_t columns)
{
	struct nn_pool p = { .count = rows % 7 + 1, .height = columns % 9 + 2, .width = columns % 5 + 2,
		.channels = rows % 20 + 1, .size = 2, .x = w->in[0], .dy = w->in[1], .y = w->out[0],
		.dx = w->out[1] };

	for (size_t i = 0; i < 400; i++) /* ties: the first one takes all */
		w->in[0][i] = (float)(i % 3);
	w->ops->pool(w->d, &p);
	w->ops->pool_back(w->d, &p);
	p.size = 0;
	p.y = w->out[2];
	p.dx = w->out[3];
	w->ops->pool(w->d, &p);
	w->ops->pool_back(w->d, &p);
}

static void pools_agree(void **state)
{
	(void)state;
	try_all(act_pool);
}

static void act_values(struct world *w, size_t rows, size_t columns)
{
	struct nn_map m = { .to = w->out[0], .a = w->in[0], .b = w->in[1], .count = rows * columns,
		.keep = 0.7f, .share = 0.1f, .seed = 12345678901234u, .stream = { 3, 4 } };

	w->ops->add(w->d, &m);
	m.a = w->out[0];
	w->ops->blend(w->d, &m);
	m.a = w->in[0];
	m.to = w->out[1];
	w->ops->dropout(w->d, &m);
	for (m.kind = NN_RELU; m.kind <= NN_GELU; m.kind++) {
		m.to = w->out[2] + (m.kind == NN_GELU ? ROOM / 2 : 0);
		w->ops->activate(w->d, &m);
		m.to = w->out[3] + (m.kind == NN_GELU ? ROOM / 2 : 0);
		w->ops->activate_back(w->d, &m);
	}
}

static void values_agree(void **state)
{
	(void)state;
	try_all(act_values);
	try_at(act_values, 250, 333);
}

static void act_sums(struct world *w, size_t rows, size_t columns)
{
	struct nn_sum s = { .to = &w->sum, .x = w->in[0], .count = rows * columns, .is_first = 1 };

	w->sum = 77;
	w->ops->column_sum(w->d, w->out[0], w->in[1], rows, columns);
	w->ops->sum_squares(w->d, &s);
	s.is_first = 0;
	s.x = w->in[1];
	w->ops->sum_squares(w->d, &s);
}

static void sums_agree(void **state)
{
	(void)state;
	try_all(act_sums);
	try_at(act_sums, 3000, 61);
}

static void act_layer_norm(struct world *w, size_t rows, size_t columns)
{
	struct nn_norm n = { .rows = rows, .columns = columns, .x = w->in[0], .gain = w->in[1],
		.shift = w->in[2], .y = w->out[0], .relu = rows % 2 == 0, .stats = w->out[1],
		.dy = w->in[3], .dx = w->out[2], .dgain = w->out[3], .dshift = w->out[3] + columns };

	w->ops->layer_norm(w->d, &n);
	w->ops->layer_norm_back(w->d, &n);
}

static void layer_norms_agree(void **state)
{
	(void)state;
	try_at(act_layer_norm, 3, 7);
	try_at(act_layer_norm, 130, 61);
	try_at(act_layer_norm, 333, 2);
	try_at(act_layer_norm, 40, 512);
}

static void act_batch_norm(struct world *w, size_t rows, size_t columns)
{
	struct nn_norm n = { .rows = rows, .columns = columns, .x = w->in[0], .gain = w->in[1],
		.shift = w->in[2], .y = w->out[0], .relu = rows % 2 == 0, .stats = w->out[1],
		.dy = w->in[3], .dx = w->out[2], .dgain = w->out[3], .dshift = w->out[3] + columns };

	w->ops->batch_norm(w->d, &n);
	w->ops->batch_norm_back(w->d, &n);
	n.mean = w->out[1];
	n.variance = w->out[1] + 2 * columns;
	n.y = w->out[0] + ROOM / 2;
	w->ops->batch_norm_apply(w->d, &n);
}

static void batch_norms_agree(void **state)
{
	(void)state;
	try_at(act_batch_norm, 17, 33);
	try_at(act_batch_norm, 130, 61);
	try_at(act_batch_norm, 2500, 32);
}

static void act_loss(struct world *w, size_t rows, size_t columns)
{
	struct nn_loss l = { .rows = rows, .columns = columns, .target = w->in[1], .weight = w->in[2],
		.smoothing = 0.1f, .delta = 0.3f, .denominator = (float)rows, .sum = &w->sum };

	w->sum = 0;
	for (size_t i = 0; i < rows * columns; i++)
		w->in[2][i] = fabsf(w->in[2][i]) + 0.1f;
	for (l.kind = NN_SOFTMAX; l.kind <= NN_QUANTILE; l.kind++) {
		l.score = w->out[l.kind % 4] + (l.kind >= 4 ? ROOM / 2 : 0);
		for (size_t i = 0; i < rows * columns; i++) {
			l.score[i] = 9 * w->in[0][i];
			w->in[1][i] = l.kind == NN_SOFTMAX   ? (float)(i % columns)
				      : l.kind == NN_SIGMOID ? (float)(i % 2)
							     : noise(i, 9);
		}
		w->ops->loss(w->d, &l);
	}
}

static void losses_agree(void **state)
{
	(void)state;
	try_all(act_loss);
}

static void act_update(struct world *w, size_t rows, size_t columns)
{
	struct nn_update u = { .weight = w->out[0], .first = w->out[1], .second = w->out[2],
		.gradient = w->in[0], .count = rows * columns, .rate = 0.1f, .decay = 0.02f,
		.momentum = 0.9f, .beta = 0.99f, .epsilon = 1e-8f, .correction = 1 / 0.1f,
		.root_correction = 10, .clip = 1.5f, .norm = &w->sum };

	w->sum = 5;
	w->ops->adamw(w->d, &u);
	u.correction = 1 / 0.19f;
	u.clip = 0;
	w->ops->adamw(w->d, &u);
	u.first = w->out[3];
	w->ops->sgd(w->d, &u);
	u.nesterov = 1;
	w->ops->sgd(w->d, &u);
	u.shrink = 0.05f;
	u.rate = 0.01f;
	w->ops->sgd(w->d, &u);
	w->ops->adamw(w->d, &u);
}

/* By exactly so much towards 0, where those stay that would cross it. */
static void l1_ends_at_zero(void **state)
{
	const float before[] = { 1, -1, 0.3f, -0.3f, 0.25f, 0 }, after[] = { 0.75f, -0.75f, 0.05f, -0.05f, 0, 0 };
	const struct nn_ops *all[] = { &nn_ref, &nn_cpu };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		float weight[6], first[6] = { 0 }, second[6] = { 0 }, gradient[6] = { 0 };
		struct nn_update u = { .weight = weight, .first = first, .second = second, .gradient = gradient, .count = 6,
			.rate = 0.5f, .shrink = 0.25f, .beta = 0.9f, .epsilon = 1e-8f, .correction = 1, .root_correction = 1 };
		struct nn_device *d = all[i]->open(1);

		for (int adamw = 0; adamw < 2; adamw++) {
			memcpy(weight, before, sizeof weight);
			(adamw ? all[i]->adamw : all[i]->sgd)(d, &u);
			for (size_t k = 0; k < 6; k++)
				assert_float_equal(weight[k], after[k], 1e-6);
			assert_true(weight[4] == 0 && weight[5] == 0);
		}
		all[i]->close(d);
	}
}

static void updates_agree(void **state)
{
	(void)state;
	try_all(act_update);
}

/* Lists of 0 to 4 entries, of 50 rows to take from: every seventh list is empty. */
static void act_bag(struct world *w, size_t rows, size_t columns)
{
	static size_t begin[401];
	static uint32_t index[1600];
	struct nn_bag b = { .rows = rows, .columns = columns, .begin = begin, .index = index,
		.share = w->in[1], .from = w->in[0], .bias = w->in[2], .to = w->out[0] };

	begin[0] = 0;
	for (size_t i = 0; i < rows; i++) {
		begin[i + 1] = begin[i] + (i % 7 == 3 ? 0 : i % 5);
		for (size_t k = begin[i]; k < begin[i + 1]; k++)
			index[k] = (uint32_t)(k * 7 % 50);
	}
	w->ops->bag(w->d, &b);
	b.bias = NULL;
	b.to = w->out[1];
	w->ops->bag(w->d, &b);
}

static void bags_agree(void **state)
{
	(void)state;
	try_all(act_bag);
}

/* Every third row has a gradient; the others stay as they are. */
static void act_row_update(struct world *w, size_t rows, size_t columns)
{
	static uint32_t row[400];
	struct nn_update u = { .weight = w->out[0], .first = w->out[1], .second = w->out[2],
		.gradient = w->in[0], .count = rows / 3 * columns, .rate = 0.1f, .decay = 0.02f,
		.momentum = 0.9f, .beta = 0.99f, .epsilon = 1e-8f, .correction = 1 / 0.1f,
		.root_correction = 10, .row = row, .columns = columns };

	for (size_t i = 0; i < rows / 3; i++)
		row[i] = (uint32_t)(3 * i + 1);
	for (size_t i = 0; i < rows * columns; i++)
		w->out[0][i] = 1;
	w->ops->adamw(w->d, &u);
	u.first = w->out[3];
	w->ops->sgd(w->d, &u);
	for (size_t i = 0; i < rows; i++)
		assert_true(i % 3 == 1 || w->out[0][i * columns] == 1.0f);
	assert_true(rows < 3 || w->out[0][columns] != 1.0f);
}

static void updates_of_some_rows_agree(void **state)
{
	(void)state;
	try_all(act_row_update);
}

/* --- the oracle itself, by finite differences of sum(y * weight of y) --- */

static double value_of_conv(const void *given)
{
	const struct nn_conv *c = given;

	nn_ref.conv(oracle->d, c);
	return seen(c->y, c->count * (c->height + 2 * c->pad - 2) * (c->width + 2 * c->pad - 2) *
				  c->outputs);
}

static void convolutions_have_the_slopes_they_say(void **state)
{
	struct nn_conv c = { .count = 2, .height = 5, .width = 4, .channels = 2, .outputs = 3, .size = 3,
		.pad = 1, .y = NULL };

	(void)state;
	c.x = oracle->in[0], c.weight = oracle->in[1], c.bias = oracle->in[2], c.dy = oracle->in[3];
	c.y = oracle->out[0], c.dweight = oracle->out[1], c.dx = oracle->out[2];
	nn_ref.conv_back_weight(oracle->d, &c);
	nn_ref.conv_back_input(oracle->d, &c);
	for (size_t i = 0; i < 54; i++)
		check_slope(value_of_conv, &c, &oracle->in[1][i], c.dweight[i]);
	for (size_t i = 0; i < 80; i++)
		check_slope(value_of_conv, &c, &oracle->in[0][i], c.dx[i]);
}

static double value_of_layer_norm(const void *given)
{
	const struct nn_norm *n = given;

	nn_ref.layer_norm(oracle->d, n);
	return seen(n->y, n->rows * n->columns);
}

static double value_of_batch_norm(const void *given)
{
	const struct nn_norm *n = given;

	nn_ref.batch_norm(oracle->d, n);
	return seen(n->y, n->rows * n->columns);
}

static void norms_have_the_slopes_they_say(void **state)
{
	const size_t rows = 6, columns = 5;

	(void)state;
	for (int is_batch = 0; is_batch < 2; is_batch++) {
		struct nn_norm n = { .rows = rows, .columns = columns, .x = oracle->in[0],
			.gain = oracle->in[1], .shift = oracle->in[2], .y = oracle->out[0],
			.stats = oracle->out[1], .dy = oracle->in[3], .dx = oracle->out[2],
			.dgain = oracle->out[3], .dshift = oracle->out[3] + columns };
		double (*value)(const void *) = is_batch ? value_of_batch_norm : value_of_layer_norm;

		(void)value(&n);
		if (is_batch)
			nn_ref.batch_norm_back(oracle->d, &n);
		else
			nn_ref.layer_norm_back(oracle->d, &n);
		for (size_t i = 0; i < rows * columns; i++)
			check_slope(value, &n, &oracle->in[0][i], n.dx[i]);
		for (size_t j = 0; j < columns; j++) {
			check_slope(value, &n, &oracle->in[1][j], n.dgain[j]);
			check_slope(value, &n, &oracle->in[2][j], n.dshift[j]);
		}
	}
}

static double value_of_pool(const void *given)
{
	const struct nn_pool *p = given;

	nn_ref.pool(oracle->d, p);
	return seen(p->y, p->size == 0 ? p->count * p->channels : p->count * 2 * 2 * p->channels);
}

static double value_of_activation(const void *given)
{
	const struct nn_map *m = given;

	nn_ref.activate(oracle->d, m);
	return seen(m->to, m->count);
}

static void pools_and_activations_have_the_slopes_they_say(void **state)
{
	struct nn_pool p = { .count = 2, .height = 5, .width = 4, .channels = 3, .size = 2 };
	struct nn_map m = { .count = 40, .kind = NN_GELU }, back;

	(void)state;
	p.x = oracle->in[0], p.dy = oracle->in[3], p.y = oracle->out[0], p.dx = oracle->out[1];
	for (p.size = 0; p.size < 3; p.size += 2) {
		nn_ref.pool_back(oracle->d, &p);
		for (size_t i = 0; i < 120; i++)
			check_slope(value_of_pool, &p, &oracle->in[0][i], p.dx[i]);
	}
	m.to = oracle->out[0], m.a = oracle->in[0];
	back = m;
	back.to = oracle->out[1], back.a = oracle->in[3], back.b = oracle->in[0];
	nn_ref.activate_back(oracle->d, &back);
	for (size_t i = 0; i < m.count; i++)
		check_slope(value_of_activation, &m, &oracle->in[0][i], back.to[i]);
}

static double value_of_loss(const void *given)
{
	struct nn_loss l = *(const struct nn_loss *)given;

	*l.sum = 0;
	memcpy(oracle->out[0], l.score, l.rows * l.columns * sizeof(float));
	l.score = oracle->out[0];
	nn_ref.loss(oracle->d, &l);
	return *l.sum / (double)l.denominator;
}

static void losses_have_the_slopes_they_say(void **state)
{
	struct nn_loss l = { .rows = 5, .columns = 4, .smoothing = 0.2f, .delta = 0.4f, .denominator = 5 };

	(void)state;
	l.target = oracle->in[1], l.weight = oracle->in[2], l.sum = &oracle->sum;
	for (l.kind = NN_SOFTMAX; l.kind <= NN_QUANTILE; l.kind++) {
		for (size_t i = 0; i < 20; i++) {
			oracle->in[2][i] = 0.5f + fabsf(noise(i, 5));
			oracle->in[1][i] = l.kind == NN_SOFTMAX   ? (float)(i % 4)
					   : l.kind == NN_SIGMOID ? (float)(i % 2)
								  : noise(i, 9);
		}
		l.score = oracle->in[0];
		(void)value_of_loss(&l); /* leaves the slopes in out[0] */
		memcpy(oracle->out[1], oracle->out[0], 20 * sizeof(float));
		for (size_t i = 0; i < 20; i++)
			check_slope(value_of_loss, &l, &oracle->in[0][i], oracle->out[1][i]);
	}
}

static void what_is_not_a_number_stays_so(void **state)
{
	struct world *w = world_new(&nn_cpu, 1, 16);
	struct nn_map m = { .to = w->out[0], .a = w->in[0], .count = 40 };
	struct nn_loss l = { .rows = 1, .columns = 20, .score = w->in[0], .target = w->in[4],
		.denominator = 1, .sum = &w->sum };

	(void)state;
	w->in[0][7] = NAN;
	for (m.kind = NN_RELU; m.kind <= NN_GELU; m.kind++) {
		w->ops->activate(w->d, &m);
		assert_true(isnan(m.to[7]) && !isnan(m.to[8]));
	}
	w->in[4][0] = 3;
	w->ops->loss(w->d, &l);
	assert_true(isnan(w->sum));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gather_agrees),
		cmocka_unit_test(views_agree),
		cmocka_unit_test(products_agree),
		cmocka_unit_test(convolutions_agree),
		cmocka_unit_test(pools_agree),
		cmocka_unit_test(values_agree),
		cmocka_unit_test(sums_agree),
		cmocka_unit_test(layer_norms_agree),
		cmocka_unit_test(batch_norms_agree),
		cmocka_unit_test(losses_agree),
		cmocka_unit_test(updates_agree),
		cmocka_unit_test(l1_ends_at_zero),
		cmocka_unit_test(bags_agree),
		cmocka_unit_test(updates_of_some_rows_agree),
		cmocka_unit_test_setup_teardown(convolutions_have_the_slopes_they_say, oracle_set_up, oracle_tear_down),
		cmocka_unit_test_setup_teardown(norms_have_the_slopes_they_say, oracle_set_up, oracle_tear_down),
		cmocka_unit_test_setup_teardown(
			pools_and_activations_have_the_slopes_they_say, oracle_set_up, oracle_tear_down),
		cmocka_unit_test_setup_teardown(losses_have_the_slopes_they_say, oracle_set_up, oracle_tear_down),
		cmocka_unit_test(what_is_not_a_number_stays_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
