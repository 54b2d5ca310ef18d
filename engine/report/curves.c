#include "report/curves.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "store/rows.h"
#include "store/runs.h"

/* -- which there are ------------------------------------------------------------------------------------------------ */

/* An attempt whose metrics a task of the run has. */
struct owner {
	int64_t attempt, run; /* run: where it was made */
	size_t task;          /* in the run's list of tasks */
};

struct owners {
	struct owner *items;
	size_t count, cap;
};

/* A metric of one attempt, of one task of the run. */
struct share {
	const struct measure *measure;
	const struct owner *owner;
};

struct shares {
	struct share *items;
	size_t count, cap;
};

/* The attempt that the task's values come from. An acceptance measured nothing: what it kept did. */
static int last_attempt(struct attempt_reader *reader, const struct task_record *t, struct arena *a,
	struct attempt_record *out, struct err *e)
{
	const void *parts;
	size_t len;

	if (t->last.id != 0 && strcmp(t->state, "REUSED") != 0) {
		*out = t->last;
		return 0;
	}
	*out = (struct attempt_record){ 0 };
	if (t->outs_of != 0 && attempt_read(reader, t->outs_of, a, out, &parts, &len, e) < 0)
		return e->code;
	if (out->accepted != 0)
		return attempt_read(reader, out->accepted, a, out, &parts, &len, e);
	return 0;
}

/* That attempt and those of the same run that came before it. */
static int add_owners(struct owners *owners, struct db *db, const struct attempt_record *last,
	size_t task, struct arena *a, struct err *e)
{
	struct owner one = { last->id, last->run, task };
	struct attempt_list tried = { 0 };
	size_t i;

	if (last->number > 1 && attempts_of_task(db, last->run, last->task, a, &tried, e) < 0)
		return e->code;
	for (i = 0; i < tried.count && tried.items[i].number < last->number; i++) {
		struct owner before = { tried.items[i].id, last->run, task };

		vec_push(owners, before);
	}
	if (last->id != 0)
		vec_push(owners, one);
	return 0;
}

static int by_attempt(const void *x, const void *y)
{
	const struct owner *a = x, *b = y;

	if (a->attempt != b->attempt)
		return a->attempt < b->attempt ? -1 : 1;
	return a->task < b->task ? -1 : a->task > b->task;
}

static int find_owners(
	struct owners *owners, struct db *db, const struct task_list *tasks, struct err *e)
{
	struct attempt_reader reader;
	struct arena scratch = { 0 };
	struct attempt_record last;
	size_t i;
	int rc = attempt_reader_open(&reader, db, e);

	for (i = 0; i < tasks->count && rc == 0; i++) {
		rc = last_attempt(&reader, &tasks->items[i], &scratch, &last, e);
		if (rc == ERR_NOTFOUND) { /* a damaged row */
			rc = 0;
			continue;
		}
		if (rc == 0)
			rc = add_owners(owners, db, &last, i, &scratch, e);
	}
	attempt_reader_close(&reader);
	arena_release(&scratch);
	if (owners->count > 1)
		qsort(owners->items, owners->count, sizeof *owners->items, by_attempt);
	return rc;
}

static int by_task_and_name(const void *x, const void *y)
{
	const struct share *a = x, *b = y;
	int names;

	if (a->owner->task != b->owner->task)
		return a->owner->task < b->owner->task ? -1 : 1;
	names = strcmp(a->measure->name, b->measure->name);
	if (names != 0)
		return names;
	return a->owner->attempt < b->owner->attempt ? -1 : a->owner->attempt > b->owner->attempt;
}

/* Both are by attempt. One attempt may be several tasks': they had the same key. */
static void share_out(
	struct shares *shares, const struct measure_list *measures, const struct owners *owners)
{
	size_t first = 0, i, k;

	for (i = 0; i < measures->count; i++) {
		int64_t attempt = measures->items[i].attempt;

		while (first < owners->count && owners->items[first].attempt < attempt)
			first++;
		for (k = first; k < owners->count && owners->items[k].attempt == attempt; k++) {
			struct share one = { &measures->items[i], &owners->items[k] };

			vec_push(shares, one);
		}
	}
	if (shares->count > 1)
		qsort(shares->items, shares->count, sizeof *shares->items, by_task_and_name);
}

static int measures_of_owners(struct db *db, const struct owners *owners, struct arena *a,
	struct measure_list *out, struct err *e)
{
	struct id_list ids = { 0 };
	size_t i;
	int rc;

	for (i = 0; i < owners->count; i++)
		if (i == 0 || owners->items[i].attempt != owners->items[i - 1].attempt)
			vec_push(&ids, owners->items[i].attempt);
	rc = measures_of(db, &ids, a, out, e);
	vec_release(&ids);
	return rc;
}

/* The curve of the shares from `first` on that are of one task and one name. Returns how many. */
static size_t add_curve(struct curve_list *list, const struct shares *shares, size_t first,
	const struct run_record *run, const struct task_list *tasks, struct arena *a)
{
	const struct share *s = &shares->items[first];
	struct curve curve = {
		.run = run, .task = tasks->items[s->owner->task].name, .key = s->measure->name
	};
	size_t count = 0;

	while (first + count < shares->count && s[count].owner->task == s->owner->task &&
		strcmp(s[count].measure->name, s->measure->name) == 0)
		count++;
	curve.attempts.items = arena_alloc(a, count * sizeof *curve.attempts.items);
	for (; curve.attempts.count < count; curve.attempts.count++) {
		curve.attempts.items[curve.attempts.count] = s[curve.attempts.count].owner->attempt;
		curve.steps += s[curve.attempts.count].measure->steps;
	}
	vec_push(list, curve);
	return count;
}

/* The run that measured it. Neighbours are mostly of the same. */
static int find_maker(struct curve *curve, int64_t run, const struct run_record **last,
	struct db *db, struct arena *a, struct err *e)
{
	struct run_record record;
	int rc = 0;

	if (run == curve->run->id)
		return 0;
	if (*last == NULL || (*last)->id != run) {
		rc = run_get(db, run, a, &record, e);
		*last = rc == 0 ? arena_dup(a, &record, sizeof record) : NULL;
	}
	curve->maker = *last;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int curves_of_run(struct db *db, const struct run_record *run, struct arena *a,
	struct curve_list *list, struct err *e)
{
	const struct run_record *maker = NULL;
	struct measure_list measures = { 0 };
	struct owners owners = { 0 };
	struct shares shares = { 0 };
	struct task_list tasks;
	size_t i = 0;
	int rc = tasks_of_run(db, run, a, &tasks, e);

	if (rc == 0)
		rc = find_owners(&owners, db, &tasks, e);
	if (rc == 0)
		rc = measures_of_owners(db, &owners, a, &measures, e);
	if (rc == 0)
		share_out(&shares, &measures, &owners);
	while (rc == 0 && i < shares.count) {
		int64_t made_in = shares.items[i].owner->run;

		i += add_curve(list, &shares, i, run, &tasks, a);
		rc = find_maker(&list->items[list->count - 1], made_in, &maker, db, a, e);
	}
	vec_release(&shares);
	vec_release(&owners);
	return rc;
}

/* -- its points ----------------------------------------------------------------------------------------------------- */

void points_merge(struct point_list *out, const struct point_list *a, const struct point_list *b,
	struct arena *arena)
{
	struct point *merged = arena_alloc(arena, (a->count + b->count + 1) * sizeof *merged);
	size_t i = 0, k = 0, n = 0;

	while (i < a->count || k < b->count) {
		bool takes_b =
			i == a->count || (k < b->count && b->items[k].step <= a->items[i].step);

		if (takes_b && i < a->count && a->items[i].step == b->items[k].step)
			i++;
		merged[n++] = takes_b ? b->items[k++] : a->items[i++];
	}
	*out = (struct point_list){ merged, n, n };
}

/* A damaged page sorts anyhow. */
static void keep_ascending(struct point_list *list)
{
	size_t i, kept = 0;

	for (i = 0; i < list->count; i++)
		if (kept == 0 || list->items[i].step > list->items[kept - 1].step)
			list->items[kept++] = list->items[i];
	list->count = kept;
}

static void describe(struct curve *curve, const struct point_list *points)
{
	size_t i;

	curve->steps = (int64_t)points->count;
	curve->least = curve->most = curve->last = (double)NAN;
	curve->least_step = curve->most_step = curve->last_step = -1;
	curve->not_finite = 0;
	for (i = 0; i < points->count; i++) {
		const struct point *p = &points->items[i];

		curve->last = p->value;
		curve->last_step = p->step;
		if (!isfinite(p->value)) {
			curve->not_finite++;
			continue;
		}
		if (curve->least_step < 0 || p->value < curve->least) {
			curve->least = p->value;
			curve->least_step = p->step;
		}
		if (curve->most_step < 0 || p->value > curve->most) {
			curve->most = p->value;
			curve->most_step = p->step;
		}
	}
}

int curve_read(
	struct curve *curve, struct db *db, struct arena *a, struct point_list *out, struct err *e)
{
	struct point_list all = { 0 }, own;
	int64_t seen = 0;
	size_t i;

	for (i = 0; i < curve->attempts.count; i++) {
		if (measure_points(db, curve->attempts.items[i], curve->key, a, &own, e) < 0)
			return e->code;
		seen += (int64_t)own.count;
		keep_ascending(&own);
		if (i == 0)
			all = own;
		else
			points_merge(&all, &all, &own, a);
		if (all.count > MEASURE_POINTS_MAX) {
			all.count = MEASURE_POINTS_MAX;
			seen = 0;
		}
	}
	curve->cut = seen < curve->steps;
	describe(curve, &all);
	*out = all;
	return 0;
}

/* -- fewer of them -------------------------------------------------------------------------------------------------- */

static bool is_drawable(double value, bool log)
{
	return isfinite(value) && (!log || value > 0);
}

static void put_point(struct point_list *out, const struct point *p, bool log)
{
	struct point *to = &out->items[out->count++];

	*to = *p;
	if (!is_drawable(p->value, log))
		to->value = (double)NAN;
}

/* The least and the most of count points, in their order; a gap when there is neither. */
static void put_extremes(struct point_list *out, const struct point *p, size_t count, bool log)
{
	size_t least = count, most = count, i;

	for (i = 0; i < count; i++) {
		if (!is_drawable(p[i].value, log))
			continue;
		if (least == count || p[i].value < p[least].value)
			least = i;
		if (most == count || p[i].value > p[most].value)
			most = i;
	}
	if (least == count) {
		put_point(out, p, log);
		return;
	}
	put_point(out, &p[least < most ? least : most], log);
	if (least != most)
		put_point(out, &p[least < most ? most : least], log);
}

/* The first, the last, and two of each piece of the steps between. */
static void put_pieces(
	struct point_list *out, const struct point_list *points, size_t pieces, bool log)
{
	const struct point *p = points->items;
	size_t last = points->count - 1, from = 1, to;
	uint64_t width = ((uint64_t)p[last].step - (uint64_t)p[0].step) / pieces + 1;

	put_point(out, &p[0], log);
	for (; from < last; from = to) {
		uint64_t piece = ((uint64_t)p[from].step - (uint64_t)p[0].step) / width;

		to = from;
		while (to < last && ((uint64_t)p[to].step - (uint64_t)p[0].step) / width == piece)
			to++;
		put_extremes(out, &p[from], to - from, log);
	}
	put_point(out, &p[last], log);
}

size_t curve_thin(struct point_list *out, const struct point_list *points, size_t most, bool log,
	struct arena *a)
{
	size_t pieces = most > 3 ? (most - 2) / 2 : 1, room = 2 * pieces + 2, i, left_out = 0;

	if (points->count <= room)
		room = points->count;
	*out = (struct point_list){ arena_alloc(a, (room + 1) * sizeof *out->items), 0, room };
	if (points->count > room)
		put_pieces(out, points, pieces, log);
	else
		for (i = 0; i < points->count; i++)
			put_point(out, &points->items[i], log);
	for (i = 0; i < points->count && log; i++)
		left_out += isfinite(points->items[i].value) && points->items[i].value <= 0;
	return left_out;
}

/* -- as JSON -------------------------------------------------------------------------------------------------------- */

static void step_json(
	struct json *j, const char *key, const char *step_key, double value, int64_t step)
{
	json_key_number(j, key, value);
	json_key(j, step_key);
	if (step < 0)
		json_nothing(j);
	else
		json_int(j, step);
}

void curve_json(struct json *j, const struct curve *curve, const struct point_list *points)
{
	size_t i;

	json_open_object(j);
	json_key_string(j, "run", curve->run->uuid);
	json_key_string(j, "task", curve->task);
	json_key_string(j, "key", curve->key);
	json_key_string(j, "measured_by", (curve->maker != NULL ? curve->maker : curve->run)->uuid);
	json_key_int(j, "attempts", (int64_t)curve->attempts.count);
	json_key_int(j, "steps", curve->steps);
	json_key_int(j, "not_finite", curve->not_finite);
	json_key_bool(j, "cut", curve->cut);
	step_json(j, "last", "last_step", curve->last, curve->last_step);
	step_json(j, "least", "least_step", curve->least, curve->least_step);
	step_json(j, "most", "most_step", curve->most, curve->most_step);
	json_key(j, "points");
	json_open_array(j);
	for (i = 0; i < points->count; i++) {
		json_open_array(j);
		json_int(j, points->items[i].step);
		json_number(j, points->items[i].value);
		json_end(j);
	}
	json_end(j);
	json_end(j);
}
