#include "base/clock.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "cli/shown.h"
#include "report/runpage.h"

/* "0.198 (step 12)" */
static const char *best(struct cli *c, double value, int64_t step, int64_t steps)
{
	if (steps == 0)
		return "";
	return arena_printf(&c->arena, "%s (%lld)", shown_number(c, value), (long long)step);
}

static void put_table(struct cli *c, const struct runpage *p)
{
	static const char *const heads[] = { "TASK", "METRIC", "VALUE", "STEPS", "LEAST (STEP)",
		"MOST (STEP)" };
	struct table t = { .arena = &c->arena, .columns = 6, .right = 0xc };
	size_t i, most = list_most(c, p->measures.count);

	for (i = 0; i < 6; i++)
		table_cell(&t, PAINT_BOLD, "%s", heads[i]);
	for (i = 0; i < most; i++) {
		const struct measure *m = &p->measures.items[i];

		table_cell(&t, PAINT_NONE, "%s", shown(c, p->measure_tasks[i]));
		table_cell(&t, PAINT_NONE, "%s", shown(c, m->name));
		table_cell(&t, PAINT_NONE, "%s", shown_number(c, m->value));
		table_cell(&t, PAINT_NONE, "%s", shown_count(c, m->steps, m->steps > 0));
		table_cell(&t, PAINT_NONE, "%s", best(c, m->least, m->least_step, m->steps));
		table_cell(&t, PAINT_NONE, "%s", best(c, m->most, m->most_step, m->steps));
	}
	table_write(&t, &c->out);
	list_rest(c, p->measures.count);
}

static int put_steps(struct cli *c, const struct runpage *p, struct db *db, struct err *e)
{
	struct table t = { .arena = &c->arena, .columns = 4, .right = 0xc };
	static const char *const heads[] = { "TASK", "METRIC", "STEP", "VALUE" };
	size_t i, k;

	for (i = 0; i < 4; i++)
		table_cell(&t, PAINT_BOLD, "%s", heads[i]);
	for (i = 0; i < p->measures.count; i++) {
		const struct measure *m = &p->measures.items[i];
		struct point_list points = { 0 };

		if (measure_points(db, m->attempt, m->name, &c->arena, &points, e) < 0)
			return e->code;
		for (k = 0; k < points.count; k++) {
			table_cell(&t, PAINT_NONE, "%s", shown(c, p->measure_tasks[i]));
			table_cell(&t, PAINT_NONE, "%s", shown(c, m->name));
			table_cell(&t, PAINT_NONE, "%lld", (long long)points.items[k].step);
			table_cell(&t, PAINT_NONE, "%s", shown_number(c, points.items[k].value));
		}
		if (m->whole) {
			table_cell(&t, PAINT_NONE, "%s", shown(c, p->measure_tasks[i]));
			table_cell(&t, PAINT_NONE, "%s", shown(c, m->name));
			table_cell(&t, PAINT_NONE, "-");
			table_cell(&t, PAINT_NONE, "%s", shown_number(c, m->value));
		}
	}
	table_write(&t, &c->out);
	return 0;
}

static int metrics_main(struct cli *c)
{
	const char *ref = c->args.count > 0 ? c->args.items[0] : "@last";
	struct runpage page;
	struct records r;
	struct err e;
	int rc = 0;

	if (records_open(&r, c, &e) < 0)
		return records_fail(
			c, &e, c->args.count > 0 ? NULL : "{\"v\":1,\"run\":null,\"metrics\":[]}");
	if (runpage_measures(&page, &r.db, &r.project, ref, &c->arena, &e) < 0)
		return records_lost(c, &r, &e);
	if (c->json)
		rc = measures_json(&c->out.text, &page, &r.db, true, clock_wall_ms(), &e);
	else if (page.measures.count == 0)
		screen_printf(&c->talk, "run %s has no metrics\n", page.run.name);
	else if (c->all)
		rc = put_steps(c, &page, &r.db, &e);
	else
		put_table(c, &page);
	if (rc == 0)
		return records_done(c, &r);
	buf_clear(&c->out.text);
	return records_lost(c, &r, &e);
}

static const struct opt opts[] = {
	{ 0, "all", OPT_FLAG, NULL, "every step of every metric", OPT_AT(all), NULL },
	OPT_END,
};

const struct command cmd_metrics = { .name = "metrics",
	.group = GROUP_LOOK,
	.args = "[RUN] [FILE.yaml]",
	.summary = "show what the tasks of a run measured",
	.about = "VALUE is what the task gave as its result, or else the value of the last\n"
		 "step; LEAST and MOST are over the steps, with the step they were at. Tasks\n"
		 "that were cached show what they measured when they ran. With --json all\n"
		 "steps are in the answer. RUN as in `flow runs show`; the default is @last.\n",
	.examples = "flow metrics\n"
		    "flow metrics @{1} --all\n"
		    "flow metrics --json\n",
	.most = 1,
	.takes_dag = true,
	.shows = true,
	.opts = opts,
	.run = metrics_main };
