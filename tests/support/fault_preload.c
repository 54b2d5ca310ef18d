/*
 * Preloaded into flow, makes one call of the coordinator fail: FLOW_TEST_FAULT=KIND:N:ERRNO. The N-th call of that kind returns -1
 * with that errno, or, for the errno 0, flow is killed there; `KIND:N+:ERRNO` means the N-th and all after it. KIND is write, create (open with O_CREAT), link, rename, mkdir,
 * unlink, sync (fsync, fdatasync, syncfs), dirsync (the same of a folder), mode (fchmod, fchmodat), symlink, truncate, open (without O_CREAT), time, or `any`
 * of them except open. FLOW_TEST_FAULT_LOG=FILE: how many calls of each kind there were, a line each, and calls of sync that
 * followed a failed one. Only regular files and folders are meant: pipes, sockets and terminals write as ever; and so do programs
 * of other names.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE, CREATE, LINK, RENAME, MKDIR, UNLINK, SYNC, DIRSYNC, MODE, SYMLINK, TRUNCATE, TIME, OPEN, KINDS };

static const char *const names[KINDS] = { "write", "create", "link", "rename", "mkdir", "unlink", "sync", "dirsync", "mode", "symlink", "truncate",
	"time", "open" };
static atomic_long counts[KINDS], any, syncs_after;
static atomic_int sync_failed;
static int wanted = -1, code, sticky, is_flow; /* wanted KINDS: any */
static long at;

__attribute__((constructor)) static void read_wish(void)
{
	const char *text = getenv("FLOW_TEST_FAULT");
	char kind[16];
	char plus = 0;
	int i;

	is_flow = strcmp(program_invocation_short_name, "flow") == 0;
	if (!is_flow || text == NULL)
		return;
	if (sscanf(text, "%15[^:]:%ld+:%d", kind, &at, &code) == 3)
		plus = '+';
	else if (sscanf(text, "%15[^:]:%ld:%d", kind, &at, &code) != 3)
		abort();
	sticky = plus == '+';
	for (i = 0; i < KINDS; i++)
		if (strcmp(kind, names[i]) == 0)
			wanted = i;
	if (strcmp(kind, "any") == 0)
		wanted = KINDS;
}

__attribute__((destructor)) static void write_log(void)
{
	const char *path = getenv("FLOW_TEST_FAULT_LOG");
	FILE *file = path != NULL && is_flow ? fopen(path, "w") : NULL;
	int i;

	if (file == NULL)
		return;
	for (i = 0; i < KINDS; i++)
		(void)fprintf(file, "%s %ld\n", names[i], (long)counts[i]);
	(void)fprintf(file, "any %ld\nsync-after-failure %ld\n", (long)any, (long)syncs_after);
	(void)fclose(file);
}

/* Is this the call that fails? */
static int fails(enum kind kind)
{
	long number, of_all;

	if (!is_flow)
		return 0;
	number = atomic_fetch_add(&counts[kind], 1) + 1;
	of_all = kind == OPEN ? 0 : atomic_fetch_add(&any, 1) + 1;
	if (kind == SYNC && sync_failed)
		atomic_fetch_add(&syncs_after, 1);
	if (wanted == KINDS)
		number = of_all;
	else if (wanted != (int)kind)
		return 0;
	if (number != at && !(sticky && number > at))
		return 0;
	if (code == 0)
		(void)raise(SIGKILL);
	if (kind == SYNC)
		sync_failed = 1;
	errno = code;
	return 1;
}

static int on_disk(int fd)
{
	struct stat st;
	int before = errno, is = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fd > 2;

	errno = before;
	return is;
}

#define REAL(result, name, ...) ((result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t len)
{
	return on_disk(fd) && fails(WRITE) ? -1 : REAL(ssize_t, write, int, const void *, size_t)(fd, data, len);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
	return on_disk(fd) && fails(WRITE) ? -1 : REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(fd, data, len, offset);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	return pwrite64(fd, data, len, offset);
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t len, unsigned flags)
{
	return fails(WRITE) ? -1
			    : REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned)(
				      in, in_at, out, out_at, len, flags);
}

static int open_as(const char *name, int dir, const char *path, int flags, mode_t mode)
{
	if (fails((flags & O_CREAT) != 0 ? CREATE : OPEN))
		return -1;
	if (strncmp(name, "openat", 6) == 0)
		return ((int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, name))(dir, path, flags, mode);
	return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name))(path, flags, mode);
}

static mode_t mode_of(int flags, va_list *list)
{
	return (flags & O_CREAT) != 0 ? va_arg(*list, mode_t) : 0;
}

#define OPENER(name) \
	int name(const char *path, int flags, ...) \
	{ \
		va_list list; \
		mode_t mode; \
		va_start(list, flags); \
		mode = mode_of(flags, &list); \
		va_end(list); \
		return open_as(#name, AT_FDCWD, path, flags, mode); \
	}
#define OPENER_AT(name) \
	int name(int dir, const char *path, int flags, ...) \
	{ \
		va_list list; \
		mode_t mode; \
		va_start(list, flags); \
		mode = mode_of(flags, &list); \
		va_end(list); \
		return open_as(#name, dir, path, flags, mode); \
	}
OPENER(open)
OPENER(open64)
OPENER_AT(openat)
OPENER_AT(openat64)

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	return fails(LINK) ? -1 : REAL(int, linkat, int, const char *, int, const char *, int)(from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return fails(RENAME) ? -1 : REAL(int, renameat, int, const char *, int, const char *)(from_dir, from, to_dir, to);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	return fails(MKDIR) ? -1 : REAL(int, mkdirat, int, const char *, mode_t)(dir, path, mode);
}

int unlinkat(int dir, const char *path, int flags)
{
	return fails(UNLINK) ? -1 : REAL(int, unlinkat, int, const char *, int)(dir, path, flags);
}

int unlink(const char *path)
{
	return fails(UNLINK) ? -1 : REAL(int, unlink, const char *)(path);
}

static enum kind sync_kind(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ? DIRSYNC : SYNC;
}

int fsync(int fd)
{
	return fails(sync_kind(fd)) ? -1 : REAL(int, fsync, int)(fd);
}

int fdatasync(int fd)
{
	return fails(sync_kind(fd)) ? -1 : REAL(int, fdatasync, int)(fd);
}

int syncfs(int fd)
{
	return fails(SYNC) ? -1 : REAL(int, syncfs, int)(fd);
}

int fchmod(int fd, mode_t mode)
{
	return fails(MODE) ? -1 : REAL(int, fchmod, int, mode_t)(fd, mode);
}

int symlinkat(const char *target, int dir, const char *path)
{
	return fails(SYMLINK) ? -1 : REAL(int, symlinkat, const char *, int, const char *)(target, dir, path);
}

int ftruncate64(int fd, off64_t len)
{
	return fails(TRUNCATE) ? -1 : REAL(int, ftruncate64, int, off64_t)(fd, len);
}

int ftruncate(int fd, off_t len)
{
	return ftruncate64(fd, len);
}

int utimensat(int dir, const char *path, const struct timespec times[2], int flags)
{
	return fails(TIME) ? -1 : REAL(int, utimensat, int, const char *, const struct timespec *, int)(dir, path, times, flags);
}
