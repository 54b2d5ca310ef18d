/* The input is what a training program reports: each record that is taken is whole, and what is wrong is told. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/fault.h"
#include "fuzz.h"
#include "script/lines.h"

static int take(void *user, const struct line_record *r, struct fault *fault)
{
	(void)user;
	(void)fault;
	FUZZ_CHECK(r->line > 0 && r->step >= -1);
	FUZZ_CHECK(r->kind != LINE_METRIC || strlen(r->key) <= LINE_KEY_MAX);
	FUZZ_CHECK(r->kind != LINE_PROGRESS || (r->value >= 0 && r->value <= r->total));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines lines = { .fd = memfd_create("lines", MFD_CLOEXEC) };
	struct fault fault = { "" };
	size_t half = size / 2;
	int rc;

	FUZZ_CHECK(lines.fd >= 0 && pwrite(lines.fd, data, half, 0) == (ssize_t)half);
	rc = lines_read(&lines, 0, take, NULL, &fault);
	FUZZ_CHECK(pwrite(lines.fd, data + half, size - half, (off_t)half) == (ssize_t)(size - half));
	if (rc == 0)
		rc = lines_read(&lines, 1, take, NULL, &fault);
	FUZZ_CHECK((rc < 0) == (fault.text[0] != '\0'));
	lines_close(&lines);
	return 0;
}
