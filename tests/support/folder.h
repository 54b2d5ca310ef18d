/*
 * tests/support/folder.h - a temporary folder, and a project in it.
 *
 *     struct folder f;  folder_open(&f);  folder_write(&f, "raw/x.csv", "1,2");  ...f.fd, f.path...  folder_close(&f);
 * What cannot be done fails the test. folder_close() removes everything.
 */
#ifndef FLOW_TESTS_FOLDER_H
#define FLOW_TESTS_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

struct folder {
	char path[256];
	int fd;
	struct buf text; /* answer of folder_text */
};

/* The call went well; else the test fails with what it said. */
#define GOOD(call)                                                                                 \
	do {                                                                                       \
		if ((call) < 0)                                                                    \
			fail_msg("%s: %s", #call, e.text);                                         \
	} while (0)

static inline void folder_open(struct folder *f)
{
	const char *base = getenv("TMPDIR");

	memset(f, 0, sizeof *f);
	(void)snprintf(f->path, sizeof f->path, "%s/flow-test-XXXXXX", base != NULL && base[0] != '\0' ? base : "/tmp");
	assert_non_null(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
}

static inline void folder_close(struct folder *f)
{
	struct err e;

	(void)close(f->fd);
	(void)tree_remove(AT_FDCWD, f->path, &e);
	buf_release(&f->text);
}

static inline void folder_make_one(struct folder *f, const char *path)
{
	struct err e;

	GOOD(folder_make(f->fd, path, 0755, &e));
}

/* As a user's program does it: what was there is written over in place. */
static inline void folder_write_bytes(struct folder *f, const char *path, const void *data, size_t len)
{
	struct err e;
	int fd;

	GOOD(folder_make_parents(f->fd, path, 0755, &e));
	fd = openat(f->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		fail_msg("cannot write %s", path);
	GOOD(file_write_all(fd, data, len, &e));
	(void)close(fd);
}

static inline void folder_write(struct folder *f, const char *path, const char *text)
{
	folder_write_bytes(f, path, text, strlen(text));
}

static inline void folder_append_bytes(struct folder *f, const char *path, const void *data, size_t len)
{
	int fd = openat(f->fd, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct err e;

	assert_true(fd >= 0);
	GOOD(file_write_all(fd, data, len, &e));
	(void)close(fd);
}

static inline void folder_append(struct folder *f, const char *path, const char *text)
{
	folder_append_bytes(f, path, text, strlen(text));
}

/* The text of a file; "(none)" when it is not there. */
static inline const char *folder_text(struct folder *f, const char *path)
{
	struct err e;

	buf_clear(&f->text);
	if (file_read(&f->text, f->fd, path, (size_t)64 << 20, &e) < 0)
		return "(none)";
	return buf_text(&f->text);
}

static inline struct stat folder_stat(const struct folder *f, const char *path)
{
	struct stat st;

	if (fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s is not there", path);
	return st;
}

static inline unsigned folder_mode(const struct folder *f, const char *path)
{
	return folder_stat(f, path).st_mode & 07777;
}

/* Make a file look as if it had been written that many seconds ago; its ctime is now all the same. */
static inline void folder_age(const struct folder *f, const char *path, int seconds)
{
	struct timespec times[2];

	(void)clock_gettime(CLOCK_REALTIME, &times[0]);
	times[0].tv_sec -= seconds;
	times[1] = times[0];
	assert_int_equal(utimensat(f->fd, path, times, 0), 0);
}

static inline void folder_pause(int ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&pause, NULL);
}

#endif
