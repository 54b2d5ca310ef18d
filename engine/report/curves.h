/*
 * report/curves.h - what the tasks of a run measured while they ran: each metric of each task is a curve.
 *
 *     struct curve_list list = { 0 };
 *     curves_of_run(&db, &run, &arena, &list, e)       appends; for several runs call it for each
 *     curve_read(&list.items[i], &db, &arena, &points, e)
 *     curve_thin(&shown, &points, 1500, false, &arena)
 *
 * A curve is of all attempts of its task in the run that led there: the one after a kill continues from a checkpoint. Where two have the same
 * step the later one counts. A task that was cached has the curve of the run that made it. Lists and texts are in the arena; the run must
 * outlive the list.
 */
#ifndef FLOW_REPORT_CURVES_H
#define FLOW_REPORT_CURVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/measures.h"
#include "store/tasks.h"

struct arena;
struct db;
struct err;
struct json;
struct run_record;

struct curve {
	const struct run_record *run;     /* whose task it is */
	const struct run_record *maker;   /* the run that measured it, where that is another one: the task was cached; else NULL */
	const char *task, *key;
	struct id_list attempts;          /* that have it, in the order of trying */
	int64_t steps;                    /* 0: it is one value for the task as a whole. Before curve_read() those of all attempts are counted */

	/* Set by curve_read(). Steps of finite values; -1 where there is none, and the value is NaN. */
	int64_t least_step, most_step;
	int64_t last_step;                /* whatever its value is */
	double last, least, most;
	int64_t not_finite;
	bool cut;                         /* there are more than MEASURE_POINTS_MAX steps: those after them are not looked at */
};

struct curve_list {
	struct curve *items;
	size_t count, cap;
};

/* Every metric of the run, in the order of its tasks, then by name; without steps too. The list is on the heap: vec_release(). */
int curves_of_run(struct db *db, const struct run_record *run, struct arena *a, struct curve_list *list, struct err *e);

/* Once for each curve. */
int curve_read(struct curve *curve, struct db *db, struct arena *a, struct point_list *out, struct err *e);

/* What a drawing needs: at most about `most` points, the least and most of every piece kept. What cannot be drawn is NaN, and a gap: what is
 * not finite, and with `log` what is not above zero. Returns how many of the latter there are. */
size_t curve_thin(struct point_list *out, const struct point_list *points, size_t most, bool log, struct arena *a);

/* Both ascending by step; of one step that both have, b's value stands. */
void points_merge(struct point_list *out, const struct point_list *a, const struct point_list *b, struct arena *arena);

void curve_json(struct json *j, const struct curve *curve, const struct point_list *points); /* an object, all points in it */

#endif
