/*
 * Lines for logs: one when a task ends, and now and then one for a task that takes long.
 */
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/view.h"

#define FRAME_MS    250
#define SLOW_MS     2000 /* a task that runs longer is told of before it ends */
#define PROGRESS_MS 10000
#define ALIVE_MS    60000 /* some CI systems end a job that is silent */
#define HEADER_MS   1000  /* lines wait this long for the commit that the first line names */
#define FLUSH_BYTES 65536u

static void flush(struct view *v, bool now)
{
	struct buf lines = v->out->text;
	struct err e;

	if (!v->headed && lines.len == 0)
		return;
	if (!v->headed) {
		if (v->source == NULL && !now && clock_mono_ms() - v->began_ms < HEADER_MS)
			return;
		v->out->text = (struct buf){ 0 };
		view_header(v);
		buf_add(&v->out->text, buf_text(&lines), lines.len);
		buf_release(&lines);
	}
	(void)screen_flush(v->out, &e);
}

/* "[00:12.6] features  " */
static void put_start(struct view *v, uint32_t task)
{
	int64_t ms = clock_mono_ms() - v->began_ms;
	char stamp[40];

	if (ms < 3600000)
		(void)snprintf(stamp, sizeof stamp, "[%02d:%02d.%d] ", (int)(ms / 60000),
			(int)(ms / 1000 % 60), (int)(ms / 100 % 10));
	else
		(void)snprintf(stamp, sizeof stamp, "[%d:%02d:%02d] ", (int)(ms / 3600000),
			(int)(ms / 60000 % 60), (int)(ms / 1000 % 60));
	screen_paint(v->out, PAINT_DIM, stamp);
	if (task != NO_NODE)
		screen_printf(v->out, "%-*s  ", (int)v->name_width, view_task_name(v, task));
}

static void put_cached(struct view *v, uint32_t task, const char *what)
{
	put_start(v, task);
	screen_str(v->out, what);
	screen_str(v->out, "\n");
}

static void put_running(struct view *v, struct view_task *t)
{
	char took[32];
	int64_t now = clock_mono_ms();

	put_start(v, t->task);
	screen_printf(v->out, "running  %6s", took_text(now - t->began_ms, took));
	view_progress(v, t);
	screen_str(v->out, "\n");
	t->shown_ms = now;
	t->news = false;
}

static void tick(struct view *v)
{
	int64_t now = clock_mono_ms();
	size_t i;

	for (i = 0; i < v->running.count; i++) {
		struct view_task *t = &v->running.items[i];
		int64_t silent = now - (t->shown_ms > 0 ? t->shown_ms : t->began_ms);

		if ((t->shown_ms == 0 && silent >= SLOW_MS) || (t->news && silent >= PROGRESS_MS) ||
			silent >= ALIVE_MS)
			put_running(v, t);
	}
}

static void put_command(struct view *v, uint32_t task)
{
	const struct graph *g = &v->session->graph;
	const struct node *n = &g->nodes[task];
	const char *text = graph_text(g, n->uses != 0 ? n->uses : n->text);

	put_start(v, task);
	screen_str(v->out, n->uses != 0 ? "uses " : "$ ");
	screen_foreign(v->out, text);
	screen_str(v->out, "\n");
}

static void tell(struct view *v, const struct told *what, const struct view_task *task)
{
	(void)task;
	if (v->cli->quiet || v->cli->progress == PROGRESS_NONE)
		return;
	switch (what->kind) {
	case TOLD_SOURCE: view_planned(v, put_cached); break;
	case TOLD_STARTED:
		if (v->cli->verbose > 0)
			put_command(v, what->task);
		break;
	case TOLD_ENDED:
		view_planned(v, put_cached);
		put_start(v, what->task);
		view_ended(v, what);
		screen_str(v->out, "\n");
		break;
	case TOLD_WAITING:
		view_planned(v, put_cached);
		put_start(v, what->task);
		view_waiting(v, what);
		break;
	case TOLD_REUSED:
		view_planned(v, put_cached);
		put_cached(v, what->task, view_reused(v, what->task));
		break;
	case TOLD_STOPPING: view_stopping(v, what); break;
	case TOLD_TICK: tick(v); break;
	case TOLD_RUN:
	case TOLD_PROGRESS:
	case TOLD_METRIC:
	case TOLD_BLOCKED:
	case TOLD_SKIPPED: break;
	}
	if (what->kind == TOLD_TICK || what->kind == TOLD_STOPPING ||
		v->out->text.len > FLUSH_BYTES)
		flush(v, what->kind == TOLD_STOPPING);
}

static void close_plain(struct view *v)
{
	flush(v, true);
}

const struct display display_plain = {
	.frame_ms = FRAME_MS, .tell = tell, .close = close_plain
};
