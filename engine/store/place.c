#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "store/objects.h"

/* A name in objects/tmp that no other thread or process uses, be it one of another project, or dead. */
void place_temp(char name[64])
{
	static atomic_uint serial;
	static atomic_uint_fast64_t token;
	uint_fast64_t none = 0, fresh;

	if (atomic_load(&token) == 0 && getrandom(&fresh, sizeof fresh, 0) == sizeof fresh)
		(void)atomic_compare_exchange_strong(&token, &none, fresh | 1);
	(void)snprintf(name, 64, "objects/tmp/%ld.%llx.%u", (long)getpid(),
		(unsigned long long)atomic_load(&token), atomic_fetch_add(&serial, 1));
}

/* All of `from`; `to` is closed. */
int place_bytes(int from, int to, mode_t mode, struct err *e)
{
	int rc = lseek(from, 0, SEEK_SET) < 0 ? err_system(e, "cannot seek")
					      : file_copy_bytes(from, to, e);

	if (rc == 0 && fchmod(to, mode) < 0)
		rc = err_system(e, "cannot set the mode of a copy");
	if (close(to) < 0 && rc == 0)
		rc = err_system(e, "cannot close a copy");
	return rc;
}

/* From its temporary name to its own; a folder that somebody put there gives way. */
int place_rename(const struct objects *o, const char *temp, const char *path, struct err *e)
{
	if (renameat(o->store_fd, temp, o->store_fd, path) == 0)
		return 0;
	if (errno == EISDIR && tree_remove(o->store_fd, path, e) == 0 &&
		renameat(o->store_fd, temp, o->store_fd, path) == 0)
		return 0;
	return err_system(e, "cannot rename an object");
}

/* A file system that cannot is asked once. */
static atomic_int reflinks; /* 1: they work here, -1: they do not */

/* Shared blocks instead of bytes; `to` is closed. 0, or 1 where that is not to be had. */
static int clone_whole(int from, int to, mode_t mode)
{
	int rc = ioctl(to, FICLONE, from) < 0 || fchmod(to, mode) < 0;

	atomic_store(&reflinks, rc == 0 ? 1 : -1);
	(void)close(to);
	return rc;
}

/* A file of its own under the object's name, with the bytes of `from`: to a temporary name first, then renamed. 1: only a
 * clone was wanted, and cannot be had. */
int place_copy(const struct objects *o, int from, const char *path, mode_t mode, bool only_clone,
	struct err *e)
{
	char temp[64];
	int to, rc;

	if (only_clone && atomic_load(&reflinks) < 0)
		return 1;
	place_temp(temp);
	to = openat(o->store_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (to < 0)
		return err_system(e, "cannot create `%s` in the store", temp);
	rc = only_clone ? clone_whole(from, to, mode) : place_bytes(from, to, mode, e);
	if (rc == 0)
		rc = place_rename(o, temp, path, e);
	if (rc != 0)
		(void)unlinkat(o->store_fd, temp, 0);
	return rc;
}

/* The next kind of link to be tried; LINK_NONE at the end. */
enum link_kind place_kind(const struct objects *o, unsigned i)
{
	if (i >= LINK_KINDS)
		return LINK_NONE;
	return o->links[0] != LINK_NONE ? (enum link_kind)o->links[i] : (enum link_kind)(i + 1);
}

/* Tried once with a file that is thrown away: what is in the store already must not be replaced by what is not on the disk yet. */
bool place_can_clone(const struct objects *o, int from)
{
	char temp[64];
	int to;

	if (atomic_load(&reflinks) == 0) {
		place_temp(temp);
		to = openat(o->store_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
		if (to >= 0) {
			(void)clone_whole(from, to, 0400);
			(void)unlinkat(o->store_fd, temp, 0);
		}
	}
	return atomic_load(&reflinks) > 0;
}

/* The mode of a copy: read-only where other outs are hard links, so that all behave alike. */
mode_t place_mode(const struct objects *o, unsigned mode)
{
	bool has_links =
		o->links[0] == LINK_NONE || memchr(o->links, LINK_HARD, LINK_KINDS) != NULL;

	return mode & (has_links ? 0555 : 0777);
}
