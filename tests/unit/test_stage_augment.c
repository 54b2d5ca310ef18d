/* Images looked at a little differently each time: with.augment of the stage `train`. */
#include "train/augment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/npy.h"
#include "nn/ops.h"
#include "train/train.h"

#define STAGE stage_train
#include "support/stage_case.h"

enum { ROWS = 1000, SIDE = 6, IMAGES = 120 };

static struct fault fault;

static struct augment read_well(const char *json)
{
	struct augment a;

	if (augment_read(&a, json, &fault) < 0)
		fail_msg("%s", fault.text);
	return a;
}

static void every_way_is_taken_and_none_beyond(void **state)
{
	const struct augment a = read_well("{\"flip\": \"horizontal\", \"shift\": 2, \"crop\": 0.5}");
	static struct nn_view view[ROWS];
	static int64_t rows[ROWS];
	size_t mirrored = 0, small = 0, above = 0, below = 0;

	(void)state;
	assert_int_equal(augment_is_on(&a), 1);
	for (int64_t i = 0; i < ROWS; i++)
		rows[i] = i;
	augment_views(&a, view, rows, ROWS, 10, 20, 7, 3);
	for (size_t i = 0; i < ROWS; i++) {
		const struct nn_view *v = &view[i];

		mirrored += v->is_mirrored != 0;
		small += v->height < 7.5f;
		above += v->top < 0;
		below += v->top + v->height > 10;
		assert_true(v->height >= 5 && v->height <= 10);
		assert_true(v->width - 2 * v->height == 0.0f);
		assert_true(v->top >= -2 && v->top + v->height <= 12.001f);
		assert_true(v->left >= -2 && v->left + v->width <= 22.001f);
	}
	assert_true(mirrored > 420 && mirrored < 580);
	assert_true(small > 420 && small < 580);
	assert_true(above > 50 && below > 50);
}

/* Whole pixels alone: each of five by five places about as often. */
static void shifts_are_whole_pixels(void **state)
{
	const struct augment a = read_well("{\"shift\": 2}");
	static struct nn_view view[ROWS];
	static int64_t rows[ROWS];
	size_t count[5][5] = { { 0 } };

	(void)state;
	for (int64_t i = 0; i < ROWS; i++)
		rows[i] = 3 * i;
	augment_views(&a, view, rows, ROWS, 9, 9, 1, 1);
	for (size_t i = 0; i < ROWS; i++) {
		size_t y = (size_t)(view[i].top + 2), x = (size_t)(view[i].left + 2);

		assert_true((float)y - 2 - view[i].top == 0.0f && (float)x - 2 - view[i].left == 0.0f);
		assert_true(y < 5 && x < 5 && !view[i].is_mirrored);
		count[y][x]++;
	}
	for (int i = 0; i < 25; i++)
		assert_true(count[i / 5][i % 5] > 15 && count[i / 5][i % 5] < 70);
}

/* By seed, epoch and row; not by which rows it is asked with. */
static void check_function(const struct augment *a)
{
	static const int64_t some[] = { 5, 9, 2 }, others[] = { 2, 70, 5, 9 };
	struct nn_view one[3], two[4], epoch[3], seed[3];

	augment_views(a, one, some, 3, 8, 8, 7, 3);
	augment_views(a, two, others, 4, 8, 8, 7, 3);
	augment_views(a, epoch, some, 3, 8, 8, 7, 4);
	augment_views(a, seed, some, 3, 8, 8, 8, 3);
	assert_memory_equal(&one[0], &two[2], sizeof one[0]);
	assert_memory_equal(&one[1], &two[3], sizeof one[0]);
	assert_memory_equal(&one[2], &two[0], sizeof one[0]);
	assert_memory_not_equal(one, epoch, sizeof one);
	assert_memory_not_equal(one, seed, sizeof one);
}

static void a_view_is_a_function_of_seed_epoch_and_row(void **state)
{
	const struct augment moved = read_well("{\"flip\": \"horizontal\", \"shift\": 3}");
	const struct augment cropped = read_well("{\"crop\": 0.5}");

	(void)state;
	check_function(&moved);
	check_function(&cropped);
}

static void what_it_does_not_know_is_named(void **state)
{
	static const struct {
		const char *json, *says;
	} wrong[] = {
		{ "{\"flip\": \"vertical\"}", "with.augment.flip: 'vertical' is not known" },
		{ "{\"shift\": -1}", "with.augment.shift: " },
		{ "{\"shift\": 1001}", "with.augment.shift: 1001 pixels" },
		{ "{\"crop\": 0}", "with.augment.crop: 0; from 0.1 to 1" },
		{ "{\"rotate\": 5}", "with.augment.rotate: it is not known; known are: flip" },
		{ "[]", "with.augment: " },
	};
	struct augment a;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(augment_read(&a, wrong[i].json, &fault), -1);
		if (strstr(fault.text, wrong[i].says) == NULL)
			fail_msg("'%s' does not say '%s'", fault.text, wrong[i].says);
	}
	a = read_well("{\"shift\": 6}");
	assert_int_equal(augment_check(&a, 9, 6, &fault), -1);
	assert_non_null(strstr(fault.text, "6 pixels, but the images are 9 x 6"));
	a = read_well(NULL);
	assert_int_equal(augment_is_on(&a), 0);
	a = read_well("{\"flip\": \"none\", \"crop\": 1}");
	assert_int_equal(augment_is_on(&a), 0);
}

/* --- the stage --- */

static int set_up(void **state)
{
	static unsigned char pixel[IMAGES * SIDE * SIDE], label[IMAGES];
	flow_ctx *host = stage_host_new();

	for (unsigned i = 0; i < IMAGES; i++) {
		label[i] = (unsigned char)(i * 2654435761u >> 31);
		for (unsigned j = 0; j < SIDE * SIDE; j++)
			pixel[i * SIDE * SIDE + j] = (unsigned char)((label[i] ? j / SIDE : j % SIDE) ==
						i % SIDE ? 200 : j * i % 60);
	}
	stage_host_dep(host, "images",
		stage_host_idx(host, "i", (const unsigned[]){ IMAGES, SIDE, SIDE }, 3, pixel));
	stage_host_dep(host, "labels", stage_host_idx(host, "l", (const unsigned[]){ IMAGES }, 1, label));
	stage_host_dep(host, "rows", write_rows(host, "train.npy", 0, 90));
	stage_host_dep(host, "valid_rows", write_rows(host, "valid.npy", 90, IMAGES));
	stage_host_out(host, "model", stage_host_path(host, "model"));
	stage_host_with(host, "model", "\"cnn\"");
	stage_host_with(host, "stages", "[4]");
	stage_host_with(host, "hidden", "[8]");
	stage_host_with(host, "batch_size", "16");
	stage_host_with(host, "epochs", "6");
	stage_host_with(host, "lr", "0.01");
	stage_host_with(host, "augment", "{\"flip\": \"horizontal\", \"shift\": 1, \"crop\": 0.8}");
	stage_host_seed(host, 5);
	*state = host;
	return 0;
}

static void threads_and_a_stop_change_no_bit(void **state)
{
	size_t size, again;
	char *whole = model_of(*state, &size), *parts;

	stage_host_threads(*state, 3);
	(void)stage_host_checkpoint(*state, "kept");
	stage_host_with(*state, "checkpoint_every", "4");
	stage_host_cancel_after(*state, 1);
	assert_int_equal(stage_host_run(*state, &stage_train), -1);
	stage_host_cancel_after(*state, -2);
	parts = model_of(*state, &again);
	assert_int_equal(size, again);
	assert_memory_equal(whole, parts, size);
	free(whole);
	free(parts);
	/* Another way of looking is another training: its checkpoint is not used. */
	stage_host_with(*state, "augment", "{\"shift\": 1}");
	parts = model_of(*state, &again);
	assert_int_equal(stage_host_metric(*state, "loss", 1, &(double){ 0 }), 1);
	free(parts);
}

/* What threads fetch lies elsewhere, a batch at a time: a row is still seen as its own. */
static void images_that_are_fetched_are_seen_alike(void **state)
{
	size_t size, again;
	char *where_they_lie = model_of(*state, &size), *fetched;

	stage_host_threads(*state, 2);
	stage_host_with(*state, "decode_threads", "1");
	fetched = model_of(*state, &again);
	assert_int_equal(size, again);
	assert_memory_equal(where_they_lie, fetched, size);
	free(where_they_lie);
	free(fetched);
}

/* With a rate of next to nothing the weights stay, and so does what the validation rows come to. */
static void validation_rows_are_seen_as_they_lie(void **state)
{
	double loss[3], valid[3];

	stage_host_with(*state, "lr", "1e-12");
	stage_host_with(*state, "norm", "\"none\"");
	free(model_of(*state, &(size_t){ 0 }));
	for (long epoch = 1; epoch <= 2; epoch++) {
		assert_int_equal(stage_host_metric(*state, "loss", epoch, &loss[epoch]), 1);
		assert_int_equal(stage_host_metric(*state, "valid_loss", epoch, &valid[epoch]), 1);
	}
	assert_true(valid[1] - valid[2] < 1e-6 && valid[2] - valid[1] < 1e-6);
	assert_true(loss[1] - loss[2] > 1e-4 || loss[2] - loss[1] > 1e-4);
}

static void only_a_cnn_takes_it(void **state)
{
	stage_host_with(*state, "model", "\"mlp\"");
	stage_host_with(*state, "stages", NULL);
	assert_int_equal(stage_host_run(*state, &stage_train), -1);
	assert_non_null(strstr(stage_host_failure(*state), "with.augment: mlp has no such option; it is for cnn"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_is_taken_and_none_beyond),
		cmocka_unit_test(shifts_are_whole_pixels),
		cmocka_unit_test(a_view_is_a_function_of_seed_epoch_and_row),
		cmocka_unit_test(what_it_does_not_know_is_named),
		TEST(threads_and_a_stop_change_no_bit),
		TEST(images_that_are_fetched_are_seen_alike),
		TEST(validation_rows_are_seen_as_they_lie),
		TEST(only_a_cnn_takes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
