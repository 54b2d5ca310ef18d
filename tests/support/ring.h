/*
 * tests/support/ring.h - a small training for tests of the trainer: is a point inside a ring?
 *
 * ring_set_up() makes a host with 200 rows of 4 columns, 150 of them to train on, and the options of
 * a little mlp; a test changes what it is about. The mistakes of a test end it.
 */
#ifndef FLOW_TESTS_SUPPORT_RING_H
#define FLOW_TESTS_SUPPORT_RING_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/npy.h"
#include "support/stage_host.h"
#include "train/train.h"

#define RING_ROWS    200
#define RING_TRAIN   150
#define RING_COLUMNS 4

static inline float ring_noise(unsigned i)
{
	return (float)((i * 2654435761u >> 12) & 0xffff) / 32768.0f - 1.0f;
}

static inline const char *ring_npy(flow_ctx *host, const char *name, enum npy_type type, const void *data,
	size_t rows, size_t columns)
{
	const char *path = stage_host_path(host, name);
	struct fault fault;

	assert_int_equal(npy_write(path, type, data, rows, columns, &fault), 0);
	return path;
}

static inline const char *ring_rows(flow_ctx *host, const char *name, int64_t first, int64_t end)
{
	int64_t rows[RING_ROWS];

	for (int64_t i = first; i < end; i++)
		rows[i - first] = i;
	return ring_npy(host, name, NPY_INT64, rows, (size_t)(end - first), 0);
}

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
		ring_value[i] = i % RING_COLUMNS == RING_COLUMNS - 1 ? 5 : ring_noise(i);
	for (unsigned i = 0; i < RING_ROWS; i++)
		class[i] = ring_class(i);
	stage_host_dep(host, "features", ring_npy(host, "x.npy", NPY_FLOAT32, ring_value, RING_ROWS, RING_COLUMNS));
	stage_host_dep(host, "labels", ring_npy(host, "y.npy", NPY_INT64, class, RING_ROWS, 0));
	stage_host_dep(host, "rows", ring_rows(host, "train.npy", 0, RING_TRAIN));
	stage_host_dep(host, "valid_rows", ring_rows(host, "valid.npy", RING_TRAIN, RING_ROWS));
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

static inline int ring_tear_down(void **state)
{
	stage_host_free(*state);
	return 0;
}

static inline void must_run(flow_ctx *host)
{
	if (stage_host_run(host, &stage_train) != 0)
		fail_msg("%s", stage_host_failure(host));
}

static inline void expect_failure(flow_ctx *host, const char *says)
{
	assert_int_equal(stage_host_run(host, &stage_train), -1);
	if (strstr(stage_host_failure(host), says) == NULL)
		fail_msg("'%s' does not say '%s'", stage_host_failure(host), says);
}

static inline double metric(flow_ctx *host, const char *name, long step)
{
	double number = -1;

	if (!stage_host_metric(host, name, step, &number))
		fail_msg("no metric %s at %ld", name, step);
	return number;
}

static inline char *model_bytes(flow_ctx *host, size_t *size)
{
	char *bytes = stage_host_read(stage_host_path(host, "model"), size);

	assert_non_null(bytes);
	return bytes;
}

#endif
