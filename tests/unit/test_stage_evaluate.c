#include "evaluate/evaluate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/linear.h"
#include "common/npy.h"
#include "common/safetensors.h"
#include "evaluate/report.h"

#define STAGE stage_evaluate
#include "support/stage_case.h"

#define CLASSES 3

/* A model of two pixels: class 0 when the first is brighter, class 1 when the second is, never
 * class 2. */
static const char *write_model(flow_ctx *host)
{
	struct tensors notes = { 0 };
	struct linear model;
	struct fault fault;
	const float mean[2] = { 0, 0 }, spread[2] = { 1, 1 };
	const char *path = stage_host_path(host, "model");

	linear_init(&model, CLASSES, 2);
	model.weight[0] = 4;               /* pixel 0, class 0 */
	model.weight[model.lanes + 1] = 4; /* pixel 1, class 1 */
	model.bias[2] = -100;
	linear_standardise(&model, mean, spread);
	assert_int_equal(linear_save(&model, &notes, path, &fault), 0);
	tensors_release(&notes);
	linear_release(&model);
	return path;
}

static int set_up(void **state)
{
	flow_ctx *host = stage_host_new();
	const unsigned char pixels[12] = { 255, 0, 255, 0, 0, 255, 0, 255, 255, 0, 0, 255 };
	const unsigned char labels[6] = { 0, 0, 1, 0, 2, 1 };

	stage_host_dep(host, "model", write_model(host));
	stage_host_dep(host, "images",
		stage_host_idx(host, "images", (const unsigned[]){ 6, 1, 2 }, 3, pixels));
	stage_host_dep(
		host, "labels", stage_host_idx(host, "labels", (const unsigned[]){ 6 }, 1, labels));
	stage_host_out(host, "report", stage_host_path(host, "report"));
	*state = host;
	return 0;
}

static void expect_near(double found, double wanted)
{
	if (!(fabs(found - wanted) < 1e-6))
		fail_msg("%.9g is not %.9g", found, wanted);
}

static void expect_report(flow_ctx *host, const char *piece)
{
	char *text = stage_host_read(stage_host_path(host, "report"), NULL);
	int found;

	assert_non_null(text);
	found = strstr(text, piece) != NULL;
	if (!found)
		print_error("%s\n", text);
	free(text);
	assert_true(found);
}

/* Predictions are 0 0 1 1 0 1 for the truth 0 0 1 0 2 1. */
static void figures_are_those_worked_out_by_hand(void **state)
{
	const double sure = log(1 + exp(-4.0)), wrong = 4 + sure, hopeless = 104 + sure;

	assert_int_equal(stage_host_run(*state, &stage_evaluate), 0);
	expect_near(metric(*state, "accuracy", -1), 4.0 / 6);
	/* f1: 2*2/(3+3), 2*2/(2+3), 0 */
	expect_near(metric(*state, "macro_f1", -1), (4.0 / 6 + 4.0 / 5 + 0) / 3);
	assert_true(fabs(metric(*state, "log_loss", -1) - (4 * sure + wrong + hopeless) / 6) < 1e-4);
	expect_report(*state, "\"n\": 6,");
	expect_report(*state, "[2, 1, 0],\n    [0, 2, 0],\n    [1, 0, 0]");
	expect_report(*state, "\"recall\": 1, \"f1\": 0.8, \"support\": 2}");
}

static void a_class_never_predicted_has_precision_0_and_the_report_says_so(void **state)
{
	assert_int_equal(stage_host_run(*state, &stage_evaluate), 0);
	expect_report(*state,
		"{\"class\": 2, \"precision\": 0, \"recall\": 0, \"f1\": 0, \"support\": 1}");
	expect_report(*state, "\"zero_division\": \"precision of a class never predicted");
}

static void averages_leave_out_classes_that_play_no_part(void **state)
{
	struct report report;

	(void)state;
	report_init(&report, 4); /* class 3 neither occurs nor is predicted */
	report_add(&report, 0, 0, 0.5);
	report_add(&report, 1, 1, 0.5);
	report_add(&report, 1, 2, 0.5);
	report_finish(&report);
	expect_near(report.macro.f1, (1 + 2.0 / 3 + 0) / 3);
	expect_near(report.weighted.recall, (1 * 1 + 2 * 0.5) / 3);
	expect_near(report.loss, 0.5);
	report_release(&report);
}

static void classes_may_be_named(void **state)
{
	stage_host_with(*state, "class_names", "[\"shirt\", \"a \\\"bag\\\"\", \"boot\"]");
	assert_int_equal(stage_host_run(*state, &stage_evaluate), 0);
	expect_report(*state, "{\"class\": 1, \"name\": \"a \\\"bag\\\"\", \"precision\"");
}

static void names_must_be_as_many_as_classes(void **state)
{
	stage_host_with(*state, "class_names", "[\"shirt\"]");
	expect_failure(*state, "with.class_names: 1 names for the 3 classes");
	stage_host_with(*state, "class_names", "[\"a\", \"b\", \"c\", \"d\"]");
	expect_failure(*state, "more names than the 3 classes");
	stage_host_with(*state, "class_names", "[1, 2, 3]");
	expect_failure(*state, "text is wanted");
	stage_host_with(*state, "class_names", "[]");
	assert_int_equal(stage_host_run(*state, &stage_evaluate), 0);
}

static void predictions_are_probabilities_of_each_class(void **state)
{
	size_t size;
	float row[CLASSES];
	char *bytes;

	stage_host_out(*state, "predictions", stage_host_path(*state, "p.npy"));
	assert_int_equal(stage_host_run(*state, &stage_evaluate), 0);
	bytes = stage_host_read(stage_host_path(*state, "p.npy"), &size);
	assert_int_equal(size, 128 + 6 * CLASSES * sizeof(float));
	assert_non_null(strstr(bytes + 10, "'descr': '<f4'"));
	assert_non_null(strstr(bytes + 10, "'shape': (6, 3)"));
	memcpy(row, bytes + 128, sizeof row);
	expect_near((double)row[0], 1 / (1 + exp(-4.0)));
	expect_near((double)row[0] + (double)row[1] + (double)row[2], 1);
	free(bytes);
}

static void only_the_listed_rows_are_scored(void **state)
{
	const int64_t rows[2] = { 0, 2 };
	struct fault fault;
	const char *path = stage_host_path(*state, "rows.npy");

	assert_int_equal(npy_write(path, NPY_INT64, rows, 2, 0, &fault), 0);
	stage_host_dep(*state, "rows", path);
	assert_int_equal(stage_host_run(*state, &stage_evaluate), 0);
	expect_near(metric(*state, "accuracy", -1), 1);
	expect_report(*state, "\"n\": 2,");
}

static void the_same_inputs_give_the_same_bytes(void **state)
{
	size_t size, again;
	char *first, *second;

	assert_int_equal(stage_host_run(*state, &stage_evaluate), 0);
	first = stage_host_read(stage_host_path(*state, "report"), &size);
	assert_int_equal(stage_host_run(*state, &stage_evaluate), 0);
	second = stage_host_read(stage_host_path(*state, "report"), &again);
	assert_int_equal(size, again);
	assert_memory_equal(first, second, size);
	free(first);
	free(second);
}

static void a_model_that_does_not_fit_the_data_is_an_error(void **state)
{
	const unsigned char pixels[6] = { 0 }, labels[6] = { 0, 0, 0, 9, 0, 0 };

	stage_host_dep(*state, "labels",
		stage_host_idx(*state, "nine", (const unsigned[]){ 6 }, 1, labels));
	expect_failure(*state, "row 3 has label 9, but the model knows 3 classes");
	stage_host_dep(*state, "images",
		stage_host_idx(*state, "small", (const unsigned[]){ 6, 1, 1 }, 3, pixels));
	expect_failure(*state, "the model takes 2 pixels, but the images have 1");
}

static void a_file_that_is_no_model_is_an_error(void **state)
{
	static const float value = 1, nothing[2] = { 0, 0 };
	struct tensors tensors = { 0 };
	struct fault fault;
	const char *path = stage_host_path(*state, "other");

	stage_host_dep(*state, "model", path);
	expect_failure(*state, "cannot open");
	tensors_add(&tensors, "x", TENSOR_F32, (const uint64_t[]){ 1 }, 1, &value);
	assert_int_equal(tensors_write(&tensors, path, &fault), 0);
	expect_failure(*state, "is not a linear model");
	tensors_add(&tensors, "linear.weight", TENSOR_F32, (const uint64_t[]){ 1, 2 }, 2, nothing);
	assert_int_equal(tensors_write(&tensors, path, &fault), 0);
	expect_failure(*state, "has no tensor 'linear.bias'");
	tensors_add(&tensors, "linear.bias", TENSOR_F32, (const uint64_t[]){ 2 }, 1, nothing);
	assert_int_equal(tensors_write(&tensors, path, &fault), 0);
	expect_failure(*state, "tensor 'linear.bias' has not the type and shape");
	tensors_release(&tensors);
	tensors_add(&tensors, "linear.weight", TENSOR_F32, (const uint64_t[]){ 1, 2 }, 2, nothing);
	tensors_add(&tensors, "linear.bias", TENSOR_F32, (const uint64_t[]){ 1 }, 1, nothing);
	tensors_add(&tensors, "input.mean", TENSOR_F32, (const uint64_t[]){ 2 }, 1, nothing);
	tensors_add(&tensors, "input.std", TENSOR_F32, (const uint64_t[]){ 2 }, 1, nothing);
	assert_int_equal(tensors_write(&tensors, path, &fault), 0);
	expect_failure(*state, "'input.std' has a value that is not above 0");
	tensors_release(&tensors);
}

static void missing_ports_are_named(void **state)
{
	stage_host_out(*state, "report", NULL);
	expect_failure(*state, "needs an out named 'report'");
	stage_host_dep(*state, "model", NULL);
	expect_failure(*state, "needs deps named 'model', 'images' (or 'features' or 'texts') and");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			figures_are_those_worked_out_by_hand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_class_never_predicted_has_precision_0_and_the_report_says_so, set_up,
			tear_down),
		cmocka_unit_test(averages_leave_out_classes_that_play_no_part),
		cmocka_unit_test_setup_teardown(classes_may_be_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			names_must_be_as_many_as_classes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			predictions_are_probabilities_of_each_class, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_the_listed_rows_are_scored, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_same_inputs_give_the_same_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_model_that_does_not_fit_the_data_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_no_model_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(missing_ports_are_named, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
