/*
 * plan/part_text.h - components of a key as people read them.
 *
 *     part_kind(PART_PARAM)                                 "param"
 *     part_texts(&texts, &arena, was, is);                  texts.was, texts.is: both values of a component, on one line each
 *
 * A digest is short, a value that is not long is whole. Of two long values only the part is shown in which they differ, from a
 * little before the first difference on: "... high; test 5 -ge 5"; of two commands of several lines the first line that differs.
 * Either may be NULL; its text is "". Texts live in the arena.
 */
#ifndef FLOW_PLAN_PART_TEXT_H
#define FLOW_PLAN_PART_TEXT_H

#include "plan/key.h"

struct arena;

struct part_texts {
	const char *was, *is;
};

const char *part_kind(enum part part);
void part_texts(struct part_texts *out, struct arena *a, const struct part_view *was, const struct part_view *is);

#endif
