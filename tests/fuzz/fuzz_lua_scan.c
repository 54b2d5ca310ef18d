/* The input is a Lua text. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "stage/lua_scan.h"

static void found(void *user, const char *name, uint32_t line)
{
	const uint32_t *lines = user;

	FUZZ_CHECK(name[0] != '\0' && strlen(name) <= LUA_SCAN_NAME && line >= 1 && line <= *lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *text = malloc(size > 0 ? size : 1);
	uint32_t lines = 1;
	size_t i;

	FUZZ_CHECK(text != NULL);
	for (i = 0; i < size; i++) {
		text[i] = data[i];
		lines += data[i] == '\n';
	}
	lua_scan((const char *)text, size, found, &lines);
	free(text);
	return 0;
}
