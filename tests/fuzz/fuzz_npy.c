/* The input is an NPY file. */
#include "common/fault.h"
#include "common/npy.h"
#include "fuzz.h"
#include "mapped.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct npy_rows rows;
	struct fault fault;

	if (npy_read_rows(&rows, mapped_file(data, size), &fault) < 0) {
		FUZZ_CHECK(fault.text[0] != '\0');
		return 0;
	}
	(void)fuzz_touch(rows.row, rows.count * sizeof *rows.row);
	npy_close_rows(&rows);
	return 0;
}
