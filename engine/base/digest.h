/*
 * base/digest.h - SHA-256, the name of every artifact and key.
 *
 *     struct hasher h;  hasher_init(&h);  hasher_add(&h, p, n);  hasher_end(&h, &digest);  (hasher_release if not ended)
 * One hasher a thread. A digest's text form is 64 lower-case hex digits.
 */
#ifndef FLOW_BASE_DIGEST_H
#define FLOW_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_SIZE 32
#define DIGEST_HEX  65 /* with the NUL */

struct digest {
	unsigned char bytes[DIGEST_SIZE];
};

struct hasher {
	void *ctx; /* EVP_MD_CTX */
};

void hasher_init(struct hasher *h);
void hasher_add(struct hasher *h, const void *data, size_t len);
void hasher_end(struct hasher *h, struct digest *out); /* releases too */
void hasher_release(struct hasher *h);

void digest_of(struct digest *out, const void *data, size_t len);
const char *digest_hex(const struct digest *d, char hex[DIGEST_HEX]); /* returns hex */
bool digest_parse(struct digest *out, const char *hex);               /* exactly 64 hex digits */
bool digest_same(const struct digest *a, const struct digest *b);
bool digest_is_zero(const struct digest *d);

#endif
