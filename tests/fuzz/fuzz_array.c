/* The input is a byte, odd for IDX, then an NPY or IDX file that may be packed. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/fault.h"
#include "fuzz.h"
#include "table/arrays.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[40];
	static int fd = -1;
	struct array_file array;
	struct cells cells = { 0 };
	struct fault fault = { "" };
	int rc = 0;

	if (size == 0)
		return 0;
	if (fd < 0)
		fd = memfd_create("input", MFD_CLOEXEC);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	FUZZ_CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data + 1, size - 1, 0) == (ssize_t)(size - 1));
	if (array_open(&array, path, data[0] & 1 ? FORMAT_IDX : FORMAT_NPY, &fault) < 0) {
		FUZZ_CHECK(fault.text[0] != '\0');
		return 0;
	}
	cells_begin(&cells, &array.column);
	if (array.column.width <= 10000)
		for (uint64_t row = 0; row < array.rows && row < 1000 && rc == 0; row++)
			rc = array_read(&array, &cells, 1, &fault);
	(void)fuzz_touch(cells.data, cells.size);
	if (rc == 0)
		(void)array_finish(&array, &fault);
	cells_release(&cells);
	array_close(&array);
	return 0;
}
