#include "mapped.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include "fuzz.h"

/* The linker sends calls of mmap() and munmap() here (--wrap). */
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *data, size_t size);

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	void *data = malloc(size);

	FUZZ_CHECK(at == NULL && protection == PROT_READ && flags == MAP_PRIVATE);
	FUZZ_CHECK(data != NULL && pread(fd, data, size, offset) == (ssize_t)size);
	return data;
}

int __wrap_munmap(void *data, size_t size)
{
	(void)size;
	free(data);
	return 0;
}

const char *mapped_file(const uint8_t *data, size_t size)
{
	static char path[40];
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("input", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && ftruncate(fd, 0) == 0);
	FUZZ_CHECK(pwrite(fd, data, size, 0) == (ssize_t)size);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return path;
}
