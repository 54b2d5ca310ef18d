#include "base/move.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"

#define DEPTH_MAX 200

static int copy_tree(
	int from_dir, const char *from, int to_dir, const char *to, int depth, struct err *e);

static int copy_file(int from_dir, const char *from, int to_dir, const char *to,
	const struct stat *st, struct err *e)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	int in = openat(from_dir, from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), out, rc;

	if (in < 0)
		return err_system(e, "cannot open `%s`", from);
	out = openat(to_dir, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0) {
		rc = err_system(e, "cannot create `%s`", to);
		close(in);
		return rc;
	}
	rc = file_copy_bytes(in, out, e);
	if (rc == 0 && (fchmod(out, st->st_mode & 07777) < 0 || futimens(out, times) < 0))
		rc = err_system(e, "cannot set the mode of `%s`", to);
	close(in);
	if (close(out) < 0 && rc == 0)
		rc = err_system(e, "cannot close `%s`", to);
	return rc;
}

static int copy_link(int from_dir, const char *from, int to_dir, const char *to, struct err *e)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(from_dir, from, target, sizeof target - 1);

	if (len < 0)
		return err_system(e, "cannot read link `%s`", from);
	target[len] = '\0';
	return symlinkat(target, to_dir, to) < 0 ? err_system(e, "cannot make link `%s`", to) : 0;
}

static int copy_entries(int from, int to, int depth, struct err *e)
{
	DIR *dir = fdopendir(from);
	struct dirent *entry;
	int rc = 0;

	if (dir == NULL) {
		rc = err_system(e, "cannot read a folder");
		close(from);
		return rc;
	}
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = copy_tree(from, entry->d_name, to, entry->d_name, depth + 1, e);
	closedir(dir);
	return rc;
}

static int copy_folder(int from_dir, const char *from, int to_dir, const char *to,
	const struct stat *st, int depth, struct err *e)
{
	int in, out, rc;

	if (depth > DEPTH_MAX)
		return err_set(e, ERR_INPUT, "`%s` has folders over %d deep", from, DEPTH_MAX);
	if (mkdirat(to_dir, to, 0700) < 0)
		return err_system(e, "cannot make folder `%s`", to);
	in = openat(from_dir, from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	out = openat(to_dir, to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0 || out < 0) {
		rc = err_system(e, "cannot open folder `%s`", from);
		if (in >= 0)
			close(in);
	} else {
		rc = copy_entries(in, out, depth, e);
	}
	if (rc == 0 && fchmod(out, st->st_mode & 07777) < 0)
		rc = err_system(e, "cannot set the mode of `%s`", to);
	if (out >= 0)
		close(out);
	return rc;
}

static int copy_tree(
	int from_dir, const char *from, int to_dir, const char *to, int depth, struct err *e)
{
	struct stat st;

	if (fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_system(e, "cannot stat `%s`", from);
	if (S_ISDIR(st.st_mode))
		return copy_folder(from_dir, from, to_dir, to, &st, depth, e);
	if (S_ISLNK(st.st_mode))
		return copy_link(from_dir, from, to_dir, to, e);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_POLICY, "`%s` is neither file, folder nor link", from);
	return copy_file(from_dir, from, to_dir, to, &st, e);
}

int tree_copy(int from_dir, const char *from, int to_dir, const char *to, struct err *e)
{
	char temp[PATH_MAX];
	int rc;

	if (snprintf(temp, sizeof temp, "%s.flow.%ld", to, (long)getpid()) >= (int)sizeof temp)
		return err_set(e, ERR_INPUT, "path is too long: `%.60s...`", to);
	if (tree_remove(to_dir, temp, e) < 0)
		return e->code;
	rc = copy_tree(from_dir, from, to_dir, temp, 0, e);
	if (rc == 0 && renameat(to_dir, temp, to_dir, to) < 0)
		rc = err_system(e, "cannot put `%s` in its place", to);
	/* The removal lands on the one disk, the copy on the other, each when it likes: first the copy. */
	if (rc == 0 && syncfs(to_dir) < 0)
		return err_system(e, "cannot make the disk keep `%s`", to);
	if (rc < 0) {
		struct err ignored;

		(void)tree_remove(to_dir, temp, &ignored);
	}
	return rc;
}

int tree_move(int from_dir, const char *from, int to_dir, const char *to, struct err *e)
{
	int sys;

	if (renameat(from_dir, from, to_dir, to) == 0)
		return 0;
	sys = errno;
	if (sys == EXDEV && file_exists(from_dir, from))
		return tree_copy(from_dir, from, to_dir, to, e) < 0 ? e->code : tree_remove(from_dir, from, e);
	err_system(e, "cannot move `%s` to `%s`", from, to);
	if ((sys == ENOENT || sys == ENOTDIR || sys == EXDEV) && !file_exists(from_dir, from))
		e->code = ERR_NOTFOUND;
	return e->code;
}
