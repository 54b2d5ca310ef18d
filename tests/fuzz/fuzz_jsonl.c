/* The input is a file of JSON lines. */
#include <stdlib.h>
#include <string.h>

#include "common/dictionary.h"
#include "fuzz.h"
#include "table/chunk.h"
#include "table/jsonl.h"

static void fill(struct chunk *chunk, const uint8_t *data, size_t size)
{
	chunk->size = 0;
	chunk_reserve(chunk, size);
	memcpy(chunk->text, data, size);
	chunk->size = size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chunk chunk = { 0 };
	struct dictionary names = { 0 };

	fill(&chunk, data, size);
	jsonl_keys(&chunk, &names, 50);
	if (names.count == 0) { /* such a file is refused before */
		chunk_release(&chunk);
		return 0;
	}
	fill(&chunk, data, size);
	chunk_begin(&chunk, names.count);
	jsonl_read(&chunk, &names);
	for (size_t i = 0; i < chunk.rows * chunk.columns; i++) {
		size_t length = chunk.span[i].length & ~SPAN_STRING;

		if (chunk.span[i].start == SPAN_MISSING)
			continue;
		FUZZ_CHECK(chunk.span[i].start + length <= chunk.size);
		(void)fuzz_touch(chunk.text + chunk.span[i].start, length);
	}
	dictionary_release(&names);
	chunk_release(&chunk);
	return 0;
}
