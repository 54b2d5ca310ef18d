/* Texts as bags: lists of a table's column, batches of them, and networks that begin with one. */
#include "nn/bags.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/fitted.h"
#include "common/runs.h"
#include "common/safetensors.h"
#include "common/shardout.h"
#include "common/text.h"
#include "nn/net.h"
#include "nn/netfile.h"

static char path[] = "/tmp/flow-test-bags-XXXXXX";
static struct fault fault;

static const char *const texts[] = { "the cat, THE dog", "a dog", NULL, "", "cat cat cat", "?!" };

enum { ROWS = sizeof texts / sizeof texts[0] };

/* A table with a column of numbers before that of texts; groups of four rows. */
static void write_table(void)
{
	const struct column columns[] = { { .name = "n", .type = COLUMN_INT64, .width = 1 },
		{ .name = "note", .type = COLUMN_TEXT, .width = 1 } };
	struct cells cells[2] = { { 0 }, { 0 } };
	struct shardout out;

	assert_int_equal(shardout_open(&out, path, columns, 2, 4, &fault), 0);
	cells_begin(&cells[0], &columns[0]);
	cells_begin(&cells[1], &columns[1]);
	for (int i = 0; i < ROWS; i++) {
		cells_add_number(&cells[0], i);
		if (texts[i] == NULL)
			cells_add_missing(&cells[1]);
		else
			cells_add_text(&cells[1], texts[i], strlen(texts[i]));
	}
	shardout_add(&out, cells, 0, ROWS);
	assert_int_equal(shardout_commit(&out, &fault), 0);
	shardout_abandon(&out);
	cells_release(&cells[0]);
	cells_release(&cells[1]);
}

static void open_bags(struct bags *b, struct fitted_step *step, const char *tokens)
{
	assert_int_equal(bags_read_step(step, tokens, &fault), 0);
	if (bags_open(b, step, path, "note", &fault) < 0)
		fail_msg("%s", fault.text);
}

static void a_row_lists_its_different_runs(void **state)
{
	struct fitted_step step;
	struct bags b;

	(void)state;
	open_bags(&b, &step, "words 16000000 1 2");
	assert_int_equal(b.rows, ROWS);
	/* the, cat, dog and three pairs; a, dog, a dog; nothing; nothing; cat, cat cat; nothing */
	assert_int_equal(b.begin[1], 6);
	assert_int_equal(b.begin[2], 9);
	assert_int_equal(b.begin[3], 9);
	assert_int_equal(b.begin[4], 9);
	assert_int_equal(b.begin[5], 11);
	assert_int_equal(b.begin[6], 11);
	for (size_t k = 1; k < 6; k++)
		assert_true(b.cell[k - 1] < b.cell[k]);
	bags_weigh(&b, &step);
	for (int row = 0; row < ROWS; row++) {
		double sum = 0;

		for (size_t k = b.begin[row]; k < b.begin[row + 1]; k++)
			sum += (double)b.share[k];
		assert_true(b.begin[row] == b.begin[row + 1] || fabs(sum - 1) < 1e-6);
	}
	bags_release(&b);
}

/* What models were trained with is what they get: these numbers are Python's
 * xxhash.xxh3_64_intdigest(run) % 1000003. */
static void a_run_has_its_cell_for_ever(void **state)
{
	const struct fitted_step words = { .kind = STEP_WORDS, .size = 1000003, .low = 1, .high = 2 };
	const struct fitted_step chars = { .kind = STEP_CHARS, .size = 1000003, .low = 2, .high = 3 };
	struct runs r = { .count = 0 };

	(void)state;
	runs_find(&r, &words, "The  CAT!", 9);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.cell[0], 759571); /* the */
	assert_int_equal(r.cell[1], 857312); /* the cat */
	runs_find(&r, &words, "(caf\xc3\xa9)", 7);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.cell[0], 904392);
	runs_find(&r, &chars, "AbC", 3);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.cell[0], 658814); /* ab */
	assert_int_equal(r.cell[1], 864231); /* abc */
	runs_release(&r);
}

/* The same numbers as the step of `transform` gives, which writes all cells out. */
static void tfidf_is_that_of_transform(void **state)
{
	static const int64_t fitted_on[] = { 0, 1, 4 };
	const struct column given = { .name = "note", .type = COLUMN_TEXT, .width = 1 };
	struct fitted_column column = { .type = COLUMN_TEXT };
	struct cells in = { 0 }, out = { 0 };
	struct column result;
	struct fitted_step step;
	struct bags b;

	(void)state;
	open_bags(&b, &step, "tfidf 50 1 2");
	bags_fit(&b, &step, fitted_on, 3);
	bags_weigh(&b, &step);
	assert_int_equal(fitted_add_step(&column, "tfidf 50 1 2", &fault), 0);
	column.step[0].weight = step.weight;
	cells_begin(&in, &given);
	for (int i = 0; i < ROWS; i++) {
		if (texts[i] == NULL)
			cells_add_missing(&in);
		else
			cells_add_text(&in, texts[i], strlen(texts[i]));
	}
	fitted_result(&column, &result);
	cells_begin(&out, &result);
	assert_int_equal(fitted_apply(&column, &in, NULL, &out, &fault), 0);
	for (size_t row = 0; row < ROWS; row++) {
		const float *wide = (const float *)(const void *)out.data + row * 50;
		float all[50] = { 0 };

		for (size_t k = b.begin[row]; k < b.begin[row + 1]; k++)
			all[b.cell[k]] = b.share[k];
		assert_memory_equal(all, wide, sizeof all);
	}
	free(step.weight);
	cells_release(&in);
	cells_release(&out);
	bags_release(&b);
}

static void a_batch_lists_its_cells_as_well(void **state)
{
	static const int64_t rows[] = { 4, 0, 2, 0, 1 };
	struct bag_batch batch = { .rows = 0 };
	struct fitted_step step;
	struct bags b;
	size_t seen = 0;

	(void)state;
	open_bags(&b, &step, "words 16000000 1 2");
	for (int again = 0; again < 2; again++)
		bags_batch(&batch, &b, rows, 5);
	assert_int_equal(batch.entries, 2 + 6 + 0 + 6 + 3);
	for (size_t c = 0; c < batch.cells; c++) {
		assert_true(c == 0 || batch.distinct[c - 1] < batch.distinct[c]);
		for (size_t k = batch.cell_begin[c]; k < batch.cell_begin[c + 1]; k++, seen++) {
			size_t row = batch.row[k], at = batch.begin[row];

			assert_true(k == batch.cell_begin[c] || batch.row[k - 1] <= batch.row[k]);
			while (batch.cell[at] != batch.distinct[c])
				at++;
			assert_true(at < batch.begin[row + 1]);
			assert_true(batch.share[at] - batch.row_share[k] == 0.0f);
		}
	}
	assert_int_equal(seen, batch.entries);
	bags_batch(&batch, &b, rows + 2, 1); /* nothing at all */
	assert_int_equal(batch.entries + batch.cells, 0);
	bags_release_batch(&batch);
	bags_release(&b);
}

static void what_is_no_bag_is_named(void **state)
{
	struct fitted_step step = { .kind = STEP_WORDS, .size = 10, .low = 1, .high = 1 };
	struct bags b;

	(void)state;
	assert_int_equal(bags_read_step(&step, "onehot", &fault), -1);
	assert_non_null(strstr(fault.text, "there are words, tfidf and chars"));
	assert_int_equal(bags_read_step(&step, "words 16777217", &fault), -1);
	assert_non_null(strstr(fault.text, "cells are 2 to 16777216"));
	step.size = 10;
	assert_int_equal(bags_open(&b, &step, path, "remark", &fault), -1);
	assert_non_null(strstr(fault.text, "has no column 'remark'"));
	assert_int_equal(bags_open(&b, &step, path, "n", &fault), -1);
	assert_non_null(strstr(fault.text, "column 'n' is int64, not text"));
}

/* --- networks --- */

enum { CELLS = 23, DESIGNS = 4 };

static struct net_design design_of(unsigned number)
{
	static const struct net_design designs[DESIGNS] = {
		{ .embedding = 0 },
		{ .embedding = 5 },
		{ .embedding = 6, .hidden = { 6, 4 }, .hidden_count = 2, .residual = 1,
			.norm = NET_NORM_LAYER, .activation = NN_GELU },
		{ .embedding = 7, .hidden = { 5 }, .hidden_count = 1, .norm = NET_NORM_BATCH,
			.dropout = 0.3f, .activation = NN_GELU },
	};
	struct net_design design = designs[number];

	design.kind = NET_TEXT;
	design.height = design.width = 1;
	design.channels = CELLS;
	design.outputs = 3;
	return design;
}

static const struct net_mode training = { .is_training = 1, .seed = 3, .step = 5 };

static void make(struct net *net, struct bag_batch *batch, unsigned design,
	const struct nn_ops *ops, unsigned threads)
{
	static const int64_t rows[] = { 0, 1, 2, 4, 0 };
	const struct net_design wanted = design_of(design);
	struct fitted_step step;
	struct bags b;

	open_bags(&b, &step, "words 23 1 2");
	bags_weigh(&b, &step);
	bags_batch(batch, &b, rows, 5);
	bags_release(&b);
	if (net_init(net, &wanted, ops, threads, &fault) < 0)
		fail_msg("%s", fault.text);
	assert_int_equal(net_reserve(net, 5, 1, &fault), 0);
	net_draw(net, 11);
	net->bag = batch;
}

static double value_of(struct net *net)
{
	const float *score = net_forward(net, 5, &training);
	double sum = 0;

	for (size_t i = 0; i < 5 * net->design.outputs; i++)
		sum += (double)score[i] * (double)(i % 5 + 1) / 5;
	return sum;
}

/* The gradient with a place for every weight. */
static float *differentiate(struct net *net)
{
	float *score = net_forward(net, 5, &training);
	float *all = array_new(net->weight_count, sizeof *all);
	size_t columns = net->layer[0].out.channels;

	for (size_t i = 0; i < 5 * net->design.outputs; i++)
		score[i] = (float)(i % 5 + 1) / 5;
	net_backward(net, 5, &training);
	memcpy(all, net->gradient, net->weight_count * sizeof *all);
	memset(all, 0, net->sparse * sizeof *all);
	assert_true(net->bag->cells > 3 && net->bag->cells < CELLS);
	for (size_t c = 0; c < net->bag->cells; c++)
		memcpy(all + net->bag->distinct[c] * columns, net->gradient + c * columns,
			columns * sizeof *all);
	return all;
}

static void gradients_agree_with_finite_differences(void **state)
{
	(void)state;
	for (unsigned design = 0; design < DESIGNS; design++) {
		struct bag_batch batch = { .rows = 0 };
		struct net net;
		float *gradient;

		make(&net, &batch, design, &nn_ref, 1);
		assert_int_equal(net.sparse, CELLS * net.layer[0].out.channels);
		gradient = differentiate(&net);
		for (size_t i = 0; i < net.weight_count; i++) {
			const float kept = net.weight[i], step = 2e-3f;
			double above, below, found;

			net.weight[i] = kept + step;
			above = value_of(&net);
			net.weight[i] = kept - step;
			below = value_of(&net);
			net.weight[i] = kept;
			found = (above - below) / (2 * (double)step);
			if (!(fabs(found - (double)gradient[i]) <= 0.02 * fabs(found) + 0.02))
				fail_msg("design %u, weight %zu: %g, by differences %g", design, i,
					(double)gradient[i], found);
		}
		free(gradient);
		net_release(&net);
		bags_release_batch(&batch);
	}
}

static void the_cpu_is_as_the_oracle_and_threads_change_no_bit(void **state)
{
	(void)state;
	for (unsigned design = 0; design < DESIGNS; design++) {
		struct bag_batch batch[3] = { { .rows = 0 }, { .rows = 0 }, { .rows = 0 } };
		struct net net[3];
		float *gradient[3];
		size_t count;

		make(&net[0], &batch[0], design, &nn_ref, 1);
		make(&net[1], &batch[1], design, &nn_cpu, 1);
		make(&net[2], &batch[2], design, &nn_cpu, 3);
		count = net[0].weight_count;
		for (int i = 0; i < 3; i++)
			gradient[i] = differentiate(&net[i]);
		for (size_t i = 0; i < count; i++)
			assert_true(fabs((double)gradient[0][i] - (double)gradient[1][i]) < 1e-4);
		assert_memory_equal(gradient[1], gradient[2], count * sizeof(float));
		for (int i = 0; i < 3; i++) {
			free(gradient[i]);
			net_release(&net[i]);
			bags_release_batch(&batch[i]);
		}
	}
}

/* nn.Linear(CELLS, 3) and nn.EmbeddingBag(CELLS, 5). */
static void files_have_pytorch_s_layout(void **state)
{
	static const uint64_t linear[] = { 3, CELLS }, embedding[] = { CELLS, 5 };

	(void)state;
	for (unsigned design = 0; design < 2; design++) {
		struct tensors notes = { .count = 0 }, file = { .count = 0 };
		struct bag_batch batch = { .rows = 0 };
		struct scaling scaling, back;
		struct net net, loaded;
		const struct tensor *tensor;
		char loss[20], model[] = "/tmp/flow-test-bag-model-XXXXXX";
		float one;

		(void)close(mkstemp(model));
		make(&net, &batch, design, &nn_cpu, 1);
		scaling_init(&scaling, net.features, 1);
		tensors_describe(&notes, "loss", "softmax");
		assert_int_equal(netfile_save(&net, NULL, &scaling, &notes, model, &fault), 0);
		assert_int_equal(tensors_read(&file, model, &fault), 0);
		tensor = tensors_find(&file, design == 0 ? "head.weight" : "embedding.weight");
		assert_non_null(tensor);
		assert_memory_equal(tensor->shape, design == 0 ? linear : embedding, sizeof linear);
		memcpy(&one, (const float *)(const void *)tensor->data + (design == 0 ? CELLS + 4 : 11),
			sizeof one);
		assert_true(one - net.weight[design == 0 ? 4 * 3 + 1 : 11] == 0.0f);
		assert_int_equal(tensors_find(&file, "embedding.bias") != NULL, 0);
		assert_int_equal(tensors_find(&file, "head.bias") != NULL, 1);
		if (netfile_load(&loaded, &back, loss, &nn_cpu, 1, model, &fault) < 0)
			fail_msg("%s", fault.text);
		assert_memory_equal(loaded.weight, net.weight, net.weight_count * sizeof(float));
		tensors_release(&notes);
		tensors_release(&file);
		scaling_release(&scaling);
		scaling_release(&back);
		net_release(&net);
		net_release(&loaded);
		bags_release_batch(&batch);
		(void)unlink(model);
	}
}

static void designs_that_cannot_be_are_refused(void **state)
{
	struct net_design design = design_of(0);
	struct net net;

	(void)state;
	design.hidden[0] = 4;
	design.hidden_count = 1;
	assert_int_equal(net_init(&net, &design, &nn_ref, 1, &fault), -1);
	assert_non_null(strstr(fault.text, "need an embedding"));
	design = design_of(1);
	design.kind = NET_MLP;
	assert_int_equal(net_init(&net, &design, &nn_ref, 1, &fault), -1);
	assert_non_null(strstr(fault.text, "an embedding of 5"));
}

static int set_up(void **state)
{
	(void)state;
	(void)close(mkstemp(path));
	write_table();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_lists_its_different_runs),
		cmocka_unit_test(a_run_has_its_cell_for_ever),
		cmocka_unit_test(tfidf_is_that_of_transform),
		cmocka_unit_test(a_batch_lists_its_cells_as_well),
		cmocka_unit_test(what_is_no_bag_is_named),
		cmocka_unit_test(gradients_agree_with_finite_differences),
		cmocka_unit_test(the_cpu_is_as_the_oracle_and_threads_change_no_bit),
		cmocka_unit_test(files_have_pytorch_s_layout),
		cmocka_unit_test(designs_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
