#include "report/runpage.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/vec.h"
#include "report/rows_json.h"

/* Which task an attempt belongs to. */
struct owner {
	int64_t attempt;
	const char *task;
};

struct owners {
	struct owner *items;
	size_t count, cap;
};

static int by_attempt(const void *x, const void *y)
{
	const struct owner *a = x, *b = y;

	return a->attempt < b->attempt ? -1 : a->attempt > b->attempt;
}

static const char *owner_of(const struct owners *o, int64_t attempt)
{
	struct owner wanted = { .attempt = attempt }, *found = NULL;

	if (o->count > 0)
		found = bsearch(&wanted, o->items, o->count, sizeof *o->items, by_attempt);
	return found != NULL ? found->task : "";
}

static void add_owner(struct owners *o, int64_t attempt, const char *task)
{
	struct owner one = { attempt, task };

	if (attempt != 0)
		vec_push(o, one);
}

/* Attempts by id: whose outs the tasks have, or with `tried` their last attempts where they were tried. */
static void collect(struct owners *o, const struct task_list *tasks, bool tried)
{
	size_t i;

	for (i = 0; i < tasks->count; i++) {
		const struct task_record *t = &tasks->items[i];
		bool own = tried && t->last.id != 0 && strcmp(t->state, "REUSED") != 0;

		add_owner(o, own ? t->last.id : t->outs_of, t->name);
	}
	if (o->count > 1)
		qsort(o->items, o->count, sizeof *o->items, by_attempt);
}

static void ids_of(struct id_list *ids, const struct owners *o)
{
	size_t i;

	for (i = 0; i < o->count; i++)
		if (ids->count == 0 || ids->items[ids->count - 1] != o->items[i].attempt)
			vec_push(ids, o->items[i].attempt);
}

static int add_measures(struct runpage *page, struct db *db, struct arena *a, struct err *e)
{
	struct owners owners = { 0 };
	struct id_list ids = { 0 };
	size_t i;
	int rc;

	collect(&owners, &page->tasks, true);
	ids_of(&ids, &owners);
	rc = measures_of(db, &ids, a, &page->measures, e);
	page->measure_tasks =
		arena_alloc(a, (page->measures.count + 1) * sizeof *page->measure_tasks);
	for (i = 0; i < page->measures.count; i++)
		page->measure_tasks[i] = owner_of(&owners, page->measures.items[i].attempt);
	vec_release(&ids);
	vec_release(&owners);
	return rc;
}

static int add_artifacts(struct runpage *page, struct db *db, struct arena *a, struct err *e)
{
	struct owners owners = { 0 };
	struct id_list ids = { 0 };
	size_t i;
	int rc;

	collect(&owners, &page->tasks, false);
	ids_of(&ids, &owners);
	rc = artifacts_of_all(db, &ids, a, &page->artifacts, e);
	page->artifact_tasks =
		arena_alloc(a, (page->artifacts.count + 1) * sizeof *page->artifact_tasks);
	for (i = 0; i < page->artifacts.count; i++)
		page->artifact_tasks[i] = owner_of(&owners, page->artifacts.items[i].attempt);
	vec_release(&ids);
	vec_release(&owners);
	return rc;
}

/* Of a run whose process is gone: what the next run will find, and record. */
static void close_tasks(struct task_list *tasks)
{
	size_t i;

	for (i = 0; i < tasks->count; i++) {
		struct task_record *t = &tasks->items[i];
		bool was_open = t->last.id != 0 && attempt_is_open(&t->last);

		if (was_open)
			t->last.state = "LOST";
		if (strcmp(t->state, "RUNNING") == 0 && was_open)
			t->state = "LOST";
		else if (strcmp(t->state, "RUNNING") == 0 || strcmp(t->state, "PENDING") == 0 ||
			 strcmp(t->state, "READY") == 0 || strcmp(t->state, "BACKOFF") == 0)
			t->state = "SKIPPED";
	}
}

int runpage_measures(struct runpage *out, struct db *db, const struct project *p, const char *ref,
	struct arena *a, struct err *e)
{
	struct runpage page = { 0 };

	if (run_find(db, ref, a, &page.run, e) < 0 ||
		tasks_of_run(db, &page.run, a, &page.tasks, e) < 0 ||
		add_measures(&page, db, a, e) < 0)
		return e->code;
	page.alive = page.run.ended_ms == 0 && run_is_alive(p, &page.run);
	if (page.run.ended_ms == 0 && !page.alive)
		close_tasks(&page.tasks);
	*out = page;
	return 0;
}

int runpage_make(struct runpage *out, struct db *db, const struct project *p, const char *ref,
	struct arena *a, struct err *e)
{
	struct runpage page = { 0 };

	if (runpage_measures(&page, db, p, ref, a, e) < 0 || add_artifacts(&page, db, a, e) < 0)
		return e->code;
	run_params_read(&page.params, page.run.params, page.run.changed, a);
	*out = page;
	return 0;
}

static void tasks_json(struct json *j, const struct runpage *page, int64_t now_ms)
{
	size_t i;

	json_key(j, "tasks");
	json_open_array(j);
	for (i = 0; i < page->tasks.count; i++) {
		const struct task_record *t = &page->tasks.items[i];

		json_open_object(j);
		json_key_string(j, "task", t->name);
		json_key_string(j, "state", t->state);
		json_key_string(j, "reason", t->reason);
		json_key_string(j, "why", t->why);
		json_key_int(j, "attempts", t->last.number);
		last_attempt_json(j, t, now_ms);
		json_end(j);
	}
	json_end(j);
}

static void params_json(struct json *j, const struct run_params *p)
{
	size_t i;

	json_key(j, "params");
	json_open_object(j);
	for (i = 0; i < p->count; i++) {
		json_key(j, p->items[i].name);
		json_raw(j, p->items[i].value);
	}
	json_end(j);
}

static int points_json(struct json *j, const struct measure *m, struct db *db, struct err *e)
{
	struct point_list points = { 0 };
	struct arena a = { 0 };
	int rc = measure_points(db, m->attempt, m->name, &a, &points, e);
	size_t i;

	json_key(j, "points");
	json_open_array(j);
	for (i = 0; i < points.count; i++) {
		json_open_object(j);
		json_key_int(j, "step", points.items[i].step);
		json_key_number(j, "value", points.items[i].value);
		json_key_time(j, "at", points.items[i].at_ms);
		json_end(j);
	}
	json_end(j);
	arena_release(&a);
	return rc;
}

/* db NULL: without the steps. */
static int all_measures(struct json *j, const struct runpage *page, struct db *db, struct err *e)
{
	size_t i;
	int rc = 0;

	json_key(j, "metrics");
	json_open_array(j);
	for (i = 0; i < page->measures.count && rc == 0; i++) {
		json_open_object(j);
		json_key_string(j, "task", page->measure_tasks[i]);
		measure_members(j, &page->measures.items[i]);
		if (db != NULL)
			rc = points_json(j, &page->measures.items[i], db, e);
		json_end(j);
	}
	json_end(j);
	return rc;
}

static void artifacts_json(struct json *j, const struct runpage *page)
{
	size_t i;

	json_key(j, "artifacts");
	json_open_array(j);
	for (i = 0; i < page->artifacts.count; i++) {
		json_open_object(j);
		json_key_string(j, "task", page->artifact_tasks[i]);
		artifact_members(j, &page->artifacts.items[i]);
		json_end(j);
	}
	json_end(j);
}

void runpage_json(struct buf *out, const struct runpage *page, int64_t now_ms)
{
	struct json j;
	struct err e;

	json_init(&j, out);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	run_members(&j, &page->run, page->alive, now_ms);
	params_json(&j, &page->params);
	tasks_json(&j, page, now_ms);
	(void)all_measures(&j, page, NULL, &e);
	artifacts_json(&j, page);
	json_end(&j);
}

int measures_json(struct buf *out, const struct runpage *page, struct db *db, bool steps,
	int64_t now_ms, struct err *e)
{
	struct json j;
	int rc;

	json_init(&j, out);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key(&j, "run");
	run_json(&j, &page->run, page->alive, now_ms);
	rc = all_measures(&j, page, steps ? db : NULL, e);
	json_end(&j);
	return rc;
}
