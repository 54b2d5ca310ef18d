/* Which columns a model looks at: the gain of trees, the coefficients of what is linear. */
#include "train/importance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/npy.h"
#include "support/stage_case.h"
#include "table/table.h"
#include "train/train.h"

#define ROWS    500
#define COLUMNS 4

static const char *path_of(flow_ctx *host, const char *name)
{
	return stage_host_path(host, name);
}

/* Between -1 and 1, without any order that one column could tell of another. */
static float noise(unsigned i)
{
	i = (i ^ i >> 16) * 0x7feb352du;
	i = (i ^ i >> 15) * 0x846ca68bu;
	return (float)((i ^ i >> 16) & 0xffff) / 32768.0f - 1.0f;
}

static double deviation[COLUMNS]; /* of the values as they were drawn */

static void measure(const float *value)
{
	for (unsigned j = 0; j < COLUMNS; j++) {
		double sum = 0, squares = 0;

		for (unsigned i = 0; i < ROWS; i++) {
			sum += (double)value[i * COLUMNS + j];
			squares += (double)value[i * COLUMNS + j] * (double)value[i * COLUMNS + j];
		}
		deviation[j] = sqrt(squares / ROWS - sum / ROWS * (sum / ROWS));
	}
}

/* 3 of column 0, whose values are `times` as large, less 1 of column 2; columns 1 and 3 say nothing. */
static void give_numbers(flow_ctx *host, float times)
{
	static float value[ROWS * COLUMNS], target[ROWS];
	struct fault fault;

	for (unsigned i = 0; i < ROWS * COLUMNS; i++)
		value[i] = noise(i);
	measure(value);
	for (unsigned i = 0; i < ROWS; i++) {
		float *x = value + i * COLUMNS;

		target[i] = 3 * x[0] - x[2];
		x[0] *= times;
		x[3] = 7;
	}
	assert_int_equal(npy_write(path_of(host, "x.npy"), NPY_FLOAT32, value, ROWS, COLUMNS, &fault), 0);
	assert_int_equal(npy_write(path_of(host, "y.npy"), NPY_FLOAT32, target, ROWS, 0, &fault), 0);
	stage_host_dep(host, "features", path_of(host, "x.npy"));
	stage_host_dep(host, "labels", path_of(host, "y.npy"));
}

static int set_up(void **state)
{
	flow_ctx *host = stage_host_new();

	give_numbers(host, 1);
	stage_host_out(host, "model", path_of(host, "model"));
	stage_host_out(host, "importance", path_of(host, "importance"));
	*state = host;
	return 0;
}

static void be_linear(flow_ctx *host)
{
	stage_host_with(host, "model", "\"mlp\"");
	stage_host_with(host, "hidden", "[]");
	stage_host_with(host, "lr", "0.05");
	stage_host_with(host, "weight_decay", "0");
	stage_host_with(host, "batch_size", "32");
	stage_host_with(host, "epochs", "60");
}

/* A figure of a column; place: where it stands in the list. */
static double figure(flow_ctx *host, const char *column, const char *key, int *place)
{
	char *text = stage_host_read(path_of(host, "importance"), NULL), wanted[60], *at, *found;
	double value;

	assert_non_null(text);
	(void)snprintf(wanted, sizeof wanted, "{\"column\": %s,", column);
	found = strstr(text, wanted);
	if (found == NULL)
		fail_msg("no %s in %s", wanted, text);
	*place = 0;
	for (at = text; at < found; at++)
		*place += *at == '{';
	(void)snprintf(wanted, sizeof wanted, "\"%s\": ", key);
	found = strstr(found, wanted);
	if (found == NULL)
		fail_msg("no %s in %s", wanted, text);
	value = strtod(found + strlen(wanted), NULL);
	free(text);
	return value;
}

static void expect(flow_ctx *host, const char *column, const char *key, double wanted, double within,
	int wanted_place)
{
	int place;
	double value = figure(host, column, key, &place);

	if (!(fabs(value - wanted) <= within))
		fail_msg("%s of %s is %g, not %g", key, column, value, wanted);
	if (wanted_place != 0)
		assert_int_equal(place, wanted_place);
}

static void trees_say_what_they_gain(void **state)
{
	double gain, total, splits;
	int place;

	stage_host_with(*state, "model", "\"gbdt\"");
	stage_host_with(*state, "rounds", "20");
	stage_host_with(*state, "depth", "3");
	must_run_of(*state, &stage_train);
	expect(*state, "0", "share", 0.8, 0.15, 1);
	expect(*state, "3", "share", 0, 0, 4);
	expect(*state, "3", "splits", 0, 0, 4);
	gain = figure(*state, "0", "gain", &place);
	total = figure(*state, "0", "total_gain", &place);
	splits = figure(*state, "0", "splits", &place);
	assert_true(splits > 10);
	assert_true(fabs(gain * splits - total) < 1e-4 * total);
}

static void coefficients_are_standardised(void **state)
{
	static const char *const ways[][2] = { { "1", "true" }, { "1", "false" }, { "100", "true" } };

	be_linear(*state);
	for (size_t i = 0; i < 3; i++) {
		give_numbers(*state, strtof(ways[i][0], NULL));
		stage_host_with(*state, "standardize", ways[i][1]);
		must_run_of(*state, &stage_train);
		expect(*state, "0", "coefficient", 3 * deviation[0], 0.01, 1);
		expect(*state, "2", "coefficient", deviation[2], 0.01, 2);
		expect(*state, "1", "coefficient", 0, 0.01, 3);
		expect(*state, "3", "coefficient", 0, 0, 4);
		expect(*state, "0", "share", 0.75, 0.05, 1);
	}
}

/* Half of the rows are of cities that cost 4 more: the deviation of that is 2. */
static void categories_are_measured_by_what_they_add(void **state)
{
	char *csv = malloc(ROWS * 60), *at = csv;

	at += sprintf(at, "size,city,floor,price\n");
	for (unsigned i = 0; i < ROWS; i++) {
		unsigned city = i * 7 % 4;
		double size = (double)noise(3 * i);

		at += sprintf(at, "%.4f,%c,%.4f,%.4f\n", size, 'A' + (char)city,
			(double)noise(3 * i + 1), size + (city % 2 == 0 ? 4.0 : 0.0));
	}
	stage_host_dep(*state, "data", stage_host_write(*state, "t.csv", csv, (size_t)(at - csv)));
	free(csv);
	stage_host_out(*state, "table", path_of(*state, "t.shard"));
	must_run_of(*state, &stage_table);
	be_linear(*state);
	stage_host_dep(*state, "features", NULL);
	stage_host_dep(*state, "labels", NULL);
	stage_host_dep(*state, "table", path_of(*state, "t.shard"));
	stage_host_with(*state, "target", "\"price\"");
	must_run_of(*state, &stage_train);
	expect(*state, "\"city\"", "coefficient", 2, 0.1, 1);
	expect(*state, "\"size\"", "coefficient", 1 / sqrt(3), 0.05, 2);
	expect(*state, "\"floor\"", "coefficient", 0, 0.05, 3);
}

/* Of two classes only the difference counts: half of it for each. */
static void classes_count_by_their_differences(void **state)
{
	int64_t class[ROWS];
	struct fault fault;
	int place;

	for (unsigned i = 0; i < ROWS; i++)
		class[i] = noise(i * COLUMNS + 2) + 0.3f * noise(i * COLUMNS + 1) > 0;
	assert_int_equal(npy_write(path_of(*state, "c.npy"), NPY_INT64, class, ROWS, 0, &fault), 0);
	stage_host_dep(*state, "labels", path_of(*state, "c.npy"));
	be_linear(*state);
	must_run_of(*state, &stage_train);
	expect(*state, "2", "share", 0.76, 0.08, 1);
	assert_true(figure(*state, "1", "share", &place) > 0.15);
	assert_int_equal(place, 2);
}

static void models_without_importance_say_so(void **state)
{
	static const char *const models[] = { "\"mlp\"", "\"auto\"", "\"softmax\"" };

	for (size_t i = 0; i < 3; i++) {
		stage_host_with(*state, "model", models[i]);
		assert_int_equal(stage_host_run(*state, &stage_train), -1);
		assert_non_null(strstr(stage_host_failure(*state),
			"an out named 'importance' is for gbdt, and for a mlp with hidden: []"));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(trees_say_what_they_gain),
		TEST(coefficients_are_standardised),
		TEST(categories_are_measured_by_what_they_add),
		TEST(classes_count_by_their_differences),
		TEST(models_without_importance_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
