/*
 * tests/support/ring.h - a small training for tests of the trainer: is a point inside a ring?
 *
 * ring_set_up() makes a host with 200 rows of 4 columns, 150 of them to train on, and the options of
 * a little mlp; a test changes what it is about. The mistakes of a test end it.
 */
#ifndef FLOW_TESTS_SUPPORT_RING_H
#define FLOW_TESTS_SUPPORT_RING_H

#include "train/train.h"

#define STAGE stage_train
#include "support/stage_case.h"

#define RING_ROWS    200
#define RING_TRAIN   150
#define RING_COLUMNS 4

static float ring_value[RING_ROWS * RING_COLUMNS];

/* Is a point inside a ring? No line tells them apart. The last column never changes. */
static inline int64_t ring_class(unsigned row)
{
	const float *x = ring_value + row * RING_COLUMNS;

	return x[0] * x[0] + x[1] * x[1] < 0.5f;
}

static inline int ring_set_up(void **state)
{
	flow_ctx *host = stage_host_new();
	int64_t class[RING_ROWS];

	for (unsigned i = 0; i < RING_ROWS * RING_COLUMNS; i++)
		ring_value[i] = i % RING_COLUMNS == RING_COLUMNS - 1 ? 5 : noise_at(i);
	for (unsigned i = 0; i < RING_ROWS; i++)
		class[i] = ring_class(i);
	stage_host_dep(host, "features", write_npy(host, "x.npy", NPY_FLOAT32, ring_value, RING_ROWS, RING_COLUMNS));
	stage_host_dep(host, "labels", write_npy(host, "y.npy", NPY_INT64, class, RING_ROWS, 0));
	stage_host_dep(host, "rows", write_rows(host, "train.npy", 0, RING_TRAIN));
	stage_host_dep(host, "valid_rows", write_rows(host, "valid.npy", RING_TRAIN, RING_ROWS));
	stage_host_out(host, "model", stage_host_path(host, "model"));
	stage_host_with(host, "model", "\"mlp\"");
	stage_host_with(host, "hidden", "[16, 16]");
	stage_host_with(host, "batch_size", "16");
	stage_host_with(host, "epochs", "40");
	stage_host_with(host, "lr", "0.01");
	stage_host_with(host, "patience", "0");
	stage_host_seed(host, 5);
	*state = host;
	return 0;
}

#endif
