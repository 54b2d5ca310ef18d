#include "pack/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/text.h"

static int add(struct files *files, const char *name, uint64_t size, struct fault *fault)
{
	size_t length = strlen(name) + 1;

	if (files->count == FILES_MAX)
		return fault_set(fault, "'%s' has more than %zu files", files->folder, FILES_MAX);
	if (size > FILES_SIZE_MAX)
		return fault_set(fault,
			"'%s/%s' has %llu bytes; a file of more than 1 GiB stays better "
			"what it is",
			files->folder, name, (unsigned long long)size);
	if (files->count == files->room) {
		size_t room = files->room != 0 ? 2 * files->room : 256;
		struct file *more = array_new(room, sizeof *more);

		if (files->count != 0)
			memcpy(more, files->file, files->count * sizeof *more);
		free(files->file);
		files->file = more;
		files->room = room;
	}
	files->file[files->count++] =
		(struct file){ memcpy(array_new(length, 1), name, length), size };
	files->size += size;
	return 0;
}

static int walk(struct files *files, const char *below, unsigned depth, struct fault *fault);

static int look(struct files *files, int fd, const char *below, const char *entry, unsigned depth,
	struct fault *fault)
{
	struct text name = { 0 };
	struct stat status;
	int rc;

	text_format(&name, "%s%s%s", below, below[0] != '\0' ? "/" : "", entry);
	if (fstatat(fd, entry, &status, AT_SYMLINK_NOFOLLOW) < 0)
		rc = fault_system(fault, "cannot look at '%s/%s'", files->folder, name.data);
	else if (S_ISDIR(status.st_mode))
		rc = depth == FILES_DEPTH_MAX
			     ? fault_set(fault, "'%s/%s' is more than %d folders deep",
				       files->folder, name.data, FILES_DEPTH_MAX)
			     : walk(files, name.data, depth + 1, fault);
	else if (S_ISREG(status.st_mode))
		rc = add(files, name.data, (uint64_t)status.st_size, fault);
	else
		rc = fault_set(
			fault, "'%s/%s' is neither a file nor a folder", files->folder, name.data);
	text_release(&name);
	return rc;
}

/* Recursion is as deep as FILES_DEPTH_MAX says. */
static int walk(struct files *files, const char *below, unsigned depth, struct fault *fault)
{
	struct text path = { 0 };
	const struct dirent *entry;
	int rc = 0;
	DIR *dir;

	text_format(&path, "%s/%s", files->folder, below);
	dir = opendir(path.data);
	if (dir == NULL)
		rc = fault_system(fault, "cannot open '%s'", path.data);
	text_release(&path);
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = look(files, dirfd(dir), below, entry->d_name, depth, fault);
	if (dir != NULL)
		(void)closedir(dir);
	return rc;
}

static int compare(const void *left, const void *right)
{
	return strcmp(((const struct file *)left)->name, ((const struct file *)right)->name);
}

int files_find(struct files *files, const char *folder, struct fault *fault)
{
	struct files made = { .folder = folder };

	if (walk(&made, "", 0, fault) < 0) {
		files_release(&made);
		return -1;
	}
	if (made.count != 0)
		qsort(made.file, made.count, sizeof *made.file, compare);
	*files = made;
	return 0;
}

int files_read(const struct files *files, size_t index, struct text *bytes, struct fault *fault)
{
	const struct file *file = &files->file[index];
	struct text path = { 0 };
	char block[65536];
	ssize_t got = 1;
	uint64_t size = 0;
	int rc = 0, fd;

	text_format(&path, "%s/%s", files->folder, file->name);
	fd = open(path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		rc = fault_system(fault, "cannot open '%s'", path.data);
	while (rc == 0 && got > 0) {
		got = read(fd, block, sizeof block);
		if (got < 0 && errno != EINTR)
			rc = fault_system(fault, "cannot read '%s'", path.data);
		if (got > 0)
			text_add(bytes, block, (size_t)got);
		size += got > 0 ? (uint64_t)got : 0;
		if (size > file->size)
			break;
		got += got < 0 ? 2 : 0; /* interrupted: again */
	}
	if (rc == 0 && size != file->size)
		rc = fault_set(fault, "'%s' changed while it was read", path.data);
	if (fd >= 0)
		(void)close(fd);
	text_release(&path);
	return rc;
}

void files_release(struct files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->file[i].name);
	free(files->file);
	*files = (struct files){ 0 };
}
