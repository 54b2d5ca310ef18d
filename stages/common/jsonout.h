/*
 * common/jsonout.h - a small JSON writer into a struct text.
 *
 *     struct jsonout j = { .out = &text };
 *     jsonout_open(&j, '{');  jsonout_key(&j, "n");  jsonout_integer(&j, 1);  jsonout_close(&j);
 *
 * Commas, escapes and indentation are the writer's work: a map has a line for each key and a list
 * stays on one line, unless opened by jsonout_open_flat() and jsonout_open_tall(). With `compact`
 * there are no blanks at all. Numbers that are not finite become null. Depth is limited to 16,
 * which is asserted: the shape is the caller's own.
 */
#ifndef FLOW_STAGES_COMMON_JSONOUT_H
#define FLOW_STAGES_COMMON_JSONOUT_H

#include <stdint.h>

#include "common/text.h"

struct fault;

#define JSONOUT_DEPTH_MAX 16

struct jsonout {
	struct text *out;
	int compact;
	unsigned depth;
	struct {
		char close;
		int tall; /* an item a line */
		int used; /* it has an item */
	} level[JSONOUT_DEPTH_MAX];
	int keyed; /* a key was just written */
};

void jsonout_open(struct jsonout *json, char kind);      /* '{' or '[' */
void jsonout_open_tall(struct jsonout *json, char kind); /* a list with an item a line */
void jsonout_open_flat(struct jsonout *json, char kind); /* a map on one line */
void jsonout_close(struct jsonout *json);
void jsonout_key(struct jsonout *json, const char *key);
void jsonout_string(struct jsonout *json, const char *text);
void jsonout_integer(struct jsonout *json, uint64_t value);
void jsonout_number(
	struct jsonout *json, double value); /* shortest text that reads back the same */
void jsonout_figure(struct jsonout *json, const char *key, double value); /* a key and its number */
void jsonout_text(struct jsonout *json, const char *key, const char *text); /* a key and its text */
/* All that was written, and a line break, into a new file; the text is released, whatever comes of it. Negative, and a fault, on
 * failure. */
int jsonout_save(struct jsonout *json, const char *path, struct fault *fault);

#endif
