#include "stage/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"

/* In the options of a mount `,` and `:` separate. */
static const char *escaped(struct arena *a, const char *path)
{
	char *text = arena_alloc(a, 2 * strlen(path) + 1), *p = text;

	for (; *path != '\0'; path++) {
		if (*path == ',' || *path == ':' || *path == '\\')
			*p++ = '\\';
		*p++ = *path;
	}
	*p = '\0';
	return text;
}

int isolate_make(struct isolate *v, struct arena *a, struct err *e)
{
	const char *root = escaped(a, v->root), *folder;

	v->mount_point = arena_printf(a, "%s/%s", v->root, v->workdir);
	folder = escaped(a, v->mount_point);
	v->options = arena_printf(
		a, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work,userxattr", root, folder, folder);
	if (folder_make(AT_FDCWD, arena_printf(a, "%s/upper", v->mount_point), 0777, e) < 0)
		return e->code;
	return folder_make(AT_FDCWD, arena_printf(a, "%s/work", v->mount_point), 0700, e);
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? write(fd, text, strlen(text)) : -1;

	if (fd >= 0)
		(void)close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* The same user and group inside as outside. */
static int map_ids(uid_t uid, gid_t gid)
{
	char text[64];

	(void)put("/proc/self/setgroups", "deny");
	(void)snprintf(text, sizeof text, "%lu %lu 1", (unsigned long)uid, (unsigned long)uid);
	if (put("/proc/self/uid_map", text) < 0)
		return -1;
	(void)snprintf(text, sizeof text, "%lu %lu 1", (unsigned long)gid, (unsigned long)gid);
	return put("/proc/self/gid_map", text);
}

static const char *fail(char text[ISOLATE_TEXT], const char *what)
{
	(void)snprintf(text, ISOLATE_TEXT, "`isolate: true` is not possible here: %s: %s", what,
		strerror(errno));
	return text;
}

const char *isolate_enter(const struct isolate *v, char text[ISOLATE_TEXT])
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char source[40];
	struct err e;
	uint32_t i;
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || map_ids(uid, gid) < 0)
		return fail(text, "the kernel gives no user namespace");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail(text, "the mounts cannot be made private");
	/* The folder as it is outside: the overlay will hide it. */
	fd = open(v->mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || mount("overlay", v->root, "overlay", 0, v->options) < 0)
		return fail(text, "no overlay over the project");
	(void)snprintf(source, sizeof source, "/proc/self/fd/%d", fd);
	if (mount(source, v->mount_point, NULL, MS_BIND, NULL) < 0)
		return fail(text, "the attempt's folder cannot be mounted");
	if (chdir(v->root) < 0)
		return fail(text, "the project cannot be entered");
	for (i = 0; i < v->outs.count; i++)
		if (tree_remove(AT_FDCWD, v->outs.items[i], &e) < 0)
			return fail(text, "a previous out cannot be hidden");
	return NULL;
}
