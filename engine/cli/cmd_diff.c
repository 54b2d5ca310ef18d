#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "cli/shown.h"
#include "report/diff.h"
#include "report/diff_tree.h"
#include "report/goal.h"
#include "report/runlist.h"

#define VALUE_MOST 66 /* columns of a value */

static const char *value(struct cli *c, const char *text, const char *absent)
{
	return text != NULL ? shown_cut(c, text, VALUE_MOST) : absent;
}

/* "  train.lr   0.01 -> 0.003": rows of a section under its heading. */
static void put_texts(
	struct cli *c, const char *heading, const struct text_changes *list, bool with_task)
{
	struct table t = { .arena = &c->arena, .columns = with_task ? 5 : 4 };
	size_t i, most = list_most(c, list->count);

	if (list->count == 0)
		return;
	screen_paint(&c->out, PAINT_BOLD, heading);
	screen_str(&c->out, "\n");
	for (i = 0; i < most; i++) {
		const struct change_text *x = &list->items[i];
		const char *name = x->kind[0] != '\0' ? arena_printf(&c->arena, "%s%s%s", x->kind,
								x->name[0] != '\0' ? " " : "",
								shown(c, x->name))
						      : shown(c, x->name);

		table_cell(&t, PAINT_NONE, "  %s", name[0] != '\0' ? name : shown(c, x->task));
		table_cell(&t, PAINT_RED, "%s", value(c, x->was, "-"));
		table_cell(&t, PAINT_NONE, "%s", glyph_text(&c->out, GLYPH_ARROW));
		table_cell(&t, PAINT_GREEN, "%s", value(c, x->is, "-"));
		if (with_task)
			table_cell(&t, PAINT_DIM, "%s", name[0] != '\0' ? shown(c, x->task) : "");
	}
	table_write(&t, &c->out);
	list_rest(c, list->count);
}

static const char *percent(struct cli *c, double was, double is)
{
	if (isnan(was) || isnan(is) || !(fabs(was) > 0.0) || !isfinite(is / was))
		return "";
	return arena_printf(&c->arena, "%+.1f %%", (is - was) / fabs(was) * 100.0);
}

static void put_metrics(struct cli *c, const struct diff *d)
{
	struct table t = { .arena = &c->arena, .columns = 7 };
	size_t i, most = list_most(c, d->metrics.count);

	if (d->metrics.count == 0)
		return;
	screen_paint(&c->out, PAINT_BOLD, "metrics");
	screen_str(&c->out, "\n");
	for (i = 0; i < most; i++) {
		const struct change_number *x = &d->metrics.items[i];
		const char *verdict = goal_verdict(goal_of(x->name), x->was, x->is);

		table_cell(&t, PAINT_NONE, "  %s", shown(c, x->name));
		table_cell(&t, PAINT_NONE, "%s", shown_number(c, x->was));
		table_cell(&t, PAINT_NONE, "%s", glyph_text(&c->out, GLYPH_ARROW));
		table_cell(&t, PAINT_NONE, "%s", shown_number(c, x->is));
		table_cell(&t, PAINT_NONE, "%s", percent(c, x->was, x->is));
		table_cell(&t, verdict[0] == 'b' ? PAINT_GREEN : PAINT_RED, "%s", verdict);
		table_cell(&t, PAINT_DIM, "%s", shown(c, x->task));
	}
	table_write(&t, &c->out);
	list_rest(c, d->metrics.count);
}

static void put_timings(struct cli *c, const struct diff *d)
{
	struct table t = { .arena = &c->arena, .columns = 5 };
	size_t i, most = list_most(c, d->timings.count);

	if (d->timings.count == 0)
		return;
	screen_paint(&c->out, PAINT_BOLD, "time");
	screen_str(&c->out, "\n");
	for (i = 0; i < most; i++) {
		const struct change_number *x = &d->timings.items[i];

		table_cell(&t, PAINT_NONE, "  %s", shown(c, x->task));
		table_cell(&t, PAINT_NONE, "%s", shown_took(c, (int64_t)x->was));
		table_cell(&t, PAINT_NONE, "%s", glyph_text(&c->out, GLYPH_ARROW));
		table_cell(&t, PAINT_NONE, "%s", shown_took(c, (int64_t)x->is));
		table_cell(&t, PAINT_NONE, "%s", percent(c, x->was, x->is));
	}
	table_write(&t, &c->out);
	list_rest(c, d->timings.count);
}

/* The commits between, and the lines they changed. */
static void put_log(struct cli *c, const struct diff *d)
{
	struct table t = { .arena = &c->arena, .columns = 3 };
	size_t i, most = list_most(c, d->log.commits.count);

	if (!d->has_log)
		return;
	screen_paint(&c->out, PAINT_BOLD,
		strcmp(d->log.way, "back") == 0 ? "commits undone" : "commits");
	screen_str(&c->out,
		strcmp(d->log.way, "apart") == 0 ? ": neither comes after the other\n" : "\n");
	for (i = 0; i < most; i++)
		screen_printf(&c->out, "  %.7s  %s\n", d->log.commits.items[i].id,
			shown_cut(c, d->log.commits.items[i].summary, VALUE_MOST));
	list_rest(c, d->log.commits.count);
	for (i = 0, most = list_most(c, d->log.files.count); i < most; i++) {
		const struct source_file *f = &d->log.files.items[i];

		table_cell(&t, PAINT_NONE, "  %s", shown(c, f->path));
		table_cell(&t, PAINT_GREEN, "%s",
			f->added < 0 ? "binary" : arena_printf(&c->arena, "+%ld", f->added));
		table_cell(&t, PAINT_RED, "%s",
			f->added < 0 ? "" : arena_printf(&c->arena, "-%ld", f->removed));
	}
	table_write(&t, &c->out);
	list_rest(c, d->log.files.count);
}

static void put_run(
	struct cli *c, const char *label, const struct run_record *r, bool alive, int64_t now)
{
	const char *word = run_word(r, alive);
	char ago[32];

	screen_printf(&c->out, "%s %s  ", label, r->name);
	screen_paint(&c->out, run_paint(word), shown(c, word));
	screen_printf(&c->out, "  %s  %s\n", ago_text(r->began_ms, now, ago), shown_source(c, r));
}

/* States in the words of the other commands. */
static void put_states(struct cli *c, const struct diff *d)
{
	struct text_changes list = d->tasks;
	size_t i;

	list.items = arena_alloc(&c->arena, (list.count + 1) * sizeof *list.items);
	for (i = 0; i < list.count; i++) {
		list.items[i] = d->tasks.items[i];
		if (list.items[i].was != NULL && !d->is_tree)
			list.items[i].was = task_word(list.items[i].was);
		if (list.items[i].is != NULL && !d->is_tree)
			list.items[i].is = task_word(list.items[i].is);
	}
	put_texts(c, "tasks", &list, false);
}

static void put_diff(struct cli *c, const struct diff *d, int64_t now)
{
	put_run(c, "from", &d->a, d->a_alive, now);
	if (d->is_tree)
		screen_str(&c->out, "to   .  the work tree\n");
	else
		put_run(c, "to  ", &d->b, d->b_alive, now);
	put_texts(c, "params", &d->params, false);
	put_texts(c, "source", &d->source, false);
	put_log(c, d);
	put_texts(c, "code and inputs", &d->code, true);
	put_states(c, d);
	put_metrics(c, d);
	put_texts(c, "outputs", &d->outs, true);
	put_timings(c, d);
	if (!d->differs)
		screen_str(&c->out, "no difference: same parameters, source, code, results\n");
	else
		screen_printf(&c->out, "same: %zu task%s, %zu param%s\n", d->same_tasks,
			d->same_tasks == 1 ? "" : "s", d->same_params,
			d->same_params == 1 ? "" : "s");
}

/* Which two runs. False: there is only one to compare. */
static bool choose(struct cli *c, struct db *db, const char **a, const char **b)
{
	int64_t id;
	struct err e;

	*a = c->args.count > 0 ? c->args.items[0] : "@{1}";
	*b = c->args.count > 1 ? c->args.items[1] : "@last";
	return c->args.count > 0 || runs_resolve(db, "@{1}", &id, &e) == 0;
}

static int answer(struct cli *c, const struct diff *d)
{
	if (c->json)
		diff_json(&c->out.text, d, clock_wall_ms());
	else
		put_diff(c, d, clock_wall_ms());
	return c->exit_code && d->differs ? EXIT_NO : EXIT_DONE;
}

/* The work tree as it is: it takes a dag.yaml that can be read. */
static int tree_main(struct cli *c)
{
	struct session_wish wish = { 0 };
	struct session s;
	struct diff diff;
	struct err e;
	int rc = cli_session(c, &s, PROJECT_READ, &e), status;

	if (rc == 0 && !s.has_db) {
		err_set(&e, ERR_NOTFOUND, "no runs yet");
		rc = err_hint(&e, "`flow run` starts the first");
	}
	if (rc == 0)
		rc = session_plan(&s, &wish, &e);
	if (rc == 0)
		rc = diff_tree(&diff, &s, c->args.items[0], &c->arena, &e);
	if (rc < 0)
		return cli_fail_session(c, &s, &e);
	status = answer(c, &diff);
	session_close(&s);
	if (c->json)
		screen_str(&c->out, "\n");
	return status;
}

static int diff_main(struct cli *c)
{
	const char *a, *b;
	struct records r;
	struct diff diff;
	struct err e;
	int status;

	if (c->args.count > 1 && strcmp(c->args.items[1], ".") == 0)
		return tree_main(c);
	if (c->args.count > 0 && strcmp(c->args.items[0], ".") == 0) {
		err_set(&e, ERR_USAGE, "the work tree `.` can only be the second");
		err_hint(&e, "flow diff RUN .");
		return cli_fail(c, &e);
	}
	if (records_open(&r, c, &e) < 0)
		return records_fail(c, &e, NULL);
	if (!choose(c, &r.db, &a, &b)) {
		err_set(&e, ERR_NOTFOUND, "there is only one run: nothing to compare it with");
		err_hint(&e, "change something and `flow run` again");
		return records_lost(c, &r, &e);
	}
	if (diff_make(&diff, &r.db, &r.project, a, b, &c->arena, &e) < 0)
		return records_lost(c, &r, &e);
	diff_log(&diff, r.project.root, &c->arena);
	status = answer(c, &diff);
	(void)records_done(c, &r);
	return status;
}

static const struct opt opts[] = {
	{ 0, "exit-code", OPT_FLAG, NULL, "exit with 4 when they differ (times do not count)",
		OPT_AT(exit_code), NULL },
	{ 0, "all", OPT_FLAG, NULL, "show long lists whole", OPT_AT(all), NULL },
	OPT_END,
};

const struct command cmd_diff = { .name = "diff",
	.group = GROUP_LOOK,
	.args = "[A [B]] [FILE.yaml]",
	.summary = "compare two runs: parameters, code, metrics, outputs, times",
	.about = "A and B are runs as in `flow runs show`; the defaults are the one before the\n"
		 "last and the last. B may be `.`, the work tree as it is now. Times are shown\n"
		 "when they are more than a tenth and 100 ms apart. A metric is `better` or\n"
		 "`worse` when a word of its name says which way it should go: less loss, error,\n"
		 "rmse, latency; more accuracy, auc, f1, r2, score.\n",
	.examples = "flow diff\n"
		    "flow diff @last-ok @last\n"
		    "flow diff best .                # what changed in the work tree since\n"
		    "flow diff 019aa3b2 @last --exit-code\n",
	.most = 2,
	.takes_dag = true,
	.shows = true,
	.opts = opts,
	.run = diff_main };
