/*
 * flow gc: keep the store in bounds.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/path.h"
#include "base/units.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/shown.h"
#include "run/recover.h"
#include "store/gc.h"
#include "store/runs.h"
#include "store/shared.h"
#include "store/stats.h"
#include "store/tasks.h"

struct upkeep {
	struct project project;
	struct db db;
	struct gc gc;
};

static int read_wish(struct cli *c, struct gc_wish *w, struct err *e)
{
	int64_t since_ms = 0;

	*w = (struct gc_wish){ .grace_ms = GC_GRACE_MS };
	if (c->budget != NULL && size_parse(&w->budget, c->budget, e) < 0)
		return err_context(e, "--budget");
	if (c->keep_since != NULL && duration_parse(&since_ms, c->keep_since, e) < 0)
		return err_context(e, "--keep-since");
	if (c->grace != NULL && duration_parse(&w->grace_ms, c->grace, e) < 0)
		return err_context(e, "--grace");
	w->has_budget = c->budget != NULL;
	w->logs = c->budget == NULL || c->keep_since != NULL || c->keep_last != 0;
	w->keep.last = c->keep_last;
	if (c->keep_since != NULL)
		w->keep.since_ms = clock_wall_ms() - since_ms;
	/* Alone it removes only what no run has that is still shown. */
	if (c->budget == NULL && c->keep_since == NULL && c->keep_last == 0)
		w->keep.last = UINT32_MAX;
	return 0;
}

/* The project and its journal. A dry run reads; else what a dead run left is settled first. */
static int open_all(struct upkeep *u, struct cli *c, struct err *e)
{
	enum project_mode mode = c->dry_run ? PROJECT_READ : PROJECT_WRITE;
	const char *folder = path_folder(&c->arena, c->dag);
	struct recovery found;
	struct stats stats = { .count = 0 };
	int rc = project_open(&u->project, folder, PROJECT_READ, e);

	if (rc == 0 && mode == PROJECT_WRITE) {
		project_close(&u->project); /* it is there: gc makes no new one */
		rc = project_open(&u->project, folder, mode, e);
	}
	if (rc < 0)
		return rc;
	rc = db_open(&u->db, &u->project, mode, e);
	if (rc == 0 && mode == PROJECT_WRITE)
		rc = recover(&u->project, &u->db, &stats, &found, e);
	stats_release(&stats);
	return rc;
}

static void close_all(struct upkeep *u)
{
	gc_release(&u->gc);
	db_close(&u->db);
	project_close(&u->project);
}

static int forget(struct upkeep *u, struct cli *c, struct err *e)
{
	size_t i;

	for (i = 0; i < c->forget.count; i++)
		if (shared_forget(&u->project, c->forget.items[i], e) < 0)
			return e->code;
	return 0;
}

/* -- what is said ----------------------------------------------------------------------------------------------------- */

static int put_choice(struct cli *c, struct db *db, struct table *t, const struct gc_choice *choice,
	struct err *e)
{
	struct attempt_record a;
	struct run_record run;
	char size[UNITS_TEXT];

	if (attempt_get(db, choice->attempt, &c->arena, &a, e) < 0 ||
		run_get(db, a.run, &c->arena, &run, e) < 0)
		return e->code;
	table_cell(t, PAINT_NONE, "%s", shown(c, a.task));
	table_cell(t, PAINT_NONE, "%s", shown(c, run.name));
	table_cell(t, PAINT_NONE, "%s", shown_took(c, choice->took_ms));
	table_cell(t, PAINT_NONE, "%s", size_text(choice->bytes, size));
	table_cell(t, choice->evicted ? PAINT_YELLOW : PAINT_NONE, "%s",
		choice->evicted ? "goes" : "stays: the budget allows it");
	return 0;
}

static int put_choices(struct cli *c, struct upkeep *u, struct err *e)
{
	static const char *const heads[] = { "TASK", "RUN", "TOOK", "SIZE", "" };
	struct table t = { .arena = &c->arena, .columns = 5, .right = 0xc };
	size_t i, most = list_most(c, u->gc.choices.count);

	if (u->gc.choices.count == 0)
		return 0;
	for (i = 0; i < 5; i++)
		table_cell(&t, PAINT_BOLD, "%s", heads[i]);
	for (i = 0; i < most; i++)
		if (put_choice(c, &u->db, &t, &u->gc.choices.items[i], e) < 0)
			return e->code;
	table_write(&t, &c->out);
	list_rest(c, u->gc.choices.count);
	return 0;
}

/* "312 results" */
static const char *counted(struct cli *c, uint64_t n, const char *one, const char *many)
{
	return arena_printf(&c->arena, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
}

static void put_kept(struct cli *c, const struct needs *n)
{
	const char *comma = "kept: ";
	unsigned i;

	for (i = KEPT_PINNED; i < KEPT_COUNT; i++) {
		if (n->attempts[i] == 0)
			continue;
		screen_printf(&c->out, "%s%s for %s", comma,
			counted(c, n->attempts[i], "result", "results"), kept_text((enum kept)i));
		comma = ", ";
	}
	if (comma[0] == ',')
		screen_str(&c->out, "\n");
}

static void put_sum(struct cli *c, const struct gc *g)
{
	char freed[UNITS_TEXT], had[UNITS_TEXT], shared[UNITS_TEXT];

	screen_printf(&c->out, "%s %s of %s: %s of %s", c->dry_run ? "would free" : "freed",
		size_text(g->freed_bytes, freed), size_text(g->had_bytes, had),
		counted(c, g->freed_objects, "object", "objects"),
		counted(c, g->evicted, "result", "results"));
	if (g->unclaimed_objects > 0)
		screen_printf(&c->out, ", %llu that no run knows of",
			(unsigned long long)g->unclaimed_objects);
	screen_str(&c->out, "\n");
	if (g->logs.runs.count > 0)
		screen_printf(&c->out, "%s of logs: of %s\n", size_text(g->logs.bytes, freed),
			counted(c, g->logs.runs.count, "run", "runs"));
	if (g->shared_bytes > 0)
		screen_printf(&c->out, "%s of it takes room until the work tree's files go, too\n",
			size_text(g->shared_bytes, shared));
	if (g->wish.has_budget && g->shelf.claimed > g->wish.budget)
		screen_printf(&c->out, "%s is left, more than the budget: all of it is needed\n",
			size_text(g->shelf.claimed, had));
}

static void put_json(struct cli *c, const struct gc *g)
{
	struct json j;
	unsigned i;

	json_init(&j, &c->out.text);
	json_open_object(&j);
	json_key(&j, "v"), json_int(&j, 1);
	json_key(&j, "dry_run"), json_bool(&j, c->dry_run);
	json_key(&j, "objects"), json_int(&j, (int64_t)g->had_objects);
	json_key(&j, "bytes"), json_int(&j, (int64_t)g->had_bytes);
	json_key(&j, "freed_objects"), json_int(&j, (int64_t)g->freed_objects);
	json_key(&j, "freed_bytes"), json_int(&j, (int64_t)g->freed_bytes);
	json_key(&j, "freed_logs"), json_int(&j, (int64_t)g->logs.bytes);
	json_key(&j, "evicted"), json_int(&j, (int64_t)g->evicted);
	json_key(&j, "kept");
	json_open_object(&j);
	for (i = KEPT_PINNED; i < KEPT_COUNT; i++)
		json_key(&j, kept_word((enum kept)i)), json_int(&j, (int64_t)g->needs.attempts[i]);
	json_end(&j);
	json_end(&j);
	screen_str(&c->out, "\n");
}

static int collect(struct cli *c, struct upkeep *u, struct err *e)
{
	struct gc_wish wish;

	if (read_wish(c, &wish, e) < 0 || open_all(u, c, e) < 0 || forget(u, c, e) < 0 ||
		gc_plan(&u->gc, &u->project, &u->db, &wish, e) < 0)
		return e->code;
	if (c->explain && !c->json && put_choices(c, u, e) < 0)
		return e->code;
	return c->dry_run ? 0 : gc_do(&u->gc, e);
}

static int gc_main(struct cli *c)
{
	struct upkeep u = { .project = { .root_fd = -1,
				    .flow_fd = -1,
				    .store_fd = -1,
				    .lock_fd = -1,
				    .store_lock_fd = -1 } };
	struct err e;
	int rc = collect(c, &u, &e);

	if (rc == 0 && c->json)
		put_json(c, &u.gc);
	else if (rc == 0) {
		put_sum(c, &u.gc);
		put_kept(c, &u.gc.needs);
	}
	close_all(&u);
	if (rc != ERR_NOTFOUND || c->forget.count > 0)
		return rc < 0 ? cli_fail(c, &e) : EXIT_DONE;
	screen_str(&c->talk, "no runs yet: there is nothing to remove\n");
	return EXIT_DONE;
}

static const struct opt opts[] = {
	{ 0, "budget", OPT_TEXT, "SIZE", "come down to so much, as `50G`", OPT_AT(budget), NULL },
	{ 0, "keep-last", OPT_NUMBER, "N", "keep the results of the last N runs", OPT_AT(keep_last),
		NULL },
	{ 0, "keep-since", OPT_TEXT, "TIME", "keep those of the runs since then, as `14d`",
		OPT_AT(keep_since), NULL },
	{ 0, "grace", OPT_TEXT, "TIME", "leave what no run knows of for so long (default: 1h)",
		OPT_AT(grace), NULL },
	{ 'n', "dry-run", OPT_FLAG, NULL, "show what would go, and remove nothing", OPT_AT(dry_run),
		NULL },
	{ 0, "explain", OPT_FLAG, NULL, "every result that may go, in that order", OPT_AT(explain),
		NULL },
	{ 0, "all", OPT_FLAG, NULL, "with --explain: the whole list", OPT_AT(all), NULL },
	{ 0, "forget", OPT_LIST, "FOLDER", "a project that shared the store and is no more",
		OPT_AT(forget), NULL },
	OPT_END,
};

const struct command cmd_gc = { .name = "gc",
	.group = GROUP_UPKEEP,
	.args = "",
	.summary = "remove results that can be made again from the store",
	.about = "With --budget, the results that cost least to make again for each byte go\n"
		 "first, by the time their tasks took, until the store fits. With --keep-last\n"
		 "or --keep-since alone, all go that these runs do not have. Together: what\n"
		 "these runs have stays, of the rest only what must goes. With none of them,\n"
		 "only what no run has goes. Unless --budget stands alone, logs and folders of\n"
		 "failed attempts go, too, of runs that are not kept.\n"
		 "\n"
		 "What the last run, a pinned or a tagged run or the work tree needs never\n"
		 "goes. The record of the runs stays: a result that went is made again when\n"
		 "it is needed. In a shared store (`flow config cache.dir`) another project's\n"
		 "results stay.\n",
	.examples = "flow gc --budget 50G --dry-run --explain\n"
		    "flow gc --keep-last 20\n"
		    "flow gc --keep-since 14d --budget 200G\n",
	.takes_dag = true,
	.shows = true,
	.opts = opts,
	.run = gc_main };
