#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/near.h"
#include "base/vec.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "cli/replay.h"
#include "cli/shown.h"
#include "report/blame.h"
#include "report/path_of_changes.h"
#include "report/runpage.h"
#include "report/scratch.h"

/* The metric of one run. */
struct measured {
	struct run_record run;
	const char *task;
	int64_t attempt;
	double value;
};

struct blaming {
	struct cli *cli;
	struct records *records;
	const char *metric; /* without its task */
	const char *task;
	struct measured a, b;
	struct scratch scratch;
	struct path path;
	struct blame blame;
	bool has_past;
	uint32_t ran, reused; /* tasks, over all points */
};

/* -- the metric ----------------------------------------------------------------------------------------------------- */

static int no_metric(
	struct cli *c, const struct runpage *page, const char *name, size_t tasks, struct err *e)
{
	const char **names = arena_alloc(&c->arena, (page->measures.count + 1) * sizeof *names),
		   *best;
	size_t i;

	if (tasks > 1) {
		err_set(e, ERR_USAGE, "%zu tasks of run %s have a metric `%.80s`", tasks,
			page->run.name, name);
		return err_hint(e, "name its task: TASK:METRIC");
	}
	for (i = 0; i < page->measures.count; i++)
		names[i] = page->measures.items[i].name;
	best = near_find(name, names, page->measures.count);
	err_set(e, ERR_NOTFOUND, "run %s has no metric `%.80s`", page->run.name, name);
	return err_hint(e, "%s%s%s`flow metrics %s` lists them",
		best != NULL ? "did you mean " : "", best != NULL ? best : "",
		best != NULL ? "? " : "", page->run.name);
}

/* name is "accuracy" or "train:accuracy". */
static int measure(struct cli *c, struct records *r, const char *ref, const char *name,
	struct measured *out, struct err *e)
{
	const char *colon = strrchr(name, ':'), *metric = colon != NULL ? colon + 1 : name;
	struct runpage page;
	size_t i, tasks = 0;

	if (runpage_measures(&page, &r->db, &r->project, ref, &c->arena, e) < 0)
		return e->code;
	for (i = 0; i < page.measures.count; i++) {
		const char *task = page.measure_tasks[i];

		if (strcmp(page.measures.items[i].name, metric) != 0 ||
			(colon != NULL && (strlen(task) != (size_t)(colon - name) ||
						  memcmp(task, name, strlen(task)) != 0)))
			continue;
		*out = (struct measured){ page.run, task, page.measures.items[i].attempt,
			page.measures.items[i].value };
		tasks++;
	}
	return tasks == 1 ? 0 : no_metric(c, &page, name, tasks, e);
}

/* -- one point of the path ------------------------------------------------------------------------------------------ */

static int read_value(struct blaming *b, double *value)
{
	struct project p;
	struct runpage page;
	struct err e;
	struct db db;
	size_t i;
	int found = 0;

	if (project_open(&p, b->scratch.root, PROJECT_READ, &e) < 0)
		return 0;
	if (db_open(&db, &p, PROJECT_READ, &e) == 0) {
		if (runpage_measures(&page, &db, &p, "@last", &b->cli->arena, &e) == 0)
			for (i = 0; i < page.measures.count && found == 0; i++)
				if (strcmp(page.measures.items[i].name, b->metric) == 0 &&
					strcmp(page.measure_tasks[i], b->task) == 0) {
					*value = page.measures.items[i].value;
					found = 1;
				}
		db_close(&db);
	}
	project_close(&p);
	return found;
}

static void tell_point(struct blaming *b, size_t point, const char *what)
{
	struct err e;

	if (b->cli->quiet || b->cli->json)
		return;
	screen_printf(
		&b->cli->talk, "with %zu of %zu changes: %s\n", point, b->path.changes.count, what);
	(void)screen_flush(&b->cli->talk, &e);
}

static int stand_at(struct blaming *b, size_t point, struct err *e)
{
	if (path_go(&b->path, &b->scratch, point, e) < 0)
		return e->code;
	if (!b->has_past && scratch_past(&b->scratch, &b->records->db, e) < 0)
		return e->code;
	b->has_past = true;
	return 0;
}

static int given(void *user, const struct graph *g, struct err *e)
{
	struct blaming *b = user;

	return scratch_secrets(&b->scratch, g, e);
}

static int run_point(void *user, size_t point, double *value, struct err *e)
{
	struct blaming *b = user;
	struct replay replay = { .task = b->task, .quiet = true, .given = given, .user = b };
	struct cli *c = b->cli;

	if (stand_at(b, point, e) < 0) {
		tell_point(b, point, shown(c, e->text));
		return e->sys != 0 ? e->code : 0; /* the machine's fault ends it */
	}
	replay.dag = replay_dag(c, &b->scratch);
	replay.params = &b->path.params;
	if (replay_run(c, &replay) != EXIT_DONE) {
		if (replay_stopped(&replay))
			return err_set(e, ERR_CANCELED, "stopped");
		tell_point(b, point, "cannot be run");
		return 0;
	}
	b->ran += replay.result.ran;
	b->reused += replay.result.reused;
	if (read_value(b, value) == 0) {
		tell_point(b, point, "no such metric");
		return 0;
	}
	tell_point(b, point,
		arena_printf(&c->arena, "%s %s (%u ran, %u cached)", shown(c, b->metric),
			shown_number(c, *value), replay.result.ran, replay.result.reused));
	return 1;
}

/* -- the answer ----------------------------------------------------------------------------------------------------- */

static const char *change_text(struct cli *c, const struct path_change *change)
{
	static const char *const kinds[] = { "", "input ", "env ", "param " };
	const char *name =
		arena_printf(&c->arena, "%s%s", kinds[change->kind], shown(c, change->name));

	if (change->kind == PATH_SOURCE)
		return change->is[0] != '\0' ? arena_printf(&c->arena, "%s  %s", name,
						       shown_cut(c, change->is, 50))
					     : name;
	return arena_printf(&c->arena, "%s  %s %s %s", name,
		change->was != NULL ? shown_cut(c, change->was, 24) : "-",
		glyph_text(&c->out, GLYPH_ARROW),
		change->is != NULL ? shown_cut(c, change->is, 24) : "-");
}

static const char *share_text(struct cli *c, const struct blaming *b, double by)
{
	double whole = b->b.value - b->a.value;

	if (!isfinite(by) || !isfinite(whole) || !(fabs(whole) > 0.0))
		return "";
	return arena_printf(&c->arena, "%.0f %%", 100.0 * by / whole);
}

static const char *signed_number(struct cli *c, double x)
{
	return arena_printf(&c->arena, "%s%s", x > 0 ? "+" : "", shown_number(c, x));
}

/* A stretch: its changes, the last one with what they did together. */
static void put_part(
	struct cli *c, struct table *t, const struct blaming *b, const struct blame_part *part)
{
	bool same = blame_same(part->was, part->is);
	double by = part->is - part->was;
	size_t i;

	for (i = 0; i < part->count; i++) {
		const struct path_change *change = &b->path.changes.items[part->first + i];
		bool last = i + 1 == part->count;

		table_cell(t, same ? PAINT_DIM : PAINT_NONE, "%s", change_text(c, change));
		table_cell(t, PAINT_NONE, "%s", !last || same ? "" : shown_number(c, part->is));
		table_cell(t, same ? PAINT_DIM : PAINT_BOLD, "%s",
			same   ? "no effect"
			: last ? signed_number(c, by)
			       : "together with the next");
		table_cell(t, PAINT_NONE, "%s", last && !same ? share_text(c, b, by) : "");
	}
}

static void put_blame(struct cli *c, const struct blaming *b)
{
	struct table t = { .arena = &c->arena, .columns = 4, .right = 0xa };
	size_t i;

	table_cell(&t, PAINT_BOLD, "CHANGE");
	table_cell(&t, PAINT_BOLD, "%s", shown(c, b->metric));
	table_cell(&t, PAINT_BOLD, "BY");
	table_cell(&t, PAINT_BOLD, "SHARE");
	table_cell(&t, PAINT_NONE, "(run %s)", b->a.run.name);
	table_cell(&t, PAINT_NONE, "%s", shown_number(c, b->a.value));
	table_cell(&t, PAINT_NONE, "%s", "");
	table_cell(&t, PAINT_NONE, "%s", "");
	for (i = 0; i < b->blame.parts.count; i++)
		put_part(c, &t, b, &b->blame.parts.items[i]);
	table_write(&t, &c->out);
	screen_printf(&c->out, "%zu combination%s tried: %u task%s ran, %u cached\n",
		b->blame.tried, b->blame.tried == 1 ? "" : "s", b->ran, b->ran == 1 ? "" : "s",
		b->reused);
	if (b->path.note[0] != '\0')
		screen_printf(&c->out, "note: %s\n", shown(c, b->path.note));
}

static void change_members(struct json *j, const struct path_change *change)
{
	static const char *const kinds[] = { "source", "input", "env", "param" };

	json_key_string(j, "kind", kinds[change->kind]);
	json_key_string(j, "name", change->name);
	json_key_string(j, "commit",
		change->kind == PATH_SOURCE && change->source.commit_id[0] != '\0'
			? change->source.commit_id
			: NULL);
	json_key_string(j, "was", change->was);
	json_key_string(j, "is", change->is);
}

static void write_json(struct cli *c, const struct blaming *b)
{
	struct json j;
	size_t i, k;

	json_init(&j, &c->out.text);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key_string(&j, "metric", b->metric);
	json_key_string(&j, "task", b->task);
	json_key_string(&j, "from", b->a.run.uuid);
	json_key_string(&j, "to", b->b.run.uuid);
	json_key_number(&j, "was", b->a.value);
	json_key_number(&j, "is", b->b.value);
	json_key_int(&j, "tried", (int64_t)b->blame.tried);
	json_key(&j, "path");
	json_open_array(&j);
	for (i = 0; i < b->blame.parts.count; i++) {
		const struct blame_part *part = &b->blame.parts.items[i];

		json_open_object(&j);
		json_key_number(&j, "was", part->was);
		json_key_number(&j, "is", part->is);
		json_key(&j, "changes");
		json_open_array(&j);
		for (k = 0; k < part->count; k++) {
			json_open_object(&j);
			change_members(&j, &b->path.changes.items[part->first + k]);
			json_end(&j);
		}
		json_end(&j);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
}

/* -- the command ---------------------------------------------------------------------------------------------------- */

/* A run in which nothing ran did not ask git: the task's results are those of the run that made them, and so is their source. */
static int find_source(struct blaming *b, struct measured *m, struct err *e)
{
	struct attempt_record attempt;
	struct run_record run;

	if (m->run.commit_id[0] != '\0' || m->run.ran > 0)
		return 0;
	if (attempt_get(&b->records->db, m->attempt, &b->cli->arena, &attempt, e) < 0 ||
		run_get(&b->records->db, attempt.run, &b->cli->arena, &run, e) < 0)
		return e->code;
	m->run.commit_id = run.commit_id;
	m->run.dirty = run.dirty;
	m->run.patch = run.patch;
	m->run.dag_digest = run.dag_digest;
	m->run.dag_path = run.dag_path;
	return 0;
}

static bool is_only_run(struct records *r)
{
	int64_t id;
	struct err e;

	return runs_resolve(&r->db, "@{1}", &id, &e) < 0;
}

static int find_ends(struct cli *c, struct blaming *b, struct err *e)
{
	const char *name = c->args.items[0], *colon = strrchr(name, ':');
	const char *from = c->args.count > 1 ? c->args.items[1] : "@{1}";
	const char *to = c->args.count > 2 ? c->args.items[2] : "@last";

	b->metric = colon != NULL ? colon + 1 : name;
	if (c->args.count == 1 && is_only_run(b->records)) {
		err_set(e, ERR_NOTFOUND, "there is only one run: nothing to compare it with");
		return err_hint(e, "change something and `flow run` again");
	}
	if (measure(c, b->records, to, name, &b->b, e) < 0 ||
		measure(c, b->records, from, name, &b->a, e) < 0)
		return e->code;
	b->task = b->b.task;
	if (find_source(b, &b->a, e) < 0 || find_source(b, &b->b, e) < 0)
		return e->code;
	if (strcmp(b->a.task, b->task) == 0)
		return 0;
	err_set(e, ERR_USAGE, "`%.80s` is of task `%s` in run %s and of `%s` in run %s", name,
		b->a.task, b->a.run.name, b->task, b->b.run.name);
	return err_hint(e, "name runs in which the same task measured it");
}

static int search(struct blaming *b, struct err *e)
{
	if (scratch_open(&b->scratch, &b->records->project, e) < 0 ||
		path_make(&b->path, &b->records->db, &b->scratch, &b->a.run, b->a.attempt,
			&b->b.run, b->b.attempt, e) < 0)
		return e->code;
	b->blame = (struct blame){ .changes = b->path.changes.count,
		.was = b->a.value,
		.is = b->b.value,
		.all = b->cli->all };
	return blame_bisect(&b->blame, run_point, b, e);
}

/* The same key, another number. */
static void put_chance(struct cli *c, const struct blaming *b)
{
	screen_printf(&c->out, "%s went from %s to %s, and nothing that `%s` depends on differs\n",
		shown(c, b->metric), shown_number(c, b->a.value), shown_number(c, b->b.value),
		shown(c, b->task));
	screen_str(&c->out, "does it give the same each time? flow artifact reproduce OUT "
			    "--check-determinism 3\n");
}

static void answer(struct cli *c, const struct blaming *b)
{
	if (c->json) {
		write_json(c, b);
	} else if (blame_same(b->a.value, b->b.value) && !c->all) {
		screen_printf(&c->out, "%s is %s in both runs\n", shown(c, b->metric),
			shown_number(c, b->a.value));
	} else if (b->path.changes.count == 0) {
		if (blame_same(b->a.value, b->b.value))
			screen_printf(&c->out,
				"%s is %s in both runs, and nothing that `%s` depends on differs\n",
				shown(c, b->metric), shown_number(c, b->a.value),
				shown(c, b->task));
		else
			put_chance(c, b);
	} else {
		put_blame(c, b);
	}
}

static int blame_main(struct cli *c)
{
	struct blaming b = { .cli = c, .scratch = { .root_fd = -1, .lock_fd = -1 } };
	struct records r;
	struct err e;
	int rc;

	if (records_open(&r, c, &e) < 0)
		return records_fail(c, &e, NULL);
	b.records = &r;
	rc = find_ends(c, &b, &e);
	records_live(&r);
	if (rc == 0 && (c->all || c->json || !blame_same(b.a.value, b.b.value)))
		rc = search(&b, &e);
	if (rc == 0)
		answer(c, &b);
	blame_release(&b.blame);
	path_release(&b.path);
	if (b.scratch.lock_fd >= 0)
		scratch_close(&b.scratch);
	return rc == 0 ? records_done(c, &r) : records_lost(c, &r, &e);
}

static const struct opt opts[] = {
	{ 'j', "jobs", OPT_NUMBER, "N", "tasks at once (default: one for each core)", OPT_AT(jobs),
		NULL },
	{ 0, "all", OPT_FLAG, NULL,
		"try every change on its own, also where both ends are the same", OPT_AT(all),
		NULL },
	OPT_END,
};

const struct command cmd_blame = { .name = "blame",
	.group = GROUP_LOOK,
	.args = "METRIC [A [B]] [FILE.yaml]",
	.summary = "find out which change moved a metric between two runs",
	.about = "Takes apart what differs between runs A and B for the task that measured the\n"
		 "metric: each commit, the uncommitted changes, each raw input, listed\n"
		 "environment variable and parameter. Then it goes from A to B a change at a\n"
		 "time, in a scratch work tree, reusing all results it can, and tries only as\n"
		 "many combinations as bisecting needs. A and B are runs as in `flow runs\n"
		 "show`; the defaults are the one before the last and the last. METRIC may be\n"
		 "TASK:METRIC.\n",
	.examples = "flow blame accuracy\n"
		    "flow blame train:loss @last-ok @last\n"
		    "flow blame accuracy @{5} @last --all\n",
	.least = 1,
	.most = 3,
	.takes_dag = true,
	.shows = true,
	.opts = opts,
	.run = blame_main };
