/*
 * The end of an attempt: recorded, told, its outs published or put back, the scheduler asked what comes next.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "run/engine.h"
#include "run/kept.h"
#include "run/session.h"
#include "run/undeclared.h"
#include "store/journal.h"

#define TAIL_BYTES 16384

static const char *state_of(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_SUCCEEDED: return "SUCCEEDED";
	case OUTCOME_TIMEOUT: return "TIMEOUT";
	case OUTCOME_LOST: return "LOST";
	case OUTCOME_CANCELLED: return "CANCELLED";
	case OUTCOME_ERROR:
	case OUTCOME_SIGNAL:
	case OUTCOME_OOM:
	case OUTCOME_MISSING_OUT:
	case OUTCOME_UNSTARTABLE: break;
	}
	return "FAILED";
}

/* The last lines of the attempt's part of its slot's log. */
static const char *log_tail(struct engine *n, const struct attempt *a)
{
	const struct slot *slot = &n->slots.items[a->slot];
	uint64_t size = slot_log_size(slot), from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
	char *text = arena_alloc(&n->turn, TAIL_BYTES + 1), *at;
	ssize_t len = pread(slot->log_fd, text, TAIL_BYTES, (off_t)(slot->log_from + from));
	int lines = 0;

	if (len <= 0)
		return "";
	if (text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	for (at = text + len; at > text && lines < TAIL_LINES; at--)
		lines += at[-1] == '\n' && at != text + len;
	if (lines == TAIL_LINES)
		at++; /* past the end of the line before */
	while ((size_t)(at - text) < (size_t)len &&
		memchr(at, '\0', (size_t)(text + len - at)) != NULL)
		*(char *)memchr(at, '\0', (size_t)(text + len - at)) = '?';
	return at;
}

static int record_attempt(struct engine *n, struct attempt *a, enum outcome outcome,
	const char *why, const char *folder, struct err *e)
{
	const struct slot *slot = &n->slots.items[a->slot];
	bool kept = folder != NULL;
	struct attempt_end end = { .attempt = a->id,
		.ended_ms = clock_wall_ms(),
		.state = state_of(outcome),
		.error = why,
		.exit_code = a->ended.end == END_EXIT && outcome != OUTCOME_LOST
				     ? (int)a->ended.value
				     : -1,
		.signal = a->ended.end == END_SIGNAL && outcome != OUTCOME_LOST
				  ? (int)a->ended.value
				  : -1,
		.log = kept ? arena_printf(&n->turn, "%s/log", folder) : NULL,
		.folder = kept ? folder : "",
		.log_from = kept ? 0 : slot->log_from,
		.log_to = kept ? slot_log_kept(slot) : slot->log_from + slot_log_size(slot),
		.user_us = a->ended.user_us,
		.system_us = a->ended.system_us,
		.peak_rss_kib = a->ended.peak_rss_kib,
		.strays = a->ended.strays };

	if (engine_writes(n, e) < 0)
		return e->code;
	return journal_attempt_end(&n->s->db, &end, e);
}

/* The stable name of the failure, for `flow help`; "" for a stage's own exit status or signal. */
static const char *code_of_end(struct engine *n, const struct attempt *a, enum outcome outcome)
{
	if (a->telemetry.code[0] != '\0')
		return arena_strdup(&n->turn, a->telemetry.code);
	if (a->ended.end == END_LIMIT && outcome == OUTCOME_ERROR)
		return "E0416";
	switch (outcome) {
	case OUTCOME_MISSING_OUT: return "E0411";
	case OUTCOME_OOM: return "E0412";
	case OUTCOME_TIMEOUT: return "E0413";
	case OUTCOME_UNSTARTABLE: return "E0414";
	case OUTCOME_LOST: return "E0415";
	case OUTCOME_SUCCEEDED:
	case OUTCOME_ERROR:
	case OUTCOME_SIGNAL:
	case OUTCOME_CANCELLED: break;
	}
	return "";
}

static void tell_end(struct engine *n, const struct attempt *a, enum outcome outcome,
	const char *why, struct told *t)
{
	uint32_t i;

	*t = (struct told){ .kind = TOLD_ENDED,
		.task = a->node,
		.attempt = a->number,
		.outcome = outcome,
		.exit_code = a->ended.end == END_EXIT ? (int)a->ended.value : -1,
		.signal = a->ended.end == END_SIGNAL ? (int)a->ended.value : -1,
		.took_ms = clock_mono_ms() - a->began_ms,
		.peak_rss_kib = a->ended.peak_rss_kib,
		.text = why,
		.code = code_of_end(n, a, outcome),
		.log = "",
		.tail = "" };
	if (outcome != OUTCOME_SUCCEEDED)
		return;
	t->outs = n->graph->nodes[a->node].outs.count;
	for (i = 0; i < t->outs; i++)
		t->bytes += a->takes[i].made.size;
}

/* Processes that an attempt left behind were ended with it; when it ended by itself, that is worth a word. */
static const char *with_strays(struct engine *n, const struct attempt *a, const char *why)
{
	uint32_t count = a->ended.strays;

	if (count == 0 || a->stopped || a->ended.end != END_EXIT)
		return why;
	return arena_printf(&n->turn, "%s%sleft %u process%s behind, now ended", why, why[0] != '\0' ? "; " : "", count,
		count == 1 ? "" : "es");
}

/* What there is to say about an attempt that ended well; *changed: a source that was edited meanwhile. */
static int remarks(struct engine *n, struct attempt *a, const char **why, const char **changed, struct err *e)
{
	struct undeclared found;
	const char *upper;

	*why = "";
	*changed = publish_changed(n, a);
	if (*changed != NULL) {
		*why = arena_printf(&n->turn, "`%s` was changed while it ran: the result will not be reused",
			*changed);
		return 0;
	}
	if (!a->isolated)
		return 0;
	upper = arena_printf(&n->turn, "%s/upper", n->slots.items[a->slot].folder);
	if (undeclared_find(&found, n->s->project.flow_fd, upper, n->graph, a->node, &n->turn, e) < 0)
		return e->code;
	*why = undeclared_text(&found, &n->turn);
	return 0;
}

static int succeed(struct engine *n, struct attempt *a, struct err *e)
{
	const char *changed, *why;
	struct told t;

	if (FAILPOINT("ending.succeed", e) < 0 || remarks(n, a, &why, &changed, e) < 0)
		return e->code;
	why = with_strays(n, a, why);
	tell_end(n, a, OUTCOME_SUCCEEDED, why, &t);
	if (publish_record(n, a, changed == NULL, e) < 0 ||
		record_attempt(n, a, OUTCOME_SUCCEEDED, why, NULL, e) < 0)
		return e->code;
	if (journal_task_state(&n->s->db, n->run, node_name(n->graph, a->node), "SUCCEEDED", a->id, e) < 0)
		return e->code;
	if (changed != NULL && journal_attempt_disown(&n->s->db, a->id, why, e) < 0)
		return e->code;
	if (FAILPOINT("ending.succeeded", e) < 0)
		return e->code;
	engine_tell(n, &t);
	a->phase = PHASE_TAKEN;
	vec_push(&n->shows, a->slot);
	n->durable.recorded++;
	if (!a->staged) /* else when its outs are visible: what reads a file of a folder looks at the disk */
		engine_step(n, (struct event){
			.kind = EVENT_ENDED, .task = a->node, .outcome = OUTCOME_SUCCEEDED });
	return 0;
}

/* Attempts it may have: what was lost was no fault of the task. */
static uint32_t attempts_most(const struct engine *n, uint32_t node)
{
	return node_stage(n->graph, node)->retry.limit + 1 + n->sched.losses[node];
}

/* What it wrote into its folder is kept for anybody who has the project. */
static int take_out_secrets(struct engine *n, const struct attempt *a, struct err *e)
{
	if (node_stage(n->graph, a->node)->secrets.count == 0)
		return 0;
	return secrets_scrub(&n->secrets, n->s->project.flow_fd, n->slots.items[a->slot].folder, e);
}

static int not_succeed(
	struct engine *n, struct attempt *a, enum outcome outcome, const char *why, struct err *e)
{
	const char *folder = arena_printf(&n->turn, "runs/%s/%s/%u", n->result->uuid,
		node_name(n->graph, a->node), a->number);
	char **environment;
	const char *work;
	struct told t;
	int exit_code =
		a->ended.end == END_EXIT && outcome == OUTCOME_ERROR ? (int)a->ended.value : -1;

	why = with_strays(n, a, why);
	tell_end(n, a, outcome, why, &t);
	t.tail = log_tail(n, a);
	t.log = arena_printf(&n->turn, "%s.flow/%s/log", n->prefix, folder);
	if (FAILPOINT("ending.fail", e) < 0 ||
		record_attempt(n, a, outcome, why, folder, e) < 0 || publish_undo(n, a, e) < 0 ||
		attempt_environment(n, a, &environment, e) < 0 || take_out_secrets(n, a, e) < 0)
		return e->code;
	work = arena_strdup(&n->turn, n->slots.items[a->slot].folder);
	if (slots_keep(&n->slots, a->slot, folder, e) < 0 ||
		kept_environment(n->s->project.flow_fd, folder, environment, work, e) < 0)
		return e->code;
	a->phase = PHASE_NONE;
	n->kept = true;
	engine_step(n, (struct event){ .kind = EVENT_ENDED,
			       .task = a->node,
			       .outcome = outcome,
			       .exit_code = exit_code });
	t.again =
		n->sched.state[a->node] == TASK_BACKOFF || n->sched.state[a->node] == TASK_RUNNING;
	t.at_ms = n->sched.not_before[a->node];
	t.most = t.again || outcome != OUTCOME_LOST ? attempts_most(n, a->node) : a->number;
	t.forgiven = !t.again && (node_stage(n->graph, a->node)->flags & STAGE_ALLOW_FAILURE) != 0;
	engine_tell(n, &t);
	return 0;
}

int engine_ended(
	struct engine *n, struct attempt *a, enum outcome outcome, const char *why, struct err *e)
{
	(void)slot_log_cut(&n->slots.items[a->slot], node_stage(n->graph, a->node)->log_bytes);
	return outcome == OUTCOME_SUCCEEDED ? succeed(n, a, e) : not_succeed(n, a, outcome, why, e);
}

/* All its outs have been looked at. */
int engine_outs_taken(struct engine *n, struct attempt *a, struct err *e)
{
	const char *why = "";
	int rc;
	enum outcome outcome = publish_check(n, a, &why, &rc, e);

	if (rc < 0)
		return rc;
	if (outcome == OUTCOME_SUCCEEDED && publish_metrics(n, a, e) < 0) {
		if (e->code != ERR_INPUT)
			return e->code;
		outcome = OUTCOME_ERROR;
		why = arena_strdup(&n->turn, e->text);
	}
	return engine_ended(n, a, outcome, why, e);
}
