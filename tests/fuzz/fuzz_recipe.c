/* The input is the JSON of a recipe: what is read can be applied, and is written as it was read. */
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/fitted.h"
#include "common/text.h"
#include "fuzz.h"

static void apply(const struct fitted_column *c)
{
	const struct column given = { .name = "c", .type = c->type, .width = 1 };
	struct cells in = { 0 }, out = { 0 };
	struct dictionary names = { 0 };
	struct column result;
	struct fault fault;

	(void)dictionary_add(&names, "a b", 3);
	cells_begin(&in, &given);
	for (int i = 0; i < 2; i++) {
		if (i == 1)
			cells_add_missing(&in);
		else if (column_has_length(c->type))
			cells_add_text(&in, "some Words", 10);
		else
			cells_add_number(&in, 0);
	}
	fitted_result(c, &result);
	cells_begin(&out, &result);
	FUZZ_CHECK(fitted_apply(c, &in, &names, &out, &fault) == 0 && out.rows == 2);
	(void)fuzz_touch(out.data, out.size);
	cells_release(&in);
	cells_release(&out);
	dictionary_release(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fitted recipe, again;
	struct text json = { 0 };
	struct fault fault;
	char *text = fuzz_text(data, size);

	if (fitted_read(&recipe, text, size, &fault) == 0) {
		for (size_t i = 0; i < recipe.count && i < 8; i++)
			apply(&recipe.column[i]);
		fitted_write(&recipe, &json);
		FUZZ_CHECK(fitted_read(&again, json.data, json.length, &fault) == 0 && again.count == recipe.count);
		fitted_release(&again);
		fitted_release(&recipe);
		text_release(&json);
	}
	free(text);
	return 0;
}
