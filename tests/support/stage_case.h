/*
 * support/stage_case.h - what tests of stages ask of a host: that a stage runs, or fails and says why, and what it told.
 *
 *     #define STAGE stage_train                  the stage that most of the tests are about
 *     #include "support/stage_case.h"
 *
 *     stage_host_dep(host, "rows", write_rows(host, "train.npy", 0, 150));
 *     must_run(host);  assert_true(metric(host, "loss", 3) < 1);
 *     expect_failure(host, "diverged");  expect_failure_of(host, &stage_evaluate, "has no rows");
 *
 * The mistakes of a test end it.
 */
#ifndef FLOW_TESTS_SUPPORT_STAGE_CASE_H
#define FLOW_TESTS_SUPPORT_STAGE_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/npy.h"
#include "support/stage_host.h"

static inline int tear_down(void **state)
{
	stage_host_free(*state);
	return 0;
}

static inline void must_run_of(flow_ctx *host, const flow_stage *stage)
{
	if (stage_host_run(host, stage) != 0)
		fail_msg("%s: %s", stage->name, stage_host_failure(host));
}

static inline void expect_failure_of(flow_ctx *host, const flow_stage *stage, const char *says)
{
	assert_int_equal(stage_host_run(host, stage), -1);
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

/* What the out `model` holds, if it is called so; free() it. */
static inline char *model_bytes(flow_ctx *host, size_t *size)
{
	char *bytes = stage_host_read(stage_host_path(host, "model"), size);

	assert_non_null(bytes);
	return bytes;
}

#ifdef STAGE
static inline void must_run(flow_ctx *host)
{
	must_run_of(host, &STAGE);
}

static inline void expect_failure(flow_ctx *host, const char *says)
{
	expect_failure_of(host, &STAGE, says);
}
/* The model that a run makes; free() it. */
static inline char *model_of(flow_ctx *host, size_t *size)
{
	must_run(host);
	return model_bytes(host, size);
}
#endif

/* columns 0: one dimension. */
static inline const char *write_npy(
	flow_ctx *host, const char *name, enum npy_type type, const void *data, size_t rows, size_t columns)
{
	const char *path = stage_host_path(host, name);
	struct fault fault;

	assert_int_equal(npy_write(path, type, data, rows, columns, &fault), 0);
	return path;
}

/* Numbers of rows, from the first to before the end. */
static inline const char *write_rows(flow_ctx *host, const char *name, int64_t first, int64_t end)
{
	int64_t *rows = malloc((size_t)(end - first + 1) * sizeof *rows);
	const char *path;

	assert_non_null(rows);
	for (int64_t i = first; i < end; i++)
		rows[i - first] = i;
	path = write_npy(host, name, NPY_INT64, rows, (size_t)(end - first), 0);
	free(rows);
	return path;
}

/* From -1 to below 1, the same for the same number. */
static inline float noise_at(unsigned i)
{
	return (float)((i * 2654435761u >> 12) & 0xffff) / 32768.0f - 1.0f;
}

#endif
