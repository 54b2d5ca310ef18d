/*
 * The input is what happens to a journal before it is read. Its first byte is how, and who reads it: the rest are bytes to change in the
 * file (fuzz_patch), its new length, or cells to overwrite: {column, row, type, length, bytes}, which reaches what a damaged page, caught
 * by SQLite, does not.
 */
#include "support/past_runs.h"

#include <sqlite3.h>

#include "base/clock.h"
#include "base/vec.h"
#include "fuzz.h"
#include "kept.h"
#include "report/curves.h"
#include "report/panel.h"
#include "report/panel_svg.h"
#include "report/runlist.h"
#include "report/runpage.h"
#include "report/status.h"
#include "store/history.h"
#include "support/dag_text.h"

#define COLUMNS_MAX 128

static const char dag[] = "stages:\n"
			  "  prep: {cmd: prep, deps: [raw.csv], outs: {data: data/train.npy}}\n"
			  "  train: {uses: ./t.so, deps: [data/train.npy], outs: {model: models/m.bin}}\n"
			  "  check: {cmd: check, deps: [models/m.bin], outs: {report: reports/test.json}}\n"
			  "  notes: {cmd: notes, deps: [data/train.npy], outs: {pages: reports/notes/}}\n";

static struct project project;
static struct loaded loaded;
static struct buf whole; /* flow.db as it was */
static struct db kept;
static struct {
	char sql[200]; /* UPDATE ... SET column = ?1 WHERE row */
} columns[COLUMNS_MAX];
static size_t column_count;

static void close_all(void)
{
	kept_close(&kept);
	loaded_release(&loaded);
	project_close(&project);
	buf_release(&whole);
}

/* Triggers would refuse what a damaged file may hold. */
static void drop_triggers(struct past_runs *p)
{
	static const char *const names[] = { "run_move", "task_move", "attempt_move", "run_new", "run_event", "task_event",
		"attempt_new", "attempt_event" };
	char sql[80];
	struct err e;
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)snprintf(sql, sizeof sql, "DROP TRIGGER %s", names[i]);
		GOOD(store_do(&p->store, sql, &e));
	}
}

static void list_columns(struct db *db)
{
	struct sqlite3_stmt *s = NULL;
	struct err e;

	GOOD(db_query(db,
		"SELECT m.name, c.name, (SELECT k.name FROM pragma_table_info(m.name) k WHERE k.pk = 1) "
		"FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT IN ('move','event')",
		&s, &e));
	while (db_step(db, s, &e) > 0 && column_count < COLUMNS_MAX)
		(void)snprintf(columns[column_count++].sql, sizeof columns[0].sql,
			"UPDATE OR IGNORE %s SET %s = ?1 WHERE %s = (SELECT %s FROM %s LIMIT 1 OFFSET ?2)", db_text(s, 0),
			db_text(s, 1), db_text(s, 2), db_text(s, 2), db_text(s, 0));
	db_finish(s);
}

/* A project under the target's own folder, with the runs of tests/support/past_runs.h. */
static void start(void)
{
	struct past_runs p;
	struct err e;
	char path[300];

	past_runs_open(&p);
	drop_triggers(&p);
	list_columns(p.db);
	FUZZ_CHECK(sqlite3_wal_checkpoint_v2(p.db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK);
	GOOD(file_read(&whole, p.project->flow_fd, "flow.db", (size_t)8 << 20, &e));
	past_runs_close(&p);
	(void)snprintf(path, sizeof path, "%s/.flow", fuzz_folder(NULL));
	GOOD(folder_make(AT_FDCWD, path, 0700, &e));
	GOOD(project_open(&project, fuzz_folder(NULL), PROJECT_READ, &e));
	fuzz_write(".flow/flow.db", whole.data, whole.len);
	GOOD(db_open(&kept, &project, PROJECT_READ, &e));
	FUZZ_CHECK(sqlite3_exec(kept.handle, "PRAGMA query_only=OFF; PRAGMA ignore_check_constraints=1", NULL, NULL, NULL) == SQLITE_OK);
	kept_open(&kept, whole.data, whole.len);
	load_good(&loaded, dag);
	FUZZ_CHECK(atexit(close_all) == 0);
}

static void bind_cell(sqlite3_stmt *s, unsigned type, const void *data, int len)
{
	int64_t number = 0;

	memcpy(&number, data, (size_t)len < sizeof number ? (size_t)len : sizeof number);
	switch (type % 5) {
	case 0: (void)sqlite3_bind_null(s, 1); break;
	case 1: (void)sqlite3_bind_int64(s, 1, number); break;
	case 2: (void)sqlite3_bind_double(s, 1, (double)number); break;
	case 3: (void)sqlite3_bind_text(s, 1, data, len, SQLITE_TRANSIENT); break;
	default: (void)sqlite3_bind_blob(s, 1, data, len, SQLITE_TRANSIENT); break;
	}
}

static void change_cells(sqlite3 *handle, const uint8_t *input, size_t size)
{
	(void)sqlite3_exec(handle, "BEGIN", NULL, NULL, NULL);
	while (size >= 4 && column_count > 0) {
		size_t len = input[3] < size - 4 ? input[3] : size - 4;
		sqlite3_stmt *s = NULL;

		if (sqlite3_prepare_v2(handle, columns[input[0] % column_count].sql, -1, &s, NULL) == SQLITE_OK) {
			bind_cell(s, input[2], input + 4, (int)len);
			(void)sqlite3_bind_int(s, 2, input[1] % 8);
			(void)sqlite3_step(s);
		}
		(void)sqlite3_finalize(s);
		input += 4 + len;
		size -= 4 + len;
	}
	(void)sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL);
}

/* The kept journal with that damage, or false: it is in the file. */
static bool damage(const uint8_t *input, size_t size)
{
	unsigned how = size > 0 ? input[0] % 3 : 0;
	struct buf copy = { 0 };
	bool is_shown;

	buf_add(&copy, whole.data, whole.len);
	if (how == 1 && size > 2)
		copy.len = ((size_t)input[1] | (size_t)input[2] << 8) * 16 % whole.len;
	else if (how == 0 && size > 0)
		fuzz_patch((unsigned char *)copy.data, copy.len, input + 1, size - 1);
	is_shown = kept_show(copy.data, copy.len);
	if (!is_shown) {
		(void)unlinkat(project.flow_fd, "flow.db-wal", 0);
		(void)unlinkat(project.flow_fd, "flow.db-shm", 0);
		fuzz_write(".flow/flow.db", copy.data, copy.len);
	}
	buf_release(&copy);
	if (how == 2)
		change_cells(kept.handle, input + 1, size - 1);
	return is_shown;
}

/* To the picture: axes and pieces are made of whatever steps and values are found. */
static void read_curves(struct db *db, const struct run_record *run, struct arena *a)
{
	struct curve_list list = { 0 };
	struct panel_svg svg = { 0 };
	struct point_list points;
	struct err e;
	size_t i;

	(void)curves_of_run(db, run, a, &list, &e);
	for (i = 0; i < list.count && curve_read(&list.items[i], db, a, &points, &e) == 0; i++) {
		struct panel_curve curve = { .letter = 'a', .label = list.items[i].key };
		struct panel panel = { .title = list.items[i].task, .note = "", .curves = &curve, .count = 1, .log = i % 2 };
		struct point_list thin;

		(void)curve_thin(&thin, &points, 8, panel.log, a);
		curve.points = thin.items;
		curve.count = thin.count;
		panel_svg_add(&svg, &panel, 100);
	}
	panel_svg_release(&svg);
	vec_release(&list);
}

static void read_run(struct db *db, const char *ref, struct arena *a)
{
	struct attempt_list attempts = { 0 };
	struct runpage page = { 0 };
	struct buf text = { 0 };
	struct err e;
	size_t i;

	if (runpage_make(&page, db, &project, ref, a, &e) < 0)
		return;
	runpage_json(&text, &page, 0);
	for (i = 0; i < page.tasks.count; i++)
		(void)attempts_of_task(db, page.run.id, page.tasks.items[i].name, a, &attempts, &e);
	(void)measures_json(&text, &page, db, true, 0, &e);
	read_curves(db, &page.run, a);
	buf_release(&text);
}

static void read_lists(struct db *db, struct arena *a)
{
	struct runlist list = { 0 };
	struct status status = { 0 };
	struct buf text = { 0 };
	struct err e;

	if (runlist_make(&list, db, &project, NULL, 20, a, &e) == 0)
		runlist_json(&text, &list, 0);
	if (status_make(&status, db, &project, a, &e) == 0)
		status_json(&text, &status, 0);
	buf_release(&text);
}

static void read_history(struct db *db)
{
	const struct graph *g = &loaded.graph;
	struct history h;
	const void *parts;
	struct err e;
	uint32_t i;
	const char *why;
	size_t len;

	if (history_open(&h, g, &project, db, NULL, &e) == 0)
		for (i = 0; i < g->node_count; i++) {
			const struct record *r = h.past.latest(h.past.user, i);

			(void)h.past.last_try(h.past.user, i, &why);
			(void)h.past.nearest(h.past.user, i, "", 0, &parts, &len);
			if (r == NULL)
				continue;
			FUZZ_CHECK(r->out_count <= g->nodes[i].outs.count);
			(void)h.past.by_key(h.past.user, &r->key, r->out_count);
			if (h.past.parts(h.past.user, r->attempt, &parts, &len, &e) == 0)
				parts_diff(parts, len, parts, len, NULL, NULL);
		}
	history_close(&h);
}

/* One reader an input: none changes what another one finds. */
static void read_it(struct db *db, unsigned who)
{
	struct arena arena = { 0 };

	switch (who % 4) {
	case 0: read_lists(db, &arena); break;
	case 1: read_run(db, "@last", &arena); break;
	case 2: read_run(db, "@{1}", &arena); break;
	default: read_history(db); break;
	}
	arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned who = size > 0 ? data[0] / 3u : 0;
	struct db db;
	struct err e;

	if (whole.data == NULL)
		start();
	if (damage(data, size)) {
		read_it(&kept, who);
		kept_done();
	} else if (db_open(&db, &project, PROJECT_READ, &e) == 0) {
		read_it(&db, who);
		db_close(&db);
	}
	return 0;
}
