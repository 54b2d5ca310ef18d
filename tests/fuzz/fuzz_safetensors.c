/* The input is a safetensors file without its first eight bytes: a header up to the first NUL, then the data. */
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/safetensors.h"
#include "fuzz.h"
#include "mapped.h"

static void read_tensors(const struct tensors *t)
{
	size_t i;

	for (i = 0; i < t->count; i++) {
		const struct tensor *one = &t->tensor[i];

		FUZZ_CHECK(tensors_find(t, one->name) == one);
		(void)fuzz_touch(one->data, one->size);
	}
	for (i = 0; i < t->note_count; i++)
		FUZZ_CHECK(tensors_note(t, t->note[i].key) != NULL);
}

static void read_file(const uint8_t *file, size_t size)
{
	struct tensors tensors = { 0 };
	struct fault fault;

	if (tensors_read(&tensors, mapped_file(file, size), &fault) == 0)
		read_tensors(&tensors);
	else
		FUZZ_CHECK(fault.text[0] != '\0');
	tensors_release(&tensors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	uint64_t header = nul != NULL ? (uint64_t)(nul - data) : size;
	size_t skipped = nul != NULL;
	uint8_t *file = malloc(sizeof header + size + 1);

	FUZZ_CHECK(file != NULL);
	memcpy(file, &header, sizeof header);
	if (size > 0) {
		memcpy(file + sizeof header, data, header);
		memcpy(file + sizeof header + header, data + header + skipped, size - header - skipped);
	}
	read_file(file, sizeof header + size - skipped);
	read_file(data, size); /* and as it is */
	free(file);
	return 0;
}
