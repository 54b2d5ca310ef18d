#include "store/batch.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/parallel.h"
#include "base/vec.h"
#include "store/tree.h"

#define ALONE_FILES 32 /* fewer, and less, is read before a thread has begun */
#define ALONE_BYTES ((uint64_t)1 << 20)
#define TURN_FILES  32 /* of one folder: what a thread takes at once */

/* Neighbours in the list that lie in one folder. */
struct turn {
	size_t first, count;
};

struct turns {
	struct turn *items;
	size_t count, cap;
	struct batch *batch;
};

static int not_a_file(const char *path, struct err *e)
{
	err_set(e, ERR_INPUT, "`%s` is not a regular file", path);
	return err_id(e, "E0513");
}

static int read_open(int fd, const char *path, struct stat *st, struct digest *out, struct err *e)
{
	bool is_new = st->st_mode == 0;
	struct stat now;
	int rc;

	if (is_new && fstat(fd, st) < 0)
		return err_system(e, "cannot stat `%s`", path);
	if (!S_ISREG(st->st_mode))
		return not_a_file(path, e);
	rc = file_hash(fd, st, out, e);
	if (rc < 0 && !is_new && fstat(fd, &now) == 0 && S_ISREG(now.st_mode) &&
		!file_same(&now, st) && lseek(fd, 0, SEEK_SET) == 0)
		rc = file_hash(fd, &now, out, e);
	if (rc < 0)
		err_context(e, "`%s`", path);
	return rc;
}

/* `name` is what is opened, `path` what is told. */
static int read_at(int dir, const char *name, const char *path, struct stat *st, struct digest *out,
	struct err *e)
{
	int fd, rc;

	if (st->st_mode != 0 && !S_ISREG(st->st_mode))
		return not_a_file(path, e);
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		err_system(e, "cannot open `%s`", path);
		return err_id(e, "E0514");
	}
	rc = read_open(fd, path, st, out, e);
	close(fd);
	return rc;
}

int batch_read_one(int dir, const char *path, struct stat *st, struct digest *out, struct err *e)
{
	return read_at(dir, path, path, st, out, e);
}

void batch_add(struct batch *b, const char *path, struct stat *st)
{
	struct batch_file file = { .path = path, .st = st };

	vec_push(b, file);
	b->bytes += (uint64_t)st->st_size;
}

static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (size_t)(slash - path) : 0;
}

/* The folder of a turn, to open its files in; the batch's own for a single one. */
static int turn_folder(const struct batch *b, const struct turn *t, size_t len)
{
	char folder[PATH_MAX];

	if (t->count == 1 || len == 0 || len >= sizeof folder)
		return -1;
	memcpy(folder, b->items[t->first].path, len);
	folder[len] = '\0';
	return openat(b->dir, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void take_turn(void *user, size_t i)
{
	struct turns *turns = user;
	const struct turn *t = &turns->items[i];
	struct batch *b = turns->batch;
	size_t len = folder_length(b->items[t->first].path), at;
	int folder = turn_folder(b, t, len);

	for (at = t->first; at < t->first + t->count; at++) {
		struct batch_file *file = &b->items[at];
		struct err e;

		file->rc = read_at(folder >= 0 ? folder : b->dir,
			folder >= 0 ? file->path + len + 1 : file->path, file->path, file->st,
			&file->digest, &e);
	}
	if (folder >= 0)
		close(folder);
}

static bool in_one_folder(const char *a, const char *b)
{
	size_t len = folder_length(a);

	return len == folder_length(b) && memcmp(a, b, len) == 0;
}

static void share_out(struct turns *turns, const struct batch *b)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < b->count; i++) {
		struct turn *last = turns->count > 0 ? &turns->items[turns->count - 1] : NULL;

		if (last == NULL || last->count == TURN_FILES || bytes >= ALONE_BYTES ||
			!in_one_folder(b->items[last->first].path, b->items[i].path)) {
			vec_push(turns, ((struct turn){ i, 0 }));
			last = &turns->items[turns->count - 1];
			bytes = 0;
		}
		last->count++;
		bytes += (uint64_t)b->items[i].st->st_size;
	}
}

/* The largest first, so that no core is left with one at the end. */
static int by_size(const void *a, const void *b)
{
	const struct batch_file *x = a, *y = b;

	return (x->st->st_size < y->st->st_size) - (x->st->st_size > y->st->st_size);
}

void batch_read(struct batch *b)
{
	struct turns turns = { .batch = b };
	size_t i;

	if (b->bytes >= ALONE_BYTES)
		qsort(b->items, b->count, sizeof *b->items, by_size);
	share_out(&turns, b);
	if (b->count >= ALONE_FILES || b->bytes >= ALONE_BYTES)
		parallel_do(turns.count, take_turn, &turns);
	else
		for (i = 0; i < turns.count; i++)
			take_turn(&turns, i);
	vec_release(&turns);
}

void batch_release(struct batch *b)
{
	vec_release(b);
}
