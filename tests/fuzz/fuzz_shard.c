/* The input changes bytes of a good shard (fuzz.h: fuzz_patch); its header and directory get the hashes they then should have. */
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "common/fault.h"
#include "common/shard.h"
#include "common/shardout.h"
#include "fuzz.h"
#include "mapped.h"

#define ROWS 20

static const struct column columns[] = { { .name = "number", .type = COLUMN_FLOAT64, .width = 1 },
	{ .name = "kind", .type = COLUMN_CATEGORY, .width = 1 }, { .name = "text", .type = COLUMN_TEXT, .width = 1 },
	{ .name = "wide", .type = COLUMN_UINT8, .width = 6, .dimensions = 2, .dimension = { 2, 3 } } };

/* A shard of three groups, as the file it is. */
static unsigned char *make(size_t *size)
{
	struct cells cells[4] = { { 0 } };
	struct shardout out;
	struct fault fault;
	struct mapped file;
	unsigned char *made;
	char path[300];

	(void)snprintf(path, sizeof path, "%s/s", fuzz_folder(NULL));
	for (size_t c = 0; c < 4; c++)
		cells_begin(&cells[c], &columns[c]);
	for (int i = 0; i < ROWS; i++) {
		cells_add_number(&cells[0], i);
		if (i % 3 == 0)
			cells_add_missing(&cells[1]);
		else
			cells_add_number(&cells[1], i % 2);
		cells_add_text(&cells[2], "abcdefghijklmnopqrst", (size_t)i);
		cells_add_row(&cells[3], "abcdef");
	}
	FUZZ_CHECK(shardout_open(&out, path, columns, 4, 9, &fault) == 0);
	shardout_add(&out, cells, 0, ROWS);
	shardout_category(&out, 1, "a", 1);
	shardout_category(&out, 1, "bc", 2);
	FUZZ_CHECK(shardout_commit(&out, &fault) == 0 && mapped_open(&file, path, &fault) == 0);
	made = malloc(file.size);
	FUZZ_CHECK(made != NULL);
	memcpy(made, file.data, file.size);
	*size = file.size;
	mapped_close(&file);
	for (size_t c = 0; c < 4; c++)
		cells_release(&cells[c]);
	return made;
}

static void read_all(const struct shard *s)
{
	struct fault fault;

	for (size_t g = 0; g < s->groups; g++) {
		for (size_t c = 0; c < s->columns; c++) {
			struct cells cells = { 0 };
			struct shard_part part;

			shard_part(&part, s, g, c);
			cells_begin(&cells, &s->column[c]);
			shard_cells(&cells, &part, 0, part.rows);
			(void)fuzz_touch(cells.data, cells.size);
			cells_release(&cells);
			(void)shard_verify(s, g, c, &fault);
		}
	}
	for (size_t c = 0; c < s->columns; c++) {
		size_t length;
		const char *text;

		for (uint32_t i = 0; (text = shard_category(s, c, i, &length)) != NULL; i++)
			(void)fuzz_touch(text, length);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned char *good;
	static size_t good_size;
	struct shard_header *header;
	struct shard shard;
	struct fault fault;
	unsigned char *bytes;

	if (good == NULL)
		good = make(&good_size);
	bytes = malloc(good_size);
	FUZZ_CHECK(bytes != NULL);
	memcpy(bytes, good, good_size);
	fuzz_patch(bytes, good_size, data, size);
	header = (struct shard_header *)(void *)bytes;
	if (header->directory <= good_size && header->directory_size <= good_size - header->directory)
		header->directory_hash = XXH3_64bits(bytes + header->directory, header->directory_size);
	header->header_hash = XXH3_64bits(header, offsetof(struct shard_header, header_hash));
	if (shard_open(&shard, mapped_file(bytes, good_size), &fault) == 0) {
		read_all(&shard);
		shard_close(&shard);
	}
	free(bytes);
	return 0;
}
