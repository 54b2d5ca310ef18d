#include "cli/block.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cmd.h"
#include "cli/eta.h"
#include "cli/view.h"

#define BAR_WIDTH   10
#define BAR_ROOM    60 /* narrower terminals have no bar */
#define RUNNING_MAX 64 /* attempts that the estimate looks at */

struct screen block_begin(const struct screen *like)
{
	struct screen line = *like;

	line.text = (struct buf){ 0 };
	return line;
}

void block_end(struct block *b, struct screen *line, unsigned room)
{
	struct screen cut = *line;

	cut.text = b->text;
	if (b->count > 0)
		buf_char(&cut.text, '\n');
	screen_cut(&cut, buf_text(&line->text), room);
	b->text = cut.text;
	b->widths[b->count] = text_columns(buf_text(&line->text));
	if (b->widths[b->count] > room)
		b->widths[b->count] = room;
	b->count++;
	buf_release(&line->text);
}

const char *block_elapsed(int64_t ms, char text[32])
{
	if (ms >= 60000)
		return took_text(ms, text);
	(void)snprintf(text, 32, "%ds", (int)(ms / 1000));
	return text;
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
static void put_running(struct block *b, struct view *v, const struct view_task *t,
	const struct eta *eta, unsigned room)
{
	int64_t elapsed = clock_mono_ms() - t->began_ms, expected = eta_of_task(eta, t->task);
	struct screen line = block_begin(v->out), *out = v->out;
	char took[32], left[32];

	screen_str(&line, "  ");
	screen_glyph(&line, GLYPH_RUNNING);
	screen_printf(&line, " %-*s  %7s", (int)v->name_width, view_task_name(v, t->task),
		elapsed >= 1000 ? block_elapsed(elapsed, took) : "");
	if (t->attempt > 1)
		screen_printf(&line, "  attempt %u", t->attempt);
	if (expected > elapsed + 1000)
		screen_printf(&line, "  ~%s left", block_elapsed(expected - elapsed, left));
	if (t->total > 0 && room >= BAR_ROOM)
		put_bar(&line, t);
	v->out = &line;
	view_progress(v, t);
	v->out = out;
	block_end(b, &line, room);
}

static int64_t eta_now(const struct view *v, const struct eta *eta)
{
	struct eta_running running[RUNNING_MAX];
	int64_t now = clock_mono_ms();
	size_t i;

	for (i = 0; i < v->running.count && i < RUNNING_MAX; i++)
		running[i] = (struct eta_running){ v->running.items[i].task,
			now - v->running.items[i].began_ms };
	return eta_ms(eta, running, i);
}

/* "  [3/6] 2 running, 1 waiting, 1 cached   elapsed 2m05s  eta 1m10s   ^C to stop" */
static void put_summary(struct block *b, struct view *v, const struct eta *eta, unsigned room)
{
	uint32_t running = (uint32_t)v->running.count, done = v->finished + running + v->backoff;
	int64_t elapsed = clock_mono_ms() - v->began_ms, left = eta_now(v, eta);
	struct screen line = block_begin(v->out);
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
	screen_printf(&line, "   elapsed %s", block_elapsed(elapsed, text));
	if (left > 0 && v->stopping == 0)
		screen_printf(&line, "  eta %s", block_elapsed(left < 1000 ? 1000 : left, text));
	if (v->stopping == 1) /* the figure makes each second a new frame: it counts down */
		(void)snprintf(text, sizeof text, "   killed in %ds, ^C: now", view_kill_seconds(v));
	screen_paint(&line, PAINT_DIM,
		v->stopping == 0   ? "   ^C to stop"
		: v->stopping == 1 ? text
				   : "   killing");
	block_end(b, &line, room);
}

void block_make(struct block *b, struct view *v, const struct eta *eta)
{
	unsigned room = v->out->columns > 1 + BLOCK_ECHO ? v->out->columns - 1 : 1;
	unsigned most = v->out->rows / 3 < BLOCK_TASKS ? v->out->rows / 3 : BLOCK_TASKS;
	size_t i, shown = v->running.count;
	struct screen line;

	most = most > 1 ? most : 1;
	if (shown > most)
		shown = most - 1;
	for (i = 0; i < shown; i++)
		put_running(b, v, &v->running.items[i], eta, room);
	if (shown < v->running.count) {
		line = block_begin(v->out);
		screen_printf(&line, "    and %zu more", v->running.count - shown);
		block_end(b, &line, room);
	}
	put_summary(b, v, eta, room > BLOCK_ECHO ? room - BLOCK_ECHO : room);
}

unsigned block_rows(const struct block *b, unsigned columns)
{
	unsigned rows = 0, i;

	for (i = 0; i < b->count; i++)
		rows += b->widths[i] > columns ? (b->widths[i] + columns - 1) / columns : 1;
	return rows;
}

void block_release(struct block *b)
{
	buf_release(&b->text);
	*b = (struct block){ 0 };
}
