#include "store/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "plan/past.h"
#include "store/objects.h"
#include "store/tree.h"

static int by_digest(const void *a, const void *b)
{
	return memcmp(((const struct shelved *)a)->digest.bytes,
		((const struct shelved *)b)->digest.bytes, DIGEST_SIZE);
}

static bool read_name(const char *shard, const char *name, struct digest *out)
{
	char hex[DIGEST_HEX];

	if (strlen(name) != DIGEST_HEX - 3)
		return false;
	(void)snprintf(hex, sizeof hex, "%.2s%s", shard, name);
	return digest_parse(out, hex);
}

static void add(struct shelf *s, const struct digest *d, const struct stat *st, int64_t young_ns)
{
	struct shelved item = { .digest = *d,
		.size = (uint64_t)st->st_size,
		.is_writable = (st->st_mode & 0222) != 0,
		.is_linked = st->st_nlink > 1,
		.mtime_ms = st->st_mtim.tv_sec * INT64_C(1000) + st->st_mtim.tv_nsec / 1000000,
		.is_young =
			st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec > young_ns };

	s->bytes += (uint64_t)st->st_size;
	vec_push(s, item);
}

static int read_shard(struct shelf *s, const char *shard, int64_t young_ns, struct err *e)
{
	char path[16];
	struct dirent *entry;
	struct digest d;
	struct stat st;
	DIR *dir;
	int fd;

	(void)snprintf(path, sizeof path, "objects/%s", shard);
	fd = openat(s->objects->store_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_system(e, "cannot open `%s` of the store", path);
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return err_system(e, "cannot read `%s` of the store", path);
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (!read_name(shard, entry->d_name, &d) ||
			fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(st.st_mode))
			s->strangers++;
		else
			add(s, &d, &st, young_ns);
	}
	closedir(dir);
	return 0;
}

int shelf_read(struct shelf *s, const struct objects *o, int64_t young_ns, struct err *e)
{
	unsigned i;

	*s = (struct shelf){ .objects = o, .text = mem_zalloc(sizeof *s->text) };
	for (i = 0; i < 256; i++) {
		char shard[3];
		size_t first = s->count;

		(void)snprintf(shard, sizeof shard, "%02x", i);
		s->shards[i] = first;
		if (read_shard(s, shard, young_ns, e) < 0)
			return e->code;
		if (s->count > first)
			qsort(s->items + first, s->count - first, sizeof *s->items, by_digest);
	}
	s->shards[256] = s->count;
	return 0;
}

struct shelved *shelf_find(const struct shelf *s, const struct digest *d)
{
	size_t first = s->shards[d->bytes[0]], count = s->shards[d->bytes[0] + 1] - first;
	struct shelved wanted = { .digest = *d };

	return count > 0 ? bsearch(&wanted, s->items + first, count, sizeof wanted, by_digest)
			 : NULL;
}

static void claim(void *user, struct shelved *item, const struct digest *d, uint64_t size)
{
	struct shelf *s = user;

	(void)d;
	(void)size;
	if (item != NULL && item->claims++ == 0)
		s->claimed += item->size;
}

static void unclaim(void *user, struct shelved *item, const struct digest *d, uint64_t size)
{
	struct shelf *s = user;

	(void)d;
	(void)size;
	if (item != NULL && item->claims > 0 && --item->claims == 0)
		s->claimed -= item->size;
}

/* The files of a folder, by its manifest. */
static bool each_file(
	const struct shelf *s, const struct digest *manifest, shelf_found *found, void *user)
{
	struct manifest_line line;
	struct digest d;
	struct err e;
	bool bad = false;
	char *at;

	if (object_read(s->objects, manifest, MANIFEST_MAX, s->text, &e) < 0)
		return false;
	at = s->text->data;
	while (at != NULL && manifest_next(&at, &line, &bad))
		if (line.target == NULL && digest_parse(&d, line.digest))
			found(user, shelf_find(s, &d), &d, line.size);
	return !bad;
}

bool shelf_each(const struct shelf *s, const struct made *made, shelf_found *found, void *user)
{
	bool is_folder = (made->mode & MADE_FOLDER) != 0;

	if ((made->mode & MADE_ABSENT) != 0)
		return true;
	found(user, shelf_find(s, &made->digest), &made->digest,
		is_folder ? UINT64_MAX : made->size);
	return !is_folder || each_file(s, &made->digest, found, user);
}

void shelf_claim(struct shelf *s, const struct made *made)
{
	struct shelved *item =
		(made->mode & MADE_ABSENT) == 0 ? shelf_find(s, &made->digest) : NULL;

	if (item == NULL)
		return;
	claim(s, item, NULL, 0);
	if ((made->mode & MADE_FOLDER) != 0 && item->folders++ == 0)
		(void)each_file(s, &made->digest, claim, s);
}

void shelf_unclaim(struct shelf *s, const struct made *made)
{
	struct shelved *item =
		(made->mode & MADE_ABSENT) == 0 ? shelf_find(s, &made->digest) : NULL;

	if (item == NULL)
		return;
	unclaim(s, item, NULL, 0);
	if ((made->mode & MADE_FOLDER) != 0 && item->folders > 0 && --item->folders == 0)
		(void)each_file(s, &made->digest, unclaim, s);
}

void shelf_claim_one(struct shelf *s, const struct digest *d, bool give_up)
{
	(give_up ? unclaim : claim)(s, shelf_find(s, d), d, 0);
}

/* Does it begin as a manifest does? One that does by chance and is none claims no file that is not there. */
static bool looks_like_manifest(const struct shelf *s, const struct digest *d)
{
	char path[80], head[7] = "";
	int fd = openat(
		s->objects->store_fd, object_path(d, path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, head, sizeof head) : -1;

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)sizeof head &&
	       (memcmp(head, "100644 ", 7) == 0 || memcmp(head, "100755 ", 7) == 0 ||
		       memcmp(head, "120000 ", 7) == 0);
}

void shelf_claim_source(struct shelf *s, const struct digest *d, bool give_up)
{
	struct made made = { .digest = *d };

	if (shelf_find(s, d) == NULL)
		return;
	made.mode = looks_like_manifest(s, d) ? MADE_FOLDER : 0;
	if (give_up)
		shelf_unclaim(s, &made);
	else
		shelf_claim(s, &made);
}

int shelf_remove(struct shelf *s, size_t at, struct err *e)
{
	char path[80];

	object_path(&s->items[at].digest, path);
	if (unlinkat(s->objects->store_fd, path, 0) < 0 && errno != ENOENT)
		return err_system(e, "cannot remove `%s` of the store", path);
	return 0;
}

void shelf_release(struct shelf *s)
{
	if (s->text != NULL)
		buf_release(s->text);
	free(s->text);
	vec_release(s);
	s->text = NULL;
}
