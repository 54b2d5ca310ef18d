/*
 * The end of a run: what failed and why, and one last line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cmd.h"
#include "cli/view.h"

#define NAMES_MAX 10

/* "  | " before each line. */
static void put_tail(struct screen *o, const char *tail)
{
	while (*tail != '\0') {
		size_t len = strcspn(tail, "\n");
		struct buf line = { 0 };

		buf_add(&line, tail, len);
		screen_paint(o, PAINT_DIM, "  | ");
		screen_foreign(o, buf_text(&line));
		screen_str(o, "\n");
		buf_release(&line);
		tail += len + (tail[len] == '\n');
	}
}

static void put_fact(struct screen *o, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	screen_printf(o, "  %-8s ", name);
	while (*value != '\0') {
		size_t len = strcspn(value, "\n");
		struct buf line = { 0 };

		buf_add(&line, value, len);
		screen_foreign(o, buf_text(&line));
		screen_str(o, "\n");
		buf_release(&line);
		value += len + (value[len] == '\n');
		if (*value != '\0')
			screen_printf(o, "  %-8s ", "");
	}
}

/* Without the words that the headline has said. */
static const char *why_of(const struct view_failure *f)
{
	size_t len = strlen(f->short_why);

	return strncmp(f->why, f->short_why, len) == 0 && strncmp(f->why + len, ": ", 2) == 0
		       ? f->why + len + 2
		       : f->why;
}

static void put_failure(struct view *v, const struct view_failure *f)
{
	const struct graph *g = &v->session->graph;
	const struct node *n = &g->nodes[f->task];
	struct screen *o = v->out;
	char took[32];

	screen_str(o, "\n");
	screen_paint(o, f->forgiven ? PAINT_YELLOW : PAINT_RED, view_task_name(v, f->task));
	if (f->code[0] != '\0')
		screen_printf(o, " [%s]", f->code);
	screen_printf(o, " failed%s: %s (after %s", f->forgiven ? ", which is allowed" : "",
		f->short_why, took_text(f->took_ms, took));
	if (f->most > 1)
		screen_printf(o, ", attempt %u of %u", f->attempt, f->most);
	screen_str(o, ")\n");
	if (strcmp(f->why, f->short_why) != 0)
		put_fact(o, "why", why_of(f));
	put_fact(o, n->uses != 0 ? "uses" : "command",
		node_stage(g, f->task)->kind == STAGE_INLINE
			? ""
			: graph_text(g, n->uses != 0 ? n->uses : n->text));
	put_fact(o, "folder", graph_text(g, n->cwd));
	put_fact(o, "stage", arena_printf(&v->arena, "%s:%u", v->cli->dag, n->line));
	put_fact(o, "log", f->log);
	put_tail(o, f->tail);
	screen_printf(o, "  all of it: flow log %s %s%s\n", view_run(v), view_task_name(v, f->task),
		view_dag(v, " -f "));
}

/* A line that GitHub shows beside the stage in dag.yaml. % , and line ends have a meaning there. */
static void put_annotation(struct view *v, const struct view_failure *f)
{
	const char *p, *why = f->why[0] != '\0' ? f->why : f->short_why;

	screen_printf(v->out, "::error file=%s,line=%u,title=%s failed::", v->cli->dag,
		v->session->graph.nodes[f->task].line, view_task_name(v, f->task));
	for (p = why; *p != '\0'; p++) {
		if (*p == '%' || *p == '\n' || *p == '\r')
			screen_printf(v->out, "%%%02X", (unsigned)(unsigned char)*p);
		else
			buf_char(&v->out->text, *p);
	}
	screen_str(v->out, "\n");
}

/* Is the task blocked by itself, and not by one that failed or is blocked? */
static bool has_own_reason(const struct view *v, uint32_t task)
{
	const struct choice *c = &v->session->plan.choices[task];

	return c->verdict == VERDICT_BLOCKED && c->reason != REASON_UPSTREAM_BLOCKED;
}

/* Tasks that the plan itself blocks, each with its reason: nothing failed that would tell it. */
static size_t put_reasons(struct view *v)
{
	size_t i, count = 0;

	for (i = 0; i < v->blocked.count; i++) {
		uint32_t task = v->blocked.items[i];

		if (!has_own_reason(v, task) || count++ >= NAMES_MAX)
			continue;
		screen_str(v->out, "\n");
		screen_paint(v->out, PAINT_RED, view_task_name(v, task));
		screen_str(v->out, " is blocked: ");
		screen_foreign(v->out, view_reason(v, task));
	}
	if (count > NAMES_MAX)
		screen_printf(v->out, "\nand %zu more", count - NAMES_MAX);
	if (count > 0)
		screen_str(v->out, "\n");
	return count;
}

static void put_blocked(struct view *v)
{
	size_t own = put_reasons(v), others = v->blocked.count - own, i, shown = 0;

	if (others == 0)
		return;
	screen_str(v->out, own > 0 ? "blocked: " : "\nblocked: ");
	for (i = 0; i < v->blocked.count && shown < NAMES_MAX; i++)
		if (!has_own_reason(v, v->blocked.items[i]))
			screen_printf(v->out, "%s%s", shown++ > 0 ? ", " : "",
				view_task_name(v, v->blocked.items[i]));
	if (shown < others)
		screen_printf(v->out, " and %zu more", others - shown);
	screen_str(v->out, "\n");
}

/* "4 ran, 2 cached", without what there is none of. */
static void put_counts(struct screen *o, const struct run_result *r, bool failed)
{
	const struct {
		uint32_t count;
		const char *word;
	} parts[] = { { failed ? r->failed : 0, "failed" }, { failed ? r->blocked : 0, "blocked" },
		{ r->ran, "ran" }, { r->reused, "cached" },
		{ failed ? r->skipped : 0, "not started" },
		{ failed ? 0 : r->failed, "failed (allowed)" } };
	const char *comma = "";
	char number[32];
	size_t i;

	for (i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i].count == 0)
			continue;
		screen_printf(
			o, "%s%s %s", comma, count_text(parts[i].count, number), parts[i].word);
		comma = ", ";
	}
	if (comma[0] == '\0')
		screen_str(o, "nothing ran");
}

static void put_metrics(struct view *v)
{
	char number[32];
	size_t i;

	for (i = 0; i < v->metric_count; i++) {
		screen_str(v->out, i > 0 ? "  " : "   ");
		screen_foreign(v->out, v->metrics[i].name);
		screen_printf(
			v->out, " %s", short_number(v->metrics[i].value, VIEW_DIGITS, number));
	}
}

static void put_done(struct view *v, const struct run_result *r)
{
	struct screen *o = v->out;
	char took[32], number[32];

	if (r->ran == 0 && r->failed == 0 && !v->headed) {
		screen_paint(o, PAINT_GREEN, "nothing to do");
		screen_printf(o, "  %s task%s cached in %s\n", count_text(r->reused, number),
			r->reused == 1 ? "" : "s",
			took_text(clock_mono_ms() - v->cli->began_ms, took));
		return;
	}
	screen_paint(o, PAINT_GREEN, "done");
	screen_printf(o, " %s  ", view_run(v));
	put_counts(o, r, false);
	screen_printf(o, " in %s", took_text(r->took_ms, took));
	if (r->saved_ms >= 1000)
		screen_printf(o, " (saved %s)", took_text(r->saved_ms, took));
	put_metrics(v);
	screen_str(o, "\n");
}

static void put_not_done(struct view *v, const struct run_result *r)
{
	bool stopped = strcmp(r->state, "CANCELLED") == 0;
	uint32_t kept = r->ran + r->reused;
	struct screen *o = v->out;
	char took[32], number[32];

	if (stopped) {
		screen_paint(o, PAINT_YELLOW, "cancelled");
		screen_printf(o, " %s - resume with: flow run%s", view_run(v), view_dag(v, " "));
		if (kept > 0)
			screen_printf(o, "   (%s task%s done stay%s cached)",
				count_text(kept, number), kept == 1 ? "" : "s",
				kept == 1 ? "s" : "");
		screen_str(o, "\n");
		return;
	}
	screen_paint(o, PAINT_RED, "FAILED");
	screen_printf(o, " %s  ", view_run(v));
	put_counts(o, r, true);
	screen_printf(o, " in %s\n", took_text(r->took_ms, took));
}

/* As the tasks stand in the pipeline, and of one task as it was tried: in which order they ended is chance. */
static int by_task(const void *x, const void *y)
{
	const struct view_failure *a = x, *b = y;

	if (a->task != b->task)
		return a->task < b->task ? -1 : 1;
	return a->attempt < b->attempt ? -1 : a->attempt > b->attempt;
}

void summary_write(struct view *v, const struct run_result *r)
{
	const char *github = getenv("GITHUB_ACTIONS");
	size_t i;

	if (v->cli->progress == PROGRESS_JSON)
		return;
	if (v->failures.count > 1)
		qsort(v->failures.items, v->failures.count, sizeof *v->failures.items, by_task);
	for (i = 0; i < v->failures.count; i++)
		put_failure(v, &v->failures.items[i]);
	for (i = 0; i < v->failures.count && github != NULL && strcmp(github, "true") == 0; i++)
		put_annotation(v, &v->failures.items[i]);
	put_blocked(v);
	if (v->failures.count > 0 || v->blocked.count > 0)
		screen_str(v->out, "\n");
	if (strcmp(r->state, "SUCCEEDED") == 0)
		put_done(v, r);
	else
		put_not_done(v, r);
}
