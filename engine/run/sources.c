#include "run/sources.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/map.h"
#include "base/move.h"
#include "base/path.h"
#include "run/secrets.h"
#include "run/session.h"
#include "store/changed_files.h"
#include "store/source.h"
#include "store/tree.h"

struct keeper {
	struct session *session;
	const struct secrets *secrets;
	const struct source_answer *answer;
	struct arena *arena;
	struct buf *list; /* of what is kept; NULL: it is not listed */
	uint64_t bytes;   /* newly stored */
	uint32_t count;
	int rc;           /* the store could not be written: why, in e; nothing more is kept */
	struct err *e;
};

/* Calls for every path that no task makes, once: deps, scripts and modules, dag.yaml's own includes. */
typedef void source_found(void *user, const char *path);

struct finder {
	source_found *found;
	void *user;
	struct map seen;
};

static void find(struct finder *f, const char *path)
{
	if (path[0] != '\0' && map_put(&f->seen, path, 0) == NULL)
		f->found(f->user, path);
}

static void find_node(struct finder *f, struct session *s, uint32_t node)
{
	const struct graph *g = &s->graph;
	const struct node *n = &g->nodes[node];
	const struct code_list *code;
	struct err e;
	uint32_t i;

	for (i = 0; i < n->deps.count; i++)
		if (g->deps[n->deps.first + i].producer == NO_NODE)
			find(f, graph_text(g, g->deps[n->deps.first + i].path));
	if (g->stages[n->stage].kind == STAGE_CMD || code_of(&s->code, node, &code, &e) < 0)
		return;
	find(f, code->path);
	for (i = 0; i < code->module_count; i++)
		find(f, code->modules[i].value);
}

static void each_source(struct session *s, source_found *found, void *user)
{
	struct finder f = { .found = found, .user = user };
	const struct graph *g = &s->graph;
	uint32_t i;

	for (i = 0; i < g->node_count; i++)
		find_node(&f, s, i);
	for (i = 0; i < g->source_count; i++)
		if (strncmp(graph_text(g, g->sources[i].name), "file:", 5) == 0)
			find(&f, graph_text(g, g->sources[i].name) + 5);
	map_release(&f.seen);
}

static void ask(void *user, const char *path)
{
	struct buf *out = user;

	if (path_leaves(path))
		return;
	buf_char(out, 'd');
	buf_add(out, path, strlen(path) + 1);
}

static void put_questions(struct session *s, struct buf *out)
{
	const struct graph *g = &s->graph;
	uint32_t i, k;

	buf_clear(out);
	for (i = 0; i < g->node_count; i++)
		for (k = 0; k < g->nodes[i].outs.count; k++) {
			const char *path = graph_text(g, g->outs[g->nodes[i].outs.first + k].path);

			buf_char(out, 'o');
			buf_add(out, path, strlen(path) + 1);
		}
	each_source(s, ask, out);
}

int sources_ask(struct session *s, struct source *source, struct err *e)
{
	struct buf questions = { 0 };
	int rc;

	put_questions(s, &questions);
	rc = source_ask(source, s->helper, s->root, buf_text(&questions), questions.len, e);
	buf_release(&questions);
	return rc;
}

static bool holds_secret(const struct secrets *secrets, const struct buf *bytes)
{
	struct buf masked = { 0 };
	bool found = secrets_mask(secrets, buf_text(bytes), bytes->len, &masked);

	buf_release(&masked);
	return found;
}

/* A copy, never a link: the file is the user's, and stays as it is. */
static bool keep_bytes(struct keeper *k, const char *path, struct made *made)
{
	struct session *s = k->session;
	struct buf text = { 0 };
	struct err e;
	bool kept;

	if (k->rc < 0)
		return false;
	if (object_has(&s->history.objects, made))
		return true;
	if (made->size > SOURCES_ALL - k->bytes)
		return false;
	k->bytes += made->size;
	kept = file_read(&text, s->root_fd, path, SOURCES_EACH, &e) == 0 &&
	       !holds_secret(k->secrets, &text);
	if (kept)
		k->rc = object_put(&s->history.objects, buf_text(&text), text.len, &made->digest, k->e);
	buf_release(&text);
	return kept && k->rc == 0;
}

static void keep_file(struct keeper *k, const char *path, const struct stat *st)
{
	struct session *s = k->session;
	struct made made = { .size = (uint64_t)st->st_size };
	struct err e;

	if (made.size <= SOURCES_EACH && k->count < SOURCES_COUNT &&
		stats_digest(&s->stats, s->root_fd, path, &made.digest, &e) == 0 &&
		keep_bytes(k, path, &made)) {
		k->count++;
		if (k->list != NULL && strchr(path, '\n') == NULL)
			changed_add(k->list, (st->st_mode & 0111) != 0 ? 0100755 : 0100644,
				&made.digest, path);
	}
}

/* Its manifest, and unless git has them its files. */
static void keep_folder(struct keeper *k, const char *path, bool files)
{
	struct session *s = k->session;
	struct tree_entry *entries = NULL;
	struct buf manifest = { 0 };
	struct digest digest;
	size_t count = 0, i;
	struct err e;
	int rc = tree_list(s->root_fd, path, k->arena, &entries, &count, &e);

	for (i = 0; rc == 0 && i < count; i++) {
		const char *file = arena_printf(k->arena, "%s/%s", path, entries[i].path);

		digest = (struct digest){ { 0 } };
		if (entries[i].target == NULL) {
			rc = stats_digest(&s->stats, s->root_fd, file, &digest, &e);
			if (files)
				keep_file(k, file, &entries[i].st);
		}
		if (rc == 0)
			manifest_add(&manifest, &entries[i], &digest);
	}
	if (rc == 0 && k->rc == 0)
		k->rc = object_put(&s->history.objects, buf_text(&manifest), manifest.len, &digest, k->e);
	buf_release(&manifest);
}

static void keep(void *user, const char *path)
{
	struct keeper *k = user;
	struct stat st;

	if (path_leaves(path) || fstatat(k->session->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISDIR(st.st_mode))
		keep_folder(k, path, true);
	else if (S_ISREG(st.st_mode))
		keep_file(k, path, &st);
}

/* A folder with loose files among others: which of them it had. */
static void keep_manifest(void *user, const char *path)
{
	struct keeper *k = user;
	struct stat st;
	size_t i;

	for (i = 0; i < k->answer->loose.count; i++)
		if (path_is_inside(k->answer->loose.items[i], path))
			break;
	if (i < k->answer->loose.count &&
		fstatat(k->session->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(st.st_mode))
		keep_folder(k, path, false);
}

int sources_keep(struct session *s, const struct secrets *secrets,
	const struct source_answer *answer, struct arena *a, struct err *e)
{
	struct keeper k = { .session = s, .secrets = secrets, .answer = answer, .arena = a, .e = e };
	size_t i;

	for (i = 0; i < answer->loose.count; i++)
		keep(&k, answer->loose.items[i]);
	if (answer->loose.count > 0)
		each_source(s, keep_manifest, &k);
	return k.rc;
}

/* -- files that differ from the commit ------------------------------------------------------------------------------- */

/* Its bytes, or the target of a link; mode 0: it is nothing that a commit could hold. */
static int read_changed(struct session *s, const char *path, uint64_t most, struct buf *bytes,
	unsigned *mode, struct err *e)
{
	struct stat st;
	ssize_t n;

	*mode = 0;
	if (fstatat(s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISREG(st.st_mode)) {
		*mode = (st.st_mode & 0111) != 0 ? 0100755 : 0100644;
		return file_read(bytes, s->root_fd, path, most, e);
	}
	n = S_ISLNK(st.st_mode) ? readlinkat(s->root_fd, path, buf_room(bytes, PATH_MAX), PATH_MAX)
				: 0;
	if (n > 0) {
		bytes->len += (size_t)n;
		*mode = 0120000;
	}
	return 0;
}

/* One that holds a secret is listed without a digest. */
static int keep_changed(struct keeper *k, const char *path, uint64_t *left, struct err *e)
{
	struct session *s = k->session;
	struct buf bytes = { 0 };
	struct digest digest = { { 0 } };
	unsigned mode;
	int rc = read_changed(s, path, *left, &bytes, &mode, e);

	if (rc == ERR_NOTFOUND) { /* it went while we looked */
		rc = 0;
	} else if (rc == 0 && mode != 0) {
		*left -= bytes.len < *left ? bytes.len : *left;
		if (!holds_secret(k->secrets, &bytes))
			rc = object_put(
				&s->history.objects, buf_text(&bytes), bytes.len, &digest, e);
		if (rc == 0)
			changed_add(k->list, mode, &digest, path);
	}
	buf_release(&bytes);
	return rc;
}

/* Gone from the index only: what lies there is an untracked file. */
static bool is_there(struct session *s, const char *path)
{
	struct stat st;

	return fstatat(s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode));
}

static int list_changed(struct keeper *k, struct err *e)
{
	const struct source_answer *answer = k->answer;
	struct session *s = k->session;
	static const struct digest none;
	uint64_t left = SOURCES_ALL;
	size_t i;
	int rc = 0;

	for (i = 0; i < answer->gone.count; i++)
		if (!is_there(s, answer->gone.items[i]))
			changed_add(k->list, 0, &none, answer->gone.items[i]);
	for (i = 0; i < answer->gone.count && rc == 0; i++)
		if (is_there(s, answer->gone.items[i]))
			rc = keep_changed(k, answer->gone.items[i], &left, e);
	for (i = 0; i < answer->changed.count && rc == 0; i++)
		rc = keep_changed(k, answer->changed.items[i], &left, e);
	return rc;
}

int sources_changed(struct session *s, const struct secrets *secrets,
	const struct source_answer *answer, struct buf *text, struct err *e)
{
	struct arena a = { 0 };
	struct buf list = { 0 };
	struct keeper k = {
		.session = s, .secrets = secrets, .answer = answer, .arena = &a, .list = &list, .e = e
	};
	struct digest digest;
	int rc = 0;

	buf_clear(text);
	if (answer->commit[0] != '\0')
		rc = list_changed(&k, e);
	else
		each_source(s, keep, &k);
	rc = rc == 0 ? k.rc : rc;
	if (rc == 0 && list.len > 0)
		rc = object_put(&s->history.objects, list.data, list.len, &digest, e);
	if (rc == 0 && list.len > 0)
		changed_head(text, &digest);
	buf_release(&list);
	arena_release(&a);
	return rc;
}

static int restore_file(
	const struct objects *o, const struct changed_file *file, int dir, int now, struct err *e)
{
	struct buf bytes = { 0 };
	int rc = tree_remove(dir, file->path, e);

	if (rc < 0 || file->mode == 0)
		return rc;
	if (digest_is_zero(&file->digest)) {
		if (folder_make_parents(dir, file->path, 0777, e) < 0)
			return e->code;
		return file_exists(now, file->path) ? tree_copy(now, file->path, dir, file->path, e)
						    : 0;
	}
	rc = object_read(o, &file->digest, SOURCES_ALL, &bytes, e);
	if (rc == ERR_NOTFOUND)
		err_set(e, ERR_NOTFOUND, "it is no longer stored");
	if (rc == 0)
		rc = folder_make_parents(dir, file->path, 0777, e);
	if (rc == 0 && file->mode == 0120000 && symlinkat(buf_text(&bytes), dir, file->path) < 0)
		rc = err_system(e, "cannot make the link");
	else if (rc == 0 && file->mode != 0120000)
		rc = file_write_atomic(
			dir, file->path, buf_text(&bytes), bytes.len, file->mode & 0777, e);
	buf_release(&bytes);
	return rc < 0 ? err_context(e, "changed file `%s`", file->path) : 0;
}

int sources_restore(
	const struct objects *o, const struct digest *patch, int dir, int now, struct err *e)
{
	struct buf list = { 0 };
	struct changed_file file;
	bool bad = false;
	int rc = changed_list(o, patch, &list, e);
	char *at = list.data;

	while (rc == 0 && changed_next(&at, &file, &bad))
		rc = restore_file(o, &file, dir, now, e);
	if (rc == 0 && bad)
		rc = err_set(e, ERR_CORRUPT, "the list of changed files is damaged");
	buf_release(&list);
	return rc;
}
