/* The input is a blob of the journal: outs of an attempt, and a list of attempts. Its first byte is the room there is. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fuzz.h"
#include "plan/past.h"
#include "store/journal.h"

static void outs(size_t room, const char *blob, size_t len)
{
	struct made *made = mem_zalloc(room * sizeof *made);
	size_t count = made_unpack(made, (uint32_t)room, blob, len);
	struct buf again = { 0 };

	FUZZ_CHECK(count == len / MADE_PACKED);
	made_pack(&again, made, (uint32_t)(count < room ? count : room));
	FUZZ_CHECK(again.len <= len && memcmp(buf_text(&again), blob, again.len) == 0);
	buf_release(&again);
	free(made);
}

static void ids(size_t room, const char *blob, size_t len)
{
	int64_t *first = mem_zalloc((room + len) * sizeof *first), *second = mem_zalloc((room + len) * sizeof *second);
	size_t count = ids_unpack(first, room, blob, len), i;
	struct buf again = { 0 };

	FUZZ_CHECK(count <= len);
	for (i = room; i < room + len; i++)
		FUZZ_CHECK(first[i] == 0);
	count = ids_unpack(first, room + len, blob, len);
	for (i = 0; i < count && first[i] >= (i > 0 ? first[i - 1] : 0); i++)
		continue;
	ids_pack(&again, first, i);
	FUZZ_CHECK(ids_unpack(second, room + len, again.data, again.len) == i);
	FUZZ_CHECK(memcmp(first, second, i * sizeof *first) == 0);
	buf_release(&again);
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *blob = fuzz_text(data + (size > 0), size - (size > 0));

	outs(size > 0 ? data[0] : 0, blob, size - (size > 0));
	ids(size > 0 ? data[0] : 0, blob, size - (size > 0));
	free(blob);
	return 0;
}
