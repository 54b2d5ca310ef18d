/* Categories as numbers: the operations against nn_ref and against finite differences. */
#include "nn/ops.h"

#include "support/nn_world.h"

static void embed_codes(struct world *w, size_t rows, size_t columns)
{
	struct nn_table table[4] = { { 0, 4, 3, 0, 0 }, { columns / 2, 1 + columns, 7, 12, 0 },
		{ columns - 1, 2, 1, 12 + 7 * (1 + columns), 0 }, { columns - 1, 9, 2, 9000, 1 } };
	size_t plain[2] = { columns / 3, 0 };
	struct nn_embed e = { .rows = rows, .columns = columns, .plain = plain, .plain_count = 2,
		.table = table, .table_count = 4, .outputs = 2 + 3 + 7 + 1 + 2, .x = w->in[0],
		.weight = w->in[1], .y = w->out[0], .dy = w->in[2], .dweight = w->out[1] };

	/* Codes, one too many, none, and what is no code. */
	for (size_t i = 0; i < rows * columns; i++)
		w->in[0][i] = i % 11 == 10 ? 0.5f : (float)((i * 7) % 13) - 1;
	for (size_t i = 0; i < 20; i++)
		w->out[1][9000 + i] = 7; /* of the one that is frozen */
	w->ops->embed(w->d, &e);
	w->ops->embed_back(w->d, &e);
	assert_true(w->out[1][9003] >= 7);
}

static void embeddings_agree(void **state)
{
	(void)state;
	try_all(embed_codes);
}

static double value_of_embedding(const void *given)
{
	const struct nn_embed *e = given;
	double sum = 0;

	nn_ref.embed(oracle->d, e);
	for (size_t i = 0; i < e->rows * e->outputs; i++)
		sum += (double)e->y[i] * (double)e->dy[i];
	return sum;
}

static void embeddings_have_the_slopes_they_say(void **state)
{
	const struct nn_table table[2] = { { 1, 5, 3, 0, 0 }, { 2, 3, 2, 15, 0 } };
	const size_t plain[1] = { 0 };
	struct nn_embed e = { .rows = 30, .columns = 3, .plain = plain, .plain_count = 1,
		.table = table, .table_count = 2, .outputs = 6, .x = oracle->in[0],
		.weight = oracle->in[1], .y = oracle->out[0], .dy = oracle->in[2],
		.dweight = oracle->out[1] };

	(void)state;
	for (size_t i = 0; i < 90; i++)
		oracle->in[0][i] = (float)(i % 7);
	nn_ref.embed_back(oracle->d, &e);
	for (size_t i = 0; i < 21; i++) {
		int is_last = (i >= 12 && i < 15) || i >= 19;

		if (is_last) /* what stands for all others stays as it is */
			assert_true(!(oracle->out[1][i] < 0 || oracle->out[1][i] > 0));
		else
			check_slope(value_of_embedding, &e, &oracle->in[1][i], oracle->out[1][i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(embeddings_agree),
		cmocka_unit_test_setup_teardown(
			embeddings_have_the_slopes_they_say, oracle_set_up, oracle_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
