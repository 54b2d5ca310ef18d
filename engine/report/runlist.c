#include "report/runlist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "report/rows_json.h"
#include "store/measures.h"
#include "store/tasks.h"

static const struct state_word {
	const char *state, *word;
} words[] = { { "SUCCEEDED", "ok" }, { "FAILED", "FAILED" }, { "CANCELLED", "cancelled" },
	{ "INTERRUPTED", "interrupted" }, { "RUNNING", "running" }, { "CREATED", "running" } };

const char *run_word(const struct run_record *r, bool alive)
{
	size_t i;

	if (r->ended_ms == 0 && !alive && (run_is(r, "RUNNING") || run_is(r, "CREATED")))
		return "interrupted";
	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (run_is(r, words[i].state))
			return words[i].word;
	return r->state;
}

const char *run_state_of(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(word, words[i].word) == 0 || strcasecmp(word, words[i].state) == 0)
			return words[i].state;
	return NULL;
}

/* A metric that might get a column. */
struct candidate {
	const char *name;
	uint32_t runs, whole; /* how many have it; how many have it as one number of an attempt */
	size_t last_run;      /* the row that counted it last */
	bool many;            /* some run has it more than once */
};

struct candidates {
	struct candidate *items;
	size_t count, cap;
};

struct chooser {
	struct runlist *list;
	struct id_list *outs; /* per row */
	struct measure_list measures;
	struct candidates names;
	struct map by_name;
};

static void count_one(struct chooser *c, const struct measure *m, size_t row)
{
	uint32_t *at = map_put(&c->by_name, m->name, (uint32_t)c->names.count);
	struct candidate fresh = { .name = m->name, .last_run = SIZE_MAX }, *found;

	if (at == NULL)
		vec_push(&c->names, fresh);
	found = &c->names.items[at == NULL ? c->names.count - 1 : *at];
	if (found->last_run == row) {
		found->many = true;
		return;
	}
	found->last_run = row;
	found->runs++;
	found->whole += m->whole;
}

static int by_rank(const void *x, const void *y)
{
	const struct candidate *a = x, *b = y;

	if (a->many != b->many)
		return a->many ? 1 : -1;
	if (a->runs != b->runs)
		return a->runs > b->runs ? -1 : 1;
	if ((a->whole > 0) != (b->whole > 0))
		return a->whole > 0 ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void choose(struct chooser *c)
{
	struct runlist *list = c->list;
	size_t row, i;

	for (row = 0; row < list->count; row++)
		for (i = 0; i < c->measures.count; i++)
			if (id_list_has(&c->outs[row], c->measures.items[i].attempt))
				count_one(c, &c->measures.items[i], row);
	if (c->names.count > 1)
		qsort(c->names.items, c->names.count, sizeof *c->names.items, by_rank);
	for (i = 0; i < c->names.count && list->metric_count < RUNLIST_METRICS; i++)
		if (!c->names.items[i].many)
			list->metrics[list->metric_count++] = c->names.items[i].name;
}

static void fill(struct chooser *c)
{
	struct runlist *list = c->list;
	size_t row, i;
	unsigned k;

	for (row = 0; row < list->count; row++) {
		for (k = 0; k < RUNLIST_METRICS; k++)
			list->rows[row].values[k] = (double)NAN;
		for (i = 0; i < c->measures.count; i++)
			for (k = 0; k < list->metric_count; k++)
				if (strcmp(c->measures.items[i].name, list->metrics[k]) == 0 &&
					id_list_has(&c->outs[row], c->measures.items[i].attempt))
					list->rows[row].values[k] = c->measures.items[i].value;
	}
}

static int by_number(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return a < b ? -1 : a > b;
}

/* The attempts of all rows, each once. */
static void join(struct chooser *c, struct id_list *all)
{
	size_t row, i, kept = 0;

	for (row = 0; row < c->list->count; row++)
		for (i = 0; i < c->outs[row].count; i++)
			vec_push(all, c->outs[row].items[i]);
	if (all->count > 1)
		qsort(all->items, all->count, sizeof *all->items, by_number);
	for (i = 0; i < all->count; i++)
		if (kept == 0 || all->items[i] != all->items[kept - 1])
			all->items[kept++] = all->items[i];
	all->count = kept;
}

static int add_metrics(struct runlist *list, struct db *db, struct arena *a, struct err *e)
{
	struct chooser c = { .list = list };
	struct id_list all = { 0 };
	size_t row;
	int rc = 0;

	c.outs = arena_zalloc(a, (list->count + 1) * sizeof *c.outs);
	for (row = 0; row < list->count && rc == 0; row++)
		rc = outs_of_run(db, &list->rows[row].run, a, &c.outs[row], e);
	if (rc == 0) {
		join(&c, &all);
		rc = measures_of(db, &all, a, &c.measures, e);
	}
	if (rc == 0) {
		choose(&c);
		fill(&c);
	}
	vec_release(&all);
	vec_release(&c.names);
	map_release(&c.by_name);
	return rc;
}

/* A run whose process is gone is an interrupted one already, though the journal calls it running until the next run. There is none
 * newer than it. */
static int load_runs(struct runlist *list, struct db *db, const struct project *p,
	const char *state, uint32_t limit, struct arena *a, struct err *e)
{
	bool wants_dead = state != NULL && strcmp(state, "INTERRUPTED") == 0;
	bool wants_alive = state != NULL && strcmp(state, "RUNNING") == 0;
	struct run_list lists[2] = { { 0 } };
	size_t i, k;

	if ((wants_dead && runs_newest(db, "RUNNING", limit, a, &lists[0], e) < 0) ||
		runs_newest(db, state, limit, a, &lists[1], e) < 0)
		return e->code;
	list->rows = arena_zalloc(a, (lists[0].count + lists[1].count + 1) * sizeof *list->rows);
	for (i = 0; i < 2; i++)
		for (k = 0; k < lists[i].count && (limit == 0 || list->count < limit); k++) {
			const struct run_record *r = &lists[i].items[k];
			bool alive = r->ended_ms == 0 && run_is_alive(p, r);

			if (!(alive && wants_dead) && !(!alive && wants_alive))
				list->rows[list->count++] =
					(struct runlist_row){ .run = *r, .alive = alive };
		}
	return 0;
}

int runlist_make(struct runlist *out, struct db *db, const struct project *p, const char *state,
	uint32_t limit, struct arena *a, struct err *e)
{
	struct runlist list = { 0 };

	if (load_runs(&list, db, p, state, limit, a, e) < 0 || add_metrics(&list, db, a, e) < 0)
		return e->code;
	*out = list;
	return 0;
}

void runlist_json(struct buf *out, const struct runlist *list, int64_t now_ms)
{
	struct json j;
	size_t i;
	unsigned k;

	json_init(&j, out);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key(&j, "runs");
	json_open_array(&j);
	for (i = 0; i < list->count; i++) {
		const struct runlist_row *row = &list->rows[i];

		json_open_object(&j);
		run_members(&j, &row->run, row->alive, now_ms);
		json_key(&j, "metrics");
		json_open_object(&j);
		for (k = 0; k < list->metric_count; k++)
			if (!isnan(row->values[k]))
				json_key_number(&j, list->metrics[k], row->values[k]);
		json_end(&j);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
}
