/*
 * run/engine.h - the mutable state of one run; shared by the files that make up run_all(), and by nobody else.
 *
 *     run.c       the loop: wait, take what happened, let the scheduler decide, commit, act, tell
 *     inbox.c     what happened
 *     act.c       what the scheduler wants is done
 *     durable.c   what is on the disk to stay
 *     settle.c    a task whose producers are done: does it run
 *     attempt.c   one attempt: from a task to a message for the worker, and from the worker's answer to an outcome
 *     ending.c    an attempt is over: success or not, and what follows
 *     publish.c   outs: taken into the store, recorded, made visible; or put back as they were
 *     temps.c     temp outs: dropped when their last reader is done
 *     record.c    the journal's rows of a run
 *
 * One turn of the loop: everything decided is written in one transaction; after its commit, in this order, outs become
 * visible, the watcher is told, attempts are launched.
 */
#ifndef FLOW_RUN_ENGINE_H
#define FLOW_RUN_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "plan/past.h"
#include "run/exec.h"
#include "run/pool.h"
#include "run/run.h"
#include "run/sched.h"
#include "run/secrets.h"
#include "run/slots.h"
#include "run/telemetry.h"
#include "store/source.h"
#include "store/stats.h"

struct engine;
struct session;

/* One out of an attempt that has ended well, on its way into the store. */
struct take_job {
	struct pool_job job;
	struct engine *engine;
	struct attempt *attempt;
	const char *path;        /* where it was written, relative to the project */
	bool is_temp;            /* it will go, and is not put into the store */
	struct made made;
	struct stat_id id;       /* of a file, in the work tree */
	int rc;                  /* of object_take */
	struct err *error;       /* room for it */
};

enum attempt_phase { PHASE_NONE, PHASE_PREPARED, PHASE_LIVE, PHASE_TAKING, PHASE_TAKEN };

struct attempt {
	enum attempt_phase phase;
	uint32_t node, number, slot;
	int64_t id;              /* in the journal; also the id of its messages */
	int64_t began_ms;        /* monotonic */
	struct digest key;
	bool told_running;       /* STARTING -> RUNNING was recorded */
	bool stopped;            /* a signal was sent to it, for the reason `why` */
	enum stop_why why;
	bool staged;             /* its outs are written to the work folder, not in place: */
	bool isolated;           /* as the upper folder of a private view; else one by one */
	uint32_t moved;          /* previous outs that lie in the work folder */
	struct telemetry telemetry;
	double told_done;        /* progress the watcher knows */
	struct wire_ended ended; /* its text is copied to `text` */
	struct buf text;
	uint32_t taking;         /* outs not yet in the store */
	struct take_job *takes;  /* per out of the node */
	uint32_t take_room;
};

/* At most one sync is under way. Successes are counted, attempts known by their id in the journal. */
struct durable {
	struct pool_job job;
	const struct project *project;
	int rc;                  /* of the last sync: 0 or an errno */
	bool busy;
	uint64_t recorded;       /* successes, in this turn too; */
	uint64_t committed;      /* before it; */
	uint64_t syncing;        /* before the last sync began */
	int64_t newest;          /* attempt */
	int64_t covering;        /* it and all attempts before it were over when the last sync began; */
	int64_t synced;          /* the same of the last one that ended, until the journal says so: 0 */
	int64_t due_ms;          /* monotonic; INT64_MAX: nothing to sync */
};

struct engine {
	struct session *s;
	const struct graph *graph;
	struct run_options options;
	struct run_result *result;
	const char *prefix;      /* of paths shown to the user: folder of the project as typed, "" or ending in a slash */
	int64_t run;             /* id in the journal */
	int64_t began_ms;        /* monotonic */

	struct sched sched;
	struct actions actions;
	size_t acted;            /* actions done so far this turn */
	struct exec exec;
	struct slots slots;
	struct pool pool;
	struct secrets secrets;
	struct source source;
	bool source_known;
	struct attempt *attempts; /* per slot */
	uint32_t jobs;
	int epoll_fd, signal_fd;
	int64_t wait_ms;         /* of the last ACTION_WAIT; INT64_MAX: none */
	int64_t next_frame_ms, next_poll_ms;
	bool flooded;            /* a log had to be cut at the last poll */
	int cancels;             /* signals taken */
	uint32_t deaths;         /* of the worker */
	bool kept;               /* a failed attempt's folder was */
	bool finished;

	struct { uint32_t *items; size_t count, cap; } launches; /* slots to be started after the commit */
	struct { uint32_t *items; size_t count, cap; } shows;    /* slots whose outs become visible after it */
	struct { uint32_t *items; size_t count, cap; } reused;   /* tasks that were reused this turn */
	struct { struct told *items; size_t count, cap; } tells;
	struct arena turn;       /* texts of this turn */
	struct arena arena;      /* of the run */

	struct map param_files;  /* JSON text -> index in param_paths */
	struct { const char **items; size_t count, cap; } param_paths;
	bool has_folder;         /* .flow/runs/<uuid> */
	struct buf scratch;

	struct durable durable;
};

/* -- attempt.c: all return 0 or an error that ends the run -- */
int attempt_prepare(struct engine *n, uint32_t node, uint32_t number, struct err *e); /* takes a slot, writes the row */
int attempt_launch(struct engine *n, struct attempt *a, struct err *e);
int attempt_stop(struct engine *n, uint32_t node, int signo, enum stop_why why, struct err *e);
int attempt_poll(struct engine *n, struct attempt *a, struct err *e); /* progress and metrics so far */
int attempt_environment(struct engine *n, const struct attempt *a, char ***block, struct err *e); /* what flow gave it; in the turn's arena */
struct attempt *attempt_of(struct engine *n, uint32_t node);          /* the live one, or NULL */
/* How it ended, from the worker's answer and its telemetry; *why is one line in the turn's arena. */
int attempt_outcome(struct engine *n, struct attempt *a, enum outcome *outcome, const char **why, struct err *e);

/* -- publish.c -- */
int publish_begin(struct engine *n, struct attempt *a, struct err *e); /* it ended well: outs into the store */
enum outcome publish_check(struct engine *n, struct attempt *a, const char **why, int *rc, struct err *e); /* all taken? */
int publish_metrics(struct engine *n, struct attempt *a, struct err *e); /* the numbers of its metrics files */
const char *publish_changed(struct engine *n, const struct attempt *a); /* a source that is no longer what it was, or NULL */
int publish_record(struct engine *n, struct attempt *a, bool reusable, struct err *e);
int publish_show(struct engine *n, struct attempt *a, struct err *e);  /* after the commit; gives the slot back */
int publish_undo(struct engine *n, struct attempt *a, struct err *e);  /* it did not: everything back as it was */
const char *publish_path(struct engine *n, const struct attempt *a, uint32_t out); /* where the attempt writes it */

/* -- temps.c -- */
bool temps_is(const struct engine *n, uint32_t node, uint32_t out);          /* is it one that goes? */
int temps_drop_done(struct engine *n, struct err *e); /* what this turn's successes and reused tasks were the last to read goes */
int temps_drop_all(struct engine *n, struct err *e);                         /* what was left of a run that was killed */

/* -- record.c -- */
int record_begin(struct engine *n, struct err *e);
int record_run(struct engine *n, struct err *e); /* the run's row alone; n->run is its id */
int record_source(struct engine *n, const struct source_answer *answer, bool keep, struct err *e); /* keep: what it takes to make it again */
int record_metric_of(void *user, const struct metric *m, struct err *e); /* metric_sink; user: struct metric_of */
int record_end(struct engine *n, const char *state, struct err *e);

struct metric_of {
	struct engine *engine;
	const struct attempt *attempt;
};

/* -- settle.c -- */
int engine_settle(struct engine *n, uint32_t node, struct err *e);

/* -- ending.c -- */
int engine_outs_taken(struct engine *n, struct attempt *a, struct err *e); /* all outs of a good end are looked at */
int engine_ended(struct engine *n, struct attempt *a, enum outcome outcome, const char *why, struct err *e);

/* -- inbox.c -- */
enum inbox_tag { INBOX_WORKER, INBOX_POOL, INBOX_SIGNAL, INBOX_SOURCE };
int inbox_watch(struct engine *n, int fd, enum inbox_tag tag, struct err *e);
int inbox_worker(struct engine *n, struct err *e);               /* start a worker and watch it */
int inbox_handle(struct engine *n, uint32_t tag, struct err *e); /* one of them has something */
int inbox_take(struct engine *n, int timeout_ms, struct err *e); /* wait, handle all there is, act */

/* -- durable.c -- */
void durable_open(struct durable *d, const struct project *p);
bool durable_behind(const struct durable *d);                 /* something is committed that no sync has begun to cover */
int64_t durable_due(const struct durable *d);                 /* when the next sync should begin; INT64_MAX: none, or one is under way */
int durable_begin(struct engine *n, struct err *e);           /* a sync, on a thread of the pool */
int durable_taken(struct durable *d, struct err *e);          /* it has ended */
int durable_record(struct durable *d, struct db *db, struct err *e); /* what it has made durable; in the turn's transaction */
void durable_committed(struct durable *d);                    /* so is the turn */

/* -- act.c -- */
int engine_act(struct engine *n, struct err *e);             /* do what the scheduler wants, until it wants nothing more */

/* -- run.c -- */
void engine_step(struct engine *n, struct event event);      /* one event for the scheduler; its time is set here */
void engine_tell(struct engine *n, const struct told *what); /* when this turn is committed */
int engine_writes(struct engine *n, struct err *e);          /* before any row: opens the turn's transaction */

#endif
