#include "store/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/path.h"
#include "base/vec.h"

#define CHUNK ((size_t)128 * 1024)
#define SMALL ((size_t)16 * 1024) /* on the stack */

struct listing {
	struct tree_entry *items;
	size_t count, cap;
	struct arena *arena;
	const struct tree_filter *filter; /* or NULL */
	bool is_project; /* the whole of it, but for its .flow, which changes all the time */
};

bool file_same(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static ssize_t read_some(int fd, char *into, size_t room)
{
	ssize_t n;

	do
		n = read(fd, into, room);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Most files of most folders: in one read, without memory of their own. The number of bytes read, negative when that failed. */
static int64_t hash_small(int fd, int64_t size, struct digest *out)
{
	char bytes[SMALL];
	ssize_t n = read_some(fd, bytes, sizeof bytes);

	if (n == size)
		digest_of(out, bytes, (size_t)size);
	return n;
}

/* Up to the known end: more than that is seen by who looks at the size again. */
static int64_t hash_large(int fd, int64_t size, struct digest *out)
{
	char *chunk = mem_alloc(CHUNK);
	struct hasher h;
	int64_t total = 0;
	ssize_t n = 0;

	hasher_init(&h);
	while (total < size && (n = read_some(fd, chunk, CHUNK)) > 0) {
		hasher_add(&h, chunk, (size_t)n);
		total += n;
	}
	hasher_end(&h, out);
	free(chunk);
	return n < 0 ? n : total;
}

int file_hash(int fd, const struct stat *before, struct digest *out, struct err *e)
{
	int64_t size = before->st_size;
	int64_t total =
		size < (int64_t)SMALL ? hash_small(fd, size, out) : hash_large(fd, size, out);
	struct stat after;

	if (total < 0)
		return err_system(e, "cannot read");
	if (fstat(fd, &after) < 0)
		return err_system(e, "cannot stat");
	if (!file_same(before, &after) || total != after.st_size)
		return err_set(e, ERR_INPUT, "changed while it was read");
	return 0;
}

/* Does a link at `path` (below the folder) point to something inside the folder? Step by step: how deep below it are we? */
static bool link_stays(const char *path, const char *target)
{
	size_t depth = 0, n;

	if (target[0] == '\0' || target[0] == '/')
		return false;
	for (; *path != '\0'; path++)
		depth += *path == '/';
	for (;; target += n + 1) {
		n = strcspn(target, "/");
		if (n == 2 && target[0] == '.' && target[1] == '.') {
			if (depth-- == 0)
				return false;
		} else if (n > 1 || (n == 1 && target[0] != '.')) {
			depth++;
		}
		if (target[n] == '\0')
			return true;
	}
}

static int read_link(
	int dir, const char *name, struct tree_entry *entry, struct arena *a, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);

	if (n < 0)
		return err_system(e, "cannot read link `%s`", entry->path);
	target[n] = '\0';
	if (!link_stays(entry->path, target))
		return err_set(e, ERR_POLICY, "link `%s` leaves the folder (it points to `%s`)",
			entry->path, target);
	entry->target = arena_strdup(a, target);
	return 0;
}

static int list_folder(
	struct listing *l, int fd, const char *prefix, unsigned depth, struct err *e);

static int list_file(struct listing *l, const struct tree_entry *entry, struct err *e)
{
	if (l->count >= TREE_ENTRIES_MAX)
		return err_set(e, ERR_INPUT, "has more than %u files", TREE_ENTRIES_MAX);
	vec_push(l, *entry);
	return 0;
}

static int list_entry(struct listing *l, int dir, const struct dirent *found, const char *prefix,
	unsigned depth, struct err *e)
{
	const char *name = found->d_name;
	struct tree_entry entry = { .path = path_below(l->arena, prefix, name) };

	if (l->filter != NULL && found->d_type == DT_REG &&
		l->filter->unseen(l->filter->user, entry.path))
		return list_file(l, &entry, e);
	if (fstatat(dir, name, &entry.st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_system(e, "cannot stat `%s`", entry.path);
	if (S_ISDIR(entry.st.st_mode)) {
		int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			return err_system(e, "cannot open folder `%s`", entry.path);
		return list_folder(l, fd, entry.path, depth + 1, e);
	}
	if (S_ISLNK(entry.st.st_mode)) {
		if (read_link(dir, name, &entry, l->arena, e) < 0)
			return e->code;
	} else if (!S_ISREG(entry.st.st_mode)) {
		return err_set(e, ERR_POLICY, "`%s` is neither a file nor a folder", entry.path);
	}
	return list_file(l, &entry, e);
}

/* fd is closed. */
static int list_folder(struct listing *l, int fd, const char *prefix, unsigned depth, struct err *e)
{
	DIR *d = fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (d == NULL) {
		close(fd);
		return err_system(e, "cannot read folder `%s`", prefix);
	}
	if (depth > TREE_DEPTH_MAX)
		rc = err_set(e, ERR_INPUT, "folders are nested more than %u deep", TREE_DEPTH_MAX);
	while (rc == 0 && (entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			(depth > 0 || !l->is_project || strcmp(entry->d_name, ".flow") != 0))
			rc = list_entry(l, dirfd(d), entry, prefix, depth, e);
	closedir(d);
	return rc;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct tree_entry *)a)->path, ((const struct tree_entry *)b)->path);
}

int tree_list(int dir, const char *path, struct arena *a, struct tree_entry **entries,
	size_t *count, struct err *e)
{
	return tree_list_some(dir, path, NULL, a, entries, count, e);
}

int tree_list_some(int dir, const char *path, const struct tree_filter *filter, struct arena *a,
	struct tree_entry **entries, size_t *count, struct err *e)
{
	struct listing l = { .arena = a, .filter = filter, .is_project = strcmp(path, ".") == 0 };
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_system(e, "cannot open folder `%s`", path);
	rc = list_folder(&l, fd, "", 0, e);
	if (rc == 0) {
		if (l.count > 1)
			qsort(l.items, l.count, sizeof *l.items, by_path);
		*entries = arena_dup(a, l.items, l.count * sizeof *l.items);
		*count = l.count;
	} else {
		err_context(e, "`%s`", path);
	}
	vec_release(&l);
	return rc;
}

/* A name on one line: what would end the line or the name is written as \n, \t and \\. */
static void add_name(struct buf *out, const char *name)
{
	for (; *name != '\0'; name++) {
		const char *at = strchr("\n\t\\", *name);

		if (at != NULL) {
			buf_char(out, '\\');
			buf_char(out, *at == '\n' ? 'n' : *at == '\t' ? 't' : '\\');
		} else {
			buf_char(out, *name);
		}
	}
}

void manifest_add(struct buf *out, const struct tree_entry *entry, const struct digest *d)
{
	char hex[DIGEST_HEX];

	if (entry->target != NULL)
		buf_str(out, "120000 - 0 ");
	else
		buf_printf(out, "%s %s %llu ",
			(entry->st.st_mode & 0111) != 0 ? "100755" : "100644", digest_hex(d, hex),
			(unsigned long long)entry->st.st_size);
	add_name(out, entry->path);
	if (entry->target != NULL) {
		buf_char(out, '\t');
		add_name(out, entry->target);
	}
	buf_char(out, '\n');
}

/* The next blank-separated word of a line, ended in place. */
static char *word(char **at)
{
	char *p = *at, *end = strchr(p, ' ');

	if (end == NULL)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return p;
}

/* Take back what add_name() did, in place. */
static bool read_name(char *name)
{
	char *to = name;

	for (; *name != '\0'; name++) {
		if (*name == '\\') {
			name++;
			if (*name != 'n' && *name != 't' && *name != '\\')
				return false;
			*to++ = (char)(*name == 'n' ? '\n' : *name == 't' ? '\t' : '\\');
		} else {
			*to++ = *name;
		}
	}
	*to = '\0';
	return true;
}

static bool path_is_plain(const char *path)
{
	const char *p = path;

	if (path[0] == '\0' || path[0] == '/')
		return false;
	for (;;) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (p[n] == '\0')
			return true;
		p += n + 1;
	}
}

/* What is left of the line: the path and, for a link, its target. */
static bool read_names(char *at, struct manifest_line *line)
{
	char *target = strchr(at, '\t');

	if ((target != NULL) != (line->mode == 0120000))
		return false;
	if (target != NULL)
		*target++ = '\0';
	line->path = at;
	line->target = target;
	if (!read_name(at) || !path_is_plain(at))
		return false;
	return target == NULL || (read_name(target) && link_stays(at, target));
}

static bool read_line(char *at, struct manifest_line *line)
{
	const char *mode = word(&at), *size;
	struct digest d;
	char *end;

	line->digest = mode != NULL ? word(&at) : NULL;
	size = line->digest != NULL ? word(&at) : NULL;
	if (size == NULL || size[0] < '0' || size[0] > '9')
		return false;
	errno = 0;
	line->size = strtoull(size, &end, 10);
	line->mode = strcmp(mode, "100644") == 0   ? 0100644
		     : strcmp(mode, "100755") == 0 ? 0100755
		     : strcmp(mode, "120000") == 0 ? 0120000
						   : 0;
	if (*end != '\0' || errno != 0 || line->size > INT64_MAX || line->mode == 0)
		return false;
	if (line->mode == 0120000 ? strcmp(line->digest, "-") != 0
				  : !digest_parse(&d, line->digest))
		return false;
	return read_names(at, line);
}

bool manifest_next(char **text, struct manifest_line *line, bool *bad)
{
	char *at = *text, *end = strchr(at, '\n');

	if (at[0] == '\0')
		return false;
	*bad = true;
	if (end == NULL)
		return false;
	*end = '\0';
	*text = end + 1;
	*bad = !read_line(at, line);
	return !*bad;
}
