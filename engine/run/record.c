#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/json.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "run/engine.h"
#include "run/session.h"
#include "run/sources.h"
#include "store/journal.h"

static const char *all_params(struct engine *n)
{
	struct json j;
	uint32_t i;

	buf_clear(&n->scratch);
	json_init(&j, &n->scratch);
	json_open_object(&j);
	for (i = 0; i < n->graph->param_count; i++) {
		json_key(&j, graph_text(n->graph, n->graph->params[i].name));
		json_raw(&j, graph_text(n->graph, n->graph->params[i].value));
	}
	json_end(&j);
	return buf_in(&n->scratch, &n->arena);
}

static const char *changed_params(struct engine *n)
{
	size_t i;

	buf_clear(&n->scratch);
	for (i = 0; i < n->s->options.set_count; i++) {
		buf_str(&n->scratch, n->s->options.sets[i]);
		buf_char(&n->scratch, '\n');
	}
	return buf_in(&n->scratch, &n->arena);
}

int record_run(struct engine *n, struct err *e)
{
	struct session *s = n->s;
	char host[256] = "", boot[37];
	struct run_row row = { .uuid = n->result->uuid,
		.dag_path = s->options.dag,
		.dag_name = graph_name(n->graph),
		.params = all_params(n),
		.changed = changed_params(n),
		.host = host,
		.boot_id = boot_id(boot),
		.version = FLOW_VERSION,
		.began_ms = clock_wall_ms(),
		.pid = (long)getpid() };

	(void)gethostname(host, sizeof host - 1);
	if (object_put(&s->history.objects, buf_text(&s->text), s->text.len, &row.dag_digest, e) <
			0 ||
		engine_writes(n, e) < 0)
		return e->code;
	return journal_run_begin(&s->db, &row, &n->run, e);
}

/* Tasks taken over as planned share one row of the journal; every other task gets one of its own. */
static int record_tasks(struct engine *n, struct err *e)
{
	struct {
		int64_t *items;
		size_t count, cap;
	} reused = { 0 };
	struct plan *plan = &n->s->plan;
	uint32_t i;
	int rc = 0;

	for (i = 0; i < n->graph->node_count && rc == 0; i++) {
		struct choice *c = &plan->choices[i];

		if (c->verdict == VERDICT_LEFT_OUT)
			continue;
		if (choice_stands(c)) {
			n->result->reused++;
			if (c->past != NULL) {
				n->result->saved_ms += c->past->took_ms;
				vec_push(&reused, c->past->attempt);
			}
			continue;
		}
		rc = journal_task_new(&n->s->db, n->run, node_name(n->graph, i),
			reason_name((enum reason)c->reason), choice_text(plan, c), e);
	}
	if (rc == 0)
		rc = journal_run_reuse(&n->s->db, n->run, reused.items, reused.count, e);
	vec_release(&reused);
	return rc;
}

int record_begin(struct engine *n, struct err *e)
{
	uuid7(clock_wall_ms(), n->result->uuid);
	if (FAILPOINT("run.record", e) < 0 || record_run(n, e) < 0)
		return e->code;
	n->result->id = n->run;
	return FAILPOINT("run.recorded", e) < 0 ? e->code : record_tasks(n, e);
}

/* The list of files that differ, and the patch for people, as one object; and what git could not give back. */
static int keep_source(
	struct engine *n, const struct source_answer *answer, struct source_row *row, struct err *e)
{
	struct session *s = n->s;
	struct buf patch = { 0 };
	int rc = sources_changed(s, &n->secrets, answer, &patch, e);

	if (rc == ERR_INPUT) {
		row->note = "files that differ were not kept: they have over 64 MiB";
		rc = 0;
	}
	if (rc == 0)
		rc = sources_keep(s, &n->secrets, answer, &n->arena, e);
	if (rc == 0 && secrets_mask(&n->secrets, answer->patch, answer->patch_len, &patch))
		row->note = "secrets are masked in the patch";
	if (rc == 0 && patch.len > 0)
		rc = object_put(&s->history.objects, buf_text(&patch), patch.len, &row->patch, e);
	buf_release(&patch);
	return rc;
}

int record_source(struct engine *n, const struct source_answer *answer, bool keep, struct err *e)
{
	struct source_row row = { .commit_id = answer->commit,
		.branch = answer->branch,
		.note = answer->note,
		.dirty = answer->dirty };

	if (keep && keep_source(n, answer, &row, e) < 0)
		return e->code;
	if (engine_writes(n, e) < 0)
		return e->code;
	return journal_run_source(&n->s->db, n->run, &row, e);
}

int record_metric_of(void *user, const struct metric *m, struct err *e)
{
	const struct metric_of *of = user;
	struct engine *n = of->engine;

	if (engine_writes(n, e) < 0 || journal_metric(&n->s->db, of->attempt->id, m->name, m->step,
					       m->value, clock_wall_ms(), e) < 0)
		return e->code;
	engine_tell(n, &(struct told){ .kind = TOLD_METRIC,
			       .task = of->attempt->node,
			       .attempt = of->attempt->number,
			       .text = arena_strdup(&n->turn, m->name),
			       .value = m->value,
			       .step = m->step });
	return 0;
}

int record_end(struct engine *n, const char *state, struct err *e)
{
	struct run_end end = { .state = state,
		.ended_ms = clock_wall_ms(),
		.ran = n->result->ran,
		.reused = n->result->reused,
		.failed = n->result->failed };

	n->result->state = state;
	if (FAILPOINT("run.end", e) < 0 || engine_writes(n, e) < 0 ||
		journal_run_end(&n->s->db, n->run, &end, e) < 0)
		return e->code;
	return stats_save(&n->s->stats, &n->s->db, e);
}
