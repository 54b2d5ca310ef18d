/* The input is dag.yaml. */
#include <stdlib.h>

#include "fuzz.h"
#include "world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct dag_input input = fuzz_input(text, size);

	fuzz_load(&input);
	free(text);
	return 0;
}
