#include "base/digest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_thread_end;
static const EVP_MD *sha256; /* fetched once: EVP_sha256() is looked up again at each init */

static void free_context(void *ctx)
{
	EVP_MD_CTX_free(ctx);
}

static void prepare(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (sha256 == NULL || pthread_key_create(&at_thread_end, free_context) != 0)
		abort();
}

static EVP_MD_CTX *context_new(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	(void)pthread_once(&once, prepare);
	if (ctx == NULL || EVP_DigestInit_ex(ctx, sha256, NULL) != 1)
		abort();
	return ctx;
}

void hasher_init(struct hasher *h)
{
	h->ctx = context_new();
}

void hasher_add(struct hasher *h, const void *data, size_t len)
{
	if (EVP_DigestUpdate(h->ctx, data, len) != 1)
		abort();
}

void hasher_end(struct hasher *h, struct digest *out)
{
	if (EVP_DigestFinal_ex(h->ctx, out->bytes, NULL) != 1)
		abort();
	hasher_release(h);
}

void hasher_release(struct hasher *h)
{
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
}

void digest_of(struct digest *out, const void *data, size_t len)
{
	static _Thread_local EVP_MD_CTX *ctx; /* reused: a key is hashed for every task */

	if (ctx == NULL) {
		ctx = context_new();
		(void)pthread_setspecific(at_thread_end, ctx);
	}
	if (EVP_DigestInit_ex(ctx, sha256, NULL) != 1 || EVP_DigestUpdate(ctx, data, len) != 1 ||
		EVP_DigestFinal_ex(ctx, out->bytes, NULL) != 1)
		abort();
}

const char *digest_hex(const struct digest *d, char hex[DIGEST_HEX])
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < DIGEST_SIZE; i++) {
		hex[2 * i] = digits[d->bytes[i] >> 4];
		hex[2 * i + 1] = digits[d->bytes[i] & 15];
	}
	hex[2 * DIGEST_SIZE] = '\0';
	return hex;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool digest_parse(struct digest *out, const char *hex)
{
	struct digest d;
	size_t i;

	if (strlen(hex) != DIGEST_HEX - 1)
		return false;
	for (i = 0; i < DIGEST_SIZE; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		d.bytes[i] = (unsigned char)(high << 4 | low);
	}
	*out = d;
	return true;
}

bool digest_same(const struct digest *a, const struct digest *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

bool digest_is_zero(const struct digest *d)
{
	static const struct digest zero;

	return digest_same(d, &zero);
}
