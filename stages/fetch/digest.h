/*
 * fetch/digest.h - SHA-256 of a file, as 64 small hexadecimal digits.
 */
#ifndef FLOW_STAGES_FETCH_DIGEST_H
#define FLOW_STAGES_FETCH_DIGEST_H

struct fault;

#define DIGEST_LENGTH 64

int digest_file(char digest[DIGEST_LENGTH + 1], const char *path, struct fault *fault);
/* 1: that is a digest; capitals are made small. */
int digest_read(char digest[DIGEST_LENGTH + 1], const char *text);

#endif
