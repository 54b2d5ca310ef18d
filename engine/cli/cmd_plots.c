#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/curve_choice.h"
#include "cli/plot.h"
#include "cli/records.h"
#include "cli/shown.h"
#include "report/goal.h"
#include "report/panel.h"
#include "report/panel_svg.h"
#include "store/runs.h"

#define COLUMNS_LEAST 20u
#define COLUMNS_MOST  120u
#define ROWS          15u  /* of what was asked for */
#define ROWS_EACH     6u   /* where there are many */
#define HIGH          340u /* the same in a picture */
#define HIGH_EACH     160u
#define POINTS_MOST   1500u /* of a curve that is drawn */

struct plots {
	struct cli *c;
	struct records r;
	struct curve_choice choice;
};

/* Curves that are drawn together. What it points to is in the arena of whoever makes it. */
struct drawing {
	struct panel panel;
	const struct curve_member *members;
	size_t count, left_out; /* members that are drawn, and those for which there is no letter */
	struct panel_curve curves[PANEL_CURVES_MAX];
	size_t not_above_zero[PANEL_CURVES_MAX];
};

/* -- in words ------------------------------------------------------------------------------------------------------- */

/* "0.198 (12)": with six digits in a legend, where they are compared, with four beside a title. */
static const char *at_step(struct cli *c, double value, int64_t step, int digits)
{
	char text[32];

	if (step < 0)
		return "-";
	return arena_printf(&c->arena, "%s (%lld)",
		isnan(value) ? "-" : short_number(value, digits, text), (long long)step);
}

/* What else there is to know of a curve: each with a comma before it. */
static const char *remarks(struct cli *c, const struct curve *curve, size_t not_above_zero)
{
	struct buf text = { 0 };
	const char *said;

	if (curve->maker != NULL)
		buf_printf(&text, ", cached from %s", curve->maker->name);
	if (curve->not_finite > 0)
		buf_printf(&text, ", %lld not finite", (long long)curve->not_finite);
	if (not_above_zero > 0)
		buf_printf(&text, ", %zu not above 0", not_above_zero);
	if (curve->cut)
		buf_printf(&text, ", the first %lld steps only", (long long)curve->steps);
	said = buf_in(&text, &c->arena);
	buf_release(&text);
	return said;
}

/* "last 0.31 (30), best 0.3 (28)": best where the name says which that is. */
static const char *note_of(struct cli *c, const struct curve *curve, size_t not_above_zero)
{
	enum goal goal = goal_of(curve->key);
	const char *least = at_step(c, curve->least, curve->least_step, 4);
	const char *most = at_step(c, curve->most, curve->most_step, 4), *span;

	if (goal == GOAL_NONE)
		span = arena_printf(&c->arena, "least %s, most %s", least, most);
	else
		span = arena_printf(&c->arena, "best %s", goal == GOAL_LOWER ? least : most);
	return arena_printf(&c->arena, "last %s, %s%s",
		at_step(c, curve->last, curve->last_step, 4), span,
		remarks(c, curve, not_above_zero));
}

/* A row of the legend of a picture. */
static const char *label_of(struct cli *c, const struct drawing *d, size_t i)
{
	const struct curve *curve = d->members[i].curve;

	return arena_printf(&c->arena, "run %s, %s %s: last %s, least %s, most %s%s",
		curve->run->name, curve->task, curve->key,
		at_step(c, curve->last, curve->last_step, 6),
		at_step(c, curve->least, curve->least_step, 6),
		at_step(c, curve->most, curve->most_step, 6),
		remarks(c, curve, d->not_above_zero[i]));
}

/* "train  loss", or the metrics that were asked for. */
static const char *title_of(struct plots *p, const struct drawing *d)
{
	const struct curve *first = d->members[0].curve;
	const struct texts *keys = &p->choice.keys;
	struct arena *a = &p->c->arena;
	const char *title = "";
	size_t i;

	if (keys->count == 0 || d->count == 1)
		return arena_printf(a, "%s  %s", first->task, first->key);
	for (i = 0; i < keys->count; i++)
		title = arena_printf(a, "%s%s%s", title, i > 0 ? ", " : "", keys->items[i]);
	return title;
}

/* -- what is drawn -------------------------------------------------------------------------------------------------- */

static int read_curve(struct plots *p, struct drawing *d, size_t i, struct arena *a, struct err *e)
{
	struct point_list points, thin;
	struct arena scratch = { 0 };
	int rc = curve_read(d->members[i].curve, &p->r.db, &scratch, &points, e);

	if (rc == 0) {
		d->not_above_zero[i] = curve_thin(&thin, &points, POINTS_MOST, p->c->log, a);
		d->curves[i] = (struct panel_curve){ .points = thin.items,
			.count = thin.count,
			.letter = d->count > 1 ? (char)('a' + i) : 0,
			.label = "" };
	}
	arena_release(&scratch);
	return rc;
}

/* The panel that begins with a member. */
static int make_drawing(
	struct plots *p, size_t first, struct drawing *d, struct arena *a, struct err *e)
{
	size_t count = curve_choice_panel(&p->choice, first), i;

	*d = (struct drawing){ .members = &p->choice.members.items[first], .count = count };
	if (count > PANEL_CURVES_MAX) {
		d->count = PANEL_CURVES_MAX;
		d->left_out = count - PANEL_CURVES_MAX;
	}
	for (i = 0; i < d->count; i++)
		if (read_curve(p, d, i, a, e) < 0)
			return e->code;
	d->panel = (struct panel){ .title = title_of(p, d),
		.note = count == 1 ? note_of(p->c, d->members[0].curve, d->not_above_zero[0])
			: d->left_out == 0
				? ""
				: arena_printf(&p->c->arena, "%zu of %zu curves", d->count, count),
		.curves = d->curves,
		.count = d->count,
		.log = p->c->log };
	return 0;
}

static size_t count_panels(const struct plots *p)
{
	size_t i, count = 0;

	for (i = 0; i < p->choice.members.count; i += curve_choice_panel(&p->choice, i))
		count++;
	return count;
}

/* Each panel in turn, in memory of its own. */
static int each_drawing(struct plots *p, void (*draw)(struct plots *, struct drawing *, void *),
	void *user, struct err *e)
{
	size_t most = list_most(p->c, count_panels(p)), first = 0, i;
	struct drawing d;

	for (i = 0; i < most; i++) {
		struct arena a = { 0 };
		int rc = make_drawing(p, first, &d, &a, e);

		if (rc == 0)
			draw(p, &d, user);
		arena_release(&a);
		if (rc < 0)
			return rc;
		first += d.count + d.left_out;
	}
	return 0;
}

/* -- on a terminal -------------------------------------------------------------------------------------------------- */

static void put_legend(struct cli *c, const struct drawing *d)
{
	static const char *const heads[] = { "", "RUN", "TASK", "METRIC", "LAST (STEP)",
		"LEAST (STEP)", "MOST (STEP)", "" };
	struct table t = { .arena = &c->arena, .columns = 8 };
	size_t i;

	for (i = 0; i < 8; i++)
		table_cell(&t, PAINT_BOLD, "%s", heads[i]);
	for (i = 0; i < d->count; i++) {
		const struct curve *curve = d->members[i].curve;
		const char *said = remarks(c, curve, d->not_above_zero[i]);

		table_cell(&t, plot_paint(i), "%c", d->curves[i].letter);
		table_cell(&t, PAINT_NONE, "%s", curve->run->name);
		table_cell(&t, PAINT_NONE, "%s", shown(c, curve->task));
		table_cell(&t, PAINT_NONE, "%s", shown(c, curve->key));
		table_cell(&t, PAINT_NONE, "%s", at_step(c, curve->last, curve->last_step, 6));
		table_cell(&t, PAINT_NONE, "%s", at_step(c, curve->least, curve->least_step, 6));
		table_cell(&t, PAINT_NONE, "%s", at_step(c, curve->most, curve->most_step, 6));
		table_cell(&t, PAINT_NONE, "%s", said[0] != '\0' ? said + 2 : "");
	}
	table_write(&t, &c->out);
}

/* The note has a line of its own where both are too long for one. */
static void put_title(struct cli *c, const struct panel *p, unsigned columns)
{
	const char *title = shown_cut(c, p->title, columns), *note = p->note;
	bool fits = text_columns(title) + 2 + text_columns(note) <= columns;

	screen_paint(&c->out, PAINT_BOLD, title);
	if (note[0] != '\0')
		screen_printf(
			&c->out, "%s%s", fits ? "  " : "\n  ", shown_cut(c, note, columns - 2));
	screen_str(&c->out, "\n");
}

static void draw_on_screen(struct plots *p, struct drawing *d, void *user)
{
	struct cli *c = p->c;
	unsigned columns = c->out.columns < COLUMNS_MOST ? c->out.columns : COLUMNS_MOST;
	bool *is_first = user;

	columns = columns > COLUMNS_LEAST ? columns : COLUMNS_LEAST;
	if (!*is_first)
		screen_str(&c->out, "\n");
	*is_first = false;
	put_title(c, &d->panel, columns);
	plot_draw(&c->out, &d->panel, columns, p->choice.keys.count > 0 ? ROWS : ROWS_EACH);
	if (d->count > 1)
		put_legend(c, d);
	if (d->left_out > 0)
		screen_printf(&c->out, "  and %zu more curves: --task TASK chooses\n", d->left_out);
}

static int show(struct plots *p, struct err *e)
{
	bool is_first = true;

	if (p->choice.members.count == 0) {
		screen_printf(&p->c->talk,
			"run %s has no metrics with steps: there are no curves\n",
			p->choice.runs[0].name);
		return 0;
	}
	if (each_drawing(p, draw_on_screen, &is_first, e) < 0)
		return e->code;
	list_rest(p->c, count_panels(p));
	return 0;
}

/* -- as a picture --------------------------------------------------------------------------------------------------- */

static void draw_in_svg(struct plots *p, struct drawing *d, void *user)
{
	struct panel_svg *svg = user;
	size_t i;

	for (i = 0; i < d->count && d->count > 1; i++)
		d->curves[i].label = label_of(p->c, d, i);
	panel_svg_add(svg, &d->panel, p->choice.keys.count > 0 ? HIGH : HIGH_EACH);
}

static const char *runs_title(struct plots *p)
{
	const struct run_record *runs = p->choice.runs;
	struct arena *a = &p->c->arena;
	const char *title = p->choice.run_count == 1 ? "run" : "runs";
	size_t i;

	for (i = 0; i < p->choice.run_count; i++)
		title = arena_printf(a, "%s%s %s", title, i > 0 ? "," : "", runs[i].name);
	return runs[0].dag_name[0] != '\0' ? arena_printf(a, "%s: %s", runs[0].dag_name, title)
					   : title;
}

/* A new file takes its place: of a device, a pipe or a folder that is nobody's wish. */
static int write_picture(const char *path, const struct buf *text, struct err *e)
{
	struct stat there;

	if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
		err_set(e, ERR_USAGE, "`%.200s` is not a file", path);
		return err_hint(e, "`--svg -` writes to standard output");
	}
	return file_write_atomic(AT_FDCWD, path, text->data, text->len, 0666, e);
}

static int save(struct plots *p, struct err *e)
{
	size_t panels = count_panels(p), most = list_most(p->c, panels);
	struct panel_svg svg = { 0 };
	struct buf text = { 0 };
	int rc;

	if (panels == 0)
		return err_set(e, ERR_NOTFOUND,
			"run %s has no metrics with steps: there are no curves",
			p->choice.runs[0].name);
	rc = each_drawing(p, draw_in_svg, &svg, e);
	if (rc == 0) {
		panel_svg_write(&svg, runs_title(p), &text);
		if (strcmp(p->c->svg, "-") == 0)
			buf_add(&p->c->out.text, text.data, text.len);
		else
			rc = write_picture(p->c->svg, &text, e);
	}
	if (rc == 0 && most < panels)
		screen_printf(&p->c->talk, "%zu of %zu metrics are in it: --all draws them\n", most,
			panels);
	buf_release(&text);
	panel_svg_release(&svg);
	return rc;
}

/* -- for programs --------------------------------------------------------------------------------------------------- */

static int put_json(struct plots *p, struct err *e)
{
	struct json j;
	size_t i;
	int rc = 0;

	json_init(&j, &p->c->out.text);
	json_open_object(&j);
	json_key_int(&j, "v", 1);
	json_key(&j, "series");
	json_open_array(&j);
	for (i = 0; i < p->choice.members.count && rc == 0; i++) {
		struct curve *curve = p->choice.members.items[i].curve;
		struct arena scratch = { 0 };
		struct point_list points;

		rc = curve_read(curve, &p->r.db, &scratch, &points, e);
		if (rc == 0)
			curve_json(&j, curve, &points);
		arena_release(&scratch);
	}
	json_end(&j);
	json_end(&j);
	return rc;
}

/* -- the command ---------------------------------------------------------------------------------------------------- */

static int plots_main(struct cli *c)
{
	struct plots p = { .c = c };
	struct err e;
	int rc;

	if (c->json && c->svg != NULL) {
		err_set(&e, ERR_USAGE, "--json and --svg are two answers: ask for one");
		return cli_fail(c, &e);
	}
	if (records_open(&p.r, c, &e) < 0)
		return records_fail(c, &e,
			c->args.count > 0 || c->svg != NULL ? NULL : "{\"v\":1,\"series\":[]}");
	rc = curve_choice_make(&p.choice, c, &p.r.db, &e);
	if (rc == 0)
		rc = c->json ? put_json(&p, &e) : c->svg != NULL ? save(&p, &e) : show(&p, &e);
	curve_choice_release(&p.choice);
	if (rc == 0)
		return records_done(c, &p.r);
	buf_clear(&c->out.text);
	return records_lost(c, &p.r, &e);
}

static const struct opt opts[] = {
	{ 0, "task", OPT_TEXT, "TASK", "of this task alone, or of all instances of a stage",
		OPT_AT(task), NULL },
	{ 0, "log", OPT_FLAG, NULL, "a logarithmic vertical axis", OPT_AT(log), NULL },
	{ 0, "svg", OPT_TEXT, "FILE", "write a picture to FILE; -: to standard output", OPT_AT(svg),
		NULL },
	{ 0, "all", OPT_FLAG, NULL, "every metric, however many there are", OPT_AT(all), NULL },
	OPT_END,
};

const struct command cmd_plots = { .name = "plots",
	.group = GROUP_LOOK,
	.args = "[KEY[,KEY...]] [RUN...] [FILE.yaml]",
	.summary = "draw what the tasks of a run measured, step by step",
	.about = "Without KEY every metric with at least two steps is drawn for itself; with it\n"
		 "the metrics of that name in one plot, several with commas between. Several\n"
		 "runs share their plots; letters at the ends of curves lead to the legend. A\n"
		 "task that was tried again has one curve, one that was cached has that of the\n"
		 "run that made it, and a run that is at work what there is so far. Values that\n"
		 "are not finite are gaps, with --log also those not above 0. With --json all\n"
		 "steps are in the answer. RUN as in `flow runs show`; the default is @last.\n",
	.examples = "flow plots\n"
		    "flow plots loss,valid_loss\n"
		    "flow plots loss @last @{1}      # this training beside the one before\n"
		    "flow plots loss --svg loss.svg\n",
	.most = UINT_MAX,
	.takes_dag = true,
	.shows = true,
	.opts = opts,
	.run = plots_main };
