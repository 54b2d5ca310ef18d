/* The input is what a model says of its table, as JSON, and after a line `---` its recipe. What is read is written as it was. */
#include "nn/origin.h"

#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "fuzz.h"

static void check_same(const struct origin *one, const struct origin *other)
{
	FUZZ_CHECK(strcmp(one->target, other->target) == 0 && one->state == other->state && one->names == other->names);
	FUZZ_CHECK(strcmp(one->inputs.data, other->inputs.data) == 0);
	for (size_t i = 0; i < one->names; i++)
		FUZZ_CHECK(strcmp(one->name[i], other->name[i]) == 0);
}

static void write_again(struct origin *o)
{
	struct fault fault;
	struct origin again;

	text_release(&o->json);
	o->json = (struct text){ .data = NULL };
	origin_write(o);
	FUZZ_CHECK(origin_parse(&again, o->json.data, o->recipe.data, &fault) == 0);
	check_same(o, &again);
	origin_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *part[2];
	size_t parts = fuzz_parts(text, "---", part, 2);
	struct fault fault = { "" };
	struct origin o;

	if (origin_parse(&o, part[0], parts == 2 ? part[1] : NULL, &fault) == 0) {
		for (size_t i = 0; i < o.codes.count; i++)
			FUZZ_CHECK(o.codes.column[i].name != NULL);
		write_again(&o);
		origin_release(&o);
	} else {
		FUZZ_CHECK(fault.text[0] != '\0');
	}
	free(text);
	return 0;
}
