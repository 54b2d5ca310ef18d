/*
 * common/jsonin.h - a reader of JSON that takes one value after the other and keeps nothing.
 *
 *     struct jsonin in;  jsonin_open(&in, text, '{');       or jsonin_begin(), jsonin_enter()
 *     while ((more = jsonin_key(&in, key, sizeof key, fault)) == 1)
 *             jsonin_number(&in, &value, fault);       or _string, _integer, _skip, or enter
 *     if (more < 0) ...
 *
 * Containers are left by themselves when jsonin_key() or jsonin_item() return 0; nothing may follow
 * the outermost one, as jsonin_finish() says of other values. Everything returns -1 and *fault with
 * the byte where it is when the text is not JSON, or is not what was asked for.
 * Depth is limited to 32. It serves headers and option values, where the shape is known; duplicate
 * keys are the caller's to refuse.
 */
#ifndef FLOW_STAGES_COMMON_JSONIN_H
#define FLOW_STAGES_COMMON_JSONIN_H

#include <stddef.h>
#include <stdint.h>

struct fault;

#define JSONIN_DEPTH_MAX 32

struct jsonin {
	const char *start, *at, *end;
	unsigned depth;
	char close[JSONIN_DEPTH_MAX]; /* what ends the container at each depth */
	int first[JSONIN_DEPTH_MAX];  /* 1: no item of it was read yet */
};

void jsonin_begin(struct jsonin *in, const char *text, size_t length);
/* The text is a map or a list, kind '{' or '['; NULL: an empty one. Where it is not, the first
 * jsonin_key() or jsonin_item() says so. */
void jsonin_open(struct jsonin *in, const char *text, char kind);
int jsonin_finish(struct jsonin *in, struct fault *fault); /* nothing but blanks is left */

/* What the next value starts with: one of { [ " digit - t f n, or 0 at the end. */
char jsonin_peek(struct jsonin *in);

/* Step into an object or array; kind is '{' or '['. */
int jsonin_enter(struct jsonin *in, char kind, struct fault *fault);
/* 1: an item follows (its key is in `key`); 0: the container ended. Keys longer than the room are
 * refused. */
int jsonin_key(struct jsonin *in, char *key, size_t room, struct fault *fault);
int jsonin_item(struct jsonin *in, struct fault *fault);

int jsonin_string(struct jsonin *in, char *text, size_t room, struct fault *fault);
int jsonin_number(struct jsonin *in, double *value, struct fault *fault);
int jsonin_integer(struct jsonin *in, uint64_t *value, struct fault *fault); /* plain digits only */
int jsonin_skip(struct jsonin *in, struct fault *fault);

#endif
