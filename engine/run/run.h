/*
 * run/run.h - one run: from a plan to its end.
 *
 *     session_open(&s, ...PROJECT_WRITE...)  session_load()  recover()  session_plan()
 *     run_all(&s, &options, &result, e)      returns when every task has an end state, or the run was stopped
 *
 * The loop of a run: epoll over the worker's socket, the thread pool, the git helper, signals and the next deadline. One
 * transaction a turn: what it decides is committed before it is done, what was done is committed before it is told.
 *
 * Signals INT, TERM, HUP and QUIT are taken through a signalfd while it runs: the first stops gently, the second kills.
 * Nothing is printed here. What happens is told to options.watch; all calls come from the thread of run_all.
 */
#ifndef FLOW_RUN_RUN_H
#define FLOW_RUN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "run/retry.h"

struct err;
struct session;

enum told_kind {
	TOLD_RUN,        /* the run has its id; nothing has started */
	TOLD_SOURCE,     /* commit and dirty state are known (text: "3f9c2e1 (dirty: 2 files)" or why there is none) */
	TOLD_WAITING,    /* the interrupted run before was in a back-off, which still lasts until at_ms */
	TOLD_STARTED,    /* an attempt has begun */
	TOLD_PROGRESS,   /* done, total, text */
	TOLD_METRIC,     /* text is its name, value, step */
	TOLD_ENDED,      /* an attempt is over; again: the task will be tried again at at_ms */
	TOLD_REUSED,     /* settled during the run: what it would make is known already (why) */
	TOLD_BLOCKED,    /* something it needs did not succeed */
	TOLD_SKIPPED,    /* not started, or stopped, because the run ends early */
	TOLD_STOPPING,   /* level 1: asked to end; 2: killed. signo says by which signal; task: NO_NODE */
	TOLD_TICK,       /* time for a new frame */
};

/* Something that happened. Texts live only during the call. */
struct told {
	enum told_kind kind;
	uint32_t task;         /* node, or NO_NODE */
	uint32_t attempt;      /* number, from 1 */
	uint32_t most;         /* ENDED and not succeeded: attempts it may have */
	enum outcome outcome;  /* ENDED */
	int exit_code, signal; /* ENDED: -1 none */
	bool again;            /* ENDED: a retry follows */
	bool forgiven;         /* ENDED: failed, but the stage has allow_failure */
	int64_t took_ms;       /* ENDED */
	int64_t at_ms;         /* monotonic. WAITING; ENDED and again: of the next attempt; STOPPING: what runs then is killed */
	int64_t step;          /* METRIC: -1 none */
	double value, done, total;
	uint32_t outs;         /* ENDED: how many it made */
	uint64_t bytes;        /* ENDED: of all its outs */
	uint64_t peak_rss_kib; /* ENDED */
	int level, signo;      /* STOPPING */
	const char *text;      /* see above; ENDED: why it failed, or what is odd about its success, one line, or "" */
	const char *code;      /* ENDED: error code, or "" */
	const char *log;       /* ENDED: path of the attempt's log as the user can open it, or "" */
	const char *tail;      /* ENDED and not succeeded: last lines of the log, at most TAIL_LINES of them, or "" */
};

#define TAIL_LINES 40

struct watch {
	void (*tell)(void *user, const struct told *what);
	void *user;
	int frame_ms;          /* TOLD_TICK, progress and metrics this often; 0: never */
};

struct run_options {
	uint32_t jobs;         /* 0: one for each core */
	bool keep_going;
	int64_t grace_ms;      /* from asking an attempt to end until it is killed; 0: 10 s */
	struct watch watch;
};

struct run_result {
	char uuid[37];
	int64_t id;            /* in the journal */
	const char *state;     /* "SUCCEEDED", "FAILED", "CANCELLED" */
	int signo;             /* CANCELLED: by which signal */
	int64_t took_ms;
	uint32_t ran, reused, failed, blocked, skipped;
	int64_t saved_ms;      /* recorded durations of what was reused */
};

int run_all(struct session *s, const struct run_options *options, struct run_result *result, struct err *e);

#endif
