/*
 * Lines that scroll away when a task ends, and below them a block that is drawn again and again: what runs now.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/eta.h"
#include "cli/terminal.h"
#include "cli/view.h"

#define FRAME_MS    100
#define HEADER_MS   1000 /* finished lines wait this long for the commit that the first line names */
#define ROWS_MAX    8
#define ECHO_WIDTH  3 /* room for the `^C` that a terminal writes after the last line */
#define BAR_WIDTH   10
#define BAR_ROOM    60 /* narrower terminals have no bar */
#define RUNNING_MAX 64 /* attempts that the estimate looks at */

#define SYNC_BEGIN "\033[?2026h" /* terminals that know it show a frame at once */
#define SYNC_END   "\033[?2026l"

struct live {
	struct eta eta;
	bool planned;                  /* what the plan found done already is written */
	unsigned drawn;                /* lines of the block on the screen */
	unsigned widths[ROWS_MAX + 2]; /* of each */
};

/* A line of the block: made in a screen of its own, then cut. */
static struct screen begin_line(const struct view *v)
{
	struct screen line = *v->out;

	line.text = (struct buf){ 0 };
	return line;
}

static void end_line(struct view *v, struct screen *line, unsigned room)
{
	struct live *own = v->own;
	size_t from;

	if (own->drawn > 0)
		buf_char(&v->out->text, '\n');
	from = v->out->text.len;
	screen_cut(v->out, buf_text(&line->text), room);
	own->widths[own->drawn++] = text_columns(buf_text(&v->out->text) + from);
	buf_release(&line->text);
}

static void put_bar(struct screen *o, const struct view_task *t)
{
	double part = t->done / t->total;
	size_t full = part >= 1 ? BAR_WIDTH : part > 0 ? (size_t)(part * BAR_WIDTH) : 0;

	screen_str(o, "  [");
	buf_repeat(&o->text, '#', full);
	buf_repeat(&o->text, '-', BAR_WIDTH - full);
	screen_str(o, "]");
}

/* "  ● train     1m52s  ~40s left  [#######---]  14/20  epoch  loss 0.312" */
static void put_running(struct view *v, const struct view_task *t, unsigned room)
{
	const struct live *own = v->own;
	int64_t elapsed = clock_mono_ms() - t->began_ms, expected = eta_of_task(&own->eta, t->task);
	struct screen line = begin_line(v), *out = v->out;
	char took[32], left[32];

	screen_str(&line, "  ");
	screen_glyph(&line, GLYPH_RUNNING);
	screen_printf(&line, " %-*s  %7s", (int)v->name_width, view_task_name(v, t->task),
		elapsed >= 1000 ? took_text(elapsed, took) : "");
	if (t->attempt > 1)
		screen_printf(&line, "  attempt %u", t->attempt);
	if (expected > elapsed + 1000)
		screen_printf(&line, "  ~%s left", took_text(expected - elapsed, left));
	if (t->total > 0 && room >= BAR_ROOM)
		put_bar(&line, t);
	v->out = &line;
	view_progress(v, t);
	v->out = out;
	end_line(v, &line, room);
}

static int64_t eta_now(const struct view *v)
{
	struct eta_running running[RUNNING_MAX];
	const struct live *own = v->own;
	int64_t now = clock_mono_ms();
	size_t i;

	for (i = 0; i < v->running.count && i < RUNNING_MAX; i++)
		running[i] = (struct eta_running){ v->running.items[i].task,
			now - v->running.items[i].began_ms };
	return eta_ms(&own->eta, running, i);
}

/* "  [3/6] 2 running, 1 waiting, 1 cached   elapsed 2m05s  eta 1m10s   ^C to stop" */
static void put_summary(struct view *v, unsigned room)
{
	uint32_t running = (uint32_t)v->running.count, done = v->finished + running + v->backoff;
	int64_t elapsed = clock_mono_ms() - v->began_ms, eta = eta_now(v);
	struct screen line = begin_line(v);
	char text[32], number[32];

	screen_printf(&line, "  [%s/%s] %u running", count_text(v->finished, number),
		count_text(v->total, text), running);
	if (v->backoff > 0)
		screen_printf(&line, ", %u to be tried again", v->backoff);
	if (v->total > done)
		screen_printf(&line, ", %s waiting", count_text(v->total - done, number));
	if (v->cached > 0)
		screen_printf(&line, ", %s cached", count_text(v->cached, number));
	if (v->failures.count > 0)
		screen_printf(&line, ", %zu failed", v->failures.count);
	screen_printf(&line, "   elapsed %s", took_text(elapsed, text));
	if (eta > 0 && v->stopping == 0)
		screen_printf(&line, "  eta %s", took_text(eta < 1000 ? 1000 : eta, text));
	screen_paint(&line, PAINT_DIM,
		v->stopping == 0   ? "   ^C to stop"
		: v->stopping == 1 ? "   stopping, ^C to kill"
				   : "   killing");
	end_line(v, &line, room);
}

static void put_block(struct view *v)
{
	unsigned room = v->out->columns > 1 + ECHO_WIDTH ? v->out->columns - 1 : 1;
	unsigned most = v->out->rows / 3 < ROWS_MAX ? v->out->rows / 3 : ROWS_MAX;
	size_t i, shown = v->running.count;
	struct screen line;

	most = most > 1 ? most : 1;
	if (shown > most)
		shown = most - 1;
	for (i = 0; i < shown; i++)
		put_running(v, &v->running.items[i], room);
	if (shown < v->running.count) {
		line = begin_line(v);
		screen_printf(&line, "    and %zu more", v->running.count - shown);
		end_line(v, &line, room);
	}
	put_summary(v, room > ECHO_WIDTH ? room - ECHO_WIDTH : room);
}

/* Take the last frame away. The terminal may have become narrower: then its lines take more rows than they did. */
static void erase(struct view *v)
{
	struct live *own = v->own;
	unsigned rows = 0, i;

	if (own->drawn > 0 && !terminal_moved()) {
		for (i = 0; i < own->drawn; i++)
			rows += own->widths[i] > v->out->columns
					? (own->widths[i] + v->out->columns - 1) / v->out->columns
					: 1;
		screen_str(v->out, "\r");
		if (rows > 1)
			screen_printf(v->out, "\033[%uA", rows - 1);
		screen_str(v->out, "\033[J");
	}
	own->drawn = 0;
}

/* One frame, one write: the old block away, lines that stay, the new block. */
static void draw(struct view *v, bool last)
{
	bool headed = v->headed || v->source != NULL || last ||
		      clock_mono_ms() - v->began_ms >= HEADER_MS;
	struct buf lines = v->out->text;
	struct err e;

	if (last && lines.len == 0 && ((struct live *)v->own)->drawn == 0)
		return;
	v->out->text = (struct buf){ 0 };
	screen_size(v->out);
	screen_str(v->out, SYNC_BEGIN);
	erase(v);
	if (headed && !v->is_idle) {
		view_header(v);
		buf_add(&v->out->text, buf_text(&lines), lines.len);
		buf_clear(&lines);
	}
	if (!last)
		put_block(v);
	screen_str(v->out, SYNC_END);
	(void)screen_flush(v->out, &e);
	buf_release(&v->out->text);
	v->out->text = lines;
}

static void put_line(struct view *v, enum glyph glyph, uint32_t task)
{
	screen_str(v->out, "  ");
	screen_glyph(v->out, glyph);
	screen_printf(v->out, " %-*s  ", (int)v->name_width, view_task_name(v, task));
}

static void put_cached(struct view *v, uint32_t task, const char *text)
{
	put_line(v, GLYPH_OK, task);
	screen_paint(v->out, PAINT_DIM, text);
	screen_str(v->out, "\n");
}

static void put_planned(struct view *v)
{
	struct live *own = v->own;
	char number[32];
	uint32_t i;

	if (own->planned || v->is_idle)
		return;
	own->planned = true;
	if (v->planned_count > VIEW_CACHED_MAX) {
		screen_str(v->out, "  ");
		screen_glyph(v->out, GLYPH_OK);
		screen_printf(v->out, " %s tasks cached\n", count_text(v->planned_count, number));
		return;
	}
	for (i = 0; i < v->planned_count; i++)
		put_cached(v, v->planned[i].task, view_planned_text(&v->planned[i]));
}

/* Cut, so that no line that stays takes two rows. */
static void put_ended(struct view *v, const struct told *what)
{
	enum glyph glyph = what->outcome == OUTCOME_SUCCEEDED   ? GLYPH_OK
			   : what->outcome == OUTCOME_CANCELLED ? GLYPH_WAITING
			   : what->again                        ? GLYPH_AGAIN
								: GLYPH_FAIL;
	struct screen line = begin_line(v), *out = v->out;

	v->out = &line;
	put_line(v, glyph, what->task);
	view_ended(v, what);
	v->out = out;
	screen_cut(out, buf_text(&line.text), out->columns > 1 ? out->columns - 1 : 1);
	screen_str(out, "\n");
	buf_release(&line.text);
}

static void tell(struct view *v, const struct told *what, const struct view_task *task)
{
	struct live *own = v->own;

	(void)task;
	switch (what->kind) {
	case TOLD_ENDED:
		put_planned(v);
		put_ended(v, what);
		if (!what->again)
			eta_done(&own->eta, what->task);
		break;
	case TOLD_REUSED:
		put_planned(v);
		put_cached(v, what->task, "cached");
		eta_done(&own->eta, what->task);
		break;
	case TOLD_BLOCKED:
	case TOLD_SKIPPED: eta_done(&own->eta, what->task); break;
	case TOLD_STOPPING:
		put_planned(v);
		view_stopping(v, what);
		break;
	case TOLD_SOURCE: put_planned(v); break;
	case TOLD_RUN:
	case TOLD_STARTED:
	case TOLD_PROGRESS:
	case TOLD_METRIC:
	case TOLD_TICK: break;
	}
	if ((what->kind != TOLD_TICK && what->kind != TOLD_STOPPING) || v->is_idle)
		return;
	terminal_take(v->out->fd);
	draw(v, false);
}

static void open_live(struct view *v)
{
	struct live *own = arena_zalloc(&v->arena, sizeof *own);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	v->own = own;
	eta_open(&own->eta, &v->session->plan, v->cli->jobs > 0 ? v->cli->jobs : (uint32_t)cores);
}

static void close_live(struct view *v)
{
	struct live *own = v->own;

	draw(v, true);
	terminal_give_back();
	eta_close(&own->eta);
}

const struct display display_live = {
	.frame_ms = FRAME_MS, .open = open_live, .tell = tell, .close = close_live
};
