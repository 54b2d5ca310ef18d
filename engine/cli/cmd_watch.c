/*
 * flow watch: attach to a run that goes on elsewhere.
 */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/commands.h"
#include "cli/frame.h"
#include "cli/records.h"
#include "cli/shown.h"
#include "cli/terminal.h"
#include "cli/view.h"
#include "report/runlist.h"
#include "report/runwatch.h"

#define POLL_MS        200
#define LETS_GO_MS     5000 /* one that takes longer is stopped, or hangs */
#define NAME_WIDTH_MAX 32

struct watching {
	struct cli *cli;
	struct records records;
	struct runwatch watch;
	struct arena arena; /* of the last look */
	struct frame frame;
	bool redraws;       /* the block is shown */
	unsigned name_width;
};

/* -- lines that stay --------------------------------------------------------------------------------------------------- */

static void put_header(struct watching *w)
{
	struct cli *c = w->cli;
	const struct runwatch *r = &w->watch;
	char took[32];

	screen_printf(&c->out, "run %s  %s", r->run.name, shown(c, r->run.dag_path));
	if (r->run.commit_id[0] != '\0')
		screen_printf(&c->out, " @ %s", shown_commit(c, &r->run));
	screen_printf(&c->out, "  began %s ago by process %lld\n",
		took_text(run_took_ms(&r->run, clock_wall_ms()), took), (long long)r->run.pid);
}

static void put_ended(struct watching *w, const struct attempt_record *a)
{
	bool good = strcmp(a->state, "SUCCEEDED") == 0, stopped = strcmp(a->state, "CANCELLED") == 0;
	struct cli *c = w->cli;
	char took[32];

	screen_str(&c->out, "  ");
	screen_glyph(&c->out, good ? GLYPH_OK : stopped ? GLYPH_WAITING : GLYPH_FAIL);
	screen_printf(&c->out, " %-*s  ", (int)w->name_width, shown(c, a->task));
	screen_paint(&c->out, good ? PAINT_NONE : stopped ? PAINT_YELLOW : PAINT_RED,
		good ? "ran    " : stopped ? "stopped" : "FAILED ");
	screen_printf(&c->out, "  %6s", took_text(attempt_took_ms(a, clock_wall_ms()), took));
	if (a->number > 1)
		screen_printf(&c->out, "  attempt %lld", (long long)a->number);
	if (!good && !stopped)
		screen_printf(&c->out, "  %s", attempt_fate(c, a));
	screen_str(&c->out, "\n");
}

static void put_counts(struct screen *o, const struct runwatch *r)
{
	static const struct {
		enum runwatch_count count;
		const char *word;
	} parts[] = { { COUNT_FAILED, "failed" }, { COUNT_BLOCKED, "blocked" }, { COUNT_RAN, "ran" },
		{ COUNT_CACHED, "cached" }, { COUNT_SKIPPED, "skipped" },
		{ COUNT_RUNNING, "not finished" },
		{ COUNT_BACKOFF, "to be tried again" }, { COUNT_WAITING, "not started" } };
	const char *comma = "";
	char number[32];
	size_t i;

	for (i = 0; i < sizeof parts / sizeof *parts; i++)
		if (r->count[parts[i].count] > 0) {
			screen_printf(o, "%s%s %s", comma,
				count_text(r->count[parts[i].count], number), parts[i].word);
			comma = ", ";
		}
	if (comma[0] == '\0')
		screen_str(o, "nothing ran");
}

/* The last line, and the exit status. */
static int put_outcome(struct watching *w)
{
	const struct run_record *r = &w->watch.run;
	struct screen *o = &w->cli->out;
	bool good = run_is(r, "SUCCEEDED"), failed = run_is(r, "FAILED");
	const char *word = good ? "done" : run_word(r, w->watch.alive);
	char took[32];

	screen_paint(o, good ? PAINT_GREEN : failed ? PAINT_RED : PAINT_YELLOW, word);
	screen_printf(o, " %s  ", r->name);
	put_counts(o, &w->watch);
	if (r->ended_ms != 0)
		screen_printf(o, " in %s", took_text(run_took_ms(r, 0), took));
	screen_str(o, "\n");
	if (failed)
		screen_printf(o, "  flow log %s\n", r->name);
	else if (!good)
		screen_str(o, "  the next `flow run` takes it up\n");
	return good ? EXIT_DONE : failed ? EXIT_STAGE : EXIT_INTERRUPTED;
}

/* -- the block --------------------------------------------------------------------------------------------------------- */

/* "loss 0.312", dropped from `from` on when the line is full: the next line begins there. */
static size_t put_metrics(
	struct watching *w, struct screen *line, const struct measure_list *m, size_t from, unsigned room)
{
	unsigned used = text_columns(buf_text(&line->text));
	struct cli *c = w->cli;
	char number[32];
	size_t i;

	for (i = from; i < m->count; i++) {
		const struct measure *one = &m->items[i];
		const char *text = arena_printf(&c->arena, "  %s %s", shown_cut(c, one->name, 40),
			short_number(one->value, VIEW_DIGITS, number));

		used += text_columns(text);
		if (used > room && i > from)
			break;
		screen_str(line, text);
	}
	return i;
}

static int64_t furthest_step(const struct measure_list *m)
{
	int64_t step = -1;
	size_t i;

	for (i = 0; i < m->count; i++)
		if (m->items[i].last_step > step)
			step = m->items[i].last_step;
	return step;
}

/* In 1 + more lines. */
static void put_running(
	struct watching *w, struct block *b, const struct watched *t, unsigned more, unsigned room)
{
	int64_t took = attempt_took_ms(&t->attempt, clock_wall_ms()), step = furthest_step(&t->metrics);
	struct cli *c = w->cli;
	struct screen line = block_begin(&c->out);
	char text[32];
	size_t shown_so_far;

	screen_str(&line, "  ");
	screen_glyph(&line, GLYPH_RUNNING);
	screen_printf(&line, " %-*s  %7s", (int)w->name_width, shown(c, t->attempt.task),
		block_elapsed(took, text));
	if (t->attempt.number > 1)
		screen_printf(&line, "  attempt %lld", (long long)t->attempt.number);
	if (t->usual_ms > took + 1000)
		screen_printf(&line, "  ~%s left", block_elapsed(t->usual_ms - took, text));
	if (step > 0)
		screen_printf(&line, "  step %s", count_text((uint64_t)step, text));
	shown_so_far = put_metrics(w, &line, &t->metrics, 0, room);
	block_end(b, &line, room);
	for (; more > 0 && shown_so_far < t->metrics.count; more--) {
		line = block_begin(&c->out);
		screen_printf(&line, "    %-*s  %7s", (int)w->name_width, "", "");
		shown_so_far = put_metrics(w, &line, &t->metrics, shown_so_far, room);
		block_end(b, &line, room);
	}
}

static void put_summary(struct watching *w, struct block *b, unsigned room)
{
	static const struct {
		enum runwatch_count count;
		const char *word;
	} parts[] = { { COUNT_BACKOFF, "to be tried again" }, { COUNT_WAITING, "waiting" },
		{ COUNT_CACHED, "cached" }, { COUNT_FAILED, "failed" } };
	const struct runwatch *r = &w->watch;
	uint32_t unfinished = r->count[COUNT_RUNNING] + r->count[COUNT_BACKOFF] + r->count[COUNT_WAITING],
		 total = runwatch_total(r);
	struct screen line = block_begin(&w->cli->out);
	char text[32], number[32];
	size_t i;

	screen_printf(&line, "  [%s/%s] %u running", count_text(total - unfinished, number),
		count_text(total, text), r->count[COUNT_RUNNING]);
	for (i = 0; i < sizeof parts / sizeof *parts; i++)
		if (r->count[parts[i].count] > 0)
			screen_printf(&line, ", %s %s",
				count_text(r->count[parts[i].count], number), parts[i].word);
	screen_printf(&line, "   elapsed %s",
		block_elapsed(run_took_ms(&r->run, clock_wall_ms()), text));
	screen_paint(&line, PAINT_DIM, "   ^C leaves; the run goes on");
	block_end(b, &line, room);
}

static void make_block(struct watching *w, struct block *b)
{
	const struct screen *o = &w->cli->out;
	unsigned room = o->columns > 1 + BLOCK_ECHO ? o->columns - 1 : 1;
	unsigned most = o->rows / 3 < BLOCK_TASKS ? o->rows / 3 : BLOCK_TASKS, more;
	size_t i, shown_tasks = w->watch.open.count;
	struct screen line;

	most = most > 1 ? most : 1;
	if (shown_tasks > most)
		shown_tasks = most - 1;
	more = shown_tasks > 0 ? (most - (unsigned)shown_tasks) / (unsigned)shown_tasks : 0;
	for (i = 0; i < shown_tasks; i++)
		put_running(w, b, &w->watch.open.items[i], more, room);
	if (shown_tasks < w->watch.open.count) {
		line = block_begin(o);
		screen_printf(&line, "    and %zu more", w->watch.open.count - shown_tasks);
		block_end(b, &line, room);
	}
	put_summary(w, b, room > BLOCK_ECHO ? room - BLOCK_ECHO : room);
}

/* What was put into the screen's text stays; below it, on a terminal, what runs now. */
static void draw(struct watching *w)
{
	struct screen *o = &w->cli->out;
	bool again = w->redraws && terminal_moved();
	struct buf text = o->text;
	struct block next = { 0 };
	struct err e;

	if (!w->redraws) {
		(void)screen_flush(o, &e);
		return;
	}
	o->text = (struct buf){ 0 };
	screen_size(o);
	terminal_take(o->fd);
	if (!runwatch_is_over(&w->watch))
		make_block(w, &next);
	frame_draw(&w->frame, o, buf_text(&text), text.len, &next, again);
	buf_release(&text);
}

/* -- the loop ---------------------------------------------------------------------------------------------------------- */

static void widen(struct watching *w, const char *task)
{
	unsigned width = text_columns(shown(w->cli, task));

	if (width > w->name_width && width <= NAME_WIDTH_MAX)
		w->name_width = width;
}

static int look(struct watching *w, struct err *e)
{
	const struct runwatch *r = &w->watch;
	size_t i;
	int rc;

	arena_release(&w->arena);
	rc = records_again(&w->records, e);
	if (rc == 0)
		rc = runwatch_look(&w->watch, &w->arena, e);
	records_live(&w->records);
	if (rc < 0)
		return rc;
	for (i = 0; i < r->open.count; i++)
		widen(w, r->open.items[i].attempt.task);
	for (i = 0; i < r->ended.count; i++)
		widen(w, r->ended.items[i].task);
	for (i = 0; i < r->ended.count && !w->cli->quiet; i++)
		put_ended(w, &r->ended.items[i]);
	return 0;
}

/* What is made for a frame goes with it: a run may be watched for days. */
static int turn(struct watching *w, struct err *e)
{
	struct arena kept = w->cli->arena;
	int rc;

	w->cli->arena = (struct arena){ 0 };
	rc = runwatch_news(&w->watch, e);
	if (rc > 0)
		rc = look(w, e);
	if (rc == 0)
		draw(w);
	arena_release(&w->cli->arena);
	w->cli->arena = kept;
	return rc;
}

/* Until the run is over or nobody reads any more. */
static int follow(struct watching *w, struct err *e)
{
	const struct timespec pause = { 0, POLL_MS * 1000000L };
	int rc;

	if (!runwatch_is_over(&w->watch) && !w->cli->quiet)
		put_header(w);
	while ((rc = turn(w, e)) == 0 && !runwatch_is_over(&w->watch) && !w->cli->out.broken)
		(void)nanosleep(&pause, NULL);
	return rc;
}

/* The journal has the end of a run a moment before the project is free, for which the next command may be waiting. */
static void see_off(const struct watching *w)
{
	const struct timespec pause = { 0, 5 * 1000000L };
	int64_t until = clock_mono_ms() + LETS_GO_MS;

	while (run_holds_project(&w->records.project, &w->watch.run) && clock_mono_ms() < until)
		(void)nanosleep(&pause, NULL);
}

static int watch_main(struct cli *c)
{
	struct watching w = { .cli = c, .redraws = c->out.tty && terminal_redraws() && !c->quiet };
	struct run_record run;
	int rc, status = EXIT_DONE;
	struct err e;

	if (records_open(&w.records, c, &e) < 0)
		return records_fail(c, &e, NULL);
	rc = run_find(&w.records.db, c->args.count > 0 ? c->args.items[0] : "@last", &c->arena, &run, &e);
	records_live(&w.records);
	if (rc == 0)
		rc = runwatch_open(&w.watch, &w.records.db, &w.records.project, &run, &e);
	if (rc == 0) {
		rc = follow(&w, &e);
		terminal_give_back();
		block_release(&w.frame.block);
		if (rc == 0 && runwatch_is_over(&w.watch)) {
			see_off(&w);
			status = put_outcome(&w);
		}
		runwatch_close(&w.watch);
	}
	arena_release(&w.arena);
	if (rc < 0)
		return records_lost(c, &w.records, &e);
	records_close(&w.records);
	return status;
}

const struct command cmd_watch = { .name = "watch",
	.group = GROUP_LOOK,
	.args = "[RUN]",
	.summary = "watch a run that goes on in another terminal, until it ends",
	.about = "Shows the tasks as they end, and on a terminal what runs now: for how long, and\n"
		 "what it measured last. It begins with the last 10 tasks that have ended. Ctrl-C\n"
		 "leaves; the run does not notice. Of a run that has ended it tells how. When\n"
		 "it comes back, the project is free for the next run.\n"
		 "RUN as in `flow runs show`; the default is @last. The exit status is the run's:\n"
		 "1 when a stage failed, 130 when it was cancelled or its process is gone.\n",
	.examples = "flow watch\n"
		    "flow watch && flow metrics      # once it has succeeded\n",
	.most = 1,
	.run = watch_main };
