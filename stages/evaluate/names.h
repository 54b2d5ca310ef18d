/*
 * evaluate/names.h - what classes, labels and numbers are called, and which class is the positive.
 *
 *     struct names names = { 0 };
 *     names_read(&names, json, count, "classes", fault);      with.class_names; NULL: none
 *     names_positive(&positive, names.list, json, fault);     with.positive, of two
 *     names_release(&names);
 */
#ifndef FLOW_STAGES_EVALUATE_NAMES_H
#define FLOW_STAGES_EVALUATE_NAMES_H

#include <stddef.h>

struct fault;

#define NAME_ROOM 100

struct names {
	char (*text)[NAME_ROOM];
	const char **list; /* NULL: none given */
};

/* json: a list of as many texts as there are `what`, or of none. */
int names_read(struct names *names, const char *json, size_t count, const char *what,
	struct fault *fault);
void names_release(struct names *names); /* zeroed: nothing */

/* json: one of the names (list NULL: there are none), or 0 or 1; NULL: 1. */
int names_positive(
	size_t *positive, const char *const *list, const char *json, struct fault *fault);

#endif
