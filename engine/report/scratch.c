#include "report/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/move.h"
#include "base/path.h"
#include "base/program.h"
#include "dag/graph.h"
#include "run/sources.h"
#include "store/db_copy.h"
#include "store/project.h"
#include "store/runs.h"
#include "store/source.h"
#include "store/stats.h"
#include "store/tree.h"

#define TREE  "scratch/tree" /* the checkout, below .flow */
#define ASIDE "scratch/flow" /* its .flow while there is another checkout */
#define LOCK  "scratch.lock"

static int lost(struct err *e)
{
	e->code = ERR_SYSTEM;
	return err_id(e, "E0515");
}

int scratch_open(struct scratch *s, const struct project *p, struct err *e)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	*s = (struct scratch){ .project = p, .root_fd = -1, .submodules = "" };
	s->objects = objects_of(p);
	s->objects.root_fd = -1;
	s->top = arena_printf(&s->arena, "%s/.flow/scratch", p->root);
	s->lock_fd = openat(p->flow_fd, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return err_system(e, "cannot open `%s/.flow/" LOCK "`", p->root);
	if (fcntl(s->lock_fd, F_OFD_SETLK, &lock) < 0) {
		close(s->lock_fd);
		s->lock_fd = -1;
		err_set(e, ERR_BUSY, "another flow uses the scratch of `%s`", p->root);
		err_hint(e, "wait until it ends; nothing has to be unlocked by hand");
		return err_id(e, "E0506");
	}
	if (tree_remove(p->flow_fd, "scratch", e) < 0 ||
		folder_make(p->flow_fd, "scratch", 0700, e) < 0)
		return e->code;
	return 0;
}

void scratch_close(struct scratch *s)
{
	struct err e;

	if (s->root_fd >= 0)
		close(s->root_fd);
	if (s->lock_fd >= 0) {
		if (!s->keep)
			(void)tree_remove(s->project->flow_fd, "scratch", &e);
		close(s->lock_fd);
	}
	arena_release(&s->arena);
	*s = (struct scratch){ .root_fd = -1, .lock_fd = -1 };
}

/* -- the source ----------------------------------------------------------------------------------------------------- */

/* An earlier checkout goes; the journal that was written in it stays. */
static int clear(struct scratch *s, struct err *e)
{
	int flow = s->project->flow_fd;

	if (s->root_fd >= 0) {
		if (file_exists(s->root_fd, ".flow") &&
			tree_move(s->root_fd, ".flow", flow, ASIDE, e) < 0)
			return e->code;
		close(s->root_fd);
		s->root_fd = -1;
	}
	return tree_remove(flow, TREE, e);
}

static int open_root(struct scratch *s, const char *folder, struct err *e)
{
	s->root = folder[0] != '\0' ? arena_printf(&s->arena, "%s/tree/%s", s->top, folder)
				    : arena_printf(&s->arena, "%s/tree", s->top);
	if (folder_make(AT_FDCWD, s->root, 0777, e) < 0)
		return e->code;
	s->root_fd = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->objects.root_fd = s->root_fd;
	if (s->root_fd < 0)
		return err_system(e, "cannot open `%s`", s->root);
	if (!file_exists(s->project->flow_fd, ASIDE))
		return 0;
	if (tree_remove(s->root_fd, ".flow", e) < 0)
		return e->code;
	return tree_move(s->project->flow_fd, ASIDE, s->root_fd, ".flow", e);
}

/* The text that was run, whatever became of the file meanwhile. */
static int write_dag(struct scratch *s, const struct run_record *run, struct err *e)
{
	const char *name = path_base(run->dag_path);
	struct buf text = { 0 };
	int rc = object_read(&s->objects, &run->dag_digest, (size_t)1 << 30, &text, e);

	s->dag = arena_printf(&s->arena, "%s/%s", s->root, name);
	if (rc == 0)
		rc = file_write_atomic(s->root_fd, name, buf_text(&text), text.len, 0644, e);
	else if (rc == ERR_NOTFOUND && file_exists(s->root_fd, name))
		rc = 0;
	else
		rc = err_context(e, "the recorded dag.yaml");
	buf_release(&text);
	return rc;
}

static int check_out(struct scratch *s, const struct run_record *run, struct err *e)
{
	const char *tree = arena_printf(&s->arena, "%s/tree", s->top);
	struct source_place place = { .folder = "", .submodules = "" };
	int rc;

	if (run->commit_id[0] == '\0')
		rc = 0;
	else
		rc = source_checkout(program_path(&s->arena, "flow-source"), s->project->root,
			run->commit_id, tree, &s->arena, &place, e);
	s->submodules = place.submodules;
	if (rc == 0)
		rc = open_root(s, place.folder, e);
	if (rc == 0 && !digest_is_zero(&run->patch))
		rc = sources_restore(&s->objects, &run->patch, s->root_fd, s->project->root_fd, e);
	if (rc == 0 && digest_is_zero(&run->patch) && run->dirty > 0 && run->note[0] != '\0')
		rc = err_set(e, ERR_NOTFOUND, "%s", run->note);
	return rc;
}

int scratch_checkout(struct scratch *s, const struct run_record *run, struct err *e)
{
	int rc = clear(s, e);

	if (rc == 0)
		rc = check_out(s, run, e);
	if (rc == 0)
		rc = write_dag(s, run, e);
	if (rc == ERR_NOTFOUND || rc == ERR_CORRUPT) {
		err_context(e, "the source of run %s cannot be made again", run->name);
		return lost(e);
	}
	return rc;
}

/* -- inputs --------------------------------------------------------------------------------------------------------- */

static bool lies_there(int dir, const char *path, const struct digest *d)
{
	struct stats stats = { 0 };
	struct digest found;
	struct err e;
	bool same = stats_digest(&stats, dir, path, &found, &e) == 0 && digest_same(&found, d);

	stats_release(&stats);
	return same;
}

/* Does all of it read as the manifest of a folder? */
static bool is_manifest(const struct buf *text)
{
	struct buf copy = { 0 };
	struct manifest_line line;
	bool bad = false, any = false;
	char *at;

	buf_add(&copy, buf_text(text), text->len);
	at = copy.data;
	while (manifest_next(&at, &line, &bad))
		any = true;
	buf_release(&copy);
	return any && !bad;
}

static int from_store(struct scratch *s, const char *path, const struct digest *d, struct err *e)
{
	struct made folder = { .digest = *d, .mode = MADE_FOLDER | 0755 };
	struct buf text = { 0 };
	struct stat_id id;
	struct stat st;
	bool runs;
	int rc = object_read(&s->objects, d, (size_t)1 << 31, &text, e);

	if (rc == 0)
		rc = folder_make_parents(s->root_fd, path, 0777, e);
	runs = fstatat(s->project->root_fd, path, &st, 0) == 0 && (st.st_mode & 0111) != 0;
	if (rc == 0 && is_manifest(&text))
		rc = object_restore(&s->objects, &folder, path, &id, e);
	else if (rc == 0)
		rc = file_write_atomic(
			s->root_fd, path, buf_text(&text), text.len, runs ? 0755 : 0644, e);
	buf_release(&text);
	return rc;
}

int scratch_input(struct scratch *s, const char *path, const struct digest *d, struct err *e)
{
	char hex[DIGEST_HEX];
	int rc;

	if (lies_there(s->root_fd, path, d))
		return 0;
	if (!path_leaves(path)) {
		if (tree_remove(s->root_fd, path, e) < 0 ||
			folder_make_parents(s->root_fd, path, 0777, e) < 0)
			return e->code;
		if (lies_there(s->project->root_fd, path, d))
			return tree_copy(s->project->root_fd, path, s->root_fd, path, e);
		rc = from_store(s, path, d, e);
		if (rc == 0 || (rc != ERR_NOTFOUND && rc != ERR_CORRUPT))
			return rc;
	}
	err_set(e, ERR_SYSTEM,
		"input `%s` (%.12s) cannot be had: it is not in the commit, changed in the work "
		"tree and is not in the store",
		path, digest_hex(d, hex));
	err_hint(e, "put that version of the file back and try again");
	return lost(e);
}

bool scratch_has(const struct scratch *s, const char *path, const struct digest *d)
{
	return lies_there(s->root_fd, path, d);
}

int scratch_drop(struct scratch *s, const char *path, struct err *e)
{
	return path_leaves(path) ? 0 : tree_remove(s->root_fd, path, e);
}

/* The journal is a copy, the store the user's own: an object is what its name says, whoever puts it there. */
int scratch_past(struct scratch *s, struct db *db, struct err *e)
{
	const char *objects = arena_printf(&s->arena, "%s/.flow/objects", s->project->root);

	if (folder_make(s->root_fd, ".flow", 0700, e) < 0)
		return e->code;
	if (symlinkat(objects, s->root_fd, ".flow/objects") < 0)
		return err_system(e, "cannot make a link to the store");
	return db_copy(db, arena_printf(&s->arena, "%s/.flow/flow.db", s->root), e);
}

int scratch_secrets(struct scratch *s, const struct graph *g, struct err *e)
{
	uint32_t i;

	for (i = 0; i < g->source_count; i++) {
		const char *path = graph_text(g, g->sources[i].value);

		if (strncmp(graph_text(g, g->sources[i].name), "secret:", 7) != 0 ||
			strncmp(path, "file:", 5) != 0 || path_leaves(path + 5) ||
			file_exists(s->root_fd, path + 5) ||
			!file_exists(s->project->root_fd, path + 5))
			continue;
		if (folder_make_parents(s->root_fd, path + 5, 0777, e) < 0 ||
			tree_copy(s->project->root_fd, path + 5, s->root_fd, path + 5, e) < 0)
			return e->code;
	}
	return 0;
}
