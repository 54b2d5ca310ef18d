/* The input is a secret's length, the secret, and a stream that is cut where its own bytes say: however it is cut, the same comes out,
 * and the secret does not. */
#include <string.h>

#include "base/redact.h"
#include "base/secret_forms.h"
#include "fuzz.h"

static void whole(const struct redactor *r, const char *data, size_t len, struct buf *out)
{
	struct redaction s = { 0 };

	redact(r, &s, data, len, out);
	redact_end(r, &s, out);
	FUZZ_CHECK(s.found == redact_finds(r, data, len));
	redaction_release(&s);
}

static void in_pieces(const struct redactor *r, const char *data, size_t len, struct buf *out)
{
	struct redaction s = { 0 };
	size_t at, piece;

	for (at = 0; at < len; at += piece) {
		piece = 1 + (unsigned char)data[at] % 7;
		piece = piece > len - at ? len - at : piece;
		redact(r, &s, data + at, piece, out);
		FUZZ_CHECK(s.held.len <= SECRET_MOST * 3);
	}
	redact_end(r, &s, out);
	redaction_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf one = { 0 }, two = { 0 };
	struct redactor r = { 0 };
	size_t len = size > 0 ? 1 + data[0] % 48 : 0;
	char secret[64];
	const char *stream;

	if (size < 2 || len + 1 > size)
		return 0;
	memcpy(secret, data + 1, len);
	secret[len] = '\0';
	len = strlen(secret);
	stream = (const char *)data + 1; /* the secret itself, and what follows */
	secret_forms(&r, secret, len);
	redactor_ready(&r);
	whole(&r, stream, size - 1, &one);
	in_pieces(&r, stream, size - 1, &two);
	FUZZ_CHECK(one.len == two.len && (one.len == 0 || memcmp(one.data, two.data, one.len) == 0));
	FUZZ_CHECK(len < 4 || strstr(secret, "*") != NULL || one.len == 0 ||
		   memmem(one.data, one.len, secret, len) == NULL);
	redactor_release(&r);
	buf_release(&one);
	buf_release(&two);
	return 0;
}
