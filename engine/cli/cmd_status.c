#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "cli/shown.h"
#include "report/runlist.h"
#include "report/status.h"

static void put_active(struct cli *c, const struct status *s, int64_t now)
{
	const struct run_record *r = &s->runs.items[0];
	struct table t = { .arena = &c->arena, .columns = 5 };
	size_t i, most = list_most(c, s->running.count);
	char took[32];

	screen_paint(&c->out, PAINT_CYAN, "running");
	screen_printf(&c->out, " %s  %s so far: %u ran, %u cached, %zu running, %u waiting\n",
		r->name, took_text(run_took_ms(r, now), took), s->succeeded, s->reused,
		s->running.count, s->waiting);
	for (i = 0; i < most; i++) {
		const struct attempt_record *a = &s->running.items[i];

		table_cell(&t, PAINT_CYAN, "  %s", glyph_text(&c->out, GLYPH_RUNNING));
		table_cell(&t, PAINT_NONE, "%s", shown(c, a->task));
		table_cell(&t, PAINT_NONE, "%s", took_text(attempt_took_ms(a, now), took));
		table_cell(&t, PAINT_DIM, "%s",
			a->number > 1
				? arena_printf(&c->arena, "attempt %lld", (long long)a->number)
				: "");
		table_cell(&t, PAINT_DIM, "%s", shown(c, a->why));
	}
	table_write(&t, &c->out);
	list_rest(c, s->running.count);
	screen_str(&c->out, "\n");
}

/* The newest of each state. */
static void put_runs(struct cli *c, const struct status *s, int64_t now)
{
	static const char *const heads[] = { "RUN", "WHEN", "STATE", "TOOK", "RAN", "CACHED",
		"FAILED", "COMMIT", "PARAMS CHANGED" };
	struct table t = { .arena = &c->arena, .columns = 9, .right = 0x70 };
	char text[32];
	size_t i;

	for (i = 0; i < 9; i++)
		table_cell(&t, PAINT_BOLD, "%s", heads[i]);
	for (i = 0; i < s->runs.count; i++) {
		const struct run_record *r = &s->runs.items[i];
		const char *word = run_word(r, s->is_active && i == 0);
		bool ended = r->ended_ms != 0;

		table_cell(&t, PAINT_NONE, "%s", r->name);
		table_cell(&t, PAINT_NONE, "%s", ago_text(r->began_ms, now, text));
		table_cell(&t, run_paint(word), "%s", word);
		table_cell(
			&t, PAINT_NONE, "%s", ended ? took_text(run_took_ms(r, now), text) : "-");
		table_cell(&t, PAINT_NONE, "%s", shown_count(c, r->ran, ended));
		table_cell(&t, PAINT_NONE, "%s", shown_count(c, r->reused, ended));
		table_cell(&t, PAINT_NONE, "%s", shown_count(c, r->failed, ended));
		table_cell(&t, PAINT_NONE, "%s", shown_commit(c, r));
		table_cell(&t, PAINT_NONE, "%s", r->changed[0] != '\0' ? shown_changed(c, r) : "-");
	}
	table_write(&t, &c->out);
}

static void put_failed(struct cli *c, const struct status *s)
{
	const struct run_record *r = &s->runs.items[0];
	size_t i, most = list_most(c, s->failed.count);

	if (s->failed.count == 0)
		return;
	screen_printf(&c->out, "\nfailed in %s:\n", r->name);
	for (i = 0; i < most; i++) {
		const struct task_record *t = &s->failed.items[i];

		screen_str(&c->out, "  ");
		screen_glyph(&c->out, GLYPH_FAIL);
		screen_printf(&c->out, " %s  %s", shown(c, t->name), attempt_fate(c, &t->last));
		screen_printf(&c->out, "  (attempt %lld)\n", (long long)t->last.number);
		if (t->why[0] != '\0' && strcmp(t->reason, "never-run") != 0)
			screen_printf(&c->out, "    it ran because: %s\n", shown(c, t->why));
		screen_paint(&c->out, PAINT_DIM,
			arena_printf(
				&c->arena, "    flow log %s %s\n", r->name, shown(c, t->name)));
	}
	list_rest(c, s->failed.count);
}

static void put_text(struct cli *c, const struct status *s, int64_t now)
{
	if (s->is_active)
		put_active(c, s, now);
	if (s->is_dead)
		screen_printf(&c->out,
			"%s interrupted; the next `flow run` takes it up\n\n",
			s->runs.items[0].name);
	put_runs(c, s, now);
	put_failed(c, s);
	screen_printf(&c->out, "\nrecorded: %lld run%s, %lld attempt%s, %lld artifact%s\n",
		(long long)s->run_count, s->run_count == 1 ? "" : "s", (long long)s->attempt_count,
		s->attempt_count == 1 ? "" : "s", (long long)s->artifact_count,
		s->artifact_count == 1 ? "" : "s");
}

static int status_main(struct cli *c)
{
	int64_t now = clock_wall_ms();
	struct status status;
	struct records r;
	struct err e;

	if (records_open(&r, c, &e) < 0)
		return records_fail(c, &e,
			"{\"v\":1,\"active\":null,\"runs\":[],\"failed\":[],"
			"\"recorded\":{\"runs\":0,\"attempts\":0,\"artifacts\":0}}");
	if (status_make(&status, &r.db, &r.project, &c->arena, &e) < 0)
		return records_lost(c, &r, &e);
	if (c->json)
		status_json(&c->out.text, &status, now);
	else
		put_text(c, &status, now);
	return records_done(c, &r);
}

static const struct opt opts[] = {
	{ 0, "all", OPT_FLAG, NULL, "show long lists whole", OPT_AT(all), NULL },
	OPT_END,
};

const struct command cmd_status = { .name = "status",
	.group = GROUP_LOOK,
	.args = "[FILE.yaml]",
	.summary = "tell how the project stands: what runs, how the last runs ended",
	.about = "Shows a run at work with its running tasks, the newest run of each state, what\n"
		 "failed in the last one, and how much is recorded. It reads the journal alone\n"
		 "and never waits for a run. A * behind a commit means that the work tree\n"
		 "differed from it.\n",
	.examples = "flow status\n"
		    "flow status --json\n",
	.most = 0,
	.takes_dag = true,
	.shows = true,
	.opts = opts,
	.run = status_main };
