#include "fetch/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "common/fault.h"
#include "common/text.h"

#define BLOCK ((size_t)256 << 10)

static int hash(EVP_MD_CTX *context, int fd, const char *path, struct fault *fault)
{
	unsigned char *block = array_new(BLOCK, 1);
	ssize_t got = 1;
	int rc = 0;

	while (rc == 0 && got != 0) {
		got = read(fd, block, BLOCK);
		if (got < 0 && errno != EINTR)
			rc = fault_system(fault, "cannot read '%s'", path);
		else if (got > 0 && EVP_DigestUpdate(context, block, (size_t)got) != 1)
			rc = fault_set(fault, "cannot hash '%s'", path);
	}
	free(block);
	return rc;
}

int digest_file(char digest[DIGEST_LENGTH + 1], const char *path, struct fault *fault)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char bytes[EVP_MAX_MD_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		rc = fault_system(fault, "cannot open '%s'", path);
	else if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		rc = fault_set(fault, "cannot hash '%s'", path);
	if (rc == 0)
		rc = hash(context, fd, path, fault);
	if (rc == 0 && EVP_DigestFinal_ex(context, bytes, NULL) != 1)
		rc = fault_set(fault, "cannot hash '%s'", path);
	for (int i = 0; rc == 0 && i < DIGEST_LENGTH / 2; i++)
		(void)snprintf(digest + 2 * i, 3, "%02x", bytes[i]);
	EVP_MD_CTX_free(context);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

int digest_read(char digest[DIGEST_LENGTH + 1], const char *text)
{
	size_t length = strlen(text);

	if (length != DIGEST_LENGTH || strspn(text, "0123456789abcdefABCDEF") != length)
		return 0;
	for (size_t i = 0; i <= length; i++)
		digest[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i]);
	return 1;
}
