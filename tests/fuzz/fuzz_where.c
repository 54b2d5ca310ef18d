/* The input is a byte for a type, then the JSON of conditions. */
#include <stdlib.h>

#include "common/fault.h"
#include "common/where.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct column column = { .name = "c", .width = 1 };
	struct cells cells = { 0 };
	struct where where = { .count = 0 };
	struct fault fault;
	uint8_t keep[3] = { 1, 1, 1 };
	char *text;

	if (size == 0)
		return 0;
	column.type = data[0] % 3 == 0 ? COLUMN_TEXT : data[0] % 3 == 1 ? COLUMN_INT64 : COLUMN_FLOAT32;
	cells_begin(&cells, &column);
	for (int i = 0; i < 3; i++) {
		if (i == 1)
			cells_add_missing(&cells);
		else if (column.type == COLUMN_TEXT)
			cells_add_text(&cells, "ab", (size_t)i);
		else
			cells_add_number(&cells, i);
	}
	text = fuzz_text(data + 1, size - 1);
	if (where_read(&where, text, &fault) == 0) {
		for (size_t i = 0; i < where.count; i++) {
			if (where_bind(&where, i, column.type, &fault) < 0)
				continue;
			where_apply(&where, i, &cells, NULL, keep);
			if (column.type != COLUMN_TEXT && keep[2] && where.condition[i].kind != WHERE_MISSING)
				FUZZ_CHECK(where_possible(&where, i, 0, 2));
		}
	}
	where_release(&where);
	cells_release(&cells);
	free(text);
	return 0;
}
