#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/json.h"
#include "base/move.h"
#include "base/path.h"
#include "base/units.h"
#include "base/vec.h"
#include "dag/graph.h"
#include "plan/key.h"
#include "run/engine.h"
#include "run/session.h"
#include "stage/environ.h"
#include "store/journal.h"

struct attempt *attempt_of(struct engine *n, uint32_t node)
{
	uint32_t i;

	for (i = 0; i < n->slots.count; i++)
		if (n->attempts[i].phase != PHASE_NONE && n->attempts[i].phase != PHASE_TAKEN &&
			n->attempts[i].node == node)
			return &n->attempts[i];
	return NULL;
}

static int record_start(struct engine *n, struct attempt *a, struct err *e)
{
	struct slot *slot = &n->slots.items[a->slot];
	struct plan *plan = &n->s->plan;
	struct attempt_begin row = { .run = n->run,
		.began_ms = clock_wall_ms(),
		.task = node_name(n->graph, a->node),
		.folder = slot->folder,
		.log = slot->log,
		.number = a->number,
		.log_from = slot->log_from,
		.parts = &plan->parts };

	if (plan_parts(plan, a->node, e) < 0)
		return e->code;
	key_digest(&a->key, &plan->parts);
	row.key = a->key;
	if (FAILPOINT("attempt.record", e) < 0 || engine_writes(n, e) < 0 ||
		journal_attempt_begin(&n->s->db, &row, &a->id, e) < 0)
		return e->code;
	n->durable.newest = a->id;
	return journal_task_state(&n->s->db, n->run, row.task, "RUNNING", a->id, e);
}

int attempt_prepare(struct engine *n, uint32_t node, uint32_t number, struct err *e)
{
	struct attempt *a;
	const struct stage *stage = node_stage(n->graph, node);
	uint32_t slot;

	if (FAILPOINT("attempt.prepare", e) < 0 || slots_take(&n->slots, &slot, e) < 0)
		return e->code;
	/* The kernel counts what lies before its part of the log as the attempt's own. */
	if (stage->limits.file_bytes != 0 && slots_fresh(&n->slots, slot, e) < 0)
		return e->code;
	a = &n->attempts[slot];
	a->phase = PHASE_PREPARED;
	a->node = node;
	a->number = number;
	a->slot = slot;
	a->began_ms = clock_mono_ms();
	a->told_running = a->stopped = false;
	a->isolated = (stage->flags & STAGE_ISOLATE) != 0;
	a->staged = a->isolated || stage->kind != STAGE_CMD;
	a->moved = a->taking = 0;
	a->told_done = -1;
	telemetry_release(&a->telemetry);
	a->telemetry = (struct telemetry){ .redactor = &n->secrets.redactor };
	if (record_start(n, a, e) < 0)
		return e->code;
	vec_push(&n->launches, slot);
	return 0;
}

/* -- before the start: a clean place -------------------------------------------------------------------------------- */

/* The previous out goes to the work folder as prev-<i>, beside a link path-<i>.<attempt> that tells recovery where it belongs, and
 * whose it is: when the power goes the folder may be on the disk and the attempt not yet in the journal. */
static int move_aside(
	struct engine *n, struct attempt *a, uint32_t i, const char *path, struct err *e)
{
	const char *folder = n->slots.items[a->slot].folder;
	char name[160];
	int flow = n->s->project.flow_fd, root = n->s->root_fd;

	if (!file_exists(root, path))
		return 0;
	(void)snprintf(name, sizeof name, "%s/path-%u.%lld", folder, i, (long long)a->id);
	if (symlinkat(path, flow, name) < 0)
		return err_system(e, "cannot note where `%s` belongs", path);
	(void)snprintf(name, sizeof name, "%s/prev-%u", folder, i);
	if (FAILPOINT("attempt.aside", e) < 0 || tree_move(root, path, flow, name, e) < 0)
		return err_context(e, "previous out");
	a->moved++;
	return FAILPOINT("attempt.moved", e);
}

/* Who forces a task wants its work done anew, not taken up where it ended: the first attempt finds no checkpoint. */
static int clear_checkpoint(struct engine *n, const struct attempt *a, const char *path, struct err *e)
{
	if (n->s->forced == NULL || !n->s->forced[a->node] || a->number > 1)
		return 0;
	return tree_remove(n->s->root_fd, path, e);
}

static int clear_outs(struct engine *n, struct attempt *a, struct err *e)
{
	struct span outs = n->graph->nodes[a->node].outs;
	char name[160];
	uint32_t i;

	(void)snprintf(name, sizeof name, "%s/o", n->slots.items[a->slot].folder);
	if (a->staged && !a->isolated && outs.count > 0 && folder_make(n->s->project.flow_fd, name, 0700, e) < 0)
		return e->code;
	for (i = 0; i < outs.count; i++) {
		const struct out *out = &n->graph->outs[outs.first + i];
		const char *path = graph_text(n->graph, out->path);

		if (a->staged && !a->isolated && out->kind != OUT_CHECKPOINT)
			continue;
		if (!a->staged && out->kind != OUT_CHECKPOINT && move_aside(n, a, i, path, e) < 0)
			return e->code;
		if (out->kind == OUT_CHECKPOINT && clear_checkpoint(n, a, path, e) < 0)
			return err_context(e, "checkpoint");
		if (folder_make_parents(n->s->root_fd, path, 0777, e) < 0)
			return e->code;
	}
	return 0;
}

/* -- what the stage is given ------------------------------------------------------------------------------------------ */

/* Dotted names, sorted, become nested objects: a.b=1, a.c=2 -> {"a":{"b":1,"c":2}}. */
static void nest(struct json *j, const struct graph *g, struct span fields)
{
	const char *open = ""; /* name whose folders are open */
	size_t depth = 0;
	uint32_t i;

	json_open_object(j);
	for (i = 0; i < fields.count; i++) {
		const struct field *f = &g->fields[fields.first + i];
		const char *name = graph_text(g, f->name), *at = name, *old = open, *dot;
		size_t same = 0;
		char key[512];

		while (same < depth && (dot = strchr(at, '.')) != NULL &&
			strncmp(at, old, (size_t)(dot - at) + 1) == 0) {
			old += dot - at + 1;
			at = dot + 1;
			same++;
		}
		for (; depth > same; depth--)
			json_end(j);
		for (; (dot = strchr(at, '.')) != NULL; at = dot + 1, depth++) {
			(void)snprintf(key, sizeof key, "%.*s", (int)(dot - at), at);
			json_key(j, key);
			json_open_object(j);
		}
		json_key(j, at);
		json_raw(j, graph_text(g, f->value));
		open = name;
	}
	for (; depth > 0; depth--)
		json_end(j);
	json_end(j);
}

static const char *flat_json(struct engine *n, struct span fields)
{
	struct json j;
	uint32_t i;

	buf_clear(&n->scratch);
	json_init(&j, &n->scratch);
	json_open_object(&j);
	for (i = 0; i < fields.count; i++) {
		const struct field *f = &n->graph->fields[fields.first + i];

		json_key(&j, graph_text(n->graph, f->name));
		json_raw(&j, graph_text(n->graph, f->value));
	}
	json_end(&j);
	return buf_in(&n->scratch, &n->turn);
}

static int run_folder(struct engine *n, struct err *e)
{
	char folder[64];

	if (n->has_folder)
		return 0;
	(void)snprintf(folder, sizeof folder, "runs/%s", n->result->uuid);
	n->has_folder = true;
	return folder_make(n->s->project.flow_fd, folder, 0700, e);
}

/* A file for each distinct set of tracked parameters; most tasks of a run share one. */
static int params_file(
	struct engine *n, struct span fields, const char **json, const char **path, struct err *e)
{
	struct json j;
	uint32_t *known;
	char name[96];

	buf_clear(&n->scratch);
	json_init(&j, &n->scratch);
	nest(&j, n->graph, fields);
	known = map_get(&n->param_files, buf_text(&n->scratch));
	if (known == NULL) {
		*json = buf_in(&n->scratch, &n->arena);
		(void)snprintf(name, sizeof name, "runs/%s/params-%zu.json", n->result->uuid,
			n->param_paths.count);
		if (run_folder(n, e) < 0 || file_write_atomic(n->s->project.flow_fd, name, *json,
						    strlen(*json), 0444, e) < 0)
			return e->code;
		map_put(&n->param_files, *json, (uint32_t)n->param_paths.count);
		*path = arena_printf(&n->arena, "%s/.flow/%s", n->s->root, name);
		vec_push(&n->param_paths, *path);
		return 0;
	}
	*json = buf_in(&n->scratch, &n->turn);
	*path = n->param_paths.items[*known];
	return 0;
}

static uint64_t seed_of(struct engine *n, uint32_t node)
{
	struct span params = n->graph->nodes[node].params;
	struct digest d;
	uint32_t i;

	for (i = 0; i < params.count; i++) {
		const struct field *f = &n->graph->fields[params.first + i];
		const char *name = graph_text(n->graph, f->name),
			   *value = graph_text(n->graph, f->value);
		size_t len = strlen(name);
		char *end;
		unsigned long long seed = strtoull(value, &end, 10);

		if (*end == '\0' && end != value && len >= 4 &&
			strcmp(name + len - 4, "seed") == 0 && (len == 4 || name[len - 5] == '.'))
			return seed;
	}
	digest_of(&d, node_name(n->graph, node), strlen(node_name(n->graph, node)));
	return (uint64_t)d.bytes[0] << 24 | (uint64_t)d.bytes[1] << 16 | (uint64_t)d.bytes[2] << 8 |
	       d.bytes[3];
}

static struct wire_list deps_of(struct engine *n, const struct node *node)
{
	struct wire_pair *list = arena_alloc(&n->turn, (node->deps.count + 1) * sizeof *list);
	uint32_t i;

	for (i = 0; i < node->deps.count; i++) {
		const struct dep *dep = &n->graph->deps[node->deps.first + i];

		list[i] = (struct wire_pair){ graph_text(n->graph, dep->name),
			graph_text(n->graph, dep->path) };
	}
	return (struct wire_list){ list, node->deps.count };
}

/* Where it writes them. In a private view that is their own place. */
static struct wire_list outs_of(struct engine *n, const struct attempt *a, const struct node *node)
{
	struct wire_pair *list = arena_alloc(&n->turn, (node->outs.count + 1) * sizeof *list);
	uint32_t i;

	for (i = 0; i < node->outs.count; i++) {
		const struct out *out = &n->graph->outs[node->outs.first + i];

		list[i] = (struct wire_pair){ graph_text(n->graph, out->name),
			a->isolated ? graph_text(n->graph, out->path) : publish_path(n, a, i) };
	}
	return (struct wire_list){ list, node->outs.count };
}

static struct wire_words hidden_of(struct engine *n, const struct node *node)
{
	const char **list = arena_alloc(&n->turn, (node->outs.count + 1) * sizeof *list);
	uint32_t i, count = 0;

	for (i = 0; i < node->outs.count; i++) {
		const struct out *out = &n->graph->outs[node->outs.first + i];

		if (out->kind != OUT_CHECKPOINT)
			list[count++] = graph_text(n->graph, out->path);
	}
	return (struct wire_words){ list, count };
}

static struct wire_list env_of(
	struct engine *n, const struct attempt *a, const struct node *node, const char *params)
{
	struct wire_pair *list = arena_alloc(&n->turn, (node->env.count + 2) * sizeof *list);
	char hex[DIGEST_HEX];
	uint32_t i;

	for (i = 0; i < node->env.count; i++) {
		const struct field *f = &n->graph->fields[node->env.first + i];

		list[i] = (struct wire_pair){ graph_text(n->graph, f->name),
			graph_text(n->graph, f->value) };
	}
	list[i++] = (struct wire_pair){ "FLOW_PARAMS", params };
	list[i++] = (struct wire_pair){ "FLOW_IDEMPOTENCY_KEY",
		arena_strdup(&n->turn, digest_hex(&a->key, hex)) };
	return (struct wire_list){ list, i };
}

/* How the stage is run: command, shell text, plugin or script. */
static int fill_code(struct engine *n, const struct attempt *a, const struct node *node,
	struct wire_start *w, struct err *e)
{
	const struct stage *stage = node_stage(n->graph, a->node);
	const struct code_list *code;
	const char **words;
	uint32_t i;

	w->text = w->uses = w->entry = "";
	if (stage->kind == STAGE_CMD) {
		words = arena_alloc(&n->turn, (node->argv.count + 1) * sizeof *words);
		for (i = 0; i < node->argv.count; i++)
			words[i] = graph_text(n->graph, n->graph->words[node->argv.first + i]);
		w->stage = node->argv.count > 0 ? WIRE_COMMAND : WIRE_SHELL;
		w->argv = (struct wire_words){ words, node->argv.count };
		w->text = graph_text(n->graph, node->text);
		return 0;
	}
	if (code_of(&n->s->code, a->node, &code, e) < 0)
		return e->code;
	w->stage = stage->kind == STAGE_PLUGIN ? WIRE_PLUGIN : WIRE_LUA;
	w->uses = code->path;
	w->entry = code->entry;
	w->modules = (struct wire_list){ code->modules, code->module_count };
	w->unsafe = (stage->flags & STAGE_UNSAFE) != 0;
	if (stage->kind == STAGE_INLINE) {
		/* Empty lines in front make the line numbers of its errors those of dag.yaml. */
		buf_clear(&n->scratch);
		buf_repeat(&n->scratch, '\n', node->line > 0 ? node->line - 1 : 0);
		buf_str(&n->scratch, graph_text(n->graph, node->text));
		w->text = buf_in(&n->scratch, &n->turn);
		w->entry = path_base(n->s->options.dag);
	}
	return 0;
}

/* The first out of kind checkpoint: a file or folder the stage may find from an earlier attempt. */
static const char *checkpoint_of(struct engine *n, const struct node *node)
{
	uint32_t i;

	for (i = 0; i < node->outs.count; i++) {
		const struct out *out = &n->graph->outs[node->outs.first + i];

		if (out->kind == OUT_CHECKPOINT)
			return graph_text(n->graph, out->path);
	}
	return "";
}

/* What its environment is made of. */
static int fill_environment(struct engine *n, const struct attempt *a, struct wire_start *w, struct err *e)
{
	const struct node *node = &n->graph->nodes[a->node];
	const char *folder = n->slots.items[a->slot].folder, *params = "";

	if (params_file(n, node->params, &w->params, &params, e) < 0)
		return e->code;
	w->token = arena_printf(&n->turn, "%s.%lld", n->result->uuid, (long long)a->id);
	w->env = env_of(n, a, node, params);
	w->deps = deps_of(n, node);
	w->outs = outs_of(n, a, node);
	w->task = node_name(n->graph, a->node);
	w->run_id = n->result->uuid;
	w->workdir = arena_printf(&n->turn, ".flow/%s", folder);
	w->report = arena_printf(&n->turn, ".flow/%s/report.ndjson", folder);
	w->checkpoint = checkpoint_of(n, node);
	w->seed = seed_of(n, a->node);
	w->attempt = a->number;
	w->threads = (node_stage(n->graph, a->node)->cpu_milli + 999) / 1000;
	w->limits.memory_bytes = sched_mem(&n->sched, a->node);
	return 0;
}

int attempt_environment(struct engine *n, const struct attempt *a, char ***block, struct err *e)
{
	struct environ_base base = { .root = n->s->root };
	struct wire_start w = { .id = (uint64_t)a->id };

	if (fill_environment(n, a, &w, e) < 0)
		return e->code;
	*block = environ_make(&base, &w, ENVIRON_ALL, &n->turn);
	return 0;
}

static int submit(struct engine *n, struct attempt *a, struct err *e)
{
	const struct node *node = &n->graph->nodes[a->node];
	const struct stage *stage = node_stage(n->graph, a->node);
	struct wire_start w = { .id = (uint64_t)a->id, .slot = a->slot };

	if (fill_environment(n, a, &w, e) < 0 || fill_code(n, a, node, &w, e) < 0)
		return e->code;
	w.secrets = secrets_for(&n->secrets, stage, &n->turn);
	w.cwd = graph_text(n->graph, node->cwd);
	w.with = stage->kind == STAGE_CMD ? "{}" : flat_json(n, node->with);
	w.limits.file_bytes = stage->limits.file_bytes;
	w.limits.cpu_seconds = stage->limits.cpu_seconds;
	w.limits.open_files = stage->limits.open_files;
	w.limits.processes = stage->limits.processes;
	w.isolate = a->isolated;
	w.hidden = a->isolated ? hidden_of(n, node) : (struct wire_words){ NULL, 0 };
	a->phase = PHASE_LIVE;
	if (FAILPOINT("attempt.submit", e) < 0)
		return e->code;
	/* A worker that has just died is noticed by the loop: the attempt is lost, not the run. */
	if (exec_submit(&n->exec, &w, e) < 0 && e->sys != EPIPE && e->sys != ECONNRESET)
		return e->code;
	return FAILPOINT("attempt.submitted", e);
}

int attempt_launch(struct engine *n, struct attempt *a, struct err *e)
{
	if (FAILPOINT("attempt.launch", e) < 0 || slots_log(&n->slots, a->slot, e) < 0 ||
		clear_outs(n, a, e) < 0 || submit(n, a, e) < 0)
		return err_context(e, "task `%s`", node_name(n->graph, a->node));
	return 0;
}

/* -- while it runs -------------------------------------------------------------------------------------------------- */

int attempt_stop(struct engine *n, uint32_t node, int signo, enum stop_why why, struct err *e)
{
	struct attempt *a = attempt_of(n, node);

	if (a == NULL || a->phase == PHASE_TAKING)
		return 0; /* nothing of it runs any more */
	if (!a->stopped)
		a->why = why;
	a->stopped = true;
	if (exec_signal(&n->exec, (uint64_t)a->id, signo, e) < 0 && e->sys != EPIPE &&
		e->sys != ECONNRESET)
		return e->code;
	return 0;
}

static int read_report(struct engine *n, struct attempt *a, struct err *e)
{
	struct metric_of of = { n, a };
	char path[160];

	if (!slot_is_spoilt(&n->slots, &n->slots.items[a->slot]))
		return 0;
	(void)snprintf(path, sizeof path, "%s/report.ndjson", n->slots.items[a->slot].folder);
	return telemetry_read(&a->telemetry, n->s->project.flow_fd, path, record_metric_of, &of, e);
}

int attempt_poll(struct engine *n, struct attempt *a, struct err *e)
{
	const struct telemetry *t = &a->telemetry;

	if (FAILPOINT("attempt.poll", e) < 0 || read_report(n, a, e) < 0)
		return e->code;
	n->flooded = slot_log_cut(&n->slots.items[a->slot], node_stage(n->graph, a->node)->log_bytes) || n->flooded;
	if (!a->told_running) {
		a->told_running = true;
		if (engine_writes(n, e) < 0 || journal_attempt_running(&n->s->db, a->id, e) < 0)
			return e->code;
	}
	if ((t->total > 0 || t->done > 0 || t->what.len > 0) && t->done != a->told_done) {
		a->told_done = t->done;
		engine_tell(n, &(struct told){ .kind = TOLD_PROGRESS,
				       .task = a->node,
				       .attempt = a->number,
				       .done = t->done,
				       .total = t->total,
				       .text = buf_in(&t->what, &n->turn) });
	}
	return 0;
}

/* -- its end ---------------------------------------------------------------------------------------------------------- */

static enum outcome failed_exit(struct engine *n, struct attempt *a, const char **why)
{
	const struct telemetry *t = &a->telemetry;

	if (t->fail.len > 0)
		*why = buf_in(&t->fail, &n->turn);
	else
		*why = arena_printf(&n->turn, "exit %u", a->ended.value);
	if (strcmp(t->code, "E0603") == 0)
		return OUTCOME_OOM;
	/* A table, port or option that does not fit will not fit the next time. */
	if (strcmp(t->code, "E0606") == 0 || strcmp(t->code, "E0607") == 0 ||
		(strncmp(t->code, "E070", 4) == 0 && strcmp(t->code, "E0704") != 0))
		return OUTCOME_UNSTARTABLE;
	return OUTCOME_ERROR;
}

static const char *signal_text(struct engine *n, uint32_t signo)
{
	const char *name = sigabbrev_np((int)signo), *about = sigdescr_np((int)signo);

	if (name == NULL)
		return arena_printf(&n->turn, "killed by signal %u", signo);
	if (signo == SIGKILL)
		return "killed by SIGKILL, by another program";
	return arena_printf(&n->turn, "killed by SIG%s (%s)", name, about);
}

static enum outcome outcome_of(struct engine *n, struct attempt *a, const char **why)
{
	char text[UNITS_TEXT];

	if (a->stopped && a->why == STOP_TIMEOUT) {
		*why = arena_printf(&n->turn, "stopped after its timeout of %s",
			duration_text(sched_timeout_ms(&n->sched, a->node), text));
		return OUTCOME_TIMEOUT;
	}
	if (a->stopped) {
		*why = "stopped, as the run was";
		return OUTCOME_CANCELLED;
	}
	switch ((enum wire_end)a->ended.end) {
	case END_NOT_FOUND:
		*why = arena_printf(&n->turn, "cannot start: %s", buf_text(&a->text));
		return OUTCOME_UNSTARTABLE;
	case END_SIGNAL:
		*why = signal_text(n, a->ended.value);
		return OUTCOME_SIGNAL;
	case END_MEMORY:
	case END_LIMIT:
		*why = buf_in(&a->text, &n->turn);
		return a->ended.end == END_MEMORY ? OUTCOME_OOM : OUTCOME_ERROR;
	case END_EXIT: break;
	}
	if (a->ended.value != 0)
		return failed_exit(n, a, why);
	if (a->staged && !a->isolated && !a->telemetry.ended) {
		*why = a->telemetry.fail.len > 0 ? buf_in(&a->telemetry.fail, &n->turn)
						 : "the stage left without returning";
		return OUTCOME_ERROR;
	}
	return OUTCOME_SUCCEEDED;
}

int attempt_outcome(struct engine *n, struct attempt *a, enum outcome *outcome, const char **why, struct err *e)
{
	*why = "";
	if (read_report(n, a, e) < 0)
		return err_context(e, "task `%s`", node_name(n->graph, a->node));
	*outcome = outcome_of(n, a, why);
	return 0;
}
