/*
 * trees/ubjson.h - a reader of UBJSON as XGBoost writes it, value by value, that keeps nothing.
 *
 *     struct ubjson in = { data, data + size };  struct ubjson_value v;
 *     ubjson_value(&in, &v, fault);                             v.kind is '{': now its keys
 *     while ((more = ubjson_key(&in, &key, fault)) == 1) ubjson_value(&in, &v, fault);
 *
 * An object is left by ubjson_key() that returns 0; a list ('[') has v.count values, which follow; an
 * array ('$') of numbers of one type is a value whole. What reaches beyond the end of the data, or is
 * no UBJSON of this kind, is -1 and *fault.
 */
#ifndef FLOW_STAGES_TREES_UBJSON_H
#define FLOW_STAGES_TREES_UBJSON_H

#include <stddef.h>
#include <stdint.h>

struct fault;

struct ubjson {
	const unsigned char *at, *end;
};

struct ubjson_text {
	const char *data; /* no NUL at its end */
	size_t length;
};

struct ubjson_value {
	char kind;               /* { [ $ S (text) i (whole number) d (number) T F Z */
	struct ubjson_text text; /* S */
	int64_t integer;         /* i */
	size_t count;            /* [ $ */
	char type;               /* $: d U l L */
	const unsigned char *data;
};

int ubjson_value(struct ubjson *in, struct ubjson_value *value, struct fault *fault);
int ubjson_key(struct ubjson *in, struct ubjson_text *key, struct fault *fault);

int ubjson_is(const struct ubjson_text *text, const char *word);
/* A number of an array of type l, L or U. i < count. */
int64_t ubjson_integer(const struct ubjson_value *array, size_t i);

#endif
