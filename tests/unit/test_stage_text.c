/* The model `text` of the stages `train` and `evaluate`. */
#include "train/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/npy.h"
#include "common/safetensors.h"
#include "common/shardout.h"
#include "evaluate/evaluate.h"

#define STAGE stage_train
#include "support/stage_case.h"

#define ROWS  240
#define TRAIN 180

/* Twelve words of eight; the class is told by whether "not" stands before "good" or before "bad", which
 * no word alone tells. */
static void write_text(char text[400], unsigned row, int64_t class)
{
	uint32_t draw = row * 2654435761u;

	text[0] = '\0';
	for (unsigned i = 0; i < 12; i++) {
		draw = draw * 1664525u + 1013904223u;
		(void)snprintf(text + strlen(text), 400 - strlen(text), "w%u ", draw >> 16 & 7);
		if (i == 3)
			strcat(text, class == 0 ? "not good, bad " : "not bad, good ");
	}
}

static const char *write_table(flow_ctx *host, const int64_t *class, const char *before)
{
	const struct column column = { .name = "note", .type = COLUMN_TEXT, .width = 1 };
	const char *path = stage_host_path(host, "texts.shard");
	struct cells cells = { 0 };
	struct shardout out;
	struct fault fault;
	char text[400];

	assert_int_equal(shardout_open(&out, path, &column, 1, 100, &fault), 0);
	cells_begin(&cells, &column);
	for (unsigned i = 0; i < ROWS; i++) {
		write_text(text, i, class[i]);
		memcpy(text, before, strlen(before));
		cells_add_text(&cells, text, strlen(text));
	}
	shardout_add(&out, &cells, 0, ROWS);
	assert_int_equal(shardout_commit(&out, &fault), 0);
	shardout_abandon(&out);
	cells_release(&cells);
	return path;
}

static int set_up(void **state)
{
	flow_ctx *host = stage_host_new();
	int64_t class[ROWS];

	for (unsigned i = 0; i < ROWS; i++)
		class[i] = (i * 2654435761u >> 13) & 1;
	stage_host_dep(host, "texts", write_table(host, class, ""));
	stage_host_dep(host, "labels", write_npy(host, "y.npy", NPY_INT64, class, ROWS, 0));
	stage_host_dep(host, "rows", write_rows(host, "train.npy", 0, TRAIN));
	stage_host_dep(host, "valid_rows", write_rows(host, "valid.npy", TRAIN, ROWS));
	stage_host_out(host, "model", stage_host_path(host, "model"));
	stage_host_out(host, "report", stage_host_path(host, "report"));
	stage_host_with(host, "model", "\"text\"");
	stage_host_with(host, "text", "\"note\"");
	stage_host_with(host, "tokens", "\"tfidf 4096 1 2\"");
	stage_host_with(host, "batch_size", "16");
	stage_host_with(host, "epochs", "12");
	stage_host_with(host, "lr", "0.02");
	stage_host_with(host, "patience", "0");
	stage_host_seed(host, 5);
	*state = host;
	return 0;
}

/* An embedding, with what is hard to take up: dropout's numbers, an average, clipping. */
static void embed(flow_ctx *host)
{
	stage_host_with(host, "tokens", "\"words 4096 1 2\"");
	stage_host_with(host, "embedding", "8");
	stage_host_with(host, "hidden", "[8]");
	stage_host_with(host, "dropout", "0.1");
	stage_host_with(host, "ema", "0.9");
	stage_host_with(host, "clip", "1");
}

static void pairs_of_words_are_learned(void **state)
{
	stage_host_with(*state, "lr", "0.05");
	stage_host_with(*state, "epochs", "30");
	must_run(*state);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.95);
	assert_true(metric(*state, "weights", -1) - (4096 * 2 + 2) == 0.0);
	stage_host_with(*state, "tokens", "\"tfidf 4096 1 1\"");
	must_run(*state);
	assert_true(metric(*state, "best_valid_accuracy", -1) < 0.8);
	stage_host_with(*state, "tokens", "\"chars 16777216 2 8\"");
	must_run(*state);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.85);
}

static void an_embedding_learns_them_too(void **state)
{
	embed(*state);
	stage_host_with(*state, "epochs", "25");
	must_run(*state);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.95);
	assert_true(metric(*state, "weights", -1) - (4096 * 8 + 8 * 8 + 8 + 8 * 2 + 2) == 0.0);
}

static void descent_with_momentum_learns_them(void **state)
{
	stage_host_with(*state, "optimizer", "\"sgd\"");
	stage_host_with(*state, "nesterov", "true");
	stage_host_with(*state, "lr", "1");
	must_run(*state);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.95);
	stage_host_with(*state, "tokens", "\"words 4096 1 2\"");
	stage_host_with(*state, "embedding", "8");
	stage_host_with(*state, "epochs", "40");
	must_run(*state);
	assert_true(metric(*state, "best_valid_accuracy", -1) >= 0.95);
}

static void threads_change_no_bit(void **state)
{
	size_t size, again;
	char *one, *three;

	embed(*state);
	must_run(*state);
	one = model_bytes(*state, &size);
	stage_host_threads(*state, 3);
	must_run(*state);
	three = model_bytes(*state, &again);
	assert_int_equal(size, again);
	assert_memory_equal(one, three, size);
	free(one);
	free(three);
}

static void a_training_taken_up_comes_to_the_same_bits(void **state)
{
	for (int embeds = 0; embeds < 2; embeds++) {
		size_t size, again;
		char *whole, *parts;
		double loss;

		if (embeds)
			embed(*state);
		(void)stage_host_checkpoint(*state, NULL);
		stage_host_with(*state, "checkpoint_every", NULL);
		must_run(*state);
		whole = model_bytes(*state, &size);
		loss = metric(*state, "loss", 12);
		(void)stage_host_checkpoint(*state, "kept");
		stage_host_with(*state, "checkpoint_every", "5");
		stage_host_cancel_after(*state, 3);
		expect_failure_of(*state, &stage_train, "stopped in epoch");
		stage_host_cancel_after(*state, -2);
		must_run(*state);
		parts = model_bytes(*state, &again);
		assert_int_equal(size, again);
		assert_memory_equal(whole, parts, size);
		assert_true(metric(*state, "loss", 12) - loss == 0.0);
		assert_int_equal(stage_host_metric(*state, "loss", 1, &loss), 0); /* it was taken up */
		free(whole);
		free(parts);
	}
}

static void take(flow_ctx *host, const char *name, float *values, size_t count)
{
	struct tensors file = { .count = 0 };
	const struct tensor *tensor;
	struct fault fault;

	must_run(host);
	assert_int_equal(tensors_read(&file, stage_host_path(host, "model"), &fault), 0);
	tensor = tensors_find(&file, name);
	assert_non_null(tensor);
	assert_int_equal(tensor->size, count * sizeof *values);
	memcpy(values, tensor->data, tensor->size);
	tensors_release(&file);
}

/* What is frozen is as it was drawn, as with a rate of next to nothing. */
static void a_frozen_embedding_stays(void **state)
{
	static float drawn[4096 * 8], frozen[4096 * 8], slow[4096 * 8];

	embed(*state);
	stage_host_with(*state, "ema", NULL);
	stage_host_with(*state, "epochs", "3");
	stage_host_with(*state, "lr", "1e-12");
	take(*state, "embedding.weight", drawn, 4096 * 8);
	stage_host_with(*state, "lr", "0.02");
	stage_host_with(*state, "freeze", "[\"embedding.*\"]");
	take(*state, "embedding.weight", frozen, 4096 * 8);
	assert_memory_equal(frozen, drawn, sizeof drawn);
	stage_host_with(*state, "freeze", NULL);
	stage_host_with(*state, "lr_groups", "{\"embedding.*\": 0.001}");
	take(*state, "embedding.weight", slow, 4096 * 8);
	assert_memory_not_equal(slow, drawn, sizeof drawn);
	for (size_t i = 0; i < 4096 * 8; i++)
		assert_true(fabs((double)slow[i] - (double)drawn[i]) < 0.005);
}

static void a_model_of_the_same_tokens_is_begun_with(void **state)
{
	stage_host_with(*state, "epochs", "30");
	stage_host_with(*state, "lr", "0.05");
	stage_host_out(*state, "model", stage_host_path(*state, "first"));
	must_run(*state);
	assert_true(metric(*state, "loss", 1) > 0.5);
	stage_host_dep(*state, "init_from", stage_host_path(*state, "first"));
	stage_host_out(*state, "model", stage_host_path(*state, "model"));
	must_run(*state);
	assert_true(metric(*state, "loss", 1) < 0.2);
	stage_host_with(*state, "tokens", "\"words 4096 1 2\"");
	expect_failure_of(*state, &stage_train, "was trained with tokens 'tfidf 4096 1 2'");
}

static void checkpoints_of_other_texts_are_not_used(void **state)
{
	int64_t class[ROWS] = { 0 };
	double loss;

	(void)stage_host_checkpoint(*state, "kept");
	must_run(*state);
	must_run(*state);
	assert_int_equal(stage_host_metric(*state, "loss", 1, &loss), 0);
	stage_host_dep(*state, "texts", write_table(*state, class, "another "));
	must_run(*state);
	assert_int_equal(stage_host_metric(*state, "loss", 1, &loss), 1);
	must_run(*state);
	assert_int_equal(stage_host_metric(*state, "loss", 1, &loss), 0);
	stage_host_with(*state, "tokens", "\"words 4096 1 2\"");
	must_run(*state);
	assert_int_equal(stage_host_metric(*state, "loss", 1, &loss), 1);
}

/* The rarity of words is that of the training rows, whatever rows the model is used on. */
static void a_model_carries_what_its_texts_need(void **state)
{
	struct tensors file = { .count = 0 };
	struct fault fault;
	double valid, loss;

	must_run(*state);
	valid = metric(*state, "best_valid_accuracy", -1);
	loss = metric(*state, "best_valid_loss", -1);
	assert_int_equal(tensors_read(&file, stage_host_path(*state, "model"), &fault), 0);
	assert_non_null(tensors_find(&file, "input.rarity"));
	assert_string_equal(tensors_note(&file, "text"), "note");
	assert_string_equal(tensors_note(&file, "tokens"), "tfidf 4096 1 2");
	tensors_release(&file);
	stage_host_dep(*state, "model", stage_host_path(*state, "model"));
	stage_host_dep(*state, "rows", stage_host_path(*state, "valid.npy"));
	if (stage_host_run(*state, &stage_evaluate) != 0)
		fail_msg("%s", stage_host_failure(*state));
	assert_true(metric(*state, "accuracy", -1) - valid == 0.0);
	assert_true(fabs(metric(*state, "log_loss", -1) - loss) < 1e-6);
	stage_host_dep(*state, "features", stage_host_path(*state, "y.npy"));
	expect_failure_of(*state, &stage_evaluate, "'images' (or 'features' or 'texts')");
	stage_host_dep(*state, "texts", NULL);
	expect_failure_of(*state, &stage_evaluate, "is a model of texts");
	stage_host_dep(*state, "features", NULL);
	expect_failure_of(*state, &stage_evaluate, "'images' (or 'features' or 'texts')");
	stage_host_dep(*state, "labels", NULL);
	stage_host_dep(*state, "table", stage_host_path(*state, "texts.shard"));
	expect_failure_of(*state, &stage_evaluate, "is a model of texts");
}

static void other_models_take_no_texts(void **state)
{
	static float ones[ROWS][2];
	struct fault fault;

	for (size_t i = 0; i < ROWS; i++)
		ones[i][0] = ones[i][1] = 1;
	assert_int_equal(npy_write(stage_host_path(*state, "x.npy"), NPY_FLOAT32, ones, ROWS, 2, &fault), 0);
	stage_host_dep(*state, "features", stage_host_path(*state, "x.npy"));
	expect_failure_of(*state, &stage_train, "a text model takes no dep named 'features'");
	stage_host_with(*state, "model", "\"mlp\"");
	stage_host_with(*state, "text", NULL);
	stage_host_with(*state, "tokens", NULL);
	expect_failure_of(*state, &stage_train, "a dep named 'texts' is for `model: text`");
	stage_host_dep(*state, "texts", NULL);
	must_run(*state);
	stage_host_dep(*state, "model", stage_host_path(*state, "model"));
	stage_host_dep(*state, "features", NULL);
	stage_host_dep(*state, "texts", stage_host_path(*state, "texts.shard"));
	expect_failure_of(*state, &stage_evaluate, "is no model of texts");
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *key, *value, *says;
	} wrong[] = {
		{ "text", "\"\"", "with.text: which column" },
		{ "text", "\"remark\"", "has no column 'remark'" },
		{ "tokens", "\"bytes 7\"", "with.tokens: 'bytes' is no step" },
		{ "tokens", "\"hash 7\"", "there are words, tfidf and chars" },
		{ "tokens", "\"words\"", "how many cells?" },
		{ "tokens", "\"words 99999999\"", "cells are 2 to 16777216" },
		{ "hidden", "[4]", "with.hidden: a text needs with.embedding" },
		{ "accumulate", "2", "with.accumulate is not for text" },
		{ "decode_threads", "2", "with.decode_threads is not for text" },
		{ "target", "\"note\"", "with.target are for a dep named 'table'" },
		{ "model", "\"mlp\"", "with.text: mlp has no such option; it is for text" },
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		stage_host_with(*state, wrong[i].key, wrong[i].value);
		expect_failure_of(*state, &stage_train, wrong[i].says);
		stage_host_with(*state, "hidden", NULL);
		stage_host_with(*state, "accumulate", NULL);
		stage_host_with(*state, "decode_threads", NULL);
		stage_host_with(*state, "target", NULL);
		stage_host_with(*state, "model", "\"text\"");
		stage_host_with(*state, "text", "\"note\"");
		stage_host_with(*state, "tokens", "\"tfidf 4096 1 2\"");
	}
	stage_host_dep(*state, "table", stage_host_path(*state, "texts.shard"));
	expect_failure_of(*state, &stage_train, "a text model takes no dep named 'table'");
	stage_host_dep(*state, "table", NULL);
	stage_host_dep(*state, "rows", write_npy(*state, "one.npy", NPY_INT64, &(int64_t){ 3 }, 1, 0));
	expect_failure_of(*state, &stage_train, "the training rows have only one class");
	stage_host_dep(*state, "rows", NULL);
	stage_host_dep(*state, "texts", stage_host_path(*state, "y.npy"));
	expect_failure_of(*state, &stage_train, "y.npy'");
	stage_host_dep(*state, "texts", NULL);
	expect_failure_of(*state, &stage_train, "a text model needs a dep named 'texts'");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pairs_of_words_are_learned),
		TEST(an_embedding_learns_them_too),
		TEST(descent_with_momentum_learns_them),
		TEST(threads_change_no_bit),
		TEST(a_training_taken_up_comes_to_the_same_bits),
		TEST(a_frozen_embedding_stays),
		TEST(a_model_of_the_same_tokens_is_begun_with),
		TEST(checkpoints_of_other_texts_are_not_used),
		TEST(a_model_carries_what_its_texts_need),
		TEST(other_models_take_no_texts),
		TEST(mistakes_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
