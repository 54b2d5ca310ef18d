/*
 * Preloaded into flow, a disk that is full after FLOW_TEST_DISK bytes: every further write fails with ENOSPC. Programs of other
 * names write as ever.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long long left = -1;

/* How many of `len` bytes to this descriptor still fit; terminals, pipes and sockets are no disk. */
static long long fits(int fd, size_t len)
{
	const char *text = getenv("FLOW_TEST_DISK");
	struct stat st;

	if (fd <= 2 || text == NULL || strcmp(program_invocation_short_name, "flow") != 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return (long long)len;
	if (left < 0)
		left = atoll(text);
	if ((long long)len > left) {
		left = 0;
		return 0;
	}
	left -= (long long)len;
	return (long long)len;
}

ssize_t write(int fd, const void *data, size_t len)
{
	ssize_t (*real)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");

	if (len > 0 && fits(fd, len) == 0) {
		errno = ENOSPC;
		return -1;
	}
	return real(fd, data, len);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	ssize_t (*real)(int, const void *, size_t, off64_t) =
		(ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");

	if (len > 0 && fits(fd, len) == 0) {
		errno = ENOSPC;
		return -1;
	}
	return real(fd, data, len, at);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	return pwrite64(fd, data, len, at);
}
