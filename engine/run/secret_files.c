/*
 * Secrets in files: the outs of an attempt, and what is kept of a failed one. Part of run/secrets.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "run/secrets.h"

#define DEPTH_MOST 64 /* folders in folders that are looked into */
#define CHUNK      65536

/* What is done with each file: 1 found and nothing more to do, 0 go on, or an error. */
typedef int file_visitor(const struct secrets *s, int dir, const char *name, struct err *e);

/* Copy `from` to `to` without secrets; to -1: only look. 1: there was one. */
static int filter(const struct secrets *s, int from, int to, struct err *e)
{
	struct redaction stream = { 0 };
	struct buf out = { 0 };
	char chunk[CHUNK];
	ssize_t n = 0;
	int rc = 0;

	while (rc == 0 && (n = read(from, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = err_system(e, "cannot look for secrets in a file");
			break;
		}
		redact(&s->redactor, &stream, chunk, (size_t)n, &out);
		if (to >= 0)
			rc = file_write_all(to, buf_text(&out), out.len, e);
		else if (stream.found)
			break;
		buf_clear(&out);
	}
	redact_end(&s->redactor, &stream, &out);
	if (rc == 0 && to >= 0)
		rc = file_write_all(to, buf_text(&out), out.len, e);
	if (rc == 0)
		rc = stream.found;
	redaction_release(&stream);
	buf_release(&out);
	return rc;
}

static int scan_file(const struct secrets *s, int dir, const char *name, struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc;

	if (fd < 0)
		return 0; /* who stores it will say why it cannot be read */
	rc = filter(s, fd, -1, e);
	(void)close(fd);
	return rc;
}

/* One that cannot be read by its owner cannot be cleaned either, so it goes. */
static int scrub_file(const struct secrets *s, int dir, const char *name, struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), to = -1, rc;
	char clean[300];

	if (fd < 0)
		return unlinkat(dir, name, 0) == 0 || errno == ENOENT
			       ? 0
			       : err_system(e, "cannot remove `%.200s`", name);
	rc = filter(s, fd, -1, e);
	if (rc == 1) {
		(void)snprintf(clean, sizeof clean, ".clean.%ld", (long)getpid());
		to = openat(dir, clean, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (to < 0)
			rc = err_system(e, "cannot take secrets out of `%.200s`", name);
		else if (lseek(fd, 0, SEEK_SET) == 0)
			rc = filter(s, fd, to, e);
		if (rc >= 0 && renameat(dir, clean, dir, name) < 0)
			rc = err_system(e, "cannot take secrets out of `%.200s`", name);
	}
	if (to >= 0)
		(void)close(to);
	(void)close(fd);
	return rc < 0 ? rc : 0;
}

static int visit(const struct secrets *s, int dir, const char *name, unsigned depth,
	file_visitor *with, struct err *e)
{
	struct dirent *entry;
	struct stat st;
	DIR *folder;
	int fd, rc = 0;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISREG(st.st_mode))
		return with(s, dir, name, e);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth == DEPTH_MOST)
		return err_set(e, ERR_INPUT, "`%.200s` has too many folders in each other", name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (folder == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	while (rc == 0 && (entry = readdir(folder)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = visit(s, dirfd(folder), entry->d_name, depth + 1, with, e);
	closedir(folder);
	return rc;
}

int secrets_scan(const struct secrets *s, int dir, const char *path, struct err *e)
{
	return redactor_is_empty(&s->redactor) ? 0 : visit(s, dir, path, 0, scan_file, e);
}

int secrets_scrub(const struct secrets *s, int dir, const char *path, struct err *e)
{
	return redactor_is_empty(&s->redactor) ? 0 : visit(s, dir, path, 0, scrub_file, e);
}
