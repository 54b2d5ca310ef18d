#include "place.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static char root[PATH_MAX];
static size_t root_len;

int place_root(const char *folder)
{
	if (realpath(folder, root) == NULL)
		return 0;
	root_len = strlen(root);
	return 1;
}

const char *place_fd(char path[PLACE_FD_ROOM], pid_t pid, int fd)
{
	(void)snprintf(path, PLACE_FD_ROOM, "/proc/%d/fd/%d", (int)pid, fd);
	return path;
}

int place_text(pid_t pid, uint64_t address, char text[PATH_MAX])
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

void place_of(struct place *p, pid_t pid, int dir, uint64_t address)
{
	char path[PATH_MAX], full[2 * PATH_MAX], folder[PATH_MAX], *slash;
	struct stat st;
	size_t len;

	p->is_ours = 0;
	if (place_text(pid, address, path) < 0 || path[0] == '\0')
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

uint64_t place_ino(pid_t pid, int dir, uint64_t address, struct stat *st)
{
	char path[PATH_MAX], full[2 * PATH_MAX];

	if (place_text(pid, address, path) < 0)
		return 0;
	(void)base_of(pid, dir, path, full);
	return lstat(full, st) == 0 ? st->st_ino : 0;
}

uint64_t place_ino_of_fd(pid_t pid, int fd)
{
	char magic[PLACE_FD_ROOM], path[PATH_MAX];
	struct stat st;
	ssize_t len = readlink(place_fd(magic, pid, fd), path, sizeof path - 1);

	if (len <= 0)
		return 0;
	path[len] = '\0';
	if (!is_below(path) || stat(magic, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return 0;
	return st.st_ino;
}

int64_t place_position(pid_t pid, int fd)
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
