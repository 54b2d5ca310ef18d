#include "../support/past_runs.h"

#include "store/measures.h"
#include "store/tasks.h"

static void steps_are_folded_into_one_line(void **state)
{
	struct measure_list list;
	struct past_runs p;
	struct id_list ids;
	int64_t all[5];
	struct err e;

	(void)state;
	past_runs_open(&p);
	past_metric(&p, p.train, "loss", 3, (double)NAN);
	all[0] = p.prep;
	all[1] = p.train;
	all[2] = p.check;
	all[3] = p.train_again;
	all[4] = 999;
	ids = (struct id_list){ all, 5, 5 };
	GOOD(measures_of(p.db, &ids, &p.arena, &list, &e));
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[0].name, "accuracy");
	assert_true(list.items[0].whole && list.items[0].steps == 0);
	assert_true(list.items[0].value > 0.89 && list.items[0].value < 0.91);
	assert_string_equal(list.items[1].name, "loss");
	assert_int_equal(list.items[1].steps, 4);
	assert_int_equal(list.items[1].least_step, 2);
	assert_int_equal(list.items[1].most_step, 0);
	assert_int_equal(list.items[1].last_step, 3);
	assert_true(isnan(list.items[1].value));
	assert_int_equal(list.items[2].attempt, p.train_again);
	past_runs_close(&p);
}

static void points_are_the_steps_alone(void **state)
{
	struct point_list points;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	past_metric(&p, p.train, "loss", -1, 0.25);
	GOOD(measure_points(p.db, p.train, "loss", &p.arena, &points, &e));
	assert_int_equal(points.count, 3);
	assert_int_equal(points.items[2].step, 2);
	GOOD(measure_points(p.db, p.train, "nope", &p.arena, &points, &e));
	assert_int_equal(points.count, 0);
	past_runs_close(&p);
}

static void latest_are_the_last_steps(void **state)
{
	struct measure_list list;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	past_metric(&p, p.train, "loss", 3, (double)NAN);
	GOOD(measures_latest(p.db, p.train, 9, &p.arena, &list, &e));
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[0].name, "accuracy");
	assert_true(list.items[0].whole);
	assert_string_equal(list.items[1].name, "loss");
	assert_int_equal(list.items[1].last_step, 3);
	assert_true(isnan(list.items[1].value));
	GOOD(measures_latest(p.db, p.train, 1, &p.arena, &list, &e));
	assert_int_equal(list.count, 1);
	GOOD(measures_latest(p.db, 999, 9, &p.arena, &list, &e));
	assert_int_equal(list.count, 0);
	past_runs_close(&p);
}

/* It was looked for for ever. */
static void metric_of_no_attempt_is_damage(void **state)
{
	int64_t all[] = { INT64_C(1) << 40 };
	struct id_list ids = { all, 1, 1 };
	struct measure_list list;
	struct past_runs p;
	struct err e;

	(void)state;
	past_runs_open(&p);
	GOOD(store_do(&p.store, "INSERT INTO metric(attempt, name, step, value, at_ms) VALUES('9z', 'loss', -1, 1, 1)", &e));
	assert_int_equal(measures_of(p.db, &ids, &p.arena, &list, &e), ERR_CORRUPT);
	assert_non_null(strstr(e.text, "damaged"));
	past_runs_close(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_folded_into_one_line),
		cmocka_unit_test(points_are_the_steps_alone),
		cmocka_unit_test(latest_are_the_last_steps),
		cmocka_unit_test(metric_of_no_attempt_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
