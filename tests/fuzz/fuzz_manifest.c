/* The input is a folder's manifest. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "fuzz.h"
#include "store/tree.h"

static bool climbs(const char *path)
{
	return path[0] == '/' || path[0] == '\0' || strncmp(path, "../", 3) == 0 || strcmp(path, "..") == 0 ||
	       strstr(path, "/../") != NULL;
}

/* What was read, written and read again, is the same. */
static void check_line(const struct manifest_line *line, struct buf *again)
{
	struct tree_entry entry = { .path = line->path, .target = line->target };
	struct digest d = { { 0 } };

	FUZZ_CHECK(!climbs(line->path));
	FUZZ_CHECK((line->target != NULL) == (line->mode == 0120000));
	FUZZ_CHECK(line->target != NULL || digest_parse(&d, line->digest));
	FUZZ_CHECK(line->size <= INT64_MAX);
	entry.st.st_mode = line->mode;
	entry.st.st_size = (off_t)line->size;
	manifest_add(again, &entry, &d);
}

static void read_all(char *text, struct buf *again)
{
	struct manifest_line line;
	bool bad = false;

	while (manifest_next(&text, &line, &bad))
		check_line(&line, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct buf once = { 0 }, twice = { 0 };

	read_all(text, &once);
	if (once.len > 0) {
		free(text);
		text = fuzz_text((const uint8_t *)once.data, once.len);
		read_all(text, &twice);
		FUZZ_CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	}
	buf_release(&once);
	buf_release(&twice);
	free(text);
	return 0;
}
