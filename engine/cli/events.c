/*
 * One JSON object a line, on the standard output, for programs. See docs/reference.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/view.h"

#define FRAME_MS 100

static const char *const outcome_names[] = { [OUTCOME_SUCCEEDED] = "succeeded",
	[OUTCOME_ERROR] = "error",
	[OUTCOME_SIGNAL] = "signal",
	[OUTCOME_TIMEOUT] = "timeout",
	[OUTCOME_OOM] = "oom",
	[OUTCOME_LOST] = "lost",
	[OUTCOME_MISSING_OUT] = "missing_out",
	[OUTCOME_UNSTARTABLE] = "unstartable",
	[OUTCOME_CANCELLED] = "cancelled" };

static void begin(struct view *v, struct json *j, const char *event)
{
	char time[32];

	json_init(j, &v->cli->out.text);
	json_open_object(j);
	json_key_int(j, "v", 1);
	json_key_string(j, "event", event);
	json_key_string(j, "run", v->result->uuid);
	json_key_string(j, "time", time_text(clock_wall_ms(), time));
}

static void end(struct view *v, struct json *j)
{
	json_end(j);
	buf_char(&v->cli->out.text, '\n');
}

static void begin_task(struct view *v, struct json *j, const char *event, uint32_t task)
{
	begin(v, j, event);
	json_key_string(j, "task", view_task_name(v, task));
	json_key_string(j, "stage",
		graph_text(&v->session->graph, node_stage(&v->session->graph, task)->name));
}

static void put_run(struct view *v)
{
	const struct plan *p = &v->session->plan;
	struct json j;
	uint32_t i;

	begin(v, &j, "run");
	json_key_string(&j, "dag", v->cli->dag);
	json_key_int(&j, "tasks", v->total);
	json_key_int(&j, "to_run", p->count[VERDICT_RUN]);
	json_key_int(&j, "maybe", p->count[VERDICT_MAYBE]);
	json_key_int(&j, "cached", v->cached);
	end(v, &j);
	for (i = 0; i < p->graph->node_count; i++) {
		if (!choice_stands(&p->choices[i]))
			continue;
		begin_task(v, &j, "reused", i);
		json_key_string(&j, "reason", reason_name((enum reason)p->choices[i].reason));
		end(v, &j);
	}
}

static void put_why(struct view *v, struct json *j, uint32_t task)
{
	struct plan *p = &v->session->plan;

	json_key_string(j, "reason", reason_name((enum reason)p->choices[task].reason));
	json_key_string(j, "why", choice_text(p, &p->choices[task]));
}

static void put_ended(struct view *v, const struct told *what)
{
	struct json j;
	char why[64];

	begin_task(v, &j, "ended", what->task);
	json_key_int(&j, "attempt", what->attempt);
	json_key_string(&j, "outcome", outcome_names[what->outcome]);
	json_key_int(&j, "took_ms", what->took_ms);
	json_key_bool(&j, "again", what->again);
	json_key_bool(&j, "forgiven", what->forgiven);
	json_key_int(&j, "peak_rss_kib", (int64_t)what->peak_rss_kib);
	if (what->outcome == OUTCOME_SUCCEEDED) {
		json_key_int(&j, "outs", what->outs);
		json_key_int(&j, "bytes", (int64_t)what->bytes);
	} else {
		json_key_string(
			&j, "why", what->text[0] != '\0' ? what->text : view_why(what, why));
		json_key_string(&j, "code", what->code[0] != '\0' ? what->code : NULL);
		json_key_int(&j, "exit_code", what->exit_code);
		json_key_int(&j, "signal", what->signal);
		json_key_string(&j, "log", what->log);
		json_key_string(&j, "tail", what->tail);
	}
	end(v, &j);
}

static void put_news(struct view *v, const struct told *what)
{
	bool is_metric = what->kind == TOLD_METRIC;
	struct json j;

	begin_task(v, &j, is_metric ? "metric" : "progress", what->task);
	json_key_int(&j, "attempt", what->attempt);
	json_key_string(&j, is_metric ? "name" : "text", what->text);
	if (is_metric) {
		json_key_number(&j, "value", what->value);
		json_key(&j, "step");
		if (what->step >= 0)
			json_int(&j, what->step);
		else
			json_nothing(&j);
	} else {
		json_key_number(&j, "done", what->done);
		json_key_number(&j, "total", what->total);
	}
	end(v, &j);
}

static void put_task(struct view *v, const struct told *what, const char *event)
{
	struct json j;

	begin_task(v, &j, event, what->task);
	if (what->kind == TOLD_STARTED)
		json_key_int(&j, "attempt", what->attempt);
	if (what->kind != TOLD_SKIPPED)
		put_why(v, &j, what->task);
	end(v, &j);
}

static void put_other(struct view *v, const struct told *what)
{
	struct json j;

	begin(v, &j, what->kind == TOLD_SOURCE ? "source" : "stopping");
	if (what->kind == TOLD_SOURCE) {
		json_key_string(&j, "text", what->text);
	} else {
		json_key_int(&j, "level", what->level);
		json_key_int(&j, "signal", what->signo);
	}
	end(v, &j);
}

static void flush(struct view *v)
{
	struct err e;

	(void)screen_flush(&v->cli->out, &e);
}

static void tell(struct view *v, const struct told *what, const struct view_task *task)
{
	(void)task;
	switch (what->kind) {
	case TOLD_RUN: put_run(v); break;
	case TOLD_SOURCE:
	case TOLD_STOPPING: put_other(v, what); break;
	case TOLD_WAITING: put_task(v, what, "waiting"); break;
	case TOLD_STARTED: put_task(v, what, "started"); break;
	case TOLD_PROGRESS:
	case TOLD_METRIC: put_news(v, what); break;
	case TOLD_ENDED: put_ended(v, what); break;
	case TOLD_REUSED: put_task(v, what, "reused"); break;
	case TOLD_BLOCKED: put_task(v, what, "blocked"); break;
	case TOLD_SKIPPED: put_task(v, what, "skipped"); break;
	case TOLD_TICK: flush(v); break;
	}
}

static void close_events(struct view *v)
{
	const struct run_result *r = v->result;
	struct json j;

	if (r->state == NULL)
		return;
	begin(v, &j, "end");
	json_key_string(&j, "state", r->state);
	json_key_int(&j, "took_ms", r->took_ms);
	json_key_int(&j, "saved_ms", r->saved_ms);
	json_key_int(&j, "ran", r->ran);
	json_key_int(&j, "reused", r->reused);
	json_key_int(&j, "failed", r->failed);
	json_key_int(&j, "blocked", r->blocked);
	json_key_int(&j, "skipped", r->skipped);
	end(v, &j);
	flush(v);
}

const struct display display_events = { .frame_ms = FRAME_MS, .tell = tell, .close = close_events };
