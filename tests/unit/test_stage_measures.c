/* What `evaluate` says of two classes, of labels and of numbers. The figures wanted are those of scikit-learn
 * 1.9.1, ece (which it has not) those of NumPy. */
#include "evaluate/measure.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/fault.h"
#include "common/npy.h"
#include "evaluate/evaluate.h"
#include "train/train.h"

#define STAGE stage_evaluate
#include "support/stage_case.h"

#define ROWS   20
#define LABELS 4

static const float probability[ROWS] = { .9f, .8f, .8f, .7f, .7f, .7f, .6f, .55f, .5f, .5f, .4f, .4f,
	.4f, .3f, .25f, .2f, .2f, .1f, .05f, 0 };
static const uint8_t truth[ROWS] = { 1, 1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0 };

static void near(double found, double wanted)
{
	if (!(fabs(found - wanted) < 1e-7))
		fail_msg("%.17g is not %.17g", found, wanted);
}

/* All rows; the class that was predicted for each. */
static void binary_of(struct binary *b, size_t positive, double threshold, size_t *predicted)
{
	binary_init(b, ROWS, positive, threshold);
	for (size_t i = 0; i < ROWS; i++) {
		const float both[2] = { 1 - probability[i], probability[i] };

		predicted[i] = binary_add(b, truth[i], both);
	}
	binary_finish(b);
}

static void areas_with_ties_are_those_of_scikit_learn(void **state)
{
	size_t predicted[ROWS];
	struct binary b;

	(void)state;
	binary_of(&b, 1, 0.5, predicted);
	near(b.curve.roc_auc, 0.78125);
	near(b.curve.average_precision, 0.67326007326007331);
	near(b.curve.best_f1, 0.69565217391304357);
	near(b.curve.best_threshold, 0.25);
	binary_release(&b);
	binary_of(&b, 0, 0.5, predicted);
	near(b.curve.roc_auc, 0.78125);
	near(b.curve.average_precision, 0.85458428310595502);
	binary_release(&b);
}

static void trust_in_probabilities_is_measured(void **state)
{
	size_t predicted[ROWS];
	struct binary b;

	(void)state;
	binary_of(&b, 1, 0.5, predicted);
	near(b.brier, 0.18737500905990601);
	near(b.ece, 0.13750000130385159);
	binary_release(&b);
}

static void the_threshold_itself_is_positive(void **state)
{
	static const struct {
		double threshold, accuracy, precision, recall, f1;
	} wanted[] = { { 0.5, 0.7, 0.6, 0.75, 2.0 / 3 },
		{ 0.4, 0.65, 0.53846153846153844, 0.875, 2.0 / 3 } };

	(void)state;
	for (size_t w = 0; w < 2; w++) {
		size_t predicted[ROWS];
		struct report r;
		struct binary b;

		binary_of(&b, 1, wanted[w].threshold, predicted);
		report_init(&r, 2);
		for (size_t i = 0; i < ROWS; i++)
			report_add(&r, truth[i], predicted[i], 0);
		report_finish(&r);
		near(r.accuracy, wanted[w].accuracy);
		near(r.of_class[1].precision, wanted[w].precision);
		near(r.of_class[1].recall, wanted[w].recall);
		near(r.of_class[1].f1, wanted[w].f1);
		report_release(&r);
		binary_release(&b);
	}
}

static void one_class_only_has_no_area(void **state)
{
	static const uint8_t none[3] = { 0, 0, 0 }, all[3] = { 1, 1, 1 };
	struct curve c;

	(void)state;
	curve_measure(&c, probability, 1, none, 3);
	assert_true(isnan(c.roc_auc) && isnan(c.average_precision) && isnan(c.best_f1));
	curve_measure(&c, probability, 1, all, 3);
	assert_true(isnan(c.roc_auc));
	near(c.average_precision, 1);
	near(c.best_f1, 1);
}

/* Of pairs of a positive and a negative, counted one by one. */
static void many_scores_of_any_sign_are_ranked(void **state)
{
	enum { MANY = 3000 };
	static float score[MANY];
	static uint8_t is[MANY];
	double won = 0, pairs = 0;
	struct curve c;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		score[i] = (float)((i * 2654435761u >> 20) % 500) / 16.0f - 15.0f;
		is[i] = (i * 40503u >> 3) % 3 == 0;
	}
	score[7] = -0.0f;
	for (size_t i = 0; i < MANY; i++)
		for (size_t j = 0; j < MANY; j++)
			if (is[i] && !is[j]) {
				won += score[i] > score[j] ? 1 : score[i] < score[j] ? 0 : 0.5;
				pairs++;
			}
	curve_measure(&c, score, 1, is, MANY);
	near(c.roc_auc, won / pairs);
}

static const float targets[6][2] = { { 3, -.5f }, { 2, 0 }, { 7, 1 }, { -1.5f, 8 }, { 0, 2.5f },
	{ 4.25f, -3 } };
static const float found[6][2] = { { 2.5f, .25f }, { 2, .5f }, { 8, -1 }, { -1, 7.5f }, { 0, 2 },
	{ 3, -2.5f } };

static void distances_of_numbers_are_those_of_scikit_learn(void **state)
{
	struct numbers n;

	(void)state;
	numbers_init(&n, 2, 0.9);
	for (size_t i = 0; i < 6; i++)
		numbers_add(&n, targets[i], found[i]);
	numbers_finish(&n);
	near(n.mean.mse, 0.71875);
	near(n.mean.rmse, 0.83864307403564453);
	near(n.mean.mae, 2.0 / 3);
	near(n.mean.r2, 0.92692267894744873);
	near(n.mean.pinball, 0.38333333333333333);
	near(n.mean.coverage, 3.5 / 6);
	near(n.of_target[0].mse, 0.51041666666666667);
	near(n.of_target[0].r2, 0.93349921703338623);
	near(n.of_target[1].rmse, 0.96285164356231689);
	near(n.of_target[1].pinball, 0.47916666666666667);
	numbers_release(&n);
}

static void r2_of(double wanted, const float *y, const float *f, size_t rows)
{
	struct numbers n;

	numbers_init(&n, 1, (double)NAN);
	for (size_t i = 0; i < rows; i++)
		numbers_add(&n, y + i, f + i);
	numbers_finish(&n);
	if (isnan(wanted))
		assert_true(isnan(n.mean.r2));
	else
		near(n.mean.r2, wanted);
	numbers_release(&n);
}

static void r2_of_a_truth_that_never_changes_is_a_rule(void **state)
{
	const float same[3] = { 2, 2, 2 }, other[3] = { 2, 2, 3 };

	(void)state;
	r2_of(1, same, same, 3);
	r2_of(0, same, other, 3);
	r2_of((double)NAN, same, same, 1);
	r2_of(1 - 1 / (2.0 / 3), other, same, 3);
}

static const float has[6][LABELS] = { { 1, 0, 0, 0 }, { 1, 1, 0, 0 }, { 0, 1, 0, 0 }, { 1, 0, 0, 0 },
	{ 0, 0, 0, 0 }, { 1, 1, 0, 0 } };
static const float of_label[6][LABELS] = { { .9f, .2f, .1f, .6f }, { .8f, .4f, .3f, .1f },
	{ .3f, .7f, .2f, .2f }, { .4f, .4f, .1f, .1f }, { .4f, .6f, .05f, .3f },
	{ .7f, .9f, .2f, .5f } };

static void expect_figures(const struct figures *f, double precision, double recall, double f1)
{
	near(f->precision, precision);
	near(f->recall, recall);
	near(f->f1, f1);
}

static void labels_of(struct measure *m)
{
	const struct task task = { TASK_LABELS, LABELS, 0, (double)NAN };
	const struct measure_options options = { .threshold = 0.5 };

	measure_init(m, &task, 6, &options);
	for (size_t i = 0; i < 6; i++) {
		float score[LABELS];

		for (size_t j = 0; j < LABELS; j++)
			score[j] = logf(of_label[i][j] / (1 - of_label[i][j])) + 1e-6f;
		measure_row(m, has[i], score);
	}
	measure_finish(m);
}

/* Labels 2 and 3 never occur; 2 is never predicted. */
static void labels_are_averaged_as_scikit_learn_does(void **state)
{
	struct measure m;
	struct labels *l = &m.labels;

	(void)state;
	labels_of(&m);
	expect_figures(&l->micro, 0.625, 0.7142857142857143, 2.0 / 3);
	expect_figures(&l->macro, 0.41666666666666663, 0.35416666666666663, 0.38095238095238093);
	expect_figures(&l->weighted, 0.8571428571428571, 0.7142857142857143, 0.77551020408163274);
	near(l->label[0].figures.f1, 6.0 / 7);
	near(l->label[1].figures.f1, 2.0 / 3);
	near(l->label[3].figures.f1, 0);
	near(l->subset_accuracy, 1.0 / 6);
	near(l->hamming_loss, 5.0 / 24);
	assert_true(fabs(l->loss - 0.37343793645839007) < 1e-6);
	near(l->label[0].curve.roc_auc, 0.9375);
	near(l->label[1].curve.roc_auc, 0.83333333333333326);
	near(l->roc_auc, (0.9375 + 0.83333333333333326) / 2);
	near(l->average_precision, (0.95 + 0.8666666666666667) / 2);
	measure_release(&m);
}

/* Through the stages: what is trained can be measured, whatever it predicts. */

#define MANY    400
#define COLUMNS 3

static int set_up(void **state)
{
	static float value[MANY * COLUMNS];
	flow_ctx *host = stage_host_new();
	struct fault fault;

	for (unsigned i = 0; i < MANY * COLUMNS; i++)
		value[i] = (float)((i * 2654435761u >> 12) & 0xffff) / 32768.0f - 1.0f;
	stage_host_dep(host, "features", stage_host_path(host, "x.npy"));
	assert_int_equal(npy_write(stage_host_path(host, "x.npy"), NPY_FLOAT32, value, MANY,
				 COLUMNS, &fault),
		0);
	stage_host_out(host, "model", stage_host_path(host, "model"));
	stage_host_with(host, "model", "\"mlp\"");
	stage_host_with(host, "hidden", "[16]");
	stage_host_with(host, "lr", "0.02");
	stage_host_with(host, "batch_size", "16");
	stage_host_seed(host, 5);
	*state = host;
	return 0;
}

static void give(flow_ctx *host, enum npy_type type, const void *labels, size_t columns)
{
	const char *path = stage_host_path(host, "y.npy");
	struct fault fault;

	assert_int_equal(npy_write(path, type, labels, MANY, columns, &fault), 0);
	stage_host_dep(host, "labels", path);
}

/* of_row(x): a number or a label, from the row's three values. */
static void make(float *to, size_t columns, flow_ctx *host, float (*of_row)(const float *x, size_t j))
{
	size_t size;
	char *bytes = stage_host_read(stage_host_path(host, "x.npy"), &size);
	float x[COLUMNS];

	for (size_t i = 0; i < MANY; i++) {
		memcpy(x, bytes + 128 + i * sizeof x, sizeof x);
		for (size_t j = 0; j < columns; j++)
			to[i * columns + j] = of_row(x, j);
	}
	free(bytes);
}

static float plane(const float *x, size_t j)
{
	return 3 * x[0] - x[1] + (float)j + 1;
}

static float side(const float *x, size_t j)
{
	return x[j] + x[2] / 4 > 0.1f;
}

static void evaluate(flow_ctx *host)
{
	stage_host_dep(host, "model", stage_host_path(host, "model"));
	stage_host_out(host, "report", stage_host_path(host, "report"));
	stage_host_out(host, "predictions", stage_host_path(host, "p.npy"));
	must_run_of(host, &stage_evaluate);
}

static void expect_report(flow_ctx *host, const char *piece)
{
	char *text = stage_host_read(stage_host_path(host, "report"), NULL);
	int is_there;

	assert_non_null(text);
	is_there = strstr(text, piece) != NULL;
	if (!is_there)
		print_error("%s\n", text);
	free(text);
	assert_true(is_there);
}

static void a_model_of_numbers_is_measured(void **state)
{
	float y[MANY];
	double rmse;

	make(y, 1, *state, plane);
	give(*state, NPY_FLOAT32, y, 0);
	must_run_of(*state, &stage_train);
	evaluate(*state);
	rmse = metric(*state, "rmse", -1);
	assert_true(rmse > 0 && rmse < 0.2);
	assert_true(metric(*state, "r2", -1) > 0.98);
	near(metric(*state, "mse", -1), rmse * rmse);
	expect_report(*state, "\"n\": 400,\n  \"mse\": ");
	stage_host_with(*state, "threshold", "0.3");
	expect_failure(*state, "with.threshold is for two classes and for labels; the model gives 1 numbers");
}

static void trees_of_numbers_are_measured_as_they_were_validated(void **state)
{
	int64_t rows[MANY / 2];
	float y[MANY];
	struct fault fault;
	double valid;

	for (int64_t i = 0; i < MANY / 2; i++)
		rows[i] = 2 * i;
	make(y, 1, *state, plane);
	give(*state, NPY_FLOAT32, y, 0);
	assert_int_equal(npy_write(stage_host_path(*state, "rows.npy"), NPY_INT64, rows, MANY / 2, 0,
				 &fault),
		0);
	stage_host_dep(*state, "valid_rows", stage_host_path(*state, "rows.npy"));
	stage_host_with(*state, "model", "\"gbdt\"");
	stage_host_with(*state, "hidden", NULL);
	stage_host_with(*state, "lr", NULL);
	stage_host_with(*state, "batch_size", NULL);
	stage_host_with(*state, "rounds", "30");
	must_run_of(*state, &stage_train);
	valid = metric(*state, "best_valid_rmse", -1);
	stage_host_dep(*state, "rows", stage_host_path(*state, "rows.npy"));
	evaluate(*state);
	assert_true(fabs(metric(*state, "rmse", -1) - valid) < 1e-5);
}

static void a_quantile_is_known_to_the_model(void **state)
{
	float y[2 * MANY];

	make(y, 2, *state, plane);
	give(*state, NPY_FLOAT32, y, 2);
	stage_host_with(*state, "loss", "\"quantile\"");
	stage_host_with(*state, "delta", "0.8");
	stage_host_with(*state, "class_names", "[\"low\", \"high\"]");
	must_run_of(*state, &stage_train);
	evaluate(*state);
	assert_true(metric(*state, "pinball", -1) < 0.2);
	assert_true(metric(*state, "coverage", -1) > 0.6 && metric(*state, "coverage", -1) < 0.95);
	expect_report(*state, "\"quantile\": 0.8,");
	expect_report(*state, "{\"target\": 1, \"name\": \"high\", \"mse\": ");
	make(y, 1, *state, plane);
	give(*state, NPY_FLOAT32, y, 0);
	expect_failure(*state, "the model gives 2 numbers a row, but");
}

static void a_model_of_labels_is_measured(void **state)
{
	float y[2 * MANY], *p;
	char *bytes;

	make(y, 2, *state, side);
	give(*state, NPY_FLOAT32, y, 2);
	stage_host_with(*state, "loss", "\"sigmoid\"");
	must_run_of(*state, &stage_train);
	evaluate(*state);
	assert_true(metric(*state, "micro_f1", -1) > 0.95);
	assert_true(metric(*state, "subset_accuracy", -1) > 0.9);
	assert_true(metric(*state, "roc_auc", -1) > 0.98);
	expect_report(*state, "{\"label\": 1, \"precision\": ");
	bytes = stage_host_read(stage_host_path(*state, "p.npy"), NULL);
	p = (float *)(void *)(bytes + 128);
	for (size_t i = 0; i < 2 * MANY; i++)
		assert_true(p[i] >= 0 && p[i] <= 1);
	free(bytes);
	y[7] = 0.5f;
	give(*state, NPY_FLOAT32, y, 2);
	expect_failure(*state, "row 3, column 1 of");
}

static void of_two_classes_one_is_to_be_found(void **state)
{
	float y[MANY];
	int64_t class[MANY];
	double of_1;

	make(y, 1, *state, side);
	for (size_t i = 0; i < MANY; i++)
		class[i] = y[i] > 0.5f;
	give(*state, NPY_INT64, class, 0);
	must_run_of(*state, &stage_train);
	evaluate(*state);
	of_1 = metric(*state, "recall", -1);
	assert_true(metric(*state, "roc_auc", -1) > 0.98 && metric(*state, "brier", -1) < 0.1);
	expect_report(*state, "\"positive\": {\n    \"class\": 1,\n    \"threshold\": 0.5,");
	stage_host_with(*state, "threshold", "0.01");
	evaluate(*state);
	assert_true(metric(*state, "recall", -1) >= of_1);
	stage_host_with(*state, "class_names", "[\"no\", \"yes\"]");
	stage_host_with(*state, "positive", "\"no\"");
	evaluate(*state);
	expect_report(*state, "\"class\": 0,\n    \"name\": \"no\",");
	stage_host_with(*state, "positive", "\"maybe\"");
	expect_failure(*state, "with.positive: 'maybe' is no class; the classes are: no, yes");
	stage_host_with(*state, "positive", "2");
	expect_failure(*state, "with.positive: '2' is neither 0 nor 1");
}

/* One score of sigmoid may be trained on floats; then rows to measure may be floats, too. */
static void floats_may_be_classes_of_two(void **state)
{
	float y[MANY];

	make(y, 1, *state, side);
	give(*state, NPY_FLOAT32, y, 0);
	stage_host_with(*state, "loss", "\"sigmoid\"");
	must_run_of(*state, &stage_train);
	evaluate(*state);
	assert_true(metric(*state, "accuracy", -1) > 0.9);
	y[5] = 0.25f;
	give(*state, NPY_FLOAT32, y, 0);
	expect_failure(*state, "row 5 of");
}

static void rows_of_one_class_have_no_area_and_a_report(void **state)
{
	int64_t class[MANY];
	double unused;
	float y[MANY];

	make(y, 1, *state, side);
	for (size_t i = 0; i < MANY; i++)
		class[i] = y[i] > 0.5f;
	give(*state, NPY_INT64, class, 0);
	must_run_of(*state, &stage_train);
	memset(class, 0, sizeof class);
	give(*state, NPY_INT64, class, 0);
	evaluate(*state);
	assert_int_equal(stage_host_metric(*state, "roc_auc", -1, &unused), 0);
	assert_int_equal(stage_host_metric(*state, "average_precision", -1, &unused), 0);
	assert_int_equal(stage_host_metric(*state, "accuracy", -1, &unused), 1);
	expect_report(*state, "\"roc_auc\": null,\n    \"average_precision\": null,");
}

static void truth_of_another_kind_is_an_error(void **state)
{
	int64_t class[MANY] = { 0 };
	float y[MANY];

	make(y, 1, *state, plane);
	give(*state, NPY_FLOAT32, y, 0);
	must_run_of(*state, &stage_train);
	give(*state, NPY_INT64, class, 0);
	stage_host_dep(*state, "model", stage_host_path(*state, "model"));
	stage_host_out(*state, "report", stage_host_path(*state, "report"));
	expect_failure(*state, "holds whole numbers, which are classes, but the model gives 1 numbers");
	class[1] = 1;
	give(*state, NPY_INT64, class, 0);
	must_run_of(*state, &stage_train);
	give(*state, NPY_FLOAT32, y, 0);
	expect_failure(*state, "holds numbers, not classes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(areas_with_ties_are_those_of_scikit_learn),
		cmocka_unit_test(trust_in_probabilities_is_measured),
		cmocka_unit_test(the_threshold_itself_is_positive),
		cmocka_unit_test(one_class_only_has_no_area),
		cmocka_unit_test(many_scores_of_any_sign_are_ranked),
		cmocka_unit_test(distances_of_numbers_are_those_of_scikit_learn),
		cmocka_unit_test(r2_of_a_truth_that_never_changes_is_a_rule),
		cmocka_unit_test(labels_are_averaged_as_scikit_learn_does),
		cmocka_unit_test_setup_teardown(a_model_of_numbers_is_measured, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			trees_of_numbers_are_measured_as_they_were_validated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_quantile_is_known_to_the_model, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_model_of_labels_is_measured, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_two_classes_one_is_to_be_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(floats_may_be_classes_of_two, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			rows_of_one_class_have_no_area_and_a_report, set_up, tear_down),
		cmocka_unit_test_setup_teardown(truth_of_another_kind_is_an_error, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
