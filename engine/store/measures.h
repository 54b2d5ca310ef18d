/*
 * store/measures.h - the metrics of attempts, read back: each as one line, with its steps folded together.
 *
 *     measures_of(&db, &attempts, &arena, &list, e)      in the order of attempts, then names
 *     measure_points(&db, attempt, "loss", &arena, &points, e)
 *
 * Costs a look-up for each attempt that has metrics, however many have none. Lists are in the arena.
 */
#ifndef FLOW_STORE_MEASURES_H
#define FLOW_STORE_MEASURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct db;
struct err;
struct id_list;

#define MEASURES_MAX       100000u
#define MEASURE_POINTS_MAX 1000000u

/* One metric of one attempt. Values are NaN where the stage wrote null. */
struct measure {
	int64_t attempt;
	const char *name;
	double value;              /* of the attempt as a whole if it has one, else of its last step */
	bool whole;
	int64_t steps;             /* how many; 0: only the attempt as a whole */
	int64_t last_step, least_step, most_step;
	double least, most;        /* over the steps */
};

struct measure_list {
	struct measure *items;
	size_t count, cap;
};

struct point {
	int64_t step, at_ms;
	double value;
};

struct point_list {
	struct point *items;
	size_t count, cap;
};

int measures_of(struct db *db, const struct id_list *attempts, struct arena *a, struct measure_list *out, struct err *e);
/* What an attempt told last of each of its metrics, by name, at most limit of them: attempt, name, value, whole, last_step are set. Costs
 * two look-ups a metric, however many steps it has. */
int measures_latest(struct db *db, int64_t attempt, uint32_t limit, struct arena *a, struct measure_list *out, struct err *e);
int measure_points(struct db *db, int64_t attempt, const char *name, struct arena *a, struct point_list *out, struct err *e);

#endif
