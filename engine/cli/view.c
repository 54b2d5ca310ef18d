#include "cli/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/vec.h"
#include "cli/cmd.h"
#include "cli/terminal.h"

#define NAME_WIDTH_MAX 32

static void tell(void *user, const struct told *what)
{
	struct view *v = user;

	v->display->tell(v, what, view_note(v, what));
}

static const struct display *choose_display(const struct cli *c, const struct view *v)
{
	switch ((enum progress)c->progress) {
	case PROGRESS_JSON: return &display_events;
	case PROGRESS_TTY: return &display_live;
	case PROGRESS_AUTO:
		return v->out->tty && terminal_redraws() && !c->quiet ? &display_live
								      : &display_plain;
	case PROGRESS_PLAIN:
	case PROGRESS_NONE: break;
	}
	return &display_plain;
}

static void note_planned(struct view *v, uint32_t task)
{
	if (v->planned_count < VIEW_CACHED_MAX)
		v->planned[v->planned_count] = task;
	v->planned_count++;
}

/* Now, because the choices of the plan move on while it runs. */
static void count_plan(struct view *v)
{
	const struct plan *p = &v->session->plan;
	uint32_t i, count = p->graph->node_count;

	for (i = 0; i < count; i++) {
		const struct choice *c = &p->choices[i];
		unsigned width = text_columns(view_task_name(v, i));

		if (c->verdict == VERDICT_LEFT_OUT)
			continue;
		v->total++;
		if (choice_stands(c))
			note_planned(v, i);
		if (width > v->name_width && width <= NAME_WIDTH_MAX)
			v->name_width = width;
	}
	v->finished = v->cached = v->planned_count;
	v->is_idle = v->cached == v->total;
}

void view_open(struct view *v, struct cli *c, struct session *s, const struct run_result *result)
{
	*v = (struct view){ .cli = c, .session = s, .result = result, .out = &c->talk };
	v->began_ms = clock_mono_ms();
	v->display = choose_display(c, v);
	v->watch = (struct watch){ .tell = tell, .user = v, .frame_ms = v->display->frame_ms };
	if (c->quiet && v->display == &display_plain)
		v->watch.frame_ms = 0;
	count_plan(v);
	if (v->display->open != NULL)
		v->display->open(v);
}

void view_close(struct view *v)
{
	if (v->display->close != NULL)
		v->display->close(v);
}

void view_release(struct view *v)
{
	vec_release(&v->running);
	vec_release(&v->failures);
	vec_release(&v->blocked);
	arena_release(&v->arena);
}

static struct view_task *find_running(struct view *v, uint32_t task)
{
	size_t i;

	for (i = 0; i < v->running.count; i++)
		if (v->running.items[i].task == task)
			return &v->running.items[i];
	return NULL;
}

/* Instances of a stage tell the same names: no one of their values stands for the run. */
static void note_metric(struct view *v, const struct told *what)
{
	size_t i;

	if (what->step >= 0 || node_stage(&v->session->graph, what->task)->nodes.count > 1)
		return;
	if (v->metric_count > 0 && v->metric_task != what->task)
		v->metric_count = 0;
	v->metric_task = what->task;
	for (i = 0; i < v->metric_count; i++)
		if (strcmp(v->metrics[i].name, what->text) == 0)
			break;
	if (i == VIEW_METRICS_MAX)
		return;
	if (i == v->metric_count)
		v->metrics[v->metric_count++].name = arena_strdup(&v->arena, what->text);
	v->metrics[i].value = what->value;
}

static void note_failure(struct view *v, const struct told *what)
{
	struct view_failure failure = { .task = what->task,
		.attempt = what->attempt,
		.most = what->most,
		.forgiven = what->forgiven,
		.took_ms = what->took_ms };
	char why[64];

	failure.short_why = arena_strdup(&v->arena, view_why(what, why));
	failure.why = arena_strdup(&v->arena, what->text != NULL ? what->text : "");
	failure.code = arena_strdup(&v->arena, what->code != NULL ? what->code : "");
	failure.log = arena_strdup(&v->arena, what->log != NULL ? what->log : "");
	failure.tail = arena_strdup(&v->arena, what->tail != NULL ? what->tail : "");
	vec_push(&v->failures, failure);
}

/* The attempt that has ended moves behind the others' end, where it can still be read. */
static const struct view_task *note_ended(struct view *v, const struct told *what)
{
	struct view_task *t = find_running(v, what->task), ended;
	size_t i;

	v->finished += !what->again;
	v->backoff += what->again;
	if (what->outcome != OUTCOME_SUCCEEDED && what->outcome != OUTCOME_CANCELLED &&
		!what->again)
		note_failure(v, what);
	if (t == NULL)
		return NULL;
	ended = *t;
	i = (size_t)(t - v->running.items);
	v->running.count--;
	memmove(t, t + 1, (v->running.count - i) * sizeof *t);
	v->running.items[v->running.count] = ended;
	return &v->running.items[v->running.count];
}

static const struct view_task *note_started(struct view *v, const struct told *what)
{
	struct view_task t = {
		.task = what->task, .attempt = what->attempt, .began_ms = clock_mono_ms()
	};

	if (what->attempt > 1 && v->backoff > 0)
		v->backoff--;
	vec_push(&v->running, t);
	return &v->running.items[v->running.count - 1];
}

static const struct view_task *note_progress(struct view *v, const struct told *what)
{
	struct view_task *t = find_running(v, what->task);
	char number[32];

	if (what->kind == TOLD_METRIC)
		note_metric(v, what);
	if (t == NULL)
		return NULL;
	t->news = true;
	if (what->kind == TOLD_METRIC) {
		(void)snprintf(t->metric, sizeof t->metric, "%.30s %s", what->text,
			short_number(what->value, VIEW_DIGITS, number));
		return t;
	}
	t->done = what->done;
	t->total = what->total;
	(void)snprintf(t->text, sizeof t->text, "%s", what->text != NULL ? what->text : "");
	return t;
}

const struct view_task *view_note(struct view *v, const struct told *what)
{
	switch (what->kind) {
	case TOLD_STARTED: return note_started(v, what);
	case TOLD_PROGRESS:
	case TOLD_METRIC: return note_progress(v, what);
	case TOLD_ENDED: return note_ended(v, what);
	case TOLD_SOURCE: v->source = arena_strdup(&v->arena, what->text); break;
	case TOLD_REUSED:
		v->cached++;
		v->finished++;
		break;
	case TOLD_BLOCKED:
		vec_push(&v->blocked, what->task);
		v->finished++;
		break;
	case TOLD_STOPPING:
		v->stopping = what->level;
		v->kill_at_ms = what->at_ms;
		break;
	case TOLD_RUN:
	case TOLD_WAITING:
	case TOLD_SKIPPED:
	case TOLD_TICK: break;
	}
	return NULL;
}
