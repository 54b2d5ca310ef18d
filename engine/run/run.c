#include "run/run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "base/path.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "run/engine.h"
#include "run/kept.h"
#include "run/recover.h"
#include "run/retry.h"
#include "run/session.h"
#include "run/sources.h"
#include "store/journal.h"

#define POLL_MS   250 /* metrics and progress of running attempts are read this often */
#define FLOOD_MS  20  /* the same, while a log has to be cut: a disk takes gigabytes a second */
#define GRACE_MS  10000
#define JOBS_MAX  1024u

void engine_tell(struct engine *n, const struct told *what)
{
	vec_push(&n->tells, *what);
}

int engine_writes(struct engine *n, struct err *e)
{
	return db_begin(&n->s->db, e);
}

void engine_step(struct engine *n, struct event event)
{
	event.now_ms = clock_mono_ms();
	n->wait_ms = INT64_MAX;
	sched_step(&n->sched, &event, &n->actions);
}

/* -- time ----------------------------------------------------------------------------------------------------------- */

static int64_t poll_pause(const struct engine *n)
{
	if (n->flooded)
		return FLOOD_MS;
	return n->options.watch.frame_ms > 0 && n->options.watch.frame_ms < POLL_MS ? n->options.watch.frame_ms : POLL_MS;
}

static int poll_attempts(struct engine *n, struct err *e)
{
	uint32_t i;

	n->flooded = false;
	for (i = 0; i < n->slots.count; i++)
		if (n->attempts[i].phase == PHASE_LIVE && attempt_poll(n, &n->attempts[i], e) < 0)
			return e->code;
	return 0;
}

static int keep_time(struct engine *n, struct err *e)
{
	int64_t now = clock_mono_ms();
	int rc = 0;

	if (now >= durable_due(&n->durable))
		rc = durable_begin(n, e);
	if (rc == 0 && now >= n->next_poll_ms) {
		rc = poll_attempts(n, e);
		n->next_poll_ms = now + poll_pause(n);
	}
	if (n->options.watch.frame_ms > 0 && now >= n->next_frame_ms) {
		n->next_frame_ms = now + n->options.watch.frame_ms;
		engine_tell(n, &(struct told){ .kind = TOLD_TICK, .task = NO_NODE, .text = "" });
	}
	/* Stopped and continued just here: an attempt that has ended meanwhile is not late. */
	if (rc == 0 && now >= n->wait_ms && !n->sched.finished)
		rc = inbox_take(n, 0, e);
	if (rc == 0 && now >= n->wait_ms && !n->sched.finished)
		engine_step(n, (struct event){ .kind = EVENT_TICK });
	return rc == 0 ? engine_act(n, e) : rc;
}

static int time_left(const struct engine *n)
{
	int64_t at = n->wait_ms, now = clock_mono_ms();

	at = durable_due(&n->durable) < at ? durable_due(&n->durable) : at;
	at = n->next_poll_ms < at ? n->next_poll_ms : at;
	if (n->options.watch.frame_ms > 0)
		at = n->next_frame_ms < at ? n->next_frame_ms : at;
	if (at <= now)
		return 0;
	return at - now > 60000 ? 60000 : (int)(at - now);
}

/* -- a turn --------------------------------------------------------------------------------------------------------- */

/* Committed: now make it visible, tell it, start what was decided. */
static int after_commit(struct engine *n, struct err *e)
{
	size_t i;

	for (i = 0; i < n->shows.count; i++) {
		struct attempt *a = &n->attempts[n->shows.items[i]];

		if (publish_show(n, a, e) < 0)
			return e->code;
		if (a->staged)
			engine_step(n, (struct event){ .kind = EVENT_ENDED,
					       .task = a->node,
					       .outcome = OUTCOME_SUCCEEDED });
	}
	if (temps_drop_done(n, e) < 0)
		return e->code;
	n->shows.count = n->reused.count = 0;
	for (i = 0; i < n->tells.count; i++)
		if (n->options.watch.tell != NULL)
			n->options.watch.tell(n->options.watch.user, &n->tells.items[i]);
	n->tells.count = 0;
	for (i = 0; i < n->launches.count; i++) {
		struct attempt *a = &n->attempts[n->launches.items[i]];

		if (attempt_launch(n, a, e) < 0)
			return e->code;
		if (n->options.watch.tell != NULL)
			n->options.watch.tell(
				n->options.watch.user, &(struct told){ .kind = TOLD_STARTED,
							       .task = a->node,
							       .attempt = a->number,
							       .text = "" });
	}
	n->launches.count = 0;
	arena_release(&n->turn);
	return db_checkpoint(&n->s->db, e);
}

static int commit(struct engine *n, struct err *e)
{
	struct db *db = &n->s->db;

	if (FAILPOINT("turn.commit", e) < 0)
		return e->code;
	if (db->in_transaction &&
		(durable_record(&n->durable, db, e) < 0 || stats_save(&n->s->stats, db, e) < 0))
		return e->code;
	if (db_commit(db, e) < 0)
		return e->code;
	durable_committed(&n->durable); /* only now: a sync that begins before it does not cover it */
	return after_commit(n, e);
}

static int loop(struct engine *n, struct err *e)
{
	int rc;

	engine_step(n, (struct event){ .kind = EVENT_BEGIN });
	rc = engine_act(n, e);
	for (;;) {
		if (rc == 0)
			rc = commit(n, e);
		while (rc == 0 && n->actions.count > 0) { /* outs became visible: their readers may start */
			rc = engine_act(n, e);
			if (rc == 0)
				rc = commit(n, e);
		}
		if (rc < 0 || n->finished)
			return rc;
		rc = inbox_take(n, time_left(n), e);
		if (rc == 0)
			rc = keep_time(n, e);
	}
}

/* -- begin and end -------------------------------------------------------------------------------------------------- */

struct waits {
	const struct graph *graph;
	int64_t *not_before_ms;
};

static void keep_wait(void *user, const char *task, int64_t at_ms)
{
	struct waits *w = user;
	uint32_t node = graph_find(w->graph, task);
	const struct retry *r = node != NO_NODE ? &node_stage(w->graph, node)->retry : NULL;
	int64_t left_ms = at_ms - clock_wall_ms();

	if (r == NULL)
		return;
	/* Set back, the wall clock would make the wait longer than it ever was. */
	if (left_ms > retry_delay_ms(r, r->limit, 0))
		left_ms = retry_delay_ms(r, r->limit, 0);
	w->not_before_ms[node] = clock_mono_ms() + left_ms;
}

/* What a long run will remember takes its memory at the start: nothing grows from task to task. */
static void expect_outs(struct engine *n, uint32_t node)
{
	struct span outs = n->graph->nodes[node].outs;
	uint32_t i;

	for (i = 0; i < outs.count; i++)
		stats_expect(&n->s->stats, graph_text(n->graph, n->graph->outs[outs.first + i].path));
}

static int start_sched(struct engine *n, struct err *e)
{
	const struct graph *g = n->graph;
	uint8_t *done = arena_zalloc(&n->arena, g->node_count + 1);
	int64_t *cost = arena_zalloc(&n->arena, (g->node_count + 1) * sizeof *cost);
	int64_t *waits = arena_zalloc(&n->arena, (g->node_count + 1) * sizeof *waits);
	uint32_t cores = parallel_cores(), i;
	struct sched_config config = { .graph = g,
		.not_before_ms = waits,
		.done = done,
		.cost_ms = cost,
		.jobs = n->jobs,
		.cpu_milli = 1000 * (n->jobs > cores ? n->jobs : cores),
		.mem_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE),
		.keep_going = n->options.keep_going,
		.grace_ms = n->options.grace_ms,
		.seed = (uint64_t)clock_wall_ns() };

	for (i = 0; i < g->node_count; i++) {
		const struct choice *c = &n->s->plan.choices[i];
		const struct record *past = n->s->history.past.latest(&n->s->history, i);

		cost[i] = past != NULL ? past->took_ms : 0;
		if (c->verdict == VERDICT_RUN || c->verdict == VERDICT_MAYBE)
			expect_outs(n, i);
		if (c->verdict == VERDICT_LEFT_OUT)
			done[i] = 1;
		if (c->verdict == VERDICT_BLOCKED)
			done[i] = 2;
		if (choice_stands(c))
			done[i] = 1;
	}
	sched_init(&n->sched, &config);
	return journal_waiting(&n->s->db, n->run, clock_wall_ms(), keep_wait,
		&(struct waits){ g, waits }, e);
}

static bool has_work(const struct engine *n)
{
	const uint32_t *count = n->s->plan.count;
	uint32_t i;

	if (count[VERDICT_RUN] + count[VERDICT_MAYBE] + count[VERDICT_BLOCKED] > 0)
		return true;
	for (i = 0; i < n->graph->node_count; i++)
		if (n->s->plan.choices[i].restore)
			return true;
	return false;
}

static int watch_signals(struct engine *n, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	n->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (n->signal_fd < 0)
		return err_system(e, "cannot take signals");
	return inbox_watch(n, n->signal_fd, INBOX_SIGNAL, e);
}

static int open_all(struct engine *n, struct err *e)
{
	n->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (n->epoll_fd < 0)
		return err_system(e, "cannot make an epoll");
	if (watch_signals(n, e) < 0 || pool_open(&n->pool, e) < 0 ||
		inbox_watch(n, n->pool.event_fd, INBOX_POOL, e) < 0)
		return e->code;
	durable_open(&n->durable, &n->s->project);
	/* An attempt that has succeeded keeps its slot until the end of the turn, hence twice as many. */
	if (slots_open(&n->slots, &n->s->project, n->result->uuid, 2 * n->jobs, &n->exec, e) < 0)
		return e->code;
	n->attempts = mem_zalloc(n->slots.count * sizeof *n->attempts);
	if (inbox_worker(n, e) < 0)
		return e->code;
	if (sources_ask(n->s, &n->source, e) < 0) {
		/* The run goes on; that it is not known is recorded. */
		struct source_answer none = {
			.commit = "", .branch = "", .patch = "", .note = arena_strdup(&n->arena, e->text)
		};

		n->source_known = true;
		return record_source(n, &none, true, e);
	}
	return inbox_watch(n, n->source.fd, INBOX_SOURCE, e);
}

/* The tasks are done; wait for git and for the disk. */
static int settle_down(struct engine *n, struct err *e)
{
	int64_t until = clock_mono_ms() + SOURCES_WAIT_MS;

	while (!n->source_known || n->durable.busy || durable_behind(&n->durable)) {
		struct epoll_event event;
		int rc = 0;

		if (!n->durable.busy && durable_behind(&n->durable) && durable_begin(n, e) < 0)
			return e->code;
		if (!n->source_known && clock_mono_ms() > until) {
			struct source_answer late = { .commit = "",
				.branch = "",
				.patch = "",
				.note = "git took too long to say" };

			(void)epoll_ctl(n->epoll_fd, EPOLL_CTL_DEL, n->source.fd, NULL);
			n->source_known = true;
			if (record_source(n, &late, true, e) < 0)
				return e->code;
		}
		if (epoll_wait(n->epoll_fd, &event, 1, 1000) <= 0)
			continue;
		if (event.data.u32 == INBOX_POOL || event.data.u32 == INBOX_SOURCE)
			rc = inbox_handle(n, event.data.u32, e);
		else if (event.data.u32 == INBOX_SIGNAL)
			until = 0;
		if (event.data.u32 == INBOX_SIGNAL || event.data.u32 == INBOX_WORKER)
			(void)epoll_ctl(n->epoll_fd, EPOLL_CTL_DEL,
				event.data.u32 == INBOX_SIGNAL ? n->signal_fd : n->exec.sock, NULL);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static const char *end_state(const struct engine *n)
{
	if (n->sched.cancelled && n->result->skipped > 0)
		return "CANCELLED";
	return n->sched.failed ? "FAILED" : "SUCCEEDED";
}

static void close_all(struct engine *n)
{
	uint32_t i;

	source_close(&n->source);
	if (n->exec.sock >= 0)
		exec_close(&n->exec);
	pool_close(&n->pool);
	slots_close(&n->slots);
	for (i = 0; i < 2 * n->jobs && n->attempts != NULL; i++) {
		telemetry_release(&n->attempts[i].telemetry);
		buf_release(&n->attempts[i].text);
	}
	free(n->attempts);
	close(n->signal_fd);
	close(n->epoll_fd);
}

/*
 * The machine failed us (a full disk, a sync that failed): nothing of the run lives any more; leave the project as the next run would
 * find it. That is not synced: after a sync that failed the next one may say that all is well, and what was lost stays lost.
 */
static void abandon(struct engine *n)
{
	struct recovery found;
	struct err e;

	db_rollback(&n->s->db);
	db_sync_no_more(&n->s->db);
	(void)recover(&n->s->project, &n->s->db, &n->s->stats, &found, &e);
}

static int run_work(struct engine *n, struct err *e)
{
	int rc = open_all(n, e);

	if (rc == 0)
		rc = start_sched(n, e) < 0 ? e->code : temps_drop_all(n, e);
	if (rc == 0) {
		engine_tell(n, &(struct told){
			.kind = TOLD_RUN, .task = NO_NODE, .text = n->result->uuid });
		rc = loop(n, e);
	}
	if (rc == 0)
		rc = settle_down(n, e);
	if (rc == 0)
		rc = FAILPOINT("run.settled", e) < 0 ? e->code : record_end(n, end_state(n), e);
	if (rc == 0)
		rc = commit(n, e);
	close_all(n);
	if (rc < 0)
		abandon(n);
	else if (n->kept) /* best effort: what cannot be cleared away today can be tomorrow */
		(void)kept_prune(n->s->project.flow_fd, KEPT_ATTEMPTS, KEPT_BYTES, &(struct err){ 0 });
	return rc;
}

static const char *shown_prefix(struct engine *n)
{
	const char *folder = path_folder(&n->arena, n->s->options.dag);

	return strcmp(folder, ".") == 0 ? "" : arena_printf(&n->arena, "%s/", folder);
}

/* Git is not asked: in a large repository that takes longer than the run, and nothing was made that its answer would stand for. */
static int record_idle(struct engine *n, struct err *e)
{
	struct source_answer none = {
		.commit = "", .branch = "", .patch = "", .note = "nothing ran"
	};

	return record_source(n, &none, false, e) < 0 ? e->code : record_end(n, "SUCCEEDED", e);
}

int run_all(struct session *s, const struct run_options *options, struct run_result *result,
	struct err *e)
{
	struct engine n = { .s = s,
		.graph = &s->graph,
		.options = *options,
		.result = result,
		.exec = { .sock = -1, .pid = -1 },
		.source = { .fd = -1, .pid = -1 },
		.wait_ms = INT64_MAX,
		.durable = { .due_ms = INT64_MAX },
		.epoll_fd = -1,
		.signal_fd = -1,
		.began_ms = clock_mono_ms() };
	int rc;

	memset(result, 0, sizeof *result);
	n.jobs = options->jobs == 0 ? parallel_cores() : options->jobs;
	n.jobs = n.jobs > JOBS_MAX ? JOBS_MAX : n.jobs;
	if (n.options.grace_ms == 0)
		n.options.grace_ms = GRACE_MS;
	n.prefix = shown_prefix(&n);
	rc = secrets_open(&n.secrets, s, true, e);
	if (rc == 0)
		rc = record_begin(&n, e);
	if (rc == 0)
		rc = has_work(&n) ? run_work(&n, e) : record_idle(&n, e);
	if (rc == 0)
		rc = db_commit(&s->db, e) < 0 ? e->code : db_empty_log(&s->db, e);
	if (rc < 0)
		db_rollback(&s->db);
	result->took_ms = clock_mono_ms() - n.began_ms;
	secrets_release(&n.secrets);
	sched_release(&n.sched);
	vec_release(&n.actions);
	vec_release(&n.launches);
	vec_release(&n.shows);
	vec_release(&n.reused);
	vec_release(&n.tells);
	vec_release(&n.param_paths);
	map_release(&n.param_files);
	buf_release(&n.scratch);
	arena_release(&n.turn);
	arena_release(&n.arena);
	return rc;
}
