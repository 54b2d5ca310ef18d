#include "store/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/vec.h"
#include "store/batch.h"
#include "store/db.h"
#include "store/slots.h"
#include "store/tree.h"

enum entry_state {
	ENTRY_LOADED, /* from the database; the disk has not been looked at */
	ENTRY_FRESH,  /* the digest is that of the disk now */
	ENTRY_ABSENT, /* nothing is there */
};

void stat_id_of(struct stat_id *id, const struct stat *st)
{
	*id = (struct stat_id){ .dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_ns = st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec,
		.ctime_ns = st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec };
}

bool stat_id_same(const struct stat_id *a, const struct stat_id *b)
{
	return a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns &&
	       a->ctime_ns == b->ctime_ns && a->dev == b->dev;
}

/* File times come from a clock that ticks every few milliseconds; this is the width of doubt. */
#define TICK_NS INT64_C(10000000)

static bool is_racy(const struct stat_entry *entry)
{
	return entry->id.mtime_ns + TICK_NS >= entry->seen_ns ||
	       entry->id.ctime_ns + TICK_NS >= entry->seen_ns;
}

static struct stat_entry *entry_add(struct stats *s, const char *path)
{
	struct stat_entry entry = { .path = arena_strdup(&s->arena, path) };

	map_put(&s->by_path, entry.path, (uint32_t)s->count);
	vec_push(s, entry);
	return &s->items[s->count - 1];
}

static struct stat_entry *entry_find(struct stats *s, const char *path)
{
	uint32_t *at = map_get(&s->by_path, path);

	return at != NULL ? &s->items[*at] : NULL;
}

/* Is a folder that it lies in forgotten since the entry was known? */
static bool is_forgotten(const struct stats *s, const struct stat_entry *entry)
{
	char folder[PATH_MAX], *slash;
	size_t len = strlen(entry->path);

	if (s->forgotten.count == 0 || len >= sizeof folder)
		return s->forgotten.count != 0;
	memcpy(folder, entry->path, len + 1);
	while ((slash = strrchr(folder, '/')) != NULL && slash != folder) {
		const uint32_t *since;

		*slash = '\0';
		since = map_get(&s->forgotten, folder);
		if (since != NULL && *since >= entry->known)
			return true;
	}
	return false;
}

static enum entry_state state_of(const struct stats *s, const struct stat_entry *entry)
{
	if (entry->state == ENTRY_LOADED || is_forgotten(s, entry))
		return ENTRY_LOADED;
	return (enum entry_state)entry->state;
}

static void set_state(struct stats *s, struct stat_entry *entry, enum entry_state state)
{
	entry->state = (uint8_t)state;
	entry->known = s->now;
}

static void remember(struct stats *s, struct stat_entry *entry, const struct stat_id *id,
	int64_t seen_ns, const struct digest *d)
{
	entry->id = *id;
	entry->seen_ns = seen_ns;
	entry->digest = *d;
	set_state(s, entry, ENTRY_FRESH);
	if (!entry->dirty)
		vec_push(&s->dirty, (uint32_t)(entry - s->items));
	entry->dirty = true;
}

int stats_load(struct stats *s, struct db *db, struct err *e)
{
	struct sqlite3_stmt *q = NULL;
	int rc;

	if (db_query(db,
		    "SELECT path, dev, ino, size, mtime_ns, ctime_ns, seen_ns, digest FROM file",
		    &q, e) < 0)
		return e->code;
	while ((rc = db_step(db, q, e)) > 0) {
		struct stat_entry *entry = entry_add(s, db_text(q, 0));

		entry->id = (struct stat_id){ (uint64_t)db_int(q, 1), (uint64_t)db_int(q, 2),
			(uint64_t)db_int(q, 3), db_int(q, 4), db_int(q, 5) };
		entry->seen_ns = db_int(q, 6);
		if (!db_digest(q, 7, &entry->digest))
			entry->seen_ns = 0;
	}
	db_finish(q);
	return rc;
}

/* The digest of a regular file whose stat is known, without reading it. */
static bool known_digest(
	struct stats *s, const char *path, const struct stat *st, struct digest *out)
{
	struct stat_entry *entry = entry_find(s, path);
	struct stat_id id;

	stat_id_of(&id, st);
	if (entry == NULL || entry->seen_ns == 0 || !stat_id_same(&entry->id, &id) ||
		(state_of(s, entry) != ENTRY_FRESH && is_racy(entry)))
		return false;
	*out = entry->digest;
	set_state(s, entry, ENTRY_FRESH);
	return true;
}

static void learn(struct stats *s, const char *path, const struct stat *st, int64_t seen_ns,
	const struct digest *d)
{
	struct stat_entry *entry = entry_find(s, path);
	struct stat_id id;

	stat_id_of(&id, st);
	if (entry == NULL)
		entry = entry_add(s, path);
	remember(s, entry, &id, seen_ns, d);
	s->hashed++;
}

static int file_digest(struct stats *s, int dir, const char *path, struct stat *st,
	struct digest *out, struct err *e)
{
	int64_t seen = clock_wall_ns();

	if (known_digest(s, path, st, out))
		return 0;
	if (batch_read_one(dir, path, st, out, e) < 0)
		return e->code;
	learn(s, path, st, seen, out);
	return 0;
}

/* What could be read is known from now on; whoever asks for another hears why then. */
static void learn_all(struct stats *s, struct batch *b)
{
	int64_t seen = clock_wall_ns();
	size_t i;

	batch_read(b);
	for (i = 0; i < b->count; i++)
		if (b->items[i].rc == 0)
			learn(s, b->items[i].path, b->items[i].st, seen, &b->items[i].digest);
}

/* A folder whose files' digests are asked for. */
struct folder {
	struct stats *stats;
	int dir;
	const char *path;
	struct arena arena;
	struct tree_entry *entries;
	const char **paths; /* of the entries, as the cache knows them */
	size_t count;
	struct buf whole; /* such a path; what they have in common is */
	size_t prefix;    /* this long */
};

/* Nothing is known of it: it will be read, and that looks at it. */
static bool is_unseen(void *user, const char *path)
{
	struct folder *f = user;

	f->whole.len = f->prefix;
	buf_str(&f->whole, path);
	return entry_find(f->stats, f->whole.data) == NULL;
}

static int list_folder(struct folder *f, struct err *e)
{
	const struct tree_filter filter = { is_unseen, f };
	size_t i;

	buf_str(&f->whole, path_below(&f->arena, f->path, ""));
	f->prefix = f->whole.len;
	if (tree_list_some(f->dir, f->path, &filter, &f->arena, &f->entries, &f->count, e) < 0)
		return e->code;
	f->paths = arena_alloc(&f->arena, (f->count + 1) * sizeof *f->paths);
	for (i = 0; i < f->count; i++)
		f->paths[i] = path_below(&f->arena, f->path, f->entries[i].path);
	return 0;
}

/* What must be read is read together. */
static void learn_folder(struct folder *f)
{
	struct batch b = { .dir = f->dir };
	struct digest unused;
	size_t i;

	for (i = 0; i < f->count; i++)
		if (f->entries[i].target == NULL &&
			!known_digest(f->stats, f->paths[i], &f->entries[i].st, &unused))
			batch_add(&b, f->paths[i], &f->entries[i].st);
	learn_all(f->stats, &b);
	batch_release(&b);
}

static int folder_digest(
	struct stats *s, int dir, const char *path, struct digest *out, struct err *e)
{
	struct folder f = { .stats = s, .dir = dir, .path = path };
	struct buf manifest = { 0 };
	size_t i;
	int rc = list_folder(&f, e);

	if (rc == 0)
		learn_folder(&f);
	for (i = 0; rc == 0 && i < f.count; i++) {
		struct digest d = { { 0 } };

		if (f.entries[i].target == NULL)
			rc = file_digest(s, dir, f.paths[i], &f.entries[i].st, &d, e);
		if (rc == 0)
			manifest_add(&manifest, &f.entries[i], &d);
	}
	if (rc == 0)
		digest_of(out, buf_text(&manifest), manifest.len);
	buf_release(&manifest);
	buf_release(&f.whole);
	arena_release(&f.arena);
	return rc;
}

static void forget_one(struct stats *s, const char *path)
{
	struct stat_entry *entry = entry_find(s, path);

	if (entry != NULL)
		entry->state = ENTRY_LOADED;
}

/* What was known of the folders that `path` lies in holds no longer. */
static void forget_parents(struct stats *s, const char *path)
{
	char folder[PATH_MAX], *slash;
	size_t len = strlen(path);

	if (len >= sizeof folder)
		return;
	memcpy(folder, path, len + 1);
	while ((slash = strrchr(folder, '/')) != NULL && slash != folder) {
		*slash = '\0';
		forget_one(s, folder);
	}
	forget_one(s, ".");
}

/* A folder's digest is kept for this process only: its files have entries of their own. */
static int fresh_folder(
	struct stats *s, int dir, const char *path, struct digest *out, struct err *e)
{
	struct stat_entry *entry;

	if (folder_digest(s, dir, path, out, e) < 0)
		return e->code;
	entry = entry_find(s, path);
	if (entry == NULL)
		entry = entry_add(s, path);
	entry->digest = *out;
	entry->seen_ns = 0;
	set_state(s, entry, ENTRY_FRESH);
	return 0;
}

/* What lies at a path that was not looked at yet: 1, and its stat; 0 for nothing, which is remembered. */
static int look(struct stats *s, int root_fd, const char *path, struct stat *st, struct err *e)
{
	struct stat_entry *entry = entry_find(s, path);

	if (entry != NULL && state_of(s, entry) == ENTRY_ABSENT)
		return 0;
	if (fstatat(root_fd, path, st, 0) == 0)
		return 1;
	if (errno != ENOENT && errno != ENOTDIR)
		return err_system(e, "cannot stat `%s`", path);
	if (entry == NULL)
		entry = entry_add(s, path);
	set_state(s, entry, ENTRY_ABSENT);
	return 0;
}

int stats_digest(struct stats *s, int root_fd, const char *path, struct digest *out, struct err *e)
{
	struct stat_entry *entry = entry_find(s, path);
	struct stat st;
	int rc;

	if (entry != NULL && state_of(s, entry) == ENTRY_FRESH) {
		*out = entry->digest;
		return 0;
	}
	rc = look(s, root_fd, path, &st, e);
	if (rc <= 0)
		return rc < 0 ? rc : err_set(e, ERR_NOTFOUND, "`%s` is not there", path);
	if (S_ISDIR(st.st_mode))
		return fresh_folder(s, root_fd, path, out, e);
	return file_digest(s, root_fd, path, &st, out, e);
}

void stats_learn(struct stats *s, int root_fd, const char *const *paths, size_t count)
{
	struct batch b = { .dir = root_fd };
	struct arena a = { 0 };
	struct map seen = { 0 };
	struct digest unused;
	struct stat st;
	struct err e;
	size_t i;

	for (i = 0; i < count; i++) {
		struct stat_entry *entry = entry_find(s, paths[i]);

		if (map_put(&seen, paths[i], 0) != NULL ||
			(entry != NULL && state_of(s, entry) == ENTRY_FRESH) ||
			look(s, root_fd, paths[i], &st, &e) <= 0)
			continue;
		if (S_ISDIR(st.st_mode))
			(void)fresh_folder(s, root_fd, paths[i], &unused, &e);
		else if (S_ISREG(st.st_mode) && !known_digest(s, paths[i], &st, &unused))
			batch_add(&b, paths[i], arena_dup(&a, &st, sizeof st));
	}
	map_release(&seen);
	learn_all(s, &b);
	batch_release(&b);
	arena_release(&a);
}

bool stats_still(const struct stats *s, int root_fd, const char *path)
{
	const uint32_t *at = map_get(&s->by_path, path);
	const struct stat_entry *entry = at != NULL ? &s->items[*at] : NULL;
	struct stat_id id;
	struct stat st;

	if (entry == NULL || state_of(s, entry) != ENTRY_FRESH)
		return true;
	if (fstatat(root_fd, path, &st, 0) < 0)
		return false;
	if (entry->seen_ns == 0)
		return S_ISDIR(st.st_mode);
	stat_id_of(&id, &st);
	id.ctime_ns =
		entry->id
			.ctime_ns; /* a new link to it, or another mode, leaves the bytes as they were */
	return stat_id_same(&id, &entry->id);
}

void stats_expect(struct stats *s, const char *path)
{
	if (entry_find(s, path) == NULL)
		(void)entry_add(s, path);
}

void stats_note(struct stats *s, const char *path, const struct stat_id *id, const struct digest *d)
{
	struct stat_entry *entry = entry_find(s, path);

	if (entry == NULL)
		entry = entry_add(s, path);
	remember(s, entry, id, clock_wall_ns(), d);
	forget_parents(s, path);
}

/* What is below it is not looked for: that would take as long as there are entries, for each folder that a run makes. */
void stats_forget(struct stats *s, const char *path)
{
	uint32_t *since = map_get(&s->forgotten, path);

	forget_one(s, path);
	forget_parents(s, path);
	if (since == NULL)
		map_put(&s->forgotten, arena_strdup(&s->arena, path), s->now);
	else
		*since = s->now;
	s->now++;
}

static int save_entry(struct db *db, const struct stat_entry *entry, struct err *e)
{
	struct sqlite3_stmt *q = NULL;

	if (db_prepare(db, SLOT_FILE_PUT,
		    "INSERT OR REPLACE INTO file(path, dev, ino, size, mtime_ns, ctime_ns, "
		    "seen_ns, "
		    "digest) VALUES(?,?,?,?,?,?,?,?)",
		    &q, e) < 0)
		return e->code;
	db_bind_text(q, 1, entry->path);
	db_bind_int(q, 2, (int64_t)entry->id.dev);
	db_bind_int(q, 3, (int64_t)entry->id.ino);
	db_bind_int(q, 4, (int64_t)entry->id.size);
	db_bind_int(q, 5, entry->id.mtime_ns);
	db_bind_int(q, 6, entry->id.ctime_ns);
	db_bind_int(q, 7, entry->seen_ns);
	db_bind_blob(q, 8, entry->digest.bytes, DIGEST_SIZE);
	return db_run(db, q, e);
}

int stats_save(struct stats *s, struct db *db, struct err *e)
{
	size_t i;

	for (i = 0; i < s->dirty.count; i++) {
		struct stat_entry *entry = &s->items[s->dirty.items[i]];

		if (save_entry(db, entry, e) < 0)
			return e->code;
		entry->dirty = false;
	}
	s->dirty.count = 0;
	return 0;
}

void stats_release(struct stats *s)
{
	vec_release(s);
	vec_release(&s->dirty);
	map_release(&s->by_path);
	map_release(&s->forgotten);
	arena_release(&s->arena);
}
