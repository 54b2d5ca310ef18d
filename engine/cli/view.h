/*
 * cli/view.h - what a person or a program watching a run is shown, and what is known to show it.
 *
 *     view_open(&v, cli, &session, &result);   picks the display: plain, live or events
 *     options.watch = v.watch;                 run_all() tells it what happens
 *     view_close(&v);                          the last frame is taken away; the terminal is as it was
 *     summary_write(&v, &result)               what became of it all
 *
 * view_note() keeps the figures up to date, the display turns them into text: cli/plain.c lines for logs, cli/live.c a block on a
 * terminal, cli/events.c JSON for programs. A display writes to v.out and flushes it, one write a frame.
 */
#ifndef FLOW_CLI_VIEW_H
#define FLOW_CLI_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "run/run.h"

struct buf;
struct cli;
struct screen;
struct session;

#define VIEW_CACHED_MAX  20 /* more tasks than this are counted, not listed */
#define VIEW_METRICS_MAX 4

/* An attempt that runs now. */
struct view_task {
	uint32_t task, attempt;
	int64_t began_ms;        /* monotonic */
	int64_t shown_ms;        /* plain: when a line of it was last written; 0: never */
	bool news;               /* plain: it has told something since */
	double done, total;
	char text[96];           /* of its progress */
	char metric[64];         /* "loss 0.312" */
};

/* A task that has failed for good. Texts in the view's arena. */
struct view_failure {
	uint32_t task, attempt, most;
	bool forgiven;
	int64_t took_ms;
	const char *short_why;   /* "exit 1" */
	const char *why, *code, *log, *tail;
};

struct view_metric {
	const char *name;
	double value;
};

struct display;

struct view {
	struct cli *cli;
	struct session *session;
	const struct run_result *result;
	struct screen *out;
	const struct display *display;
	struct watch watch;
	struct arena arena;
	int64_t began_ms;        /* monotonic */
	const char *source;      /* TOLD_SOURCE; NULL: not yet */
	bool headed;             /* the first line is out */
	bool is_idle;            /* nothing to do: the plan says so */
	bool planned_told;       /* by view_planned() */
	int stopping;            /* level */
	int64_t kill_at_ms;      /* stopping: what still runs then is killed; monotonic */
	uint32_t name_width;     /* of the longest name that is shown, within reason */
	uint32_t total, finished, cached, backoff;
	uint32_t planned[VIEW_CACHED_MAX];
	uint32_t planned_count;  /* may be more than fit */
	struct { struct view_task *items; size_t count, cap; } running;
	struct { struct view_failure *items; size_t count, cap; } failures;
	struct { uint32_t *items; size_t count, cap; } blocked;
	struct view_metric metrics[VIEW_METRICS_MAX]; /* of the run: the first ones of the task that told last */
	size_t metric_count;
	uint32_t metric_task;
	void *own;               /* of the display */
};

/* One form of showing. tell() is called after view_note() has taken the news in. */
struct display {
	int frame_ms;
	void (*open)(struct view *v);
	void (*tell)(struct view *v, const struct told *what, const struct view_task *task);
	void (*close)(struct view *v);
};

extern const struct display display_plain, display_live, display_events;

/* "1,204". Needs 32 bytes. */
const char *count_text(uint64_t n, char text[32]);

void view_open(struct view *v, struct cli *c, struct session *s, const struct run_result *result);
void view_close(struct view *v);   /* texts stay */
void view_release(struct view *v);

/* What happened, for the figures. Returns the attempt it is about when that runs (or ran until now), else NULL. */
const struct view_task *view_note(struct view *v, const struct told *what);

/* Words that all displays share. */
const char *view_run(const struct view *v);                     /* "019aa3b2-7c1e" */
const char *view_task_name(const struct view *v, uint32_t task);
const char *view_why(const struct told *what, char text[64]); /* "exit 1", "timed out" */
const char *view_reason(struct view *v, uint32_t task);         /* why it ran; "" when there is nothing to say */
const char *view_dag(const struct view *v, const char *before); /* `before` and the pipeline's path; "" when it is dag.yaml here */
void view_header(struct view *v);
void view_waiting(struct view *v, const struct told *what); /* "waits 2.5s more ...", with its newline */
const char *view_reused(const struct view *v, uint32_t task); /* "cached" */
void view_ended(struct view *v, const struct told *what);       /* "ran     12.4s  2 outs 18M" and so on, without the name */
void view_progress(struct view *v, const struct view_task *t);  /* "12/20  epoch 12/20  loss 0.312" */
#define VIEW_DIGITS 4 /* of a metric, for short_number() */
void view_stopping(struct view *v, const struct told *what);
int view_kill_seconds(const struct view *v);                    /* until then */

/* Once: what the plan found done already, each task or, when there are many, their number with task NO_NODE. */
void view_planned(struct view *v, void (*put)(struct view *v, uint32_t task, const char *text));

/* What failed and why, and the last line. `status` is the exit status that the run will have. */
void summary_write(struct view *v, const struct run_result *result);

#endif
