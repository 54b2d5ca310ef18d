/* The input is a file, plain, gzip or zstd. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/stream.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[40];
	static int fd = -1;
	unsigned char block[5000];
	struct stream stream;
	struct fault fault = { "" };
	long got = 1;

	if (fd < 0)
		fd = memfd_create("input", MFD_CLOEXEC);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	FUZZ_CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	if (stream_open(&stream, path, &fault) < 0)
		return 0;
	for (int i = 0; i < 1000 && got > 0; i++) {
		got = stream_read(&stream, block, 1 + (size_t)i * 4 % sizeof block, &fault);
		FUZZ_CHECK(got <= (long)sizeof block);
		if (got > 0)
			(void)fuzz_touch(block, (size_t)got);
	}
	FUZZ_CHECK(got >= 0 || fault.text[0] != '\0');
	stream_close(&stream);
	return 0;
}
