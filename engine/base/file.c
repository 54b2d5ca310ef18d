#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/failpoint.h"

#define CHUNK      ((size_t)128 * 1024)
#define COPY_AT_ONCE ((size_t)1 << 30)
#define PATH_LIMIT 4096
#define TREE_DEPTH 200 /* folders inside folders that tree_remove goes down */

int file_read_fd(struct buf *out, int fd, size_t limit, struct err *e)
{
	size_t total = 0;

	for (;;) {
		/* What is left of the room, so that a small file takes no more memory to see its end. */
		size_t room = out->cap > out->len + 1 ? out->cap - out->len - 1 : CHUNK;
		size_t want = limit - total + 1 < room ? limit - total + 1 : room;
		ssize_t n = read(fd, buf_room(out, want), want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_system(e, "cannot read");
		if (n == 0) {
			buf_add(out, "", 0); /* an empty file is the empty text */
			return 0;
		}
		total += (size_t)n;
		if (total > limit)
			return err_set(e, ERR_INPUT, "is larger than %zu bytes", limit);
		out->len += (size_t)n;
		out->data[out->len] = '\0';
	}
}

int file_read(struct buf *out, int dir, const char *path, size_t limit, struct err *e)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
	struct stat st;

	if (fd < 0) {
		int sys = errno;

		rc = err_system(e, "cannot open `%s`", path);
		if (sys == ENOENT || sys == ENOTDIR)
			rc = e->code = ERR_NOTFOUND;
		return rc;
	}
	if (fstat(fd, &st) < 0)
		rc = err_system(e, "cannot stat");
	else if (S_ISDIR(st.st_mode))
		rc = err_set(e, ERR_INPUT, "is a folder, not a file");
	else if (!S_ISREG(st.st_mode))
		rc = err_set(e, ERR_INPUT, "is not a regular file");
	else {
		(void)buf_room(out, (size_t)st.st_size < limit ? (size_t)st.st_size + 1 : 1);
		rc = file_read_fd(out, fd, limit, e);
	}
	if (rc < 0)
		rc = err_context(e, "`%s`", path);
	close(fd);
	return rc;
}

int file_write_all(int fd, const void *data, size_t len, struct err *e)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_system(e, "cannot write");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_copy_bytes(int from, int to, struct err *e)
{
	bool shares = true; /* blocks with the other file; between most file systems it cannot */

	for (;;) {
		ssize_t n = shares ? copy_file_range(from, NULL, to, NULL, COPY_AT_ONCE, 0)
				   : sendfile(to, from, NULL, COPY_AT_ONCE);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR && !shares)
			return err_system(e, "cannot copy");
		shares = shares && (n > 0 || errno == EINTR);
	}
}

int file_write_atomic(
	int dir, const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	char temp[PATH_LIMIT];
	int fd, rc;

	if (snprintf(temp, sizeof temp, "%s.tmp.%ld", path, (long)getpid()) >= (int)sizeof temp)
		return err_set(e, ERR_INPUT, "path is too long: `%.60s...`", path);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_system(e, "cannot create `%s`", path);
	rc = file_write_all(fd, data, len, e);
	if (close(fd) < 0 && rc == 0)
		rc = err_system(e, "cannot close");
	if (rc == 0)
		rc = FAILPOINT("file.rename", e);
	if (rc == 0 && renameat(dir, temp, dir, path) < 0)
		rc = err_system(e, "cannot rename");
	if (rc < 0) {
		(void)unlinkat(dir, temp, 0);
		return err_context(e, "`%s`", path);
	}
	return 0;
}

int folder_make(int dir, const char *path, mode_t mode, struct err *e)
{
	char part[PATH_LIMIT];
	size_t n;

	if (mkdirat(dir, path, mode) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return err_system(e, "cannot make folder `%s`", path);
	if (strlen(path) >= sizeof part)
		return err_set(e, ERR_INPUT, "path is too long: `%.60s...`", path);
	for (n = strcspn(path + 1, "/") + 1; path[n - 1] != '\0';
		n += strcspn(path + n + 1, "/") + 1) {
		memcpy(part, path, n);
		part[n] = '\0';
		if (mkdirat(dir, part, mode) < 0 && errno != EEXIST)
			return err_system(e, "cannot make folder `%s`", part);
		if (path[n] == '\0')
			break;
	}
	return 0;
}

int folder_make_parents(int dir, const char *path, mode_t mode, struct err *e)
{
	char folder[PATH_LIMIT];
	const char *slash = strrchr(path, '/');
	size_t n;

	if (slash == NULL || slash == path)
		return 0;
	n = (size_t)(slash - path);
	if (n >= sizeof folder)
		return err_set(e, ERR_INPUT, "path is too long: `%.60s...`", path);
	memcpy(folder, path, n);
	folder[n] = '\0';
	return folder_make(dir, folder, mode, e);
}

static int remove_below(int dir, const char *path, int depth, struct err *e);

/* Empty the folder `fd`, which is closed. */
static int remove_entries(int fd, int depth, struct err *e)
{
	DIR *d = fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (d == NULL) {
		close(fd);
		return err_system(e, "cannot read folder");
	}
	while (rc == 0 && (entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = remove_below(dirfd(d), entry->d_name, depth + 1, e);
	closedir(d);
	return rc;
}

static int remove_below(int dir, const char *path, int depth, struct err *e)
{
	int fd, rc;

	if (unlinkat(dir, path, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_system(e, "cannot remove `%s`", path);
	if (depth > TREE_DEPTH)
		return err_set(e, ERR_INPUT, "folders too deep to remove: `%s`", path);
	fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		/* A folder without permission to look into: give it to ourselves, once. */
		if (errno != EACCES || fchmodat(dir, path, 0700, 0) < 0 ||
			(fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) <
				0)
			return err_system(e, "cannot remove `%s`", path);
	}
	(void)fchmod(fd, 0700);
	rc = remove_entries(fd, depth, e);
	if (rc == 0 && unlinkat(dir, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		rc = err_system(e, "cannot remove folder `%s`", path);
	return rc;
}

int tree_remove(int dir, const char *path, struct err *e)
{
	return remove_below(dir, path, 0, e);
}

bool file_exists(int dir, const char *path)
{
	struct stat st;

	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static uint64_t bytes_below(int dir, const char *path, int depth)
{
	struct dirent *entry;
	struct stat st;
	uint64_t sum = 0;
	DIR *d;
	int fd;

	if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode) || depth > TREE_DEPTH)
		return (uint64_t)st.st_blocks * 512;
	fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return sum;
	}
	while ((entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			sum += bytes_below(dirfd(d), entry->d_name, depth + 1);
	closedir(d);
	return sum;
}

uint64_t tree_bytes(int dir, const char *path)
{
	return bytes_below(dir, path, 0);
}
