/*
 * The words of a run that all displays share.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/cmd.h"
#include "cli/view.h"

#define RUN_SHOWN 13 /* columns of its id: the time in it, which is unique in a project */

const char *count_text(uint64_t n, char text[32])
{
	char digits[32];
	size_t len = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), i,
	       at = 0;

	for (i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
	return text;
}

const char *view_run(const struct view *v)
{
	return arena_strndup(&v->cli->arena, v->result->uuid, RUN_SHOWN);
}

const char *view_dag(const struct view *v, const char *before)
{
	if (strcmp(v->cli->dag, "dag.yaml") == 0)
		return "";
	return arena_printf(&v->cli->arena, "%s%s", before, v->cli->dag);
}

const char *view_task_name(const struct view *v, uint32_t task)
{
	return node_name(&v->session->graph, task);
}

const char *view_why(const struct told *what, char text[64])
{
	switch (what->outcome) {
	case OUTCOME_SUCCEEDED: return "succeeded";
	case OUTCOME_ERROR:
		if (what->exit_code < 0)
			return strcmp(what->code, "E0416") == 0 ? "over a limit" : "error";
		if (what->exit_code == 0)
			return "no result"; /* its process ended well; the reason tells what did not */
		(void)snprintf(text, 64, "exit %d", what->exit_code);
		return text;
	case OUTCOME_SIGNAL:
		(void)snprintf(text, 64, "signal %d (SIG%s)", what->signal,
			sigabbrev_np(what->signal) != NULL ? sigabbrev_np(what->signal) : "?");
		return text;
	case OUTCOME_TIMEOUT: return "timed out";
	case OUTCOME_OOM: return "out of memory";
	case OUTCOME_LOST: return "lost: its worker died";
	case OUTCOME_MISSING_OUT: return "an out is missing";
	case OUTCOME_UNSTARTABLE: return "cannot start";
	case OUTCOME_CANCELLED: return "stopped";
	}
	return "";
}

const char *view_reason(struct view *v, uint32_t task)
{
	struct plan *p = &v->session->plan;
	const struct choice *c = &p->choices[task];

	if (c->reason == REASON_NEVER_RUN)
		return "";
	if (c->other_count == 0)
		return choice_line(p, c);
	return arena_printf(&p->arena, "%s and %u more", choice_line(p, c), c->other_count);
}

/* Parameters whose value was given on the command line. */
static uint32_t changed_params(const struct view *v)
{
	const struct graph *g = &v->session->graph;
	uint32_t i, changed = 0;
	size_t f;

	for (i = 0; i < g->param_count; i++) {
		const char *origin = graph_text(g, g->params[i].origin);
		bool is_own = strncmp(origin, "-p", 2) == 0;

		for (f = 0; f < v->cli->files.count && !is_own; f++) {
			const char *file = v->session->options.files[f];

			is_own = strncmp(origin, file, strlen(file)) == 0 &&
				 origin[strlen(file)] == ':';
		}
		changed += is_own;
	}
	return changed;
}

/* "3f9c2e1 (dirty: 2 files)", not the reason why there is none. */
static bool is_commit(const char *source)
{
	return strspn(source, "0123456789abcdef") >= 7;
}

void view_header(struct view *v)
{
	uint32_t count = v->session->graph.param_count, changed = changed_params(v);
	struct screen *o = v->out;

	if (v->headed)
		return;
	v->headed = true;
	screen_printf(o, "run %s  ", view_run(v));
	screen_foreign(o, v->cli->dag);
	if (v->source != NULL) {
		screen_str(o, is_commit(v->source) ? " @ " : " (");
		screen_foreign(o, v->source);
		screen_str(o, is_commit(v->source) ? "" : ")");
	}
	if (count > 0)
		screen_printf(o, "  params %u", count);
	if (changed > 0)
		screen_printf(o, " (%u changed)", changed);
	screen_str(o, "\n");
}

void view_waiting(struct view *v, const struct told *what)
{
	char took[32];
	int64_t left = what->at_ms - clock_mono_ms();

	screen_printf(v->out, "waits %s more: its try failed before the last run was interrupted\n",
		took_text(left > 0 ? left : 0, took));
}

void view_planned(struct view *v, void (*put)(struct view *v, uint32_t task, const char *text))
{
	char number[32];
	uint32_t i;

	if (v->planned_told || v->is_idle)
		return;
	v->planned_told = true;
	if (v->planned_count > VIEW_CACHED_MAX)
		put(v, NO_NODE, arena_printf(&v->arena, "%s tasks cached", count_text(v->planned_count, number)));
	else
		for (i = 0; i < v->planned_count; i++)
			put(v, v->planned[i], "cached");
}

const char *view_reused(const struct view *v, uint32_t task)
{
	return v->session->plan.choices[task].restored ? "cached   outs came back from the store" : "cached";
}

static void put_outs(struct screen *o, const struct told *what)
{
	char size[UNITS_TEXT];

	if (what->outs > 0)
		screen_printf(o, "  %u out%s %s", what->outs, what->outs == 1 ? "" : "s",
			size_text(what->bytes, size));
}

static void put_failed(struct view *v, const struct told *what)
{
	int64_t left = what->at_ms - clock_mono_ms();
	char why[64], wait[32];

	screen_printf(v->out, "  %s", view_why(what, why));
	if (what->most > 1)
		screen_printf(v->out, " (attempt %u of %u)", what->attempt, what->most);
	if (what->again && left > 0)
		screen_printf(v->out, ", again in %s", took_text(left, wait));
	else if (what->again)
		screen_str(v->out, ", again now");
	if (what->forgiven)
		screen_str(v->out, ", which is allowed");
}

void view_ended(struct view *v, const struct told *what)
{
	char took[32], text[48];
	const char *reason;

	(void)took_text(what->took_ms, took);
	if (what->outcome == OUTCOME_SUCCEEDED) {
		(void)snprintf(text, sizeof text, "ran      %6s", took);
		screen_str(v->out, text);
		put_outs(v->out, what);
		reason = view_reason(v, what->task);
		if (what->text[0] != '\0') /* odd enough to stand in its place */
			reason = what->text;
		if (reason[0] != '\0') {
			screen_str(v->out, "  ");
			screen_foreign(v->out, reason);
		}
		return;
	}
	if (what->outcome == OUTCOME_CANCELLED) {
		screen_paint(v->out, PAINT_YELLOW, "stopped");
		screen_printf(v->out, "  %6s", took);
		return;
	}
	screen_paint(v->out, what->again ? PAINT_YELLOW : PAINT_RED, "FAILED");
	screen_printf(v->out, "   %6s", took);
	put_failed(v, what);
}

void view_progress(struct view *v, const struct view_task *t)
{
	bool shows_count = t->total > 0;

	if (shows_count)
		screen_printf(v->out, "  %.0f/%.0f", t->done, t->total);
	if (t->text[0] != '\0') {
		screen_str(v->out, "  ");
		screen_foreign(v->out, t->text);
	}
	if (t->metric[0] != '\0') {
		screen_str(v->out, "  ");
		screen_foreign(v->out, t->metric);
	}
}

int view_kill_seconds(const struct view *v)
{
	int64_t left = v->kill_at_ms - clock_mono_ms();

	return left > 0 ? (int)((left + 999) / 1000) : 0;
}

void view_stopping(struct view *v, const struct told *what)
{
	const char *key = what->signo == SIGINT ? "^C" : "SIG";
	size_t count = v->running.count;

	screen_str(v->out, key);
	if (what->signo != SIGINT)
		screen_str(
			v->out, sigabbrev_np(what->signo) != NULL ? sigabbrev_np(what->signo) : "");
	if (what->level < 2)
		screen_printf(v->out, " stopping: %zu running task%s asked to end (%d s)%s\n",
			count, count == 1 ? " is" : "s are", view_kill_seconds(v),
			what->signo == SIGINT ? "; Ctrl-C again kills" : "");
	else
		screen_printf(
			v->out, " killing %zu running task%s\n", count, count == 1 ? "" : "s");
}
