/* The input is a number or none: alone or in a column it is the same one, and the one of strtod(). */
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "common/numbers.h"
#include "fuzz.h"

static int is_decimal(const char *text)
{
	return strpbrk(text, "xXnNiI") == NULL;
}

/* The text in a column of its own, `count` times: what is made of it is what it is alone. */
static void check_column(const char *text, size_t size, size_t count)
{
	char *room = malloc(16 + size + NUMBERS_MARGIN);
	struct span span = { 16, (uint32_t)size };
	double one = 0, value[9];
	int64_t whole = 0, number[9];
	size_t made;

	FUZZ_CHECK(room != NULL);
	memset(room, '5', 16 + size + NUMBERS_MARGIN);
	memcpy(room + 16, text, size);
	made = numbers_floats(value, room, &span, 0, count);
	FUZZ_CHECK(made <= count && (made == 0 || number_float(&one, text, size)));
	for (size_t i = 0; i < made; i++)
		FUZZ_CHECK(memcmp(&one, &value[i], sizeof one) == 0);
	made = numbers_integers(number, room, &span, 0, count);
	FUZZ_CHECK(made <= count && (made == 0 || number_integer(&whole, text, size)));
	for (size_t i = 0; i < made; i++)
		FUZZ_CHECK(whole == number[i]);
	free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *end;
	double one = 0, want;
	int64_t whole = 0;
	int is_float, is_whole;

	is_float = number_float(&one, text, size);
	is_whole = number_integer(&whole, text, size);
	FUZZ_CHECK(!is_whole || is_float);
	if (is_float && strlen(text) == size && is_decimal(text)) {
		want = strtod(text, &end);
		FUZZ_CHECK(memcmp(&one, &want, sizeof one) == 0);
	}
	check_column(text, size, 1);
	check_column(text, size, 9);
	(void)number_time(&whole, text, size);
	free(text);
	return 0;
}
