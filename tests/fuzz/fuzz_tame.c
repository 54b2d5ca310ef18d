/* The input is a log, in two pieces: its first byte says how long the first one is. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "report/tame.h"

/* Behind an ESC: `[`, numbers, `m`. How many bytes. */
static size_t colour(const char *at)
{
	size_t n = 1 + strspn(at + (at[0] == '['), "0123456789;:");

	FUZZ_CHECK(at[0] == '[' && at[n] == 'm');
	return n + 1;
}

/* Text, tabs, line ends and colours, nothing else. */
static void check_harmless(const char *at)
{
	while (*at != '\0') {
		size_t n = utf8_length(at);

		if (*at == 0x1b) {
			n = 1 + colour(at + 1);
		} else if (n <= 1) {
			FUZZ_CHECK(n == 1 && *at != 0x7f && ((unsigned char)*at >= 0x20 || *at == '\n' || *at == '\t'));
		} else {
			FUZZ_CHECK(!((unsigned char)at[0] == 0xc2 && (unsigned char)at[1] < 0xa0));
			FUZZ_CHECK(strncmp(at, "\xe2\x80\xae", 3) != 0 && strncmp(at, "\xe2\x81\xa7", 3) != 0);
		}
		at += n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size > 0 ? size - 1 : 0, first = size > 0 ? data[0] : 0;
	struct tamer one = { 0 }, two = { 0 };
	struct buf whole = { 0 }, pieces = { 0 };
	const char *log = (const char *)data + (size > 0);

	if (first > len)
		first = len;
	tame(&one, &whole, log, len);
	tame(&two, &pieces, log, first);
	tame(&two, &pieces, log + first, len - first);
	FUZZ_CHECK(whole.len == pieces.len && strcmp(buf_text(&whole), buf_text(&pieces)) == 0);
	FUZZ_CHECK(strlen(buf_text(&whole)) == whole.len && whole.len <= len);
	check_harmless(buf_text(&whole));
	buf_release(&whole);
	buf_release(&pieces);
	return 0;
}
