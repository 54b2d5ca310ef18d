#include "base/utf8.h"

#include <stdint.h>

/* Bytes a lead byte asks for, and the smallest code point that may need so many (RFC 3629). */
static size_t lead(unsigned char c, uint32_t *smallest)
{
	if (c < 0x80) {
		*smallest = 0;
		return 1;
	}
	if (c >= 0xc2 && c < 0xe0) {
		*smallest = 0x80;
		return 2;
	}
	if (c >= 0xe0 && c < 0xf0) {
		*smallest = 0x800;
		return 3;
	}
	if (c >= 0xf0 && c < 0xf5) {
		*smallest = 0x10000;
		return 4;
	}
	return 0;
}

size_t utf8_length(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	uint32_t smallest, code;
	size_t n = lead(p[0], &smallest), i;

	if (n < 2)
		return n;
	code = p[0] & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3fu);
	}
	if (code < smallest || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return n;
}

bool utf8_valid(const char *s, size_t len)
{
	size_t i = 0, n;

	while (i < len) {
		if ((unsigned char)s[i] < 0x80) {
			i++;
			continue;
		}
		n = lead((unsigned char)s[i], &(uint32_t){ 0 });
		if (n == 0 || n > len - i || utf8_length(s + i) == 0)
			return false;
		i += n;
	}
	return true;
}
