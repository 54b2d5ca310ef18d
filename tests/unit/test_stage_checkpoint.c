/* Checkpoints that lie: what a training is taken up from is somewhere where a training can be. */
#include "train/train.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/file.h"
#include "common/safetensors.h"
#include "support/ring.h"

#define EPOCHS 2
#define STEPS  20 /* of both */

/* A whole training, whose checkpoints stay. The bytes of its model; free() them. */
static char *train(flow_ctx *host, size_t *size)
{
	stage_host_with(host, "epochs", "2");
	(void)stage_host_checkpoint(host, "kept");
	must_run(host);
	return model_bytes(host, size);
}

/* Taken up once more: has it begun at the beginning, and is the model what it was? */
static void expect_anew(flow_ctx *host, const char *model, size_t size)
{
	char *again;
	double loss;
	size_t length;

	must_run(host);
	assert_true(stage_host_metric(host, "loss", 1, &loss));
	again = model_bytes(host, &length);
	assert_int_equal(size, length);
	assert_memory_equal(model, again, size);
	free(again);
}

/* Both checkpoints: that note, or else the first number of that tensor. */
static void change(flow_ctx *host, const char *note, const char *text, const char *tensor, float number)
{
	for (int step = STEPS / EPOCHS; step <= STEPS; step += STEPS / EPOCHS) {
		struct tensors file, changed = { .count = 0 };
		char name[60], data[65536];
		const char *path;
		struct fault fault;
		size_t used = 0;

		(void)snprintf(name, sizeof name, "kept/state-%d.safetensors", step);
		path = stage_host_path(host, name);
		assert_int_equal(tensors_read(&file, path, &fault), 0);
		for (size_t i = 0; i < file.note_count; i++)
			tensors_describe(&changed, file.note[i].key,
				note != NULL && strcmp(note, file.note[i].key) == 0 ? text : file.note[i].text);
		for (size_t i = 0; i < file.count; i++) {
			const struct tensor *t = &file.tensor[i];

			assert_true(used + t->size <= sizeof data);
			memcpy(data + used, t->data, t->size);
			if (tensor != NULL && strcmp(tensor, t->name) == 0)
				memcpy(data + used, &number, sizeof number);
			tensors_add(&changed, t->name, t->type, t->shape, t->dimensions, data + used);
			used += t->size;
		}
		assert_int_equal(tensors_write(&changed, path, &fault), 0);
		tensors_release(&changed);
		tensors_release(&file);
	}
}

static void a_cursor_is_where_a_training_can_be(void **state)
{
	static const char *const lies[][2] = { { "epoch", "0" }, { "epoch", "2.5" }, { "epoch", "4" },
		{ "epoch", "1e300" }, { "taken", "1e300" }, { "taken", "0.5" }, { "taken", "30" },
		{ "step", "1e10" }, { "best_epoch", "3" }, { "cuts", "0.1" }, { "cut_epoch", "3" },
		{ "loss", "nan" }, { "rows", "-1" } };
	size_t size;
	char *model = train(*state, &size);

	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		change(*state, lies[i][0], lies[i][1], NULL, 0);
		expect_anew(*state, model, size);
	}
	free(model);
}

static void what_is_kept_of_the_optimiser_are_numbers(void **state)
{
	static const char *const tensors[] = { "first_moment", "second_moment", "best" };
	const float not_a_number = strtof("nan", NULL), endless = strtof("inf", NULL);
	size_t size;
	char *model = train(*state, &size);

	for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++) {
		change(*state, NULL, NULL, tensors[i], i == 0 ? endless : not_a_number);
		expect_anew(*state, model, size);
	}
	free(model);
}

/* Bytes of both checkpoints of trees become others, as many; how often they were there. */
static unsigned replace(flow_ctx *host, const char *was, const char *now)
{
	size_t length = strlen(was), size;
	struct fault fault;
	unsigned count = 0;

	assert_int_equal(length, strlen(now));
	for (int round = 1; round <= 3; round++) {
		char name[40], *data;
		const char *path;

		(void)snprintf(name, sizeof name, "kept/rounds-%d.ubj", round);
		path = stage_host_path(host, name);
		data = stage_host_read(path, &size);
		for (size_t at = 0; data != NULL && at + length <= size; at++)
			if (memcmp(data + at, was, length) == 0) {
				memcpy(data + at, now, length);
				count++;
			}
		if (data != NULL)
			assert_int_equal(output_file(path, data, size, &fault), 0);
		free(data);
	}
	return count;
}

static void trees_go_on_from_a_round_that_was(void **state)
{
	static const char *const lies[][2] = { { "2 2 0.", "9 2 0." }, { "2 2 0.", "2 3 0." }, { "2 2 0.", "2 1.5 " } };
	size_t size;
	char *model;

	stage_host_with(*state, "model", "\"gbdt\"");
	stage_host_with(*state, "rounds", "2");
	stage_host_with(*state, "hidden", NULL);
	stage_host_with(*state, "batch_size", NULL);
	stage_host_with(*state, "epochs", NULL);
	stage_host_with(*state, "lr", NULL);
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		(void)stage_host_checkpoint(*state, "kept");
		must_run(*state);
		model = model_bytes(*state, &size);
		assert_int_equal(replace(*state, lies[i][0], lies[i][1]), 1);
		expect_anew(*state, model, size);
		free(model);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_cursor_is_where_a_training_can_be),
		TEST(what_is_kept_of_the_optimiser_are_numbers),
		TEST(trees_go_on_from_a_round_that_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
