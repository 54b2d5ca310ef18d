/*
 * What comes in: answers of the worker, finished jobs of the pool, signals, the git helper.
 */
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "dag/graph.h"
#include "run/engine.h"
#include "run/session.h"

#define DEATHS_MAX 20 /* workers that may die in one run */

static int attempt_over(struct engine *n, const struct wire_ended *ended, struct err *e)
{
	struct attempt *a = NULL;
	enum outcome outcome;
	const char *why;
	uint32_t i;

	for (i = 0; i < n->slots.count; i++)
		if (n->attempts[i].phase == PHASE_LIVE && (uint64_t)n->attempts[i].id == ended->id)
			a = &n->attempts[i];
	if (a == NULL)
		return 0; /* of a worker that was given up */
	a->ended = *ended;
	buf_clear(&a->text);
	buf_str(&a->text, ended->text);
	if (attempt_outcome(n, a, &outcome, &why, e) < 0)
		return e->code;
	if (outcome != OUTCOME_SUCCEEDED)
		return engine_ended(n, a, outcome, why, e);
	if (publish_begin(n, a, e) < 0)
		return e->code;
	return a->taking == 0 ? engine_outs_taken(n, a, e) : 0;
}

int inbox_watch(struct engine *n, int fd, enum inbox_tag tag, struct err *e)
{
	struct epoll_event event = { .events = EPOLLIN, .data = { .u32 = tag } };

	if (epoll_ctl(n->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return err_system(e, "cannot watch a descriptor");
	return 0;
}

int inbox_worker(struct engine *n, struct err *e)
{
	struct exec_options options = { n->s->worker, n->s->root, n->result->uuid,
		secrets_hidden(&n->secrets) };

	if (exec_open(&n->exec, &options, e) < 0)
		return e->code;
	return inbox_watch(n, n->exec.sock, INBOX_WORKER, e);
}

static int lose(struct engine *n, struct attempt *a, struct err *e)
{
	if (a->stopped && a->why == STOP_CANCEL)
		return engine_ended(n, a, OUTCOME_CANCELLED, "stopped, as the run was", e);
	return engine_ended(n, a, OUTCOME_LOST, "its worker died", e);
}

/* The worker is gone: end what it left, count its attempts as lost, start another. */
static int worker_died(struct engine *n, struct err *e)
{
	uint32_t i;

	(void)epoll_ctl(n->epoll_fd, EPOLL_CTL_DEL, n->exec.sock, NULL);
	exec_close(&n->exec);
	(void)exec_sweep(n->result->uuid, 5000);
	slots_lost(&n->slots);
	for (i = 0; i < n->slots.count; i++) {
		struct attempt *a = &n->attempts[i];

		if (a->phase != PHASE_LIVE)
			continue;
		a->ended = (struct wire_ended){ .end = END_NOT_FOUND };
		if (lose(n, a, e) < 0)
			return e->code;
	}
	if (++n->deaths > DEATHS_MAX) {
		err_set(e, ERR_SYSTEM, "flow-worker died %d times in this run", DEATHS_MAX);
		return err_id(e, "E0512");
	}
	return n->sched.finished ? 0 : inbox_worker(n, e);
}

static int from_worker(struct engine *n, struct err *e)
{
	struct wire_ended ended;
	int rc;

	while ((rc = exec_next(&n->exec, &ended, e)) > 0)
		if (attempt_over(n, &ended, e) < 0)
			return e->code;
	return rc == ERR_CANCELED ? worker_died(n, e) : rc;
}

static int from_pool(struct engine *n, struct err *e)
{
	struct pool_job *job;
	uint64_t count;

	(void)!read(n->pool.event_fd, &count, sizeof count);
	while ((job = pool_done(&n->pool)) != NULL) {
		struct take_job *t = (struct take_job *)(void *)job;

		if (job == &n->durable.job) {
			if (durable_taken(&n->durable, e) < 0)
				return e->code;
			continue;
		}
		if (--t->attempt->taking == 0 && engine_outs_taken(n, t->attempt, e) < 0)
			return e->code;
	}
	return 0;
}

static int from_signals(struct engine *n)
{
	struct signalfd_siginfo info;

	if (read(n->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
		return 0;
	n->cancels++;
	n->result->signo = (int)info.ssi_signo;
	engine_tell(n, &(struct told){ .kind = TOLD_STOPPING,
			       .task = NO_NODE,
			       .level = n->cancels > 1 ? 2 : 1,
			       .at_ms = clock_mono_ms() + n->options.grace_ms,
			       .signo = (int)info.ssi_signo,
			       .text = "" });
	engine_step(n, (struct event){ .kind = EVENT_CANCEL, .level = n->cancels > 1 ? 2 : 1 });
	return 0;
}

static const char *source_text(struct engine *n, const struct source_answer *a)
{
	if (a->commit[0] == '\0')
		return arena_printf(&n->turn, "%s", a->note);
	if (a->dirty == 0)
		return arena_printf(&n->turn, "%.7s", a->commit);
	return arena_printf(
		&n->turn, "%.7s (dirty: %u file%s)", a->commit, a->dirty, a->dirty == 1 ? "" : "s");
}

static int from_source(struct engine *n, struct err *e)
{
	struct source_answer answer = { .commit = "", .branch = "", .note = "", .patch = "" };
	int rc = source_read(&n->source, &answer, &n->arena, e);

	if (rc == 0)
		return 0;
	if (rc < 0)
		answer = (struct source_answer){ .commit = "",
			.branch = "",
			.patch = "",
			.note = arena_strdup(&n->turn, e->text) };
	(void)epoll_ctl(n->epoll_fd, EPOLL_CTL_DEL, n->source.fd, NULL);
	source_close(&n->source);
	n->source_known = true;
	engine_tell(
		n, &(struct told){
			   .kind = TOLD_SOURCE, .task = NO_NODE, .text = source_text(n, &answer) });
	rc = record_source(n, &answer, true, e);
	source_answer_release(&answer);
	return rc;
}

int inbox_handle(struct engine *n, uint32_t tag, struct err *e)
{
	switch ((enum inbox_tag)tag) {
	case INBOX_WORKER: return from_worker(n, e);
	case INBOX_POOL: return from_pool(n, e);
	case INBOX_SIGNAL: return from_signals(n);
	case INBOX_SOURCE: return from_source(n, e);
	}
	return 0;
}

int inbox_take(struct engine *n, int timeout_ms, struct err *e)
{
	struct epoll_event events[8];
	int count = epoll_wait(n->epoll_fd, events, 8, timeout_ms), i, rc = 0;

	/* Stopped and continued: what came in meanwhile goes before the clock. */
	if (count < 0 && errno == EINTR)
		count = epoll_wait(n->epoll_fd, events, 8, 0);
	if (count < 0 && errno != EINTR)
		return err_system(e, "cannot wait");
	for (i = 0; i < count && rc == 0 && !n->sched.finished; i++) {
		rc = inbox_handle(n, events[i].data.u32, e);
		if (rc == 0)
			rc = engine_act(n, e);
	}
	return rc;
}
