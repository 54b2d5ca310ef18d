/* The input is an IDX file; its first byte, which is always 0 in one, is how many dimensions are asked for. */
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/idx.h"
#include "fuzz.h"
#include "mapped.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned dimensions = size > 0 ? data[0] % IDX_DIMENSIONS_MAX + 1u : 1;
	uint8_t *file = (uint8_t *)fuzz_text(data, size);
	struct fault fault;
	struct idx idx;

	if (size > 0)
		file[0] = 0;
	if (idx_open(&idx, mapped_file(file, size), dimensions, &fault) == 0) {
		FUZZ_CHECK(idx.rows > 0 && idx.row_size > 0);
		(void)fuzz_touch(idx_row(&idx, 0), idx.rows * idx.row_size);
		idx_close(&idx);
	} else {
		FUZZ_CHECK(fault.text[0] != '\0');
	}
	free(file);
	return 0;
}
