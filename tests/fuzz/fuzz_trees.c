/* The input is a model of trees, as UBJSON; and what is found true leads nowhere else. */
#include "common/fault.h"
#include "fuzz.h"
#include "trees/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct check_facts facts;
	struct fault fault = { "" };

	if (check_model(&facts, data, size, &fault) == 0) {
		FUZZ_CHECK(facts.features > 0 && facts.groups > 0);
		FUZZ_CHECK(facts.trees <= size);
	} else {
		FUZZ_CHECK(fault.text[0] != '\0');
	}
	return 0;
}
