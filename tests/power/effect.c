#include "effect.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static FILE *out;

void effect_log(FILE *file)
{
	out = file;
}

static void line(char letter, const char *format, ...)
{
	struct timespec now;
	va_list list;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)fprintf(out, "%lld %c ", (long long)now.tv_sec * 1000000000 + now.tv_nsec, letter);
	va_start(list, format);
	(void)vfprintf(out, format, list);
	va_end(list);
	(void)fputc('\n', out);
}

static const char *hex(const char *text)
{
	static char both[2][2 * PATH_MAX + 1];
	static int turn;
	char *at = both[turn ^= 1];
	size_t i;

	for (i = 0; text[i] != '\0'; i++)
		(void)sprintf(at + 2 * i, "%02x", (unsigned char)text[i]);
	at[2 * i] = '\0';
	return at;
}

/* Bytes that the file holds now: nobody else is writing. */
static void log_bytes(const struct call *c, int fd, int64_t offset, size_t len)
{
	char magic[PLACE_FD_ROOM], *data = malloc(len);
	int file = open(place_fd(magic, c->pid, fd), O_RDONLY | O_CLOEXEC);

	if (data == NULL || file < 0 || pread(file, data, len, offset) != (ssize_t)len)
		die("cannot read what was written");
	close(file);
	line('W', "%llu %lld %zu", (unsigned long long)c->ino, (long long)offset, len);
	(void)fwrite(data, 1, len, out);
	(void)fputc('\n', out);
	free(data);
}

static void log_size(const struct call *c, int fd)
{
	char magic[PLACE_FD_ROOM];
	struct stat st;

	if (stat(place_fd(magic, c->pid, fd), &st) == 0)
		line('T', "%llu %lld", (unsigned long long)c->ino, (long long)st.st_size);
}

static void log_clone(const struct call *c, int fd)
{
	char magic[PLACE_FD_ROOM];
	struct stat st;

	if (stat(place_fd(magic, c->pid, fd), &st) == 0 && st.st_size > 0)
		log_bytes(c, fd, 0, (size_t)st.st_size);
}

static void log_made(const struct call *c, char letter, int dir, uint64_t address, const char *target)
{
	struct stat st;
	uint64_t ino = place_ino(c->pid, dir, address, &st);

	if (letter == 'S')
		line('S', "%llu %s %llu %s", (unsigned long long)c->to.dir, hex(c->to.name), (unsigned long long)ino, hex(target));
	else
		line(letter, "%llu %s %llu %o", (unsigned long long)c->to.dir, hex(c->to.name), (unsigned long long)ino,
			(unsigned)st.st_mode & 07777);
}

static void log_opened(struct call *c, int fd)
{
	struct stat st;
	char magic[PLACE_FD_ROOM];

	if (stat(place_fd(magic, c->pid, fd), &st) < 0 || !S_ISREG(st.st_mode))
		return;
	c->ino = st.st_ino;
	if (!c->was_there)
		line('C', "%llu %s %llu %o", (unsigned long long)c->to.dir, hex(c->to.name), (unsigned long long)st.st_ino,
			(unsigned)st.st_mode & 07777);
	else if (st.st_size == 0)
		log_size(c, fd);
}

static void log_stat(const struct call *c, char letter, int dir, uint64_t address)
{
	struct stat st;
	uint64_t ino = place_ino(c->pid, dir, address, &st);

	if (letter == 'M')
		line('M', "%llu %o", (unsigned long long)ino, (unsigned)st.st_mode & 07777);
	else
		line('N', "%llu", (unsigned long long)ino);
}

static void log_stat_fd(const struct call *c, char letter, int fd)
{
	char magic[PLACE_FD_ROOM];
	struct stat st;

	if (stat(place_fd(magic, c->pid, fd), &st) < 0)
		return;
	if (letter == 'M')
		line('M', "%llu %o", (unsigned long long)c->ino, (unsigned)st.st_mode & 07777);
	else
		line('N', "%llu", (unsigned long long)c->ino);
}

void effect_widen(struct call *c)
{
	uint64_t *a = c->args;

	switch (c->number) {
	case SYS_creat:
		c->number = SYS_openat;
		a[3] = a[1], a[2] = O_CREAT | O_TRUNC | O_WRONLY, a[1] = a[0], a[0] = (uint64_t)AT_FDCWD;
		break;
	case SYS_open: c->number = SYS_openat; a[2] = a[1], a[1] = a[0], a[0] = (uint64_t)AT_FDCWD; break;
	case SYS_mkdir: c->number = SYS_mkdirat; a[1] = a[0], a[0] = (uint64_t)AT_FDCWD; break;
	case SYS_rmdir:
	case SYS_unlink: c->number = SYS_unlinkat; a[1] = a[0], a[0] = (uint64_t)AT_FDCWD; break;
	case SYS_chmod: c->number = SYS_fchmodat; a[1] = a[0], a[0] = (uint64_t)AT_FDCWD; break;
	case SYS_symlink: c->number = SYS_symlinkat; a[2] = a[1], a[1] = (uint64_t)AT_FDCWD; break;
	case SYS_renameat2:
	case SYS_renameat: c->number = SYS_renameat; break;
	case SYS_rename:
	case SYS_link:
		c->number = c->number == SYS_link ? SYS_linkat : SYS_renameat;
		a[3] = a[1], a[1] = a[0], a[0] = a[2] = (uint64_t)AT_FDCWD;
		break;
	default: break;
	}
	c->is_sync = c->number == SYS_fsync || c->number == SYS_fdatasync || c->number == SYS_syncfs || c->number == SYS_sync;
}

static int concerns(struct call *c)
{
	uint64_t *a = c->args;
	struct stat st;

	switch (c->number) {
	case SYS_openat:
		place_of(&c->to, c->pid, (int)a[0], a[1]);
		c->was_there = c->to.is_ours && place_ino(c->pid, (int)a[0], a[1], &st) != 0;
		return c->to.is_ours;
	case SYS_mkdirat: place_of(&c->to, c->pid, (int)a[0], a[1]); return c->to.is_ours;
	case SYS_symlinkat: place_of(&c->to, c->pid, (int)a[1], a[2]); return c->to.is_ours;
	case SYS_unlinkat: place_of(&c->from, c->pid, (int)a[0], a[1]); return c->from.is_ours;
	case SYS_fchmodat:
	case SYS_utimensat:
		if (a[1] == 0)
			return (c->ino = place_ino_of_fd(c->pid, (int)a[0])) != 0;
		place_of(&c->to, c->pid, (int)a[0], a[1]);
		return c->to.is_ours;
	case SYS_renameat:
	case SYS_linkat:
		place_of(&c->from, c->pid, (int)a[0], a[1]);
		place_of(&c->to, c->pid, (int)a[2], a[3]);
		return c->from.is_ours || c->to.is_ours;
	case SYS_copy_file_range: return (c->ino = place_ino_of_fd(c->pid, (int)a[2])) != 0;
	case SYS_sync: return 1;
	default: return (c->ino = place_ino_of_fd(c->pid, (int)a[0])) != 0;
	}
}

int effect_begins(struct call *c)
{
	static unsigned serial;

	if (!concerns(c))
		return 0;
	if (c->is_sync) {
		c->serial = ++serial;
		line('K', "%llu %u", (unsigned long long)(c->number == SYS_sync || c->number == SYS_syncfs ? 0 : c->ino), c->serial);
	}
	return 1;
}

static void log_written(struct call *c, int64_t result)
{
	uint64_t *a = c->args;
	int is_range = c->number == SYS_copy_file_range, fd = (int)a[is_range ? 2 : 0];
	int64_t at;

	if (result <= 0)
		return;
	if (c->number == SYS_pwrite64 || c->number == SYS_pwritev)
		at = (int64_t)a[3];
	else
		at = place_position(c->pid, fd) - result;
	if (is_range && a[3] != 0) { /* the offset has been moved on */
		struct iovec here = { &at, sizeof at }, there = { (void *)(uintptr_t)a[3], sizeof at };

		if (process_vm_readv(c->pid, &here, 1, &there, 1, 0) != (ssize_t)sizeof at)
			die("cannot read an offset");
		at -= result;
	}
	log_bytes(c, fd, at, (size_t)result);
}

static void log_names(struct call *c)
{
	char target[PATH_MAX];
	uint64_t *a = c->args;
	struct stat st;

	switch (c->number) {
	case SYS_mkdirat: log_made(c, 'D', (int)a[0], a[1], ""); break;
	case SYS_symlinkat:
		if (place_text(c->pid, a[0], target) == 0)
			log_made(c, 'S', (int)a[1], a[2], target);
		break;
	case SYS_unlinkat: line('U', "%llu %s", (unsigned long long)c->from.dir, hex(c->from.name)); break;
	case SYS_linkat:
		if (c->from.is_ours && c->to.is_ours)
			line('L', "%llu %s %llu", (unsigned long long)c->to.dir, hex(c->to.name),
				(unsigned long long)place_ino(c->pid, (int)a[2], a[3], &st));
		break;
	case SYS_renameat:
		if (!c->from.is_ours || !c->to.is_ours)
			die("renamed into or out of the folder");
		line('R', "%llu %s %llu %s", (unsigned long long)c->from.dir, hex(c->from.name), (unsigned long long)c->to.dir,
			hex(c->to.name));
		break;
	default: break;
	}
}

/* The times that the call left at its file; at both ends of a sync there is nothing to tell. */
static void log_times(const struct call *c, int64_t result)
{
	const uint64_t *a = c->args;
	char magic[PLACE_FD_ROOM];
	struct stat st;
	int fd = -1, known = 0;

	switch (c->number) {
	case SYS_mkdirat: known = place_ino(c->pid, (int)a[0], a[1], &st) != 0; break;
	case SYS_symlinkat: known = place_ino(c->pid, (int)a[1], a[2], &st) != 0; break;
	case SYS_linkat:
	case SYS_renameat: known = place_ino(c->pid, (int)a[2], a[3], &st) != 0; break;
	case SYS_fchmodat:
	case SYS_utimensat:
		if (a[1] != 0)
			known = place_ino(c->pid, (int)a[0], a[1], &st) != 0;
		else
			fd = (int)a[0];
		break;
	case SYS_openat: fd = (int)result; break;
	case SYS_copy_file_range: fd = (int)a[2]; break;
	case SYS_unlinkat: return;
	default: fd = (int)a[0];
	}
	if (fd >= 0)
		known = stat(place_fd(magic, c->pid, fd), &st) == 0;
	if (known && !c->is_sync)
		line('A', "%llu %lld %lld", (unsigned long long)st.st_ino, (long long)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
			(long long)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);
}

void effect_ended(struct call *c, int64_t result)
{
	uint64_t *a = c->args;

	if (result < 0)
		return;
	switch (c->number) {
	case SYS_openat: log_opened(c, (int)result); break;
	case SYS_fchmodat:
		log_stat(c, 'M', (int)a[0], a[1]);
		break;
	case SYS_utimensat:
		if (a[1] == 0)
			log_stat_fd(c, 'N', (int)a[0]);
		else
			log_stat(c, 'N', (int)a[0], a[1]);
		break;
	case SYS_fchmod: log_stat_fd(c, 'M', (int)a[0]); break;
	case SYS_ftruncate:
	case SYS_fallocate: log_size(c, (int)a[0]); break;
	case SYS_ioctl: log_clone(c, (int)a[0]); break;
	case SYS_write:
	case SYS_writev:
	case SYS_pwrite64:
	case SYS_pwritev:
	case SYS_sendfile:
	case SYS_copy_file_range: log_written(c, result); break;
	default:
		if (c->is_sync)
			line('k', "%u", c->serial);
		else
			log_names(c);
	}
	log_times(c, result);
}
