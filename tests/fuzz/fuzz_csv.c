/* The input is a CSV file: its values lie in it, and a file cut where csv_cut() says has the same rows. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "table/chunk.h"
#include "table/csv.h"

static void fill(struct chunk *chunk, const uint8_t *data, size_t size)
{
	chunk->size = 0;
	chunk_reserve(chunk, size);
	memcpy(chunk->text, data, size);
	memset(chunk->text + size, '"', CHUNK_MARGIN); /* what lies behind must not matter */
	chunk->size = size;
}

static void touch(const struct chunk *chunk)
{
	for (size_t i = 0; i < chunk->rows * chunk->columns; i++) {
		FUZZ_CHECK(chunk->span[i].start + chunk->span[i].length <= chunk->size);
		(void)fuzz_touch(chunk->text + chunk->span[i].start, chunk->span[i].length);
	}
}

static size_t count(struct chunk *chunk, const uint8_t *data, size_t size, size_t columns)
{
	fill(chunk, data, size);
	chunk_begin(chunk, columns);
	csv_read(chunk, ',');
	touch(chunk);
	return chunk->rows + chunk->bad_count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chunk chunk = { 0 };
	size_t columns, cut, all;
	uint64_t lines;

	if (size > 100000)
		return 0;
	fill(&chunk, data, size);
	chunk_begin(&chunk, 1);
	(void)csv_read_first(&chunk, ',');
	touch(&chunk);
	columns = chunk.columns;
	all = count(&chunk, data, size, columns);
	lines = chunk.lines;
	fill(&chunk, data, size);
	cut = csv_cut(chunk.text, size, ',');
	FUZZ_CHECK(cut <= size && (cut == 0 || data[cut - 1] == '\n'));
	FUZZ_CHECK(count(&chunk, data, cut, columns) + count(&chunk, data + cut, size - cut, columns) == all);
	all = 0;
	for (size_t i = 0; i < size; i++)
		all += data[i] == '\n';
	FUZZ_CHECK(lines == all);
	chunk_release(&chunk);
	return 0;
}
