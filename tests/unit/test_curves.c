#include "../support/past_runs.h"

#include "base/json.h"
#include "base/vec.h"
#include "report/curves.h"

static const struct curve *curve_called(const struct curve_list *list, const char *task, const char *key)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (strcmp(list->items[i].task, task) == 0 && strcmp(list->items[i].key, key) == 0)
			return &list->items[i];
	return NULL;
}

static void curves_of(struct past_runs *p, const char *ref, struct run_record *run, struct curve_list *list)
{
	struct err e;

	*list = (struct curve_list){ 0 };
	GOOD(run_find(p->db, ref, &p->arena, run, &e));
	GOOD(curves_of_run(p->db, run, &p->arena, list, &e));
}

static void attempts_of_a_task_are_one_curve(void **state)
{
	struct point_list points;
	struct curve_list list;
	struct run_record run;
	struct past_runs p;
	struct curve loss;
	struct err e;

	(void)state;
	past_runs_open(&p);
	past_metric(&p, p.train_failed, "loss", 0, 9);
	past_metric(&p, p.train_failed, "loss", 2, 9);
	past_metric(&p, p.train_failed, "loss", 7, 0.25);
	past_metric(&p, p.train_failed, "only_then", 3, 1);
	past_metric(&p, p.check, "other", 1, 1);
	curves_of(&p, "@{1}", &run, &list);
	assert_int_equal(list.count, 4);
	assert_string_equal(list.items[0].task, "check"); /* it began before the last attempt of train */
	assert_string_equal(list.items[1].key, "accuracy");
	assert_int_equal(list.items[1].steps, 0);
	assert_non_null(curve_called(&list, "train", "only_then"));
	loss = *curve_called(&list, "train", "loss");
	assert_null(loss.maker);
	assert_int_equal(loss.attempts.count, 2);
	assert_int_equal(loss.attempts.items[0], p.train_failed);
	assert_int_equal(loss.steps, 6);
	GOOD(curve_read(&loss, p.db, &p.arena, &points, &e));
	assert_int_equal(points.count, 4);
	assert_true(points.items[0].value > 0.49 && points.items[0].value < 0.51);
	assert_int_equal(points.items[3].step, 7);
	assert_int_equal(loss.steps, 4);
	assert_int_equal(loss.last_step, 7);
	assert_int_equal(loss.least_step, 7);
	assert_int_equal(loss.most_step, 0);
	assert_false(loss.cut);
	vec_release(&list);
	past_runs_close(&p);
}

/* As planned (prep), and by a row of its own (notes). */
static void cached_task_has_the_curve_of_the_run_that_made_it(void **state)
{
	static const char *const tasks[] = { "prep", "notes" };
	struct curve_list list;
	struct run_record run;
	struct past_runs p;
	size_t i;

	(void)state;
	past_runs_open(&p);
	past_metric(&p, p.prep, "x", 0, 1);
	past_metric(&p, p.notes, "x", 0, 1);
	curves_of(&p, "@last", &run, &list);
	for (i = 0; i < 2; i++) {
		const struct curve *x = curve_called(&list, tasks[i], "x");

		assert_non_null(x);
		assert_ptr_equal(x->run, &run);
		assert_non_null(x->maker);
		assert_string_equal(x->maker->uuid, past_uuid[0]);
	}
	assert_null(curve_called(&list, "train", "accuracy")->maker);
	vec_release(&list);
	past_runs_close(&p);
}

static void accepted_task_has_the_curve_of_what_it_kept(void **state)
{
	struct attempt_accept row = { .task = "train", .key = digest_text("key") };
	struct buf parts = { 0 };
	struct curve_list list;
	struct run_record run;
	struct past_runs p;
	int64_t id;
	struct err e;

	(void)state;
	past_runs_open(&p);
	part_text(&parts, PART_COMMAND, "", "train");
	row.run = past_run(&p, "019aa3b2-7e00-7000-8000-000000000003", "{}", "");
	row.kept = p.train;
	row.parts = &parts;
	past_task(&p, row.run, "train", "accepted", "");
	GOOD(journal_attempt_accept(p.db, &row, &id, &e));
	past_task_state(&p, row.run, "train", "REUSED", id);
	past_metric(&p, p.train_failed, "loss", 9, 1);
	curves_of(&p, "@last", &run, &list);
	assert_non_null(curve_called(&list, "train", "loss"));
	assert_int_equal(curve_called(&list, "train", "loss")->attempts.count, 2);
	assert_int_equal(curve_called(&list, "train", "loss")->maker->id, p.run[0]);
	buf_release(&parts);
	vec_release(&list);
	past_runs_close(&p);
}

static void what_is_not_finite_is_counted(void **state)
{
	struct point_list points;
	struct curve_list list;
	struct run_record run;
	struct past_runs p;
	struct curve x;
	struct err e;

	(void)state;
	past_runs_open(&p);
	past_metric(&p, p.check, "x", 1, (double)NAN);
	past_metric(&p, p.check, "x", 2, 3);
	past_metric(&p, p.check, "x", 3, (double)INFINITY);
	past_metric(&p, p.check, "none", 3, (double)NAN);
	curves_of(&p, "@{1}", &run, &list);
	x = *curve_called(&list, "check", "x");
	GOOD(curve_read(&x, p.db, &p.arena, &points, &e));
	assert_int_equal(x.not_finite, 2);
	assert_int_equal(x.least_step, 2);
	assert_int_equal(x.most_step, 2);
	assert_int_equal(x.last_step, 3);
	x = *curve_called(&list, "check", "none");
	GOOD(curve_read(&x, p.db, &p.arena, &points, &e));
	assert_true(isnan(x.least) && isnan(x.most) && x.least_step == -1);
	vec_release(&list);
	past_runs_close(&p);
}

static void json_has_every_step(void **state)
{
	struct point_list points;
	struct curve_list list;
	struct buf text = { 0 };
	struct run_record run;
	struct past_runs p;
	struct curve x;
	struct json j;
	struct err e;

	(void)state;
	past_runs_open(&p);
	past_metric(&p, p.check, "a\"b", 1, (double)NAN);
	past_metric(&p, p.check, "a\"b", INT64_MAX, 3.5);
	curves_of(&p, "@{1}", &run, &list);
	x = *curve_called(&list, "check", "a\"b");
	GOOD(curve_read(&x, p.db, &p.arena, &points, &e));
	json_init(&j, &text);
	curve_json(&j, &x, &points);
	assert_string_equal(buf_text(&text), "{\"run\":\"019aa3b2-7c1e-7000-8000-000000000001\",\"task\":\"check\",\"key\":\"a\\\"b\","
		"\"measured_by\":\"019aa3b2-7c1e-7000-8000-000000000001\",\"attempts\":1,\"steps\":2,\"not_finite\":1,\"cut\":false,"
		"\"last\":3.5,\"last_step\":9223372036854775807,\"least\":3.5,\"least_step\":9223372036854775807,"
		"\"most\":3.5,\"most_step\":9223372036854775807,\"points\":[[1,null],[9223372036854775807,3.5]]}");
	buf_release(&text);
	vec_release(&list);
	past_runs_close(&p);
}

static struct point_list made(struct point *points, size_t count)
{
	return (struct point_list){ points, count, count };
}

static void later_points_stand(void **state)
{
	struct point a[] = { { 1, 0, 1 }, { 3, 0, 1 }, { 5, 0, 1 } }, b[] = { { 2, 0, 2 }, { 3, 0, 2 }, { 9, 0, 2 } };
	struct point_list x = made(a, 3), y = made(b, 3), out;
	struct arena arena = { 0 };
	static const int64_t steps[] = { 1, 2, 3, 5, 9 };
	static const double values[] = { 1, 2, 2, 1, 2 };
	size_t i;

	(void)state;
	points_merge(&out, &x, &y, &arena);
	assert_int_equal(out.count, 5);
	for (i = 0; i < 5; i++) {
		assert_int_equal(out.items[i].step, steps[i]);
		assert_true(out.items[i].value >= values[i] && out.items[i].value <= values[i]);
	}
	points_merge(&out, &x, &(struct point_list){ 0 }, &arena);
	assert_int_equal(out.count, 3);
	arena_release(&arena);
}

/* A million points with one tooth and one dip: both must be seen, and the ends. */
static void few_points_have_the_extremes_of_many(void **state)
{
	struct arena arena = { 0 };
	size_t count = 1000000, i, least = 0, most = 0;
	struct point *points = arena_alloc(&arena, count * sizeof *points);
	struct point_list all = made(points, count), out;

	(void)state;
	for (i = 0; i < count; i++)
		points[i] = (struct point){ (int64_t)(2 * i), 0, i == 123456 ? 50 : i == 876543 ? -50 : (double)(i % 7) };
	assert_int_equal(curve_thin(&out, &all, 1500, false, &arena), 0);
	assert_true(out.count > 1000 && out.count <= 1500);
	for (i = 0; i < out.count; i++) {
		assert_true(i == 0 || out.items[i].step > out.items[i - 1].step);
		most += out.items[i].value > 49;
		least += out.items[i].value < -49;
	}
	assert_int_equal(most, 1);
	assert_int_equal(least, 1);
	assert_int_equal(out.items[0].step, 0);
	assert_int_equal(out.items[out.count - 1].step, 2 * (int64_t)(count - 1));
	arena_release(&arena);
}

static void gaps_outlive_thinning(void **state)
{
	struct arena arena = { 0 };
	struct point points[4000];
	struct point_list all = made(points, 4000), out;
	size_t i, gaps = 0;

	(void)state;
	for (i = 0; i < 4000; i++)
		points[i] = (struct point){ (int64_t)i, 0, i >= 1000 && i < 2000 ? (double)NAN : 1 };
	(void)curve_thin(&out, &all, 100, false, &arena);
	assert_true(out.count <= 100);
	for (i = 0; i < out.count; i++)
		gaps += isnan(out.items[i].value) ? 1 : 0;
	assert_true(gaps >= 10 && gaps <= 14);
	arena_release(&arena);
}

static void logarithm_leaves_out_what_is_not_above_zero(void **state)
{
	struct point points[] = { { 0, 0, -1 }, { 1, 0, 2 }, { 2, 0, 0 }, { 3, 0, (double)NAN }, { 4, 0, 1e-300 } };
	struct point_list all = made(points, 5), out;
	struct arena arena = { 0 };

	(void)state;
	assert_int_equal(curve_thin(&out, &all, 1500, true, &arena), 2);
	assert_int_equal(out.count, 5);
	assert_true(isnan(out.items[0].value) && isnan(out.items[2].value) && isnan(out.items[3].value));
	assert_true(out.items[4].value > 0);
	arena_release(&arena);
}

/* Steps at both ends of their range, and few pieces. */
static void odd_steps_are_thinned(void **state)
{
	struct point points[] = { { 0, 0, 1 }, { 1, 0, 2 }, { 2, 0, 3 }, { 3, 0, 0 }, { INT64_MAX - 1, 0, 4 }, { INT64_MAX, 0, 5 } };
	struct point_list all = made(points, 6), out;
	struct arena arena = { 0 };

	(void)state;
	(void)curve_thin(&out, &all, 4, false, &arena);
	assert_true(out.count <= 4 && out.items[0].step == 0 && out.items[out.count - 1].step == INT64_MAX);
	all.count = 0;
	(void)curve_thin(&out, &all, 4, false, &arena);
	assert_int_equal(out.count, 0);
	arena_release(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts_of_a_task_are_one_curve),
		cmocka_unit_test(cached_task_has_the_curve_of_the_run_that_made_it),
		cmocka_unit_test(accepted_task_has_the_curve_of_what_it_kept),
		cmocka_unit_test(what_is_not_finite_is_counted),
		cmocka_unit_test(json_has_every_step),
		cmocka_unit_test(later_points_stand),
		cmocka_unit_test(few_points_have_the_extremes_of_many),
		cmocka_unit_test(gaps_outlive_thinning),
		cmocka_unit_test(logarithm_leaves_out_what_is_not_above_zero),
		cmocka_unit_test(odd_steps_are_thinned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
