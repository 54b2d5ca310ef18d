#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/near.h"
#include "base/units.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "cli/shown.h"
#include "report/runlist.h"
#include "report/runpage.h"

#define LIMIT_DEFAULT 20
#define CHANGED_MOST  40 /* columns */
#define MARKS_MOST    60

/* "best, pinned: what somebody wrote" */
static const char *marks_text(struct cli *c, const struct run_record *r)
{
	const char *words = arena_printf(&c->arena, "%s%s%s", r->tags,
		r->tags[0] != '\0' && r->pinned_ms != 0 ? " " : "",
		r->pinned_ms != 0 ? "(pinned)" : "");

	if (r->remark[0] == '\0')
		return shown_cut(c, words, MARKS_MOST);
	return shown_cut(c,
		arena_printf(&c->arena, "%s%s%s", words, words[0] != '\0' ? ": " : "", r->remark),
		MARKS_MOST);
}

static bool has_marks(const struct runlist *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->rows[i].run.tags[0] != '\0' || list->rows[i].run.remark[0] != '\0' ||
			list->rows[i].run.pinned_ms != 0)
			return true;
	return false;
}

static void put_list(struct cli *c, const struct runlist *list, int64_t now)
{
	static const char *const heads[] = { "RUN", "WHEN", "STATE", "TOOK", "RAN", "CACHED",
		"FAILED", "COMMIT", "PARAMS CHANGED" };
	bool marks = has_marks(list);
	struct table t = { .arena = &c->arena,
		.columns = 9 + list->metric_count + marks,
		.right = 0x70u | ((1u << list->metric_count) - 1) << 9 };
	char text[32];
	unsigned k;
	size_t i;

	for (k = 0; k < 9; k++)
		table_cell(&t, PAINT_BOLD, "%s", heads[k]);
	for (k = 0; k < list->metric_count; k++)
		table_cell(&t, PAINT_BOLD, "%s", shown_cut(c, list->metrics[k], 20));
	if (marks)
		table_cell(&t, PAINT_BOLD, "TAGS AND NOTES");
	for (i = 0; i < list->count; i++) {
		const struct run_record *r = &list->rows[i].run;
		const char *word = run_word(r, list->rows[i].alive);
		bool ended = r->ended_ms != 0;

		table_cell(&t, PAINT_NONE, "%s", shown(c, r->name));
		table_cell(&t, PAINT_NONE, "%s", ago_text(r->began_ms, now, text));
		table_cell(&t, run_paint(word), "%s", shown(c, word));
		table_cell(&t, PAINT_NONE, "%s",
			ended || list->rows[i].alive ? shown_took(c, run_took_ms(r, now)) : "-");
		table_cell(&t, PAINT_NONE, "%s", shown_count(c, r->ran, ended));
		table_cell(&t, PAINT_NONE, "%s", shown_count(c, r->reused, ended));
		table_cell(&t, PAINT_NONE, "%s", shown_count(c, r->failed, ended));
		table_cell(&t, PAINT_NONE, "%s", shown_commit(c, r));
		table_cell(&t, PAINT_NONE, "%s",
			r->changed[0] != '\0' ? shown_cut(c, shown_changed(c, r), CHANGED_MOST)
					      : "-");
		for (k = 0; k < list->metric_count; k++)
			table_cell(&t, PAINT_NONE, "%s", shown_number(c, list->rows[i].values[k]));
		if (marks)
			table_cell(&t, PAINT_CYAN, "%s", marks_text(c, r));
	}
	table_write(&t, &c->out);
}

static int bad_state(struct cli *c)
{
	static const char *const words[] = { "ok", "failed", "cancelled", "interrupted",
		"running" };
	const char *best = near_find(c->state, words, sizeof words / sizeof *words);
	struct err e;

	err_set(&e, ERR_USAGE, "no run can be in state `%.60s`", c->state);
	err_hint(&e, "%s%s%sa state is ok, failed, cancelled, interrupted or running",
		best != NULL ? "did you mean " : "", best != NULL ? best : "",
		best != NULL ? "? " : "");
	return cli_fail(c, &e);
}

static int list_main(struct cli *c)
{
	const char *state = c->state != NULL ? run_state_of(c->state) : NULL;
	int64_t now = clock_wall_ms();
	struct runlist list;
	struct records r;
	struct err e;

	if (c->state != NULL && state == NULL)
		return bad_state(c);
	if (records_open(&r, c, &e) < 0)
		return records_fail(c, &e, "{\"v\":1,\"runs\":[]}");
	if (runlist_make(&list, &r.db, &r.project, state, c->limit != 0 ? c->limit : LIMIT_DEFAULT,
		    &c->arena, &e) < 0)
		return records_lost(c, &r, &e);
	if (c->json)
		runlist_json(&c->out.text, &list, now);
	else if (list.count == 0)
		screen_printf(&c->talk, "no run is %s\n", c->state);
	else
		put_list(c, &list, now);
	return records_done(c, &r);
}

/* "state     ok" */
static void put_field(struct cli *c, const char *name, const char *text)
{
	screen_paint(&c->out, PAINT_BOLD, arena_printf(&c->arena, "%-9s", name));
	screen_printf(&c->out, " %s\n", text);
}

static void put_head(struct cli *c, const struct runpage *p, int64_t now)
{
	const struct run_record *r = &p->run;
	const char *word = run_word(r, p->alive);
	char ago[32], when[32];
	struct arena *a = &c->arena;

	put_field(c, "run", shown(c, r->uuid));
	screen_paint(&c->out, PAINT_BOLD, "state     ");
	screen_paint(&c->out, run_paint(word), shown(c, word));
	if (r->ended_ms != 0 || p->alive)
		screen_printf(&c->out, ", %s %s", r->ended_ms != 0 ? "took" : "for",
			shown_took(c, run_took_ms(r, now)));
	else
		screen_str(&c->out, "; the next `flow run` takes it up");
	screen_str(&c->out, "\n");
	put_field(c, "began",
		arena_printf(a, "%s (%s)", time_text(r->began_ms, when),
			ago_text(r->began_ms, now, ago)));
	put_field(c, "dag",
		arena_printf(a, "%s%s%s%s", shown(c, r->dag_path),
			r->dag_name[0] != '\0' ? " (" : "", shown(c, r->dag_name),
			r->dag_name[0] != '\0' ? ")" : ""));
	put_field(c, "source", shown_source(c, r));
	if (r->tags[0] != '\0')
		put_field(c, "tags", shown(c, r->tags));
	if (r->remark[0] != '\0')
		put_field(c, "note", shown(c, r->remark));
	if (r->pinned_ms != 0)
		put_field(c, "pinned", "yes: gc keeps all it needs");
	put_field(c, "by",
		arena_printf(a, "%s on %s, flow %s", shown(c, r->cause), shown(c, r->host),
			shown(c, r->version)));
	if (r->ended_ms != 0)
		put_field(c, "tasks",
			arena_printf(a, "%lld ran, %lld cached, %lld failed", (long long)r->ran,
				(long long)r->reused, (long long)r->failed));
}

static void put_heads(struct table *t, const char *const *heads)
{
	unsigned i;

	for (i = 0; i < t->columns; i++)
		table_cell(t, PAINT_BOLD, "%s", heads[i]);
}

/* One task; of one that failed how it did, and below that why it was run. */
static void put_task(struct cli *c, struct table *t, const struct task_record *k, int64_t now)
{
	const char *word = task_word(k->state);
	bool failed = strcmp(k->state, "FAILED") == 0, tried = k->last.id != 0;
	int i;

	table_cell(t, PAINT_NONE, "%s", shown(c, k->name));
	table_cell(t, run_paint(word), "%s", shown(c, word));
	table_cell(t, PAINT_NONE, "%s", shown_count(c, k->last.number, tried));
	table_cell(t, PAINT_NONE, "%s", tried ? shown_took(c, attempt_took_ms(&k->last, now)) : "-");
	table_cell(t, failed ? PAINT_RED : PAINT_NONE, "%s",
		failed && tried ? attempt_fate(c, &k->last) : shown(c, k->why));
	if (!failed || !tried || k->why[0] == '\0' || strcmp(k->reason, "never-run") == 0)
		return;
	for (i = 0; i < 4; i++)
		table_cell(t, PAINT_NONE, "%s", "");
	table_cell(t, PAINT_DIM, "it ran because: %s", shown(c, k->why));
}

static void put_tasks(struct cli *c, const struct runpage *p, int64_t now)
{
	static const char *const heads[] = { "TASK", "STATE", "ATTEMPTS", "TOOK", "WHY" };
	struct table t = { .arena = &c->arena, .columns = 5, .right = 0x4 };
	size_t i, most = list_most(c, p->tasks.count);

	if (p->tasks.count == 0)
		return;
	screen_str(&c->out, "\n");
	put_heads(&t, heads);
	for (i = 0; i < most; i++)
		put_task(c, &t, &p->tasks.items[i], now);
	table_write(&t, &c->out);
	list_rest(c, p->tasks.count);
}

static void put_params(struct cli *c, const struct runpage *p)
{
	static const char *const heads[] = { "PARAMETER", "VALUE", "" };
	struct table t = { .arena = &c->arena, .columns = 3 };
	size_t i, most = list_most(c, p->params.count);

	if (p->params.damaged)
		screen_str(&c->out, "\nthe parameters of this run cannot be read\n");
	if (p->params.count == 0)
		return;
	screen_str(&c->out, "\n");
	put_heads(&t, heads);
	for (i = 0; i < most; i++) {
		const struct run_param *param = &p->params.items[i];

		table_cell(&t, PAINT_NONE, "%s", shown(c, param->name));
		table_cell(&t, PAINT_NONE, "%s", shown_cut(c, param->value, 60));
		table_cell(&t, PAINT_YELLOW, "%s", param->set ? "set by -p" : "");
	}
	table_write(&t, &c->out);
	list_rest(c, p->params.count);
}

static void put_measures(struct cli *c, const struct runpage *p)
{
	static const char *const heads[] = { "TASK", "METRIC", "VALUE" };
	struct table t = { .arena = &c->arena, .columns = 3, .right = 0x4 };
	size_t i, most = list_most(c, p->measures.count);

	if (p->measures.count == 0)
		return;
	screen_str(&c->out, "\n");
	put_heads(&t, heads);
	for (i = 0; i < most; i++) {
		table_cell(&t, PAINT_NONE, "%s", shown(c, p->measure_tasks[i]));
		table_cell(&t, PAINT_NONE, "%s", shown(c, p->measures.items[i].name));
		table_cell(&t, PAINT_NONE, "%s", shown_number(c, p->measures.items[i].value));
	}
	table_write(&t, &c->out);
	list_rest(c, p->measures.count);
}

static void put_artifacts(struct cli *c, const struct runpage *p)
{
	static const char *const heads[] = { "TASK", "OUT", "ARTIFACT", "DIGEST", "SIZE" };
	struct table t = { .arena = &c->arena, .columns = 5, .right = 0x10 };
	size_t i, most = list_most(c, p->artifacts.count);
	char size[UNITS_TEXT];

	if (p->artifacts.count == 0)
		return;
	screen_str(&c->out, "\n");
	put_heads(&t, heads);
	for (i = 0; i < most; i++) {
		const struct artifact_record *r = &p->artifacts.items[i];

		table_cell(&t, PAINT_NONE, "%s", shown(c, p->artifact_tasks[i]));
		table_cell(&t, PAINT_NONE, "%s", shown(c, r->name));
		table_cell(&t, PAINT_NONE, "%s", shown(c, r->path));
		table_cell(&t, PAINT_DIM, "%s", shown_digest(c, &r->made.digest));
		table_cell(&t, PAINT_NONE, "%s",
			artifact_is_absent(r) ? "not written" : size_text(r->made.size, size));
	}
	table_write(&t, &c->out);
	list_rest(c, p->artifacts.count);
}

static int show_main(struct cli *c)
{
	const char *ref = c->args.count > 0 ? c->args.items[0] : "@last";
	int64_t now = clock_wall_ms();
	struct runpage page;
	struct records r;
	struct err e;

	if (records_open(&r, c, &e) < 0)
		return records_fail(c, &e, NULL);
	if (runpage_make(&page, &r.db, &r.project, ref, &c->arena, &e) < 0)
		return records_lost(c, &r, &e);
	if (c->json) {
		runpage_json(&c->out.text, &page, now);
		return records_done(c, &r);
	}
	put_head(c, &page, now);
	put_tasks(c, &page, now);
	put_params(c, &page);
	put_measures(c, &page);
	put_artifacts(c, &page);
	return records_done(c, &r);
}

static const struct opt list_opts[] = {
	{ 0, "limit", OPT_NUMBER, "N", "at most so many runs (default: 20)", OPT_AT(limit), NULL },
	{ 0, "state", OPT_TEXT, "STATE", "only ok, failed, cancelled, interrupted or running ones",
		OPT_AT(state), NULL },
	OPT_END,
};

static const struct opt show_opts[] = {
	{ 0, "all", OPT_FLAG, NULL, "show long lists whole", OPT_AT(all), NULL },
	OPT_END,
};

const struct command cmd_runs_list = { .name = "runs list",
	.group = GROUP_LOOK,
	.args = "[FILE.yaml]",
	.summary = "list the runs, the newest first",
	.about = "RUN is the beginning of a run's id; any unique beginning of at least four\n"
		 "characters names the run, as do its tags, @last, @last-ok and @{2} (two before\n"
		 "the last). A * behind the commit means that the work tree differed from it. Up\n"
		 "to three metrics that most of the runs have in common get a column.\n",
	.examples = "flow runs\n"
		    "flow runs --state failed --limit 5\n"
		    "flow runs --json\n",
	.most = 0,
	.takes_dag = true,
	.shows = true,
	.opts = list_opts,
	.run = list_main };

const struct command cmd_runs_show = { .name = "runs show",
	.group = GROUP_LOOK,
	.args = "[RUN] [FILE.yaml]",
	.summary = "show one run: tasks, parameters, metrics, artifacts",
	.about = "RUN is an id, a unique beginning of one (at least four characters), a tag,\n"
		 "@last (the default), @last-ok or @{n}.\n",
	.examples = "flow runs show\n"
		    "flow runs show @last-ok --all\n"
		    "flow runs show @{1} --json    # the one before the last\n",
	.most = 1,
	.takes_dag = true,
	.shows = true,
	.opts = show_opts,
	.run = show_main };
