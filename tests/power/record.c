/*
 * Runs a program and writes down what it and all its children change below a folder:
 *
 *     power_record LOG FOLDER PROGRAM [ARGUMENT...]        its exit status
 *
 * A seccomp filter stops each process at the calls that change files or sync them; everything else runs at full speed. Of those
 * calls only one is under way at a time, all others wait, so that the order of the log is the order of the effects. Syncs alone do
 * not hold anybody up: their begin and their end are lines of their own. LOG is a line for each effect: nanoseconds (CLOCK_REALTIME),
 * a letter, numbers, names as hexadecimal digits; then, for `W`, that many bytes and a line end.
 *
 *     C dir name ino mode     a regular file is made      D dir name ino mode    a folder
 *     S dir name ino target   a symbolic link             L dir name ino         a further link to a file
 *     R dir name dir name     renamed                     U dir name             removed, a file or a folder
 *     W ino offset length     bytes are written           T ino size             cut or made longer
 *     M ino mode              N ino                       its times are set
 *     K ino number; K 0 number                            a sync of that inode, or of all, begins
 *     k number                it has ended well           A ino mtime ctime      the times (ns) of the file of the line before
 *
 * Inode numbers are those of the disk: one that is made anew (C D S) is a new file. What is written through a mapping is not seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRACEES 4096
#define OPTIONS \
	(PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
		PTRACE_O_EXITKILL)

/* A path of a call: the folder it lies in and its last name. */
struct place {
	uint64_t dir;
	char name[NAME_MAX + 1];
	int is_ours;
};

/* A call under way. */
struct call {
	pid_t pid;
	long number;
	uint64_t args[6];
	int waits; /* for the one that is under way */
	int is_sync;
	unsigned serial;
	struct place from, to;
	int was_there;
	uint64_t ino;
};

static struct call calls[TRACEES];
static size_t count; /* entries of calls, some of them unused: pid 0 */
static struct call *busy;
static FILE *out;
static char root[PATH_MAX];
static size_t root_len;

__attribute__((noreturn)) static void die(const char *what)
{
	(void)fprintf(stderr, "power_record: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* -- the log -------------------------------------------------------------------------------------------------------- */

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

/* -- what a process means ------------------------------------------------------------------------------------------- */

static int read_text(pid_t pid, uint64_t address, char text[PATH_MAX])
{
	size_t len = 0;

	while (len < PATH_MAX - 1) { /* page by page: the text may end at the end of what is mapped */
		size_t want = 4096 - (address + len) % 4096;
		struct iovec here, there = { (void *)(uintptr_t)(address + len), want };
		ssize_t got;

		if (want > PATH_MAX - 1 - len)
			want = PATH_MAX - 1 - len;
		here = (struct iovec){ text + len, want };
		there.iov_len = want;
		got = process_vm_readv(pid, &here, 1, &there, 1, 0);
		if (got <= 0)
			return -1;
		if (memchr(text + len, '\0', (size_t)got) != NULL)
			return 0;
		len += (size_t)got;
	}
	return -1;
}

static int is_below(const char *path)
{
	return strncmp(path, root, root_len) == 0 && (path[root_len] == '\0' || path[root_len] == '/');
}

/* Where a path of the process's begins, as one of ours. */
static int base_of(pid_t pid, int dir, const char *path, char full[2 * PATH_MAX])
{
	if (path[0] == '/')
		return snprintf(full, 2 * PATH_MAX, "%s", path);
	if (dir == AT_FDCWD)
		return snprintf(full, 2 * PATH_MAX, "/proc/%d/cwd/%s", (int)pid, path);
	return snprintf(full, 2 * PATH_MAX, "/proc/%d/fd/%d/%s", (int)pid, dir, path);
}

static void place_of(struct place *p, pid_t pid, int dir, uint64_t address)
{
	char path[PATH_MAX], full[2 * PATH_MAX], folder[PATH_MAX], *slash;
	struct stat st;
	size_t len;

	p->is_ours = 0;
	if (read_text(pid, address, path) < 0 || path[0] == '\0')
		return;
	for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = '\0';
	(void)base_of(pid, dir, path, full);
	slash = strrchr(full, '/');
	if (strlen(slash + 1) > NAME_MAX)
		return;
	(void)strcpy(p->name, slash + 1);
	slash[slash == full] = '\0';
	if (realpath(full, folder) == NULL || !is_below(folder) || stat(folder, &st) < 0)
		return;
	p->dir = st.st_ino;
	p->is_ours = 1;
}

/* The file at the place, or 0. */
static uint64_t ino_at(const struct call *c, int dir, uint64_t address, struct stat *st)
{
	char path[PATH_MAX], full[2 * PATH_MAX];

	if (read_text(c->pid, address, path) < 0)
		return 0;
	(void)base_of(c->pid, dir, path, full);
	return lstat(full, st) == 0 ? st->st_ino : 0;
}

/* A descriptor of a regular file or folder below the root: its inode. */
static uint64_t ino_of_fd(pid_t pid, int fd)
{
	char magic[64], path[PATH_MAX];
	struct stat st;
	ssize_t len;

	(void)snprintf(magic, sizeof magic, "/proc/%d/fd/%d", (int)pid, fd);
	len = readlink(magic, path, sizeof path - 1);
	if (len <= 0)
		return 0;
	path[len] = '\0';
	if (!is_below(path) || stat(magic, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return 0;
	return st.st_ino;
}

static int64_t position_of(pid_t pid, int fd)
{
	char magic[64], text[128];
	FILE *file;
	int64_t at = -1;

	(void)snprintf(magic, sizeof magic, "/proc/%d/fdinfo/%d", (int)pid, fd);
	file = fopen(magic, "r");
	if (file != NULL && fgets(text, sizeof text, file) != NULL)
		at = strtoll(text + strlen("pos:"), NULL, 10);
	if (file != NULL)
		(void)fclose(file);
	return at;
}

/* -- effects -------------------------------------------------------------------------------------------------------- */

/* Bytes that the file holds now: nobody else is writing. */
static void log_bytes(const struct call *c, int fd, int64_t offset, size_t len)
{
	char magic[64], *data = malloc(len);
	int file;

	(void)snprintf(magic, sizeof magic, "/proc/%d/fd/%d", (int)c->pid, fd);
	file = open(magic, O_RDONLY | O_CLOEXEC);
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
	char magic[64];
	struct stat st;

	(void)snprintf(magic, sizeof magic, "/proc/%d/fd/%d", (int)c->pid, fd);
	if (stat(magic, &st) == 0)
		line('T', "%llu %lld", (unsigned long long)c->ino, (long long)st.st_size);
}

static void log_clone(const struct call *c, int fd)
{
	char magic[64];
	struct stat st;

	(void)snprintf(magic, sizeof magic, "/proc/%d/fd/%d", (int)c->pid, fd);
	if (stat(magic, &st) == 0 && st.st_size > 0)
		log_bytes(c, fd, 0, (size_t)st.st_size);
}

static void log_made(const struct call *c, char letter, int dir, uint64_t address, const char *target)
{
	struct stat st;
	uint64_t ino = ino_at(c, dir, address, &st);

	if (letter == 'S')
		line('S', "%llu %s %llu %s", (unsigned long long)c->to.dir, hex(c->to.name), (unsigned long long)ino, hex(target));
	else
		line(letter, "%llu %s %llu %o", (unsigned long long)c->to.dir, hex(c->to.name), (unsigned long long)ino,
			(unsigned)st.st_mode & 07777);
}

static void log_opened(struct call *c, int fd)
{
	struct stat st;
	char magic[64];

	(void)snprintf(magic, sizeof magic, "/proc/%d/fd/%d", (int)c->pid, fd);
	if (stat(magic, &st) < 0 || !S_ISREG(st.st_mode))
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
	uint64_t ino = ino_at(c, dir, address, &st);

	if (letter == 'M')
		line('M', "%llu %o", (unsigned long long)ino, (unsigned)st.st_mode & 07777);
	else
		line('N', "%llu", (unsigned long long)ino);
}

static void log_stat_fd(const struct call *c, char letter, int fd)
{
	char magic[64];
	struct stat st;

	(void)snprintf(magic, sizeof magic, "/proc/%d/fd/%d", (int)c->pid, fd);
	if (stat(magic, &st) < 0)
		return;
	if (letter == 'M')
		line('M', "%llu %o", (unsigned long long)c->ino, (unsigned)st.st_mode & 07777);
	else
		line('N', "%llu", (unsigned long long)c->ino);
}

/* -- calls ---------------------------------------------------------------------------------------------------------- */

/* The calls without a folder's descriptor, as those with one. */
static void widen(struct call *c)
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
}

/* Before the call: does it concern the folder? 0 when not. */
static int begins(struct call *c)
{
	uint64_t *a = c->args;
	struct stat st;

	switch (c->number) {
	case SYS_openat:
		place_of(&c->to, c->pid, (int)a[0], a[1]);
		c->was_there = c->to.is_ours && ino_at(c, (int)a[0], a[1], &st) != 0;
		return c->to.is_ours;
	case SYS_mkdirat: place_of(&c->to, c->pid, (int)a[0], a[1]); return c->to.is_ours;
	case SYS_symlinkat: place_of(&c->to, c->pid, (int)a[1], a[2]); return c->to.is_ours;
	case SYS_unlinkat: place_of(&c->from, c->pid, (int)a[0], a[1]); return c->from.is_ours;
	case SYS_fchmodat:
	case SYS_utimensat:
		if (a[1] == 0)
			return (c->ino = ino_of_fd(c->pid, (int)a[0])) != 0;
		place_of(&c->to, c->pid, (int)a[0], a[1]);
		return c->to.is_ours;
	case SYS_renameat:
	case SYS_linkat:
		place_of(&c->from, c->pid, (int)a[0], a[1]);
		place_of(&c->to, c->pid, (int)a[2], a[3]);
		return c->from.is_ours || c->to.is_ours;
	case SYS_copy_file_range: return (c->ino = ino_of_fd(c->pid, (int)a[2])) != 0;
	case SYS_sync: return 1;
	default: return (c->ino = ino_of_fd(c->pid, (int)a[0])) != 0;
	}
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
		at = position_of(c->pid, fd) - result;
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
		if (read_text(c->pid, a[0], target) == 0)
			log_made(c, 'S', (int)a[1], a[2], target);
		break;
	case SYS_unlinkat: line('U', "%llu %s", (unsigned long long)c->from.dir, hex(c->from.name)); break;
	case SYS_linkat:
		if (c->from.is_ours && c->to.is_ours)
			line('L', "%llu %s %llu", (unsigned long long)c->to.dir, hex(c->to.name),
				(unsigned long long)ino_at(c, (int)a[2], a[3], &st));
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
	char magic[64];
	struct stat st;
	int fd = -1, known = 0;

	switch (c->number) {
	case SYS_mkdirat: known = ino_at(c, (int)a[0], a[1], &st) != 0; break;
	case SYS_symlinkat: known = ino_at(c, (int)a[1], a[2], &st) != 0; break;
	case SYS_linkat:
	case SYS_renameat: known = ino_at(c, (int)a[2], a[3], &st) != 0; break;
	case SYS_fchmodat:
	case SYS_utimensat:
		if (a[1] != 0)
			known = ino_at(c, (int)a[0], a[1], &st) != 0;
		else
			fd = (int)a[0];
		break;
	case SYS_openat: fd = (int)result; break;
	case SYS_copy_file_range: fd = (int)a[2]; break;
	case SYS_unlinkat: return;
	default: fd = (int)a[0];
	}
	(void)snprintf(magic, sizeof magic, "/proc/%d/fd/%d", (int)c->pid, fd);
	if (fd >= 0)
		known = stat(magic, &st) == 0;
	if (known && !c->is_sync)
		line('A', "%llu %lld %lld", (unsigned long long)st.st_ino, (long long)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
			(long long)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);
}

/* After the call, which gave `result`. */
static void ended(struct call *c, int64_t result)
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

/* -- processes ------------------------------------------------------------------------------------------------------ */

static struct call *call_of(pid_t pid)
{
	struct call *unused = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		if (calls[i].pid == pid)
			return &calls[i];
		if (calls[i].pid == 0)
			unused = &calls[i];
	}
	if (unused == NULL && count < TRACEES)
		unused = &calls[count++];
	if (unused == NULL)
		die("too many processes");
	*unused = (struct call){ .pid = pid };
	return unused;
}

static void go_on(pid_t pid, int request, int signo)
{
	if (ptrace(request, pid, NULL, (void *)(uintptr_t)signo) < 0 && errno != ESRCH)
		die("ptrace");
}

/* The process stands before a call that the filter picked out. */
static void start_call(struct call *c)
{
	static unsigned serial;
	int request;

	c->waits = 0;
	if (!begins(c)) {
		go_on(c->pid, PTRACE_CONT, 0);
		return;
	}
	if (c->is_sync) {
		c->serial = ++serial;
		line('K', "%llu %u", (unsigned long long)(c->number == SYS_sync || c->number == SYS_syncfs ? 0 : c->ino), c->serial);
	} else {
		busy = c;
	}
	request = PTRACE_SYSCALL; /* until it has been done */
	go_on(c->pid, request, 0);
}

static void start_waiting(void)
{
	size_t i;

	for (i = 0; i < count && busy == NULL; i++)
		if (calls[i].pid != 0 && calls[i].waits)
			start_call(&calls[i]);
}

static void before_call(struct call *c)
{
	struct __ptrace_syscall_info info;
	size_t i;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, c->pid, sizeof info, &info) <= 0)
		return;
	c->number = (long)info.seccomp.nr;
	for (i = 0; i < 6; i++)
		c->args[i] = info.seccomp.args[i];
	widen(c);
	c->is_sync = c->number == SYS_fsync || c->number == SYS_fdatasync || c->number == SYS_syncfs || c->number == SYS_sync;
	if (busy != NULL && !c->is_sync)
		c->waits = 1;
	else
		start_call(c);
}

static void after_call(struct call *c)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, c->pid, sizeof info, &info) > 0 && info.op == PTRACE_SYSCALL_INFO_EXIT)
		ended(c, info.exit.rval);
	if (busy == c)
		busy = NULL;
	go_on(c->pid, PTRACE_CONT, 0);
}

static void gone(struct call *c)
{
	if (busy == c)
		busy = NULL;
	c->pid = 0;
}

static void stopped(struct call *c, int status)
{
	int signo = WSTOPSIG(status), event = status >> 16;

	if (event == PTRACE_EVENT_SECCOMP)
		before_call(c);
	else if (signo == (SIGTRAP | 0x80))
		after_call(c);
	else if (event == PTRACE_EVENT_STOP && (signo == SIGSTOP || signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU))
		go_on(c->pid, PTRACE_LISTEN, 0);
	else
		go_on(c->pid, PTRACE_CONT, event == 0 ? signo : 0);
}

static int trace(pid_t first)
{
	int status, code = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid < 0)
			continue;
		if (WIFSTOPPED(status)) {
			stopped(call_of(pid), status);
		} else {
			if (pid == first)
				code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			gone(call_of(pid));
		}
		start_waiting();
	}
	return code;
}

/* -- the filter ----------------------------------------------------------------------------------------------------- */

static const int whole_calls[] = { SYS_creat, SYS_write, SYS_pwrite64, SYS_writev, SYS_pwritev, SYS_copy_file_range, SYS_sendfile,
	SYS_ftruncate, SYS_fallocate, SYS_mkdir, SYS_mkdirat, SYS_rename, SYS_renameat, SYS_renameat2, SYS_link, SYS_linkat, SYS_symlink,
	SYS_symlinkat, SYS_unlink, SYS_unlinkat, SYS_rmdir, SYS_chmod, SYS_fchmod, SYS_fchmodat, SYS_utimensat, SYS_fsync, SYS_fdatasync,
	SYS_syncfs, SYS_sync };
#define WHOLE (sizeof whole_calls / sizeof *whole_calls)

static struct sock_filter statement(unsigned code, unsigned value)
{
	return (struct sock_filter)BPF_STMT((unsigned short)code, value);
}

static struct sock_filter jump(unsigned code, unsigned value, size_t yes, size_t no)
{
	return (struct sock_filter)BPF_JUMP((unsigned short)code, value, (unsigned char)yes, (unsigned char)no);
}

/* A call that counts only with some value of an argument: five statements. */
static size_t add_test(struct sock_filter *f, size_t n, unsigned number, unsigned at, unsigned how, unsigned value)
{
	f[n++] = jump(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
	f[n++] = statement(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, args) + 8 * at);
	f[n++] = jump(BPF_JMP | how | BPF_K, value, 0, 1);
	f[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	f[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return n;
}

static void install_filter(void)
{
	struct sock_filter f[WHOLE + 24];
	struct sock_fprog program = { .filter = f };
	size_t n = 0, i;

	f[n++] = statement(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	n = add_test(f, n, SYS_open, 1, BPF_JSET, O_CREAT | O_TRUNC);
	n = add_test(f, n, SYS_openat, 2, BPF_JSET, O_CREAT | O_TRUNC);
	n = add_test(f, n, SYS_ioctl, 1, BPF_JEQ, FICLONE);
	for (i = 0; i < WHOLE; i++)
		f[n++] = jump(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)whole_calls[i], WHOLE - i, 0);
	f[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		die("seccomp");
}

int main(int argc, char **argv)
{
	int ready[2], code;
	char byte = 0;
	pid_t pid;

	if (argc < 4 || realpath(argv[2], root) == NULL || (out = fopen(argv[1], "we")) == NULL || pipe2(ready, O_CLOEXEC) < 0) {
		(void)fprintf(stderr, "usage: power_record LOG FOLDER PROGRAM [ARGUMENT...]\n");
		return 125;
	}
	root_len = strlen(root);
	pid = fork();
	if (pid == 0) {
		(void)!read(ready[0], &byte, 1);
		install_filter();
		(void)execv(argv[3], argv + 3);
		die(argv[3]);
	}
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, NULL, (void *)(uintptr_t)OPTIONS) < 0)
		die("cannot trace");
	if (write(ready[1], &byte, 1) != 1)
		die("pipe");
	code = trace(pid);
	if (fclose(out) != 0)
		die("log");
	return code;
}
