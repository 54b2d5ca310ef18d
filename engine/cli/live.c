/*
 * Lines that scroll away when a task ends, and below them a block that is drawn again and again: what runs now.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/eta.h"
#include "cli/frame.h"
#include "cli/terminal.h"
#include "cli/view.h"

#define FRAME_MS  100
#define HEADER_MS 1000 /* finished lines wait this long for the commit that the first line names */

struct live {
	struct eta eta;
	struct frame frame;
};

/* Is it time for the first line? */
static bool is_headed(const struct view *v, bool last)
{
	return v->headed || v->source != NULL || last || clock_mono_ms() - v->began_ms >= HEADER_MS;
}

/* Lines that stay wait for the first one; the block does not. */
static void draw(struct view *v, bool last)
{
	bool again = terminal_moved();
	struct buf lines = v->out->text;
	struct live *own = v->own;
	struct block next = { 0 };
	struct buf text = { 0 };

	v->out->text = (struct buf){ 0 };
	screen_size(v->out);
	if (!last)
		block_make(&next, v, &own->eta);
	if (is_headed(v, last)) {
		if (!v->is_idle && v->result->uuid[0] != '\0')
			view_header(v);
		text = v->out->text;
		v->out->text = (struct buf){ 0 };
		buf_add(&text, buf_text(&lines), lines.len);
		buf_clear(&lines);
	}
	frame_draw(&own->frame, v->out, buf_text(&text), text.len, &next, again);
	buf_release(&text);
	buf_release(&v->out->text);
	v->out->text = lines;
}

static void put_line(struct view *v, enum glyph glyph, uint32_t task)
{
	screen_str(v->out, "  ");
	screen_glyph(v->out, glyph);
	if (task == NO_NODE)
		screen_str(v->out, " ");
	else
		screen_printf(v->out, " %-*s  ", (int)v->name_width, view_task_name(v, task));
}

static void put_cached(struct view *v, uint32_t task, const char *text)
{
	put_line(v, GLYPH_OK, task);
	screen_paint(v->out, PAINT_DIM, text);
	screen_str(v->out, "\n");
}

/* Cut, so that no line that stays takes two rows. */
static void put_ended(struct view *v, const struct told *what)
{
	enum glyph glyph = what->outcome == OUTCOME_SUCCEEDED   ? GLYPH_OK
			   : what->outcome == OUTCOME_CANCELLED ? GLYPH_WAITING
			   : what->again                        ? GLYPH_AGAIN
								: GLYPH_FAIL;
	struct screen line = *v->out, *out = v->out;

	line.text = (struct buf){ 0 };

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
		view_planned(v, put_cached);
		put_ended(v, what);
		if (!what->again)
			eta_done(&own->eta, what->task);
		break;
	case TOLD_WAITING:
		view_planned(v, put_cached);
		screen_printf(v->out, "  %s %-*s  ", glyph_text(v->out, GLYPH_AGAIN), (int)v->name_width,
			view_task_name(v, what->task));
		view_waiting(v, what);
		break;
	case TOLD_REUSED:
		view_planned(v, put_cached);
		put_cached(v, what->task, view_reused(v, what->task));
		eta_done(&own->eta, what->task);
		break;
	case TOLD_BLOCKED:
	case TOLD_SKIPPED: eta_done(&own->eta, what->task); break;
	case TOLD_STOPPING:
		view_planned(v, put_cached);
		view_stopping(v, what);
		break;
	case TOLD_SOURCE: view_planned(v, put_cached); break;
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
	block_release(&own->frame.block);
	eta_close(&own->eta);
}

const struct display display_live = {
	.frame_ms = FRAME_MS, .open = open_live, .tell = tell, .close = close_live
};
