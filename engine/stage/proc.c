#include "stage/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"

#define TREE_MAX     65536                /* pids of one tree; more are found by the next sweep */
#define ENVIRON_MAX  ((size_t)256 * 1024) /* where the token is looked for; it stands first */
#define CHILDREN_MAX ((size_t)64 * 1024)

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

/* Parent of a process, from /proc/PID/stat: "pid (name) state ppid ..."; the name may hold anything. */
static pid_t parent_of(const char *pid)
{
	char path[64], text[512], *close_paren;
	ssize_t n = -1;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof text - 1);
		(void)close(fd);
	}
	if (n <= 0)
		return -1;
	text[n] = '\0';
	close_paren = strrchr(text, ')');
	if (close_paren == NULL || strlen(close_paren) < 4)
		return -1;
	return (pid_t)strtol(close_paren + 4, NULL, 10);
}

static bool search_children(struct pids *out)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t self = getpid();

	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		if (isdigit((unsigned char)entry->d_name[0]) && parent_of(entry->d_name) == self)
			vec_push(out, (pid_t)strtol(entry->d_name, NULL, 10));
	}
	(void)closedir(dir);
	return true;
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

enum proc_bare proc_bare(pid_t pid)
{
	char path[64], text[8];
	ssize_t n;
	int fd;

	/* Who is dead has no program any more. */
	(void)snprintf(path, sizeof path, "/proc/%ld/exe", (long)pid);
	if (readlink(path, text, sizeof text) <= 0)
		return PROC_DEAD;
	(void)snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return PROC_DEAD;
	n = read(fd, text, sizeof text);
	(void)close(fd);
	return n > 0 ? PROC_BARE : PROC_BECOMING;
}

bool proc_token(pid_t pid, char token[PROC_TOKEN_MAX])
{
	static const char name[] = "FLOW_ATTEMPT=";
	static char text[ENVIRON_MAX + 1];
	char path[64];
	size_t len = 0, at;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%ld/environ", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (len < ENVIRON_MAX) {
		ssize_t n = read(fd, text + len, ENVIRON_MAX - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	(void)close(fd);
	text[len] = '\0';
	for (at = 0; at < len; at += strlen(text + at) + 1) {
		const char *value = text + at + sizeof name - 1;

		if (strncmp(text + at, name, sizeof name - 1) != 0)
			continue;
		if (strlen(value) >= PROC_TOKEN_MAX)
			return false;
		memcpy(token, value, strlen(value) + 1);
		return true;
	}
	return false;
}
