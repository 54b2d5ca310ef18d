#include "store/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/failpoint.h"
#include "base/file.h"
#include "store/place.h"
#include "store/project.h"
#include "store/stats.h"
#include "store/tree.h"

struct objects objects_of(const struct project *p)
{
	struct objects o = { .root_fd = p->root_fd, .store_fd = p->store_fd };

	memcpy(o.links, p->links, sizeof o.links);
	return o;
}

const char *object_path(const struct digest *d, char path[80])
{
	char hex[DIGEST_HEX];

	digest_hex(d, hex);
	(void)snprintf(path, 80, "objects/%.2s/%s", hex, hex + 2);
	return path;
}

/* Folder objects/ab of an object. */
static int make_shard(const struct objects *o, const char *path, struct err *e)
{
	char folder[16];

	(void)snprintf(folder, sizeof folder, "%.10s", path);
	if (mkdirat(o->store_fd, folder, 0700) == 0 || errno == EEXIST)
		return 0;
	return err_system(e, "cannot make `.flow/%s`", folder);
}

/* The project and its .flow lie on different file systems: a copy beside the place, then renamed. */
static int copy_out(int from, mode_t mode, int dir, const char *path, struct err *e)
{
	char beside[PATH_MAX];
	int to, rc;

	if (snprintf(beside, sizeof beside, "%s.flow-%ld", path, (long)getpid()) >=
		(int)sizeof beside)
		return err_set(e, ERR_INPUT, "path is too long: `%.60s...`", path);
	to = openat(dir, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (to < 0)
		return err_system(e, "cannot create `%s`", beside);
	rc = place_bytes(from, to, mode, e);
	if (rc == 0 && renameat(dir, beside, dir, path) < 0)
		rc = err_system(e, "cannot put `%s` in its place", path);
	if (rc < 0)
		(void)unlinkat(dir, beside, 0);
	return rc;
}

static bool link_refused(int sys)
{
	return sys == EXDEV || sys == EPERM || sys == EMLINK || sys == EOPNOTSUPP || sys == ENOSYS;
}

static bool file_has_size(const struct objects *o, const struct digest *d, uint64_t size)
{
	char path[80];
	struct stat st;

	return fstatat(o->store_fd, object_path(d, path), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

static int link_to(const struct objects *o, int dir, const char *name, const char *path)
{
	return linkat(dir, name, o->store_fd, path, 0) == 0 ? 0 : errno;
}

/* A damaged object must never be served: out of the way with it. */
void object_quarantine(const struct objects *o, const struct digest *d)
{
	char path[80], to[80], hex[DIGEST_HEX];

	object_path(d, path);
	(void)snprintf(to, sizeof to, "quarantine/%s", digest_hex(d, hex));
	(void)renameat(o->store_fd, path, o->store_fd, to);
}

static int quarantine(const struct objects *o, const struct digest *d, struct err *e)
{
	char hex[DIGEST_HEX];

	object_quarantine(o, d);
	err_set(e, ERR_CORRUPT, "object %.12s is damaged; it was moved to quarantine",
		digest_hex(d, hex));
	return err_id(e, "E0503");
}

/* All its bytes are read. */
static bool check_file(const struct objects *o, const struct digest *d)
{
	struct digest found;
	struct stat st;
	char path[80];
	struct err e;
	bool whole;
	int fd = openat(o->store_fd, object_path(d, path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return false;
	whole = fstat(fd, &st) == 0 && file_hash(fd, &st, &found, &e) == 0 &&
		digest_same(&found, d);
	/* Its mode may have been lost as its bytes may. */
	if (whole && (st.st_mode & 0222) != 0)
		(void)fchmod(fd, (st.st_mode & 0111) != 0 ? 0555 : 0444);
	close(fd);
	if (!whole)
		object_quarantine(o, d);
	return whole;
}

/* Written since the machine was started, so that no power loss can have taken its bytes and left its size. (ctime says nothing: it
 * moves whenever one of the links to the file comes or goes.)
 */
static bool is_of_this_boot(const struct stat *st)
{
	int64_t written = st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec;
	int64_t now = clock_wall_ns();

	return written <= now && written >= now - clock_mono_ns();
}

/* Can what lies in the object's place stand for it? Of an earlier boot it may be one that no journal knows, left by a power loss. */
static bool is_sound(const struct objects *o, const char *path, const struct made *made)
{
	struct stat st;

	if (fstatat(o->store_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
		(uint64_t)st.st_size != made->size)
		return false;
	return is_of_this_boot(&st) || check_file(o, &made->digest);
}

/* What is being given its place in the store: the open file `fd`, which lies at dir/name. */
struct taking {
	int dir, fd;
	const char *name;
	mode_t mode; /* of the object */
	struct stat st;
	const struct made *made;
};

/* One file with two names, read-only under both. 1: refused here. */
static int link_in(const struct objects *o, const struct taking *t, const char *path, struct err *e)
{
	int sys;

	if ((t->st.st_mode & 07777) != t->mode && fchmod(t->fd, t->mode) < 0)
		return err_system(e, "cannot make it read-only");
	sys = FAILPOINT("object.link", NULL) < 0 ? errno : link_to(o, t->dir, t->name, path);
	if (sys == ENOENT) {
		if (make_shard(o, path, e) < 0)
			return e->code;
		sys = link_to(o, t->dir, t->name, path);
	} else if (sys == EEXIST && !is_sound(o, path, t->made)) {
		/* Cut short: the power went before its bytes were on the disk. Or no file at all. */
		if (tree_remove(o->store_fd, path, e) < 0)
			return e->code;
		sys = link_to(o, t->dir, t->name, path);
	}
	if (sys == 0 || sys == EEXIST || link_refused(sys))
		return link_refused(sys);
	errno = sys;
	return err_system(e, "cannot link an object");
}

/* A file of its own. What it was when it was hashed it must be still. 1: a clone was wanted, and cannot be had. */
static int own_in(const struct objects *o, const struct taking *t, const char *path, bool clone,
	struct err *e)
{
	struct stat now;
	int rc;

	if (clone && !place_can_clone(o, t->fd))
		return 1;
	if (is_sound(o, path, t->made))
		return 0;
	if (make_shard(o, path, e) < 0)
		return e->code;
	rc = place_copy(o, t->fd, path, t->mode, clone, e);
	if (rc == 0 && (fstat(t->fd, &now) < 0 || !file_same(&t->st, &now))) {
		(void)unlinkat(o->store_fd, path, 0);
		rc = err_set(e, ERR_INPUT, "changed while it was read");
	}
	return rc;
}

static int put_in(const struct objects *o, const struct taking *t, struct err *e)
{
	enum link_kind kind;
	char path[80];
	unsigned i;
	int rc = 1;

	object_path(&t->made->digest, path);
	for (i = 0; rc == 1 && (kind = place_kind(o, i)) != LINK_NONE; i++)
		rc = kind == LINK_HARD ? link_in(o, t, path, e)
				       : own_in(o, t, path, kind == LINK_REFLINK, e);
	if (rc <= 0)
		return rc;
	err_set(e, ERR_POLICY, "cannot be put into the store by any way of `cache.link`");
	return err_hint(e, "flow config cache.link reflink,hardlink,copy");
}

/* o NULL: it is looked at, and not put into the store. */
static int take_open(const struct objects *o, int dir, const char *name, int fd, struct made *made,
	struct stat_id *id, struct err *e)
{
	struct taking t = { .dir = dir, .fd = fd, .name = name, .made = made };
	struct stat st;

	if (fstat(fd, &t.st) < 0)
		return err_system(e, "cannot stat");
	if (!S_ISREG(t.st.st_mode))
		return err_set(e, ERR_POLICY, "is neither a regular file nor a folder");
	if (FAILPOINT("object.take", e) < 0 || file_hash(fd, &t.st, &made->digest, e) < 0)
		return e->code;
	t.mode = (t.st.st_mode & 0111) != 0 ? 0555 : 0444;
	made->size = (uint64_t)t.st.st_size;
	made->mode = (t.st.st_mode & 0111) != 0 ? 0755 : 0644;
	if (o != NULL && put_in(o, &t, e) < 0)
		return e->code;
	if (fstat(fd, &st) < 0)
		return err_system(e, "cannot stat");
	stat_id_of(id, &st);
	return 0;
}

static int take(const struct objects *o, int dir, const char *path, struct made *made,
	struct stat_id *id, struct err *e);

static int take_folder(
	const struct objects *o, int dir, const char *path, struct made *made, struct err *e)
{
	struct arena a = { 0 };
	struct buf manifest = { 0 };
	struct tree_entry *entries = NULL;
	size_t count = 0, i;
	int rc = tree_list(dir, path, &a, &entries, &count, e);

	made->size = 0;
	made->mode = MADE_FOLDER | 0755;
	for (i = 0; rc == 0 && i < count; i++) {
		struct made file = { .size = 0 };
		struct stat_id id;

		if (entries[i].target == NULL)
			rc = take(o, dir, arena_printf(&a, "%s/%s", path, entries[i].path), &file,
				&id, e);
		made->size += file.size;
		if (rc == 0)
			manifest_add(&manifest, &entries[i], &file.digest);
	}
	if (rc == 0 && o == NULL)
		digest_of(&made->digest, buf_text(&manifest), manifest.len);
	else if (rc == 0)
		rc = object_put(o, buf_text(&manifest), manifest.len, &made->digest, e);
	buf_release(&manifest);
	arena_release(&a);
	return rc;
}

static int take(const struct objects *o, int dir, const char *path, struct made *made,
	struct stat_id *id, struct err *e)
{
	int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc;
	struct stat st;

	memset(id, 0, sizeof *id);
	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return err_set(e, ERR_NOTFOUND, "`%s` is not there", path);
		if (errno == ELOOP)
			return err_set(e, ERR_POLICY,
				"`%s` is a symbolic link; an out must be a file or a folder", path);
		if (errno == ENXIO)
			return err_set(e, ERR_POLICY,
				"`%s` is a socket; an out must be a file or a folder", path);
		return err_system(e, "cannot open `%s`", path);
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		rc = take_folder(o, dir, path, made, e);
	else if ((rc = take_open(o, dir, path, fd, made, id, e)) < 0)
		err_context(e, "`%s`", path);
	close(fd);
	return rc;
}

int object_take(const struct objects *o, int dir, const char *path, struct made *made,
	struct stat_id *id, struct err *e)
{
	return take(o, dir, path, made, id, e);
}

int object_look(int dir, const char *path, struct made *made, struct stat_id *id, struct err *e)
{
	return take(NULL, dir, path, made, id, e);
}

/* Is it in the store, byte for byte? */
static bool is_whole(const struct objects *o, const struct digest *d, size_t len)
{
	struct buf text = { 0 };
	bool whole;
	struct err e;

	whole = file_has_size(o, d, len) && object_read(o, d, len, &text, &e) == 0;
	buf_release(&text);
	return whole;
}

int object_put(
	const struct objects *o, const void *data, size_t len, struct digest *out, struct err *e)
{
	char path[80], temp[64];
	int rc;

	digest_of(out, data, len);
	object_path(out, path);
	if (is_whole(o, out, len))
		return 0;
	place_temp(temp);
	rc = FAILPOINT("object.put", e) < 0 ? e->code : make_shard(o, path, e);
	if (rc == 0)
		rc = file_write_atomic(o->store_fd, temp, data, len, 0444, e);
	if (rc == 0)
		rc = place_rename(o, temp, path, e);
	if (rc < 0)
		(void)unlinkat(o->store_fd, temp, 0);
	return rc;
}

int object_read(const struct objects *o, const struct digest *d, size_t limit, struct buf *out,
	struct err *e)
{
	struct digest found;
	char path[80];

	buf_clear(out);
	if (file_read(out, o->store_fd, object_path(d, path), limit, e) < 0)
		return e->code;
	digest_of(&found, buf_text(out), out->len);
	if (!digest_same(&found, d))
		return err_set(e, ERR_CORRUPT, "object .flow/%s is damaged", path);
	return 0;
}

/* Every file of a folder, by its manifest. */
static bool folder_is_whole(const struct objects *o, const struct digest *d)
{
	struct buf text = { 0 };
	struct manifest_line line;
	struct digest file;
	struct err e;
	bool bad = object_read(o, d, MANIFEST_MAX, &text, &e) < 0;
	char *at = text.data;

	while (!bad && at != NULL && manifest_next(&at, &line, &bad))
		if (line.target == NULL)
			bad = !digest_parse(&file, line.digest) ||
			      !file_has_size(o, &file, line.size);
	buf_release(&text);
	return !bad;
}

bool object_has(const struct objects *o, const struct made *made)
{
	if ((made->mode & MADE_ABSENT) != 0)
		return true;
	if ((made->mode & MADE_FOLDER) != 0)
		return folder_is_whole(o, &made->digest);
	return file_has_size(o, &made->digest, made->size);
}

bool object_check(const struct objects *o, const struct made *made)
{
	struct buf text = { 0 };
	struct manifest_line line;
	struct digest file;
	bool bad = false, whole;
	struct err e;
	char *at;

	if ((made->mode & MADE_ABSENT) != 0)
		return true;
	whole = check_file(o, &made->digest);
	if (!whole || (made->mode & MADE_FOLDER) == 0)
		return whole;
	whole = object_read(o, &made->digest, MANIFEST_MAX, &text, &e) == 0;
	at = text.data;
	while (whole && at != NULL && manifest_next(&at, &line, &bad))
		if (line.target == NULL)
			whole = digest_parse(&file, line.digest) && check_file(o, &file);
	buf_release(&text);
	return whole && !bad;
}

/* A file of the store under a temporary name of the store, ready to be renamed. */
static int bring_out(const struct objects *o, int fd, const char *object, unsigned mode,
	const char *temp, struct err *e)
{
	enum link_kind kind;
	struct stat st;
	unsigned i;
	int rc = 1;

	for (i = 0; rc == 1 && (kind = place_kind(o, i)) != LINK_NONE; i++) {
		if (kind == LINK_REFLINK)
			rc = place_copy(o, fd, temp, mode & 0777, true, e);
		else if (kind == LINK_COPY)
			rc = place_copy(o, fd, temp, place_mode(o, mode), false, e);
		else if (fstat(fd, &st) == 0 && ((st.st_mode ^ mode) & 0100) == 0)
			rc = link_to(o, o->store_fd, object, temp) != 0;
	}
	return rc <= 0 ? rc : place_copy(o, fd, temp, place_mode(o, mode), false, e);
}

/* A file of the store beside the place where it goes, under a name that nobody uses, then in its place. */
static int set_down(const struct objects *o, int fd, const struct digest *d, unsigned mode, int dir,
	const char *path, struct err *e)
{
	char object[80], temp[64];
	int rc;

	place_temp(temp);
	rc = bring_out(o, fd, object_path(d, object), mode, temp, e);
	if (rc == 0 && renameat(o->store_fd, temp, dir, path) < 0)
		rc = errno == EXDEV ? copy_out(fd, place_mode(o, mode), dir, path, e)
				    : err_system(e, "cannot put `%s` in its place", path);
	/* rename() of two links to one file does nothing and leaves the temporary name. */
	(void)unlinkat(o->store_fd, temp, 0);
	return rc;
}

static int restore_file(const struct objects *o, const struct digest *d, unsigned mode, int dir,
	const char *path, struct err *e)
{
	char object[80];
	struct digest found;
	struct stat st;
	int fd = openat(o->store_fd, object_path(d, object), O_RDONLY | O_NOFOLLOW | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set(e, ERR_NOTFOUND, "object .flow/%s is not there", object);
	if (fstat(fd, &st) < 0 || file_hash(fd, &st, &found, e) < 0 || !digest_same(&found, d))
		rc = quarantine(o, d, e);
	else if ((rc = folder_make_parents(dir, path, 0777, e)) == 0)
		rc = set_down(o, fd, d, mode, dir, path, e);
	close(fd);
	return rc;
}

static int restore_line(const struct objects *o, const struct manifest_line *line, int dir,
	const char *path, struct err *e)
{
	struct digest d;

	if (line->target == NULL)
		return digest_parse(&d, line->digest)
			       ? restore_file(o, &d, line->mode, dir, path, e)
			       : err_set(e, ERR_CORRUPT, "a folder's manifest is damaged");
	if (folder_make_parents(dir, path, 0777, e) < 0)
		return e->code;
	if (symlinkat(line->target, dir, path) < 0)
		return err_system(e, "cannot make link `%s`", path);
	return 0;
}

/* All that the manifest lists, into dir/path, which is not there yet. */
static int fill_folder(
	const struct objects *o, const struct digest *d, int dir, const char *path, struct err *e)
{
	struct buf text = { 0 };
	struct arena a = { 0 };
	struct manifest_line line;
	bool bad = false;
	char *at;
	int rc = object_read(o, d, MANIFEST_MAX, &text, e);

	if (rc == 0)
		rc = folder_make(dir, path, 0777, e);
	at = text.data;
	while (rc == 0 && at != NULL && manifest_next(&at, &line, &bad))
		rc = restore_line(o, &line, dir, arena_printf(&a, "%s/%s", path, line.path), e);
	if (rc == 0 && bad)
		rc = err_set(e, ERR_CORRUPT, "the manifest of a folder is damaged");
	buf_release(&text);
	arena_release(&a);
	return rc;
}

/* Made whole apart, then put in the place of what lies there. */
static int restore_folder(
	const struct objects *o, const struct digest *d, const char *path, struct err *e)
{
	struct err ignored;
	char temp[64];
	int rc;

	place_temp(temp);
	rc = fill_folder(o, d, o->store_fd, temp, e);
	if (rc == 0)
		rc = folder_make_parents(o->root_fd, path, 0777, e);
	if (rc == 0)
		rc = tree_remove(o->root_fd, path, e);
	if (rc == 0 && renameat(o->store_fd, temp, o->root_fd, path) < 0)
		rc = errno == EXDEV ? fill_folder(o, d, o->root_fd, path, e)
				    : err_system(e, "cannot put `%s` in its place", path);
	(void)tree_remove(o->store_fd, temp, &ignored);
	return rc;
}

int object_restore(const struct objects *o, const struct made *made, const char *path,
	struct stat_id *id, struct err *e)
{
	struct stat st;

	memset(id, 0, sizeof *id);
	if ((made->mode & MADE_ABSENT) != 0)
		return tree_remove(o->root_fd, path, e);
	if ((made->mode & MADE_FOLDER) != 0)
		return restore_folder(o, &made->digest, path, e);
	if (fstatat(o->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
		tree_remove(o->root_fd, path, e) < 0)
		return e->code;
	if (restore_file(o, &made->digest, made->mode, o->root_fd, path, e) < 0)
		return e->code;
	if (fstatat(o->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		stat_id_of(id, &st);
	return 0;
}
