/*
 * base/utf8.h - is it UTF-8, and how near are two words.
 */
#ifndef FLOW_BASE_UTF8_H
#define FLOW_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

size_t utf8_length(const char *s);           /* bytes of the code point at s, 1-4; 0: not valid UTF-8 there */
bool utf8_valid(const char *s, size_t len);

#endif
