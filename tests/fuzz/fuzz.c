#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"

static char folder[256];
static int folder_fd = -1;

_Noreturn void fuzz_broken(const char *what, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = mem_alloc(size + 1);

	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

unsigned fuzz_touch(const void *data, size_t size)
{
	const unsigned char *at = data;
	unsigned sum = 0;
	size_t i;

	for (i = 0; i < size; i++)
		sum += at[i];
	return sum;
}

size_t fuzz_parts(char *text, const char *mark, char **parts, size_t room)
{
	size_t count = 1, len = strlen(mark);
	char *at = text, *end;

	parts[0] = text;
	while (count < room && (end = strchr(at, '\n')) != NULL) {
		at = end + 1;
		if (strncmp(at, mark, len) != 0 || at[len] != '\n')
			continue;
		*at = '\0';
		at += len + 1;
		parts[count++] = at;
	}
	return count;
}

static void remove_folder(void)
{
	struct err e;

	(void)close(folder_fd);
	(void)tree_remove(AT_FDCWD, folder, &e);
}

const char *fuzz_folder(int *fd)
{
	const char *base = getenv("TMPDIR");

	if (folder_fd < 0) {
		(void)snprintf(folder, sizeof folder, "%s/flow-fuzz-XXXXXX", base != NULL && base[0] != '\0' ? base : "/tmp");
		FUZZ_CHECK(mkdtemp(folder) != NULL);
		folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		FUZZ_CHECK(folder_fd >= 0 && atexit(remove_folder) == 0);
	}
	if (fd != NULL)
		*fd = folder_fd;
	return folder;
}

static void write_with(const char *name, const void *data, size_t size, int flags)
{
	struct err e;
	int dir, fd;

	(void)fuzz_folder(&dir);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
	FUZZ_CHECK(fd >= 0);
	FUZZ_CHECK(size == 0 || file_write_all(fd, data, size, &e) == 0);
	(void)close(fd);
}

void fuzz_write(const char *name, const void *data, size_t size)
{
	write_with(name, data, size, O_TRUNC);
}

void fuzz_append(const char *name, const void *data, size_t size)
{
	write_with(name, data, size, O_APPEND);
}

void fuzz_patch(unsigned char *data, size_t len, const uint8_t *input, size_t size)
{
	while (size > 4 && len > 0) {
		size_t at = ((size_t)input[0] | (size_t)input[1] << 8 | (size_t)input[2] << 16) % len;
		size_t count = input[3] % 32u + 1u;

		input += 4;
		size -= 4;
		if (count > size)
			count = size;
		memcpy(data + at, input, count < len - at ? count : len - at);
		input += count;
		size -= count;
	}
}
