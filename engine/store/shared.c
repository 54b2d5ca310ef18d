#include "store/shared.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"

#define WAIT_MS 120000 /* for another project's gc */
#define LOOK_MS 20

static const char *const folders[] = { "objects", "objects/tmp", "quarantine", "projects" };

bool is_shared(const struct project *p)
{
	return p->store_fd != p->flow_fd;
}

static int make_folders(int fd, const char *folder, struct err *e)
{
	size_t i;

	for (i = 0; i < sizeof folders / sizeof *folders; i++)
		if (!file_exists(fd, folders[i]) && folder_make(fd, folders[i], 0700, e) < 0)
			return err_context(e, "`%s`", folder);
	return 0;
}

/* -- the lock --------------------------------------------------------------------------------------------------------- */

static int busy(struct err *e, const char *what)
{
	err_set(e, ERR_BUSY, "%s", what);
	err_id(e, "E0506");
	return err_hint(e, "wait until it ends; nothing has to be unlocked by hand");
}

/* 0, 1: somebody else holds it, or an error. */
static int try_lock(struct project *p, short kind, struct err *e)
{
	struct flock lock = { .l_type = kind, .l_whence = SEEK_SET };

	if (fcntl(p->store_lock_fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return 1;
	return err_system(e, "cannot lock the shared store");
}

/* A gc is short, and a run that has to be started again by hand is not. */
static int lock_shared(struct project *p, struct err *e)
{
	const struct timespec moment = { .tv_nsec = LOOK_MS * 1000000L };
	int64_t until = clock_mono_ms() + WAIT_MS;
	int rc;

	p->store_lock_fd =
		openat(p->store_fd, "store.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->store_lock_fd < 0)
		return err_system(e, "cannot open the lock of the shared store");
	while ((rc = try_lock(p, F_RDLCK, e)) > 0) {
		if (clock_mono_ms() > until)
			return busy(e, "another project's gc holds the shared store");
		(void)nanosleep(&moment, NULL);
	}
	return rc;
}

int shared_own(struct project *p, struct err *e)
{
	int rc = is_shared(p) ? try_lock(p, F_WRLCK, e) : 0;

	return rc > 0 ? busy(e, "another project works in the shared store") : rc;
}

/* -- who is registered ------------------------------------------------------------------------------------------------ */

static int name_of(const struct project *p, char name[64], struct err *e)
{
	struct stat st;

	if (fstat(p->flow_fd, &st) < 0)
		return err_system(e, "cannot stat `%s/.flow`", p->root);
	(void)snprintf(name, 64, "projects/%llx-%llx", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	return 0;
}

static int register_project(const struct project *p, struct err *e)
{
	char name[64], temp[80], target[PATH_MAX];
	ssize_t len;

	if (name_of(p, name, e) < 0)
		return e->code;
	len = readlinkat(p->store_fd, name, target, sizeof target);
	if (len == (ssize_t)strlen(p->root) && memcmp(target, p->root, (size_t)len) == 0)
		return 0;
	(void)snprintf(temp, sizeof temp, "%s.%ld", name, (long)getpid());
	(void)unlinkat(p->store_fd, temp, 0);
	if (symlinkat(p->root, p->store_fd, temp) < 0 ||
		renameat(p->store_fd, temp, p->store_fd, name) < 0)
		return err_system(e, "cannot register in the shared store");
	return 0;
}

/* The target of an entry of projects/; false when it is none. */
static bool read_entry(int dir, const char *name, char target[PATH_MAX])
{
	ssize_t len = name[0] != '.' ? readlinkat(dir, name, target, PATH_MAX - 1) : -1;

	if (len <= 0)
		return false;
	target[len] = '\0';
	return true;
}

static DIR *open_list(const struct project *p, struct err *e)
{
	int fd = openat(p->store_fd, "projects", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL) {
		(void)err_system(e, "cannot read who shares the store");
		if (fd >= 0)
			close(fd);
	}
	return dir;
}

int shared_each(const struct project *p, shared_found *found, void *user, struct err *e)
{
	char own[64], target[PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int rc = 0;

	if (!is_shared(p))
		return 0;
	dir = open_list(p, e);
	if (dir == NULL || name_of(p, own, e) < 0)
		return e->code;
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, own + strlen("projects/")) != 0 &&
			read_entry(dirfd(dir), entry->d_name, target))
			rc = found(user, target, e);
	closedir(dir);
	return rc;
}

int shared_forget(const struct project *p, const char *root, struct err *e)
{
	char target[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (!is_shared(p))
		return err_set(e, ERR_USAGE, "the store of this project is not shared");
	dir = open_list(p, e);
	if (dir == NULL)
		return e->code;
	while (!found && (entry = readdir(dir)) != NULL)
		if (read_entry(dirfd(dir), entry->d_name, target) && strcmp(target, root) == 0)
			found = unlinkat(dirfd(dir), entry->d_name, 0) == 0;
	closedir(dir);
	return found ? 0
		     : err_set(e, ERR_NOTFOUND, "`%s` is not registered in the shared store", root);
}

/* -- open ------------------------------------------------------------------------------------------------------------- */

static int open_folder(struct project *p, const char *folder, enum project_mode mode, struct err *e)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, fd = openat(p->root_fd, folder, flags);

	if (fd < 0 && errno == ENOENT && mode == PROJECT_WRITE) {
		if (folder_make(p->root_fd, folder, 0700, e) < 0)
			return e->code;
		fd = openat(p->root_fd, folder, flags);
	}
	/* A reader finds nothing in a store that is not there. */
	if (fd < 0 && (errno != ENOENT || mode == PROJECT_WRITE))
		return err_system(e, "cannot open `cache.dir`, `%s`", folder);
	p->store_fd = fd;
	return 0;
}

int shared_open(struct project *p, const char *folder, enum project_mode mode, struct err *e)
{
	if (open_folder(p, folder, mode, e) < 0)
		return e->code;
	if (p->store_fd >= 0 && project_check_folder(p->store_fd, folder, e) < 0)
		return e->code;
	if (mode == PROJECT_READ)
		return 0;
	if (make_folders(p->store_fd, folder, e) < 0 || lock_shared(p, e) < 0)
		return e->code;
	return register_project(p, e);
}
