/*
 * plan/follow.h - a text that is another one only because a parameter in it is.
 *
 *     struct replaced list[] = { { "0.01", 4, "0.1", 3 } };
 *     text_follows(&was, &is, list, 1)      `train --lr 0.01` -> `train --lr 0.1`: true
 *
 * Such a change is no news beside that of the parameter. Values are those of the parameter as they stand in a text: without the
 * quotes of JSON, with or without those of the shell.
 */
#ifndef FLOW_PLAN_FOLLOW_H
#define FLOW_PLAN_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>

struct part_view;

struct replaced {
	const char *was;
	size_t was_len;
	const char *is;
	size_t is_len;
};

/* Both values of a changed parameter, from its JSON. */
struct replaced replaced_of(const struct part_view *was, const struct part_view *is);
bool text_follows(const struct part_view *was, const struct part_view *is, const struct replaced *list, size_t count);

#endif
