#include "stage/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/vec.h"

#define TREE_MAX     65536                /* pids of one tree; more are found by the next sweep */
#define ENVIRON_MAX  ((size_t)2 * 1024 * 1024) /* where the token is looked for; it stands first */
#define ONE_ENTRY    47 /* bytes: a name of up to 20 characters, and no two entries */
#define CHUNK        ((size_t)64 * 1024)
#define CHILDREN_MAX ((size_t)64 * 1024)

/* Fields of /proc/PID/stat, counted as in proc(5). */
enum { STAT_STATE = 3, STAT_FLAGS = 9, STAT_ENV_START = 50, STAT_ENV_END = 51 };
#define KERNEL_THREAD 0x200000u /* PF_KTHREAD */

int proc_open(void)
{
	return open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
}

static void parse_pids(const char *text, struct pids *out)
{
	while (*text != '\0') {
		pid_t pid = 0;

		while (isdigit((unsigned char)*text))
			pid = pid * 10 + (*text++ - '0');
		if (pid > 0)
			vec_push(out, pid);
		while (*text != '\0' && !isdigit((unsigned char)*text))
			text++;
	}
}

/* /proc/PID/stat from its third field on, "state ppid ..."; the second, the name, may hold anything. NULL: there is no such process. */
static const char *read_stat(pid_t pid, char *text, size_t size)
{
	char path[64], *close_paren;
	ssize_t n = -1;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, size - 1);
		(void)close(fd);
	}
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	close_paren = strrchr(text, ')');
	return close_paren != NULL && strlen(close_paren) > 4 ? close_paren + 2 : NULL;
}

static pid_t parent_of(pid_t pid)
{
	char text[1024];
	const char *stat = read_stat(pid, text, sizeof text);

	return stat != NULL ? (pid_t)strtol(stat + 2, NULL, 10) : -1;
}

/* The number that the kernel gave last, of /proc/loadavg: "0.20 0.18 0.12 1/80 11206". */
static long last_number(void)
{
	char text[128], *at;
	int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, text, sizeof text - 1);
		(void)close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	at = strrchr(text, ' ');
	return at != NULL ? strtol(at, NULL, 10) : -1;
}

void proc_walk_begin(struct proc_walk *w)
{
	w->failed = false;
	w->last = last_number();
	w->fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What a call has listed is as old as the call: there is no room for a second entry, or it is listed again. */
static bool next_entry(int fd, struct dirent64 *entry)
{
	long n = syscall(SYS_getdents64, fd, entry, ONE_ENTRY);

	if (n >= 0 || errno != EINVAL)
		return n > 0;
	n = syscall(SYS_getdents64, fd, entry, sizeof *entry); /* a long name */
	return n > 0 && lseek(fd, entry->d_off, SEEK_SET) >= 0;
}

pid_t proc_walk_next(struct proc_walk *w)
{
	struct dirent64 entry;

	errno = 0;
	while (w->fd >= 0 && next_entry(w->fd, &entry)) {
		pid_t pid = (pid_t)strtol(entry.d_name, NULL, 10);

		if (pid > 0)
			return pid;
	}
	w->failed |= w->fd < 0 || errno != 0;
	return 0;
}

bool proc_walk_end(struct proc_walk *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	return !w->failed && last_number() >= w->last;
}

static bool search_children(struct pids *out)
{
	struct proc_walk w;
	pid_t self = getpid(), pid;

	proc_walk_begin(&w);
	while ((pid = proc_walk_next(&w)) > 0)
		if (parent_of(pid) == self)
			vec_push(out, pid);
	return proc_walk_end(&w);
}

bool proc_children(int fd, struct pids *out)
{
	static char text[CHILDREN_MAX];
	ssize_t n;

	out->count = 0;
	if (fd < 0)
		return search_children(out);
	n = pread(fd, text, sizeof text - 1, 0);
	if (n < 0)
		return search_children(out);
	text[n] = '\0';
	parse_pids(text, out);
	return (size_t)n < sizeof text - 1;
}

/* Children of every thread of a process. */
static void add_children(pid_t pid, struct pids *out)
{
	char path[320], text[8192];
	struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
	dir = opendir(path);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		ssize_t n = -1;
		int fd;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		(void)snprintf(path, sizeof path, "%s/children", entry->d_name);
		fd = openat(dirfd(dir), path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			n = read(fd, text, sizeof text - 1);
			(void)close(fd);
		}
		text[n > 0 ? n : 0] = '\0';
		parse_pids(text, out);
	}
	(void)closedir(dir);
}

void proc_tree(pid_t pid, struct pids *out)
{
	size_t i;

	out->count = 0;
	vec_push(out, pid);
	for (i = 0; i < out->count && out->count < TREE_MAX; i++)
		add_children(out->items[i], out);
}

/* A process in whose environment nothing could be read: has it none? execve gives a program first a memory without one, where both ends are
 * 0; then the beginning is known, and last the end. That of an empty one is its beginning. */
static bool is_becoming(pid_t pid)
{
	char text[1024];
	const char *at = read_stat(pid, text, sizeof text);
	unsigned long long begin = 0, end = 0;
	int field;

	if (at == NULL || strchr("ZXx", at[0]) != NULL)
		return false;
	for (field = STAT_STATE; at != NULL && field < STAT_ENV_END; field++) {
		if (field == STAT_FLAGS && (strtoul(at, NULL, 10) & KERNEL_THREAD) != 0)
			return false;
		if (field == STAT_ENV_START)
			begin = strtoull(at, NULL, 10);
		at = strchr(at, ' ');
		at = at != NULL ? at + 1 : NULL;
	}
	if (at != NULL)
		end = strtoull(at, NULL, 10);
	return end == 0 || end != begin;
}

enum proc_answer proc_environ(pid_t pid, struct buf *text)
{
	char path[64];
	ssize_t n = 1;
	int fd;

	buf_clear(text);
	(void)snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return PROC_NONE;
	while (n > 0 && text->len < ENVIRON_MAX) {
		n = read(fd, buf_room(text, CHUNK), CHUNK);
		text->len += n > 0 ? (size_t)n : 0;
	}
	(void)close(fd);
	if (text->len == 0)
		return is_becoming(pid) ? PROC_UNSURE : PROC_NONE;
	buf_add(text, "\0", 2);
	return PROC_KNOWN;
}

enum proc_answer proc_token(pid_t pid, char token[PROC_TOKEN_MAX])
{
	static const char name[] = "FLOW_ATTEMPT=";
	static struct buf text; /* the worker's, kept for the next question */
	enum proc_answer answer = proc_environ(pid, &text);
	const char *at, *value;

	if (answer != PROC_KNOWN)
		return answer;
	for (at = text.data; at < text.data + text.len; at += strlen(at) + 1) {
		if (strncmp(at, name, sizeof name - 1) != 0)
			continue;
		value = at + sizeof name - 1;
		if (strlen(value) >= PROC_TOKEN_MAX)
			return PROC_NONE;
		memcpy(token, value, strlen(value) + 1);
		return PROC_KNOWN;
	}
	return PROC_NONE;
}
