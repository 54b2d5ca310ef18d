/* The input is a number or none: read ahead or not it is the same one, and the one of strtod(). */
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "fuzz.h"

static int is_decimal(const char *text)
{
	return strpbrk(text, "xXnNiI") == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *ahead = malloc(size + NUMBER_AHEAD), *end;
	double one = 0, other = 0, want;
	int64_t whole = 0, same = 0;
	int is_float, is_whole;

	FUZZ_CHECK(ahead != NULL);
	memset(ahead, '5', size + NUMBER_AHEAD);
	memcpy(ahead, text, size);
	is_float = number_float(&one, text, size);
	is_whole = number_integer(&whole, text, size);
	FUZZ_CHECK(is_float == number_float_ahead(&other, ahead, size) && memcmp(&one, &other, sizeof one) == 0);
	FUZZ_CHECK(is_whole == number_integer_ahead(&same, ahead, size) && whole == same);
	FUZZ_CHECK(!is_whole || is_float);
	if (is_float && strlen(text) == size && is_decimal(text)) {
		want = strtod(text, &end);
		FUZZ_CHECK(memcmp(&one, &want, sizeof one) == 0);
	}
	(void)number_time(&whole, text, size);
	free(text);
	free(ahead);
	return 0;
}
