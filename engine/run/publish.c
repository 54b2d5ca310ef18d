/*
 * An attempt's outs on their way: written by the stage, taken into the store (objects), recorded (journal), shown (the work
 * tree). A command writes in place, so its outs are visible before they are recorded; but they are not taken for results until
 * then: the next plan goes by the journal. Plugins and scripts write to the work folder, and their outs are moved in place last.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/move.h"
#include "base/path.h"
#include "dag/graph.h"
#include "run/engine.h"
#include "run/session.h"
#include "store/journal.h"

#define TAKE_AT_ONCE \
	(1 << 20) /* a file up to this size is hashed in the loop: quicker than to ask a thread */

static const struct out *out_of(struct engine *n, const struct attempt *a, uint32_t out)
{
	return &n->graph->outs[n->graph->nodes[a->node].outs.first + out];
}

/* A checkpoint stays where it is, whatever becomes of the attempt: the next one goes on from it. */
static bool is_checkpoint(struct engine *n, const struct attempt *a, uint32_t out)
{
	return out_of(n, a, out)->kind == OUT_CHECKPOINT;
}

const char *publish_path(struct engine *n, const struct attempt *a, uint32_t out)
{
	const char *path = graph_text(n->graph, out_of(n, a, out)->path);

	if (a->isolated)
		return arena_printf(&n->turn, ".flow/%s/upper/%s", n->slots.items[a->slot].folder, path);
	if (!a->staged || is_checkpoint(n, a, out))
		return path;
	return arena_printf(
		&n->turn, ".flow/%s/o/%u-%s", n->slots.items[a->slot].folder, out, path_base(path));
}

/* In the upper folder of an overlay, a file that was removed is a character device 0,0. */
static bool is_removed(int root, const char *path)
{
	struct stat st;

	return fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

/* What is in the store is there for anybody who has the project. */
static bool holds_secret(struct take_job *t)
{
	struct engine *n = t->engine;
	int rc = 0;

	if (node_stage(n->graph, t->attempt->node)->secrets.count > 0)
		rc = secrets_scan(&n->secrets, n->s->root_fd, t->path, t->error);
	if (rc > 0)
		(void)err_set(t->error, ERR_POLICY, "`%s` holds a secret, and outs are stored", t->path);
	return rc != 0;
}

static void take(struct pool_job *job)
{
	struct take_job *t = (struct take_job *)(void *)job;
	struct objects o = t->engine->s->history.objects;

	if (t->attempt->isolated && is_removed(o.root_fd, t->path))
		t->rc = err_set(t->error, ERR_NOTFOUND, "`%s` is not there", t->path);
	else if (holds_secret(t))
		t->rc = t->error->code;
	else
		t->rc = t->is_temp ? object_look(o.root_fd, t->path, &t->made, &t->id, t->error)
				   : object_take(&o, o.root_fd, t->path, &t->made, &t->id, t->error);
}

static bool is_quick(struct engine *n, const char *path)
{
	struct stat st;

	return fstatat(n->s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	       (S_ISREG(st.st_mode) && st.st_size <= TAKE_AT_ONCE) || S_ISLNK(st.st_mode);
}

static void make_room(struct engine *n, struct attempt *a, uint32_t count)
{
	uint32_t i;

	if (count <= a->take_room)
		return;
	a->takes = arena_zalloc(&n->arena, count * sizeof *a->takes);
	a->take_room = count;
	for (i = 0; i < count; i++)
		a->takes[i].error = arena_alloc(&n->arena, sizeof *a->takes[i].error);
}

int publish_begin(struct engine *n, struct attempt *a, struct err *e)
{
	uint32_t count = n->graph->nodes[a->node].outs.count, i;

	a->phase = PHASE_TAKING;
	a->taking = 0;
	make_room(n, a, count);
	if (FAILPOINT("publish.begin", e) < 0)
		return e->code;
	for (i = 0; i < count; i++) {
		struct take_job *t = &a->takes[i];
		const char *path = publish_path(n, a, i);

		t->engine = n;
		t->attempt = a;
		t->job.work = take;
		t->is_temp = temps_is(n, a->node, i);
		if (is_quick(n, path)) {
			t->path = path;
			take(&t->job);
			continue;
		}
		t->path = arena_strdup(&n->arena, path);
		a->taking++;
		if (pool_add(&n->pool, &t->job, e) < 0)
			return e->code;
	}
	return 0;
}

/* Were all outs made? Else what to tell the user. A fault of the machine (a full disk) ends the run: *rc. */
enum outcome publish_check(
	struct engine *n, struct attempt *a, const char **why, int *rc, struct err *e)
{
	uint32_t count = n->graph->nodes[a->node].outs.count, i;

	*rc = 0;
	for (i = 0; i < count; i++) {
		struct take_job *t = &a->takes[i];
		const struct out *out = out_of(n, a, i);
		const char *path = graph_text(n->graph, out->path);

		if (t->rc == 0)
			continue;
		if (t->rc == ERR_NOTFOUND && (out->flags & OUT_OPTIONAL) != 0) {
			t->made = (struct made){ .mode = MADE_ABSENT };
			continue;
		}
		if (t->rc == ERR_NOTFOUND) {
			*why = arena_printf(
				&n->turn, "ended well, but its out `%s` is not there", path);
			return OUTCOME_MISSING_OUT;
		}
		/* That a stage made it unreadable is the stage's fault; a full disk is the machine's. */
		if (err_is_machine(t->error)) {
			*e = *t->error;
			*rc = err_context(e, "task `%s`", node_name(n->graph, a->node));
		}
		*why = arena_printf(&n->turn, "out %s", t->error->text);
		return OUTCOME_ERROR;
	}
	return OUTCOME_SUCCEEDED;
}

static int record_metrics(struct engine *n, struct attempt *a, uint32_t i, struct err *e)
{
	struct metric_of of = { n, a };

	if ((out_of(n, a, i)->flags & OUT_METRICS) == 0 ||
		(a->takes[i].made.mode & MADE_ABSENT) != 0)
		return 0;
	return metrics_of_file(n->s->root_fd, publish_path(n, a, i), record_metric_of, &of, e);
}

int publish_metrics(struct engine *n, struct attempt *a, struct err *e)
{
	uint32_t i;

	for (i = 0; i < n->graph->nodes[a->node].outs.count; i++)
		if (record_metrics(n, a, i, e) < 0)
			return e->code;
	return 0;
}

static void note(struct engine *n, const char *path, const struct take_job *t)
{
	if ((t->made.mode & (MADE_FOLDER | MADE_ABSENT)) != 0)
		stats_forget(&n->s->stats, path);
	else
		stats_note(&n->s->stats, path, &t->id, &t->made.digest);
}

/* A script or plugin that was replaced while the attempt ran: nobody can say which of the two it was. */
static const char *changed_code(struct engine *n, const struct attempt *a)
{
	const struct code_list *code;
	struct err e;
	uint32_t i;

	if (n->graph->stages[n->graph->nodes[a->node].stage].kind == STAGE_CMD ||
		code_of(&n->s->code, a->node, &code, &e) < 0)
		return NULL;
	if (code->path[0] != '\0' && !stats_still(&n->s->stats, n->s->root_fd, code->path))
		return code->path;
	for (i = 0; i < code->module_count; i++)
		if (!stats_still(&n->s->stats, n->s->root_fd, code->modules[i].value))
			return code->modules[i].value;
	return NULL;
}

/* An input, or the code, that somebody changed while the attempt ran: nobody can say which bytes it read. */
const char *publish_changed(struct engine *n, const struct attempt *a)
{
	struct span deps = n->graph->nodes[a->node].deps;
	uint32_t i;

	for (i = 0; i < deps.count; i++) {
		const char *path = graph_text(n->graph, n->graph->deps[deps.first + i].path);

		if (!stats_still(&n->s->stats, n->s->root_fd, path))
			return path;
	}
	return changed_code(n, a);
}

int publish_record(struct engine *n, struct attempt *a, bool reusable, struct err *e)
{
	const struct node *node = &n->graph->nodes[a->node];
	struct made *outs = arena_alloc(&n->turn, (node->outs.count + 1) * sizeof *outs);
	struct db *db = &n->s->db;
	uint32_t i;

	/* Artifacts and the success are one transaction: without it each row would be committed alone. */
	if (FAILPOINT("publish.record", e) < 0 || engine_writes(n, e) < 0)
		return e->code;
	for (i = 0; i < node->outs.count; i++) {
		const struct out *out = out_of(n, a, i);
		const char *path = graph_text(n->graph, out->path);

		outs[i] = a->takes[i].made;
		if (journal_artifact(
			    db, a->id, i, graph_text(n->graph, out->name), path, &outs[i], e) < 0 ||
			(a->takes[i].is_temp && journal_artifact_gone(db, a->id, i, "temp", e) < 0))
			return e->code;
		if (!a->staged)
			note(n, path, &a->takes[i]);
	}
	plan_made(&n->s->plan, a->node, outs);
	if (FAILPOINT("publish.recorded", e) < 0)
		return e->code;
	if (!reusable)
		return 0;
	return journal_latest(db, node_name(n->graph, a->node), a->id, &a->key, outs,
		node->outs.count, clock_mono_ms() - a->began_ms, e);
}

/* Rename the staged out over whatever lies in its place. */
static int put_in_place(
	struct engine *n, struct attempt *a, uint32_t i, const char *path, struct err *e)
{
	const char *staged = publish_path(n, a, i);
	int root = n->s->root_fd;

	if (FAILPOINT("publish.place", e) < 0)
		return e->code;
	if (renameat(root, staged, root, path) == 0)
		return 0;
	if (errno == ENOENT && folder_make_parents(root, path, 0777, e) < 0)
		return e->code;
	if (errno != ENOENT &&
		tree_move(root, path, root, arena_printf(&n->turn, "%s.old", staged), e) < 0 &&
		e->code != ERR_NOTFOUND)
		return err_id(e, "E0511");
	if (tree_move(root, staged, root, path, e) < 0)
		return err_id(e, "E0511");
	return 0;
}

static int show(struct engine *n, struct attempt *a, uint32_t i, struct err *e)
{
	const char *path = graph_text(n->graph, out_of(n, a, i)->path);
	struct take_job *t = &a->takes[i];
	struct stat st;

	if ((t->made.mode & MADE_ABSENT) != 0)
		return tree_remove(n->s->root_fd, path, e);
	if ((a->isolated || !is_checkpoint(n, a, i)) && put_in_place(n, a, i, path, e) < 0)
		return e->code;
	if (fstatat(n->s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		stat_id_of(&t->id, &st);
	note(n, path, t);
	return 0;
}

int publish_show(struct engine *n, struct attempt *a, struct err *e)
{
	uint32_t i;

	if (FAILPOINT("publish.show", e) < 0)
		return e->code;
	for (i = 0; a->staged && i < n->graph->nodes[a->node].outs.count; i++)
		if (show(n, a, i, e) < 0)
			return e->code;
	a->phase = PHASE_NONE;
	if (FAILPOINT("publish.shown", e) < 0)
		return e->code;
	return slots_give(&n->slots, a->slot, e);
}

/* What the failed attempt wrote goes to its folder; what was there before comes back. */
static int undo(struct engine *n, struct attempt *a, uint32_t i, const char *path, struct err *e)
{
	const char *folder = n->slots.items[a->slot].folder;
	int flow = n->s->project.flow_fd, root = n->s->root_fd;
	char name[160];

	(void)snprintf(name, sizeof name, "%s/partial-%u", folder, i);
	if (FAILPOINT("publish.undo", e) < 0 ||
		(tree_move(root, path, flow, name, e) < 0 && e->code != ERR_NOTFOUND))
		return err_context(e, "partial out");
	stats_forget(&n->s->stats, path);
	(void)snprintf(name, sizeof name, "%s/prev-%u", folder, i);
	if (a->moved == 0 || !file_exists(flow, name))
		return 0;
	/* Its link stays: it tells a recovery that what lies there now is what lay there before. */
	if (FAILPOINT("publish.put-back", e) < 0 || tree_move(flow, name, root, path, e) < 0)
		return err_context(e, "previous out");
	return 0;
}

int publish_undo(struct engine *n, struct attempt *a, struct err *e)
{
	struct span outs = n->graph->nodes[a->node].outs;
	uint32_t i;

	for (i = 0; !a->staged && i < outs.count; i++) {
		const struct out *out = out_of(n, a, i);

		if (out->kind != OUT_CHECKPOINT &&
			undo(n, a, i, graph_text(n->graph, out->path), e) < 0)
			return e->code;
	}
	return 0;
}
