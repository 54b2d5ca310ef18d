/* The input is JSON for the reader of the built-in stages. */
#include <stdlib.h>
#include <string.h>

#include "common/fault.h"
#include "common/jsonin.h"
#include "fuzz.h"

/* Any value, by the calls that keep what they read. */
static int value(struct jsonin *in, struct fault *fault)
{
	char text[32];
	double number;
	int more;

	switch (jsonin_peek(in)) {
	case '{':
		if (jsonin_enter(in, '{', fault) < 0)
			return -1;
		while ((more = jsonin_key(in, text, sizeof text, fault)) == 1)
			if (value(in, fault) < 0)
				return -1;
		return more;
	case '[':
		if (jsonin_enter(in, '[', fault) < 0)
			return -1;
		while ((more = jsonin_item(in, fault)) == 1)
			if (value(in, fault) < 0)
				return -1;
		return more;
	case '"': return jsonin_string(in, text, sizeof text, fault);
	case '-': return jsonin_number(in, &number, fault);
	default: return jsonin_skip(in, fault);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size > 0 ? size : 1);
	struct fault fault;
	struct jsonin in;
	bool kept, skipped;

	FUZZ_CHECK(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	jsonin_begin(&in, text, size);
	kept = value(&in, &fault) == 0 && jsonin_finish(&in, &fault) == 0;
	jsonin_begin(&in, text, size);
	skipped = jsonin_skip(&in, &fault) == 0 && jsonin_finish(&in, &fault) == 0;
	/* What is kept must fit; what is skipped need not. */
	FUZZ_CHECK(!kept || skipped);
	free(text);
	return 0;
}
